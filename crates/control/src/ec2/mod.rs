//! The EC2 inventory that load balancers need: networks, security groups, instances.
//!
//! An operation is a pure function: one that shows something, of the state, the settings and the request;
//! one that changes something, of a draft and the request. `operations` runs each of them.

pub mod account;
pub mod describe_instances;
pub mod error;
pub mod filter;
mod instance_filters;
pub mod ipv6_blocks;
pub mod lookups;
pub mod names;
pub mod network_interfaces;
pub mod networks;
pub mod operations;
pub mod paging;
pub mod run_instances;
pub mod security_group_rules;
pub mod security_groups;
pub mod start;
pub mod state;
pub mod subnets;
mod taggable;
pub mod tags;
pub mod terminate_instances;
pub mod topology;

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
