//! `DescribeSecurityGroupRules`, and `Authorize…` and `Revoke…` of `SecurityGroupIngress` and
//! `SecurityGroupEgress`.

use control::ec2::security_group_rules::{
    AuthorizeSecurityGroup, DescribeSecurityGroupRules, IpPermission, IpRange, RevokeSecurityGroup,
    RuleDescription,
};
use control::ec2::{Ec2, Ec2Error, names};
use model::arn::Place;
use model::ec2::{Direction, Peer};

use super::input::Fields;
use super::permissions::{print_permissions, read_permissions};
use super::security_groups::read_group;
use super::shapes::{
    print_return, print_tag_set, read_filters, read_page, read_tag_specifications,
};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_describe(fields: &Fields<'_>) -> Result<DescribeSecurityGroupRules, ApiError> {
    Ok(DescribeSecurityGroupRules {
        rule_ids: fields.texts("SecurityGroupRuleId")?,
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe(
    ec2: &Ec2<'_>,
    request: DescribeSecurityGroupRules,
) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_security_group_rules(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("securityGroupRuleSet", &page.items, |xml, it| {
        print(xml, it, ec2.place())
    });
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

pub(super) fn read_authorize_ingress(
    fields: &Fields<'_>,
) -> Result<AuthorizeSecurityGroup, ApiError> {
    Ok(AuthorizeSecurityGroup {
        group: read_group(fields)?,
        direction: Direction::Ingress,
        permissions: read_ingress_permissions(fields)?,
        tag_specifications: read_tag_specifications(fields)?,
    })
}

pub(super) fn read_authorize_egress(
    fields: &Fields<'_>,
) -> Result<AuthorizeSecurityGroup, ApiError> {
    Ok(AuthorizeSecurityGroup {
        group: read_group(fields)?,
        direction: Direction::Egress,
        permissions: read_egress_permissions(fields)?,
        tag_specifications: read_tag_specifications(fields)?,
    })
}

pub(super) async fn authorize(
    ec2: &Ec2<'_>,
    request: AuthorizeSecurityGroup,
) -> Result<Xml, Ec2Error> {
    let rules = ec2.authorize_security_group(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    xml.list("securityGroupRuleSet", &rules, |xml, it| {
        print(xml, it, ec2.place())
    });
    Ok(xml)
}

pub(super) fn read_revoke_ingress(fields: &Fields<'_>) -> Result<RevokeSecurityGroup, ApiError> {
    Ok(RevokeSecurityGroup {
        group: read_group(fields)?,
        direction: Direction::Ingress,
        permissions: read_ingress_permissions(fields)?,
        rule_ids: fields.texts("SecurityGroupRuleId")?,
    })
}

pub(super) fn read_revoke_egress(fields: &Fields<'_>) -> Result<RevokeSecurityGroup, ApiError> {
    Ok(RevokeSecurityGroup {
        group: read_group(fields)?,
        direction: Direction::Egress,
        permissions: read_egress_permissions(fields)?,
        rule_ids: fields.texts("SecurityGroupRuleId")?,
    })
}

pub(super) async fn revoke(ec2: &Ec2<'_>, request: RevokeSecurityGroup) -> Result<Xml, Ec2Error> {
    let rules = ec2.revoke_security_group(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    print_permissions(
        &mut xml,
        "unknownIpPermissionSet",
        &rules.unknown,
        ec2.place(),
    );
    xml.list("revokedSecurityGroupRuleSet", &rules.removed, print_revoked);
    Ok(xml)
}

const USE_PERMISSIONS: &str = "give it as IpPermissions";

/// `IpPermissions`, or the one permission that the parameters of the request itself spell.
fn read_ingress_permissions(fields: &Fields<'_>) -> Result<Vec<IpPermission>, ApiError> {
    fields.refuse(
        &["SourceSecurityGroupName", "SourceSecurityGroupOwnerId"],
        USE_PERMISSIONS,
    )?;
    let mut permissions = read_permissions(fields)?;
    let single = IpPermission {
        protocol: fields.text("IpProtocol")?,
        from_port: fields.integer("FromPort")?,
        to_port: fields.integer("ToPort")?,
        ipv4_ranges: fields
            .text("CidrIp")?
            .into_iter()
            .map(|cidr| IpRange {
                cidr,
                description: None,
            })
            .collect(),
        ..IpPermission::default()
    };
    if single == IpPermission::default() {
        return Ok(permissions);
    }
    if !permissions.is_empty() {
        return Err(Ec2Error::InvalidCombination(
            "The parameters IpProtocol, FromPort, ToPort and CidrIp cannot be used with IpPermissions",
        )
        .into());
    }
    permissions.push(single);
    Ok(permissions)
}

/// The parameters of the request itself are, in the words of the EC2 API, "not supported".
fn read_egress_permissions(fields: &Fields<'_>) -> Result<Vec<IpPermission>, ApiError> {
    let single = [
        "CidrIp",
        "FromPort",
        "ToPort",
        "IpProtocol",
        "SourceSecurityGroupName",
        "SourceSecurityGroupOwnerId",
    ];
    fields.refuse(&single, USE_PERMISSIONS)?;
    read_permissions(fields)
}

/// A `SecurityGroupRule`.
fn print(xml: &mut Xml, description: &RuleDescription, place: &Place) {
    let rule = &description.rule;
    xml.text("securityGroupRuleId", &rule.id);
    xml.text("groupId", &description.group_id);
    xml.text("groupOwnerId", &place.account);
    print_traffic(xml, description);
    match &rule.peer {
        Peer::Block(block) => xml.text(block_name(block), block),
        Peer::Members(id) => xml.element("referencedGroupInfo", |xml| {
            xml.text("groupId", id);
            xml.text("userId", &place.account);
        }),
        Peer::PrefixList(id) => xml.text("prefixListId", id),
    }
    xml.optional("description", rule.description.as_ref());
    let arn = names::arn(place, &format!("security-group-rule/{}", rule.id));
    xml.text("securityGroupRuleArn", arn);
    print_tag_set(xml, &rule.tags);
}

/// A `RevokedSecurityGroupRule`.
fn print_revoked(xml: &mut Xml, description: &RuleDescription) {
    let rule = &description.rule;
    xml.text("securityGroupRuleId", &rule.id);
    xml.text("groupId", &description.group_id);
    print_traffic(xml, description);
    match &rule.peer {
        Peer::Block(block) => xml.text(block_name(block), block),
        Peer::Members(id) => xml.text("referencedGroupId", id),
        Peer::PrefixList(id) => xml.text("prefixListId", id),
    }
    xml.optional("description", rule.description.as_ref());
}

/// Protocols without ports have -1 for both here, unlike in an `IpPermission`.
fn print_traffic(xml: &mut Xml, description: &RuleDescription) {
    let rule = &description.rule;
    let (from, to) = rule.traffic.range().unwrap_or((-1, -1));
    xml.text("isEgress", rule.direction == Direction::Egress);
    xml.text("ipProtocol", rule.traffic.protocol());
    xml.text("fromPort", from);
    xml.text("toPort", to);
}

fn block_name(block: &model::Cidr) -> &'static str {
    if block.network().is_ipv4() {
        "cidrIpv4"
    } else {
        "cidrIpv6"
    }
}
