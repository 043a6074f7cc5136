//! DescribeSecurityGroupRules, and the four operations that give rules to a group and take them away.

use std::sync::Arc;

use model::Cidr;
use model::ec2::{
    Direction, Peer, SecurityGroup, SecurityGroupId, SecurityGroupRule, SecurityGroupRuleId, Tags,
    Traffic,
};

use crate::ec2::filter::{Column, Filters};
use crate::ec2::networks::is_named;
use crate::ec2::security_groups::{GroupReference, text};
use crate::ec2::{
    Ec2Error, Ec2State, Filter, Page, PageRequest, TagSpecification, lookups, prefix_lists, tags,
};
use crate::settings::Settings;
use crate::state::{Draft, State};

/// Which rules to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeSecurityGroupRules {
    /// These alone; all for an empty list.
    pub rule_ids: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer.
    pub page: PageRequest,
}

/// A rule and the group it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleDescription {
    /// The group.
    pub group_id: SecurityGroupId,
    /// The rule.
    pub rule: SecurityGroupRule,
}

/// Traffic, and the peers it is allowed for: one rule for each peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpPermission {
    /// A name, a number or `-1`.
    pub protocol: Option<String>,
    /// The first port, or the ICMP type.
    pub from_port: Option<i64>,
    /// The last port, or the ICMP code.
    pub to_port: Option<i64>,
    /// IPv4 blocks.
    pub ipv4_ranges: Vec<IpRange>,
    /// IPv6 blocks.
    pub ipv6_ranges: Vec<IpRange>,
    /// Groups.
    pub groups: Vec<GroupPair>,
    /// Prefix lists.
    pub prefix_lists: Vec<PrefixListReference>,
}

/// A prefix list as a rule of a request names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixListReference {
    /// Which list.
    pub id: String,
    /// What the rule is for.
    pub description: Option<String>,
}

/// A block as a request gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpRange {
    /// `address/length`; host bits are cleared, as EC2 does.
    pub cidr: String,
    /// What the rule is for.
    pub description: Option<String>,
}

/// A group as a rule of a request names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupPair {
    /// Which group.
    pub group: GroupReference,
    /// The account it belongs to: this one, if it is given.
    pub user_id: Option<String>,
    /// The VPC it belongs to, if it is given.
    pub vpc_id: Option<String>,
    /// What the rule is for.
    pub description: Option<String>,
}

/// Rules for a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizeSecurityGroup {
    /// The group that gets them.
    pub group: GroupReference,
    /// Which of its sides.
    pub direction: Direction,
    /// What to allow.
    pub permissions: Vec<IpPermission>,
    /// Tags for each of the new rules.
    pub tag_specifications: Vec<TagSpecification>,
}

/// Rules to take from a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokeSecurityGroup {
    /// The group that has them.
    pub group: GroupReference,
    /// Which of its sides.
    pub direction: Direction,
    /// What to allow no longer; descriptions do not matter.
    pub permissions: Vec<IpPermission>,
    /// The same by the ids of rules.
    pub rule_ids: Vec<String>,
}

/// What has become of rules that were to be revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedRules {
    /// Those that the group had.
    pub removed: Vec<RuleDescription>,
    /// Those that it did not have, as far as permissions say: all with the same id and without tags.
    pub unknown: Vec<SecurityGroupRule>,
}

const FILTERS: Filters<RuleDescription> = Filters {
    columns: &[
        Column {
            name: "group-id",
            texts: |it| vec![it.group_id.to_string()],
        },
        Column {
            name: "security-group-rule-id",
            texts: |it| vec![it.rule.id.to_string()],
        },
    ],
    absent: &[],
    tags: Some(|it| &it.rule.tags),
};

/// # Errors
/// `MalformedId`, `SecurityGroupRuleNotFound`, and those of filters and pages.
pub(crate) fn describe(
    state: &State,
    request: &DescribeSecurityGroupRules,
) -> Result<Page<RuleDescription>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    let mut rules: Vec<RuleDescription> = state
        .ec2
        .security_groups
        .values()
        .flat_map(|group| descriptions(group, &group.rules))
        .collect();
    for id in &request.rule_ids {
        let id: SecurityGroupRuleId = id.parse()?;
        if !rules.iter().any(|it| it.rule.id == id) {
            return Err(Ec2Error::SecurityGroupRuleNotFound(id.to_string()));
        }
    }
    rules.retain(|it| is_named(&request.rule_ids, it.rule.id.as_str()) && is_wanted(it));
    rules.sort_by(|a, b| a.rule.id.cmp(&b.rule.id));
    request
        .page
        .cut("security-group-rules", rules, |it| it.rule.id.to_string())
}

fn descriptions<'a>(
    group: &'a SecurityGroup,
    rules: &'a [SecurityGroupRule],
) -> impl Iterator<Item = RuleDescription> + 'a {
    let describe = |rule: &SecurityGroupRule| RuleDescription {
        group_id: group.id.clone(),
        rule: rule.clone(),
    };
    rules.iter().map(describe)
}

/// Adds rules, all of them or none. Returns the new ones.
///
/// # Errors
/// Those of `GroupReference::resolve`, of the permissions and of tags; `RepeatedPermission`,
/// `DuplicatePermission`, `TooManyRules`.
pub(crate) fn authorize(
    draft: &mut Draft,
    request: &AuthorizeSecurityGroup,
) -> Result<Vec<RuleDescription>, Ec2Error> {
    let ec2 = &draft.state().ec2;
    let mut group = SecurityGroup::clone(request.group.resolve(ec2)?);
    let tags = tags::specified(&request.tag_specifications, "security-group-rule")?;
    let mut new = meant(draft, &group, &request.permissions, request.direction)?;
    if new.is_empty() {
        return Err(Ec2Error::MissingParameter("ipPermissions"));
    }
    for rule in &mut new {
        rule.id = SecurityGroupRuleId::from_bits(draft.draw());
        rule.tags = tags.clone();
    }
    for (index, rule) in new.iter().enumerate() {
        if new[..index].iter().any(|other| other.allows_same_as(rule)) {
            return Err(Ec2Error::RepeatedPermission);
        }
        if group.rules.iter().any(|other| other.allows_same_as(rule)) {
            return Err(Ec2Error::DuplicatePermission(in_words(rule)));
        }
    }
    group.rules.extend(new.iter().cloned());
    require_few_rules(draft, &group)?;
    let group = draft.put(group);
    Ok(descriptions(&group, &new).collect())
}

/// Refuses a group with too many rules. One that refers to a prefix list counts for as many as the list may
/// have entries.
///
/// Source: Amazon VPC User Guide, "Prefix lists", "Prefix lists concepts and rules".
///
/// # Errors
/// `TooManyRules`.
pub(crate) fn require_few_rules(draft: &Draft, group: &SecurityGroup) -> Result<(), Ec2Error> {
    let lists = &draft.state().ec2.prefix_lists;
    let max = draft.settings().limits.ec2.rules_per_security_group;
    let weight = |rule: &SecurityGroupRule| match &rule.peer {
        Peer::PrefixList(id) => lists.get(id).map_or(1, |list| list.entries_max),
        Peer::Block(_) | Peer::Members(_) => 1,
    };
    for direction in [Direction::Ingress, Direction::Egress] {
        let rules = group.rules.iter().filter(|it| it.direction == direction);
        if rules.map(weight).sum::<usize>() > max {
            return Err(Ec2Error::TooManyRules(max));
        }
    }
    Ok(())
}

/// Removes rules. Those of permissions that a group of the default VPC does not have are left out; otherwise all of
/// them are removed or none.
///
/// Source: EC2 API, `RevokeSecurityGroupIngress`.
///
/// # Errors
/// Those of `GroupReference::resolve` and of the permissions; `NoPermission`, `MalformedId`,
/// `SecurityGroupRuleNotFound`, `PermissionNotFound`.
pub(crate) fn revoke(
    draft: &mut Draft,
    request: &RevokeSecurityGroup,
) -> Result<RevokedRules, Ec2Error> {
    let ec2 = &draft.state().ec2;
    let mut group = SecurityGroup::clone(request.group.resolve(ec2)?);
    let meant = meant(draft, &group, &request.permissions, request.direction)?;
    if meant.is_empty() && request.rule_ids.is_empty() {
        return Err(Ec2Error::NoPermission(
            "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.",
        ));
    }
    let is_lenient = lookups::default_vpc(ec2).is_some_and(|vpc| vpc.id == group.vpc_id);
    let (mut removed, mut unknown) = (Vec::new(), Vec::new());
    for rule in meant {
        let mut rules = group.rules.iter();
        match rules.position(|other| other.allows_same_as(&rule)) {
            Some(position) => removed.push(group.rules.remove(position)),
            None if is_lenient => unknown.push(rule),
            None => return Err(Ec2Error::PermissionNotFound),
        }
    }
    for id in &request.rule_ids {
        let id: SecurityGroupRuleId = id.parse()?;
        let is_it = |rule: &SecurityGroupRule| rule.id == id && rule.direction == request.direction;
        let position = group.rules.iter().position(is_it);
        let not_found = || Ec2Error::SecurityGroupRuleNotFound(id.to_string());
        removed.push(group.rules.remove(position.ok_or_else(not_found)?));
    }
    let group: Arc<SecurityGroup> = draft.put(group);
    let removed = descriptions(&group, &removed).collect();
    Ok(RevokedRules { removed, unknown })
}

/// The rules of `group` that `permissions` mean, one for each peer, as far as permissions say: all with the same id and
/// without tags.
///
/// # Errors
/// `MissingParameter`, `InvalidTraffic`, `MalformedBlock`, `InvalidGroupText`, `NoPermission`,
/// `DifferentNetworks`, and those of `GroupReference::resolve`.
pub(crate) fn meant(
    draft: &Draft,
    group: &SecurityGroup,
    permissions: &[IpPermission],
    direction: Direction,
) -> Result<Vec<SecurityGroupRule>, Ec2Error> {
    let (ec2, settings) = (&draft.state().ec2, draft.settings());
    let mut rules = Vec::new();
    for permission in permissions {
        let protocol = permission
            .protocol
            .as_ref()
            .ok_or(Ec2Error::MissingParameter("ipProtocol"))?;
        let traffic = Traffic::parse(protocol, permission.from_port, permission.to_port)?;
        for (peer, description) in peers(ec2, settings, group, permission)? {
            rules.push(SecurityGroupRule {
                id: SecurityGroupRuleId::from_bits(0),
                direction,
                traffic,
                peer,
                description: description
                    .map(|it| text("rule description", it))
                    .transpose()?,
                tags: Tags::new(),
            });
        }
    }
    Ok(rules)
}

fn peers<'a>(
    ec2: &Ec2State,
    settings: &Settings,
    owner: &SecurityGroup,
    permission: &'a IpPermission,
) -> Result<Vec<(Peer, Option<&'a str>)>, Ec2Error> {
    let mut peers = Vec::new();
    for (ranges, is_ipv4) in [
        (&permission.ipv4_ranges, true),
        (&permission.ipv6_ranges, false),
    ] {
        for range in ranges {
            let malformed = || Ec2Error::MalformedBlock(range.cidr.clone());
            let block: Cidr = range.cidr.parse().map_err(|_| malformed())?;
            if block.network().is_ipv4() != is_ipv4 {
                return Err(malformed());
            }
            peers.push((Peer::Block(block), range.description.as_deref()));
        }
    }
    for pair in &permission.groups {
        let group = pair.group.resolve(ec2)?;
        let is_ours = pair
            .user_id
            .as_ref()
            .is_none_or(|id| *id == settings.place.account);
        let is_there = pair
            .vpc_id
            .as_deref()
            .is_none_or(|id| *id == *group.vpc_id.as_str());
        if !is_ours || !is_there {
            return Err(Ec2Error::SecurityGroupNotFound(group.id.to_string()));
        }
        if group.vpc_id != owner.vpc_id {
            return Err(Ec2Error::DifferentNetworks);
        }
        peers.push((Peer::Members(group.id.clone()), pair.description.as_deref()));
    }
    for reference in &permission.prefix_lists {
        let list = prefix_lists::find(ec2, &reference.id)?;
        let peer = Peer::PrefixList(list.id.clone());
        peers.push((peer, reference.description.as_deref()));
    }
    if peers.is_empty() {
        return Err(Ec2Error::NoPermission(
            "Missing source specification: include source security group or CIDR information",
        ));
    }
    Ok(peers)
}

/// A rule as EC2 names it when it says that it exists.
pub(crate) fn in_words(rule: &SecurityGroupRule) -> String {
    let peer = match &rule.peer {
        Peer::Block(block) => block.to_string(),
        Peer::Members(id) => id.to_string(),
        Peer::PrefixList(id) => id.to_string(),
    };
    let protocol = match rule.traffic {
        Traffic::All => "ALL".to_owned(),
        _ => rule.traffic.protocol().to_ascii_uppercase(),
    };
    match rule.traffic.range() {
        Some((from, to)) => {
            format!("peer: {peer}, {protocol}, from port: {from}, to port: {to}, ALLOW")
        }
        None => format!("peer: {peer}, {protocol}, ALLOW"),
    }
}
