//! A machine behind a load balancer, as far as the load balancer has to know it.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::ec2::{InstanceId, ReservationId, SecurityGroupId, SubnetId, Tags, VpcId, Zone};

/// A machine that was registered with elbow by its private address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Names it.
    pub id: InstanceId,
    /// The request that registered it.
    pub reservation_id: ReservationId,
    /// Where it is reached. No other instance that runs, and no load balancer, has the same one.
    pub private_address: Ipv4Addr,
    /// The subnet that holds the address.
    pub subnet_id: SubnetId,
    /// The VPC of the subnet.
    pub vpc_id: VpcId,
    /// The zone of the subnet.
    pub zone: Zone,
    /// Whether it runs.
    pub state: InstanceState,
    /// The image it was registered with; a note of its owner, nothing is done with it.
    pub image_id: Option<String>,
    /// The type it was registered with; a note of its owner, nothing is done with it.
    pub instance_type: Option<String>,
    /// The security groups it carries, at least one.
    pub security_groups: Vec<SecurityGroupId>,
    /// When it was registered, in milliseconds since 1970-01-01 00:00 UTC.
    pub launched_at_millis: u64,
    /// What the registering request gave, so that its repetition is recognised.
    pub client_token: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

/// What has become of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstanceState {
    /// It can be a target.
    Running,
    /// It was taken from the inventory; its address is free.
    Terminated {
        /// When, in milliseconds since 1970-01-01 00:00 UTC.
        at_millis: u64,
    },
}

impl Instance {
    /// Whether the instance can be a target and holds its address.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state == InstanceState::Running
    }
}

impl InstanceState {
    /// The name EC2 gives the state.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Terminated { .. } => "terminated",
        }
    }

    /// The number EC2 gives the state.
    ///
    /// Source: EC2 API, `InstanceState`, `Code`.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Running => 16,
            Self::Terminated { .. } => 48,
        }
    }
}
