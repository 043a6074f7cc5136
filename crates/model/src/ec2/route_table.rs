//! Which way packets of a VPC's subnets go. Records of their owner: elbow connects directly and moves no packets.

use serde::{Deserialize, Serialize};

use crate::Cidr;
use crate::ec2::{InternetGatewayId, RouteTableAssociationId, RouteTableId, SubnetId, Tags, VpcId};

/// A set of routes for the subnets that are associated with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteTable {
    /// Names it.
    pub id: RouteTableId,
    /// The VPC it belongs to.
    pub vpc_id: VpcId,
    /// Its routes, each to a block of its own, beside the one that every table has: to the VPC itself.
    pub routes: Vec<Route>,
    /// What follows it. No two of a VPC have the same subnet, and one in the VPC is `Main`.
    pub associations: Vec<RouteTableAssociation>,
    /// What the creating request gave, so that its repetition is recognised.
    pub client_token: Option<String>,
    /// A digest of what that request asked for, as text; `None` without a token, and in tables that an elbow made
    /// which did not note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

/// Where packets for a block go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The block, IPv4 or IPv6.
    pub destination: Cidr,
    /// The gateway. It may be detached or gone since, and then the route is a black hole.
    pub gateway_id: InternetGatewayId,
}

/// The hold of a route table on what follows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteTableAssociation {
    /// Names it.
    pub id: RouteTableAssociationId,
    /// What follows the table.
    pub with: Association,
}

/// What follows a route table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Association {
    /// Every subnet of the VPC that has no association of its own.
    Main,
    /// This subnet.
    Subnet(SubnetId),
}

impl RouteTable {
    /// Whether it is the one that subnets without an association follow.
    #[must_use]
    pub fn is_main(&self) -> bool {
        self.associations
            .iter()
            .any(|association| association.with == Association::Main)
    }
}
