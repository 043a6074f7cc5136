//! The way between a VPC and the internet.

use serde::{Deserialize, Serialize};

use crate::ec2::{InternetGatewayId, Tags, VpcId};

/// A way out of a VPC. A load balancer that faces the internet needs one in its VPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InternetGateway {
    /// Names it.
    pub id: InternetGatewayId,
    /// The VPC it is attached to. No other gateway is attached to the same one.
    pub vpc_id: Option<VpcId>,
    /// Its tags.
    pub tags: Tags,
}
