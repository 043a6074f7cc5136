//! Which target groups a load balancer can forward to, and how many.

use std::collections::BTreeMap;

use model::arn::TargetGroupArn;
use model::id::LoadBalancerId;
use model::listener::Listener;
use model::load_balancer::LoadBalancer;
use model::protocol::{IpAddressType, Protocol, TargetGroupIpAddressType};
use model::target_group::{ProtocolVersion, TargetGroup};

use super::{ElbError, authentication};
use crate::settings::Limits;
use crate::state::State;

/// Whether `load_balancer` can send requests to these target groups, which exist.
pub(super) fn check<'a>(
    state: &State,
    load_balancer: &LoadBalancer,
    target_groups: impl IntoIterator<Item = &'a TargetGroupArn>,
) -> Result<(), ElbError> {
    let users = state.elb.users();
    let mut elsewhere = Vec::new();
    let mut taken = Vec::new();
    for arn in target_groups {
        let group = &state.elb.target_groups[&arn.id];
        check_family(load_balancer, group)?;
        if group.vpc_id != load_balancer.vpc_id {
            elsewhere.push(arn);
        }
        if users
            .get(&arn.id)
            .is_some_and(|user| *user != load_balancer.arn.id)
        {
            taken.push(arn);
        }
    }
    if !elsewhere.is_empty() {
        return Err(ElbError::InvalidConfigurationRequest(format!(
            "The following target groups are in a different VPC than load balancer '{}': {}",
            load_balancer.arn,
            list(&elsewhere)
        )));
    }
    if !taken.is_empty() {
        return Err(ElbError::TargetGroupAssociationLimit(format!(
            "The following target groups cannot be associated with more than one load balancer: {}",
            list(&taken)
        )));
    }
    Ok(())
}

/// Whether a load balancer can reach all groups that it sends requests to with its present addresses.
pub(super) fn check_address_type(
    state: &State,
    load_balancer: &LoadBalancer,
) -> Result<(), ElbError> {
    let groups = state.elb.target_groups_of(load_balancer.arn.id);
    let mut groups = groups.iter().map(|id| &state.elb.target_groups[id]);
    groups.try_for_each(|group| check_family(load_balancer, group))
}

/// Source: ALB guide, "Target group IP address type".
fn check_family(load_balancer: &LoadBalancer, group: &TargetGroup) -> Result<(), ElbError> {
    match (load_balancer.ip_address_type, group.ip_address_type) {
        (IpAddressType::Ipv4, TargetGroupIpAddressType::Ipv6) => {
            Err(ElbError::InvalidConfigurationRequest(
                "You cannot associate an IPv6 target group with a load balancer that has an 'ipv4' IP address type"
                    .to_owned(),
            ))
        }
        _ => Ok(()),
    }
}

/// Whether every group that the rules of this listener forward to can be spoken to from it: HTTP/2 and gRPC
/// reach only listeners with TLS, and only from rules that do nothing but forward.
///
/// Source: ALB guide, "Protocol version".
pub(super) fn check_protocols(state: &State, listener: &Listener) -> Result<(), ElbError> {
    let rules = state.elb.rules_of(listener.arn.id).into_iter();
    let by_rules = rules.map(|rule| &rule.actions);
    let mut wrong = Vec::new();
    for actions in by_rules.chain([&listener.default_actions]) {
        let is_beyond_http1 = |arn: &&TargetGroupArn| {
            let group = &state.elb.target_groups[&arn.id];
            group.protocol_version != ProtocolVersion::Http1
        };
        let groups: Vec<_> = actions.target_groups().filter(is_beyond_http1).collect();
        if let Some(action) = actions.authentication.as_ref()
            && !groups.is_empty()
        {
            return Err(ElbError::InvalidLoadBalancerAction(format!(
                "Actions of type '{}' cannot be specified with the following target groups, whose protocol \
                 version supports only actions of type 'forward': {}",
                authentication::type_of(&action.method),
                list(&groups)
            )));
        }
        wrong.extend(groups);
    }
    match listener.protocol == Protocol::Https || wrong.is_empty() {
        true => Ok(()),
        false => Err(ElbError::IncompatibleProtocols(format!(
            "The listener and the following target groups have incompatible protocols: {}",
            list(&wrong)
        ))),
    }
}

fn list(arns: &[&TargetGroupArn]) -> String {
    let texts: Vec<_> = arns.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

/// Whether a load balancer is within its limits after a change: groups, targets, and registrations of one
/// target.
pub(super) fn check_limits(
    state: &State,
    limits: &Limits,
    load_balancer: LoadBalancerId,
) -> Result<(), ElbError> {
    let groups = state.elb.target_groups_of(load_balancer);
    if groups.len() > limits.target_groups_per_load_balancer {
        return Err(ElbError::TooManyUniqueTargetGroupsPerLoadBalancer(format!(
            "You have reached the maximum number of unique target groups that you can associate with a load balancer \
             of type 'application': [{}]",
            limits.target_groups_per_load_balancer
        )));
    }
    let mut count = 0;
    let mut registrations: BTreeMap<&str, usize> = BTreeMap::new();
    let targets = groups.iter().flat_map(|group| state.elb.targets_of(*group));
    for target in targets.filter(|target| !target.is_draining()) {
        count += 1;
        *registrations.entry(&target.key.id).or_default() += 1;
    }
    if count > limits.targets_per_load_balancer {
        return Err(ElbError::TooManyTargets(format!(
            "The maximum number of targets per load balancer '{}' has been reached on load balancer '{}'",
            limits.targets_per_load_balancer, state.elb.load_balancers[&load_balancer].arn
        )));
    }
    let limit = limits.registrations_per_target_id;
    match registrations.iter().find(|(_, count)| **count > limit) {
        Some((id, _)) => Err(ElbError::TooManyRegistrationsForTargetId(format!(
            "The target '{id}' can be registered at most {limit} times with a load balancer"
        ))),
        None => Ok(()),
    }
}
