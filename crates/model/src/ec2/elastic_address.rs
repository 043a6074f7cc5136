//! Addresses that belong to the account until they are released.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::ec2::{AllocationId, Tags};

/// An Elastic IP address, from the block that the configuration sets aside for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElasticAddress {
    /// Names it.
    pub id: AllocationId,
    /// The address. No other one has it.
    pub address: Ipv4Addr,
    /// Its tags.
    pub tags: Tags,
}
