//! The task of one client connection: reads frames, writes those that wait, and says when it is over.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::frame::{self, ErrorCode, INITIAL_WINDOW, STREAM_MAX, setting};
use super::frame_reader::{Read, poll_read};
use super::incoming::{Expected, Incoming};
use super::limits::{CONNECTION_WINDOW, REQUEST_FIELDS, STREAM_WINDOW, STREAMS_MAX};
use super::state::{Peer, Shared};
use crate::buffer::Lease;
use crate::connection::{Client, Next};
use crate::registry::{Signal, ticks};
use crate::worker::{Listener, Worker};

/// How long the last frames of a connection may wait for a client that does not read.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);

/// The opaque data of the `PING` whose answer shows that the client has seen our first `GOAWAY`.
pub(super) const GOAWAY_PING: [u8; 8] = *b"goaway\0\0";

/// The task's own state.
pub(super) struct Connection<'a> {
    pub(super) worker: &'a Rc<Worker>,
    pub(super) listener: &'a Listener,
    pub(super) client: &'a mut Client,
    pub(super) shared: Shared,
    /// Bytes that were read and not used; `None` while there are none.
    pub(super) received: Option<Lease>,
    pub(super) incoming: Incoming,
    /// The highest stream that the client has opened.
    pub(super) highest: u32,
    pub(super) requests: u32,
    pub(super) life: Life,
    /// Whether any part of a message has moved since the idle timeout began.
    pub(super) has_moved: bool,
}

/// How far a connection is on its way to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Open,
    /// The client knows that it should open no more streams, and may have opened some before it knew.
    Announced,
    /// Streams above this one are refused; the connection ends after those that are open.
    Leaving {
        last: u32,
    },
    /// What waits to be written is all that will be.
    Over,
}

/// Serves a connection on which the client speaks HTTP/2, until it may be closed.
pub(crate) async fn serve(worker: &Rc<Worker>, listener: &Listener, client: &mut Client) -> Next {
    worker.counters.http2_connections.increment();
    client.entry.arm(ticks(listener.for_request().idle_timeout));
    let mut connection = Connection {
        worker,
        listener,
        client,
        shared: Shared::new(Peer::Client, &worker.buffers),
        received: None,
        incoming: Incoming::from_client(REQUEST_FIELDS),
        highest: 0,
        requests: 0,
        life: Life::Open,
        has_moved: false,
    };
    connection.greet();
    let next = poll_fn(|cx| connection.poll(cx)).await;
    connection.shared.borrow_mut().close_all();
    if next == Next::Linger {
        // No request is in progress, and the client may keep the connection for others until it is closed.
        connection.client.stream.shut_down();
    }
    next
}

impl Connection<'_> {
    /// Our settings, which go out before anything was read.
    fn greet(&mut self) {
        let mut state = self.shared.borrow_mut();
        let out = state.out();
        frame::put_settings(
            out,
            &[
                (setting::MAX_CONCURRENT_STREAMS, STREAMS_MAX as u32),
                (setting::INITIAL_WINDOW_SIZE, STREAM_WINDOW as u32),
                (
                    setting::MAX_HEADER_LIST_SIZE,
                    REQUEST_FIELDS.list_bytes_max as u32,
                ),
            ],
        );
        frame::put_window_update(out, 0, (CONNECTION_WINDOW - INITIAL_WINDOW) as u32);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        self.shared.borrow_mut().task_polled(cx);
        if let Poll::Ready(next) = self.poll_time(cx) {
            return Poll::Ready(next);
        }
        loop {
            let read = poll_read(self, cx);
            let cut = self.shared.borrow_mut().poll_discards(cx);
            self.worker.counters.http2_requests_not_discarded.add(cut);
            // What had arrived is still served. Source: ALB guide, "HTTP client keepalive duration".
            if self.life == Life::Open && self.client.must_close() {
                self.announce_end();
            }
            let has_written = self.shared.borrow_mut().take_written_message();
            if std::mem::take(&mut self.has_moved) || has_written {
                self.arm();
            }
            match self.poll_write(cx) {
                Poll::Ready(Err(next)) => return Poll::Ready(next),
                Poll::Ready(Ok(())) if self.is_over() => return Poll::Ready(Next::Linger),
                Poll::Ready(Ok(())) if read == Read::Full => continue,
                _ => {}
            }
            if read == Read::Closed {
                return Poll::Ready(Next::Close);
            }
            self.shared.borrow_mut().task_waits();
            return Poll::Pending;
        }
    }

    /// The idle timeout starts again.
    fn arm(&self) {
        if self.life != Life::Over {
            let idle_timeout = self.listener.for_request().idle_timeout;
            self.client.entry.arm(ticks(idle_timeout));
        }
    }

    /// Whether everything has been said, once what waits to be written is written.
    fn is_over(&self) -> bool {
        match self.life {
            Life::Open | Life::Announced => false,
            Life::Leaving { .. } => self.shared.borrow().open_streams() == 0,
            Life::Over => true,
        }
    }

    /// Looks at the timeout.
    fn poll_time(&mut self, cx: &Context<'_>) -> Poll<Next> {
        if self.client.entry.poll_signal(cx) == Some(Signal::Expired) {
            if self.life == Life::Over {
                return Poll::Ready(Next::Close);
            }
            let is_idle = self.shared.borrow().open_streams() == 0;
            match self.incoming.expected {
                // Streams have timeouts of their own.
                _ if !is_idle => self.arm(),
                Expected::Preface => return Poll::Ready(Next::Close),
                _ => {
                    self.worker.counters.idle_timeouts.increment();
                    self.end(ErrorCode::NoError);
                }
            }
        }
        Poll::Pending
    }

    /// RFC 9113 section 6.8: the client is told first that the end is near, and only when it must have seen
    /// that, which of its streams is the last. So no request of its is refused that was on its way.
    fn announce_end(&mut self) {
        if self.shared.borrow().open_streams() == 0 {
            return self.leave(self.highest);
        }
        self.life = Life::Announced;
        let mut state = self.shared.borrow_mut();
        let out = state.out();
        frame::put_goaway(out, STREAM_MAX, ErrorCode::NoError);
        frame::put_head(out, GOAWAY_PING.len(), frame::kind::PING, 0, 0);
        out.put(&GOAWAY_PING);
    }

    /// Accepts no stream above `last`.
    pub(super) fn leave(&mut self, last: u32) {
        if matches!(self.life, Life::Open | Life::Announced) {
            self.life = Life::Leaving { last };
            frame::put_goaway(self.shared.borrow_mut().out(), last, ErrorCode::NoError);
        }
    }

    /// Ends the connection with all its streams.
    pub(super) fn end(&mut self, code: ErrorCode) {
        if self.life == Life::Over {
            return;
        }
        self.life = Life::Over;
        self.client.entry.arm(ticks(FAREWELL_TIMEOUT));
        frame::put_goaway(self.shared.borrow_mut().out(), self.highest, code);
    }

    /// Writes all that waits.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Next>> {
        loop {
            let mut state = self.shared.borrow_mut();
            let bytes = state.waiting_to_be_written();
            if bytes.is_empty() {
                return Poll::Ready(Ok(()));
            }
            match self.client.stream.poll_write(cx, bytes) {
                Poll::Ready(Ok(count)) => state.written(count),
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Next::Close)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
