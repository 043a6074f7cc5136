//! What AWS Certificate Manager keeps for an account as a whole.
//!
//! Source: ACM API, `ExpiryEventsConfiguration`; ACM guide, "Quotas".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The certificates of an account as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcmAccount {
    /// Whose certificates: 12 digits.
    pub account: String,
    /// How many certificates were requested, by days since 1970. Older ones than a year do not matter.
    pub requested_by_day: BTreeMap<u64, u64>,
    /// How many certificates were imported, by days since 1970. Older ones than a year do not matter.
    pub imported_by_day: BTreeMap<u64, u64>,
    /// From how many days before the end of a certificate on its end is announced every day. Default 45.
    pub days_before_expiry: u32,
    /// What tells the last change of `days_before_expiry` from others in the hour after it.
    pub last_configured: Option<Configured>,
}

/// A change of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configured {
    /// The caller's token.
    pub idempotency_token: String,
    /// When it was, in milliseconds since 1970.
    pub at_millis: u64,
}

impl AcmAccount {
    /// Default of `days_before_expiry`. Source: ACM API, `ExpiryEventsConfiguration`.
    pub const DAYS_BEFORE_EXPIRY: u32 = 45;

    /// An account that has done nothing yet.
    #[must_use]
    pub fn new(account: String) -> Self {
        Self {
            account,
            requested_by_day: BTreeMap::new(),
            imported_by_day: BTreeMap::new(),
            days_before_expiry: Self::DAYS_BEFORE_EXPIRY,
            last_configured: None,
        }
    }
}
