//! From target groups and targets to pools.
//!
//! A pool is looked at again only when its group, its targets, its load balancer or the inventory has changed,
//! so that a change costs what it changes and not what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use engine::{Endpoint, EndpointState, Pool, PoolId};
use model::ec2::{Instance, InstanceId, Subnet, SubnetId};
use model::health_check::HealthCheckPort;
use model::id::{RegistrationId, TargetGroupId};
use model::load_balancer::LoadBalancer;
use model::target::{Target, TargetKey};
use model::target_group::TargetGroup;

use super::{pool_settings, same};
use crate::elb::standing::{Standing, Surroundings};
use crate::record::Table;
use crate::state::State;

/// The pools of the target groups that some rule forwards to, and what is known about registrations.
#[derive(Default)]
pub(crate) struct Pools {
    by_group: BTreeMap<TargetGroupId, Arc<LoweredPool>>,
    /// The registrations that drain and have had requests: those may have to be cut.
    draining: Arc<BTreeMap<RegistrationId, Arc<EndpointState>>>,
    /// The `EndpointState::id` of the latest state.
    last_endpoint: u64,
    inventory: Inventory,
}

/// A pool with everything it was made from, except for the inventory.
struct LoweredPool {
    group: Arc<TargetGroup>,
    user: Option<Arc<LoadBalancer>>,
    /// Draining ones included.
    targets: Vec<Arc<Target>>,
    /// Of each target that is in use.
    states: BTreeMap<RegistrationId, Arc<EndpointState>>,
    pool: Arc<Pool>,
}

/// What the standing of every target rests on.
#[derive(Default)]
struct Inventory {
    targets: Table<TargetKey, Target>,
    instances: Table<InstanceId, Instance>,
    subnets: Table<SubnetId, Subnet>,
    load_balancer_addresses: BTreeSet<Ipv4Addr>,
}

impl Inventory {
    fn of(state: &State) -> Self {
        Self {
            targets: Arc::clone(&state.elb.targets),
            instances: Arc::clone(&state.ec2.instances),
            subnets: Arc::clone(&state.ec2.subnets),
            load_balancer_addresses: state.elb.addresses(),
        }
    }

    fn has_targets_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.targets, &other.targets)
    }

    /// Whether a target that has not changed stands as it stood.
    fn locates_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.instances, &other.instances)
            && Arc::ptr_eq(&self.subnets, &other.subnets)
            && self.load_balancer_addresses == other.load_balancer_addresses
    }
}

/// The pools of `state`.
pub(super) fn lower(state: &State, before: &Pools) -> Pools {
    let mut lowering = Lowering {
        state,
        before,
        surroundings: Surroundings::of(state),
        inventory: Inventory::of(state),
        last_endpoint: before.last_endpoint,
    };
    let users = state.elb.users().into_iter();
    let by_group =
        users.map(|(id, user)| (id, lowering.pool(id, state.elb.load_balancers.get(&user))));
    Pools {
        by_group: by_group.collect(),
        draining: lowering.draining(),
        last_endpoint: lowering.last_endpoint,
        inventory: lowering.inventory,
    }
}

impl Pools {
    /// The pool of a target group to which some rule forwards.
    ///
    /// # Panics
    /// If none does.
    pub(super) fn of(&self, group: TargetGroupId) -> &Arc<Pool> {
        &self.by_group[&group].pool
    }

    /// All of them, by target group.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Pool>> {
        self.by_group.values().map(|lowered| &lowered.pool)
    }

    /// What is known about the present registration of a target that is in use or draining.
    pub(super) fn endpoint_state(&self, target: &Target) -> Option<&Arc<EndpointState>> {
        let in_use = self.by_group.get(&target.key.target_group);
        in_use
            .and_then(|lowered| lowered.states.get(&target.registration))
            .or_else(|| self.draining.get(&target.registration))
    }

    /// Stops new requests at registrations that drain, or that have left a pool.
    pub(super) fn start_draining(&self, before: &Self) {
        for endpoint in self.draining.values() {
            endpoint.start_draining();
        }
        // A pool that nobody uses any more goes on serving those who still have the old snapshot: they have
        // no other. Only a target that leaves a pool which stays is passed over at once.
        for (id, known) in &before.by_group {
            let Some(present) = self.by_group.get(id).filter(|it| !Arc::ptr_eq(it, known)) else {
                continue;
            };
            for (registration, endpoint) in &known.states {
                if !present.states.contains_key(registration) {
                    endpoint.start_draining();
                }
            }
        }
    }
}

struct Lowering<'a> {
    state: &'a State,
    before: &'a Pools,
    surroundings: Surroundings<'a>,
    inventory: Inventory,
    last_endpoint: u64,
}

impl Lowering<'_> {
    fn pool(&mut self, id: TargetGroupId, user: Option<&Arc<LoadBalancer>>) -> Arc<LoweredPool> {
        let group = self.state.elb.target_groups.get(&id);
        let group = group.expect("a target group in use cannot be deleted");
        match self.before.by_group.get(&id) {
            Some(known) if self.is_as_before(known, group, user) => Arc::clone(known),
            known => Arc::new(self.changed_pool(group, user, known)),
        }
    }

    fn is_as_before(
        &self,
        known: &LoweredPool,
        group: &Arc<TargetGroup>,
        user: Option<&Arc<LoadBalancer>>,
    ) -> bool {
        let has_same_targets = || {
            let targets = self.state.elb.targets_of(group.arn.id);
            targets
                .map(Arc::as_ptr)
                .eq(known.targets.iter().map(Arc::as_ptr))
        };
        Arc::ptr_eq(&known.group, group)
            && same(known.user.as_slice(), user.cloned().as_slice())
            && self.inventory.locates_as(&self.before.inventory)
            && (self.inventory.has_targets_of(&self.before.inventory) || has_same_targets())
    }

    fn changed_pool(
        &mut self,
        group: &Arc<TargetGroup>,
        user: Option<&Arc<LoadBalancer>>,
        known: Option<&Arc<LoweredPool>>,
    ) -> LoweredPool {
        let id = group.arn.id;
        let targets: Vec<_> = self.state.elb.targets_of(id).cloned().collect();
        let known_endpoints = known.into_iter().flat_map(|known| &known.pool.endpoints);
        let known_endpoints: BTreeMap<_, _> =
            known_endpoints.map(|it| (it.state.id(), it)).collect();
        let mut states = BTreeMap::new();
        let mut endpoints = Vec::with_capacity(targets.len());
        for target in &targets {
            let standing = self
                .surroundings
                .standing(target, group, user.map(Arc::as_ref));
            let Standing::InUse(address) = standing else {
                continue;
            };
            let state = self.state_of(target.registration, known);
            states.insert(target.registration, Arc::clone(&state));
            let wanted = Endpoint {
                address,
                check_address: check_address(address, group),
                zone: self.surroundings.zone(target, group).map(Arc::from),
                key: endpoint_key(id, &target.key.id, target.key.port),
                state,
            };
            let same = known_endpoints.get(&wanted.state.id());
            let same = same.filter(|known| is_same(known, &wanted));
            endpoints.push(same.map_or_else(|| Arc::new(wanted), |known| Arc::clone(known)));
        }
        LoweredPool {
            group: Arc::clone(group),
            user: user.cloned(),
            pool: lower_pool(group, endpoints, known.map(|known| &known.pool)),
            targets,
            states,
        }
    }

    /// The same registration in use without interruption keeps its state.
    fn state_of(
        &mut self,
        registration: RegistrationId,
        known: Option<&Arc<LoweredPool>>,
    ) -> Arc<EndpointState> {
        let known = known.and_then(|known| known.states.get(&registration));
        known.cloned().unwrap_or_else(|| {
            self.last_endpoint += 1;
            Arc::new(EndpointState::new(self.last_endpoint))
        })
    }

    fn draining(&self) -> Arc<BTreeMap<RegistrationId, Arc<EndpointState>>> {
        if self.inventory.has_targets_of(&self.before.inventory) {
            return Arc::clone(&self.before.draining);
        }
        let targets = self.state.elb.targets.values();
        let draining = targets.filter(|target| target.is_draining());
        let known = draining.filter_map(|target| {
            let state = self.before.endpoint_state(target)?;
            Some((target.registration, Arc::clone(state)))
        });
        Arc::new(known.collect())
    }
}

fn is_same(known: &Endpoint, wanted: &Endpoint) -> bool {
    Arc::ptr_eq(&known.state, &wanted.state)
        && known.address == wanted.address
        && known.check_address == wanted.check_address
        && known.zone == wanted.zone
}

fn check_address(address: SocketAddr, group: &TargetGroup) -> SocketAddr {
    match group.health_check.port {
        HealthCheckPort::TrafficPort => address,
        HealthCheckPort::Port(port) => SocketAddr::new(address.ip(), port),
    }
}

/// What names the target in cookies: FNV-1a over the group's id and the target's id and port.
///
/// It is in cookies that outlive this process, so it never changes. Source: draft-eastlake-fnv.
fn endpoint_key(group: TargetGroupId, id: &str, port: u16) -> u64 {
    let (group, port) = (group.0.to_be_bytes(), port.to_be_bytes());
    let parts = [&group[..], &port, id.as_bytes()];
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    parts.into_iter().flatten().fold(0xcbf2_9ce4_8422_2325, mix)
}

fn lower_pool(
    group: &TargetGroup,
    endpoints: Vec<Arc<Endpoint>>,
    known: Option<&Arc<Pool>>,
) -> Arc<Pool> {
    let settings = pool_settings::of(group);
    if let Some(pool) = known {
        let has_same_endpoints = same(&pool.endpoints, &endpoints);
        if has_same_endpoints && pool.settings == settings {
            return Arc::clone(pool);
        }
    }
    let id = PoolId(group.arn.id.0);
    Arc::new(Pool::new(id, settings, endpoints, known.map(Arc::as_ref)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cookies hold these numbers: another one would end the sessions of all clients.
    #[test]
    fn the_keys_of_targets_never_change() {
        for (group, id, port, expected) in [
            (
                0x0123_4567_89ab_cdef,
                "i-0123456789abcdef0",
                80,
                0xe5a5_3582_a8d9_34fd,
            ),
            (
                0x0123_4567_89ab_cdef,
                "i-0123456789abcdef0",
                81,
                0x42d6_3ba1_9e21_45c8,
            ),
            (0x0123_4567_89ab_cdee, "10.0.0.1", 80, 0x6743_5eef_4be0_f5ba),
        ] {
            let key = endpoint_key(TargetGroupId(group), id, port);
            assert_eq!(key, expected, "{id}:{port}");
        }
    }
}
