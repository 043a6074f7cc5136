//! The attempts at one request: which target is next, whether a connection to it can be had, and what is held
//! against it. All requests come through here, whatever their clients and targets speak, and so do their copies.

use std::rc::Rc;
use std::sync::Arc;

use engine::{Choice, Endpoint, FrontendId, InFlight, Outcome, Pool};

use crate::conversation::Failure;
use crate::exchange::Exchange;
use crate::registry::Entry;
use crate::sticky::Stay;
use crate::target_connections::Taken;
use crate::worker::Worker;

/// Targets that are tried for one request.
const TARGETS_TRIED_MAX: usize = 3;

/// Where a request is to go.
pub(crate) struct Destination<'a> {
    pub(crate) worker: &'a Rc<Worker>,
    /// That of the request, which is told of each target that has it.
    pub(crate) entry: &'a Entry,
    pub(crate) frontend: FrontendId,
    pub(crate) pool: &'a Pool,
    pub(crate) zone: Option<&'a str>,
    /// Where the client is to stay. `None`: it is a copy, which goes anywhere and is not counted as a request.
    pub(crate) stay: Option<Stay>,
    pub(crate) is_grpc: bool,
}

/// How connections to targets are come by: of HTTP/1.1 each has one request at a time, of HTTP/2 many.
pub(crate) trait Connector {
    type Connection;

    /// A connection that is open and has a place for the request now.
    fn take_open(&self, to: &Destination<'_>, endpoint: &Endpoint) -> Taken<Self::Connection>;

    /// Another one, new as a rule.
    async fn make(
        &self,
        to: &Destination<'_>,
        endpoint: &Endpoint,
    ) -> Result<Self::Connection, NoConnection>;
}

/// Why there is no connection to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoConnection {
    /// None can be made. The status for the client: 502 if the target refuses, 504 if it does not answer.
    NotMade(u16),
    /// As many requests as may wait for the target do.
    Full,
}

/// One attempt that came as far as a connection. Who has it clears the endpoint of the request's entry in the end.
pub(crate) struct Attempt<C> {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) connection: C,
    /// Whether the connection was there before.
    pub(crate) is_reused: bool,
    /// Counts the request until it is dropped.
    pub(crate) in_flight: InFlight,
}

/// What has been tried for one request.
#[derive(Default)]
pub(crate) struct Attempts {
    has_begun: bool,
    /// The registrations that could not be reached; `EndpointState::id` is never 0.
    unreachable: [u64; TARGETS_TRIED_MAX],
    count: usize,
    /// What the client is told if there is no other target.
    status: Option<u16>,
    /// The first target whose idle connections turned out to be closed.
    stale: Option<u64>,
    has_resent: bool,
}

impl<'a> Destination<'a> {
    /// That of a client's request.
    pub(crate) fn of(
        worker: &'a Rc<Worker>,
        entry: &'a Entry,
        exchange: &Exchange,
        pool: &'a Pool,
        zone: Option<&'a str>,
    ) -> Self {
        Self {
            worker,
            entry,
            frontend: exchange.frontend.id,
            pool,
            zone,
            stay: Some(exchange.stay),
            is_grpc: false,
        }
    }
}

impl Attempts {
    /// A connection to the next target that can be reached, which has the request from then on.
    ///
    /// # Errors
    /// The status for the client if there is no such target.
    pub(crate) async fn next<C: Connector>(
        &mut self,
        to: &Destination<'_>,
        connector: &C,
    ) -> Result<Attempt<C::Connection>, u16> {
        loop {
            let chosen = self.choose_with_open(to, connector);
            let (endpoint, open) = chosen.ok_or(self.status.unwrap_or(503))?;
            self.count(to, &endpoint);
            let in_flight = endpoint.state.begin_request();
            to.entry.set_endpoint(endpoint.state.id());
            let (connection, is_reused) = match open {
                Taken::Open(connection) => (Ok(connection), true),
                // Boxed, so that requests on open connections do not carry the room for it.
                _ => (Box::pin(connector.make(to, &endpoint)).await, false),
            };
            match connection {
                // The drain promise: of HTTP/1.1, nobody waits between this and the first byte that is written; of
                // HTTP/2, a request that waits for its stream looks again. A target that was deregistered
                // meanwhile is not to blame if it could not be reached.
                _ if endpoint.state.is_draining() => to.entry.clear_endpoint(),
                Ok(connection) => {
                    return Ok(Attempt {
                        endpoint,
                        connection,
                        is_reused,
                        in_flight,
                    });
                }
                Err(why) => {
                    to.entry.clear_endpoint();
                    self.fail(to, &endpoint, why)?;
                }
            }
        }
    }

    /// Whether a request may go out once more that got no response from `endpoint`, which is avoided then. It is
    /// for requests that the target cannot have looked at, or whose repetition does no harm; and only once, so that
    /// a request that brings its targets down does not bring down all of them.
    pub(crate) fn may_resend(&mut self, endpoint: &Endpoint) -> bool {
        if std::mem::replace(&mut self.has_resent, true) {
            return false;
        }
        self.stale = Some(endpoint.state.id());
        true
    }

    /// The next target with what there is of open connections to it. A target that turns out to have closed its
    /// connections is passed over once.
    fn choose_with_open<C: Connector>(
        &mut self,
        to: &Destination<'_>,
        connector: &C,
    ) -> Option<(Arc<Endpoint>, Taken<C::Connection>)> {
        let draw = to.worker.random();
        let endpoint = self.choose(to, draw)?;
        match connector.take_open(to, &endpoint) {
            Taken::Closed if self.stale.is_none() => {
                self.stale = Some(endpoint.state.id());
                let other = self.choose(to, draw)?;
                let open = connector.take_open(to, &other);
                Some((other, open))
            }
            open => Some((endpoint, open)),
        }
    }

    /// The next target. One that has closed its connections may be going away, and would then reset a
    /// new connection too, with a request on it: any other target is better.
    /// A client stays with its target all the same.
    fn choose(&self, to: &Destination<'_>, draw: u32) -> Option<Arc<Endpoint>> {
        let pool = to.pool;
        let node = |tried| Choice {
            zone: to.zone,
            tried,
            draw,
        };
        let unreachable = &self.unreachable[..self.count];
        let stays = to.stay.and_then(|stay| stay.endpoint);
        if let Some(endpoint) = stays.and_then(|key| pool.endpoint_by_key(key, node(unreachable))) {
            return Some(endpoint);
        }
        let Some(stale) = self.stale else {
            return pool.choose_target(node(unreachable));
        };
        let mut avoided = self.unreachable;
        avoided[self.count] = stale;
        let avoided = pool.choose_target(node(&avoided[..=self.count]));
        avoided.or_else(|| pool.choose_target(node(unreachable)))
    }

    fn count(&mut self, to: &Destination<'_>, endpoint: &Endpoint) {
        let Some(stay) = to.stay else { return };
        let counters = &to.worker.counters;
        if std::mem::replace(&mut self.has_begun, true) {
            counters.requests_retried.increment();
        } else {
            counters.requests_forwarded.increment();
            if to.is_grpc {
                counters.grpc_requests.increment();
            }
            stay.count_choice(to.pool, endpoint, counters);
        }
    }

    /// Notes a target that could not be reached.
    ///
    /// # Errors
    /// The status for the client if no other may be tried.
    fn fail(
        &mut self,
        to: &Destination<'_>,
        endpoint: &Endpoint,
        why: NoConnection,
    ) -> Result<(), u16> {
        let status = match why {
            NoConnection::Full => 503,
            NoConnection::NotMade(status) => {
                to.worker.counters.target_connection_errors.increment();
                endpoint.state.record_outcome(Outcome::ConnectionError);
                status
            }
        };
        self.unreachable[self.count] = endpoint.state.id();
        self.count += 1;
        self.status = Some(status);
        match self.count < TARGETS_TRIED_MAX {
            true => Ok(()),
            false => Err(status),
        }
    }
}

/// Notes what a request has shown of its target.
pub(crate) fn record_outcome(endpoint: &Endpoint, status: Option<u16>, failure: Option<Failure>) {
    match (status, failure) {
        (Some(status), _) => endpoint.state.record_outcome(Outcome::of_status(status)),
        (
            None,
            Some(Failure::TargetClosed { .. } | Failure::TargetStalled | Failure::BadResponse),
        ) => endpoint.state.record_outcome(Outcome::ConnectionError),
        (None, _) => {}
    }
}
