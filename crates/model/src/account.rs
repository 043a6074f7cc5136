//! The accounts beside the one of the configuration, each with networks of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Cidr;

/// The id of an account: 12 digits.
///
/// Source: AWS Account Management reference guide, "View AWS account identifiers".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

/// The text is not the id of an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an AWS account: it has exactly 12 digits")]
pub struct InvalidAccountId(pub String);

/// An account. Its resources are known to nobody else, and its addresses are no other's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What names it.
    pub id: AccountId,
    /// The block of its default VPC, IPv4, /16 to /28.
    pub vpc_cidr: Cidr,
    /// The block that its Elastic IP addresses are allocated from, IPv4, /16 to /28; `None`: none can be allocated.
    pub elastic_cidr: Option<Cidr>,
    /// The default subnets: one in each zone that there was when the account was made.
    pub subnets: Vec<ZoneSubnet>,
    /// When it was made, in milliseconds since 1970.
    pub created_at_millis: u64,
}

/// The default subnet of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneSubnet {
    /// The name of the zone.
    pub zone: String,
    /// The block, a part of the VPC's.
    pub cidr: Cidr,
}

impl AccountId {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = InvalidAccountId;

    fn from_str(text: &str) -> Result<Self, InvalidAccountId> {
        match text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidAccountId(text.to_owned())),
        }
    }
}

impl TryFrom<String> for AccountId {
    type Error = InvalidAccountId;

    fn try_from(text: String) -> Result<Self, InvalidAccountId> {
        text.parse()
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        id.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_twelve_digits() {
        for text in ["123456789012", "000000000000"] {
            assert_eq!(text.parse::<AccountId>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "12345678901",
            "1234567890123",
            "12345678901a",
            "１２３４",
        ] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }
}
