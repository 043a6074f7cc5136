//! A target group as the data plane sees it, and the choice of a target.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use model::health_check::HealthCheck;

use crate::endpoint::Endpoint;
use crate::http::{Stickiness, TargetProtocol};

/// Names a pool over all snapshots: the id at the end of the target group's ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId(pub u64);

/// How a target is chosen among the candidates.
///
/// Source: ELB API, `TargetGroupAttribute`, `load_balancing.algorithm.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// In turn.
    RoundRobin,
    /// The one with the fewest requests in progress.
    LeastOutstandingRequests,
}

/// How the targets of a pool are chosen, spoken to and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolSettings {
    /// How a target is chosen.
    pub algorithm: Algorithm,
    /// What the targets speak.
    pub protocol: TargetProtocol,
    /// How clients stay with a target.
    pub stickiness: Stickiness,
    /// How the targets are checked.
    pub health_check: HealthCheck,
    /// Whether checks go through TLS.
    pub health_check_is_tls: bool,
}

impl PoolSettings {
    /// Those of a target group of HTTP/1.1 targets on which no attribute was set.
    #[must_use]
    pub fn new(health_check: HealthCheck) -> Self {
        Self {
            algorithm: Algorithm::RoundRobin,
            protocol: TargetProtocol::default(),
            stickiness: Stickiness::Off,
            health_check,
            health_check_is_tls: false,
        }
    }
}

/// The targets that a rule can forward to.
#[derive(Debug)]
pub struct Pool {
    /// The same in every snapshot that has this target group.
    pub id: PoolId,
    /// How the targets are chosen, spoken to and checked.
    pub settings: PoolSettings,
    /// The registered targets in enabled zones, without the draining ones.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// How far round robin has come; shared with the next snapshot's pool, so that a change of
    /// configuration does not start the round again.
    pub position: Arc<AtomicUsize>,
    /// Those of `endpoints` that requests go to now; kept up to date by `refresh`.
    candidates: ArcSwap<Candidates>,
}

/// The targets that requests of a pool go to.
#[derive(Debug, Default)]
struct Candidates {
    endpoints: Vec<Arc<Endpoint>>,
}

impl Pool {
    /// A pool whose candidates follow from the present health of its targets.
    #[must_use]
    pub fn new(
        id: PoolId,
        settings: PoolSettings,
        endpoints: Vec<Arc<Endpoint>>,
        position: Arc<AtomicUsize>,
    ) -> Self {
        let candidates = ArcSwap::default();
        let pool = Self {
            id,
            settings,
            endpoints,
            position,
            candidates,
        };
        pool.refresh();
        pool
    }

    /// Works out the candidates again. Call it after the health of a target has changed.
    ///
    /// The healthy ones; when there is none, all of them ("fail open").
    /// Source: ALB guide, "Health checks for your target groups".
    pub fn refresh(&self) {
        // Not a plain store: of two refreshes at once the one that looked first could store last.
        self.candidates.rcu(|_| self.candidates_now());
    }

    fn candidates_now(&self) -> Candidates {
        let serving = |endpoint: &&Arc<Endpoint>| !endpoint.state.is_draining();
        let healthy = |endpoint: &&Arc<Endpoint>| endpoint.state.health().is_healthy();
        let all: Vec<_> = self.endpoints.iter().filter(serving).cloned().collect();
        let some: Vec<_> = all.iter().filter(healthy).cloned().collect();
        Candidates {
            endpoints: if some.is_empty() { all } else { some },
        }
    }

    /// The target for one request, or `None` if the pool has none that may get it.
    ///
    /// `tried` are targets that could not be reached for this very request; they are passed over.
    #[must_use]
    pub fn choose_target(&self, tried: &[u64]) -> Option<Arc<Endpoint>> {
        let candidates = self.candidates.load();
        let candidates = candidates.endpoints.as_slice();
        let chosen = self.choose_among(candidates, tried);
        let is_draining = |endpoint: &Arc<Endpoint>| endpoint.state.is_draining();
        if chosen.is_none() && candidates.iter().all(is_draining) {
            // The last healthy target is leaving and the next snapshot, which fails open, is not live yet.
            return self.choose_among(&self.endpoints, tried).cloned();
        }
        chosen.cloned()
    }

    fn choose_among<'a>(
        &self,
        endpoints: &'a [Arc<Endpoint>],
        tried: &[u64],
    ) -> Option<&'a Arc<Endpoint>> {
        if endpoints.is_empty() {
            return None;
        }
        let may_get_it = |endpoint: &&Arc<Endpoint>| {
            !endpoint.state.is_draining() && !tried.contains(&endpoint.state.id())
        };
        let turn = self.position.fetch_add(1, Ordering::Relaxed) % endpoints.len();
        let (before, from) = endpoints.split_at(turn);
        let mut in_turn = from.iter().chain(before).filter(may_get_it);
        match self.settings.algorithm {
            Algorithm::RoundRobin => in_turn.next(),
            // Ties go round, or else the first target would get every request of an idle pool.
            Algorithm::LeastOutstandingRequests => {
                in_turn.min_by_key(|endpoint| endpoint.state.requests_in_flight())
            }
        }
    }
}
