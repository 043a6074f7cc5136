//! Connections to targets that speak HTTP/2: each carries many requests at once, of any clients.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use engine::{Endpoint, EndpointState};
use rustc_hash::FxHashMap;
use tokio::sync::Semaphore;

use super::handle::Handle;
use super::target_connection;
use super::target_session::{Session, Ticket};
use crate::attempts::NoConnection;
use crate::registry::Tick;
use crate::stream::Stream;
use crate::worker::Worker;

/// Connections of one worker to one target.
const SESSIONS_PER_TARGET_MAX: usize = 16;

/// Requests on one connection beyond the streams that its target allows, which wait for one of these to end.
const REQUESTS_WAITING_MAX: usize = 1024;

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

/// A place for one request on a connection.
#[derive(Debug)]
pub(super) struct Place {
    session: Rc<Session>,
    idle_timeout: Tick,
    ticket: Cell<Ticket>,
}

impl Place {
    fn on(session: &Rc<Session>, idle_timeout: Tick) -> Self {
        session.enter();
        Self {
            session: Rc::clone(session),
            idle_timeout,
            ticket: Cell::new(0),
        }
    }

    /// Says that the connection takes no more requests.
    pub(super) fn retire(&self) {
        self.session.close();
    }

    /// See `Session::poll_open`.
    pub(super) fn poll_open(
        &self,
        cx: &Context<'_>,
        section: &[u8],
        ends: bool,
    ) -> Poll<Option<Handle>> {
        self.session.poll_open(&self.ticket, cx, section, ends)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.session.leave(self.ticket.get(), self.idle_timeout);
    }
}

impl TargetSessions {
    /// A place on a connection that is open and has room.
    pub(super) fn try_obtain(
        worker: &Worker,
        endpoint: &Endpoint,
        idle_timeout: Tick,
    ) -> Option<Place> {
        let targets = worker.sessions.targets.borrow();
        let place = targets.get(&endpoint.state.id())?.place(idle_timeout)?;
        worker.counters.target_connections_reused.increment();
        Some(place)
    }

    /// A place on a connection to `endpoint`; `open` makes the connection if a new one is needed.
    pub(super) async fn obtain<F: Future<Output = Result<Stream, u16>>>(
        worker: &Rc<Worker>,
        endpoint: &Endpoint,
        idle_timeout: Tick,
        open: impl FnOnce() -> F,
    ) -> Result<Place, NoConnection> {
        let target = worker.sessions.target(&endpoint.state);
        // It is never closed.
        let opening = target.opening.acquire().await;
        let opening = opening.map_err(|_| NoConnection::NotMade(502))?;
        if let Some(place) = target.place(idle_timeout) {
            worker.counters.target_connections_reused.increment();
            return Ok(place);
        }
        if target.open_sessions() >= SESSIONS_PER_TARGET_MAX {
            // It waits for another request on the connection to end.
            worker.counters.target_connections_over_limit.increment();
            let least_used = target.least_used().ok_or_else(|| {
                worker.counters.target_requests_over_limit.increment();
                NoConnection::Full
            })?;
            return Ok(Place::on(&least_used, idle_timeout));
        }
        // Nobody waits for a connection that cannot come about, lest those wait that the next rule lets through.
        let _opening = endpoint.reach.admits_requests.then_some(opening);
        let stream = open().await.map_err(NoConnection::NotMade)?;
        let session = target_connection::start(stream, worker);
        target.sessions.borrow_mut().push(Rc::clone(&session));
        Ok(Place::on(&session, idle_timeout))
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

    /// Closes the connections that have expired or lead to a target that is deregistering. One that has requests
    /// is closed behind the last of them; those to a deregistering target are sent no more from now on.
    pub(crate) fn sweep(&self, now: Tick) {
        self.targets.borrow_mut().retain(|_, target| {
            let is_draining = target.state.is_draining();
            let stays = |session: &Rc<Session>| {
                let is_idle = session.requests() == 0;
                if is_draining {
                    session.hold_back();
                }
                if is_draining || (is_idle && session.expires.get() <= now) {
                    session.close();
                }
                !session.has_ended()
            };
            target.sessions.borrow_mut().retain(stays);
            !target.sessions.borrow().is_empty() || Rc::strong_count(target) > 1
        });
    }
}

impl Target {
    /// A place on a connection that has room.
    fn place(&self, idle_timeout: Tick) -> Option<Place> {
        let sessions = self.sessions.borrow();
        let session = sessions.iter().find(|session| session.has_room())?;
        Some(Place::on(session, idle_timeout))
    }

    /// Connections that take requests.
    fn open_sessions(&self) -> usize {
        let sessions = self.sessions.borrow();
        sessions
            .iter()
            .filter(|session| !session.is_closed())
            .count()
    }

    /// The connection with the fewest requests, if one more may wait on it.
    fn least_used(&self) -> Option<Rc<Session>> {
        let sessions = self.sessions.borrow();
        let open = sessions.iter().filter(|session| !session.is_closed());
        let least = open.min_by_key(|session| session.requests());
        least
            .filter(|session| session.requests() < session.streams_max.get() + REQUESTS_WAITING_MAX)
            .cloned()
    }
}
