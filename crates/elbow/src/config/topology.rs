//! Region, account and network: where this elbow says it is, and which addresses it hands out.

use std::net::IpAddr;
use std::str::FromStr;

use model::Cidr;
use model::account::{AccountId, InvalidAccountId};
use serde::Deserialize;

use super::file::TopologySection;
use crate::cli::ServeArgs;

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";
const VPC_CIDR: &str = "127.65.0.0/16";
const ELASTIC_CIDR: &str = "127.66.0.0/24";
const ZONES: [&str; 2] = ["us-east-1a=127.65.1.0/24", "us-east-1b=127.65.2.0/24"];

/// Where elbow says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topology {
    /// An AWS Region's name.
    pub(crate) region: String,
    /// 12 digits.
    pub(crate) account: String,
    /// The block of the default VPC.
    pub(crate) vpc_cidr: Cidr,
    /// An IPv6 block of the default VPC.
    pub(crate) vpc_ipv6_cidr: Option<Cidr>,
    /// The block of Elastic IP addresses; none can be allocated without one.
    pub(crate) elastic_cidr: Option<Cidr>,
    /// At least two, in the order given; their subnets lie in the VPC and do not overlap.
    pub(crate) zones: Vec<Zone>,
    /// How the addresses come to this machine.
    pub(crate) addresses: Addresses,
}

/// An availability zone with its default subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    /// For example `us-east-1a`.
    pub(crate) name: String,
    /// Load balancers and instances of the zone have addresses in this block.
    pub(crate) subnet_cidr: Cidr,
    /// The IPv6 block of the default subnet, inside that of the VPC.
    pub(crate) subnet_ipv6_cidr: Option<Cidr>,
}

/// How the addresses of the subnets come to this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Addresses {
    /// They are in 127.0.0.0/8, where Linux answers on every address. Those of IPv6 are made local by elbow.
    #[default]
    Loopback,
    /// Someone else has made them local to this machine, for example with a local route.
    Routed,
}

/// The topology cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TopologyError {
    #[error("'{0}' is not the name of an AWS Region; an example is us-east-1")]
    Region(String),
    #[error(transparent)]
    Account(#[from] InvalidAccountId),
    #[error("the VPC block {0} cannot be used: it is an IPv4 block of /16 to /28")]
    Vpc(Cidr),
    #[error(
        "the block {0} of Elastic IP addresses cannot be used: it is an IPv4 block of /16 to /28 outside of \
         the VPC"
    )]
    Elastic(Cidr),
    #[error(
        "a load balancer needs subnets in two availability zones and only {0} is configured; add another zone"
    )]
    TooFewZones(usize),
    #[error("'{0}' is not a zone name: use lower-case letters, digits and hyphens")]
    ZoneName(String),
    #[error("the zone {0} is given twice; give each zone its own name")]
    ZoneTwice(String),
    #[error("the subnet {subnet} of zone {zone} is not a block of /16 to /28 in the VPC {vpc}")]
    SubnetOutside {
        zone: String,
        subnet: Cidr,
        vpc: Cidr,
    },
    #[error(
        "the IPv6 block {subnet} of zone {zone} is not in topology.vpc_ipv6_cidr, the IPv6 block of the VPC"
    )]
    Ipv6Outside { zone: String, subnet: Cidr },
    #[error("the subnets of zones {0} and {1} overlap; give each zone its own block")]
    SubnetsOverlap(String, String),
    #[error(
        "the subnet {subnet} of zone {zone} is not in 127.0.0.0/8; addresses = \"loopback\" serves only \
         loopback blocks. If {subnet} is local to this machine already, set addresses = \"routed\""
    )]
    NotLoopback { zone: String, subnet: Cidr },
}

impl Topology {
    /// Puts the flags in `args` over what the file says and over the defaults.
    ///
    /// # Errors
    /// A value is malformed, or the parts do not fit together.
    pub(crate) fn resolve(args: &ServeArgs, file: TopologySection) -> Result<Self, TopologyError> {
        let in_file = file.zones.into_iter().map(|zone| Zone {
            name: zone.name,
            subnet_cidr: zone.subnet_cidr,
            subnet_ipv6_cidr: zone.subnet_ipv6_cidr,
        });
        let zones = match args.zones.is_empty() {
            false => args.zones.clone(),
            true => in_file.collect(),
        };
        let vpc_cidr = args.vpc_cidr.or(file.vpc_cidr).unwrap_or_else(default_vpc);
        let elastic_cidr = args.elastic_cidr.or(file.elastic_cidr);
        let topology = Self {
            region: args
                .region
                .clone()
                .or(file.region)
                .unwrap_or(REGION.to_owned()),
            account: args
                .account
                .clone()
                .or(file.account)
                .unwrap_or(ACCOUNT.to_owned()),
            vpc_cidr,
            vpc_ipv6_cidr: file.vpc_ipv6_cidr,
            elastic_cidr: elastic_cidr.or_else(|| default_elastic(vpc_cidr)),
            zones: if zones.is_empty() {
                default_zones()
            } else {
                zones
            },
            addresses: file.addresses.unwrap_or_default(),
        };
        topology.check()?;
        Ok(topology)
    }

    fn check(&self) -> Result<(), TopologyError> {
        if !is_region(&self.region) {
            return Err(TopologyError::Region(self.region.clone()));
        }
        self.account.parse::<AccountId>()?;
        if !is_network(&self.vpc_cidr) {
            return Err(TopologyError::Vpc(self.vpc_cidr));
        }
        if let Some(elastic) = self.elastic_cidr
            && (!is_network(&elastic) || elastic.overlaps(&self.vpc_cidr))
        {
            return Err(TopologyError::Elastic(elastic));
        }
        if self.zones.len() < 2 {
            return Err(TopologyError::TooFewZones(self.zones.len()));
        }
        for (index, zone) in self.zones.iter().enumerate() {
            self.check_zone(zone)?;
            check_pairs(zone, &self.zones[..index])?;
        }
        Ok(())
    }

    fn check_zone(&self, zone: &Zone) -> Result<(), TopologyError> {
        if !is_label(&zone.name) {
            return Err(TopologyError::ZoneName(zone.name.clone()));
        }
        let (name, subnet) = (zone.name.clone(), zone.subnet_cidr);
        if !is_network(&subnet) || !self.vpc_cidr.covers(&subnet) {
            return Err(TopologyError::SubnetOutside {
                zone: name,
                subnet,
                vpc: self.vpc_cidr,
            });
        }
        let is_in_vpc = |block| self.vpc_ipv6_cidr.is_some_and(|vpc| vpc.covers(&block));
        if let Some(outside) = zone.subnet_ipv6_cidr.filter(|block| !is_in_vpc(*block)) {
            return Err(TopologyError::Ipv6Outside {
                zone: name,
                subnet: outside,
            });
        }
        match self.addresses {
            Addresses::Loopback if !subnet.network().is_loopback() => {
                Err(TopologyError::NotLoopback { zone: name, subnet })
            }
            Addresses::Loopback | Addresses::Routed => Ok(()),
        }
    }
}

fn check_pairs(zone: &Zone, others: &[Zone]) -> Result<(), TopologyError> {
    for other in others {
        if other.name == zone.name {
            return Err(TopologyError::ZoneTwice(zone.name.clone()));
        }
        if other.subnet_cidr.overlaps(&zone.subnet_cidr) {
            return Err(TopologyError::SubnetsOverlap(
                other.name.clone(),
                zone.name.clone(),
            ));
        }
    }
    Ok(())
}

/// Source: EC2 guide, "VPC CIDR blocks" and "Subnet CIDR blocks": both are /16 to /28.
fn is_network(block: &Cidr) -> bool {
    matches!(block.network(), IpAddr::V4(_)) && (16..=28).contains(&block.prefix_length())
}

/// Two letters, words, a digit: `us-east-1`, `us-gov-west-1`, `ap-southeast-2`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    match parts.as_slice() {
        [area, words @ .., number] => {
            area.len() == 2
                && is_word(area)
                && !words.is_empty()
                && words.iter().all(is_word)
                && matches!(number.as_bytes(), [b'1'..=b'9'])
        }
        _ => false,
    }
}

fn is_label(text: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(is_part)
}

fn default_vpc() -> Cidr {
    VPC_CIDR.parse().expect("the default is a block")
}

/// A block on loopback beside a VPC there. Elsewhere only the operator knows which addresses are free.
fn default_elastic(vpc: Cidr) -> Option<Cidr> {
    let block: Cidr = ELASTIC_CIDR.parse().expect("the default is a block");
    Some(block).filter(|block| vpc.network().is_loopback() && !block.overlaps(&vpc))
}

fn default_zones() -> Vec<Zone> {
    ZONES
        .map(|zone| zone.parse().expect("the default is a zone"))
        .to_vec()
}

impl FromStr for Zone {
    type Err = String;

    /// Parses `NAME=CIDR`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, block) = text
            .split_once('=')
            .ok_or("expected NAME=CIDR, for example us-east-1a=127.65.1.0/24")?;
        let subnet_cidr = block
            .parse()
            .map_err(|error: model::cidr::InvalidCidr| error.to_string())?;
        Ok(Self {
            name: name.to_owned(),
            subnet_cidr,
            subnet_ipv6_cidr: None,
        })
    }
}

impl TryFrom<String> for Addresses {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "loopback" => Ok(Self::Loopback),
            "routed" => Ok(Self::Routed),
            "interface" => Err(
                "addresses = \"interface\" is not supported: elbow does not add addresses to a network \
                 interface. Make the subnets local to this machine yourself (ip route add local CIDR dev \
                 lo) and set addresses = \"routed\""
                    .to_owned(),
            ),
            "node" => Err(
                "addresses = \"node\" is not supported: load balancers cannot share the address of this \
                 machine. Use \"loopback\" or \"routed\""
                    .to_owned(),
            ),
            other => Err(format!(
                "addresses = \"{other}\" is not known; use \"loopback\" or \"routed\""
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(zones: &[&str], file: &str) -> Result<Topology, TopologyError> {
        let args = ServeArgs {
            zones: zones.iter().map(|zone| zone.parse().unwrap()).collect(),
            ..ServeArgs::default()
        };
        Topology::resolve(&args, toml::from_str(file).expect("a topology section"))
    }

    #[test]
    fn zones_lie_in_the_vpc_and_apart() {
        let fits = ["a=127.65.1.0/24", "b=127.65.2.0/24", "c=127.65.3.0/28"];
        assert_eq!(resolve(&fits, "").unwrap().zones.len(), 3);
        for (zones, told) in [
            (vec!["a=127.65.1.0/24"], "two availability zones"),
            (vec!["a=127.65.1.0/24", "a=127.65.2.0/24"], "given twice"),
            (vec!["a=127.65.1.0/24", "b=127.65.1.128/25"], "overlap"),
            (vec!["a=127.65.1.0/24", "b=127.66.1.0/24"], "in the VPC"),
            (vec!["a=127.65.1.0/24", "b=127.65.2.0/29"], "/16 to /28"),
            (vec!["a=127.65.1.0/24", "B=127.65.2.0/24"], "zone name"),
        ] {
            let error = resolve(&zones, "").expect_err("refused").to_string();
            assert!(error.contains(told), "{zones:?}: {error}");
        }
    }

    #[test]
    fn ipv6_blocks_of_zones_lie_in_that_of_the_vpc() {
        let file = |vpc: &str, zone: &str| {
            let zones = [("a", "127.65.1.0/24", zone), ("b", "127.65.2.0/24", "")];
            let zones = zones.map(|(name, block, ipv6)| {
                format!("[[zones]]\nname = '{name}'\nsubnet_cidr = '{block}'\n{ipv6}\n")
            });
            format!("{vpc}\n{}", zones.concat())
        };
        let (vpc, zone) = (
            "vpc_ipv6_cidr = 'fd65::/56'",
            "subnet_ipv6_cidr = 'fd65:0:0:1::/64'",
        );
        let topology = resolve(&[], &file(vpc, zone)).unwrap();
        assert!(topology.zones[0].subnet_ipv6_cidr.is_some());
        for vpc in ["", "vpc_ipv6_cidr = 'fd66::/56'"] {
            let error = resolve(&[], &file(vpc, zone)).expect_err("refused");
            assert!(error.to_string().contains("vpc_ipv6_cidr"), "{error}");
        }
    }

    #[test]
    fn real_networks_are_served_only_when_they_are_said_to_be_local() {
        let zones = ["a=10.1.1.0/24", "b=10.1.2.0/24"];
        let error = resolve(&zones, "vpc_cidr = '10.1.0.0/16'").expect_err("refused");
        assert!(error.to_string().contains("routed"), "{error}");
        let routed = "vpc_cidr = '10.1.0.0/16'\naddresses = 'routed'";
        assert!(resolve(&zones, routed).is_ok());
    }

    #[test]
    fn regions_and_accounts_have_their_forms() {
        for region in ["us-east-1", "us-gov-west-1", "ap-southeast-2"] {
            assert!(is_region(region), "{region}");
        }
        for region in ["", "useast1", "us-1", "us-east-", "us-east-10", "US-EAST-1"] {
            assert!(!is_region(region), "{region}");
        }
        assert!(resolve(&[], "account = '12345678901'").is_err());
        assert!(resolve(&[], "region = 'mars'").is_err());
    }
}
