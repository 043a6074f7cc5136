//! AssociateVpcCidrBlock, DisassociateVpcCidrBlock, AssociateSubnetCidrBlock, DisassociateSubnetCidrBlock: the
//! IPv6 blocks of a VPC, and what its subnets have of them.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use model::Cidr;
use model::ec2::{
    Direction, Peer, SecurityGroup, SecurityGroupRule, SecurityGroupRuleId, Subnet,
    SubnetCidrAssociationId, SubnetIpv6Block, Tags, Traffic, Vpc, VpcCidrAssociationId,
    VpcIpv6Block,
};

use crate::ec2::start::OWN_ADDRESSES_DESCRIPTION;
use crate::ec2::{Ec2Error, lookups};
use crate::state::Draft;

/// The prefix length of a block that is drawn.
///
/// Source: EC2 API, `AssociateVpcCidrBlock`, `AmazonProvidedIpv6CidrBlock`.
const PROVIDED_PREFIX_LENGTH: u8 = 56;

/// A block for a VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssociateVpcCidrBlock {
    /// The VPC that gets it.
    pub vpc_id: Option<String>,
    /// The block.
    pub block: NewIpv6Block,
}

/// Where a VPC has a new IPv6 block from; from nowhere by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewIpv6Block {
    /// The block that the owner chose.
    pub cidr_block: Option<String>,
    /// Whether to draw one instead.
    pub is_provided: bool,
}

impl NewIpv6Block {
    /// `None` if no block is asked for.
    ///
    /// # Errors
    /// `InvalidCombination` for both kinds of blocks, `InvalidValue` for what is not a block.
    pub(crate) fn resolve(&self, draft: &Draft) -> Result<Option<Cidr>, Ec2Error> {
        match (&self.cidr_block, self.is_provided) {
            (Some(text), false) => parse(text).map(Some),
            (None, true) => Ok(Some(provided(draft))),
            (None, false) => Ok(None),
            (Some(_), true) => Err(Ec2Error::InvalidCombination(ONE_BLOCK)),
        }
    }
}

const ONE_BLOCK: &str =
    "Exactly one of AmazonProvidedIpv6CidrBlock and Ipv6CidrBlock must be specified";

/// A block for a subnet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssociateSubnetCidrBlock {
    /// The subnet that gets it.
    pub subnet_id: Option<String>,
    /// A part of a block of the VPC that no other subnet has; host bits are cleared.
    pub ipv6_cidr_block: Option<String>,
}

/// Gives a VPC an IPv6 block. Its default security group admits the block as it admits that of IPv4.
///
/// # Errors
/// `MissingParameter`, `VpcNotFound`, `InvalidCombination` for both kinds of blocks or none, `InvalidValue` for
/// what is not a block, `VpcIpv6Range`, `TooManyVpcIpv6Blocks`.
pub(crate) fn associate_vpc(
    draft: &mut Draft,
    request: &AssociateVpcCidrBlock,
) -> Result<(Arc<Vpc>, VpcIpv6Block), Ec2Error> {
    let vpc_id = request.vpc_id.as_ref();
    let vpc_id = vpc_id.ok_or(Ec2Error::MissingParameter("vpcId"))?;
    let vpc = lookups::vpc(&draft.state().ec2, vpc_id);
    let vpc = Arc::clone(vpc.ok_or_else(|| Ec2Error::VpcNotFound(vpc_id.clone()))?);
    let cidr = request.block.resolve(draft)?;
    let cidr = cidr.ok_or(Ec2Error::InvalidCombination(ONE_BLOCK))?;
    add_to_vpc(draft, &vpc, cidr, request.block.is_provided)
}

/// Gives `vpc` the block `cidr`.
///
/// # Errors
/// `VpcIpv6Range`, `TooManyVpcIpv6Blocks`.
pub(crate) fn add_to_vpc(
    draft: &mut Draft,
    vpc: &Vpc,
    cidr: Cidr,
    is_provided: bool,
) -> Result<(Arc<Vpc>, VpcIpv6Block), Ec2Error> {
    let vpcs = draft.state().ec2.vpcs.values();
    let mut others = vpcs.flat_map(|vpc| &vpc.ipv6_blocks);
    if !is_vpc_block(&cidr) || others.any(|other| other.cidr.overlaps(&cidr)) {
        return Err(Ec2Error::VpcIpv6Range(cidr));
    }
    let max = draft.settings().limits.ec2.ipv6_blocks_per_vpc;
    if vpc.ipv6_blocks.len() >= max {
        return Err(Ec2Error::TooManyVpcIpv6Blocks(max));
    }
    let block = VpcIpv6Block {
        id: VpcCidrAssociationId::from_bits(draft.draw()),
        cidr,
        is_provided,
    };
    let mut vpc = vpc.clone();
    vpc.ipv6_blocks.push(block.clone());
    let vpc = draft.put(vpc);
    if let Some(group) = lookups::default_security_group(&draft.state().ec2, vpc.id.as_str()) {
        let mut group = SecurityGroup::clone(group);
        admit_block(&mut group, cidr, draft);
        draft.put(group);
    }
    Ok((vpc, block))
}

/// Takes an IPv6 block from its VPC.
///
/// # Errors
/// `VpcCidrAssociationNotFound`, `ConfiguredIpv6Block`, `VpcIpv6BlockInUse` while a subnet has a part of it.
pub(crate) fn disassociate_vpc(
    draft: &mut Draft,
    association_id: &str,
) -> Result<(Arc<Vpc>, VpcIpv6Block), Ec2Error> {
    let ec2 = &draft.state().ec2;
    let found = ec2.vpcs.values().find_map(|vpc| {
        let mut blocks = vpc.ipv6_blocks.iter();
        let at = blocks.position(|block| block.id.as_str() == association_id)?;
        Some((Vpc::clone(vpc), at))
    });
    let not_found = || Ec2Error::VpcCidrAssociationNotFound(association_id.to_owned());
    let (mut vpc, at) = found.ok_or_else(not_found)?;
    let block = vpc.ipv6_blocks.remove(at);
    let topology = &draft.settings().topology;
    if topology.names_ipv6_block_of_vpc(&vpc, block.cidr) {
        return Err(Ec2Error::ConfiguredIpv6Block(block.cidr));
    }
    let is_within = |subnet: &Arc<Subnet>| {
        let its = subnet.ipv6_block.as_ref();
        its.is_some_and(|its| block.cidr.covers(&its.cidr))
    };
    if ec2.subnets.values().any(is_within) {
        return Err(Ec2Error::VpcIpv6BlockInUse {
            vpc_id: vpc.id,
            cidr: block.cidr,
        });
    }
    let group = lookups::default_security_group(ec2, vpc.id.as_str());
    let group = group.map(|group| SecurityGroup::clone(group));
    if let Some(mut group) = group {
        group
            .rules
            .retain(|rule| !is_own_addresses(rule) || rule.peer != Peer::Block(block.cidr));
        draft.put(group);
    }
    Ok((draft.put(vpc), block))
}

/// Gives a subnet an IPv6 block.
///
/// # Errors
/// `MissingParameter`, `SubnetNotFound`, `SubnetHasIpv6Block`, `InvalidValue` for what is not a block, and those
/// of `of_subnet`.
pub(crate) fn associate_subnet(
    draft: &mut Draft,
    request: &AssociateSubnetCidrBlock,
) -> Result<(Arc<Subnet>, SubnetIpv6Block), Ec2Error> {
    let subnet_id = request.subnet_id.as_ref();
    let subnet_id = subnet_id.ok_or(Ec2Error::MissingParameter("subnetId"))?;
    let text = request.ipv6_cidr_block.as_deref();
    let text = text.ok_or(Ec2Error::MissingParameter("ipv6CidrBlock"))?;
    let ec2 = &draft.state().ec2;
    let subnet = lookups::subnet(ec2, subnet_id);
    let subnet = subnet.ok_or_else(|| Ec2Error::SubnetNotFound(subnet_id.clone()))?;
    if let Some(block) = &subnet.ipv6_block {
        return Err(Ec2Error::SubnetHasIpv6Block {
            subnet_id: subnet.id.clone(),
            cidr: block.cidr,
        });
    }
    let vpc = lookups::vpc(ec2, subnet.vpc_id.as_str()).expect("a subnet is in a VPC");
    let block = of_subnet(draft, vpc, parse(text)?)?;
    let subnet = Subnet {
        ipv6_block: Some(block.clone()),
        ..Subnet::clone(subnet)
    };
    Ok((draft.put(subnet), block))
}

/// The block `cidr` for a subnet of `vpc`.
///
/// # Errors
/// `SubnetIpv6Range`, `SubnetIpv6Conflict`.
pub(crate) fn of_subnet(draft: &Draft, vpc: &Vpc, cidr: Cidr) -> Result<SubnetIpv6Block, Ec2Error> {
    let mut blocks = vpc.ipv6_blocks.iter();
    if !is_subnet_block(&cidr) || !blocks.any(|block| block.cidr.covers(&cidr)) {
        return Err(Ec2Error::SubnetIpv6Range(cidr));
    }
    let mut others = draft.state().ec2.subnets.values();
    if others.any(|other| other.blocks().any(|block| block.overlaps(&cidr)))
        || draft.is_block_of_another_account(&cidr)
    {
        return Err(Ec2Error::SubnetIpv6Conflict(cidr));
    }
    Ok(SubnetIpv6Block {
        id: SubnetCidrAssociationId::from_bits(draft.draw()),
        cidr,
    })
}

/// Takes its IPv6 block from a subnet.
///
/// # Errors
/// `SubnetCidrAssociationNotFound`, `ConfiguredIpv6Block`, `SubnetIpv6BlockInUse` while an instance or a load
/// balancer has an address in it.
pub(crate) fn disassociate_subnet(
    draft: &mut Draft,
    association_id: &str,
) -> Result<(Arc<Subnet>, SubnetIpv6Block), Ec2Error> {
    let state = draft.state();
    let found = state.ec2.subnets.values().find_map(|subnet| {
        let block = subnet.ipv6_block.as_ref();
        let block = block.filter(|block| block.id.as_str() == association_id)?;
        Some((Subnet::clone(subnet), block.clone()))
    });
    let not_found = || Ec2Error::SubnetCidrAssociationNotFound(association_id.to_owned());
    let (subnet, block) = found.ok_or_else(not_found)?;
    let topology = &draft.settings().topology;
    if topology.names_ipv6_block_of_subnet(&subnet, block.cidr) {
        return Err(Ec2Error::ConfiguredIpv6Block(block.cidr));
    }
    let mut held = lookups::instance_addresses(&state.ec2);
    held.extend(state.elb.addresses());
    let held = held.iter().filter(|address| block.cidr.contains(**address));
    let held: Vec<String> = held.map(IpAddr::to_string).collect();
    if !held.is_empty() {
        return Err(Ec2Error::SubnetIpv6BlockInUse {
            id: block.id,
            addresses: held.join(", "),
        });
    }
    let subnet = Subnet {
        ipv6_block: None,
        ..subnet
    };
    Ok((draft.put(subnet), block))
}

/// The IPv6 block that `text` names; host bits are cleared, as EC2 does.
///
/// # Errors
/// `InvalidValue` for what is not one.
pub(crate) fn parse(text: &str) -> Result<Cidr, Ec2Error> {
    let block = text.parse().ok();
    let block = block.filter(|block: &Cidr| block.network().is_ipv6());
    block.ok_or_else(|| Ec2Error::InvalidValue {
        parameter: "ipv6CidrBlock",
        value: text.to_owned(),
        expectation: "This is not a valid IPv6 CIDR block.".to_owned(),
    })
}

/// A block of unique local addresses, with a global ID of 40 random bits as RFC 4193 section 3.2.1 asks for:
/// elbow has no global addresses to give.
fn provided(draft: &Draft) -> Cidr {
    let address = (0xfd << 120) | (u128::from(draft.draw() >> 16) << 72);
    Cidr::new(Ipv6Addr::from(address).into(), PROVIDED_PREFIX_LENGTH)
        .expect("56 is a length of IPv6")
}

/// Whether a VPC may have this block.
///
/// Source: Amazon VPC User Guide, "VPC CIDR blocks", "IPv6 VPC CIDR blocks".
fn is_vpc_block(block: &Cidr) -> bool {
    let is_unicast = match block.network() {
        // RFC 4193 section 3.1, RFC 4291 section 2.4 with the present allocation of IANA.
        IpAddr::V6(v6) => v6.is_unique_local() || v6.segments()[0] & 0xe000 == 0x2000,
        IpAddr::V4(_) => false,
    };
    is_unicast && matches!(block.prefix_length(), 44 | 48 | 52 | 56 | 60)
}

/// Whether a subnet may have this block.
///
/// Source: Amazon VPC User Guide, "Subnet CIDR blocks", "IPv6 subnet CIDR blocks".
fn is_subnet_block(block: &Cidr) -> bool {
    block.network().is_ipv6() && matches!(block.prefix_length(), 44 | 48 | 52 | 56 | 60 | 64)
}

fn is_own_addresses(rule: &SecurityGroupRule) -> bool {
    rule.description.as_deref() == Some(OWN_ADDRESSES_DESCRIPTION)
}

/// Adds to the default group of a VPC what it says about IPv4: everything out, and in what comes from the VPC
/// and from this machine. What its owner has revoked for IPv4 is not granted for IPv6.
fn admit_block(group: &mut SecurityGroup, block: Cidr, draft: &Draft) {
    let loopback = Cidr::host(Ipv6Addr::LOCALHOST.into());
    let any_out = |rule: &SecurityGroupRule| {
        rule.direction == Direction::Egress && rule.peer == Peer::Block(Cidr::ANY_IPV4)
    };
    let mut wanted = Vec::new();
    if group.rules.iter().any(any_out) {
        wanted.push((Direction::Egress, Cidr::ANY_IPV6, None));
    }
    if group.rules.iter().any(is_own_addresses) {
        let description = Some(OWN_ADDRESSES_DESCRIPTION.to_owned());
        wanted.push((Direction::Ingress, loopback, description.clone()));
        wanted.push((Direction::Ingress, block, description));
    }
    for (direction, block, description) in wanted {
        let rule = SecurityGroupRule {
            id: SecurityGroupRuleId::from_bits(draft.draw()),
            direction,
            traffic: Traffic::All,
            peer: Peer::Block(block),
            description,
            tags: Tags::new(),
        };
        if !group.rules.iter().any(|other| other.allows_same_as(&rule)) {
            group.rules.push(rule);
        }
    }
}
