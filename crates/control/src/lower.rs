//! From load balancers, listeners and target groups to the data plane's own vocabulary.
//!
//! The whole state is lowered each time. What has not changed since the time before is taken over, so that a
//! change costs what it changes and not what there is: `changes` finds that out by comparing the two states.

mod action;
mod admissions;
mod changes;
mod extension;
mod frontends;
mod http;
mod pool_settings;
mod pools;
mod reach;
mod tls;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use engine::router::CompileError;
use engine::{EndpointState, Snapshot};
use imbl::OrdMap;
use model::ec2::Instance;
use model::id::ListenerId;
use model::target::Target;

use crate::secrets::{SealedError, SecretKey};
use crate::state::State;
use admissions::Admissions;
use frontends::LoweredFrontend;
use pools::Pools;
use tls::Certificates;

pub use pools::endpoint_key;

/// A snapshot with what the next one takes over from it.
#[derive(Default)]
pub(crate) struct Lowered {
    /// For the data plane.
    pub(crate) snapshot: Arc<Snapshot>,
    pools: Pools,
    frontends: OrdMap<ListenerId, Arc<LoweredFrontend>>,
    certificates: Certificates,
}

/// The state cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LowerError {
    /// A rule has a regular expression that cannot be compiled.
    #[error(transparent)]
    Rules(#[from] CompileError),
    /// The private key of a certificate or the client secret of a login does not open.
    #[error(transparent)]
    Secret(#[from] SealedError),
}

/// Compiles `state`, taking over what has not changed from a state before and what was compiled from it.
///
/// # Errors
/// `LowerError` if a rule has a regular expression that cannot be compiled, or a secret does not open.
pub(crate) fn lower(
    state: &State,
    (old, before): (&State, &Lowered),
    secret_key: &SecretKey,
) -> Result<Lowered, LowerError> {
    let shifted_zones = state.zonal_shift.shifted_zones();
    let pools = pools::lower((state, &shifted_zones), old, &before.pools);
    let certificates = tls::lower_certificates(state, &before.certificates, secret_key)?;
    let mut admissions = Admissions::new(state, old);
    let changed_pools: BTreeSet<_> = pools.changed_since(&before.pools).collect();
    let changed_listeners = changes::changed_listeners(old, state);
    let parts = frontends::Parts {
        state,
        shifted_zones: &shifted_zones,
        pools: &pools,
        certificates: &certificates,
        secret_key,
    };
    let mut frontends = OrdMap::new();
    for (id, listener) in state.elb.listeners.iter() {
        let owner = listener.arn.load_balancer.id;
        let load_balancer = state.elb.load_balancers.get(&owner);
        let load_balancer = load_balancer.expect("a listener is deleted with its load balancer");
        let known = before.frontends.get(id);
        let admission = admissions.of(load_balancer, listener, known.map(Arc::as_ref));
        let is_same = |known: &&Arc<LoweredFrontend>| {
            !changed_listeners.contains(id)
                && known.admission == admission
                && !known.forwards_to_any(&changed_pools)
        };
        let frontend = match known.filter(is_same) {
            Some(known) => Arc::clone(known),
            None => {
                let known = known.map(Arc::as_ref);
                let frontend = frontends::lower(&parts, load_balancer, listener, admission, known)?;
                Arc::new(frontend)
            }
        };
        frontends.insert(*id, frontend);
    }
    let snapshot = Snapshot {
        generation: state.generation,
        addresses: match state.elb.load_balancers.ptr_eq(&old.elb.load_balancers) {
            true => Arc::clone(&before.snapshot.addresses),
            false => Arc::new(state.elb.addresses()),
        },
        frontends: frontends
            .values()
            .map(|it| Arc::clone(&it.frontend))
            .collect(),
        pools: pools.all().cloned().collect(),
    };
    Ok(Lowered {
        snapshot: Arc::new(snapshot),
        pools,
        frontends,
        certificates,
    })
}

impl Lowered {
    /// Nothing yet. The ids of what is known about targets (`EndpointState::id`) will follow this number, because
    /// those of several accounts share a data plane.
    pub(crate) fn numbered_from(first_endpoint: u64) -> Self {
        Self {
            pools: Pools::numbered_from(first_endpoint),
            ..Self::default()
        }
    }

    /// What is known about the present registration of a target that is in use or draining.
    pub(crate) fn endpoint_state(&self, target: &Target) -> Option<&Arc<EndpointState>> {
        self.pools.endpoint_state(target)
    }

    /// Which load balancer sends requests, or copies of them, to each target group.
    pub(crate) fn users(&self) -> &changes::Users {
        self.pools.users()
    }

    /// The instance that has this address.
    pub(crate) fn instance_at(&self, address: IpAddr) -> Option<&Instance> {
        self.pools.instance_at(address)
    }

    /// The targets that have been deregistered and not yet removed.
    pub(crate) fn draining(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.pools.draining()
    }

    /// Stops new requests at registrations that drain, or that have left a pool.
    ///
    /// Call it when the change is stored and before it is published: together with the barrier of
    /// `DataPlane::publish` this is the drain promise.
    pub(crate) fn start_draining(&self, before: &Self) {
        self.pools.start_draining(&before.pools);
    }
}

/// Whether both lists hold the very same values in the same order.
fn same<T>(some: &[Arc<T>], others: &[Arc<T>]) -> bool {
    some.len() == others.len() && some.iter().zip(others).all(|(a, b)| Arc::ptr_eq(a, b))
}
