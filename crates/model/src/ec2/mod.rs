//! The EC2 inventory a load balancer stands on: networks, security groups and the instances behind it.
//!
//! The nouns derive serde for one purpose, the stored record.

pub mod elastic_address;
pub mod id;
pub mod instance;
pub mod internet_gateway;
pub mod network;
pub mod network_interface;
pub mod prefix_list;
pub mod route_table;
pub mod security_group;

use std::collections::BTreeMap;

pub use elastic_address::ElasticAddress;
pub use id::{
    AllocationId, InstanceId, InternetGatewayId, InvalidId, NetworkInterfaceId, PrefixListId,
    ReservationId, RouteTableAssociationId, RouteTableId, SecurityGroupId, SecurityGroupRuleId,
    SubnetCidrAssociationId, SubnetId, VpcCidrAssociationId, VpcId, is_well_formed,
};
pub use instance::{CpuCredits, Instance, InstanceIpv6Address, InstanceProtection, InstanceState};
pub use internet_gateway::InternetGateway;
pub use network::{
    EmbeddedInternetGateway, Subnet, SubnetIpv6Block, Vpc, VpcDns, VpcIpv6Block, Zone,
};
pub use network_interface::{InterfaceKind, NetworkInterface, NetworkInterfaceTags};
pub use prefix_list::{AddressFamily, PrefixList, PrefixListEntry};
pub use route_table::{Association, Route, RouteTable, RouteTableAssociation};
pub use security_group::{Direction, Peer, SecurityGroup, SecurityGroupRule, Traffic};

/// The tags of an EC2 resource: keys of 1 to 128 characters, values of 0 to 256, at most 50 of them.
///
/// Unlike those of Elastic Load Balancing (`crate::tag::Tags`) they may have any character.
/// Source: EC2 User Guide, "Tag your Amazon EC2 resources", "Tag restrictions".
pub type Tags = BTreeMap<String, String>;
