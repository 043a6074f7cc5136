//! The kinds of stored things that can carry tags, behind one face.

use std::sync::Arc;

use model::ec2::{Instance, SecurityGroup, SecurityGroupRuleId, Subnet, Tags, Vpc};

use crate::state::{Draft, State};

/// Something with tags: a noun, or a part of one.
#[derive(Clone, Debug)]
pub(crate) enum Taggable {
    Vpc(Arc<Vpc>),
    /// Stored in its VPC.
    InternetGateway(Arc<Vpc>),
    Subnet(Arc<Subnet>),
    SecurityGroup(Arc<SecurityGroup>),
    /// Stored in its group.
    SecurityGroupRule(Arc<SecurityGroup>, SecurityGroupRuleId),
    Instance(Arc<Instance>),
}

impl Taggable {
    /// The thing with this id, of whatever kind.
    pub(crate) fn find(state: &State, id: &str) -> Option<Self> {
        Self::all(state).find(|resource| resource.id() == id)
    }

    /// Everything that can carry tags.
    pub(crate) fn all(state: &State) -> impl Iterator<Item = Self> {
        let ec2 = &state.ec2;
        let vpcs = ec2.vpcs.values().flat_map(|vpc| {
            [
                Self::Vpc(Arc::clone(vpc)),
                Self::InternetGateway(Arc::clone(vpc)),
            ]
        });
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
        vpcs.chain(subnets).chain(groups).chain(instances)
    }

    /// Its identifier.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Vpc(vpc) => vpc.id.to_string(),
            Self::InternetGateway(vpc) => vpc.internet_gateway.id.to_string(),
            Self::Subnet(subnet) => subnet.id.to_string(),
            Self::SecurityGroup(group) => group.id.to_string(),
            Self::SecurityGroupRule(_, id) => id.to_string(),
            Self::Instance(instance) => instance.id.to_string(),
        }
    }

    /// What EC2 calls its kind.
    pub(crate) fn resource_type(&self) -> &'static str {
        match self {
            Self::Vpc(_) => "vpc",
            Self::InternetGateway(_) => "internet-gateway",
            Self::Subnet(_) => "subnet",
            Self::SecurityGroup(_) => "security-group",
            Self::SecurityGroupRule(..) => "security-group-rule",
            Self::Instance(_) => "instance",
        }
    }

    /// Its tags.
    pub(crate) fn tags(&self) -> &Tags {
        match self {
            Self::Vpc(vpc) => &vpc.tags,
            Self::InternetGateway(vpc) => &vpc.internet_gateway.tags,
            Self::Subnet(subnet) => &subnet.tags,
            Self::SecurityGroup(group) => &group.tags,
            Self::SecurityGroupRule(group, id) => {
                let rule = group.rules.iter().find(|rule| rule.id == *id);
                &rule.expect("the id was found in this group").tags
            }
            Self::Instance(instance) => &instance.tags,
        }
    }

    /// The same thing with other tags.
    pub(crate) fn with_tags(mut self, tags: Tags) -> Self {
        match &mut self {
            Self::Vpc(vpc) => Arc::make_mut(vpc).tags = tags,
            Self::InternetGateway(vpc) => Arc::make_mut(vpc).internet_gateway.tags = tags,
            Self::Subnet(subnet) => Arc::make_mut(subnet).tags = tags,
            Self::SecurityGroup(group) => Arc::make_mut(group).tags = tags,
            Self::SecurityGroupRule(group, id) => {
                let rules = &mut Arc::make_mut(group).rules;
                let rule = rules.iter_mut().find(|rule| rule.id == *id);
                rule.expect("the id was found in this group").tags = tags;
            }
            Self::Instance(instance) => Arc::make_mut(instance).tags = tags,
        }
        self
    }

    /// Writes it to a draft.
    pub(crate) fn put(self, draft: &mut Draft) {
        match self {
            Self::Vpc(vpc) | Self::InternetGateway(vpc) => {
                draft.put(Arc::unwrap_or_clone(vpc));
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
        }
    }
}
