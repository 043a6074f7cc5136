//! `AssociateVpcCidrBlock`, `DisassociateVpcCidrBlock`, `AssociateSubnetCidrBlock`, `DisassociateSubnetCidrBlock`.

use control::ec2::ipv6_blocks::{AssociateSubnetCidrBlock, AssociateVpcCidrBlock, NewIpv6Block};
use control::ec2::networks::ipv6_pool;
use control::ec2::{Ec2, Ec2Error};
use model::ec2::{SubnetIpv6Block, VpcIpv6Block};

use super::input::Fields;
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_associate_vpc(fields: &Fields<'_>) -> Result<AssociateVpcCidrBlock, ApiError> {
    fields.refuse(
        &["CidrBlock", "Ipv4IpamPoolId", "Ipv4NetmaskLength"],
        "a VPC has one IPv4 block",
    )?;
    Ok(AssociateVpcCidrBlock {
        vpc_id: fields.text("VpcId")?,
        block: read_new(fields)?,
    })
}

/// The IPv6 block for a VPC.
pub(super) fn read_new(fields: &Fields<'_>) -> Result<NewIpv6Block, ApiError> {
    fields.refuse(
        &["Ipv6CidrBlockNetworkBorderGroup"],
        "it advertises addresses nowhere",
    )?;
    fields.refuse(&["Ipv6Pool"], "it has no pools; give Ipv6CidrBlock alone")?;
    refuse_pools(fields)?;
    let is_provided = fields.boolean("AmazonProvidedIpv6CidrBlock")?;
    Ok(NewIpv6Block {
        cidr_block: fields.text("Ipv6CidrBlock")?,
        is_provided: is_provided.unwrap_or(false),
    })
}

/// Refuses to take an IPv6 block from a pool of IPAM.
pub(super) fn refuse_pools(fields: &Fields<'_>) -> Result<(), ApiError> {
    fields.refuse(
        &["Ipv6IpamPoolId", "Ipv6NetmaskLength"],
        "give the block as Ipv6CidrBlock",
    )
}

pub(super) async fn associate_vpc(
    ec2: &Ec2<'_>,
    request: AssociateVpcCidrBlock,
) -> Result<Xml, Ec2Error> {
    let (vpc, block) = ec2.associate_vpc_cidr_block(request).await?;
    let region = &ec2.place().region;
    Ok(answer("vpcId", vpc.id.as_str(), |xml| {
        print_of_vpc(xml, &block, "associating", region);
    }))
}

pub(super) fn read_association(fields: &Fields<'_>) -> Result<String, ApiError> {
    match fields.text("AssociationId")? {
        Some(id) => Ok(id),
        None => Err(Ec2Error::MissingParameter("associationId").into()),
    }
}

pub(super) async fn disassociate_vpc(
    ec2: &Ec2<'_>,
    association_id: String,
) -> Result<Xml, Ec2Error> {
    let (vpc, block) = ec2.disassociate_vpc_cidr_block(association_id).await?;
    let region = &ec2.place().region;
    Ok(answer("vpcId", vpc.id.as_str(), |xml| {
        print_of_vpc(xml, &block, "disassociating", region);
    }))
}

pub(super) fn read_associate_subnet(
    fields: &Fields<'_>,
) -> Result<AssociateSubnetCidrBlock, ApiError> {
    refuse_pools(fields)?;
    Ok(AssociateSubnetCidrBlock {
        subnet_id: fields.text("SubnetId")?,
        ipv6_cidr_block: fields.text("Ipv6CidrBlock")?,
    })
}

pub(super) async fn associate_subnet(
    ec2: &Ec2<'_>,
    request: AssociateSubnetCidrBlock,
) -> Result<Xml, Ec2Error> {
    let (subnet, block) = ec2.associate_subnet_cidr_block(request).await?;
    Ok(answer("subnetId", subnet.id.as_str(), |xml| {
        print_of_subnet(xml, &block, "associating");
    }))
}

pub(super) async fn disassociate_subnet(
    ec2: &Ec2<'_>,
    association_id: String,
) -> Result<Xml, Ec2Error> {
    let (subnet, block) = ec2.disassociate_subnet_cidr_block(association_id).await?;
    Ok(answer("subnetId", subnet.id.as_str(), |xml| {
        print_of_subnet(xml, &block, "disassociating");
    }))
}

/// As on EC2 the answer names the state that the association passes through; here it is through already.
fn answer(name: &str, id: &str, print: impl FnOnce(&mut Xml)) -> Xml {
    let mut xml = Xml::new(Lists::Flat);
    xml.text(name, id);
    xml.element("ipv6CidrBlockAssociation", print);
    xml
}

/// A block of a VPC as an association in `state`.
pub(super) fn print_of_vpc(xml: &mut Xml, block: &VpcIpv6Block, state: &str, region: &str) {
    xml.text("associationId", &block.id);
    xml.text("ipv6CidrBlock", block.cidr);
    xml.element("ipv6CidrBlockState", |xml| xml.text("state", state));
    xml.text("networkBorderGroup", region);
    xml.optional("ipv6Pool", ipv6_pool(block));
}

/// The block of a subnet as an association in `state`.
pub(super) fn print_of_subnet(xml: &mut Xml, block: &SubnetIpv6Block, state: &str) {
    xml.text("associationId", &block.id);
    xml.text("ipv6CidrBlock", block.cidr);
    xml.element("ipv6CidrBlockState", |xml| xml.text("state", state));
}
