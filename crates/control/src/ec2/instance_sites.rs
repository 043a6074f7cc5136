//! Where new instances are: a subnet, and addresses of it that are given or drawn.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::sync::Arc;

use model::ec2::{InstanceIpv6Address, Subnet};

use crate::ec2::run_instances::RunInstances;
use crate::ec2::{Ec2Error, lookups};
use crate::state::{Draft, State};

/// Where the instances of one request are to be.
pub(crate) struct Site {
    pub(crate) subnet: Arc<Subnet>,
    /// The address of the one instance; drawn for `None`.
    pub(crate) private_address: Option<Ipv4Addr>,
    /// The one of IPv6, if it is to have one.
    pub(crate) ipv6_address: Option<InstanceIpv6Address>,
}

impl Site {
    /// What a request says about it. Whether addresses are free is seen when they are taken.
    ///
    /// # Errors
    /// `InvalidValue` for what is no address, `InvalidCombination` for the IPv6 addresses, `SubnetNotFound`,
    /// `ZoneNotFound`, `NoDefaultSubnet`, `ZoneOfSubnet`, `AddressOutsideSubnet`.
    pub(crate) fn of(draft: &Draft, request: &RunInstances) -> Result<Self, Ec2Error> {
        let private_address = private_address(request)?;
        let ipv6_address = ipv6_address(request)?;
        let given: Vec<IpAddr> = private_address
            .map(IpAddr::from)
            .into_iter()
            .chain(ipv6_address.map(|ipv6| ipv6.address.into()))
            .collect();
        let state = draft.state();
        let subnet = match (&request.subnet_id, given.first()) {
            (Some(id), _) => lookups::subnet(&state.ec2, id)
                .ok_or_else(|| Ec2Error::SubnetNotFound(id.clone()))?,
            (None, Some(address)) => lookups::subnet_of(&state.ec2, *address).ok_or_else(|| {
                let subnets = state.ec2.subnets.values();
                outside(*address, subnets.map(AsRef::as_ref))
            })?,
            (None, None) => default_subnet(draft, request)?,
        };
        for address in given {
            if subnet.block_of(address).is_none() {
                return Err(outside(address, [subnet.as_ref()]));
            }
        }
        if !request.zone.is(&subnet.zone) {
            return Err(Ec2Error::ZoneOfSubnet {
                subnet_id: subnet.id.clone(),
                zone: subnet.zone.name.clone(),
            });
        }
        Ok(Self {
            subnet: Arc::clone(subnet),
            private_address,
            ipv6_address,
        })
    }

    /// The IPv4 addresses of as many instances as there is room for, within `count`. Which of the free ones an
    /// instance gets is drawn, so that what has just let go of an address is not mistaken for what has it next.
    ///
    /// # Errors
    /// `AddressReserved`, `AddressInUse`, `InsufficientFreeAddresses`.
    pub(crate) fn take_addresses(
        &self,
        draft: &Draft,
        count: &RangeInclusive<usize>,
    ) -> Result<Vec<Ipv4Addr>, Ec2Error> {
        let state = draft.state();
        if let Some(ipv6) = self.ipv6_address {
            require_free(state, &self.subnet, ipv6.address.into())?;
        }
        if let Some(address) = self.private_address {
            require_free(state, &self.subnet, address.into())?;
            return Ok(vec![address]);
        }
        let taken = state.elb.addresses();
        let usable = self.subnet.usable_addresses();
        let mut free: Vec<Ipv4Addr> = lookups::free_addresses(&state.ec2, usable, &taken).collect();
        if free.len() < *count.start() {
            return Err(Ec2Error::InsufficientFreeAddresses(self.subnet.id.clone()));
        }
        let drawn = (0..free.len().min(*count.end())).map(|_| {
            // A subnet has 65,536 addresses at most, so that a remainder of 64 bits favours none.
            let at = draft.draw() % free.len() as u64;
            free.swap_remove(usize::try_from(at).expect("it is less than a length"))
        });
        Ok(drawn.collect())
    }
}

fn private_address(request: &RunInstances) -> Result<Option<Ipv4Addr>, Ec2Error> {
    let parse = |text: &String| {
        text.parse().map_err(|_| Ec2Error::InvalidValue {
            parameter: "privateIpAddress",
            value: text.clone(),
            expectation: "This is not a valid IPv4 address.".to_owned(),
        })
    };
    request.private_address.as_ref().map(parse).transpose()
}

fn ipv6_address(request: &RunInstances) -> Result<Option<InstanceIpv6Address>, Ec2Error> {
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
    Ok(Some(InstanceIpv6Address {
        address,
        is_primary: request.has_primary_ipv6,
    }))
}

/// The default subnet for a request that says nothing of one: of the zone that it names, or else the one with the most
/// room, so that one machine after the other goes to one zone after the other.
///
/// Source: EC2 API, `RunInstances`, "If you don't specify a subnet ID, we choose a default subnet from your default
/// VPC for you".
fn default_subnet<'a>(
    draft: &'a Draft,
    request: &RunInstances,
) -> Result<&'a Arc<Subnet>, Ec2Error> {
    let settings = draft.settings();
    let mut zones = settings.topology.ec2_zones(&settings.place.region);
    let named = &request.zone;
    let name = || named.name.clone().or(named.id.clone()).unwrap_or_default();
    if !zones.any(|zone| named.is(&zone)) {
        return Err(Ec2Error::ZoneNotFound(name()));
    }
    let state = draft.state();
    let taken = state.elb.addresses();
    let defaults = state
        .ec2
        .subnets
        .values()
        .filter(|subnet| subnet.is_default_for_zone && named.is(&subnet.zone));
    let most_room = defaults.min_by_key(|subnet| {
        let room = lookups::free_address_count(&state.ec2, subnet, &taken);
        (std::cmp::Reverse(room), &subnet.zone.name)
    });
    most_room.ok_or_else(|| Ec2Error::NoDefaultSubnet(name()))
}

fn outside<'a>(address: IpAddr, subnets: impl IntoIterator<Item = &'a Subnet>) -> Ec2Error {
    let of_family = |subnet: &'a Subnet| {
        let mut blocks = subnet.blocks();
        blocks.find(|block| block.network().is_ipv4() == address.is_ipv4())
    };
    let blocks = subnets.into_iter().filter_map(of_family);
    let blocks: Vec<String> = blocks.map(ToString::to_string).collect();
    Ec2Error::AddressOutsideSubnet {
        address,
        subnets: match blocks.is_empty() {
            true => "the subnet has no IPv6 block".to_owned(),
            false => blocks.join(", "),
        },
    }
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
