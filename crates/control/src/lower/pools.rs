//! From target groups and targets to pools.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use engine::{Endpoint, EndpointState, Pool, PoolId, PoolSettings};
use imbl::OrdMap;
use model::ec2::Instance;
use model::id::{LoadBalancerId, RegistrationId, TargetGroupId};
use model::target::{Target, TargetKey};
use model::target_group::TargetGroup;

use super::changes::{Users, changed_groups};
use super::reach::{InstanceAddresses, Judge, Judgements, View, follow_instances};
use super::{pool_settings, same};
use crate::elb::standing::{Standing, Surroundings};
use crate::record::changed;
use crate::state::State;
use crate::zonal_shift::state::ShiftedZones;

/// The pools of the target groups that some rule forwards to or sends copies to, and what is known about
/// registrations.
#[derive(Clone, Default)]
pub(crate) struct Pools {
    by_group: OrdMap<TargetGroupId, Arc<LoweredPool>>,
    users: Arc<Users>,
    draining: OrdMap<TargetKey, Draining>,
    instances: InstanceAddresses,
    /// The `EndpointState::id` of the latest state.
    last_endpoint: u64,
}

/// A pool, and what is known about its targets.
struct LoweredPool {
    /// Of each target that is in use.
    states: BTreeMap<RegistrationId, Arc<EndpointState>>,
    /// What says which connections get through to them.
    judgements: Judgements,
    pool: Arc<Pool>,
}

/// A target that has been deregistered.
#[derive(Clone)]
struct Draining {
    target: Arc<Target>,
    /// `None` if it has never been in use, so that it has no requests.
    state: Option<Arc<EndpointState>>,
}

/// The pools of `state`; `old` is the state that `before` was made from.
pub(super) fn lower(
    (state, shifted_zones): (&State, &ShiftedZones<'_>),
    old: &State,
    before: &Pools,
) -> Pools {
    let has_same_users =
        state.elb.listeners.ptr_eq(&old.elb.listeners) && state.elb.rules.ptr_eq(&old.elb.rules);
    let users = match has_same_users {
        true => Arc::clone(&before.users),
        false => Arc::new(state.elb.users()),
    };
    let mut lowered = Pools {
        users: Arc::clone(&users),
        ..before.clone()
    };
    lowered.follow_draining(state, old, before);
    follow_instances(&mut lowered.instances, &old.ec2, &state.ec2);
    let gone = before
        .users
        .keys()
        .filter(|group| !users.contains_key(group));
    for group in gone {
        lowered.by_group.remove(group);
    }
    let mut dirty = changed_groups((old, &before.users), (state, &users));
    if has_other_rules(old, state) {
        dirty.extend(lowered.judged_otherwise(state));
    }
    if !dirty.is_empty() {
        let surroundings = Surroundings::of(state);
        for group in dirty {
            let user = users[&group];
            let shifted_zone = shifted_zones.get(&user).copied();
            let pool = lowered.lower_group(&surroundings, state, group, (user, shifted_zone));
            lowered.by_group.insert(group, Arc::new(pool));
        }
    }
    lowered
}

impl Pools {
    /// None yet; the ids of endpoint states will follow this number.
    pub(super) fn numbered_from(first_endpoint: u64) -> Self {
        Self {
            last_endpoint: first_endpoint,
            ..Self::default()
        }
    }

    /// The pool of a target group to which some rule forwards or sends copies.
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

    /// The target groups whose pools are others than in `before`.
    pub(super) fn changed_since(&self, before: &Self) -> impl Iterator<Item = TargetGroupId> {
        let changed = changed(&before.by_group, &self.by_group);
        changed.copied().collect::<Vec<_>>().into_iter()
    }

    /// The targets that have been deregistered and not yet removed.
    pub(crate) fn draining(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.draining.values().map(|draining| &draining.target)
    }

    /// What is known about the present registration of a target that is in use or draining.
    pub(super) fn endpoint_state(&self, target: &Target) -> Option<&Arc<EndpointState>> {
        let in_use = self.by_group.get(&target.key.target_group);
        let in_use = in_use.and_then(|lowered| lowered.states.get(&target.registration));
        in_use.or_else(|| {
            let draining = self.draining.get(&target.key)?;
            let is_same = draining.target.registration == target.registration;
            draining.state.as_ref().filter(|_| is_same)
        })
    }

    /// Which load balancer sends requests, or copies of them, to each target group.
    pub(super) fn users(&self) -> &Users {
        &self.users
    }

    /// The instance that has this address.
    pub(super) fn instance_at(&self, address: IpAddr) -> Option<&Instance> {
        self.instances.get(&address).map(Arc::as_ref)
    }

    /// Stops new requests at registrations that drain, or that have left a pool.
    pub(super) fn start_draining(&self, before: &Self) {
        for draining in self.draining.values() {
            draining
                .state
                .iter()
                .for_each(|state| state.start_draining());
        }
        // A pool that nobody uses any more goes on serving those who still have the old snapshot: they have
        // no other. Only a target that leaves a pool which stays is passed over at once.
        for group in changed(&before.by_group, &self.by_group) {
            let both = (before.by_group.get(group), self.by_group.get(group));
            let (Some(known), Some(present)) = both else {
                continue;
            };
            for (registration, endpoint) in &known.states {
                if !present.states.contains_key(registration) {
                    endpoint.start_draining();
                }
            }
        }
    }

    fn follow_draining(&mut self, state: &State, old: &State, before: &Self) {
        for key in changed(&old.elb.targets, &state.elb.targets) {
            match state
                .elb
                .targets
                .get(key)
                .filter(|target| target.is_draining())
            {
                Some(target) => {
                    let draining = Draining {
                        target: Arc::clone(target),
                        state: before.endpoint_state(target).cloned(),
                    };
                    self.draining.insert(key.clone(), draining);
                }
                None => {
                    self.draining.remove(key);
                }
            }
        }
    }

    /// The target groups to whose targets other connections get through than before, because rules have changed.
    fn judged_otherwise(&self, state: &State) -> Vec<TargetGroupId> {
        let mut views = BTreeMap::new();
        let mut holds = |(group, lowered): &(&TargetGroupId, &Arc<LoweredPool>)| {
            let user = self.users[*group];
            let view = views
                .entry(user)
                .or_insert_with(|| View::of(&state.ec2, &state.elb.load_balancers[&user]));
            lowered.judgements.hold(&state.ec2, view)
        };
        let otherwise = self.by_group.iter().filter(|it| !holds(it));
        otherwise.map(|(group, _)| *group).collect()
    }

    fn lower_group(
        &mut self,
        surroundings: &Surroundings<'_>,
        state: &State,
        id: TargetGroupId,
        (user, shifted_zone): (LoadBalancerId, Option<&str>),
    ) -> LoweredPool {
        let group = state.elb.target_groups.get(&id);
        let group = group.expect("a target group in use cannot be deleted");
        let user = state.elb.load_balancers.get(&user);
        let user = user.expect("a rule is deleted with its load balancer");
        let instances = self.instances.clone();
        let mut judge = Judge::new(&state.ec2, user, &instances);
        let known = self.by_group.get(&id).cloned();
        let known_endpoints = known.iter().flat_map(|known| &known.pool.endpoints);
        let known_endpoints: BTreeMap<_, _> =
            known_endpoints.map(|it| (it.state.id(), it)).collect();
        let mut states = BTreeMap::new();
        let mut endpoints = Vec::new();
        for target in state.elb.targets_of(id) {
            let Standing::InUse(address) = surroundings.standing(target, group, Some(user)) else {
                continue;
            };
            let state = self.state_of(target.registration, known.as_deref());
            states.insert(target.registration, Arc::clone(&state));
            let check_port = group.health_check.port.beside(address.port());
            let wanted = Endpoint {
                address,
                check_address: SocketAddr::new(address.ip(), check_port),
                reach: judge.reach(address, check_port),
                zone: surroundings.zone(target, group).map(Arc::from),
                key: endpoint_key(id, &target.key.id, target.key.port),
                state,
            };
            let same = known_endpoints.get(&wanted.state.id());
            let same = same.filter(|known| is_same(known, &wanted));
            endpoints.push(same.map_or_else(|| Arc::new(wanted), |known| Arc::clone(known)));
        }
        let settings = pool_settings::of(group, shifted_zone);
        let pool = lower_pool(
            group,
            settings,
            endpoints,
            known.as_ref().map(|known| &known.pool),
        );
        LoweredPool {
            states,
            judgements: judge.into_judgements(),
            pool,
        }
    }

    /// The same registration in use without interruption keeps its state.
    fn state_of(
        &mut self,
        registration: RegistrationId,
        known: Option<&LoweredPool>,
    ) -> Arc<EndpointState> {
        let known = known.and_then(|known| known.states.get(&registration));
        known.cloned().unwrap_or_else(|| {
            self.last_endpoint += 1;
            Arc::new(EndpointState::new(self.last_endpoint))
        })
    }
}

/// Whether it is the same pool with the same states.
impl PartialEq for LoweredPool {
    fn eq(&self, other: &Self) -> bool {
        // What is known about a target can change without the pool only together with its registration, which
        // gives the pool another endpoint.
        Arc::ptr_eq(&self.pool, &other.pool)
    }
}

fn is_same(known: &Endpoint, wanted: &Endpoint) -> bool {
    Arc::ptr_eq(&known.state, &wanted.state)
        && known.address == wanted.address
        && known.check_address == wanted.check_address
        && known.zone == wanted.zone
        && known.reach == wanted.reach
}

/// Whether security groups or the lists that they name may have other rules.
fn has_other_rules(old: &State, new: &State) -> bool {
    let (old, new) = (&old.ec2, &new.ec2);
    !old.security_groups.ptr_eq(&new.security_groups) || !old.prefix_lists.ptr_eq(&new.prefix_lists)
}

/// What names the target in cookies: FNV-1a over the group's id and the target's id and port.
///
/// It is in cookies that outlive this process, so it never changes. Source: draft-eastlake-fnv.
#[must_use]
pub fn endpoint_key(group: TargetGroupId, id: &str, port: u16) -> u64 {
    let (group, port) = (group.0.to_be_bytes(), port.to_be_bytes());
    let parts = [&group[..], &port, id.as_bytes()];
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    parts.into_iter().flatten().fold(0xcbf2_9ce4_8422_2325, mix)
}

fn lower_pool(
    group: &TargetGroup,
    settings: PoolSettings,
    endpoints: Vec<Arc<Endpoint>>,
    known: Option<&Arc<Pool>>,
) -> Arc<Pool> {
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
