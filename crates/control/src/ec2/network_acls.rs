//! DescribeNetworkAcls: the one of each VPC, which lets everything pass.
//!
//! elbow filters by security groups. Every VPC has its default network ACL all the same, made from the VPC and
//! never stored, because tools ask for it; others cannot be made.

use std::sync::Arc;

use model::Cidr;
use model::ec2::{SubnetId, Tags, Vpc, VpcId};

use crate::ec2::filter::{Column, Filters};
use crate::ec2::networks::is_named;
use crate::ec2::{Ec2, Ec2Error, Filter, Page, PageRequest};
use crate::settings::Settings;
use crate::state::State;

/// What the ids of network ACLs begin with.
pub(crate) const NETWORK_ACL_PREFIX: &str = "acl-";

/// Which network ACLs to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeNetworkAcls {
    /// These alone; all for an empty list.
    pub network_acl_ids: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer.
    pub page: PageRequest,
}

/// The network ACL of a VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkAcl {
    /// Names it; made from the id of its VPC.
    pub id: String,
    /// The VPC.
    pub vpc: Arc<Vpc>,
    /// The subnets of the VPC: all follow it.
    pub subnet_ids: Vec<SubnetId>,
    /// The account it belongs to.
    pub owner_id: String,
}

/// One line of a network ACL: what it says about everything from or to any address of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkAclEntry {
    /// The place of the line; the lowest counts.
    pub number: u16,
    /// All addresses of IPv4, or all of IPv6.
    pub block: Cidr,
    /// Whether it is about what leaves a subnet.
    pub is_egress: bool,
    /// `allow` or `deny`.
    pub action: &'static str,
}

impl NetworkAcl {
    /// Its lines: those of every default network ACL. Those about IPv6 are there if the VPC has a block of IPv6.
    ///
    /// Source: Amazon VPC User Guide, "Default network ACL for a VPC".
    pub fn entries(&self) -> impl Iterator<Item = NetworkAclEntry> {
        let ipv4 = [(100, "allow"), (32_767, "deny")].map(|it| (Cidr::ANY_IPV4, it));
        let ipv6 = [(101, "allow"), (32_768, "deny")].map(|it| (Cidr::ANY_IPV6, it));
        let has_ipv6 = !self.vpc.ipv6_blocks.is_empty();
        [true, false].into_iter().flat_map(move |is_egress| {
            let lines = ipv4
                .into_iter()
                .chain(ipv6.into_iter().filter(move |_| has_ipv6));
            lines.map(move |(block, (number, action))| NetworkAclEntry {
                number,
                block,
                is_egress,
                action,
            })
        })
    }

    /// Names its hold on a subnet; made from the id of the subnet.
    #[must_use]
    pub fn association_id(subnet_id: &SubnetId) -> String {
        subnet_id
            .as_str()
            .replacen(SubnetId::PREFIX, "aclassoc-", 1)
    }
}

impl Ec2<'_> {
    /// The network ACLs.
    ///
    /// # Errors
    /// `NetworkAclNotFound`, and those of filters and pages.
    pub fn describe_network_acls(
        &self,
        request: &DescribeNetworkAcls,
    ) -> Result<Page<NetworkAcl>, Ec2Error> {
        self.show(|it| describe(it.state, it.settings, request))
    }
}

const FILTERS: Filters<NetworkAcl> = Filters {
    columns: &[
        Column {
            name: "network-acl-id",
            texts: |it| vec![it.id.clone()],
        },
        Column {
            name: "vpc-id",
            texts: |it| vec![it.vpc.id.to_string()],
        },
        Column {
            name: "owner-id",
            texts: |it| vec![it.owner_id.clone()],
        },
        Column {
            name: "default",
            texts: |_| vec!["true".into()],
        },
        Column {
            name: "association.association-id",
            texts: |it| {
                it.subnet_ids
                    .iter()
                    .map(NetworkAcl::association_id)
                    .collect()
            },
        },
        Column {
            name: "association.network-acl-id",
            texts: |it| it.subnet_ids.iter().map(|_| it.id.clone()).collect(),
        },
        Column {
            name: "association.subnet-id",
            texts: |it| it.subnet_ids.iter().map(SubnetId::to_string).collect(),
        },
        Column {
            name: "entry.cidr",
            texts: |it| blocks(it, Cidr::ANY_IPV4),
        },
        Column {
            name: "entry.ipv6-cidr",
            texts: |it| blocks(it, Cidr::ANY_IPV6),
        },
        Column {
            name: "entry.protocol",
            texts: |_| vec!["-1".into()],
        },
        Column {
            name: "entry.egress",
            texts: |it| texts(it, |entry| entry.is_egress.to_string()),
        },
        Column {
            name: "entry.rule-action",
            texts: |it| texts(it, |entry| entry.action.to_owned()),
        },
        Column {
            name: "entry.rule-number",
            texts: |it| texts(it, |entry| entry.number.to_string()),
        },
    ],
    // What lines about everything do not have.
    absent: &[
        "entry.icmp.code",
        "entry.icmp.type",
        "entry.port-range.from",
        "entry.port-range.to",
    ],
    tags: Some(|_| &NO_TAGS),
};

/// Network ACLs cannot be tagged.
static NO_TAGS: Tags = Tags::new();

fn texts(acl: &NetworkAcl, text: fn(NetworkAclEntry) -> String) -> Vec<String> {
    acl.entries().map(text).collect()
}

fn blocks(acl: &NetworkAcl, family: Cidr) -> Vec<String> {
    let blocks = acl.entries().map(|entry| entry.block);
    blocks
        .filter(|block| *block == family)
        .map(|block| block.to_string())
        .collect()
}

fn describe(
    state: &State,
    settings: &Settings,
    request: &DescribeNetworkAcls,
) -> Result<Page<NetworkAcl>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    let vpcs = state.ec2.vpcs.values();
    let acls: Vec<NetworkAcl> = vpcs.map(|vpc| of_vpc(state, settings, vpc)).collect();
    let exists = |id: &str| acls.iter().any(|acl| acl.id == id);
    if let Some(id) = request.network_acl_ids.iter().find(|id| !exists(id)) {
        return Err(Ec2Error::NetworkAclNotFound(id.clone()));
    }
    let wanted = acls
        .into_iter()
        .filter(|acl| is_named(&request.network_acl_ids, &acl.id))
        .filter(is_wanted);
    request
        .page
        .cut("network-acls", wanted, |acl| acl.id.clone())
}

/// Made from the id of the VPC, because there is one for each.
fn id_of(vpc: &Vpc) -> String {
    let id = vpc.id.as_str();
    id.replacen(VpcId::PREFIX, NETWORK_ACL_PREFIX, 1)
}

/// Whether a VPC has the network ACL with this id.
pub(crate) fn is_network_acl(state: &State, id: &str) -> bool {
    state.ec2.vpcs.values().any(|vpc| id_of(vpc) == id)
}

fn of_vpc(state: &State, settings: &Settings, vpc: &Arc<Vpc>) -> NetworkAcl {
    let subnets = state.ec2.subnets.values();
    NetworkAcl {
        id: id_of(vpc),
        vpc: Arc::clone(vpc),
        subnet_ids: subnets
            .filter(|subnet| subnet.vpc_id == vpc.id)
            .map(|subnet| subnet.id.clone())
            .collect(),
        owner_id: settings.place.account.clone(),
    }
}
