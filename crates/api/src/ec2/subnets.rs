//! `DescribeSubnets`, `CreateSubnet`, `DeleteSubnet`, `ModifySubnetAttribute`, `CreateDefaultSubnet`.

use control::ec2::subnet_changes::ModifySubnetAttribute;
use control::ec2::subnets::{CreateSubnet, DescribeSubnets, HOSTNAME_TYPE, SubnetDescription};
use control::ec2::{Ec2, Ec2Error};

use super::input::Fields;
use super::ipv6_blocks;
use super::shapes::{
    print_block_public_access, print_return, print_tags, read_filters, read_page,
    read_tag_specifications,
};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_describe(fields: &Fields<'_>) -> Result<DescribeSubnets, ApiError> {
    Ok(DescribeSubnets {
        subnet_ids: fields.texts("SubnetId")?,
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe(ec2: &Ec2<'_>, request: DescribeSubnets) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_subnets(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("subnetSet", &page.items, print);
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

pub(super) fn read_create(fields: &Fields<'_>) -> Result<CreateSubnet, ApiError> {
    fields.refuse_true(&["Ipv6Native"], "its subnets have IPv4 addresses too")?;
    fields.refuse(
        &["Ipv4IpamPoolId", "Ipv4NetmaskLength"],
        "give the block as CidrBlock",
    )?;
    ipv6_blocks::refuse_pools(fields)?;
    fields.refuse(&["OutpostArn"], "it has no Outposts")?;
    Ok(CreateSubnet {
        vpc_id: fields.text("VpcId")?,
        cidr_block: fields.text("CidrBlock")?,
        ipv6_cidr_block: fields.text("Ipv6CidrBlock")?,
        availability_zone: fields.text("AvailabilityZone")?,
        availability_zone_id: fields.text("AvailabilityZoneId")?,
        tag_specifications: read_tag_specifications(fields)?,
    })
}

pub(super) async fn create(ec2: &Ec2<'_>, request: CreateSubnet) -> Result<Xml, Ec2Error> {
    let subnet = ec2.create_subnet(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    xml.element("subnet", |xml| print(xml, &subnet));
    Ok(xml)
}

pub(super) fn read_delete(fields: &Fields<'_>) -> Result<String, ApiError> {
    fields.required("SubnetId", "subnetId")
}

pub(super) async fn delete(ec2: &Ec2<'_>, subnet_id: String) -> Result<Xml, Ec2Error> {
    ec2.delete_subnet(subnet_id).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

pub(super) fn read_create_default(
    fields: &Fields<'_>,
) -> Result<(Option<String>, Option<String>), ApiError> {
    fields.refuse_true(&["Ipv6Native"], "its default subnets have IPv4 addresses")?;
    Ok((
        fields.text("AvailabilityZone")?,
        fields.text("AvailabilityZoneId")?,
    ))
}

pub(super) async fn create_default(
    ec2: &Ec2<'_>,
    (name, id): (Option<String>, Option<String>),
) -> Result<Xml, Ec2Error> {
    let subnet = ec2.create_default_subnet(name, id).await?;
    let mut xml = Xml::new(Lists::Flat);
    xml.element("subnet", |xml| print(xml, &subnet));
    Ok(xml)
}

pub(super) fn read_modify(fields: &Fields<'_>) -> Result<ModifySubnetAttribute, ApiError> {
    fields.refuse_true_value(
        &["AssignIpv6AddressOnCreation", "EnableDns64"],
        "it assigns no IPv6 addresses",
    )?;
    fields.refuse_true_value(
        &[
            "EnableResourceNameDnsARecordOnLaunch",
            "EnableResourceNameDnsAAAARecordOnLaunch",
        ],
        "it gives no names to instances",
    )?;
    let hostname_type = "PrivateDnsHostnameTypeOnLaunch";
    if fields
        .text(hostname_type)?
        .is_some_and(|it| it != HOSTNAME_TYPE)
    {
        return Err(fields.unsupported(hostname_type, "it gives no names to instances"));
    }
    fields.refuse_true_value(
        &["MapCustomerOwnedIpOnLaunch", "DisableLniAtDeviceIndex"],
        "it has no Outposts",
    )?;
    fields.refuse(
        &["CustomerOwnedIpv4Pool", "EnableLniAtDeviceIndex"],
        "it has no Outposts",
    )?;
    Ok(ModifySubnetAttribute {
        subnet_id: fields.required("SubnetId", "subnetId")?,
        map_public_ip_on_launch: fields.boolean_value("MapPublicIpOnLaunch")?,
    })
}

pub(super) async fn modify(ec2: &Ec2<'_>, request: ModifySubnetAttribute) -> Result<Xml, Ec2Error> {
    ec2.modify_subnet_attribute(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

fn print(xml: &mut Xml, description: &SubnetDescription) {
    let subnet = &description.subnet;
    xml.text("subnetId", &subnet.id);
    xml.text("subnetArn", &description.arn);
    xml.text("state", "available");
    xml.text("ownerId", &description.owner_id);
    xml.text("vpcId", &subnet.vpc_id);
    xml.text("cidrBlock", subnet.cidr);
    xml.list(
        "ipv6CidrBlockAssociationSet",
        &subnet.ipv6_block,
        |xml, block| {
            ipv6_blocks::print_of_subnet(xml, block, "associated");
        },
    );
    xml.text("assignIpv6AddressOnCreation", false);
    xml.text("ipv6Native", false);
    xml.text("enableDns64", false);
    xml.text("availableIpAddressCount", description.available_addresses);
    xml.text("availabilityZone", &subnet.zone.name);
    xml.text("availabilityZoneId", &subnet.zone.id);
    xml.text("defaultForAz", subnet.is_default_for_zone);
    xml.text("mapPublicIpOnLaunch", subnet.maps_public_address);
    xml.text("mapCustomerOwnedIpOnLaunch", false);
    xml.element("privateDnsNameOptionsOnLaunch", |xml| {
        xml.text("hostnameType", HOSTNAME_TYPE);
        xml.text("enableResourceNameDnsARecord", false);
        xml.text("enableResourceNameDnsAAAARecord", false);
    });
    print_block_public_access(xml);
    print_tags(xml, &subnet.tags);
}
