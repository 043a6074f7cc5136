//! The kinds of stored things that can carry tags, behind one face.

use std::sync::Arc;

use model::ec2::{
    AllocationId, ElasticAddress, Instance, InstanceId, InternetGateway, InternetGatewayId,
    NetworkInterfaceId, NetworkInterfaceTags, PrefixList, PrefixListId, RouteTable, RouteTableId,
    SecurityGroup, SecurityGroupId, SecurityGroupRuleId, Subnet, SubnetId, Tags, Vpc, VpcId,
    is_well_formed,
};

use crate::ec2::Ec2Error;
use crate::ec2::absent::AbsentKind;
use crate::ec2::network_acls::{NETWORK_ACL_PREFIX, is_network_acl};
use crate::ec2::network_interfaces::network_interfaces;
use crate::state::{Draft, State};

/// Something with tags: a noun, or a part of one.
#[derive(Clone, Debug)]
pub(crate) enum Taggable {
    Vpc(Arc<Vpc>),
    InternetGateway(Arc<InternetGateway>),
    RouteTable(Arc<RouteTable>),
    PrefixList(Arc<PrefixList>),
    ElasticAddress(Arc<ElasticAddress>),
    Subnet(Arc<Subnet>),
    SecurityGroup(Arc<SecurityGroup>),
    /// Stored in its group.
    SecurityGroupRule(Arc<SecurityGroup>, SecurityGroupRuleId),
    Instance(Arc<Instance>),
    /// Nothing else of it is stored.
    NetworkInterface(NetworkInterfaceTags),
}

/// What ids of a kind begin with, and what EC2 says where they name nothing.
type Kind = (&'static str, fn(String) -> Ec2Error);

/// What EC2 says where no resource has this id: a code for each kind, if the id has the form of one.
pub(crate) fn not_found(state: &State, id: &str) -> Ec2Error {
    const KINDS: &[Kind] = &[
        (VpcId::PREFIX, Ec2Error::VpcNotFound),
        (InternetGatewayId::PREFIX, Ec2Error::InternetGatewayNotFound),
        (RouteTableId::PREFIX, Ec2Error::RouteTableNotFound),
        (PrefixListId::PREFIX, Ec2Error::PrefixListNotFound),
        (AllocationId::PREFIX, Ec2Error::AllocationNotFound),
        (SubnetId::PREFIX, Ec2Error::SubnetNotFound),
        (SecurityGroupId::PREFIX, Ec2Error::SecurityGroupNotFound),
        (
            SecurityGroupRuleId::PREFIX,
            Ec2Error::SecurityGroupRuleNotFound,
        ),
        (InstanceId::PREFIX, |id| {
            Ec2Error::InstancesNotFound(vec![id])
        }),
        (
            NetworkInterfaceId::PREFIX,
            Ec2Error::NetworkInterfaceNotFound,
        ),
        (NETWORK_ACL_PREFIX, Ec2Error::NetworkAclNotFound),
        ("dopt-", |id| AbsentKind::DhcpOptions.not_found(&id)),
        ("eigw-", |id| {
            AbsentKind::EgressOnlyInternetGateway.not_found(&id)
        }),
        ("nat-", |id| AbsentKind::NatGateway.not_found(&id)),
        ("vpce-", |id| AbsentKind::VpcEndpoint.not_found(&id)),
        ("pcx-", |id| AbsentKind::VpcPeeringConnection.not_found(&id)),
        ("vgw-", |id| AbsentKind::VpnGateway.not_found(&id)),
        ("ami-", |id| AbsentKind::Image.not_found(&id)),
        ("snap-", |id| AbsentKind::Snapshot.not_found(&id)),
        ("vol-", |id| AbsentKind::Volume.not_found(&id)),
    ];
    if is_network_acl(state, id) {
        return Ec2Error::InvalidValue {
            parameter: "resourceId",
            value: id.to_owned(),
            expectation: "elbow does not tag network ACLs; tag their VPC.".to_owned(),
        };
    }
    let mut kinds = KINDS.iter();
    match kinds.find(|(prefix, _)| is_well_formed(id, prefix)) {
        Some((_, of_kind)) => of_kind(id.to_owned()),
        None => Ec2Error::ResourceNotFound(id.to_owned()),
    }
}

impl Taggable {
    /// The thing with this id, of whatever kind.
    pub(crate) fn find(state: &State, id: &str) -> Option<Self> {
        Self::all(state).find(|resource| resource.id() == id)
    }

    /// Everything that can carry tags.
    pub(crate) fn all(state: &State) -> impl Iterator<Item = Self> {
        let ec2 = &state.ec2;
        let vpcs = ec2.vpcs.values().map(|vpc| Self::Vpc(Arc::clone(vpc)));
        let gateways = ec2.internet_gateways.values();
        let gateways = gateways.map(|gateway| Self::InternetGateway(Arc::clone(gateway)));
        let tables = ec2.route_tables.values();
        let tables = tables.map(|table| Self::RouteTable(Arc::clone(table)));
        let subnets = ec2
            .subnets
            .values()
            .map(|subnet| Self::Subnet(Arc::clone(subnet)));
        let groups = ec2.security_groups.values().flat_map(|group| {
            let rule = |rule: &model::ec2::SecurityGroupRule| {
                Self::SecurityGroupRule(Arc::clone(group), rule.id.clone())
            };
            let rules: Vec<Self> = group.rules.iter().map(rule).collect();
            std::iter::once(Self::SecurityGroup(Arc::clone(group))).chain(rules)
        });
        let instances = ec2
            .instances
            .values()
            .map(|instance| Self::Instance(Arc::clone(instance)));
        let networks = vpcs.chain(gateways).chain(tables).chain(subnets);
        let lists = ec2.prefix_lists.values();
        let lists = lists.map(|list| Self::PrefixList(Arc::clone(list)));
        let addresses = ec2.elastic_addresses.values();
        let addresses = addresses.map(|address| Self::ElasticAddress(Arc::clone(address)));
        let networks = networks.chain(addresses);
        // They are not even derived while something before them is looked for.
        let interfaces = std::iter::once_with(|| network_interfaces(state)).flatten();
        let interfaces = interfaces.map(|interface| {
            Self::NetworkInterface(NetworkInterfaceTags {
                id: interface.id,
                tags: interface.tags,
            })
        });
        let others = networks.chain(lists).chain(groups).chain(instances);
        others.chain(interfaces)
    }

    /// Its identifier.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Vpc(vpc) => vpc.id.to_string(),
            Self::InternetGateway(gateway) => gateway.id.to_string(),
            Self::RouteTable(table) => table.id.to_string(),
            Self::PrefixList(list) => list.id.to_string(),
            Self::ElasticAddress(address) => address.id.to_string(),
            Self::Subnet(subnet) => subnet.id.to_string(),
            Self::SecurityGroup(group) => group.id.to_string(),
            Self::SecurityGroupRule(_, id) => id.to_string(),
            Self::Instance(instance) => instance.id.to_string(),
            Self::NetworkInterface(interface) => interface.id.to_string(),
        }
    }

    /// What EC2 calls its kind.
    pub(crate) fn resource_type(&self) -> &'static str {
        match self {
            Self::Vpc(_) => "vpc",
            Self::InternetGateway(_) => "internet-gateway",
            Self::RouteTable(_) => "route-table",
            Self::PrefixList(_) => "prefix-list",
            Self::ElasticAddress(_) => "elastic-ip",
            Self::Subnet(_) => "subnet",
            Self::SecurityGroup(_) => "security-group",
            Self::SecurityGroupRule(..) => "security-group-rule",
            Self::Instance(_) => "instance",
            Self::NetworkInterface(_) => "network-interface",
        }
    }

    /// Its tags.
    pub(crate) fn tags(&self) -> &Tags {
        match self {
            Self::Vpc(vpc) => &vpc.tags,
            Self::InternetGateway(gateway) => &gateway.tags,
            Self::RouteTable(table) => &table.tags,
            Self::PrefixList(list) => &list.tags,
            Self::ElasticAddress(address) => &address.tags,
            Self::Subnet(subnet) => &subnet.tags,
            Self::SecurityGroup(group) => &group.tags,
            Self::SecurityGroupRule(group, id) => {
                let rule = group.rules.iter().find(|rule| rule.id == *id);
                &rule.expect("the id was found in this group").tags
            }
            Self::Instance(instance) => &instance.tags,
            Self::NetworkInterface(interface) => &interface.tags,
        }
    }

    /// The same thing with other tags.
    pub(crate) fn with_tags(mut self, tags: Tags) -> Self {
        match &mut self {
            Self::Vpc(vpc) => Arc::make_mut(vpc).tags = tags,
            Self::InternetGateway(gateway) => Arc::make_mut(gateway).tags = tags,
            Self::RouteTable(table) => Arc::make_mut(table).tags = tags,
            Self::PrefixList(list) => Arc::make_mut(list).tags = tags,
            Self::ElasticAddress(address) => Arc::make_mut(address).tags = tags,
            Self::Subnet(subnet) => Arc::make_mut(subnet).tags = tags,
            Self::SecurityGroup(group) => Arc::make_mut(group).tags = tags,
            Self::SecurityGroupRule(group, id) => {
                let rules = &mut Arc::make_mut(group).rules;
                let rule = rules.iter_mut().find(|rule| rule.id == *id);
                rule.expect("the id was found in this group").tags = tags;
            }
            Self::Instance(instance) => Arc::make_mut(instance).tags = tags,
            Self::NetworkInterface(interface) => interface.tags = tags,
        }
        self
    }

    /// Writes it to a draft.
    pub(crate) fn put(self, draft: &mut Draft) {
        match self {
            Self::Vpc(vpc) => {
                draft.put(Arc::unwrap_or_clone(vpc));
            }
            Self::InternetGateway(gateway) => {
                draft.put(Arc::unwrap_or_clone(gateway));
            }
            Self::RouteTable(table) => {
                draft.put(Arc::unwrap_or_clone(table));
            }
            Self::PrefixList(list) => {
                draft.put(Arc::unwrap_or_clone(list));
            }
            Self::ElasticAddress(address) => {
                draft.put(Arc::unwrap_or_clone(address));
            }
            Self::Subnet(subnet) => {
                draft.put(Arc::unwrap_or_clone(subnet));
            }
            Self::SecurityGroup(group) | Self::SecurityGroupRule(group, _) => {
                draft.put(Arc::unwrap_or_clone(group));
            }
            Self::Instance(instance) => {
                draft.put(Arc::unwrap_or_clone(instance));
            }
            Self::NetworkInterface(interface) if interface.tags.is_empty() => {
                draft.remove::<NetworkInterfaceTags>(&interface.id);
            }
            Self::NetworkInterface(interface) => {
                draft.put(interface);
            }
        }
    }
}
