//! RunInstances: registers a machine that runs already, by its private address.
//!
//! elbow starts no machines. What EC2 would need to start one, the image and the type, are kept as notes
//! of the caller and shown again; everything else that would have to be obeyed is refused by `api`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use model::ec2::{
    Instance, InstanceId, InstanceIpv6Address, InstanceProtection, InstanceState, ReservationId,
    Subnet, Zone,
};

use crate::ec2::client_tokens::RequestNote;
use crate::ec2::describe_instances::{InstanceDescription, describe_instance};
use crate::ec2::instance_states::forget_terminated;
use crate::ec2::{Ec2Error, TagSpecification, lookups, names, security_groups, tags};
use crate::state::{Draft, State};

/// How many security groups an instance may carry.
///
/// Source: Amazon VPC User Guide, "Amazon VPC quotas", "Security groups per network interface".
pub const GROUPS_PER_INSTANCE_MAX: usize = 5;

/// A machine to register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunInstances {
    /// 1, which has to be said.
    pub min_count: Option<i64>,
    /// 1, which has to be said.
    pub max_count: Option<i64>,
    /// Where it is reached: an address of a subnet that nobody has.
    pub private_address: Option<String>,
    /// Where it is reached over IPv6: none, or one address of the same subnet that nobody has.
    pub ipv6_addresses: Vec<String>,
    /// Whether that one is the primary IPv6 address, without which targets cannot name the instance.
    pub has_primary_ipv6: bool,
    /// The subnet that holds the address; found by the address for `None`.
    pub subnet_id: Option<String>,
    /// The security groups it carries, by id.
    pub security_group_ids: Vec<String>,
    /// More of them, by name. The default group of the VPC if neither list has one.
    pub security_group_names: Vec<String>,
    /// A note.
    pub image_id: Option<String>,
    /// A note.
    pub instance_type: Option<String>,
    /// Which operations it is to refuse.
    pub protection: InstanceProtection,
    /// The zone it is meant to be in, if the request says so.
    pub zone: RequestedZone,
    /// A repetition with the same token registers nothing and shows the same instance.
    pub client_token: Option<String>,
    /// Tags for it.
    pub tag_specifications: Vec<TagSpecification>,
}

/// A zone by its name, its id, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestedZone {
    /// `AvailabilityZone`.
    pub name: Option<String>,
    /// `AvailabilityZoneId`.
    pub id: Option<String>,
}

impl RequestedZone {
    fn is(&self, zone: &Zone) -> bool {
        self.name.as_ref().is_none_or(|name| *name == zone.name)
            && self.id.as_ref().is_none_or(|id| *id == zone.id)
    }
}

/// # Errors
/// `MissingParameter`, `AddressMissing`, `NotOneInstance`, `InvalidValue` for what is no address, `SubnetNotFound`,
/// `ZoneOfSubnet`, `AddressOutsideSubnet`, `AddressReserved`, `AddressInUse`, `InvalidCombination` for the
/// IPv6 addresses, `MalformedId`, `SecurityGroupNotFound`, `GroupNameNotFound`, `GroupOfOtherVpc`,
/// `TooManyGroupsOnInstance`, `TokenMismatch`, and those of tags.
pub(crate) fn run(
    draft: &mut Draft,
    request: &RunInstances,
) -> Result<InstanceDescription, Ec2Error> {
    let instance = register(draft, request)?;
    Ok(describe_instance(
        draft.state(),
        draft.settings(),
        &instance,
    ))
}

fn register(draft: &mut Draft, request: &RunInstances) -> Result<Arc<Instance>, Ec2Error> {
    for (name, count) in [
        ("MinCount", request.min_count),
        ("MaxCount", request.max_count),
    ] {
        if count.ok_or(Ec2Error::MissingParameter(name))? != 1 {
            return Err(Ec2Error::NotOneInstance);
        }
    }
    let (address, subnet) = place(draft.state(), request)?;
    let ipv6_address = ipv6_address(request, &subnet)?;
    let security_groups = security_groups::of_instance(
        &draft.state().ec2,
        &request.security_group_ids,
        &request.security_group_names,
        &subnet.vpc_id,
    )?;
    let tags = tags::specified(&request.tag_specifications, "instance")?;
    let asked = (
        (address, ipv6_address, &subnet.id),
        (&security_groups, &tags, request.protection),
        (&request.image_id, &request.instance_type),
    );
    let note = RequestNote::new(request.client_token.as_ref(), &asked);
    let is_same = |made: &Instance| {
        made.private_address == address
            && made.ipv6_address == ipv6_address
            && made.security_groups == security_groups
            && made.image_id == request.image_id
            && made.instance_type == request.instance_type
    };
    if let Some(instance) = note.made(&draft.state().ec2.instances, is_same)? {
        return Ok(Arc::clone(instance));
    }
    forget_terminated(draft);
    require_free(draft.state(), &subnet, address.into())?;
    if let Some(ipv6) = ipv6_address {
        require_free(draft.state(), &subnet, ipv6.address.into())?;
    }
    let instance = Instance {
        id: names::fresh(draft, InstanceId::from_bits, &draft.state().ec2.instances),
        reservation_id: ReservationId::from_bits(draft.draw()),
        private_address: address,
        ipv6_address,
        subnet_id: subnet.id.clone(),
        vpc_id: subnet.vpc_id.clone(),
        zone: subnet.zone.clone(),
        state: InstanceState::Running,
        image_id: request.image_id.clone(),
        instance_type: request.instance_type.clone(),
        security_groups,
        launched_at_millis: draft.now_millis(),
        started_at_millis: None,
        protection: request.protection,
        client_token: note.token,
        request_digest: note.digest,
        tags,
    };
    Ok(draft.put(instance))
}

/// The address, and the subnet it lies in.
fn place(state: &State, request: &RunInstances) -> Result<(Ipv4Addr, Arc<Subnet>), Ec2Error> {
    let text = request
        .private_address
        .as_ref()
        .ok_or(Ec2Error::AddressMissing)?;
    let address: Ipv4Addr = text.parse().map_err(|_| Ec2Error::InvalidValue {
        parameter: "privateIpAddress",
        value: text.clone(),
        expectation: "This is not a valid IPv4 address.".to_owned(),
    })?;
    let ec2 = &state.ec2;
    let (subnet, blocks) = match &request.subnet_id {
        Some(id) => {
            let subnet =
                lookups::subnet(ec2, id).ok_or_else(|| Ec2Error::SubnetNotFound(id.clone()))?;
            let holds_it = subnet.cidr.contains(address.into());
            (
                Some(subnet).filter(|_| holds_it),
                vec![subnet.cidr.to_string()],
            )
        }
        None => {
            let blocks = ec2
                .subnets
                .values()
                .map(|subnet| subnet.cidr.to_string())
                .collect();
            (lookups::subnet_of(ec2, address.into()), blocks)
        }
    };
    match subnet {
        Some(subnet) if !request.zone.is(&subnet.zone) => Err(Ec2Error::ZoneOfSubnet {
            subnet_id: subnet.id.clone(),
            zone: subnet.zone.name.clone(),
        }),
        Some(subnet) => Ok((address, Arc::clone(subnet))),
        None => Err(Ec2Error::AddressOutsideSubnet {
            address: address.into(),
            subnets: blocks.join(", "),
        }),
    }
}

/// The address of IPv6, which lies in `subnet`.
fn ipv6_address(
    request: &RunInstances,
    subnet: &Subnet,
) -> Result<Option<InstanceIpv6Address>, Ec2Error> {
    let text = match request.ipv6_addresses.as_slice() {
        [] if request.has_primary_ipv6 => {
            return Err(Ec2Error::InvalidCombination(
                "EnablePrimaryIpv6 makes the address in Ipv6Addresses the primary one; give one",
            ));
        }
        [] => return Ok(None),
        [text] => text,
        _ => {
            return Err(Ec2Error::InvalidCombination(
                "elbow keeps one IPv6 address of an instance; give no more in Ipv6Addresses",
            ));
        }
    };
    let address: Ipv6Addr = text.parse().map_err(|_| Ec2Error::InvalidValue {
        parameter: "ipv6Addresses",
        value: text.clone(),
        expectation: "This is not a valid IPv6 address.".to_owned(),
    })?;
    let block = subnet.ipv6_block.as_ref().map(|block| block.cidr);
    if !block.is_some_and(|block| block.contains(address.into())) {
        return Err(Ec2Error::AddressOutsideSubnet {
            address: address.into(),
            subnets: block.map_or("the subnet has no IPv6 block".to_owned(), |it| {
                it.to_string()
            }),
        });
    }
    Ok(Some(InstanceIpv6Address {
        address,
        is_primary: request.has_primary_ipv6,
    }))
}

fn require_free(state: &State, subnet: &Subnet, address: IpAddr) -> Result<(), Ec2Error> {
    if !subnet.is_usable(address) {
        return Err(Ec2Error::AddressReserved(address));
    }
    let is_held = lookups::instance_addresses(&state.ec2).contains(&address)
        || state.elb.addresses().contains(&address);
    if is_held {
        Err(Ec2Error::AddressInUse(address))
    } else {
        Ok(())
    }
}
