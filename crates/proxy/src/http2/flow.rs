//! Bodies on their way through a connection, and the windows that bound them.
//!
//! Source: RFC 9113 sections 5.2 and 6.9.

use std::task::{Context, Poll};

use super::frame::{self, ErrorCode, PAYLOAD_BYTES_MAX, WINDOW_MAX, flag, kind};
use super::head::Http2Head;
use super::hpack::FieldList;
use super::limits::{OUT_BYTES_MAX, STREAM_WINDOW};
use super::state::{FrameError, Gone, Peer, State};
use crate::buffer::HEAD_BUFFER_BYTES;

use FrameError::{Connection, Stream as OnStream};

/// Bytes of a frame that promise more to come, for which a large buffer need not grow.
const LONG_DATA_BYTES: usize = HEAD_BUFFER_BYTES / 2;

impl State {
    // What the peer sends.

    /// Takes the payload of a `DATA` frame; `length` counts its padding too.
    pub(crate) fn receive_data(
        &mut self,
        id: u32,
        data: &[u8],
        length: usize,
        ends: bool,
    ) -> Result<(), FrameError> {
        self.receive_window -= length as i64;
        if self.receive_window < 0 {
            let why = "more data than the connection's window";
            return Err(Connection(ErrorCode::FlowControl, why));
        }
        let Some(&key) = self.keys.get(&id) else {
            self.give_credit(length);
            if self.was_reset(id) {
                return Ok(());
            }
            return Err(OnStream(
                id,
                ErrorCode::StreamClosed,
                "data on a closed stream",
            ));
        };
        let stream = &mut self.streams[key];
        if stream.gone.is_some() {
            self.give_credit(length);
            return Ok(());
        }
        if stream.has_ended {
            self.give_credit(length);
            return Err(OnStream(
                id,
                ErrorCode::StreamClosed,
                "data behind the end of a stream",
            ));
        }
        if self.peer == Peer::Target && !stream.has_received_head {
            self.give_credit(length);
            return Err(OnStream(
                id,
                ErrorCode::Protocol,
                "data in front of the head of a response",
            ));
        }
        stream.receive_window -= length as i64;
        if stream.receive_window < 0 {
            self.give_credit(length);
            return Err(OnStream(
                id,
                ErrorCode::FlowControl,
                "more data than the stream's window",
            ));
        }
        if stream.linger.is_some() {
            if ends {
                self.give_credit(length);
                self.remove(key);
            } else {
                self.discard(key, length);
            }
            return Ok(());
        }
        if let Some(expected) = &mut stream.expected {
            let left = expected.checked_sub(data.len() as u64);
            match left {
                Some(left) if !ends || left == 0 => *expected = left,
                _ => {
                    self.give_credit(length);
                    let why = "the body is not as long as Content-Length says";
                    return Err(OnStream(id, ErrorCode::Protocol, why));
                }
            }
        }
        if !data.is_empty() {
            let received = stream.received.get_or_insert_with(|| match data.len() {
                0..LONG_DATA_BYTES => self.buffers.head(),
                _ => self.buffers.bulk(),
            });
            received.append(data);
        }
        stream.has_ended = ends;
        let padding = length - data.len();
        stream.wake();
        self.give_stream_credit(key, padding);
        Ok(())
    }

    /// The peer lets us send `increment` bytes more.
    pub(crate) fn receive_window_update(
        &mut self,
        id: u32,
        increment: u32,
    ) -> Result<(), FrameError> {
        let code = ErrorCode::FlowControl;
        if increment == 0 {
            let why = "the window is raised by nothing";
            return Err(match id {
                0 => Connection(ErrorCode::Protocol, why),
                _ => OnStream(id, ErrorCode::Protocol, why),
            });
        }
        let increment = i64::from(increment);
        if id == 0 {
            self.send_window += increment;
            if self.send_window > WINDOW_MAX {
                return Err(Connection(code, "the window is too large"));
            }
            self.wake_waiting();
            return Ok(());
        }
        let Some(&key) = self.keys.get(&id) else {
            return Ok(());
        };
        let stream = &mut self.streams[key];
        stream.send_window += increment;
        if stream.send_window > WINDOW_MAX {
            return Err(OnStream(id, code, "the window is too large"));
        }
        stream.wake();
        Ok(())
    }

    /// The peer changes the window of all its streams. Source: RFC 9113 section 6.9.2.
    pub(crate) fn receive_initial_window(&mut self, window: u32) -> Result<(), FrameError> {
        let change = i64::from(window) - self.initial_send_window;
        self.initial_send_window += change;
        for (_, stream) in &mut self.streams {
            stream.send_window += change;
            if stream.send_window > WINDOW_MAX {
                let why = "the window of a stream is too large";
                return Err(Connection(ErrorCode::FlowControl, why));
            }
            stream.wake();
        }
        Ok(())
    }

    /// Lets the peer send `count` bytes more on the connection, now or when there are more of them.
    pub(super) fn give_credit(&mut self, count: usize) {
        self.credit += count as u32;
        if i64::from(self.credit) >= self.peer.connection_window() / 2 && !self.is_closed {
            let credit = std::mem::take(&mut self.credit);
            self.receive_window += i64::from(credit);
            frame::put_window_update(self.out(), 0, credit);
        }
    }

    /// As `give_credit`, on a stream too.
    pub(super) fn give_stream_credit(&mut self, key: usize, count: usize) {
        self.give_credit(count);
        let stream = &mut self.streams[key];
        stream.credit += count as u32;
        let is_due = i64::from(stream.credit) >= STREAM_WINDOW / 2;
        if is_due && !stream.has_ended && stream.gone.is_none() {
            let (id, credit) = (stream.id, std::mem::take(&mut stream.credit));
            stream.receive_window += i64::from(credit);
            frame::put_window_update(self.out(), id, credit);
        }
    }

    // What the tasks of streams do.

    /// Why the stream has ended, if it has. Call it in every poll of the task: it is woken from then on.
    pub(crate) fn poll_gone(&mut self, key: usize, cx: &Context<'_>) -> Option<Gone> {
        let stream = &mut self.streams[key];
        if !stream
            .waker
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()))
        {
            stream.waker = Some(cx.waker().clone());
        }
        stream.gone
    }

    pub(crate) fn has_ended(&self, key: usize) -> bool {
        self.streams[key].has_ended
    }

    /// Lends the body bytes that have arrived; `take` says how many of them it has used.
    pub(crate) fn take_body<T>(&mut self, key: usize, take: impl FnOnce(&[u8]) -> (usize, T)) -> T {
        let stream = &mut self.streams[key];
        let Some(received) = &mut stream.received else {
            return take(&[]).1;
        };
        let (count, result) = take(received.filled());
        received.consume(count);
        if received.is_empty() {
            stream.received = None;
        }
        let restored = count.min(stream.restored);
        stream.restored -= restored;
        self.give_stream_credit(key, count - restored);
        result
    }

    /// Puts back what was taken of a body and of the trailers, as if it never had been, so that it can be taken once
    /// more. It was on its way to another connection, whose bound for what waits to be written holds for it too.
    pub(crate) fn restore(&mut self, key: usize, body: &[u8], trailers: Option<FieldList>) {
        let stream = &mut self.streams[key];
        stream.trailers = trailers.or(stream.trailers.take());
        if body.is_empty() {
            return;
        }
        let mut restored = self.buffers.bulk();
        restored.put(body);
        if let Some(received) = stream.received.take() {
            restored.put(received.filled());
        }
        stream.received = Some(restored);
        stream.restored += body.len();
    }

    /// What was taken back of what `poll_send` has written.
    pub(crate) fn take_unsent(&mut self, key: usize) -> Vec<u8> {
        std::mem::take(&mut self.streams[key].unsent)
    }

    /// Whether nothing is there to be taken of a body or trailers.
    pub(crate) fn is_empty(&self, key: usize) -> bool {
        let stream = &self.streams[key];
        stream.received.is_none() && stream.trailers.is_none()
    }

    /// Writes what may be sent now of `data`, and the end of the stream behind all of it if it `ends`.
    /// Gives the bytes that were written.
    pub(crate) fn poll_send(&mut self, key: usize, data: &[u8], ends: bool) -> Poll<usize> {
        let room = OUT_BYTES_MAX.saturating_sub(self.waiting_to_be_written().len());
        let of_connection = room.min(usize::try_from(self.send_window).unwrap_or(0));
        let stream = &mut self.streams[key];
        let of_stream = usize::try_from(stream.send_window).unwrap_or(0);
        let count = data
            .len()
            .min(PAYLOAD_BYTES_MAX)
            .min(of_connection)
            .min(of_stream);
        if count == 0 && !data.is_empty() {
            if of_stream > 0 {
                self.wait_for_connection(key);
            }
            return Poll::Pending;
        }
        let is_last = ends && count == data.len();
        stream.send_window -= count as i64;
        stream.has_sent_end = is_last;
        let id = stream.id;
        self.send_window -= count as i64;
        self.has_written_message = true;
        self.control_frames.earn_for_message();
        let flags = if is_last { flag::END_STREAM } else { 0 };
        let out = self.out();
        frame::put_head(out, count, kind::DATA, flags, id);
        out.put(&data[..count]);
        Poll::Ready(count)
    }

    /// Answers a stream that has no task. Whether the windows allowed to send the body too.
    pub(crate) fn answer(
        &mut self,
        id: u32,
        body: &[u8],
        write: impl FnOnce(&mut Http2Head<'_>),
    ) -> bool {
        self.write_section(id, body.is_empty(), write);
        self.control_frames.earn_for_message();
        if body.is_empty() {
            return true;
        }
        let window = self.send_window.min(self.initial_send_window);
        if body.len() as i64 > window || body.len() > PAYLOAD_BYTES_MAX {
            return false;
        }
        self.send_window -= body.len() as i64;
        let out = self.out();
        frame::put_head(out, body.len(), kind::DATA, flag::END_STREAM, id);
        out.put(body);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::state::Shared;
    use super::*;

    #[test]
    fn what_is_put_back_comes_first_and_the_client_is_told_of_it_once() {
        for is_taken_again in [true, false] {
            let shared = Shared::new(Peer::Client, &Rc::default());
            let mut state = shared.borrow_mut();
            let key = state.open(1, false, None);
            state.receive_data(1, b"begun ", 6, false).unwrap();
            assert_eq!(state.take_body(key, |body| (body.len(), body.len())), 6);
            state.receive_data(1, b"rest", 4, true).unwrap();
            state.restore(key, b"begun ", None);
            if is_taken_again {
                let first = state.take_body(key, |body| (3, body.to_vec()));
                assert_eq!(first, b"begun rest");
                let second = state.take_body(key, |body| (body.len(), body.to_vec()));
                assert_eq!(second, b"un rest");
            } else {
                state.close(key);
            }
            assert_eq!(state.credit, 10, "as much as it has sent");
        }
    }
}
