//! Reads the frames of a connection and has them processed, the same way for connections to clients and to targets.

use std::io;
use std::task::{Context, Poll};

use super::frame::{self, ErrorCode, FrameHead};
use super::incoming::{self, Next};
use super::state::FrameError;
use crate::buffer::{Buffer, Lease};

use FrameError::{Connection as Fatal, Stream as OnStream};

/// What came of processing a frame.
pub(super) type Outcome = Result<(), FrameError>;

/// What came of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// All that has arrived was processed.
    Waiting,
    /// What waits to be written has to become less first.
    Full,
    /// The peer has closed its connection or reset it.
    Closed,
}

/// How far the received bytes were processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// To the first frame that is not whole; it takes so many bytes in all, as far as they are known.
    Needs(usize),
    /// Until too much waits to be written.
    Full,
}

/// The task of a connection, as far as it reads.
pub(super) trait FrameReader {
    /// Whether nothing that arrives matters any more.
    fn is_over(&self) -> bool;

    /// Whether so little waits to be written that a frame may be processed.
    fn has_room(&self) -> bool;

    /// Takes what comes in front of the first frame. Whether that has come whole.
    fn take_preface(&mut self, _received: &mut Buffer) -> bool {
        true
    }

    /// Processes a frame.
    fn receive(&mut self, head: &FrameHead, payload: &[u8]) -> Outcome;

    /// Ends the connection because of what was received.
    fn fail(&mut self, code: ErrorCode, why: &'static str);

    /// Resets a stream because of what was received.
    fn fail_stream(&mut self, stream: u32, code: ErrorCode, why: &'static str);

    /// The bytes that were read and not used; `None` while there are none.
    fn received(&mut self) -> &mut Option<Lease>;

    /// A buffer for at least `needed` bytes.
    fn lease(&self, needed: usize) -> Lease;

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()>;

    fn poll_fill(&mut self, cx: &mut Context<'_>, received: &mut Buffer)
    -> Poll<io::Result<usize>>;
}

/// Reads and processes what has arrived.
pub(super) fn poll_read(reader: &mut impl FrameReader, cx: &mut Context<'_>) -> Read {
    loop {
        if reader.is_over() {
            return Read::Waiting;
        }
        let mut received = match reader.received().take() {
            Some(received) => received,
            None if reader.poll_readable(cx).is_pending() => return Read::Waiting,
            None => reader.lease(0),
        };
        let outcome = match process(reader, &mut received) {
            Progress::Full => Err(Read::Full),
            Progress::Needs(bytes) => {
                received = enlarged(reader, received, bytes);
                match reader.poll_fill(cx, &mut received) {
                    Poll::Ready(Ok(count)) if count > 0 => Ok(()),
                    Poll::Ready(_) => Err(Read::Closed),
                    Poll::Pending => Err(Read::Waiting),
                }
            }
        };
        *reader.received() = (!received.is_empty()).then_some(received);
        if let Err(read) = outcome {
            return read;
        }
    }
}

/// Processes all frames that are whole.
fn process(reader: &mut impl FrameReader, received: &mut Buffer) -> Progress {
    if !reader.take_preface(received) {
        return Progress::Needs(frame::PREFACE.len());
    }
    loop {
        if reader.is_over() {
            received.clear();
            return Progress::Full;
        }
        if !reader.has_room() {
            return Progress::Full;
        }
        let (head, payload, whole) = match incoming::next(received) {
            Next::Frame {
                head,
                payload,
                whole,
            } => (head, payload, whole),
            Next::Needs(bytes) => return Progress::Needs(bytes),
            Next::TooLong => {
                reader.fail(ErrorCode::FrameSize, "a frame is longer than 16,384 bytes");
                continue;
            }
        };
        match reader.receive(&head, payload) {
            Ok(()) => {}
            Err(Fatal(code, why)) => reader.fail(code, why),
            Err(OnStream(stream, code, why)) => reader.fail_stream(stream, code, why),
        }
        received.consume(whole);
    }
}

/// What was received, with room for a long frame.
fn enlarged(reader: &impl FrameReader, received: Lease, needed: usize) -> Lease {
    if received.capacity() >= needed {
        return received;
    }
    let mut larger = reader.lease(needed);
    larger.put(received.filled());
    larger
}
