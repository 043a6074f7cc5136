//! The attempts at one request: which targets have been tried for it, and which one is next.

use std::sync::Arc;

use engine::{Choice, Endpoint, Outcome, Pool};

use crate::conversation::Failure;
use crate::target_connections::Taken;
use crate::worker::Worker;

/// Targets that are tried for one request.
const TARGETS_TRIED_MAX: usize = 3;

/// What has been tried for one request.
#[derive(Default)]
pub(crate) struct Attempts {
    /// The registrations that could not be reached; `EndpointState::id` is never 0.
    unreachable: [u64; TARGETS_TRIED_MAX],
    count: usize,
    /// What the client is told if there is no other target.
    pub(crate) status: Option<u16>,
    /// The first target whose idle connections turned out to be closed.
    pub(crate) stale: Option<u64>,
    pub(crate) has_resent: bool,
}

impl Attempts {
    /// The next target. One that has closed its connections may be going away, and would then reset a
    /// new connection too, with a request on it: any other target is better.
    /// A client stays with its target all the same.
    pub(crate) fn choose(
        &self,
        pool: &Pool,
        node: Choice<'_>,
        stays: Option<u64>,
    ) -> Option<Arc<Endpoint>> {
        let choose = |tried| pool.choose_target(Choice { tried, ..node });
        let unreachable = &self.unreachable[..self.count];
        let tried = Choice {
            tried: unreachable,
            ..node
        };
        if let Some(endpoint) = stays.and_then(|key| pool.endpoint_by_key(key, tried)) {
            return Some(endpoint);
        }
        let Some(stale) = self.stale else {
            return choose(unreachable);
        };
        let mut avoided = self.unreachable;
        avoided[self.count] = stale;
        choose(&avoided[..=self.count]).or_else(|| choose(unreachable))
    }

    /// The next target with what there is of idle connections to it. A target that turns out to have
    /// closed its connections is passed over once.
    pub(crate) fn choose_with_idle(
        &mut self,
        worker: &Worker,
        pool: &Pool,
        node: Choice<'_>,
        stays: Option<u64>,
    ) -> Option<(Arc<Endpoint>, Taken)> {
        let endpoint = self.choose(pool, node, stays)?;
        match worker.targets.take(&endpoint.state) {
            Taken::Closed if self.stale.is_none() => {
                self.stale = Some(endpoint.state.id());
                let other = self.choose(pool, node, stays)?;
                let idle = worker.targets.take(&other.state);
                Some((other, idle))
            }
            idle => Some((endpoint, idle)),
        }
    }

    /// Notes a target that could not be reached. Whether another one may be tried.
    pub(crate) fn fail(&mut self, target: u64, status: u16) -> bool {
        self.unreachable[self.count] = target;
        self.count += 1;
        self.status = Some(status);
        self.count < TARGETS_TRIED_MAX
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
