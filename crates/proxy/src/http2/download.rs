//! The body of a target's response on its way to a stream. The target is read only as fast as the client's
//! windows and the connection's buffer let the frames go.

use std::task::{Context, Poll, ready};

use super::stream::ClientStream;
use crate::buffer::Buffer;
use crate::head_sink::HeadSink;
use crate::http1::Framing;
use crate::http1::chunked::{Decoder, Step};
use crate::stream::Stream;

#[derive(Debug)]
pub(super) struct Download {
    decode: Decode,
    /// Bytes at the front of what was received that are data.
    data: usize,
    has_moved: bool,
}

#[derive(Debug)]
enum Decode {
    Length(u64),
    Chunked(Box<Decoder>),
    UntilClose,
    /// Nothing follows the data.
    Ended,
}

/// The target has failed in the middle of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stopped;

impl Download {
    /// `None` if there is no body.
    pub(super) fn new(framing: Framing) -> Option<Self> {
        let decode = match framing {
            Framing::None => return None,
            Framing::Length(length) => Decode::Length(length),
            Framing::Chunked => Decode::Chunked(Box::default()),
            Framing::UntilClose => Decode::UntilClose,
        };
        Some(Self {
            decode,
            data: 0,
            has_moved: false,
        })
    }

    /// Whether any byte has moved since the last call.
    pub(super) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.has_moved)
    }

    /// Moves what can be moved now. Ready when the stream's end has been sent.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        target: &mut Stream,
        received: &mut Buffer,
        client: &ClientStream,
    ) -> Poll<Result<(), Stopped>> {
        loop {
            while self.data > 0 {
                let ends = matches!(self.decode, Decode::Ended);
                let count = ready!(client.poll_send(&received.filled()[..self.data], ends));
                received.consume(count);
                self.data -= count;
                self.has_moved = true;
                if ends && self.data == 0 {
                    return Poll::Ready(Ok(()));
                }
            }
            if self.decode(received, client)? {
                return Poll::Ready(Ok(()));
            }
            if self.data > 0 {
                continue;
            }
            match (ready!(target.poll_fill(cx, received)), &self.decode) {
                (Ok(0), Decode::UntilClose) => {
                    ready!(client.poll_send(&[], true));
                    return Poll::Ready(Ok(()));
                }
                (Ok(0) | Err(_), _) => return Poll::Ready(Err(Stopped)),
                (Ok(_), _) => self.has_moved = true,
            }
        }
    }

    /// Finds the data in what was received. Whether the stream's end has been sent.
    fn decode(&mut self, received: &mut Buffer, client: &ClientStream) -> Result<bool, Stopped> {
        while self.data == 0 && !received.is_empty() {
            match &mut self.decode {
                Decode::Ended => return Err(Stopped),
                Decode::UntilClose => self.data = received.len(),
                Decode::Length(left) => {
                    let left_here = usize::try_from(*left).unwrap_or(usize::MAX);
                    self.data = left_here.min(received.len());
                    *left -= self.data as u64;
                    if *left == 0 {
                        self.decode = Decode::Ended;
                    }
                }
                Decode::Chunked(decoder) => {
                    match decoder.step(received.filled()).map_err(|_| Stopped)? {
                        Step::Skip(skip) => received.consume(skip),
                        Step::Data { skip, length } => {
                            received.consume(skip);
                            self.data = length;
                        }
                        Step::End(skip) => {
                            received.consume(skip);
                            end_chunked(decoder, client);
                            return Ok(true);
                        }
                    }
                }
            }
        }
        Ok(false)
    }
}

/// Ends the stream with the trailer fields of the last chunk, if it has any.
fn end_chunked(decoder: &Decoder, client: &ClientStream) {
    let mut has_any = false;
    decoder.each_trailer(|_, _| has_any = true);
    if !has_any {
        // An empty frame waits for nothing.
        let _ = client.poll_send(&[], true);
        return;
    }
    client.write_fields(true, |head| {
        head.trailers();
        decoder.each_trailer(|name, value| head.field(name, value));
        head.end();
    });
}
