//! Blocks of addresses under a name, which rules of security groups can refer to.

use serde::{Deserialize, Serialize};

use crate::Cidr;
use crate::ec2::{PrefixListId, Tags};

/// A managed prefix list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrefixList {
    /// Names it.
    pub id: PrefixListId,
    /// What its owner calls it; not unique.
    pub name: String,
    /// The family of all its blocks.
    pub family: AddressFamily,
    /// How many blocks it may have; as many rules a reference to it counts for.
    pub entries_max: usize,
    /// Its blocks, each once, at most `entries_max`.
    pub entries: Vec<PrefixListEntry>,
    /// Rises by one with every change of its entries, from 1.
    pub version: u64,
    /// Whether a request has changed it since it was made, be it the name alone; `false` in lists that an elbow changed
    /// which did not note it.
    #[serde(default)]
    pub is_modified: bool,
    /// What the creating request gave, so that its repetition is recognised.
    pub client_token: Option<String>,
    /// A digest of what that request asked for, as text; `None` without a token, and in lists that an elbow made
    /// which did not note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

/// A block of a prefix list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrefixListEntry {
    /// The block.
    pub cidr: Cidr,
    /// What it is for.
    pub description: Option<String>,
}

/// One of the two families of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AddressFamily {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl AddressFamily {
    /// What EC2 calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        }
    }

    /// Whether `block` is of this family.
    #[must_use]
    pub fn has(self, block: &Cidr) -> bool {
        block.network().is_ipv4() == (self == Self::Ipv4)
    }
}
