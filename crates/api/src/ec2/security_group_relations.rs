//! `GetSecurityGroupsForVpc`, `DescribeSecurityGroupReferences`, `DescribeStaleSecurityGroups`.

use control::ec2::security_group_relations::GetSecurityGroupsForVpc;
use control::ec2::{Ec2, Ec2Error, PageRequest};

use super::input::Fields;
use super::shapes::{print_tag_set, read_filters, read_page};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_for_vpc(fields: &Fields<'_>) -> Result<GetSecurityGroupsForVpc, ApiError> {
    Ok(GetSecurityGroupsForVpc {
        vpc_id: fields.required("VpcId", "vpcId")?,
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn for_vpc(
    ec2: &Ec2<'_>,
    request: GetSecurityGroupsForVpc,
) -> Result<Xml, Ec2Error> {
    let page = ec2.security_groups_for_vpc(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("securityGroupForVpcSet", &page.items, |xml, group| {
        xml.text("groupId", &group.id);
        xml.text("groupName", &group.name);
        xml.text("description", &group.description);
        xml.text("ownerId", &ec2.place().account);
        xml.text("primaryVpcId", &group.vpc_id);
        print_tag_set(xml, &group.tags);
    });
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

pub(super) fn read_references(fields: &Fields<'_>) -> Result<Vec<String>, ApiError> {
    fields.texts("GroupId")
}

pub(super) async fn references(ec2: &Ec2<'_>, group_ids: Vec<String>) -> Result<Xml, Ec2Error> {
    ec2.describe_security_group_references(&group_ids)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.texts("securityGroupReferenceSet", [""; 0]);
    Ok(xml)
}

pub(super) fn read_stale(fields: &Fields<'_>) -> Result<(String, PageRequest), ApiError> {
    Ok((fields.required("VpcId", "vpcId")?, read_page(fields)?))
}

pub(super) async fn stale(
    ec2: &Ec2<'_>,
    (vpc_id, page): (String, PageRequest),
) -> Result<Xml, Ec2Error> {
    ec2.describe_stale_security_groups(&vpc_id, &page)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.texts("staleSecurityGroupSet", [""; 0]);
    Ok(xml)
}
