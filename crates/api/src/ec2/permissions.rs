//! `IpPermission`: one or more rules of a security group with the same traffic.

use control::ec2::security_group_rules::{GroupPair, IpPermission, IpRange, PrefixListReference};
use model::Cidr;
use model::arn::Place;
use model::ec2::{Peer, PrefixListId, SecurityGroupId, SecurityGroupRule, Traffic};

use super::input::Fields;
use super::security_groups::read_group;
use crate::ApiError;
use crate::xml::Xml;

/// `IpPermissions`.
pub(super) fn read_permissions(fields: &Fields<'_>) -> Result<Vec<IpPermission>, ApiError> {
    fields.structures("IpPermissions", |permission| {
        Ok(IpPermission {
            protocol: permission.text("IpProtocol")?,
            from_port: permission.integer("FromPort")?,
            to_port: permission.integer("ToPort")?,
            ipv4_ranges: read_ranges(permission, "IpRanges", "CidrIp")?,
            ipv6_ranges: read_ranges(permission, "Ipv6Ranges", "CidrIpv6")?,
            groups: permission.structures("Groups", read_pair)?,
            prefix_lists: permission.structures("PrefixListIds", |list| {
                Ok(PrefixListReference {
                    id: list.text("PrefixListId")?.unwrap_or_default(),
                    description: list.text("Description")?,
                })
            })?,
        })
    })
}

fn read_ranges(
    fields: &Fields<'_>,
    list: &'static str,
    block: &'static str,
) -> Result<Vec<IpRange>, ApiError> {
    fields.structures(list, |range| {
        Ok(IpRange {
            cidr: range.text(block)?.unwrap_or_default(),
            description: range.text("Description")?,
        })
    })
}

fn read_pair(pair: &Fields<'_>) -> Result<GroupPair, ApiError> {
    pair.refuse(
        &["VpcPeeringConnectionId", "PeeringStatus"],
        "its VPCs have no peerings",
    )?;
    Ok(GroupPair {
        group: read_group(pair)?,
        user_id: pair.text("UserId")?,
        vpc_id: pair.text("VpcId")?,
        description: pair.text("Description")?,
    })
}

/// Prints rules, those with the same traffic together, in the order of the first of each.
pub(super) fn print_permissions<'a>(
    xml: &mut Xml,
    name: &str,
    rules: impl IntoIterator<Item = &'a SecurityGroupRule>,
    place: &Place,
) {
    let mut permissions: Vec<(Traffic, Vec<&SecurityGroupRule>)> = Vec::new();
    for rule in rules {
        match permissions
            .iter_mut()
            .find(|(traffic, _)| *traffic == rule.traffic)
        {
            Some((_, rules)) => rules.push(rule),
            None => permissions.push((rule.traffic, vec![rule])),
        }
    }
    xml.list(name, permissions, |xml, (traffic, rules)| {
        xml.text("ipProtocol", traffic.protocol());
        xml.optional("fromPort", traffic.range().map(|range| range.0));
        xml.optional("toPort", traffic.range().map(|range| range.1));
        print_peers(xml, &rules, place);
    });
}

fn print_peers(xml: &mut Xml, rules: &[&SecurityGroupRule], place: &Place) {
    let members = rules.iter().filter_map(|rule| match &rule.peer {
        Peer::Members(id) => Some((id, &rule.description)),
        Peer::Block(_) | Peer::PrefixList(_) => None,
    });
    xml.list(
        "groups",
        members,
        |xml, (id, description): (&SecurityGroupId, _)| {
            xml.text("userId", &place.account);
            xml.text("groupId", id);
            xml.optional("description", description.as_ref());
        },
    );
    print_ranges(xml, rules, "ipRanges", "cidrIp", |block| {
        block.network().is_ipv4()
    });
    print_ranges(xml, rules, "ipv6Ranges", "cidrIpv6", |block| {
        block.network().is_ipv6()
    });
    let lists = rules.iter().filter_map(|rule| match &rule.peer {
        Peer::PrefixList(id) => Some((id, &rule.description)),
        Peer::Block(_) | Peer::Members(_) => None,
    });
    xml.list(
        "prefixListIds",
        lists,
        |xml, (id, description): (&PrefixListId, _)| {
            xml.text("prefixListId", id);
            xml.optional("description", description.as_ref());
        },
    );
}

fn print_ranges(
    xml: &mut Xml,
    rules: &[&SecurityGroupRule],
    list: &str,
    name: &str,
    is_meant: fn(&Cidr) -> bool,
) {
    let blocks = rules.iter().filter_map(|rule| match &rule.peer {
        Peer::Block(block) if is_meant(block) => Some((block, &rule.description)),
        Peer::Block(_) | Peer::Members(_) | Peer::PrefixList(_) => None,
    });
    xml.list(list, blocks, |xml, (block, description)| {
        xml.text(name, block);
        xml.optional("description", description.as_ref());
    });
}
