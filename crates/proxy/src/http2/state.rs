//! What the task of a connection and the tasks of its streams share: the streams, and the frames that wait to
//! be written. How these are written is in `out.rs`; bodies and windows are in `flow.rs`, heads and
//! trailers in `sections.rs`.
//!
//! It is the same toward clients and targets. All tasks run on one thread and none holds a borrow while it
//! waits, so one `RefCell` is enough.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Waker;

use rustc_hash::FxHashMap;
use slab::Slab;

use super::discards::Discards;
use super::frame::{self, ErrorCode, INITIAL_WINDOW, flag, kind, setting};
use super::hpack::{Encoder, FieldList};
use super::limits::{
    Budget, CONNECTION_WINDOW, RECENT_RESETS_MAX, STREAM_WINDOW, STREAMS_MAX, Spent,
    TARGET_CONNECTION_WINDOW,
};
use crate::buffer::{BufferPool, Lease};
use crate::linger::Linger;
use crate::registry::{Entry, Tick};

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Client,
    Target,
}

impl Peer {
    /// What it may send on all streams before any of it is used.
    pub(super) fn connection_window(self) -> i64 {
        match self {
            Self::Client => CONNECTION_WINDOW,
            Self::Target => TARGET_CONNECTION_WINDOW,
        }
    }
}

/// The shared state of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Rc<RefCell<State>>);

impl Shared {
    pub(crate) fn new(peer: Peer, buffers: &Rc<BufferPool>) -> Self {
        Self(Rc::new(RefCell::new(State::new(peer, buffers))))
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
    pub(super) peer: Peer,
    pub(super) buffers: Rc<BufferPool>,
    /// Frames that wait to be written.
    pub(super) out: Option<Lease>,
    pub(super) encoder: Encoder,
    pub(super) streams: Slab<Stream>,
    pub(super) keys: FxHashMap<u32, usize>,
    /// What the peer lets us send on all streams.
    pub(super) send_window: i64,
    /// What the peer lets us send on a new stream.
    pub(super) initial_send_window: i64,
    /// What we let the peer send on all streams.
    pub(super) receive_window: i64,
    /// Bytes that were used and of which the peer has not been told yet.
    pub(super) credit: u32,
    /// Streams that wait for the connection's window or for room in `out`, the longest waiting first.
    pub(super) waiting: VecDeque<usize>,
    recent_resets: VecDeque<u32>,
    pub(crate) control_frames: Budget,
    pub(crate) resets: Budget,
    /// The connection's task, and whether it knows that there is something to write.
    pub(super) task: Option<Waker>,
    pub(super) is_task_awake: bool,
    /// Whether a part of a message was written since this was last asked.
    pub(super) has_written_message: bool,
    pub(super) is_closed: bool,
    /// Entries of streams that have ended, for those to come: entering the wheel of timeouts anew for each
    /// short request would fill it.
    idle_entries: Vec<Entry>,
    pub(super) discards: Discards,
    /// The same for the memory of field sections.
    pub(super) idle_lists: Vec<FieldList>,
}

/// Registry entries that a connection keeps for its next streams.
const IDLE_ENTRIES_MAX: usize = 16;

/// A stream that has a task, or whose request is being discarded.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: u32,
    /// The head of a response, until the task takes it; only targets send them.
    pub(super) head: Option<FieldList>,
    pub(super) has_received_head: bool,
    pub(super) interim_responses: u32,
    /// Body bytes that the task has not taken.
    pub(super) received: Option<Lease>,
    /// How many of these were taken and put back: the peer has been told that they were used.
    pub(super) restored: usize,
    pub(super) receive_window: i64,
    pub(super) credit: u32,
    /// What is left of the length that a request has announced.
    pub(super) expected: Option<u64>,
    /// The peer has sent all of its message.
    pub(super) has_ended: bool,
    pub(super) trailers: Option<FieldList>,
    pub(super) send_window: i64,
    pub(super) has_sent_end: bool,
    pub(super) gone: Option<Gone>,
    /// What was taken back of the body that the task has sent.
    pub(super) unsent: Vec<u8>,
    pub(super) waker: Option<Waker>,
    pub(super) is_waiting: bool,
    /// What is left of the bounds for the rest of a request that was answered. Such a stream has no task any more.
    pub(super) linger: Option<Linger>,
}

/// Why a stream has ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The peer has reset it, with this code.
    ByPeer(u32),
    /// The connection is gone.
    WithConnection,
    /// The peer was not sent any of it; what was to be sent of its body has been taken back.
    NotSent,
    /// The peer has not looked at it, and will not.
    NotProcessed,
    /// What the peer sent on it is malformed; it has been reset.
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

impl Stream {
    pub(super) fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}

impl State {
    fn new(peer: Peer, buffers: &Rc<BufferPool>) -> Self {
        Self {
            peer,
            buffers: Rc::clone(buffers),
            out: None,
            encoder: Encoder::default(),
            streams: Slab::new(),
            keys: FxHashMap::default(),
            send_window: INITIAL_WINDOW,
            initial_send_window: INITIAL_WINDOW,
            receive_window: peer.connection_window(),
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
            discards: Discards::default(),
            idle_lists: Vec::new(),
        }
    }

    pub(crate) fn open_streams(&self) -> usize {
        self.streams.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.streams.len() >= STREAMS_MAX
    }

    // Streams.

    /// Opens a stream whose task is there or about to start. `has_ended`: the peer sends nothing on it.
    pub(crate) fn open(&mut self, id: u32, has_ended: bool, expected: Option<u64>) -> usize {
        let key = self.streams.insert(Stream {
            id,
            head: None,
            has_received_head: false,
            interim_responses: 0,
            received: None,
            restored: 0,
            receive_window: STREAM_WINDOW,
            credit: 0,
            expected,
            has_ended,
            trailers: None,
            send_window: self.initial_send_window,
            has_sent_end: false,
            gone: None,
            unsent: Vec::new(),
            waker: None,
            is_waiting: false,
            linger: None,
        });
        self.keys.insert(id, key);
        key
    }

    /// Takes leave of a stream whose task has ended.
    pub(crate) fn close(&mut self, key: usize) {
        let stream = &self.streams[key];
        let is_answered_early = stream.has_sent_end && !stream.has_ended;
        if is_answered_early && stream.gone.is_none() && self.peer == Peer::Client {
            return self.begin_discard(key);
        }
        let stream = self.remove(key);
        if let Some(received) = &stream.received {
            self.give_credit(received.len() - stream.restored);
        }
        for list in [stream.head, stream.trailers].into_iter().flatten() {
            self.keep_list(list);
        }
        if self.is_closed {
            return;
        }
        let is_over = stream.has_ended && stream.has_sent_end;
        if stream.gone.is_some() || is_over {
            self.control_frames.earn_for_message();
        } else {
            let code = match self.peer {
                Peer::Client => ErrorCode::Internal,
                Peer::Target => ErrorCode::Cancel,
            };
            self.reset(stream.id, code);
        }
        self.wake_task();
    }

    /// Forgets a stream.
    pub(super) fn remove(&mut self, key: usize) -> Stream {
        let stream = self.streams.remove(key);
        self.keys.remove(&stream.id);
        if stream.is_waiting {
            self.waiting.retain(|waiting| *waiting != key);
        }
        stream
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

    /// Resets a stream, and lets pass what the peer has sent on it before it knows.
    pub(crate) fn reset(&mut self, id: u32, code: ErrorCode) {
        frame::put_reset(self.out(), id, code);
        if self.recent_resets.len() >= RECENT_RESETS_MAX {
            self.recent_resets.pop_front();
        }
        self.recent_resets.push_back(id);
    }

    /// Resets a stream because of what the peer has sent on it, which counts as one of its control frames.
    pub(crate) fn refuse(&mut self, id: u32, code: ErrorCode, now: Tick) -> Result<(), Spent> {
        self.reset(id, code);
        self.end_stream(id, Gone::Malformed);
        self.control_frames.spend(now)
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

    pub(crate) fn is_open(&self, id: u32) -> bool {
        self.keys.contains_key(&id)
    }

    /// Tells the task of a stream, if there is one, that it is for nothing. Whether it did not know.
    pub(crate) fn end_stream(&mut self, id: u32, why: Gone) -> bool {
        let Some(&key) = self.keys.get(&id) else {
            return false;
        };
        let stream = &mut self.streams[key];
        if stream.linger.is_some() {
            self.remove(key);
            return false;
        }
        let is_first = stream.gone.is_none();
        stream.gone = stream.gone.or(Some(why));
        stream.wake();
        is_first
    }

    /// Tells the tasks of the streams from `first` on that these are for nothing.
    pub(crate) fn end_streams(&mut self, first: u32, why: Gone) {
        for (_, stream) in &mut self.streams {
            if stream.id >= first {
                stream.gone = stream.gone.or(Some(why));
                stream.wake();
            }
        }
    }

    /// The connection is gone: so are its streams.
    pub(crate) fn close_all(&mut self) {
        self.is_closed = true;
        self.idle_entries.clear();
        self.discards = Discards::default();
        self.out = None;
        for (_, stream) in &mut self.streams {
            stream.gone = stream.gone.or(Some(Gone::WithConnection));
            stream.wake();
        }
    }

    // Frames about the connection.

    /// Takes the peer's settings, and hands on those that mean something only to who calls.
    pub(crate) fn receive_settings(
        &mut self,
        settings: &[u8],
        mut hand_on: impl FnMut(u16, u32),
    ) -> Result<(), FrameError> {
        let protocol = |why| Err(FrameError::Connection(ErrorCode::Protocol, why));
        for pair in settings.chunks_exact(6) {
            let value = frame::number(&pair[2..]);
            match u16::from_be_bytes([pair[0], pair[1]]) {
                setting::ENABLE_PUSH if self.peer == Peer::Target && value != 0 => {
                    return protocol("only clients can allow pushes");
                }
                setting::ENABLE_PUSH if value > 1 => return protocol("ENABLE_PUSH is not 0 or 1"),
                setting::INITIAL_WINDOW_SIZE if value > frame::STREAM_MAX => {
                    let why = "INITIAL_WINDOW_SIZE is too large";
                    return Err(FrameError::Connection(ErrorCode::FlowControl, why));
                }
                setting::INITIAL_WINDOW_SIZE => self.receive_initial_window(value)?,
                // We never send more than the least that this can be.
                setting::MAX_FRAME_SIZE if !(16_384..1 << 24).contains(&value) => {
                    return protocol("MAX_FRAME_SIZE is out of range");
                }
                // RFC 9113 section 6.5.2: unknown settings are ignored.
                name => hand_on(name, value),
            }
        }
        frame::put_head(self.out(), 0, kind::SETTINGS, flag::ACK, 0);
        Ok(())
    }

    /// Source: RFC 9113 section 6.7.
    pub(crate) fn answer_ping(&mut self, data: [u8; 8]) {
        let out = self.out();
        frame::put_head(out, data.len(), kind::PING, flag::ACK, 0);
        out.put(&data);
    }
}
