//! A change of several keys that happens entirely or not at all.

use std::collections::BTreeMap;

use crate::{Revision, Value};

/// Conditions and writes that belong together.
///
/// All conditions are checked against the state before the transaction. A key is written at most once:
/// of several writes to one key the last one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    pub(crate) conditions: Vec<(String, Condition)>,
    /// `None` deletes the key.
    pub(crate) writes: BTreeMap<String, Option<Value>>,
}

/// What must be true of a key for a transaction to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The key does not exist.
    Absent,
    /// The key was last put by the transaction with this revision.
    UnchangedSince(Revision),
}

impl Transaction {
    /// A transaction without conditions or writes. It succeeds and raises the revision.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition.
    #[must_use]
    pub fn require(mut self, key: impl Into<String>, condition: Condition) -> Self {
        self.conditions.push((key.into(), condition));
        self
    }

    /// Stores `value` under `key`, whether or not the key exists.
    #[must_use]
    pub fn put(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.writes.insert(key.into(), Some(value.into()));
        self
    }

    /// Removes `key`; nothing happens if it does not exist.
    #[must_use]
    pub fn delete(mut self, key: impl Into<String>) -> Self {
        self.writes.insert(key.into(), None);
        self
    }
}

impl Condition {
    /// Whether a key last put at `found` (`None`: it does not exist) satisfies the condition.
    pub(crate) fn holds(self, found: Option<Revision>) -> bool {
        match self {
            Self::Absent => found.is_none(),
            Self::UnchangedSince(revision) => found == Some(revision),
        }
    }
}
