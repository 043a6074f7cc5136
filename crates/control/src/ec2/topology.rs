//! Where this elbow stands: the zones and the blocks of addresses it may use.

use model::Cidr;
use model::ec2::{Subnet, Vpc, Zone};

/// The networks that a configuration gives, from which the first start makes the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// The block of the default VPC, IPv4, /16 to /28.
    pub vpc: Cidr,
    /// An IPv6 block of the default VPC, /44 to /60 in steps of 4; as on AWS it has none unless it is given one.
    pub vpc_ipv6: Option<Cidr>,
    /// The block that Elastic IP addresses are allocated from, IPv4, /16 to /28, outside of the VPC; `None`:
    /// none can be allocated.
    pub elastic: Option<Cidr>,
    /// The zones, at least two of them for an Application Load Balancer.
    pub zones: Vec<ZoneTopology>,
}

/// One zone of a topology.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneTopology {
    /// Such as `us-east-1a`.
    pub name: String,
    /// The block of the zone's default subnet, inside that of the VPC, IPv4, /16 to /28; `None`: it has none.
    pub subnet: Option<Cidr>,
    /// The IPv6 block of that subnet, inside one of the VPC, /44 to /64 in steps of 4.
    pub subnet_ipv6: Option<Cidr>,
}

impl Topology {
    /// Two zones on loopback: Linux answers on all of 127.0.0.0/8, so that several load balancers on one
    /// machine can have an address, and thus a port 80, each.
    ///
    /// # Panics
    /// Never: the blocks in it are valid.
    #[must_use]
    pub fn loopback() -> Self {
        let block = |text: &str| text.parse().expect("a valid block");
        let zone = |name: &str, subnet| ZoneTopology {
            name: name.to_owned(),
            subnet: Some(block(subnet)),
            subnet_ipv6: None,
        };
        Self {
            vpc: block("127.65.0.0/16"),
            vpc_ipv6: None,
            elastic: Some(block("127.66.0.0/24")),
            zones: vec![
                zone("us-east-1a", "127.65.1.0/24"),
                zone("us-east-1b", "127.65.2.0/24"),
            ],
        }
    }

    /// Whether every start gives `vpc` this IPv6 block.
    pub(crate) fn names_ipv6_block_of_vpc(&self, vpc: &Vpc, block: Cidr) -> bool {
        vpc.is_default && self.vpc_ipv6 == Some(block)
    }

    /// Whether every start gives `subnet` this IPv6 block.
    pub(crate) fn names_ipv6_block_of_subnet(&self, subnet: &Subnet, block: Cidr) -> bool {
        let its_zone = self.zones.iter().find(|zone| zone.name == subnet.zone.name);
        subnet.is_default_for_zone && its_zone.and_then(|zone| zone.subnet_ipv6) == Some(block)
    }

    /// The zones as EC2 names them, numbered from 1 in the order of the configuration.
    pub fn ec2_zones<'a>(&'a self, region: &'a str) -> impl Iterator<Item = Zone> + 'a {
        let numbered = (1..).zip(&self.zones);
        numbered.map(move |(number, zone)| Zone::new(&zone.name, region, number))
    }
}

impl Default for Topology {
    fn default() -> Self {
        Self::loopback()
    }
}
