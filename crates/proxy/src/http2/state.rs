//! What the task of a connection and the tasks of its streams share: windows, bodies on their way in, and
//! the frames that wait to be written.
//!
//! All of them run on one thread and none holds a borrow while it waits, so one `RefCell` is enough.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use rustc_hash::FxHashMap;
use slab::Slab;

use super::frame::{self, ErrorCode, INITIAL_WINDOW, PAYLOAD_BYTES_MAX, WINDOW_MAX, flag, kind};
use super::head::Http2Head;
use super::hpack::{Encoder, FieldList};
use super::limits::{
    Budget, CONNECTION_WINDOW, OUT_BYTES_MAX, RECENT_RESETS_MAX, STREAM_WINDOW, STREAMS_MAX,
};
use crate::buffer::{Buffer, BufferPool, Lease};
use crate::registry::Entry;

/// The shared state of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Rc<RefCell<State>>);

impl Shared {
    pub(crate) fn new(buffers: &Rc<BufferPool>) -> Self {
        Self(Rc::new(RefCell::new(State::new(buffers))))
    }

    pub(crate) fn borrow(&self) -> Ref<'_, State> {
        self.0.borrow()
    }

    pub(crate) fn borrow_mut(&self) -> RefMut<'_, State> {
        self.0.borrow_mut()
    }
}

#[derive(Debug)]
pub(crate) struct State {
    buffers: Rc<BufferPool>,
    /// Frames that wait to be written.
    out: Option<Lease>,
    /// Field values on their way to `out`.
    value: Buffer,
    encoder: Encoder,
    streams: Slab<Stream>,
    keys: FxHashMap<u32, usize>,
    /// What the client lets us send on all streams.
    send_window: i64,
    /// What the client lets us send on a new stream.
    initial_send_window: i64,
    /// What we let the client send on all streams.
    receive_window: i64,
    /// Bytes that were used and of which the client has not been told yet.
    credit: u32,
    /// Streams that wait for the connection's window or for room in `out`, the longest waiting first.
    waiting: VecDeque<usize>,
    recent_resets: VecDeque<u32>,
    pub(crate) control_frames: Budget,
    pub(crate) resets: Budget,
    /// The connection's task, and whether it knows that there is something to write.
    task: Option<Waker>,
    is_task_awake: bool,
    /// Whether a part of a message was written since this was last asked.
    has_written_message: bool,
    is_closed: bool,
    /// Entries of streams that have ended, for those to come: entering the wheel of timeouts anew for each
    /// short request would fill it.
    idle_entries: Vec<Entry>,
}

/// Registry entries that a connection keeps for its next streams.
const IDLE_ENTRIES_MAX: usize = 16;

/// A stream that has a task.
#[derive(Debug)]
struct Stream {
    id: u32,
    /// Body bytes that the task has not taken.
    received: Option<Lease>,
    receive_window: i64,
    credit: u32,
    /// What is left of the announced length.
    expected: Option<u64>,
    has_ended: bool,
    trailers: Option<Box<FieldList>>,
    send_window: i64,
    has_sent_end: bool,
    gone: Option<Gone>,
    waker: Option<Waker>,
    is_waiting: bool,
}

/// Why a stream has ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The client has reset it, or its connection is gone.
    ByClient,
    /// What the client sent on it is malformed, or the target has failed; it has been reset.
    Malformed,
}

/// An error that a frame makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// The connection ends.
    Connection(ErrorCode, &'static str),
    /// The stream is reset.
    Stream(u32, ErrorCode, &'static str),
}

impl State {
    fn new(buffers: &Rc<BufferPool>) -> Self {
        Self {
            buffers: Rc::clone(buffers),
            out: None,
            value: Buffer::default(),
            encoder: Encoder::default(),
            streams: Slab::new(),
            keys: FxHashMap::default(),
            send_window: INITIAL_WINDOW,
            initial_send_window: INITIAL_WINDOW,
            receive_window: CONNECTION_WINDOW,
            credit: 0,
            waiting: VecDeque::new(),
            recent_resets: VecDeque::new(),
            control_frames: Budget::of_control_frames(),
            resets: Budget::of_resets(),
            task: None,
            is_task_awake: false,
            has_written_message: false,
            is_closed: false,
            idle_entries: Vec::new(),
        }
    }

    pub(crate) fn open_streams(&self) -> usize {
        self.streams.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.streams.len() >= STREAMS_MAX
    }

    // What waits to be written.

    /// The frames that wait to be written, to append to. The connection's task will write them.
    pub(crate) fn out(&mut self) -> &mut Lease {
        self.wake_task();
        self.out.get_or_insert_with(|| self.buffers.bulk())
    }

    fn wake_task(&mut self) {
        if !self.is_task_awake {
            self.is_task_awake = true;
            if let Some(task) = &self.task {
                task.wake_by_ref();
            }
        }
    }

    /// Called by the connection's task each time it is polled.
    pub(crate) fn task_polled(&mut self, cx: &Context<'_>) {
        if !self
            .task
            .as_ref()
            .is_some_and(|task| task.will_wake(cx.waker()))
        {
            self.task = Some(cx.waker().clone());
        }
        self.is_task_awake = true;
    }

    /// Called by the connection's task before it waits: from now on it has to be woken.
    pub(crate) fn task_waits(&mut self) {
        self.is_task_awake = false;
    }

    pub(crate) fn waiting_to_be_written(&self) -> &[u8] {
        self.out.as_ref().map_or(&[], |out| out.filled())
    }

    pub(crate) fn has_room(&self) -> bool {
        self.waiting_to_be_written().len() < OUT_BYTES_MAX
    }

    /// Notes that the first `count` bytes were written.
    pub(crate) fn written(&mut self, count: usize) {
        let Some(out) = &mut self.out else { return };
        out.consume(count);
        if out.is_empty() {
            self.out = None;
        }
        if self.has_room() {
            self.wake_waiting();
        }
    }

    pub(crate) fn take_written_message(&mut self) -> bool {
        std::mem::take(&mut self.has_written_message)
    }

    /// Wakes the streams that wait for the connection, in the order in which they began to wait.
    fn wake_waiting(&mut self) {
        for key in self.waiting.drain(..) {
            let stream = &mut self.streams[key];
            stream.is_waiting = false;
            if let Some(waker) = &stream.waker {
                waker.wake_by_ref();
            }
        }
    }

    fn wait_for_connection(&mut self, key: usize) {
        let stream = &mut self.streams[key];
        if !std::mem::replace(&mut stream.is_waiting, true) {
            self.waiting.push_back(key);
        }
    }

    // Streams.

    /// Opens a stream whose task is about to start.
    pub(crate) fn open(&mut self, id: u32, ends: bool, expected: Option<u64>) -> usize {
        let key = self.streams.insert(Stream {
            id,
            received: None,
            receive_window: STREAM_WINDOW,
            credit: 0,
            expected,
            has_ended: ends,
            trailers: None,
            send_window: self.initial_send_window,
            has_sent_end: false,
            gone: None,
            waker: None,
            is_waiting: false,
        });
        self.keys.insert(id, key);
        key
    }

    /// Takes leave of a stream whose task has ended.
    pub(crate) fn close(&mut self, key: usize) {
        let stream = self.streams.remove(key);
        self.keys.remove(&stream.id);
        if stream.is_waiting {
            self.waiting.retain(|waiting| *waiting != key);
        }
        if let Some(received) = &stream.received {
            self.give_credit(received.len());
        }
        if self.is_closed {
            return;
        }
        if stream.gone.is_none() && !stream.has_sent_end {
            self.reset(stream.id, ErrorCode::Internal);
        } else if stream.gone.is_none() && !stream.has_ended {
            // RFC 9113 section 8.1: the rest of the request is not needed.
            self.reset(stream.id, ErrorCode::NoError);
        } else {
            self.control_frames.earn_for_message();
        }
        self.wake_task();
    }

    pub(crate) fn take_entry(&mut self) -> Option<Entry> {
        self.idle_entries.pop()
    }

    pub(crate) fn keep_entry(&mut self, entry: Entry) {
        if !self.is_closed && self.idle_entries.len() < IDLE_ENTRIES_MAX {
            entry.rest();
            self.idle_entries.push(entry);
        }
    }

    /// Resets a stream, and lets pass what the client has sent on it before it knows.
    pub(crate) fn reset(&mut self, id: u32, code: ErrorCode) {
        frame::put_reset(self.out(), id, code);
        if self.recent_resets.len() >= RECENT_RESETS_MAX {
            self.recent_resets.pop_front();
        }
        self.recent_resets.push_back(id);
    }

    /// Resets a stream that has a task, on its behalf.
    pub(crate) fn reset_open(&mut self, key: usize, code: ErrorCode) {
        let stream = &mut self.streams[key];
        if stream.gone.is_none() && !self.is_closed {
            stream.gone = Some(Gone::Malformed);
            let id = stream.id;
            self.reset(id, code);
        }
    }

    pub(crate) fn was_reset(&self, id: u32) -> bool {
        self.recent_resets.contains(&id)
    }

    /// Tells the task of a stream, if there is one, that it is for nothing.
    pub(crate) fn end_stream(&mut self, id: u32, why: Gone) -> bool {
        let Some(key) = self.keys.get(&id) else {
            return false;
        };
        let stream = &mut self.streams[*key];
        let is_first = stream.gone.is_none();
        stream.gone = stream.gone.or(Some(why));
        if let Some(waker) = &stream.waker {
            waker.wake_by_ref();
        }
        is_first
    }

    /// The connection is gone: so are its streams.
    pub(crate) fn close_all(&mut self) {
        self.is_closed = true;
        self.idle_entries.clear();
        self.out = None;
        for (_, stream) in &mut self.streams {
            stream.gone = stream.gone.or(Some(Gone::ByClient));
            if let Some(waker) = &stream.waker {
                waker.wake_by_ref();
            }
        }
    }

    // What the client sends.

    /// Takes the payload of a `DATA` frame; `length` counts its padding too.
    pub(crate) fn receive_data(
        &mut self,
        id: u32,
        data: &[u8],
        length: usize,
        ends: bool,
    ) -> Result<(), FrameError> {
        use FrameError::{Connection, Stream as OnStream};
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
        stream.receive_window -= length as i64;
        if stream.receive_window < 0 {
            self.give_credit(length);
            return Err(OnStream(
                id,
                ErrorCode::FlowControl,
                "more data than the stream's window",
            ));
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
            let received = stream.received.get_or_insert_with(|| self.buffers.head());
            received.append(data);
        }
        stream.has_ended = ends;
        let padding = length - data.len();
        if let Some(waker) = &stream.waker {
            waker.wake_by_ref();
        }
        self.give_stream_credit(key, padding);
        Ok(())
    }

    pub(crate) fn is_open(&self, id: u32) -> bool {
        self.keys.contains_key(&id)
    }

    /// Takes the trailer fields that end a stream.
    pub(crate) fn receive_trailers(
        &mut self,
        id: u32,
        trailers: &mut FieldList,
    ) -> Result<(), FrameError> {
        let Some(&key) = self.keys.get(&id) else {
            return Ok(());
        };
        let stream = &mut self.streams[key];
        let error = |code, why| Err(FrameError::Stream(id, code, why));
        if stream.gone.is_some() {
            return Ok(());
        }
        if stream.has_ended {
            return error(ErrorCode::StreamClosed, "fields behind the end of a stream");
        }
        if stream.expected.is_some_and(|left| left > 0) {
            return error(
                ErrorCode::Protocol,
                "the body is shorter than Content-Length says",
            );
        }
        stream.has_ended = true;
        stream.trailers = Some(Box::new(std::mem::take(trailers)));
        if let Some(waker) = &stream.waker {
            waker.wake_by_ref();
        }
        Ok(())
    }

    /// The client lets us send `increment` bytes more.
    pub(crate) fn receive_window_update(
        &mut self,
        id: u32,
        increment: u32,
    ) -> Result<(), FrameError> {
        let increment = i64::from(increment);
        let code = ErrorCode::FlowControl;
        if id == 0 {
            self.send_window += increment;
            if self.send_window > WINDOW_MAX {
                return Err(FrameError::Connection(code, "the window is too large"));
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
            return Err(FrameError::Stream(id, code, "the window is too large"));
        }
        if let Some(waker) = &stream.waker {
            waker.wake_by_ref();
        }
        Ok(())
    }

    /// The client changes the window of all its streams. Source: RFC 9113 section 6.9.2.
    pub(crate) fn receive_initial_window(&mut self, window: u32) -> Result<(), FrameError> {
        let change = i64::from(window) - self.initial_send_window;
        self.initial_send_window += change;
        for (_, stream) in &mut self.streams {
            stream.send_window += change;
            if stream.send_window > WINDOW_MAX {
                let why = "the window of a stream is too large";
                return Err(FrameError::Connection(ErrorCode::FlowControl, why));
            }
            if let Some(waker) = &stream.waker {
                waker.wake_by_ref();
            }
        }
        Ok(())
    }

    /// Lets the client send `count` bytes more on the connection, now or when there are more of them.
    fn give_credit(&mut self, count: usize) {
        self.credit += count as u32;
        if i64::from(self.credit) >= CONNECTION_WINDOW / 2 && !self.is_closed {
            let credit = std::mem::take(&mut self.credit);
            self.receive_window += i64::from(credit);
            frame::put_window_update(self.out(), 0, credit);
        }
    }

    /// As `give_credit`, on a stream too.
    fn give_stream_credit(&mut self, key: usize, count: usize) {
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
        self.give_stream_credit(key, count);
        result
    }

    pub(crate) fn take_trailers(&mut self, key: usize) -> Option<Box<FieldList>> {
        self.streams[key].trailers.take()
    }

    /// Ready when a head may be written.
    pub(crate) fn poll_room(&mut self, key: usize) -> Poll<()> {
        if self.has_room() {
            return Poll::Ready(());
        }
        self.wait_for_connection(key);
        Poll::Pending
    }

    /// Writes a head or trailers.
    pub(crate) fn write_fields(
        &mut self,
        key: usize,
        ends: bool,
        write: impl FnOnce(&mut Http2Head<'_>),
    ) {
        let stream = &mut self.streams[key];
        stream.has_sent_end = ends;
        let id = stream.id;
        self.write_section(id, ends, write);
    }

    fn write_section(&mut self, id: u32, ends: bool, write: impl FnOnce(&mut Http2Head<'_>)) {
        self.wake_task();
        self.has_written_message = true;
        let out = self.out.get_or_insert_with(|| self.buffers.bulk());
        let mut head = Http2Head::new(out, &mut self.encoder, &mut self.value, id, ends);
        write(&mut head);
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
