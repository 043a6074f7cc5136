//! What the operations of the EC2 inventory do, as their callers see it.

mod drawn_addresses;
mod instances;
mod ipv6_blocks;
mod limits;
mod live;
mod prefix_lists;
mod rules;
mod security_groups;
mod start;
mod subnets;
mod support;
mod tags;
mod vpcs;
