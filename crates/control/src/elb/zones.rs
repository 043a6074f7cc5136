//! Which zones a load balancer is in, and its address in each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use model::ec2::{Subnet, SubnetId, VpcId};
use model::load_balancer::{LoadBalancerZone, Scheme};
use model::protocol::IpAddressType;

use super::ElbError;
use super::input::SubnetMapping;
use crate::ec2::lookups;
use crate::state::State;

/// Free addresses a subnet needs before a load balancer takes one.
///
/// Source: ALB guide, "Subnets for your load balancer". The /27 that it asks for as well is advice: AWS takes a
/// smaller subnet while it has these.
const FREE_ADDRESSES_MIN: u32 = 8;
/// Load balancers begin at this address of a subnet, so that instances find room below.
const FIRST_ADDRESS: u32 = 10;

/// The ids of the subnets of a request, from whichever of the two forms it has.
pub(super) fn subnet_ids(
    subnets: Vec<String>,
    mappings: Vec<SubnetMapping>,
) -> Result<Vec<String>, ElbError> {
    if mappings.is_empty() {
        return Ok(subnets);
    }
    if !subnets.is_empty() {
        let message = "You must specify either subnets or subnet mappings, but not both";
        return Err(ElbError::Validation(message.to_owned()));
    }
    mappings.into_iter().map(subnet_of_mapping).collect()
}

fn subnet_of_mapping(mapping: SubnetMapping) -> Result<String, ElbError> {
    let refused = |message: &str| Err(ElbError::Validation(message.to_owned()));
    if mapping.allocation_id.is_some() {
        return refused("Elastic IPs are not supported for load balancers with type 'application'");
    }
    if mapping.private_ipv4_address.is_some() {
        return refused(
            "You can only specify private IPv4 addresses for Network Load Balancers with scheme 'internal'.",
        );
    }
    if mapping.ipv6_address.is_some() {
        return refused("'IPv6Address' can only be specified for LoadBalancer type 'network'.");
    }
    if mapping.source_nat_ipv6_prefix.is_some() {
        return refused(
            "'SourceNatIpv6Prefix' can only be specified for LoadBalancer type 'network'.",
        );
    }
    match mapping.subnet_id {
        Some(id) => Ok(id),
        None => refused("A subnet ID must be specified in each subnet mapping"),
    }
}

/// Refuses an address type that load balancers of this scheme cannot have.
///
/// Source: ALB guide, "IP address types".
pub(super) fn check_scheme(scheme: Scheme, ip_address_type: IpAddressType) -> Result<(), ElbError> {
    match (scheme, ip_address_type) {
        (Scheme::Internal, IpAddressType::DualstackWithoutPublicIpv4) => {
            Err(ElbError::InvalidConfigurationRequest(format!(
                "The IP address type '{ip_address_type}' is not supported on load balancers with scheme '{scheme}'"
            )))
        }
        _ => Ok(()),
    }
}

/// The zones that these subnets enable, sorted by name, with their VPC.
///
/// A subnet that `present` has keeps its addresses there; the others get free ones.
pub(super) fn zones(
    state: &State,
    ids: &[String],
    ip_address_type: IpAddressType,
    present: &[LoadBalancerZone],
) -> Result<(VpcId, Vec<LoadBalancerZone>), ElbError> {
    let (vpc_id, by_zone) = subnets_by_zone(state, ids)?;
    let taken = state.elb.addresses();
    let zone = |(zone, subnet): (String, Arc<Subnet>)| {
        let known = present.iter().find(|known| known.subnet_id == subnet.id);
        let address = match known {
            Some(known) => known.address,
            None => free_address(state, &subnet, &taken)?,
        };
        let ipv6_address = match (ip_address_type, known.and_then(|known| known.ipv6_address)) {
            (IpAddressType::Ipv4, _) => None,
            (_, Some(known)) => Some(known),
            (_, None) => Some(free_ipv6_address(state, &subnet, &taken)?),
        };
        let subnet_id: SubnetId = subnet.id.clone();
        Ok(LoadBalancerZone {
            zone,
            subnet_id,
            address,
            ipv6_address,
        })
    };
    let zones = by_zone
        .into_iter()
        .map(zone)
        .collect::<Result<_, ElbError>>()?;
    Ok((vpc_id, zones))
}

fn subnets_by_zone(
    state: &State,
    ids: &[String],
) -> Result<(VpcId, BTreeMap<String, Arc<Subnet>>), ElbError> {
    let mut by_zone: BTreeMap<String, Arc<Subnet>> = BTreeMap::new();
    for id in ids {
        let Some(subnet) = lookups::subnet(&state.ec2, id) else {
            return Err(ElbError::SubnetNotFound(format!(
                "The subnet ID '{id}' does not exist"
            )));
        };
        if by_zone
            .insert(subnet.zone.name.clone(), Arc::clone(subnet))
            .is_some()
        {
            return Err(ElbError::InvalidConfigurationRequest(
                "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
                    .to_owned(),
            ));
        }
    }
    let too_few = || {
        ElbError::Validation(
            "At least two subnets in two different Availability Zones must be specified".to_owned(),
        )
    };
    let vpc_id = by_zone
        .values()
        .next()
        .map(|subnet| subnet.vpc_id.clone())
        .ok_or_else(too_few)?;
    if by_zone.values().any(|subnet| subnet.vpc_id != vpc_id) {
        return Err(ElbError::InvalidConfigurationRequest(
            "All subnets must belong to the same VPC".to_owned(),
        ));
    }
    if by_zone.len() < 2 {
        return Err(too_few());
    }
    Ok((vpc_id, by_zone))
}

fn free_address(
    state: &State,
    subnet: &Subnet,
    taken: &BTreeSet<IpAddr>,
) -> Result<Ipv4Addr, ElbError> {
    let id = &subnet.id;
    let exhausted = || {
        ElbError::InvalidSubnet(format!(
            "Not enough IP space available in {id}. ELB requires at least {FREE_ADDRESSES_MIN} free IP \
             addresses in each subnet."
        ))
    };
    if lookups::free_address_count(&state.ec2, subnet, taken) < FREE_ADDRESSES_MIN {
        return Err(exhausted());
    }
    let is_high_enough = |address: &Ipv4Addr| match subnet.cidr.network() {
        IpAddr::V4(network) => u32::from(*address) - u32::from(network) >= FIRST_ADDRESS,
        IpAddr::V6(_) => false,
    };
    let free = || lookups::free_addresses(&state.ec2, subnet.usable_addresses(), taken);
    free()
        .find(is_high_enough)
        .or_else(|| free().next())
        .ok_or_else(exhausted)
}

/// No subnet of IPv6 is so small that it could run out of addresses.
fn free_ipv6_address(
    state: &State,
    subnet: &Subnet,
    taken: &BTreeSet<IpAddr>,
) -> Result<Ipv6Addr, ElbError> {
    let below = (FIRST_ADDRESS - Subnet::RESERVED_FIRST) as usize;
    let usable = subnet.usable_ipv6_addresses().skip(below);
    let free = lookups::free_addresses(&state.ec2, usable, taken).next();
    free.ok_or_else(|| {
        let message = "You must specify subnets with an associated IPv6 CIDR block.";
        ElbError::Validation(message.to_owned())
    })
}
