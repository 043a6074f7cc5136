//! From the targets of a request to the keys they are registered under.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use model::ec2::{Instance, InstanceId, VpcId};
use model::protocol::TargetGroupIpAddressType;
use model::target::{Target, TargetKey};
use model::target_group::{TargetGroup, TargetType};

use super::input::TargetDescription;
use super::{ElbError, check, standing};
use crate::State;
use crate::ec2::lookups;

/// The key of a target of this group. The target need not be registered, and an instance need not exist.
pub(super) fn key(group: &TargetGroup, target: &TargetDescription) -> Result<TargetKey, ElbError> {
    let port = check::port("targets.port", target.port)?.unwrap_or(group.port);
    if target.id.is_empty() {
        let what = match group.target_type {
            TargetType::Instance => "An instance ID",
            TargetType::Ip | TargetType::Lambda | TargetType::Alb => "An IP address",
        };
        return Err(ElbError::Validation(format!("{what} must be specified")));
    }
    if target.quic_server_id.is_some() {
        return Err(ElbError::Validation(
            "QuicServerId can only be specified for target groups with the QUIC or TCP_QUIC protocol"
                .to_owned(),
        ));
    }
    if group.target_type == TargetType::Instance && target.availability_zone.is_some() {
        return Err(ElbError::Validation(format!(
            "An Availability Zone cannot be specified for the target '{}', because the target type of the target \
             group is 'instance'",
            target.id
        )));
    }
    let id = match group.target_type {
        TargetType::Instance => target.id.clone(),
        TargetType::Ip | TargetType::Lambda | TargetType::Alb => {
            address(group, &target.id)?.to_string()
        }
    };
    Ok(TargetKey {
        target_group: group.arn.id,
        id,
        port,
    })
}

/// The registered target that `named` means: a zone that is named as well has to be the target's.
pub(super) fn registered<'a>(
    state: &'a State,
    key: &TargetKey,
    named: &TargetDescription,
) -> Option<&'a Arc<Target>> {
    let target = state.find::<Target>(key)?;
    let zone = named.availability_zone.as_deref();
    let is_meant = zone.is_none_or(|zone| standing::zone_of_address(state, target) == Some(zone));
    is_meant.then_some(target)
}

/// The address that a target of this group is named by; it is of the group's family.
pub(super) fn address(group: &TargetGroup, id: &str) -> Result<IpAddr, ElbError> {
    let (address, family) = match group.ip_address_type {
        TargetGroupIpAddressType::Ipv4 => (id.parse::<Ipv4Addr>().map(IpAddr::from), "IPv4"),
        TargetGroupIpAddressType::Ipv6 => (id.parse::<Ipv6Addr>().map(IpAddr::from), "IPv6"),
    };
    address.map_err(|_| {
        ElbError::Validation(format!(
            "The IP address '{id}' is not a valid {family} address"
        ))
    })
}

/// The instance that a target is named by.
pub(super) fn instance<'a>(state: &'a State, id: &str) -> Result<&'a Arc<Instance>, ElbError> {
    lookups::instance(&state.ec2, id).ok_or_else(|| invalid_instance(id))
}

/// Refuses what can name no instance, there or not.
pub(super) fn check_instance_id(id: &str) -> Result<(), ElbError> {
    match id.parse::<InstanceId>() {
        Ok(_) => Ok(()),
        Err(_) => Err(invalid_instance(id)),
    }
}

fn invalid_instance(id: &str) -> ElbError {
    ElbError::InvalidTarget(format!("The instance ID '{id}' is not valid"))
}

/// Where an address lies as seen from a VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// In a subnet of the VPC, in this zone.
    Inside(String),
    /// On the machine itself, of a VPC that is on its loopback addresses.
    Loopback,
    /// Outside of the VPC's subnets, in a block for private use.
    Private,
    /// Anywhere else.
    Public,
}

/// Where `address` lies as seen from the VPC of `group`.
pub(super) fn locate(state: &State, group: &TargetGroup, address: IpAddr) -> Location {
    let subnet = lookups::subnet_of(&state.ec2, address);
    match subnet.filter(|subnet| subnet.vpc_id == group.vpc_id) {
        Some(subnet) => Location::Inside(subnet.zone.name.clone()),
        // AWS has no such targets. On a laptop they are what one is developing.
        None if address.is_loopback() && is_on_loopback(state, &group.vpc_id) => Location::Loopback,
        None if is_private(address) => Location::Private,
        None => Location::Public,
    }
}

/// Whether the subnets of a VPC are loopback addresses.
fn is_on_loopback(state: &State, vpc_id: &VpcId) -> bool {
    let mut subnets = state
        .ec2
        .subnets
        .values()
        .filter(|subnet| subnet.vpc_id == *vpc_id);
    subnets.any(|subnet| subnet.cidr.network().is_loopback())
}

/// Whether an address is one of RFC 1918, RFC 6598 (100.64.0.0/10) or RFC 4193.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            v4.is_private() || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}
