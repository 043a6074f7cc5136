//! `DescribeSecurityGroups`, `CreateSecurityGroup`, `DeleteSecurityGroup`.

use control::ec2::names;
use control::ec2::security_groups::{CreateSecurityGroup, DescribeSecurityGroups, GroupReference};
use control::ec2::{Ec2, Ec2Error};
use model::arn::Place;
use model::ec2::{Direction, SecurityGroup};

use super::input::Fields;
use super::permissions::print_permissions;
use super::shapes::{print_return, print_tags, read_filters, read_page, read_tag_specifications};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_describe(fields: &Fields<'_>) -> Result<DescribeSecurityGroups, ApiError> {
    Ok(DescribeSecurityGroups {
        group_ids: fields.texts("GroupId")?,
        group_names: fields.texts("GroupName")?,
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe(
    ec2: &Ec2<'_>,
    request: DescribeSecurityGroups,
) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_security_groups(&request)?;
    let place = ec2.place();
    let mut xml = Xml::new(Lists::Flat);
    xml.list("securityGroupInfo", &page.items, |xml, group| {
        xml.text("ownerId", &place.account);
        xml.text("groupId", &group.id);
        xml.text("groupName", &group.name);
        xml.text("groupDescription", &group.description);
        xml.text("vpcId", &group.vpc_id);
        xml.text("securityGroupArn", arn(place, group));
        for (name, direction) in [
            ("ipPermissions", Direction::Ingress),
            ("ipPermissionsEgress", Direction::Egress),
        ] {
            let rules = group.rules.iter();
            let rules = rules.filter(|rule| rule.direction == direction);
            print_permissions(xml, name, rules, place);
        }
        print_tags(xml, &group.tags);
    });
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

fn arn(place: &Place, group: &SecurityGroup) -> String {
    names::arn(place, &format!("security-group/{}", group.id))
}

pub(super) fn read_create(fields: &Fields<'_>) -> Result<CreateSecurityGroup, ApiError> {
    Ok(CreateSecurityGroup {
        group_name: fields.text("GroupName")?,
        description: fields.text("GroupDescription")?,
        vpc_id: fields.text("VpcId")?,
        tag_specifications: read_tag_specifications(fields)?,
    })
}

pub(super) async fn create(ec2: &Ec2<'_>, request: CreateSecurityGroup) -> Result<Xml, Ec2Error> {
    let group = ec2.create_security_group(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    xml.text("groupId", &group.id);
    xml.text("securityGroupArn", arn(ec2.place(), &group));
    print_tags(&mut xml, &group.tags);
    Ok(xml)
}

/// `GroupId` or `GroupName`, of the group an operation is about.
pub(super) fn read_group(fields: &Fields<'_>) -> Result<GroupReference, ApiError> {
    Ok(GroupReference {
        group_id: fields.text("GroupId")?,
        group_name: fields.text("GroupName")?,
    })
}

pub(super) async fn delete(ec2: &Ec2<'_>, request: GroupReference) -> Result<Xml, Ec2Error> {
    let id = ec2.delete_security_group(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    xml.text("groupId", id);
    Ok(xml)
}
