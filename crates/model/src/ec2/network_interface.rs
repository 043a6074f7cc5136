//! Which addresses are in use, and by what. Derived from instances and load balancers; tags alone are stored.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::ec2::{
    InstanceId, InstanceIpv6Address, NetworkInterfaceId, SecurityGroupId, SubnetId, Tags, VpcId,
    Zone,
};

/// The hold of one instance, or of one load balancer in one zone, on a private address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkInterface {
    /// Names it; the same as long as its owner and its subnet are.
    pub id: NetworkInterfaceId,
    /// What it belongs to.
    pub kind: InterfaceKind,
    /// The address.
    pub private_address: Ipv4Addr,
    /// The address of IPv6, if there is one.
    pub ipv6_address: Option<InstanceIpv6Address>,
    /// The subnet that holds the address.
    pub subnet_id: SubnetId,
    /// The VPC of the subnet.
    pub vpc_id: VpcId,
    /// The zone of the subnet.
    pub zone: Zone,
    /// The security groups of its owner.
    pub security_groups: Vec<SecurityGroupId>,
    /// Its tags.
    pub tags: Tags,
}

/// What is stored of a network interface that has tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInterfaceTags {
    /// Names the interface.
    pub id: NetworkInterfaceId,
    /// Its tags, one or more.
    pub tags: Tags,
}

/// What a network interface belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InterfaceKind {
    /// An instance.
    Instance {
        /// Which one.
        id: InstanceId,
        /// When it was registered, in milliseconds since 1970-01-01 00:00 UTC.
        attached_at_millis: u64,
    },
    /// A load balancer.
    LoadBalancer {
        /// What stands after `loadbalancer/` in its ARN, such as `app/shop/50dc6c495c0c9188`.
        full_name: String,
    },
}

impl NetworkInterface {
    /// What EC2 shows as the description: for a load balancer `ELB` and its full name.
    #[must_use]
    pub fn description(&self) -> String {
        match &self.kind {
            InterfaceKind::Instance { .. } => String::new(),
            InterfaceKind::LoadBalancer { full_name } => format!("ELB {full_name}"),
        }
    }

    /// The identifier for what `owner` holds in `subnet_id`: always the same one for the same two.
    #[must_use]
    pub fn derived_id(owner: &str, subnet_id: &SubnetId) -> NetworkInterfaceId {
        // FNV-1a, 64 bits: the identifier has to be stable and spread, not secret.
        let bytes = owner.bytes().chain([0]).chain(subnet_id.as_str().bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        NetworkInterfaceId::from_bits(hash)
    }
}
