//! `CreateVpc`, `DeleteVpc`, `DescribeVpcAttribute`, `ModifyVpcAttribute`, `CreateDefaultVpc`.

use control::ec2::vpcs::{CreateVpc, DescribeVpcAttribute, ModifyVpcAttribute};
use control::ec2::{Ec2, Ec2Error};

use super::input::Fields;
use super::ipv6_blocks;
use super::networks::print_vpc;
use super::shapes::{print_return, read_tag_specifications};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_create(fields: &Fields<'_>) -> Result<CreateVpc, ApiError> {
    fields.refuse(
        &["Ipv4IpamPoolId", "Ipv4NetmaskLength"],
        "give the block as CidrBlock",
    )?;
    fields.refuse(&["VpcEncryptionControl"], "it moves no packets")?;
    Ok(CreateVpc {
        cidr_block: fields.text("CidrBlock")?,
        ipv6_block: ipv6_blocks::read_new(fields)?,
        instance_tenancy: fields.text("InstanceTenancy")?,
        tag_specifications: read_tag_specifications(fields)?,
    })
}

pub(super) async fn create(ec2: &Ec2<'_>, request: CreateVpc) -> Result<Xml, Ec2Error> {
    let vpc = ec2.create_vpc(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    xml.element("vpc", |xml| print_vpc(xml, &vpc, ec2.place()));
    Ok(xml)
}

pub(super) fn read_delete(fields: &Fields<'_>) -> Result<String, ApiError> {
    fields.required("VpcId", "vpcId")
}

pub(super) async fn delete(ec2: &Ec2<'_>, vpc_id: String) -> Result<Xml, Ec2Error> {
    ec2.delete_vpc(vpc_id).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

pub(super) fn read_create_default(_: &Fields<'_>) -> Result<(), ApiError> {
    Ok(())
}

pub(super) async fn create_default(ec2: &Ec2<'_>, (): ()) -> Result<Xml, Ec2Error> {
    let vpc = ec2.create_default_vpc()?;
    let mut xml = Xml::new(Lists::Flat);
    xml.element("vpc", |xml| print_vpc(xml, &vpc, ec2.place()));
    Ok(xml)
}

pub(super) fn read_describe_attribute(
    fields: &Fields<'_>,
) -> Result<DescribeVpcAttribute, ApiError> {
    Ok(DescribeVpcAttribute {
        vpc_id: fields.required("VpcId", "vpcId")?,
        attribute: fields.required("Attribute", "attribute")?,
    })
}

pub(super) async fn describe_attribute(
    ec2: &Ec2<'_>,
    request: DescribeVpcAttribute,
) -> Result<Xml, Ec2Error> {
    let attribute = ec2.describe_vpc_attribute(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.text("vpcId", &attribute.vpc_id);
    xml.element(attribute.name, |xml| xml.text("value", attribute.is_on));
    Ok(xml)
}

pub(super) fn read_modify_attribute(fields: &Fields<'_>) -> Result<ModifyVpcAttribute, ApiError> {
    const METRICS: &str = "EnableNetworkAddressUsageMetrics";
    fields.refuse_true_value(&[METRICS], "it does not count the use of addresses")?;
    Ok(ModifyVpcAttribute {
        is_without_usage_metrics: fields.boolean_value(METRICS)?.is_some(),
        vpc_id: fields.required("VpcId", "vpcId")?,
        enable_dns_support: fields.boolean_value("EnableDnsSupport")?,
        enable_dns_hostnames: fields.boolean_value("EnableDnsHostnames")?,
    })
}

pub(super) async fn modify_attribute(
    ec2: &Ec2<'_>,
    request: ModifyVpcAttribute,
) -> Result<Xml, Ec2Error> {
    ec2.modify_vpc_attribute(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}
