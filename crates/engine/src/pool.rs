//! A target group as the data plane sees it, and the choice of a target.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arc_swap::ArcSwap;
use model::health_check::HealthCheck;

use crate::anomaly;
use crate::candidates::{Candidates, HealthThreshold, PoolHealth, ZoneCandidates, reachable};
use crate::endpoint::{Endpoint, EndpointState};
use crate::http::{Stickiness, TargetProtocol};
use crate::slow_start::SlowStart;
use crate::weight::{Draws, Weight};

/// Names a pool over all snapshots: the id at the end of the target group's ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId(pub u64);

/// How a target is chosen among the candidates.
///
/// Source: ELB API, `TargetGroupAttribute`, `load_balancing.algorithm.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// In turn.
    RoundRobin {
        /// How long the share of a target that has become healthy grows, 30 to 900 s; 0: it is full at once.
        slow_start: Duration,
    },
    /// The one with the fewest requests in progress.
    LeastOutstandingRequests,
    /// At random.
    WeightedRandom {
        /// Whether anomalous targets get fewer requests than the others.
        mitigates_anomalies: bool,
    },
}

impl Default for Algorithm {
    fn default() -> Self {
        Self::RoundRobin {
            slow_start: Duration::ZERO,
        }
    }
}

impl Algorithm {
    /// Whether targets can have other weights than the full one.
    fn is_weighted(self) -> bool {
        match self {
            Self::RoundRobin { slow_start } => !slow_start.is_zero(),
            Self::LeastOutstandingRequests => false,
            Self::WeightedRandom {
                mitigates_anomalies,
            } => mitigates_anomalies,
        }
    }
}

/// How the targets of a pool are chosen, spoken to and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolSettings {
    /// How a target is chosen.
    pub algorithm: Algorithm,
    /// Whether a node sends requests to the targets of every zone, not only to those of its own.
    pub is_cross_zone: bool,
    /// Healthy targets below which requests go to the unhealthy ones too.
    pub routing_threshold: HealthThreshold,
    /// Healthy targets below which a zone leaves the DNS answer, as far as this pool is concerned.
    pub dns_threshold: HealthThreshold,
    /// What the targets speak.
    pub protocol: TargetProtocol,
    /// How clients stay with a target.
    pub stickiness: Stickiness,
    /// The zone that traffic is shifted away from: its targets get requests only if those of the other zones
    /// are not well enough.
    pub shifted_zone: Option<Arc<str>>,
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
            algorithm: Algorithm::default(),
            is_cross_zone: true,
            routing_threshold: HealthThreshold::default(),
            dns_threshold: HealthThreshold::default(),
            protocol: TargetProtocol::default(),
            stickiness: Stickiness::Off,
            shifted_zone: None,
            health_check,
            health_check_is_tls: false,
        }
    }

    /// Whether traffic is shifted away from the zone of this target.
    pub(crate) fn is_shifted(&self, endpoint: &Endpoint) -> bool {
        self.shifted_zone.is_some() && self.shifted_zone == endpoint.zone
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
    /// Those of `endpoints` that requests go to now; kept up to date by `refresh`.
    candidates: ArcSwap<Candidates>,
}

/// What one choice of a target is made by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'a> {
    /// The zone of the node: `Frontend::zone_of` the address that the client connected to.
    pub zone: Option<&'a str>,
    /// The targets (`EndpointState::id`) that could not be reached for this very request; they are passed
    /// over.
    pub tried: &'a [u64],
    /// Uniform over all `u32`.
    pub draw: u32,
}

impl Choice<'_> {
    fn allows(&self, endpoint: &Endpoint) -> bool {
        !endpoint.state.is_draining() && !self.tried.contains(&endpoint.state.id())
    }
}

/// Targets that are drawn for one request before one is taken whatever its weight: enough for any share of
/// targets with a low weight that mitigation leaves.
const DRAWS_MAX: usize = 64;

impl Pool {
    /// A pool whose candidates follow from the present health of its targets.
    ///
    /// `before` is the pool of the snapshot before, if it was there: turns go on where they were, so that a
    /// change of configuration does not start the round again.
    #[must_use]
    pub fn new(
        id: PoolId,
        settings: PoolSettings,
        endpoints: Vec<Arc<Endpoint>>,
        before: Option<&Self>,
    ) -> Self {
        let candidates = match before {
            Some(before) => Candidates::of(&settings, &endpoints, &before.candidates.load()),
            None => Candidates::of(&settings, &endpoints, &Candidates::default()),
        };
        Self {
            id,
            settings,
            endpoints,
            candidates: ArcSwap::from_pointee(candidates),
        }
    }

    /// Works out the candidates again. Call it after the health of a target has changed, always with the
    /// time since one and the same moment.
    pub fn refresh(&self, now: Duration) {
        // First the shares: a target that starts slowly must not be a candidate with a full one.
        self.step_slow_start(now);
        // Not a plain store: of two refreshes at once the one that looked first could store last.
        self.candidates
            .rcu(|before| Candidates::of(&self.settings, &self.endpoints, before));
    }

    /// Brings the shares of targets in slow start to this time. Call it every second.
    pub fn step_slow_start(&self, now: Duration) {
        let period = match self.settings.algorithm {
            Algorithm::RoundRobin { slow_start } => slow_start,
            Algorithm::LeastOutstandingRequests | Algorithm::WeightedRandom { .. } => {
                Duration::ZERO
            }
        };
        let has_full_share = |endpoint: &Arc<Endpoint>| {
            endpoint.state.slow_start() == SlowStart::Done
                && endpoint.state.health().is_healthy()
                && !endpoint.state.is_draining()
        };
        let has_full_peer = self.endpoints.iter().any(has_full_share);
        for endpoint in &self.endpoints {
            let state = &endpoint.state;
            let after = state
                .slow_start()
                .step(state.health(), has_full_peer, period, now);
            if matches!(self.settings.algorithm, Algorithm::RoundRobin { .. }) {
                state.set_weight(after.weight(period, now));
            }
            state.set_slow_start(after);
        }
    }

    /// Compares what has become of requests at each target and moves the weights accordingly. Call it every
    /// 5 seconds.
    ///
    /// Source: ALB guide, "Automatic Target Weights (ATW)".
    pub fn evaluate_outcomes(&self) {
        let is_judged = |endpoint: &&Arc<Endpoint>| {
            endpoint.state.health().is_healthy() && !endpoint.state.is_draining()
        };
        let (judged, others): (Vec<_>, Vec<_>) = self.endpoints.iter().partition(is_judged);
        let outcomes: Vec<_> = judged.iter().map(|it| it.state.take_outcomes()).collect();
        let verdicts = anomaly::find_anomalous(&outcomes);
        for (endpoint, is_anomalous) in judged.iter().zip(verdicts) {
            endpoint.state.set_anomalous(is_anomalous);
            self.step_weight(endpoint, is_anomalous);
        }
        for endpoint in others {
            endpoint.state.forget_outcomes();
            endpoint.state.set_anomalous(false);
            self.step_weight(endpoint, false);
        }
    }

    fn step_weight(&self, endpoint: &Endpoint, is_anomalous: bool) {
        let weight = match self.settings.algorithm {
            Algorithm::WeightedRandom {
                mitigates_anomalies: true,
            } => anomaly::step_weight(endpoint.state.weight(), is_anomalous),
            // Slow start alone decides.
            Algorithm::RoundRobin { .. } => return,
            Algorithm::LeastOutstandingRequests
            | Algorithm::WeightedRandom {
                mitigates_anomalies: false,
            } => Weight::FULL,
        };
        endpoint.state.set_weight(weight);
    }

    /// Whether this target of the pool gets fewer requests because it is or was anomalous.
    ///
    /// Source: ELB API, `AnomalyDetection`, `MitigationInEffect`.
    #[must_use]
    pub fn is_mitigating(&self, endpoint: &EndpointState) -> bool {
        let mitigates = Algorithm::WeightedRandom {
            mitigates_anomalies: true,
        };
        self.settings.algorithm == mitigates && endpoint.weight() < Weight::FULL
    }

    /// The health of the targets that a node in `zone` can send requests to, without those that traffic is
    /// shifted away from.
    #[must_use]
    pub fn health_in(&self, zone: &str) -> PoolHealth {
        let settings = &self.settings;
        let reachable = reachable(settings, &self.endpoints, Some(zone));
        PoolHealth::of(reachable.filter(|endpoint| !settings.is_shifted(endpoint)))
    }

    /// The target for one request, or `None` if the pool has none that may get it.
    #[must_use]
    pub fn choose_target(&self, choice: Choice<'_>) -> Option<Arc<Endpoint>> {
        let candidates = self.candidates.load();
        let candidates = candidates.in_zone(choice.zone);
        let next_turn = || candidates.turns.fetch_add(1, Ordering::Relaxed);
        self.choose_of(candidates, next_turn, choice).cloned()
    }

    /// The target that `choose_target` would choose now, without a turn being taken; `None` if it would choose none,
    /// or if chance decides.
    #[must_use]
    pub fn peek_target(&self, zone: Option<&str>) -> Option<Arc<Endpoint>> {
        if self.is_drawn() {
            return None;
        }
        let candidates = self.candidates.load();
        let candidates = candidates.in_zone(zone);
        let mut turn = candidates.turns.load(Ordering::Relaxed);
        let next_turn = || {
            turn = turn.wrapping_add(1);
            turn.wrapping_sub(1)
        };
        let choice = Choice {
            zone,
            ..Choice::default()
        };
        self.choose_of(candidates, next_turn, choice).cloned()
    }

    /// Whether chance decides which of the candidates gets a request.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        let algorithm = self.settings.algorithm;
        matches!(algorithm, Algorithm::WeightedRandom { .. }) || algorithm.is_weighted()
    }

    /// The targets that a node in `zone` chooses among now. Unhealthy ones are among them only if the pool fails
    /// open there.
    #[must_use]
    pub fn candidates_in(&self, zone: Option<&str>) -> Vec<Arc<Endpoint>> {
        self.candidates.load().in_zone(zone).endpoints.clone()
    }

    fn choose_of<'a>(
        &self,
        candidates: &'a ZoneCandidates,
        mut next_turn: impl FnMut() -> usize,
        choice: Choice<'_>,
    ) -> Option<&'a Arc<Endpoint>> {
        let chosen = self.choose_among(&candidates.endpoints, &mut next_turn, choice);
        let is_draining = |endpoint: &Arc<Endpoint>| endpoint.state.is_draining();
        if chosen.is_none() && candidates.endpoints.iter().all(is_draining) {
            // The last healthy target is leaving and the next snapshot, which fails open, is not live yet.
            return self.choose_among(&candidates.reachable, &mut next_turn, choice);
        }
        chosen
    }

    /// The target with this key, for a client that stays with it; `None` if it gets no requests now.
    ///
    /// An unhealthy target is kept as long as the pool fails open.
    #[must_use]
    pub fn endpoint_by_key(&self, key: u64, choice: Choice<'_>) -> Option<Arc<Endpoint>> {
        let candidates = self.candidates.load();
        let found = candidates.in_zone(choice.zone).find(key);
        found.filter(|endpoint| choice.allows(endpoint)).cloned()
    }

    fn choose_among<'a>(
        &self,
        endpoints: &'a [Arc<Endpoint>],
        mut next_turn: impl FnMut() -> usize,
        choice: Choice<'_>,
    ) -> Option<&'a Arc<Endpoint>> {
        let count = endpoints.len();
        if count == 0 {
            return None;
        }
        let mut next_turn = || next_turn() % count;
        let mut draws = Draws::from(choice.draw);
        let mut at = 0;
        match self.settings.algorithm {
            Algorithm::RoundRobin { .. } => {
                // A target that is passed over costs a turn, or else the next one would get two shares.
                for _ in 0..count {
                    at = next_turn();
                    if self.accepts(&endpoints[at], choice, &mut draws) {
                        return Some(&endpoints[at]);
                    }
                }
            }
            Algorithm::WeightedRandom { .. } => {
                for _ in 0..DRAWS_MAX {
                    at = draws.below(count);
                    if self.accepts(&endpoints[at], choice, &mut draws) {
                        return Some(&endpoints[at]);
                    }
                }
            }
            // Ties go round, or else the first target would get every request of an idle pool.
            Algorithm::LeastOutstandingRequests => {
                return from(endpoints, next_turn())
                    .filter(|endpoint| choice.allows(endpoint))
                    .min_by_key(|endpoint| endpoint.state.requests_in_flight());
            }
        }
        // All that are left have low weights, or are few among many that are draining.
        from(endpoints, at).find(|endpoint| choice.allows(endpoint))
    }

    /// Whether a target whose turn it is gets the request.
    fn accepts(&self, endpoint: &Endpoint, choice: Choice<'_>, draws: &mut Draws) -> bool {
        let is_weighted = self.settings.algorithm.is_weighted();
        choice.allows(endpoint) && (!is_weighted || endpoint.state.weight().admits(draws.next()))
    }
}

/// All of them in turn, beginning with the one at `start`.
fn from(endpoints: &[Arc<Endpoint>], start: usize) -> impl Iterator<Item = &Arc<Endpoint>> {
    let (before, from) = endpoints.split_at(start);
    from.iter().chain(before)
}
