//! What is different between two states, and so has to be lowered again.
//!
//! It follows from the two states alone: nobody says what a change was, and a first start is a change from the
//! empty state. Whatever a pool or a frontend is made from has to be looked at here, except for the rules of security
//! groups: `admissions` and `reach` look at these.

use std::collections::{BTreeMap, BTreeSet};

use model::ec2::InstanceId;
use model::id::{ListenerId, LoadBalancerId, TargetGroupId};
use model::load_balancer::LoadBalancerZone;

use crate::record::changed;
use crate::state::State;

/// Which load balancer sends requests, or copies of them, to each target group.
pub(crate) type Users = BTreeMap<TargetGroupId, LoadBalancerId>;

/// The target groups in use whose pools may be others than before.
pub(super) fn changed_groups(
    before: (&State, &Users),
    after: (&State, &Users),
) -> BTreeSet<TargetGroupId> {
    let (old, old_users) = before;
    let (new, users) = after;
    let targets = changed(&old.elb.targets, &new.elb.targets).map(|key| key.target_group);
    let groups = changed(&old.elb.target_groups, &new.elb.target_groups).copied();
    let mut dirty: BTreeSet<_> = targets.chain(groups).collect();
    let has_another_user =
        |(group, user): &(&TargetGroupId, &LoadBalancerId)| old_users.get(*group) != Some(*user);
    dirty.extend(
        users
            .iter()
            .filter(has_another_user)
            .map(|(group, _)| *group),
    );
    let load_balancers = changed_load_balancers(old, new);
    if !load_balancers.is_empty() {
        let is_changed = |(_, user): &(_, &LoadBalancerId)| load_balancers.contains(user);
        dirty.extend(users.iter().filter(is_changed).map(|(group, _)| *group));
    }
    let ids = changed_target_ids(old, new, &load_balancers);
    if !ids.is_empty() {
        let keys = new.elb.targets.keys();
        dirty.extend(
            keys.filter(|key| ids.contains(&key.id))
                .map(|key| key.target_group),
        );
    }
    if changed(&old.ec2.subnets, &new.ec2.subnets).next().is_some() {
        dirty.extend(users.keys());
    }
    dirty.retain(|group| users.contains_key(group));
    dirty
}

/// The instances that have changed, with their addresses, and the addresses that load balancers have taken or given
/// back: all of them can be the ids of targets.
fn changed_target_ids(
    old: &State,
    new: &State,
    load_balancers: &BTreeSet<LoadBalancerId>,
) -> BTreeSet<String> {
    let addresses = |state: &State| -> BTreeSet<String> {
        let known = load_balancers.iter();
        let known = known.filter_map(|id| state.elb.load_balancers.get(id));
        let zones = known.flat_map(|load_balancer| &load_balancer.zones);
        let addresses = zones.flat_map(LoadBalancerZone::addresses);
        addresses.map(|address| address.to_string()).collect()
    };
    let (before, after) = (addresses(old), addresses(new));
    let moved = before.symmetric_difference(&after).cloned();
    let instances = changed(&old.ec2.instances, &new.ec2.instances);
    let ids = |id: &InstanceId| {
        let both = [old, new].into_iter();
        let both = both.filter_map(|state| state.ec2.instances.get(id));
        let addresses = both.flat_map(|instance| instance.addresses());
        let addresses = addresses.map(|address| address.to_string());
        addresses.chain([id.to_string()]).collect::<Vec<_>>()
    };
    instances.flat_map(ids).chain(moved).collect()
}

/// Those that are others than before, or whose traffic may be shifted away from another zone.
fn changed_load_balancers(old: &State, new: &State) -> BTreeSet<LoadBalancerId> {
    let shift = |id| {
        let present = new.zonal_shift.shifts.get(id);
        present.or_else(|| old.zonal_shift.shifts.get(id))
    };
    let shifts = changed(&old.zonal_shift.shifts, &new.zonal_shift.shifts).filter_map(shift);
    changed(&old.elb.load_balancers, &new.elb.load_balancers)
        .copied()
        .chain(shifts.map(|shift| shift.resource.id))
        .collect()
}

/// The listeners whose frontends may be others than before, except for who may connect and which pools they
/// forward to.
pub(super) fn changed_listeners(old: &State, new: &State) -> BTreeSet<ListenerId> {
    let listeners = changed(&old.elb.listeners, &new.elb.listeners).copied();
    let rules = changed(&old.elb.rules, &new.elb.rules).map(|key| key.listener);
    let mut dirty: BTreeSet<_> = listeners.chain(rules).collect();
    let load_balancers = changed_load_balancers(old, new);
    let has_other_tls = changed(&old.acm.certificates, &new.acm.certificates)
        .next()
        .is_some()
        || changed(&old.elb.trust_stores, &new.elb.trust_stores)
            .next()
            .is_some()
        || changed(&old.elb.revocations, &new.elb.revocations)
            .next()
            .is_some();
    if has_other_tls || !load_balancers.is_empty() {
        let listeners = new.elb.listeners.values().filter(|listener| {
            load_balancers.contains(&listener.arn.load_balancer.id)
                || has_other_tls && listener.tls.is_some()
        });
        dirty.extend(listeners.map(|listener| listener.arn.id));
    }
    dirty
}
