//! A target as the data plane sees it, and the facts about it that outlive snapshots.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use crate::anomaly::Outcomes;
use crate::health::{Failure, Health};
use crate::slow_start::SlowStart;
use crate::weight::Weight;

/// A registered address and port within one pool.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Where requests go.
    pub address: SocketAddr,
    /// Where health checks go.
    pub check_address: SocketAddr,
    /// Which connections can be made to it.
    pub reach: Reach,
    /// The zone it is in, such as `us-east-1a`; `None`: it belongs to every zone.
    pub zone: Option<Arc<str>>,
    /// Names the target in cookies: the same after a restart and at another node.
    pub key: u64,
    /// Shared by every snapshot that has this target.
    pub state: Arc<EndpointState>,
}

/// Which new connections get through to a target. To one that does not get through the target is an address that never
/// answers; connections that are open go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Whether those for requests do.
    pub admits_requests: bool,
    /// Whether those for health checks do.
    pub admits_checks: bool,
}

impl Reach {
    /// All connections get through.
    pub const FULL: Self = Self {
        admits_requests: true,
        admits_checks: true,
    };
}

/// What is known about a target however often the configuration changes around it.
///
/// Keyed by identity: `control` hands the same state to every snapshot in which the target is registered
/// without interruption. All members are atomics, because every worker and the prober share them.
#[derive(Debug)]
pub struct EndpointState {
    /// Distinguishes this registration from every other of this process.
    id: u64,
    health: AtomicU8,
    failure: AtomicU32,
    is_draining: AtomicBool,
    requests_in_flight: AtomicU32,
    /// What has become of requests since the latest evaluation: `Outcomes` in bits.
    outcomes: AtomicU64,
    /// What the evaluations before have left of theirs.
    outcomes_before: AtomicU64,
    is_anomalous: AtomicBool,
    weight: AtomicU16,
    slow_start: AtomicU64,
}

/// What has become of one request, as far as the target is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target has answered, with any status below 500.
    Success,
    /// The target has answered with 500 to 599.
    ServerError,
    /// It could not be connected to, or has closed its connection without an answer.
    ConnectionError,
}

impl Outcome {
    /// The outcome of a request that was answered with `status`.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        if (500..600).contains(&status) {
            Self::ServerError
        } else {
            Self::Success
        }
    }
}

impl EndpointState {
    /// The state of a target that has just been registered. `id` must not be used twice.
    #[must_use]
    pub fn new(id: u64) -> Self {
        Self {
            id,
            health: AtomicU8::new(Health::INITIAL.to_bits()),
            failure: AtomicU32::new(0),
            is_draining: AtomicBool::new(false),
            requests_in_flight: AtomicU32::new(0),
            outcomes: AtomicU64::new(0),
            outcomes_before: AtomicU64::new(0),
            is_anomalous: AtomicBool::new(false),
            weight: AtomicU16::new(Weight::FULL.to_bits()),
            slow_start: AtomicU64::new(SlowStart::Unseen.to_bits()),
        }
    }

    /// Distinguishes this registration from every other of this process.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What the health checks have found so far.
    #[must_use]
    pub fn health(&self) -> Health {
        Health::from_bits(self.health.load(Ordering::Acquire))
    }

    /// Why the latest check failed; `None` after a check that passed and before the first one.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        Failure::from_bits(self.failure.load(Ordering::Relaxed))
    }

    /// Records the outcome of a health check. Only the prober calls this.
    pub fn set_health(&self, health: Health, failure: Option<Failure>) {
        self.failure
            .store(failure.map_or(0, Failure::to_bits), Ordering::Relaxed);
        self.health.store(health.to_bits(), Ordering::Release);
    }

    /// Whether the target is deregistering and must get no new request.
    ///
    /// A worker asks once more right before the first byte of a request goes out: that check, and the
    /// barrier that every worker passes after this flag is set, make the drain promise.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::SeqCst)
    }

    /// Stops new requests from now on. A later registration of the same target gets a state of its own.
    pub fn start_draining(&self) {
        self.is_draining.store(true, Ordering::SeqCst);
    }

    /// The requests this node has sent and not finished.
    #[must_use]
    pub fn requests_in_flight(&self) -> u32 {
        self.requests_in_flight.load(Ordering::Relaxed)
    }

    /// Counts a request until the guard is dropped.
    #[must_use]
    pub fn begin_request(self: &Arc<Self>) -> InFlight {
        self.requests_in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    /// Counts what has become of a request. Call it once for each request that was meant for this target.
    pub fn record_outcome(&self, outcome: Outcome) {
        let one = Outcomes::of(outcome).to_bits();
        self.outcomes.fetch_add(one, Ordering::Relaxed);
    }

    /// The outcomes to judge the target by, the latest ones counting most; starts a new count.
    pub(crate) fn take_outcomes(&self) -> Outcomes {
        let latest = Outcomes::from_bits(self.outcomes.swap(0, Ordering::Relaxed));
        let before = Outcomes::from_bits(self.outcomes_before.load(Ordering::Relaxed));
        let outcomes = before.faded().plus(latest);
        self.outcomes_before
            .store(outcomes.to_bits(), Ordering::Relaxed);
        outcomes
    }

    /// Forgets the outcomes of a target that is not judged.
    pub(crate) fn forget_outcomes(&self) {
        self.outcomes.store(0, Ordering::Relaxed);
        self.outcomes_before.store(0, Ordering::Relaxed);
    }

    /// Whether more of its requests fail than of the other targets'.
    ///
    /// Source: ELB API, `AnomalyDetection`, `Result`.
    #[must_use]
    pub fn is_anomalous(&self) -> bool {
        self.is_anomalous.load(Ordering::Relaxed)
    }

    pub(crate) fn set_anomalous(&self, is_anomalous: bool) {
        self.is_anomalous.store(is_anomalous, Ordering::Relaxed);
    }

    /// The share of requests, compared with a full one.
    #[must_use]
    pub fn weight(&self) -> Weight {
        Weight::from_bits(self.weight.load(Ordering::Relaxed))
    }

    pub(crate) fn set_weight(&self, weight: Weight) {
        self.weight.store(weight.to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn slow_start(&self) -> SlowStart {
        SlowStart::from_bits(self.slow_start.load(Ordering::Relaxed))
    }

    pub(crate) fn set_slow_start(&self, slow_start: SlowStart) {
        self.slow_start
            .store(slow_start.to_bits(), Ordering::Relaxed);
    }
}

/// One request in progress at a target.
#[derive(Debug)]
pub struct InFlight(Arc<EndpointState>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.requests_in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
