//! The EC2 inventory that load balancers need: networks, security groups, instances.
//!
//! An operation is a pure function: one that shows something, of the state, the settings and the request;
//! one that changes something, of a draft and the request. `operations` runs each of them.

pub mod absent;
pub mod account;
mod client_tokens;
pub mod cpu_credits;
pub mod describe_instances;
pub mod elastic_addresses;
pub mod error;
pub mod filter;
pub mod instance_attributes;
mod instance_filters;
mod instance_sites;
pub mod instance_states;
mod instance_type_names;
pub mod instance_type_offerings;
pub mod instance_types;
pub mod internet_gateways;
pub mod ipv6_blocks;
pub mod lookups;
pub mod names;
pub mod network_acls;
pub mod network_interface_changes;
pub mod network_interfaces;
pub mod networks;
pub mod operations;
pub mod paging;
pub mod prefix_lists;
pub mod route_table_associations;
pub mod route_tables;
pub mod routes;
pub mod run_instances;
pub mod security_group_changes;
pub mod security_group_relations;
pub mod security_group_rules;
pub mod security_groups;
pub mod start;
pub mod state;
pub mod subnet_changes;
pub mod subnets;
mod taggable;
pub mod tags;
pub mod topology;
pub mod vpcs;

pub use error::Ec2Error;
pub use filter::Filter;
pub use lookups::Holding;
pub use operations::{Ec2, Run};
pub use paging::{Page, PageRequest};
pub use start::{InventoryError, ensure_inventory};
pub use state::Ec2State;
pub(crate) use taggable::Taggable;
pub use tags::TagSpecification;
pub use topology::{Topology, ZoneTopology};
