//! `RegisterTargets`: targets that may get requests once they are healthy.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::id::RegistrationId;
use model::protocol::TargetGroupIpAddressType;
use model::target::{Target, TargetKey, TargetPhase};
use model::target_group::{TargetGroup, TargetType};
use model::target_group_attributes;

use super::input::TargetDescription;
use super::standing::ALL_ZONES;
use super::target_ids::{self, Location};
use super::{ElbError, find, forwarding};
use crate::{Control, Draft, State};

/// Source: ELB API, `RegisterTargets`.
#[derive(Clone, Debug, Default)]
pub struct RegisterTargets {
    /// `TargetGroupArn`.
    pub target_group_arn: String,
    /// `Targets`.
    pub targets: Vec<TargetDescription>,
}

impl Control {
    /// Registers targets. One that is registered stays as it is but for its zone; one that drains starts anew.
    ///
    /// # Errors
    /// `TargetGroupNotFound`, `InvalidTarget`, `TooManyTargets`, `TooManyRegistrationsForTargetId`,
    /// `Validation`.
    pub async fn register_targets(&self, input: RegisterTargets) -> Result<(), ElbError> {
        self.transact(move |draft| register(draft, &input)).await
    }
}

fn register(draft: &mut Draft, input: &RegisterTargets) -> Result<(), ElbError> {
    let group = Arc::clone(find::target_group(draft.state(), &input.target_group_arn)?);
    if input.targets.is_empty() {
        return Err(ElbError::Validation(
            "At least one target must be specified".to_owned(),
        ));
    }
    let keys = input.targets.iter().map(|it| target_ids::key(&group, it));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    check_running(draft.state(), &group, &input.targets)?;
    for (key, target) in keys.into_iter().zip(&input.targets) {
        let zone = zone(draft.state(), &group, target)?;
        put(draft, key, zone);
    }
    let limits = draft.settings().limits.clone();
    let targets = draft.state().elb.targets_of(group.arn.id);
    if targets.filter(|target| !target.is_draining()).count() > limits.targets_per_target_group {
        return Err(ElbError::TooManyTargets(format!(
            "A target group can have at most {} targets",
            limits.targets_per_target_group
        )));
    }
    match draft
        .state()
        .elb
        .user_of(group.arn.id)
        .map(|user| user.arn.id)
    {
        Some(user) => forwarding::check_limits(draft.state(), &limits, user),
        None => Ok(()),
    }
}

/// Refuses instances that do not run, all of them in one message, those of other VPCs, and those without an
/// address of the group's family.
fn check_running(
    state: &State,
    group: &TargetGroup,
    targets: &[TargetDescription],
) -> Result<(), ElbError> {
    if group.target_type != TargetType::Instance {
        return Ok(());
    }
    let mut stopped = Vec::new();
    let mut elsewhere = Vec::new();
    let mut without_ipv6 = Vec::new();
    for target in targets {
        let instance = target_ids::instance(state, &target.id)?;
        if !instance.is_running() {
            stopped.push(target.id.as_str());
        } else if instance.vpc_id != group.vpc_id {
            elsewhere.push(target.id.as_str());
        } else if group.ip_address_type == TargetGroupIpAddressType::Ipv6
            && instance.primary_ipv6_address().is_none()
        {
            without_ipv6.push(target.id.as_str());
        }
    }
    if !stopped.is_empty() {
        return Err(ElbError::InvalidTarget(format!(
            "The following targets are not in a running state and cannot be registered: '{}'",
            stopped.join("', '")
        )));
    }
    if !elsewhere.is_empty() {
        return Err(ElbError::InvalidTarget(format!(
            "The following targets are not in the target group VPC '{}': '{}'",
            group.vpc_id,
            elsewhere.join("', '")
        )));
    }
    if !without_ipv6.is_empty() {
        return Err(ElbError::InvalidTarget(format!(
            "The following targets cannot be used with this IPv6 target group because of missing primary IPv6 \
             addresses: '{}'",
            without_ipv6.join("', '")
        )));
    }
    Ok(())
}

/// The zone to keep: what was given for an address, or detected from its subnet; nothing for an instance, which is in
/// its own.
fn zone(
    state: &State,
    group: &TargetGroup,
    target: &TargetDescription,
) -> Result<Option<String>, ElbError> {
    let given = target.availability_zone.as_deref();
    let id = &target.id;
    let located = match group.target_type {
        TargetType::Instance => return Ok(None),
        TargetType::Ip | TargetType::Lambda | TargetType::Alb => {
            target_ids::locate(state, group, target_ids::address(group, id)?)
        }
    };
    match (located, given) {
        (Location::Public, _) => Err(ElbError::Validation(format!(
            "The IP address '{id}' is not allowed, as it must be an address from a VPC subnet, {}",
            match group.ip_address_type {
                TargetGroupIpAddressType::Ipv4 => "RFC1918, or RFC6598",
                TargetGroupIpAddressType::Ipv6 => "or RFC4193",
            }
        ))),
        (Location::Inside(zone), None) => Ok(Some(zone)),
        (Location::Inside(zone), Some(given)) if zone == given => Ok(Some(zone)),
        // The page on `TargetDescription` reads as if a zone were ignored while cross-zone load balancing is on. The
        // API was seen to answer this.
        (Location::Inside(zone), Some(given)) => Err(ElbError::Validation(format!(
            "The IP address '{id}' is within the VPC, and cannot have its Availability Zone overridden to '{given}' \
             from '{zone}'"
        ))),
        (Location::Private | Location::Loopback, given) if !is_cross_zone(group) => {
            // Source: ELB API, `TargetDescription`, `AvailabilityZone`.
            let zones = zones_of(state, group);
            match given.filter(|given| zones.contains(given)) {
                Some(given) => Ok(Some(given.to_owned())),
                None => Err(ElbError::Validation(format!(
                    "The IP address '{id}' is outside of the VPC and cross-zone load balancing is off for the \
                     target group, so its Availability Zone must be one of [{}]",
                    zones.into_iter().collect::<Vec<_>>().join(", ")
                ))),
            }
        }
        (Location::Loopback, None) => Ok(Some(ALL_ZONES.to_owned())),
        (Location::Private | Location::Loopback, Some(ALL_ZONES)) => Ok(Some(ALL_ZONES.to_owned())),
        (Location::Private | Location::Loopback, _) => Err(ElbError::Validation(format!(
            "You must specify a valid Availability Zone or select '{ALL_ZONES}' for all enabled Availability zones, \
             since the IP address '{id}' is outside the VPC"
        ))),
    }
}

fn is_cross_zone(group: &TargetGroup) -> bool {
    group.attributes.value(&target_group_attributes::CROSS_ZONE) != "false"
}

/// The zones in which the VPC of a group has subnets.
fn zones_of<'a>(state: &'a State, group: &TargetGroup) -> BTreeSet<&'a str> {
    let subnets = state.ec2.subnets.values();
    let its = subnets.filter(|subnet| subnet.vpc_id == group.vpc_id);
    its.map(|subnet| subnet.zone.name.as_str()).collect()
}

fn put(draft: &mut Draft, key: TargetKey, availability_zone: Option<String>) {
    let present = draft.state().find::<Target>(&key);
    if let Some(present) = present.filter(|target| !target.is_draining()) {
        if present.availability_zone != availability_zone {
            let moved = Target {
                availability_zone,
                ..Target::clone(present)
            };
            draft.put(moved);
        }
        return;
    }
    // What drains keeps its state, in which it gets no request; the new registration has one of its own.
    let registration = RegistrationId(draft.draw());
    let phase = TargetPhase::Registered;
    draft.put(Target {
        key,
        registration,
        availability_zone,
        phase,
    });
}
