//! Moves one body from one connection to another, in bounded memory: what the receiver does not take is
//! not read from the sender.

use std::rc::Rc;
use std::task::{Context, Poll};

use crate::buffer::{BULK_BUFFER_BYTES, Buffer, BufferPool, Lease};
use crate::compressor::{self, Compressor};
use crate::http1::Framing;
use crate::http1::chunked::{Decoder, Step, size_line};
use crate::mirror::MirroredRequest;
use crate::stream::Stream;

/// Data of one chunk that is sent, so that it fits the staging buffer with its framing.
const CHUNK_DATA_BYTES_MAX: usize = BULK_BUFFER_BYTES - 64;

/// A body on its way.
#[derive(Debug)]
pub(crate) struct Pump {
    decode: Decode,
    encode: Encode,
    /// What the data passes through on its way; only to a chunked receiver.
    compressor: Option<Box<Compressor>>,
    /// What gets a copy of all that is sent, and goes out at its end; only of a request.
    mirrored: Option<Box<MirroredRequest>>,
    /// Chunks on their way out; only when a side is chunked.
    staged: Option<Lease>,
    /// Everything was decoded; what is staged is the rest.
    is_decoded: bool,
    /// Bytes moved since this was last asked.
    has_moved: bool,
    waits_for: Side,
}

#[derive(Debug)]
enum Decode {
    Length(u64),
    Chunked(Box<Decoder>),
    UntilClose,
}

/// How the receiver finds the end of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encode {
    /// By the length it was told, or by the close.
    Raw,
    /// By the last chunk.
    Chunked,
}

/// One of the two connections of a pump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Sink,
}

/// Why a body stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PumpError {
    /// The connection of this side closed or failed.
    Gone(Side),
    /// The chunks of the source are malformed.
    BadChunk,
}

impl Pump {
    /// A pump for a body that the source frames in this way; `None` if there is no body.
    pub(crate) fn new(framing: Framing, encode: Encode) -> Option<Self> {
        let decode = match framing {
            Framing::None => return None,
            Framing::Length(length) => Decode::Length(length),
            Framing::Chunked => Decode::Chunked(Box::default()),
            Framing::UntilClose => Decode::UntilClose,
        };
        Some(Self {
            decode,
            encode,
            compressor: None,
            mirrored: None,
            staged: None,
            is_decoded: false,
            has_moved: false,
            waits_for: Side::Source,
        })
    }

    /// The pump for the same body, compressed.
    pub(crate) fn through(self, compressor: Option<Box<Compressor>>) -> Self {
        debug_assert!(compressor.is_none() || self.encode == Encode::Chunked);
        Self { compressor, ..self }
    }

    /// Copies all that is sent from now on.
    pub(crate) fn copy_to(&mut self, mirrored: Box<MirroredRequest>) {
        self.mirrored = Some(mirrored);
    }

    /// Whether any byte has moved since the last call.
    pub(crate) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.has_moved)
    }

    /// The side that has to act next.
    pub(crate) fn waits_for(&self) -> Side {
        self.waits_for
    }

    /// Bytes of `received` that can be sent as they are, because neither side is chunked.
    pub(crate) fn raw_prefix(&self, received: &Buffer) -> usize {
        match (&self.decode, self.encode) {
            (Decode::Length(left), Encode::Raw) => usize::try_from(*left)
                .unwrap_or(usize::MAX)
                .min(received.len()),
            (Decode::UntilClose, Encode::Raw) => received.len(),
            _ => 0,
        }
    }

    /// Takes note that `count` bytes of the raw prefix were sent by somebody else.
    pub(crate) fn skip_raw(&mut self, count: usize) {
        if let Decode::Length(left) = &mut self.decode {
            *left -= count as u64;
        }
    }

    /// Whether nothing is left of a body of known length.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(
            (&self.decode, self.encode),
            (Decode::Length(0), Encode::Raw)
        )
    }

    /// Moves what can be moved now. Ready when the body is complete.
    ///
    /// `received` holds what was read from `source` and belongs to this body or to what follows it.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut Stream,
        received: &mut Buffer,
        sink: &mut Stream,
        buffers: &Rc<BufferPool>,
    ) -> Poll<Result<(), PumpError>> {
        loop {
            match self.poll_send(cx, received, sink) {
                Poll::Ready(Ok(())) => {}
                other => return other,
            }
            if self.stage_compressed(buffers) {
                continue;
            }
            if self.is_decoded || self.is_finished() {
                if let Some(mirrored) = self.mirrored.take() {
                    mirrored.send();
                }
                return Poll::Ready(Ok(()));
            }
            if self.stage(received, buffers)? {
                continue;
            }
            let count = match source.poll_fill(cx, received) {
                Poll::Ready(Ok(count)) => count,
                Poll::Ready(Err(_)) => return Poll::Ready(Err(PumpError::Gone(Side::Source))),
                Poll::Pending if self.compressor.as_mut().is_some_and(|it| it.flush()) => continue,
                Poll::Pending => {
                    self.waits_for = Side::Source;
                    return Poll::Pending;
                }
            };
            self.has_moved = true;
            match (&self.decode, count) {
                (Decode::UntilClose, 0) => self.end(buffers),
                (_, 0) => return Poll::Ready(Err(PumpError::Gone(Side::Source))),
                _ => {}
            }
        }
    }

    /// Sends everything that is staged, or the raw bytes that were received.
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        received: &mut Buffer,
        sink: &mut Stream,
    ) -> Poll<Result<(), PumpError>> {
        loop {
            let raw = self.raw_prefix(received);
            let bytes = match &self.staged {
                Some(staged) => staged.filled(),
                None => &received.filled()[..raw],
            };
            if bytes.is_empty() {
                self.staged = None;
                return Poll::Ready(Ok(()));
            }
            let count = match sink.poll_write(cx, bytes) {
                Poll::Ready(Ok(count)) => count,
                Poll::Ready(Err(_)) => return Poll::Ready(Err(PumpError::Gone(Side::Sink))),
                Poll::Pending => {
                    self.waits_for = Side::Sink;
                    return Poll::Pending;
                }
            };
            self.has_moved = true;
            if let Some(mirrored) = &mut self.mirrored {
                mirrored.push(&bytes[..count]);
            }
            match &mut self.staged {
                Some(staged) => staged.consume(count),
                None => {
                    received.consume(count);
                    self.skip_raw(count);
                }
            }
        }
    }

    /// Decodes and encodes what was received. Whether there is something to send now.
    fn stage(
        &mut self,
        received: &mut Buffer,
        buffers: &Rc<BufferPool>,
    ) -> Result<bool, PumpError> {
        if received.is_empty() {
            return Ok(false);
        }
        let at_once = match &self.compressor {
            None => CHUNK_DATA_BYTES_MAX,
            Some(_) => compressor::INPUT_BYTES_MAX,
        };
        let (skip, length) = match &mut self.decode {
            Decode::UntilClose => (0, received.len()),
            Decode::Length(left) => (
                0,
                usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(received.len()),
            ),
            Decode::Chunked(decoder) => {
                let room = received.len().min(at_once);
                match decoder
                    .step(&received.filled()[..room])
                    .map_err(|_| PumpError::BadChunk)?
                {
                    Step::Skip(skip) => {
                        received.consume(skip);
                        return self.stage(received, buffers);
                    }
                    Step::Data { skip, length } => (skip, length),
                    Step::End(skip) => {
                        received.consume(skip);
                        self.end(buffers);
                        return Ok(true);
                    }
                }
            }
        };
        let length = length.min(at_once);
        let data = &received.filled()[skip..skip + length];
        match &mut self.compressor {
            Some(compressor) => {
                // All of it: no more was looked at than goes in at once.
                compressor.write(data);
            }
            None => {
                let staged = self.staged.get_or_insert_with(|| buffers.bulk());
                put_data(staged, self.encode, data);
            }
        }
        received.consume(skip + length);
        if let Decode::Length(left) = &mut self.decode {
            *left -= length as u64;
            if *left == 0 {
                self.end(buffers);
            }
        }
        Ok(true)
    }

    /// Stages what has come out of the compressor. Whether there is something to send now.
    fn stage_compressed(&mut self, buffers: &Rc<BufferPool>) -> bool {
        let Some(compressor) = &mut self.compressor else {
            return false;
        };
        let output = compressor.output();
        let data = &output[..output.len().min(CHUNK_DATA_BYTES_MAX)];
        if !data.is_empty() {
            let staged = self.staged.get_or_insert_with(|| buffers.bulk());
            put_data(staged, self.encode, data);
            compressor.consume(data.len());
            return true;
        }
        if !self.is_decoded {
            return false;
        }
        if !compressor.is_finished() {
            compressor.finish();
            return true;
        }
        self.compressor = None;
        self.stage_end(buffers);
        true
    }

    /// The source has no more data.
    fn end(&mut self, buffers: &Rc<BufferPool>) {
        self.is_decoded = true;
        if self.compressor.is_none() {
            self.stage_end(buffers);
        }
    }

    /// Stages what ends the body for the receiver.
    fn stage_end(&mut self, buffers: &Rc<BufferPool>) {
        if self.encode == Encode::Raw {
            return;
        }
        let staged = self.staged.get_or_insert_with(|| buffers.bulk());
        staged.put(b"0\r\n");
        if let Decode::Chunked(decoder) = &self.decode {
            let mut trailers = Vec::new();
            decoder.write_trailers(&mut trailers);
            staged.put(&trailers);
        }
        staged.put(b"\r\n");
    }
}

/// Appends data in the receiver's framing.
pub(crate) fn put_data(out: &mut Buffer, encode: Encode, data: &[u8]) {
    match encode {
        Encode::Raw => out.put(data),
        Encode::Chunked => {
            out.put(size_line(data.len()).as_bytes());
            out.put(data);
            out.put(b"\r\n");
        }
    }
}
