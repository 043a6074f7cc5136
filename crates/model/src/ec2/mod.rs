//! The EC2 inventory a load balancer stands on: networks, security groups and the instances behind it.
//!
//! The nouns derive serde for one purpose, the stored record.

pub mod id;
pub mod instance;
pub mod network;
pub mod network_interface;
pub mod security_group;

use std::collections::BTreeMap;

pub use id::{
    InstanceId, InternetGatewayId, InvalidId, NetworkInterfaceId, ReservationId, SecurityGroupId,
    SecurityGroupRuleId, SubnetCidrAssociationId, SubnetId, VpcCidrAssociationId, VpcId,
};
pub use instance::{Instance, InstanceIpv6Address, InstanceState};
pub use network::{InternetGateway, Subnet, SubnetIpv6Block, Vpc, VpcIpv6Block, Zone};
pub use network_interface::{InterfaceKind, NetworkInterface};
pub use security_group::{Direction, Peer, SecurityGroup, SecurityGroupRule, Traffic};

/// The tags of an EC2 resource: keys of 1 to 128 characters, values of 0 to 256, at most 50 of them.
///
/// Unlike those of Elastic Load Balancing (`crate::tag::Tags`) they may have any character.
/// Source: EC2 User Guide, "Tag your Amazon EC2 resources", "Tag restrictions".
pub type Tags = BTreeMap<String, String>;
