//! A target as the data plane sees it, and the facts about it that outlive snapshots.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use crate::health::{Failure, Health};

/// A registered address and port within one pool.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Where requests go.
    pub address: SocketAddr,
    /// Where health checks go.
    pub check_address: SocketAddr,
    /// Shared by every snapshot that has this target.
    pub state: Arc<EndpointState>,
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
}

/// One request in progress at a target.
#[derive(Debug)]
pub struct InFlight(Arc<EndpointState>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.requests_in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
