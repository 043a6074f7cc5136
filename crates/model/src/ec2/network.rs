//! Where addresses come from: the VPC, its zones and its subnets.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::Cidr;
use crate::ec2::{InternetGatewayId, SubnetId, Tags, VpcId};

/// A virtual private cloud: the block all subnets lie in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    /// Names it.
    pub id: VpcId,
    /// The IPv4 block its subnets are cut from.
    pub cidr: Cidr,
    /// Whether a request that names no VPC means this one.
    pub is_default: bool,
    /// The gateway through which its load balancers may face the internet.
    pub internet_gateway: InternetGateway,
    /// Its tags.
    pub tags: Tags,
}

/// A way out of a VPC. Attached to its VPC for life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InternetGateway {
    /// Names it.
    pub id: InternetGatewayId,
    /// Its tags.
    pub tags: Tags,
}

/// An availability zone: machines that fail together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Such as `us-east-1a`.
    pub name: String,
    /// The same in every account, such as `use1-az1`.
    pub id: String,
}

impl Zone {
    /// The zone with this name and its `number` (from 1) in `region`. The id is made as AWS makes them:
    /// `us-east-1` and 1 give `use1-az1`, `ap-southeast-2` and 3 give `apse2-az3`.
    #[must_use]
    pub fn new(name: &str, region: &str, number: usize) -> Self {
        Self {
            name: name.to_owned(),
            id: format!("{}-az{number}", short_region(region)),
        }
    }
}

/// `us-east-1` as `use1`. Each part in the middle is a direction and is cut to its initials.
fn short_region(region: &str) -> String {
    let mut parts = region.split('-');
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let initials = match part {
            "northeast" => "ne",
            "northwest" => "nw",
            "southeast" => "se",
            "southwest" => "sw",
            number if number.bytes().all(|b| b.is_ascii_digit()) => number,
            direction => direction.get(..1).unwrap_or_default(),
        };
        short.push_str(initials);
    }
    short
}

/// A block of addresses in one zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// Names it.
    pub id: SubnetId,
    /// The VPC it is a part of.
    pub vpc_id: VpcId,
    /// Its addresses, IPv4, /16 to /28.
    pub cidr: Cidr,
    /// The zone its addresses are in.
    pub zone: Zone,
    /// Whether a request that names the zone alone means this subnet.
    pub is_default_for_zone: bool,
    /// Its tags.
    pub tags: Tags,
}

impl Subnet {
    /// How many addresses at the start of a subnet are kept for the network itself: its own address, the
    /// router, the name server and one in reserve. The last address, the broadcast, is kept too.
    ///
    /// Source: Amazon VPC User Guide, "Subnet CIDR blocks".
    pub const RESERVED_FIRST: u32 = 4;

    /// The addresses that instances and load balancers may have, in ascending order.
    pub fn usable_addresses(&self) -> impl DoubleEndedIterator<Item = Ipv4Addr> + use<> {
        let (first, last) = self.usable_bounds();
        (first..=last).map(Ipv4Addr::from)
    }

    /// Whether an instance or a load balancer may have `address`.
    #[must_use]
    pub fn is_usable(&self, address: Ipv4Addr) -> bool {
        let (first, last) = self.usable_bounds();
        (first..=last).contains(&u32::from(address))
    }

    /// The number of usable addresses, free or not.
    #[must_use]
    pub fn usable_count(&self) -> u32 {
        let (first, last) = self.usable_bounds();
        (last + 1).saturating_sub(first)
    }

    fn usable_bounds(&self) -> (u32, u32) {
        let std::net::IpAddr::V4(network) = self.cidr.network() else {
            // An empty range: a subnet is IPv4, and one that is not has no address to give.
            return (1, 0);
        };
        let network = u32::from(network);
        let host_bits = 32 - u32::from(self.cidr.prefix_length());
        let last = u64::from(network) + (1_u64 << host_bits) - 1;
        let broadcast = u32::try_from(last).unwrap_or(u32::MAX);
        (
            network.saturating_add(Self::RESERVED_FIRST),
            broadcast.saturating_sub(1),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(cidr: &str) -> Subnet {
        Subnet {
            id: SubnetId::from_bits(1),
            vpc_id: VpcId::from_bits(1),
            cidr: cidr.parse().unwrap(),
            zone: Zone::new("us-east-1a", "us-east-1", 1),
            is_default_for_zone: true,
            tags: Tags::new(),
        }
    }

    #[test]
    fn zone_ids_are_short_regions() {
        for (region, number, id) in [
            ("us-east-1", 1, "use1-az1"),
            ("eu-central-1", 3, "euc1-az3"),
            ("ap-southeast-2", 2, "apse2-az2"),
            ("us-gov-west-1", 1, "usgw1-az1"),
            ("here", 1, "here-az1"),
        ] {
            assert_eq!(Zone::new("x", region, number).id, id);
        }
    }

    #[test]
    fn five_addresses_of_a_subnet_are_not_usable() {
        for (cidr, first, last, count) in [
            ("10.0.1.0/24", "10.0.1.4", "10.0.1.254", 251),
            ("10.0.1.16/28", "10.0.1.20", "10.0.1.30", 11),
            ("10.0.0.0/16", "10.0.0.4", "10.0.255.254", 65_531),
        ] {
            let subnet = subnet(cidr);
            let mut usable = subnet.usable_addresses();
            assert_eq!(subnet.usable_count(), count, "{cidr}");
            assert_eq!(usable.next(), Some(first.parse().unwrap()), "{cidr}");
            assert_eq!(usable.next_back(), Some(last.parse().unwrap()), "{cidr}");
        }
    }

    #[test]
    fn the_network_and_its_neighbours_are_not_usable() {
        let subnet = subnet("10.0.1.0/24");
        for (address, is_usable) in [
            ("10.0.1.0", false),
            ("10.0.1.3", false),
            ("10.0.1.4", true),
            ("10.0.1.254", true),
            ("10.0.1.255", false),
            ("10.0.2.4", false),
        ] {
            assert_eq!(
                subnet.is_usable(address.parse().unwrap()),
                is_usable,
                "{address}"
            );
        }
    }
}
