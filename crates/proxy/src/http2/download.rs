//! The body of a target's response on its way to a stream. The target is read only as fast as the client's
//! windows and the connection's buffer let the frames go.

use std::task::{Context, Poll, ready};

use super::outlet::Outlet;
use super::stream::ClientStream;
use crate::buffer::Buffer;
use crate::compressor::Compressor;
use crate::head_sink::HeadSink;
use crate::http1::Framing;
use crate::http1::chunked::{Decoder, Step};
use crate::stream::Stream;

#[derive(Debug)]
pub(super) struct Download {
    decode: Decode,
    outlet: Outlet,
    /// Bytes at the front of what was received that are data.
    data: usize,
    has_moved: bool,
}

#[derive(Debug)]
enum Decode {
    Length(u64),
    Chunked(Box<Decoder>),
    UntilClose,
    /// Nothing follows the data but the trailer fields of the last chunk, if there was one.
    Ended(Option<Box<Decoder>>),
}

/// The target has failed in the middle of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stopped;

impl Download {
    /// `None` if there is no body.
    pub(super) fn new(framing: Framing, compressor: Option<Box<Compressor>>) -> Option<Self> {
        let decode = match framing {
            Framing::None => return None,
            Framing::Length(length) => Decode::Length(length),
            Framing::Chunked => Decode::Chunked(Box::default()),
            Framing::UntilClose => Decode::UntilClose,
        };
        Some(Self {
            decode,
            outlet: Outlet(compressor),
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
                let is_last = matches!(self.decode, Decode::Ended(_));
                let data = &received.filled()[..self.data];
                let sent = ready!(self.outlet.poll_send(client, data, is_last));
                received.consume(sent.count);
                self.data -= sent.count;
                self.has_moved = true;
                if sent.has_ended {
                    return Poll::Ready(Ok(()));
                }
            }
            if let Decode::Ended(trailers) = &self.decode {
                ready!(self.outlet.poll_finish(client));
                end(trailers.as_deref(), client);
                return Poll::Ready(Ok(()));
            }
            self.decode(received)?;
            if self.data > 0 || matches!(self.decode, Decode::Ended(_)) {
                continue;
            }
            let Poll::Ready(filled) = target.poll_fill(cx, received) else {
                self.outlet.flush(client);
                return Poll::Pending;
            };
            match (filled, &self.decode) {
                (Ok(0), Decode::UntilClose) => self.decode = Decode::Ended(None),
                (Ok(0) | Err(_), _) => return Poll::Ready(Err(Stopped)),
                (Ok(_), _) => self.has_moved = true,
            }
        }
    }

    /// Finds the data in what was received.
    fn decode(&mut self, received: &mut Buffer) -> Result<(), Stopped> {
        while self.data == 0 && !received.is_empty() {
            match &mut self.decode {
                Decode::Ended(_) => return Ok(()),
                Decode::UntilClose => self.data = received.len(),
                Decode::Length(left) => {
                    let left_here = usize::try_from(*left).unwrap_or(usize::MAX);
                    self.data = left_here.min(received.len());
                    *left -= self.data as u64;
                    if *left == 0 {
                        self.decode = Decode::Ended(None);
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
                            let trailers = std::mem::take(decoder);
                            self.decode = Decode::Ended(Some(trailers));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// Ends the stream with the trailer fields of the last chunk, if it has any.
fn end(trailers: Option<&Decoder>, client: &ClientStream) {
    let mut has_any = false;
    let trailers = trailers.inspect(|decoder| decoder.each_trailer(|_, _| has_any = true));
    let Some(decoder) = trailers.filter(|_| has_any) else {
        // An empty frame waits for nothing.
        let _ = client.poll_send(&[], true);
        return;
    };
    client.write_fields(true, |head| {
        head.trailers();
        decoder.each_trailer(|name, value| head.field(name, value));
        head.end();
    });
}
