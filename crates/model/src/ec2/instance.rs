//! A machine behind a load balancer, as far as the load balancer has to know it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::ec2::{
    InstanceId, NetworkInterface, NetworkInterfaceId, ReservationId, SecurityGroupId, SubnetId,
    Tags, VpcId, Zone,
};

/// A machine that was registered with elbow by its private address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Names it.
    pub id: InstanceId,
    /// The request that registered it.
    pub reservation_id: ReservationId,
    /// Its place among those that the request registered, from 0.
    #[serde(default)]
    pub launch_index: u32,
    /// Where it is reached. No other instance that runs, and no load balancer, has the same one.
    pub private_address: Ipv4Addr,
    /// Where it is reached over IPv6, if it is. As exclusive as the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_address: Option<InstanceIpv6Address>,
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
    /// What it was registered with about its CPU credits; a note of its owner, nothing is done with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_credits: Option<CpuCredits>,
    /// The security groups it carries, at least one.
    pub security_groups: Vec<SecurityGroupId>,
    /// When it was registered, in milliseconds since 1970-01-01 00:00 UTC.
    pub launched_at_millis: u64,
    /// When it was last started again; `None` if it never was.
    #[serde(default)]
    pub started_at_millis: Option<u64>,
    /// Which operations it refuses.
    #[serde(default)]
    pub protection: InstanceProtection,
    /// What the registering request gave, so that its repetition is recognised.
    pub client_token: Option<String>,
    /// A digest of what that request asked for, as text; `None` without a token, and in instances that an elbow made
    /// which did not note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

/// An address of IPv6 that an instance has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceIpv6Address {
    /// The address.
    pub address: Ipv6Addr,
    /// Whether it stays with the instance for life, which makes it the one of its targets.
    ///
    /// Source: EC2 API, `RunInstances`, `EnablePrimaryIpv6`.
    pub is_primary: bool,
}

/// What an instance of a burstable type does when it has no CPU credits left.
///
/// Source: EC2 API, `CreditSpecificationRequest`, `CpuCredits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CpuCredits {
    /// It slows down.
    Standard,
    /// It runs on and pays.
    Unlimited,
}

impl CpuCredits {
    /// What EC2 calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Unlimited => "unlimited",
        }
    }
}

/// What an instance is protected from. All off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceProtection {
    /// `disableApiTermination`: `TerminateInstances` is refused.
    pub from_termination: bool,
    /// `disableApiStop`: `StopInstances` is refused.
    pub from_stop: bool,
}

/// What has become of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstanceState {
    /// It can be a target.
    Running,
    /// It gets no requests and keeps its address; it can be started again.
    Stopped {
        /// Since when, in milliseconds since 1970-01-01 00:00 UTC.
        at_millis: u64,
    },
    /// It was taken from the inventory; its address is free.
    Terminated {
        /// When, in milliseconds since 1970-01-01 00:00 UTC.
        at_millis: u64,
    },
}

impl Instance {
    /// Whether the instance can be a target.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state == InstanceState::Running
    }

    /// The address of IPv6 that targets of its id have.
    #[must_use]
    pub fn primary_ipv6_address(&self) -> Option<Ipv6Addr> {
        let primary = self.ipv6_address.filter(|ipv6| ipv6.is_primary);
        primary.map(|ipv6| ipv6.address)
    }

    /// Its addresses of both families.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<> {
        let ipv6 = self.ipv6_address.map(|ipv6| ipv6.address.into());
        std::iter::once(self.private_address.into()).chain(ipv6)
    }

    /// Names its network interface.
    #[must_use]
    pub fn network_interface_id(&self) -> NetworkInterfaceId {
        NetworkInterface::derived_id(self.id.as_str(), &self.subnet_id)
    }

    /// Whether the instance has its address and carries its groups.
    #[must_use]
    pub fn holds_address(&self) -> bool {
        match self.state {
            InstanceState::Running | InstanceState::Stopped { .. } => true,
            InstanceState::Terminated { .. } => false,
        }
    }

    /// Since when it has run, or last ran, in milliseconds since 1970-01-01 00:00 UTC.
    #[must_use]
    pub fn running_since_millis(&self) -> u64 {
        self.started_at_millis.unwrap_or(self.launched_at_millis)
    }
}

impl InstanceState {
    /// The name EC2 gives the state.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped { .. } => "stopped",
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
            Self::Stopped { .. } => 80,
        }
    }

    /// When its owner ended its running, in milliseconds since 1970-01-01 00:00 UTC; `None` while it runs.
    #[must_use]
    pub fn ended_at_millis(self) -> Option<u64> {
        match self {
            Self::Running => None,
            Self::Stopped { at_millis } | Self::Terminated { at_millis } => Some(at_millis),
        }
    }
}
