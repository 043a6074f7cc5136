//! One connection to a target, as its own task and the requests on it share it: who may open the next stream,
//! what has been written, and what can be taken back.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use super::frame::{self, INITIAL_WINDOW, STREAM_MAX, setting};
use super::handle::Handle;
use super::limits::{
    RESPONSE_FIELDS, STREAM_WINDOW, TARGET_CONNECTION_WINDOW, TARGET_STREAMS_AT_FIRST,
};
use super::state::{Peer, Shared, State};
use crate::buffer::{Buffer, BufferPool};
use crate::counters::Counters;
use crate::registry::{Registry, Tick};
use crate::stream::Stream;

#[derive(Debug)]
pub(super) struct Session {
    pub(super) shared: Shared,
    stream: RefCell<Stream>,
    pub(super) connections: Rc<Registry>,
    pub(super) counters: Arc<Counters>,
    /// Requests that have a place, with or without a stream.
    requests: Cell<usize>,
    /// It takes no more requests.
    is_closed: Cell<bool>,
    /// Its socket is closed too.
    has_ended: Cell<bool>,
    /// From this tick on it is closed if it has no requests.
    pub(super) expires: Cell<Tick>,
    /// The number of the next stream.
    next: Cell<u32>,
    /// Streams that the target allows at once.
    pub(super) streams_max: Cell<usize>,
    /// Requests that wait for a stream, the longest waiting first.
    queue: RefCell<VecDeque<(Ticket, Waker)>>,
    last_ticket: Cell<u64>,
    /// Bytes written so far.
    written: Cell<u64>,
    /// The end of what was handed to TLS, some of which may have left.
    handed_over: Cell<u64>,
    /// Streams of which no byte was written: where they begin, and their numbers.
    unbegun: RefCell<VecDeque<(u64, u32)>>,
}

/// The place of a request in a session's queue; 0 for one that has never waited.
pub(super) type Ticket = u64;

impl Session {
    /// A connection on which nothing was sent. The preface waits to be written.
    pub(super) fn new(
        stream: Stream,
        buffers: &Rc<BufferPool>,
        connections: &Rc<Registry>,
        counters: &Arc<Counters>,
    ) -> Rc<Self> {
        let shared = Shared::new(Peer::Target, buffers);
        greet(shared.borrow_mut().out());
        Rc::new(Self {
            shared,
            stream: RefCell::new(stream),
            connections: Rc::clone(connections),
            counters: Arc::clone(counters),
            requests: Cell::new(0),
            is_closed: Cell::new(false),
            has_ended: Cell::new(false),
            expires: Cell::new(Tick::MAX),
            next: Cell::new(1),
            streams_max: Cell::new(TARGET_STREAMS_AT_FIRST),
            queue: RefCell::default(),
            last_ticket: Cell::new(0),
            written: Cell::new(0),
            handed_over: Cell::new(0),
            unbegun: RefCell::default(),
        })
    }

    pub(super) fn requests(&self) -> usize {
        self.requests.get()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.get()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.get()
    }

    /// Whether one more request finds a stream at once.
    pub(super) fn has_room(&self) -> bool {
        !self.is_closed.get() && self.requests.get() < self.streams_max.get()
    }

    /// Whether a stream of this number was opened.
    pub(super) fn has_opened(&self, stream: u32) -> bool {
        stream < self.next.get() && !stream.is_multiple_of(2)
    }

    // Requests.

    pub(super) fn enter(&self) {
        self.requests.set(self.requests.get() + 1);
    }

    /// Takes leave of a request, which may have waited.
    pub(super) fn leave(&self, ticket: Ticket, idle_timeout: Tick) {
        self.requests.set(self.requests.get() - 1);
        let now = self.connections.now();
        self.expires.set(now.saturating_add(idle_timeout));
        let mut state = self.shared.borrow_mut();
        if ticket != 0 {
            let mut queue = self.queue.borrow_mut();
            queue.retain(|(waiting, _)| *waiting != ticket);
        }
        self.call_next(&state);
        if self.is_closed.get() && self.requests.get() == 0 {
            state.wake_task();
        }
    }

    /// Opens a stream with the head of a request, when it is the turn of the request. `None`: there will be no
    /// stream on this connection.
    pub(super) fn poll_open(
        &self,
        ticket: &Cell<Ticket>,
        cx: &Context<'_>,
        section: &[u8],
        ends: bool,
    ) -> Poll<Option<Handle>> {
        if self.is_closed.get() {
            return Poll::Ready(None);
        }
        let id = self.next.get();
        if id > STREAM_MAX {
            self.close();
            return Poll::Ready(None);
        }
        let mut state = self.shared.borrow_mut();
        if !self.is_turn(ticket.get()) || !self.may_open(&state) {
            ticket.set(self.wait(ticket.get(), cx));
            return Poll::Pending;
        }
        ticket.set(0);
        self.next.set(id + 2);
        let begins_at = self.written.get() + state.waiting_to_be_written().len() as u64;
        self.unbegun.borrow_mut().push_back((begins_at, id));
        let key = state.open(id, false, None);
        state.write_fields(key, ends, |head| head.section(section));
        self.call_next(&state);
        drop(state);
        Poll::Ready(Some(Handle::new(self.shared.clone(), key)))
    }

    fn may_open(&self, state: &State) -> bool {
        state.open_streams() < self.streams_max.get() && state.has_room()
    }

    /// Whether nobody has waited for longer.
    fn is_turn(&self, ticket: Ticket) -> bool {
        let queue = self.queue.borrow();
        let was_called = ticket != 0 && !queue.iter().any(|(waiting, _)| *waiting == ticket);
        queue.is_empty() || was_called
    }

    fn wait(&self, ticket: Ticket, cx: &Context<'_>) -> Ticket {
        let mut queue = self.queue.borrow_mut();
        if let Some((_, waker)) = queue.iter_mut().find(|(waiting, _)| *waiting == ticket) {
            waker.clone_from(cx.waker());
            return ticket;
        }
        if ticket != 0 {
            // It was called, and somebody was faster.
            queue.push_front((ticket, cx.waker().clone()));
            return ticket;
        }
        self.last_ticket.set(self.last_ticket.get() + 1);
        queue.push_back((self.last_ticket.get(), cx.waker().clone()));
        self.last_ticket.get()
    }

    /// Calls the request that has waited longest, if it may open a stream.
    pub(super) fn call_next(&self, state: &State) {
        let mut queue = self.queue.borrow_mut();
        if !queue.is_empty()
            && self.may_open(state)
            && let Some((_, waker)) = queue.pop_front()
        {
            waker.wake();
        }
    }

    // The connection.

    /// Takes no more requests; the connection ends behind those that it has.
    pub(super) fn close(&self) {
        self.is_closed.set(true);
        for (_, waker) in self.queue.borrow_mut().drain(..) {
            waker.wake();
        }
        self.shared.borrow_mut().wake_task();
    }

    /// Ends what is left of it.
    pub(super) fn end(&self) {
        self.close();
        self.has_ended.set(true);
        self.take_back_unsent();
        self.shared.borrow_mut().close_all();
        self.stream.borrow_mut().shut_down();
    }

    /// The drain promise: what the target has not been sent any of is taken back now, and no longer sent.
    pub(super) fn hold_back(&self) {
        // What the socket takes at once need not be taken back. The task sees whatever comes of it.
        let _ = self.poll_write(&mut Context::from_waker(Waker::noop()));
        self.take_back_unsent();
        self.shared.borrow_mut().wake_task();
    }

    /// Takes back the streams of which the target was not sent anything.
    ///
    /// In TLS, what was handed over for encryption counts as sent: nobody can say how much of it has left.
    fn take_back_unsent(&self) {
        let unbegun = std::mem::take(&mut *self.unbegun.borrow_mut());
        let sent = self.written.get().max(self.handed_over.get());
        if let Some((begins_at, first)) = unbegun.iter().find(|(at, _)| *at >= sent) {
            let at = (begins_at - self.written.get()) as usize;
            self.shared.borrow_mut().take_back(at, *first);
        }
    }

    // The socket.

    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.borrow().poll_readable(cx)
    }

    pub(super) fn poll_fill(
        &self,
        cx: &mut Context<'_>,
        received: &mut Buffer,
    ) -> Poll<io::Result<usize>> {
        self.stream.borrow_mut().poll_fill(cx, received)
    }

    /// Writes all that waits.
    pub(super) fn poll_write(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut state = self.shared.borrow_mut();
            let mut stream = self.stream.borrow_mut();
            let bytes = state.waiting_to_be_written();
            if bytes.is_empty() {
                let counters = &self.counters;
                stream.count_bytes(&counters.bytes_from_targets, &counters.bytes_to_targets);
                return Poll::Ready(Ok(()));
            }
            let outcome = stream.poll_write(cx, bytes);
            if stream.is_write_pending() {
                let end = self.written.get() + bytes.len() as u64;
                self.handed_over.set(end);
            }
            let count = ready!(outcome)?;
            state.written(count);
            self.note_written(count);
            self.call_next(&state);
        }
    }

    fn note_written(&self, count: usize) {
        let written = self.written.get() + count as u64;
        self.written.set(written);
        let mut unbegun = self.unbegun.borrow_mut();
        while unbegun.front().is_some_and(|(at, _)| *at < written) {
            unbegun.pop_front();
        }
    }
}

/// Our preface and settings.
fn greet(out: &mut Buffer) {
    out.put(frame::PREFACE);
    frame::put_settings(
        out,
        &[
            (setting::ENABLE_PUSH, 0),
            (setting::INITIAL_WINDOW_SIZE, STREAM_WINDOW as u32),
            (
                setting::MAX_HEADER_LIST_SIZE,
                RESPONSE_FIELDS.list_bytes_max as u32,
            ),
        ],
    );
    let more = TARGET_CONNECTION_WINDOW - INITIAL_WINDOW;
    frame::put_window_update(out, 0, more as u32);
}

#[cfg(test)]
#[path = "target_session_tests.rs"]
mod tests;
