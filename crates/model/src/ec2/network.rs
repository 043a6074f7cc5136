//! Where addresses come from: the VPC, its zones and its subnets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::Cidr;
use crate::ec2::{
    InternetGatewayId, SubnetCidrAssociationId, SubnetId, Tags, VpcCidrAssociationId, VpcId,
};

/// A virtual private cloud: the block all subnets lie in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    /// Names it.
    pub id: VpcId,
    /// The IPv4 block its subnets are cut from.
    pub cidr: Cidr,
    /// The IPv6 blocks its subnets are cut from, in the order in which they came; often none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ipv6_blocks: Vec<VpcIpv6Block>,
    /// Whether a request that names no VPC means this one.
    pub is_default: bool,
    /// The gateway that records of version 1 held. The next start gives it a record of its own, so that it is
    /// `None` from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internet_gateway: Option<EmbeddedInternetGateway>,
    /// What is asked of names inside it. Records of version 1 are those of default VPCs.
    #[serde(default = "VpcDns::of_default_vpc")]
    pub dns: VpcDns,
    /// Its tags.
    pub tags: Tags,
}

/// An IPv6 block of a VPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpcIpv6Block {
    /// Names the hold of the VPC on the block.
    pub id: VpcCidrAssociationId,
    /// The block, /44 to /60 in steps of 4.
    pub cidr: Cidr,
    /// Whether it was drawn, as Amazon's are, and not chosen by its owner.
    pub is_provided: bool,
}

/// An internet gateway as it was kept in its VPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddedInternetGateway {
    /// Names it.
    pub id: InternetGatewayId,
    /// Its tags.
    pub tags: Tags,
}

/// What a VPC's owner asked of names inside it: a note, because elbow answers no queries for them.
///
/// Source: Amazon VPC User Guide, "DNS attributes for your VPC".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpcDns {
    /// `enableDnsSupport`: queries are answered. Default on.
    pub is_supported: bool,
    /// `enableDnsHostnames`: what has a public address has a public name. Default on in the default VPC and
    /// off in others; on only together with the first.
    pub has_hostnames: bool,
}

impl VpcDns {
    /// The defaults of the default VPC.
    #[must_use]
    pub fn of_default_vpc() -> Self {
        Self {
            is_supported: true,
            has_hostnames: true,
        }
    }

    /// The defaults of the other VPCs.
    #[must_use]
    pub fn of_other_vpcs() -> Self {
        Self {
            is_supported: true,
            has_hostnames: false,
        }
    }
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
    /// Its addresses of IPv6, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_block: Option<SubnetIpv6Block>,
    /// The zone its addresses are in.
    pub zone: Zone,
    /// Whether a request that names the zone alone means this subnet.
    pub is_default_for_zone: bool,
    /// Whether instances are to get a public address: a note, because machines have the addresses they have.
    /// Default on in default subnets and off in others; records that do not say it or say no stay so, because
    /// the owner may have chosen it.
    ///
    /// Source: Amazon VPC User Guide, "Default subnets".
    #[serde(default)]
    pub maps_public_address: bool,
    /// Its tags.
    pub tags: Tags,
}

/// The IPv6 block of a subnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubnetIpv6Block {
    /// Names the hold of the subnet on the block.
    pub id: SubnetCidrAssociationId,
    /// The block, inside one of the VPC, /44 to /64 in steps of 4.
    pub cidr: Cidr,
}

impl Subnet {
    /// How many addresses at the start of a block are kept for the network itself: its own address, the
    /// router, the name server and one in reserve. The last address, the broadcast of IPv4, is kept too.
    ///
    /// Source: Amazon VPC User Guide, "Subnet CIDR blocks".
    pub const RESERVED_FIRST: u32 = 4;

    /// Its blocks of both families.
    pub fn blocks(&self) -> impl Iterator<Item = &Cidr> {
        let ipv6 = self.ipv6_block.iter().map(|block| &block.cidr);
        std::iter::once(&self.cidr).chain(ipv6)
    }

    /// The block that holds `address`, usable or not.
    #[must_use]
    pub fn block_of(&self, address: IpAddr) -> Option<&Cidr> {
        self.blocks().find(|block| block.contains(address))
    }

    /// The addresses of IPv4 that instances and load balancers may have, in ascending order.
    pub fn usable_addresses(&self) -> impl DoubleEndedIterator<Item = Ipv4Addr> + use<> {
        usable(&self.cidr).filter_map(|bits| Some(u32::try_from(bits).ok()?.into()))
    }

    /// The addresses of IPv6 that instances and load balancers may have, in ascending order.
    pub fn usable_ipv6_addresses(&self) -> impl DoubleEndedIterator<Item = Ipv6Addr> + use<> {
        let block = self.ipv6_block.as_ref();
        let usable = block.map(|block| usable(&block.cidr));
        usable.into_iter().flatten().map(Ipv6Addr::from)
    }

    /// Whether an instance or a load balancer may have `address`.
    #[must_use]
    pub fn is_usable(&self, address: IpAddr) -> bool {
        let block = self.block_of(address);
        block.is_some_and(|block| usable(block).contains(&bits(address)))
    }

    /// The number of usable addresses of IPv4, free or not.
    #[must_use]
    pub fn usable_count(&self) -> u32 {
        let usable = usable(&self.cidr);
        let count = (usable.end() + 1).saturating_sub(*usable.start());
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

/// The addresses of a block that the network does not keep for itself, as numbers.
fn usable(block: &Cidr) -> RangeInclusive<u128> {
    let first = bits(block.network());
    let width = if block.network().is_ipv4() { 32 } else { 128 };
    let host_bits = width - u32::from(block.prefix_length());
    let hosts = u128::MAX.checked_shr(128 - host_bits).unwrap_or(0);
    first + u128::from(Subnet::RESERVED_FIRST)..=(first + hosts).saturating_sub(1)
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u32::from(v4).into(),
        IpAddr::V6(v6) => v6.into(),
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
            ipv6_block: Some(SubnetIpv6Block {
                id: SubnetCidrAssociationId::from_bits(1),
                cidr: "2001:db8:0:1::/64".parse().unwrap(),
            }),
            zone: Zone::new("us-east-1a", "us-east-1", 1),
            is_default_for_zone: true,
            maps_public_address: false,
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
        let subnet = subnet("10.0.1.0/24");
        let mut usable = subnet.usable_ipv6_addresses();
        assert_eq!(usable.next(), "2001:db8:0:1::4".parse().ok());
        let last = "2001:db8:0:1:ffff:ffff:ffff:fffe";
        assert_eq!(usable.next_back(), last.parse().ok());
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
            ("2001:db8:0:1::", false),
            ("2001:db8:0:1::3", false),
            ("2001:db8:0:1::4", true),
            ("2001:db8:0:1:ffff:ffff:ffff:ffff", false),
            ("2001:db8:0:2::4", false),
        ] {
            assert_eq!(
                subnet.is_usable(address.parse().unwrap()),
                is_usable,
                "{address}"
            );
        }
    }
}
