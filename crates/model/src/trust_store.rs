//! A trust store: the authorities that may vouch for the clients of a listener, and what they revoked.
//!
//! Source: ELB API, `TrustStore` and `CreateTrustStore`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::arn::TrustStoreArn;
use crate::id::TrustStoreId;
use crate::tag::Tags;

/// A trust store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustStore {
    /// Holds the name and the id.
    pub arn: TrustStoreArn,
    /// PEM: the certificates of the authorities.
    pub authorities: String,
    /// How many there are.
    pub authority_count: usize,
    /// The id of the next list of revoked certificates; ids are not used again.
    pub next_revocation: u64,
    /// Its tags.
    pub tags: Tags,
}

/// Names a list of revoked certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RevocationKey {
    /// The trust store it belongs to.
    pub trust_store: TrustStoreId,
    /// From 1, in the order of addition.
    pub id: u64,
}

/// A list of revoked certificates in a trust store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustStoreRevocation {
    /// Its trust store and its id.
    pub key: RevocationKey,
    /// PEM: the list.
    pub content: String,
    /// How many certificates it revokes.
    pub entry_count: usize,
}

impl fmt::Display for RevocationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.trust_store, self.id)
    }
}

/// Whether the text can name a trust store: 1 to 32 letters, digits and single hyphens between them.
///
/// Source: ELB API, `CreateTrustStore`, `Name`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    text.len() <= 32 && text.split('-').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_letters_digits_and_single_hyphens() {
        let long = "a".repeat(33);
        for (name, is_valid) in [
            ("clients", true),
            ("a-b-1", true),
            ("", false),
            ("-a", false),
            ("a-", false),
            ("a--b", false),
            ("a_b", false),
            (&long, false),
            (&long[1..], true),
        ] {
            assert_eq!(is_name(name), is_valid, "{name:?}");
        }
    }
}
