//! `ModifySecurityGroupRules`, `UpdateSecurityGroupRuleDescriptionsIngress` and `…Egress`.

use control::ec2::security_group_changes::{
    ModifySecurityGroupRules, UpdateSecurityGroupRuleDescriptions,
};
use control::ec2::security_group_rules::{GroupPair, IpPermission, IpRange, PrefixListReference};
use control::ec2::security_groups::GroupReference;
use control::ec2::{Ec2, Ec2Error};
use model::ec2::Direction;

use super::input::Fields;
use super::permissions::read_permissions;
use super::security_groups::read_group;
use super::shapes::print_return;
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_modify(fields: &Fields<'_>) -> Result<ModifySecurityGroupRules, ApiError> {
    Ok(ModifySecurityGroupRules {
        group_id: fields.required("GroupId", "groupId")?,
        rules: fields.structures("SecurityGroupRule", |update| {
            let id = update.required("SecurityGroupRuleId", "securityGroupRuleId")?;
            let rule = update.structure("SecurityGroupRule", read_rule)?;
            Ok((id, rule.unwrap_or_default()))
        })?,
    })
}

/// A `SecurityGroupRuleRequest`.
fn read_rule(rule: &Fields<'_>) -> Result<IpPermission, ApiError> {
    let description = rule.text("Description")?;
    let range = |name| {
        let cidr = rule.text(name)?;
        let range = cidr.map(|cidr| IpRange {
            cidr,
            description: description.clone(),
        });
        Ok::<_, ApiError>(range.into_iter().collect())
    };
    let group = rule.text("ReferencedGroupId")?.map(|id| GroupPair {
        group: GroupReference {
            group_id: Some(id),
            group_name: None,
        },
        description: description.clone(),
        ..GroupPair::default()
    });
    let list = rule.text("PrefixListId")?.map(|id| PrefixListReference {
        id,
        description: description.clone(),
    });
    Ok(IpPermission {
        protocol: rule.text("IpProtocol")?,
        from_port: rule.integer("FromPort")?,
        to_port: rule.integer("ToPort")?,
        ipv4_ranges: range("CidrIpv4")?,
        ipv6_ranges: range("CidrIpv6")?,
        groups: group.into_iter().collect(),
        prefix_lists: list.into_iter().collect(),
    })
}

pub(super) async fn modify(
    ec2: &Ec2<'_>,
    request: ModifySecurityGroupRules,
) -> Result<Xml, Ec2Error> {
    ec2.modify_security_group_rules(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

pub(super) fn read_update_ingress(
    fields: &Fields<'_>,
) -> Result<UpdateSecurityGroupRuleDescriptions, ApiError> {
    read_update(fields, Direction::Ingress)
}

pub(super) fn read_update_egress(
    fields: &Fields<'_>,
) -> Result<UpdateSecurityGroupRuleDescriptions, ApiError> {
    read_update(fields, Direction::Egress)
}

fn read_update(
    fields: &Fields<'_>,
    direction: Direction,
) -> Result<UpdateSecurityGroupRuleDescriptions, ApiError> {
    Ok(UpdateSecurityGroupRuleDescriptions {
        group: read_group(fields)?,
        direction,
        permissions: read_permissions(fields)?,
        by_id: fields.structures("SecurityGroupRuleDescription", |rule| {
            Ok((
                rule.required("SecurityGroupRuleId", "securityGroupRuleId")?,
                rule.text("Description")?,
            ))
        })?,
    })
}

pub(super) async fn update(
    ec2: &Ec2<'_>,
    request: UpdateSecurityGroupRuleDescriptions,
) -> Result<Xml, Ec2Error> {
    ec2.update_security_group_rule_descriptions(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}
