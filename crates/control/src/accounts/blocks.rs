//! The networks of a new account: those it is given, or free ones on loopback.

use std::net::Ipv4Addr;

use model::Cidr;
use model::account::ZoneSubnet;

use super::CreateAccount;
use crate::Draft;
use crate::ec2::subnets::{default_subnet_length, has_usable_size, is_free_for_subnets};

/// The first `N` in 127.N.0.0/16 that is tried; the first account has 65 and 66 unless it is configured otherwise.
const LOOPBACK_FROM: u8 = 67;
/// The Elastic IP addresses of the accounts are in 127.66.0.0/16, a /24 for each.
const LOOPBACK_ELASTIC: u8 = 66;

/// Where the resources of an account get their addresses from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) vpc: Cidr,
    pub(super) elastic: Option<Cidr>,
    pub(super) subnets: Vec<ZoneSubnet>,
}

/// A block cannot be that of an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableBlock {
    /// The text is no block of a network.
    #[error("'{0}' cannot be the block of an account: it is an IPv4 block of /16 to /28")]
    Form(String),
    /// Some of its addresses are taken.
    #[error("The block {0} overlaps one of this account or of another; choose one that is free.")]
    Taken(Cidr),
    /// The first account is on loopback, this block is not.
    #[error(
        "The block {0} is not in 127.0.0.0/8, where those of the first account are, so that nothing would answer on \
         its addresses; choose one there, or leave it out to have a free one"
    )]
    NotLoopback(Cidr),
    /// The first account is not on loopback, so that only its owner knows which addresses are free.
    #[error(
        "The account needs a VpcCidr: a block that is local to this machine, as that of the first account {0}."
    )]
    VpcMissing(Cidr),
    /// No block on loopback is free.
    #[error("No block is left in 127.0.0.0/8; give the account a smaller one.")]
    LoopbackFull,
    /// There is no room for a subnet in each zone.
    #[error(
        "The block {vpc} is too small for a subnet of /28 in each of {zones} zones; choose a larger one."
    )]
    TooSmall {
        /// The block.
        vpc: Cidr,
        /// How many zones there are.
        zones: usize,
    },
}

/// The blocks that `input` names, and free ones for those that it does not.
pub(super) fn choose(draft: &Draft, input: &CreateAccount) -> Result<Blocks, UnusableBlock> {
    let first = &draft.settings().topology;
    let is_on_loopback = first.vpc.network().is_loopback();
    let given = |text: &String| -> Result<Cidr, UnusableBlock> {
        let block = text.parse().ok().filter(|block| has_usable_size(*block));
        let block: Cidr = block.ok_or_else(|| UnusableBlock::Form(text.clone()))?;
        match block {
            block if !is_free(draft, &block) => Err(UnusableBlock::Taken(block)),
            block if is_on_loopback && !block.network().is_loopback() => {
                Err(UnusableBlock::NotLoopback(block))
            }
            block => Ok(block),
        }
    };
    let vpc = match &input.vpc_cidr {
        Some(text) => given(text)?,
        None if is_on_loopback => (LOOPBACK_FROM..=u8::MAX)
            .map(|second| loopback(second, 0, 16))
            .find(|block| is_free(draft, block))
            .ok_or(UnusableBlock::LoopbackFull)?,
        None => return Err(UnusableBlock::VpcMissing(first.vpc)),
    };
    let elastic = match &input.elastic_cidr {
        Some(text) => Some(given(text)?),
        None if is_on_loopback && first.elastic.is_some() => (0..=u8::MAX)
            .map(|third| loopback(LOOPBACK_ELASTIC, third, 24))
            .find(|block| is_free(draft, block) && !block.overlaps(&vpc)),
        None => None,
    };
    if let Some(elastic) = elastic.filter(|elastic| elastic.overlaps(&vpc)) {
        return Err(UnusableBlock::Taken(elastic));
    }
    let zones: Vec<_> = first.zones.iter().map(|zone| zone.name.as_str()).collect();
    Ok(Blocks {
        vpc,
        elastic,
        subnets: divide(vpc, &zones)?,
    })
}

/// Whether no account has an address of `block`.
fn is_free(draft: &Draft, block: &Cidr) -> bool {
    !draft.settings().topology.vpc.overlaps(block) && is_free_for_subnets(draft, block)
}

fn loopback(second: u8, third: u8, prefix_length: u8) -> Cidr {
    let network = Ipv4Addr::new(127, second, third, 0);
    Cidr::new(network.into(), prefix_length).expect("IPv4 has 32 bits")
}

/// A subnet of `vpc` for each zone. The first part stays free if there is one more than zones, so that the default is
/// 127.N.1.0/24, 127.N.2.0/24 and so on.
fn divide(vpc: Cidr, zones: &[&str]) -> Result<Vec<ZoneSubnet>, UnusableBlock> {
    let parts: Vec<_> = vpc.parts(default_subnet_length(vpc)).collect();
    if parts.len() < zones.len() {
        let zones = zones.len();
        return Err(UnusableBlock::TooSmall { vpc, zones });
    }
    let skipped = usize::from(parts.len() > zones.len());
    let subnets = parts.into_iter().skip(skipped).zip(zones);
    let subnets = subnets.map(|(cidr, zone)| ZoneSubnet {
        zone: (*zone).to_owned(),
        cidr,
    });
    Ok(subnets.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_has_a_part_of_the_block() {
        for (vpc, zones, parts) in [
            ("127.67.0.0/16", 2, &["127.67.1.0/24", "127.67.2.0/24"][..]),
            (
                "10.1.0.0/20",
                3,
                &["10.1.0.16/28", "10.1.0.32/28", "10.1.0.48/28"],
            ),
            ("10.1.0.0/27", 2, &["10.1.0.0/28", "10.1.0.16/28"]),
        ] {
            let zones = &["a", "b", "c"][..zones];
            let divided = divide(vpc.parse().unwrap(), zones).unwrap();
            let found: Vec<_> = divided.iter().map(|it| it.cidr.to_string()).collect();
            assert_eq!(found, parts, "{vpc}");
        }
        let small = divide("10.1.0.0/28".parse().unwrap(), &["a", "b"]);
        assert!(
            matches!(small, Err(UnusableBlock::TooSmall { .. })),
            "{small:?}"
        );
    }
}
