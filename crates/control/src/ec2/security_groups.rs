//! DescribeSecurityGroups, CreateSecurityGroup, DeleteSecurityGroup.

use std::sync::Arc;

use model::Cidr;
use model::ec2::security_group::{DEFAULT_GROUP_NAME, GroupText};
use model::ec2::{
    Direction, Peer, SecurityGroup, SecurityGroupId, SecurityGroupRule, SecurityGroupRuleId,
    SubnetId, Tags, Traffic, Vpc, VpcId,
};

use crate::ec2::filter::{Column, Filters};
use crate::ec2::networks::is_named;
use crate::ec2::{
    Ec2Error, Ec2State, Filter, Page, PageRequest, TagSpecification, lookups, names, tags,
};
use crate::settings::Settings;
use crate::state::{Draft, State};

/// Which security groups to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeSecurityGroups {
    /// These alone; all for an empty list.
    pub group_ids: Vec<String>,
    /// Those of the default VPC with these names alone; all for an empty list.
    pub group_names: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer.
    pub page: PageRequest,
}

/// A new security group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateSecurityGroup {
    /// Unique in the VPC, whatever its case.
    pub group_name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The default VPC for `None`.
    pub vpc_id: Option<String>,
    /// Tags for it.
    pub tag_specifications: Vec<TagSpecification>,
}

/// Names one group: by its id, or by its name in the default VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupReference {
    /// Its id.
    pub group_id: Option<String>,
    /// Its name.
    pub group_name: Option<String>,
}

type Subject = (Arc<SecurityGroup>, String);

const FILTERS: Filters<Subject> = Filters {
    columns: &[
        Column {
            name: "group-id",
            texts: |(group, _)| vec![group.id.to_string()],
        },
        Column {
            name: "group-name",
            texts: |(group, _)| vec![group.name.clone()],
        },
        Column {
            name: "description",
            texts: |(group, _)| vec![group.description.clone()],
        },
        Column {
            name: "vpc-id",
            texts: |(group, _)| vec![group.vpc_id.to_string()],
        },
        Column {
            name: "owner-id",
            texts: |(_, account)| vec![account.clone()],
        },
        Column {
            name: "ip-permission.cidr",
            texts: |(group, _)| blocks(group, Direction::Ingress, is_ipv4),
        },
        Column {
            name: "ip-permission.ipv6-cidr",
            texts: |(group, _)| blocks(group, Direction::Ingress, |block| !is_ipv4(block)),
        },
        Column {
            name: "ip-permission.group-id",
            texts: |(group, _)| members(group, Direction::Ingress),
        },
        Column {
            name: "ip-permission.prefix-list-id",
            texts: |(group, _)| prefix_lists(group, Direction::Ingress),
        },
        Column {
            name: "egress.ip-permission.prefix-list-id",
            texts: |(group, _)| prefix_lists(group, Direction::Egress),
        },
        Column {
            name: "ip-permission.protocol",
            texts: |(group, _)| protocols(group, Direction::Ingress),
        },
        Column {
            name: "ip-permission.from-port",
            texts: |(group, _)| ports(group, Direction::Ingress, |range| range.0),
        },
        Column {
            name: "ip-permission.to-port",
            texts: |(group, _)| ports(group, Direction::Ingress, |range| range.1),
        },
        Column {
            name: "ip-permission.user-id",
            texts: |(group, account)| users(group, Direction::Ingress, account),
        },
        Column {
            name: "egress.ip-permission.cidr",
            texts: |(group, _)| blocks(group, Direction::Egress, is_ipv4),
        },
        Column {
            name: "egress.ip-permission.ipv6-cidr",
            texts: |(group, _)| blocks(group, Direction::Egress, |block| !is_ipv4(block)),
        },
        Column {
            name: "egress.ip-permission.group-id",
            texts: |(group, _)| members(group, Direction::Egress),
        },
        Column {
            name: "egress.ip-permission.protocol",
            texts: |(group, _)| protocols(group, Direction::Egress),
        },
        Column {
            name: "egress.ip-permission.from-port",
            texts: |(group, _)| ports(group, Direction::Egress, |range| range.0),
        },
        Column {
            name: "egress.ip-permission.to-port",
            texts: |(group, _)| ports(group, Direction::Egress, |range| range.1),
        },
        Column {
            name: "egress.ip-permission.user-id",
            texts: |(group, account)| users(group, Direction::Egress, account),
        },
    ],
    // Inside a VPC a rule names groups by id.
    absent: &[
        "ip-permission.group-name",
        "egress.ip-permission.group-name",
    ],
    tags: Some(|(group, _)| &group.tags),
};

fn rules(group: &SecurityGroup, direction: Direction) -> impl Iterator<Item = &SecurityGroupRule> {
    group
        .rules
        .iter()
        .filter(move |rule| rule.direction == direction)
}

fn is_ipv4(block: &Cidr) -> bool {
    block.network().is_ipv4()
}

fn blocks(group: &SecurityGroup, direction: Direction, is_meant: fn(&Cidr) -> bool) -> Vec<String> {
    let block = |rule: &SecurityGroupRule| match &rule.peer {
        Peer::Block(block) if is_meant(block) => Some(block.to_string()),
        Peer::Block(_) | Peer::Members(_) | Peer::PrefixList(_) => None,
    };
    rules(group, direction).filter_map(block).collect()
}

fn members(group: &SecurityGroup, direction: Direction) -> Vec<String> {
    let id = |rule: &SecurityGroupRule| match &rule.peer {
        Peer::Members(id) => Some(id.to_string()),
        Peer::Block(_) | Peer::PrefixList(_) => None,
    };
    rules(group, direction).filter_map(id).collect()
}

fn prefix_lists(group: &SecurityGroup, direction: Direction) -> Vec<String> {
    let id = |rule: &SecurityGroupRule| match &rule.peer {
        Peer::PrefixList(id) => Some(id.to_string()),
        Peer::Block(_) | Peer::Members(_) => None,
    };
    rules(group, direction).filter_map(id).collect()
}

fn users(group: &SecurityGroup, direction: Direction, account: &str) -> Vec<String> {
    members(group, direction)
        .into_iter()
        .map(|_| account.to_owned())
        .collect()
}

fn protocols(group: &SecurityGroup, direction: Direction) -> Vec<String> {
    rules(group, direction)
        .map(|rule| rule.traffic.protocol())
        .collect()
}

fn ports(group: &SecurityGroup, direction: Direction, end: fn((i32, i32)) -> i32) -> Vec<String> {
    let ranges = rules(group, direction).filter_map(|rule| rule.traffic.range());
    ranges.map(|range| end(range).to_string()).collect()
}

/// # Errors
/// `MalformedId`, `SecurityGroupNotFound`, `GroupNameNotFound`, and those of filters and pages.
pub(crate) fn describe(
    state: &State,
    settings: &Settings,
    request: &DescribeSecurityGroups,
) -> Result<Page<Arc<SecurityGroup>>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    let mut named = Vec::new();
    for id in &request.group_ids {
        named.push(find(&state.ec2, id)?.id.to_string());
    }
    for name in &request.group_names {
        named.push(find_by_name(&state.ec2, name)?.id.to_string());
    }
    let groups = state
        .ec2
        .security_groups
        .values()
        .filter(|group| is_named(&named, group.id.as_str()))
        .filter(|group| is_wanted(&(Arc::clone(group), settings.place.account.clone())))
        .cloned();
    request
        .page
        .cut("security-groups", groups, |group| group.id.to_string())
}

/// The group with this id.
///
/// # Errors
/// `MalformedId`, `SecurityGroupNotFound`.
pub(crate) fn find<'a>(ec2: &'a Ec2State, id: &str) -> Result<&'a Arc<SecurityGroup>, Ec2Error> {
    let id: SecurityGroupId = id.parse()?;
    let group = ec2.security_groups.get(&id);
    group.ok_or_else(|| Ec2Error::SecurityGroupNotFound(id.to_string()))
}

/// The group of the default VPC with this name. Older stores may have several, from when case and spaces at the end told
/// names apart: it is the one that is called exactly so, or else the one with the lowest id.
///
/// # Errors
/// `GroupNameNotFound`.
pub(crate) fn find_by_name<'a>(
    ec2: &'a Ec2State,
    name: &str,
) -> Result<&'a Arc<SecurityGroup>, Ec2Error> {
    let vpc = lookups::default_vpc(ec2).map(|vpc| &vpc.id);
    let groups = ec2.security_groups.values();
    let groups =
        groups.filter(|group| Some(&group.vpc_id) == vpc && is_same_name(&group.name, name));
    let group = groups.min_by_key(|group| group.name != name);
    group.ok_or_else(|| Ec2Error::GroupNameNotFound(name.to_owned()))
}

/// Source: Amazon VPC User Guide, "Security group basics": spaces at the end are trimmed; names are not case-sensitive.
fn is_same_name(one: &str, other: &str) -> bool {
    trim(one).eq_ignore_ascii_case(trim(other))
}

fn trim(name: &str) -> &str {
    name.trim_end_matches(' ')
}

/// The groups that an instance in this subnet of a VPC carries if it is given these, each once: those named by id
/// and by name, the VPC's default group if there are none.
///
/// # Errors
/// `MalformedId`, `SecurityGroupNotFound`, `GroupNameNotFound`, `GroupOfOtherVpc`, `TooManyGroupsOnInstance`.
pub(crate) fn of_instance(
    draft: &Draft,
    ids: &[String],
    names: &[String],
    (subnet_id, vpc_id): (&SubnetId, &VpcId),
) -> Result<Vec<SecurityGroupId>, Ec2Error> {
    let ec2 = &draft.state().ec2;
    let by_id = ids.iter().map(|id| find(ec2, id));
    let by_name = names.iter().map(|name| find_by_name(ec2, name));
    let named: Vec<&Arc<SecurityGroup>> = by_id.chain(by_name).collect::<Result<_, _>>()?;
    if let Some(other) = named.iter().find(|group| group.vpc_id != *vpc_id) {
        return Err(Ec2Error::GroupOfOtherVpc {
            group_id: other.id.clone(),
            subnet_id: subnet_id.clone(),
        });
    }
    let carried = match named.is_empty() {
        true => lookups::default_security_group(ec2, vpc_id.as_str())
            .into_iter()
            .collect(),
        false => named,
    };
    let mut groups: Vec<SecurityGroupId> = Vec::new();
    for group in carried {
        if !groups.contains(&group.id) {
            groups.push(group.id.clone());
        }
    }
    let limits = &draft.settings().limits.ec2;
    match limits.security_groups_per_network_interface {
        max if groups.len() > max => Err(Ec2Error::TooManyGroupsOnInstance(max)),
        _ => Ok(groups),
    }
}

impl GroupReference {
    /// The group that is meant.
    ///
    /// # Errors
    /// `MissingParameter`, `MalformedId`, `SecurityGroupNotFound`, `GroupNameNotFound`.
    pub(crate) fn resolve<'a>(
        &self,
        ec2: &'a Ec2State,
    ) -> Result<&'a Arc<SecurityGroup>, Ec2Error> {
        match (&self.group_id, &self.group_name) {
            (Some(id), _) => find(ec2, id),
            (None, Some(name)) => find_by_name(ec2, name),
            (None, None) => Err(Ec2Error::MissingParameter("groupId")),
        }
    }
}

/// # Errors
/// `MissingParameter`, `InvalidGroupText`, `ReservedGroupName`, `GroupNameLikeId`, `VpcNotFound`,
/// `DuplicateGroup`, `TooManyGroups`, and those of tags.
pub(crate) fn create(
    draft: &mut Draft,
    request: &CreateSecurityGroup,
) -> Result<Arc<SecurityGroup>, Ec2Error> {
    let name = request
        .group_name
        .as_ref()
        .ok_or(Ec2Error::MissingParameter("groupName"))?;
    let description = request
        .description
        .as_ref()
        .ok_or(Ec2Error::MissingParameter("groupDescription"))?;
    let name = group_name(name)?;
    let ec2 = &draft.state().ec2;
    let vpc = vpc(ec2, request.vpc_id.as_deref())?;
    let vpc_id = vpc.id.clone();
    let mut groups = ec2.security_groups.values();
    if groups.any(|group| group.vpc_id == vpc_id && is_same_name(&group.name, &name)) {
        return Err(Ec2Error::DuplicateGroup { name, vpc_id });
    }
    let max = draft.settings().limits.ec2.security_groups;
    if ec2.security_groups.len() >= max {
        return Err(Ec2Error::TooManyGroups(max));
    }
    let everything_out = |block| SecurityGroupRule {
        id: SecurityGroupRuleId::from_bits(draft.draw()),
        direction: Direction::Egress,
        traffic: Traffic::All,
        peer: Peer::Block(block),
        description: None,
        tags: Tags::new(),
    };
    let mut rules = vec![everything_out(Cidr::ANY_IPV4)];
    if !vpc.ipv6_blocks.is_empty() {
        rules.push(everything_out(Cidr::ANY_IPV6));
    }
    let group = SecurityGroup {
        id: names::fresh(draft, SecurityGroupId::from_bits, &ec2.security_groups),
        name,
        description: text("security group description", description)?,
        vpc_id,
        rules,
        tags: tags::specified(&request.tag_specifications, "security-group")?,
    };
    Ok(draft.put(group))
}

fn vpc<'a>(ec2: &'a Ec2State, id: Option<&str>) -> Result<&'a Arc<Vpc>, Ec2Error> {
    let found = match id {
        Some(id) => lookups::vpc(ec2, id),
        None => lookups::default_vpc(ec2),
    };
    found.ok_or_else(|| Ec2Error::VpcNotFound(id.unwrap_or("default").to_owned()))
}

/// The name that is saved for a given one.
fn group_name(given: &str) -> Result<String, Ec2Error> {
    match trim(given) {
        "" => Err(Ec2Error::MissingParameter("groupName")),
        name if name.eq_ignore_ascii_case(DEFAULT_GROUP_NAME) => {
            Err(Ec2Error::ReservedGroupName(name.to_owned()))
        }
        name if name.starts_with(SecurityGroupId::PREFIX) => {
            Err(Ec2Error::GroupNameLikeId(name.to_owned()))
        }
        name => text("security group name", name),
    }
}

/// A text that groups and rules may have; `what` says what it is of which, as in "rule description".
///
/// # Errors
/// `InvalidGroupText`.
pub(crate) fn text(what: &str, given: &str) -> Result<String, Ec2Error> {
    given.parse().map(GroupText::into_string).map_err(|_| {
        let (_, noun) = what.rsplit_once(' ').unwrap_or(("", what));
        Ec2Error::InvalidGroupText(format!(
            "Invalid {what}. Valid {noun}s are strings less than 256 characters from the following set: \
             a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*"
        ))
    })
}

/// # Errors
/// Those of `GroupReference::resolve`, `DefaultGroup`, and `GroupInUse` while an instance, a load balancer
/// or a rule of another group has it.
pub(crate) fn delete(
    draft: &mut Draft,
    request: &GroupReference,
) -> Result<SecurityGroupId, Ec2Error> {
    let state = draft.state();
    let group = request.resolve(&state.ec2)?;
    let id = group.id.clone();
    if group.name == DEFAULT_GROUP_NAME {
        return Err(Ec2Error::DefaultGroup(id));
    }
    if is_in_use(state, &id) {
        return Err(Ec2Error::GroupInUse(id));
    }
    draft.remove::<SecurityGroup>(&id);
    Ok(id)
}

fn is_in_use(state: &State, id: &SecurityGroupId) -> bool {
    let mut instances = state
        .ec2
        .instances
        .values()
        .filter(|instance| instance.holds_address());
    let mut others = state
        .ec2
        .security_groups
        .values()
        .filter(|group| group.id != *id);
    let names_it =
        |rule: &SecurityGroupRule| matches!(&rule.peer, Peer::Members(other) if other == id);
    instances.any(|instance| instance.security_groups.contains(id))
        || state
            .elb
            .holdings()
            .iter()
            .any(|holding| holding.security_groups.contains(id))
        || others.any(|group| group.rules.iter().any(names_it))
}
