//! Open connections to targets that wait for the next request, of one worker.

use std::cell::RefCell;
use std::sync::Arc;

use engine::EndpointState;
use rustc_hash::FxHashMap;

use crate::counters::Counters;
use crate::registry::Tick;
use crate::stream::Stream;

/// Idle connections that a worker keeps to one target; more are closed and counted.
const IDLE_PER_TARGET_MAX: usize = 1024;

/// The idle connections, by registration.
#[derive(Debug, Default)]
pub(crate) struct TargetConnections {
    // The keys are numbers of our own making, so a fast hash cannot be attacked.
    idle: RefCell<FxHashMap<u64, Idle>>,
}

#[derive(Debug)]
struct Idle {
    state: Arc<EndpointState>,
    /// The latest used is last and is used first, so that what is not needed falls idle and expires.
    connections: Vec<(Stream, Tick)>,
}

/// What there was of open connections to a target.
#[derive(Debug)]
pub(crate) enum Taken<C = Stream> {
    /// One that is open and was silent until now.
    Open(C),
    /// The target has closed all there were.
    Closed,
    /// None.
    Nothing,
}

impl TargetConnections {
    /// Takes an idle connection.
    pub(crate) fn take(&self, target: &EndpointState) -> Taken {
        let mut idle = self.idle.borrow_mut();
        let Some(entry) = idle.get_mut(&target.id()) else {
            return Taken::Nothing;
        };
        let mut taken = Taken::Nothing;
        while let Some((mut stream, _)) = entry.connections.pop() {
            if stream.is_quiet() {
                return Taken::Open(stream);
            }
            taken = Taken::Closed;
        }
        taken
    }

    /// Keeps a connection for the next request until `expires`.
    pub(crate) fn put(
        &self,
        target: &Arc<EndpointState>,
        stream: Stream,
        expires: Tick,
        counters: &Counters,
    ) {
        if target.is_draining() {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        let entry = idle.entry(target.id()).or_insert_with(|| Idle {
            state: Arc::clone(target),
            connections: Vec::new(),
        });
        if entry.connections.len() >= IDLE_PER_TARGET_MAX {
            counters.target_connections_over_limit.increment();
            return;
        }
        entry.connections.push((stream, expires));
    }

    /// Closes the connections that have expired, were closed by their target, or belong to a target that
    /// is deregistering.
    pub(crate) fn sweep(&self, now: Tick) {
        self.idle.borrow_mut().retain(|_, entry| {
            if entry.state.is_draining() {
                return false;
            }
            entry.connections.retain_mut(|(stream, expires)| {
                let stays = *expires > now && stream.is_quiet();
                if !stays {
                    stream.say_goodbye();
                }
                stays
            });
            !entry.connections.is_empty()
        });
    }
}
