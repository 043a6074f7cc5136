//! The body of a stream's request on its way to a target of HTTP/1.1, in bounded memory: what the target
//! does not take stays in the stream's buffer, and then the client's window is not renewed.

use std::rc::Rc;
use std::task::{Context, Poll};

use super::hpack::FieldList;
use super::stream::ClientStream;
use crate::buffer::{Buffer, BufferPool, HEAD_BUFFER_BYTES, Lease};
use crate::http1::Framing;
use crate::http1::field::Field;
use crate::mirror::MirroredRequest;
use crate::pump::{Encode, put_data};
use crate::stream::Stream;

/// Room for the framing of a chunk beside its data.
const CHUNK_FRAMING_BYTES: usize = 32;

#[derive(Debug)]
pub(super) struct Upload {
    encode: Encode,
    /// What gets a copy of all that is staged, and goes out when that is whole.
    mirrored: Option<Box<MirroredRequest>>,
    /// What is on its way out.
    staged: Option<Lease>,
    is_staged_whole: bool,
    has_moved: bool,
}

/// Why an upload has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SinkGone;

impl Upload {
    /// Puts what has arrived of the body behind `head`, and gives the upload of the rest if there is any.
    pub(super) fn new(
        framing: Framing,
        client: &ClientStream,
        head: &mut Buffer,
        mirrored: Option<Box<MirroredRequest>>,
    ) -> Option<Self> {
        let encode = match framing {
            Framing::None => {
                if let Some(mirrored) = mirrored {
                    mirrored.send();
                }
                return None;
            }
            Framing::Length(_) | Framing::UntilClose => Encode::Raw,
            Framing::Chunked => Encode::Chunked,
        };
        let mut upload = Self {
            encode,
            mirrored,
            staged: None,
            is_staged_whole: false,
            has_moved: false,
        };
        upload.stage(client, head);
        upload.send_whole_copy();
        (!upload.is_staged_whole).then_some(upload)
    }

    /// Whether any byte has moved since the last call.
    pub(super) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.has_moved)
    }

    /// Whether the client has to act next.
    pub(super) fn waits_for_client(&self) -> bool {
        self.staged.is_none()
    }

    /// Sends what can be sent now. Ready when the body is complete.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        client: &ClientStream,
        target: &mut Stream,
        buffers: &Rc<BufferPool>,
    ) -> Poll<Result<(), SinkGone>> {
        loop {
            while let Some(staged) = self.staged.as_mut().filter(|staged| !staged.is_empty()) {
                match target.poll_write(cx, staged.filled()) {
                    Poll::Ready(Ok(count)) => staged.consume(count),
                    Poll::Ready(Err(_)) => return Poll::Ready(Err(SinkGone)),
                    Poll::Pending => return Poll::Pending,
                }
                self.has_moved = true;
            }
            if self.is_staged_whole {
                self.send_whole_copy();
                return Poll::Ready(Ok(()));
            }
            let mut staged = self.staged.take().unwrap_or_else(|| buffers.head());
            self.stage(client, &mut staged);
            if staged.is_empty() && !self.is_staged_whole {
                return Poll::Pending;
            }
            self.has_moved = true;
            self.staged = Some(staged);
        }
    }

    fn send_whole_copy(&mut self) {
        if self.is_staged_whole
            && let Some(mirrored) = self.mirrored.take()
        {
            mirrored.send();
        }
    }

    /// Encodes what has arrived to the end of `out`, as far as it has room.
    fn stage(&mut self, client: &ClientStream, out: &mut Buffer) {
        let staged_before = out.len();
        let room = HEAD_BUFFER_BYTES.saturating_sub(out.len() + CHUNK_FRAMING_BYTES);
        let has_ended = client.has_ended();
        let is_last = client.take_body(|body| {
            let count = body.len().min(room);
            if count > 0 {
                put_data(out, self.encode, &body[..count]);
            }
            (count, has_ended && count == body.len())
        });
        if is_last {
            self.is_staged_whole = true;
            if self.encode == Encode::Chunked {
                put_last_chunk(out, client.take_trailers().as_ref());
            }
        }
        if let Some(mirrored) = &mut self.mirrored {
            mirrored.push(&out.filled()[staged_before..]);
        }
    }
}

fn put_last_chunk(out: &mut Buffer, trailers: Option<&FieldList>) {
    out.put(b"0\r\n");
    let fields = trailers.into_iter().flat_map(FieldList::iter);
    for (name, value) in fields.filter(|(name, _)| Field::of(name).may_trail()) {
        out.put(name);
        out.put(b": ");
        out.put(value);
        out.put(b"\r\n");
    }
    out.put(b"\r\n");
}
