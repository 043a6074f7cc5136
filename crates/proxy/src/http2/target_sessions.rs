//! Connections to targets that speak HTTP/2: each carries many requests at once, of any clients.
//!
//! This side is the `h2` crate's; only the modules named `target_…` know its types.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use engine::{Endpoint, EndpointState};
use h2::client::{Builder, SendRequest};
use rustc_hash::FxHashMap;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Semaphore;

use crate::buffer::Buffer;
use crate::counters::Counters;
use crate::http1::scan::RESPONSE_LIMITS;
use crate::registry::Tick;
use crate::stream::Stream;
use crate::worker::Worker;

/// Connections of one worker to one target.
const SESSIONS_PER_TARGET_MAX: usize = 16;
/// Requests at once on one connection, if the target allows as many; for more, another one is opened.
const REQUESTS_PER_SESSION_MAX: usize = 128;
/// Body bytes of one response that a target may send before the client takes them.
const STREAM_WINDOW: u32 = 256 * 1024;
/// Those of all responses on one connection.
const SESSION_WINDOW: u32 = 2 * 1024 * 1024;
/// Body bytes of one request that wait to be written.
const SEND_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Bytes that are read at once.
const READ_BYTES_MAX: usize = 16 * 1024;

/// The connections of one worker, by registration.
#[derive(Debug, Default)]
pub(crate) struct TargetSessions {
    targets: RefCell<FxHashMap<u64, Rc<Target>>>,
}

/// Those to one target.
#[derive(Debug)]
struct Target {
    state: Arc<EndpointState>,
    sessions: RefCell<Vec<Rc<Session>>>,
    /// One connection is opened at a time: the requests that wait for it may all find room on it.
    opening: Semaphore,
}

#[derive(Debug)]
struct Session {
    sender: SendRequest<Bytes>,
    requests: Cell<usize>,
    is_closed: Cell<bool>,
    /// From this tick on it is closed if it has no requests.
    expires: Cell<Tick>,
}

/// A place for one request on a connection.
#[derive(Debug)]
pub(super) struct Place {
    session: Rc<Session>,
    worker: Rc<Worker>,
    idle_timeout: Tick,
}

impl Place {
    /// A handle by which one request can be sent.
    pub(super) fn sender(&self) -> SendRequest<Bytes> {
        self.session.sender.clone()
    }

    /// Says that the connection takes no more requests.
    pub(super) fn retire(&self) {
        self.session.is_closed.set(true);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let session = &self.session;
        session.requests.set(session.requests.get() - 1);
        let now = self.worker.connections.now();
        session.expires.set(now.saturating_add(self.idle_timeout));
    }
}

impl Session {
    fn has_room(&self) -> bool {
        let allowed = self.sender.current_max_send_streams();
        !self.is_closed.get() && self.requests.get() < allowed.min(REQUESTS_PER_SESSION_MAX)
    }
}

impl TargetSessions {
    /// A place on a connection to `endpoint`; `open` makes the connection if a new one is needed.
    ///
    /// # Errors
    /// The status for the client if no connection can be made.
    pub(super) async fn obtain<F: Future<Output = Result<Stream, u16>>>(
        worker: &Rc<Worker>,
        endpoint: &Endpoint,
        idle_timeout: Tick,
        open: impl FnOnce() -> F,
    ) -> Result<Place, u16> {
        let target = worker.sessions.target(&endpoint.state);
        let place = |session| Place::on(session, worker, idle_timeout);
        if let Some(session) = target.session_with_room() {
            worker.counters.target_connections_reused.increment();
            return Ok(place(session));
        }
        let _permit = target.opening.acquire().await.map_err(|_| 502_u16)?;
        if let Some(session) = target.session_with_room() {
            worker.counters.target_connections_reused.increment();
            return Ok(place(session));
        }
        if let Some(session) = target.fullest_allowed() {
            // It waits for another request on the connection to end.
            worker.counters.target_connections_over_limit.increment();
            return Ok(place(session));
        }
        let stream = open().await?;
        let session = Session::start(stream, Arc::clone(&worker.counters)).await?;
        target.sessions.borrow_mut().push(Rc::clone(&session));
        Ok(place(session))
    }

    fn target(&self, state: &Arc<EndpointState>) -> Rc<Target> {
        let mut targets = self.targets.borrow_mut();
        let target = targets.entry(state.id()).or_insert_with(|| {
            Rc::new(Target {
                state: Arc::clone(state),
                sessions: RefCell::default(),
                opening: Semaphore::new(1),
            })
        });
        Rc::clone(target)
    }

    /// Whether there are any connections.
    pub(crate) fn is_empty(&self) -> bool {
        self.targets.borrow().is_empty()
    }

    /// Lets go of the connections that have failed, have expired, or lead to a target that is deregistering.
    /// One that has requests is closed behind the last of them.
    pub(crate) fn sweep(&self, now: Tick) {
        self.targets.borrow_mut().retain(|_, target| {
            let stays = |session: &Rc<Session>| {
                let is_idle = session.requests.get() == 0 && session.expires.get() <= now;
                !session.is_closed.get() && !is_idle && !target.state.is_draining()
            };
            target.sessions.borrow_mut().retain(stays);
            !target.sessions.borrow().is_empty() || Rc::strong_count(target) > 1
        });
    }
}

impl Target {
    fn session_with_room(&self) -> Option<Rc<Session>> {
        let mut sessions = self.sessions.borrow_mut();
        sessions.retain(|session| !session.is_closed.get());
        sessions.iter().find(|session| session.has_room()).cloned()
    }

    /// The connection with the fewest requests, if no more may be opened.
    fn fullest_allowed(&self) -> Option<Rc<Session>> {
        let sessions = self.sessions.borrow();
        let is_full = sessions.len() >= SESSIONS_PER_TARGET_MAX;
        let least = sessions.iter().min_by_key(|session| session.requests.get());
        least.filter(|_| is_full).cloned()
    }
}

impl Place {
    fn on(session: Rc<Session>, worker: &Rc<Worker>, idle_timeout: Tick) -> Self {
        session.requests.set(session.requests.get() + 1);
        Self {
            session,
            worker: Rc::clone(worker),
            idle_timeout,
        }
    }
}

impl Session {
    async fn start(stream: Stream, counters: Arc<Counters>) -> Result<Rc<Self>, u16> {
        let (sender, connection) = Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(SESSION_WINDOW)
            .max_send_buffer_size(SEND_BUFFER_BYTES_MAX)
            .max_header_list_size(RESPONSE_LIMITS.head_max as u32)
            .handshake(Io::new(stream, counters))
            .await
            .map_err(|_| 502_u16)?;
        let session = Rc::new(Self {
            sender,
            requests: Cell::new(0),
            is_closed: Cell::new(false),
            expires: Cell::new(Tick::MAX),
        });
        let driven = Rc::downgrade(&session);
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an HTTP/2 connection to a target has ended");
            }
            if let Some(session) = driven.upgrade() {
                session.is_closed.set(true);
            }
        });
        Ok(session)
    }
}

/// A stream in the form that the `h2` crate reads and writes.
pub(crate) struct Io {
    stream: Stream,
    received: Buffer,
    counters: Arc<Counters>,
}

impl Io {
    pub(crate) fn new(stream: Stream, counters: Arc<Counters>) -> Self {
        Self {
            stream,
            received: Buffer::default(),
            counters,
        }
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        let counters = &self.counters;
        let (received, sent) = (&counters.bytes_from_targets, &counters.bytes_to_targets);
        self.stream.count_bytes(received, sent);
    }
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self {
            stream, received, ..
        } = &mut *self;
        if received.is_empty() {
            std::task::ready!(stream.poll_readable(cx));
            received.grow(READ_BYTES_MAX);
            let outcome = stream.poll_fill(cx, received);
            if !matches!(outcome, Poll::Ready(Ok(1..))) {
                // A silent connection owns no buffer.
                *received = Buffer::default();
                return outcome.map_ok(|_| ());
            }
        }
        let count = received.len().min(buffer.remaining());
        buffer.put_slice(&received.filled()[..count]);
        received.consume(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.shut_down();
        Poll::Ready(Ok(()))
    }
}
