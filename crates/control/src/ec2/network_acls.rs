//! DescribeNetworkAcls: the one of each VPC, which lets everything pass.
//!
//! elbow filters by security groups. Every VPC has its default network ACL all the same, made from the VPC and
//! never stored, because tools ask for it; others cannot be made.

use std::sync::Arc;

use model::Cidr;
use model::ec2::{SubnetId, Vpc, VpcId};

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

/// One line of a network ACL: what it says about everything from or to anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkAclEntry {
    /// The place of the line; the lowest counts.
    pub number: u16,
    /// Whether it is about what leaves a subnet.
    pub is_egress: bool,
    /// `allow` or `deny`.
    pub action: &'static str,
}

impl NetworkAcl {
    /// The lines of every default network ACL.
    ///
    /// Source: Amazon VPC User Guide, "Default network ACL for a VPC".
    pub const ENTRIES: [NetworkAclEntry; 4] = [
        entry(100, true, "allow"),
        entry(32_767, true, "deny"),
        entry(100, false, "allow"),
        entry(32_767, false, "deny"),
    ];

    /// Names its hold on a subnet; made from the id of the subnet.
    #[must_use]
    pub fn association_id(subnet_id: &SubnetId) -> String {
        subnet_id
            .as_str()
            .replacen(SubnetId::PREFIX, "aclassoc-", 1)
    }
}

const fn entry(number: u16, is_egress: bool, action: &'static str) -> NetworkAclEntry {
    NetworkAclEntry {
        number,
        is_egress,
        action,
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
            texts: |_| vec![Cidr::ANY_IPV4.to_string()],
        },
        Column {
            name: "entry.protocol",
            texts: |_| vec!["-1".into()],
        },
        Column {
            name: "entry.egress",
            texts: |_| entries(|entry| entry.is_egress.to_string()),
        },
        Column {
            name: "entry.rule-action",
            texts: |_| entries(|entry| entry.action.to_owned()),
        },
        Column {
            name: "entry.rule-number",
            texts: |_| entries(|entry| entry.number.to_string()),
        },
    ],
    // What lines about everything do not have, and what cannot be tagged.
    absent: &[
        "entry.icmp.code",
        "entry.icmp.type",
        "entry.ipv6-cidr",
        "entry.port-range.from",
        "entry.port-range.to",
        "tag-key",
    ],
    tags: None,
};

fn entries(text: fn(&NetworkAclEntry) -> String) -> Vec<String> {
    NetworkAcl::ENTRIES.iter().map(text).collect()
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
    request.page.cut(wanted, |acl| acl.id.clone())
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
