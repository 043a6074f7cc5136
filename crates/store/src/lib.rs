//! Durable state behind one small trait.
//!
//! A store maps keys to bytes. What the bytes mean is not known here: there is no business rule in this
//! crate, only the promise that a transaction is entirely there after a crash, or not at all.

pub mod embedded;
pub mod error;
mod history;
pub mod memory;
pub mod record;
pub mod transaction;
pub mod watch;

use std::fmt;
use std::sync::Arc;

pub use embedded::Embedded;
pub use error::{Compacted, OpenError, ReadError, TransactError};
pub use memory::Memory;
pub use transaction::{Condition, Transaction};
pub use watch::{Change, Event, Watch};

/// Durable state with transactions over several keys, numbered revisions and a feed of changes.
///
/// Every method is synchronous: a read costs about a microsecond, a transaction waits for the disk
/// (about half a millisecond). An asynchronous caller runs `transact` where blocking is allowed.
pub trait Store: Send + Sync {
    /// The revision of the last transaction; `Revision::ZERO` for a store that never had one.
    ///
    /// # Errors
    /// `ReadError::Storage` if the storage cannot be read.
    fn revision(&self) -> Result<Revision, ReadError>;

    /// Every record whose key begins with `prefix`, in the order of the keys' bytes, as they were after
    /// the transaction `at`; after the latest one for `None`.
    ///
    /// # Errors
    /// `ReadError::Compacted` if `at` lies before the kept history, `ReadError::Future` if it has not
    /// happened yet, `ReadError::Storage` if the storage cannot be read.
    fn range(&self, prefix: &str, at: Option<Revision>) -> Result<Range, ReadError>;

    /// Performs all of `transaction` or nothing. When this returns `Ok`, the transaction survives a
    /// crash of the process and of the machine.
    ///
    /// # Errors
    /// `TransactError::Conflict` if one of its conditions does not hold, `TransactError::Storage` if it
    /// could not be written; the store is as before in both cases.
    fn transact(&self, transaction: Transaction) -> Result<Revision, TransactError>;

    /// The changes made after `after`, the ones already made and then the ones to come.
    ///
    /// A caller that has read a range at revision R and watches after R misses nothing.
    ///
    /// # Errors
    /// `Compacted` if changes after `after` are no longer kept: read everything anew and watch from the
    /// revision of that read.
    fn watch(&self, after: Revision) -> Result<Watch, Compacted>;
}

/// Counts the transactions of a store: each successful one raises it by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// Before the first transaction.
    pub const ZERO: Self = Self(0);

    /// The revision of the transaction after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The bytes stored under a key; shared, because history and watchers keep them too.
pub type Value = Arc<[u8]>;

/// One key with what is stored under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The key.
    pub key: String,
    /// The bytes last put.
    pub value: Value,
    /// The revision of the transaction that put them.
    pub revision: Revision,
}

/// The outcome of a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The state that was read: the revision asked for, or the latest one.
    pub revision: Revision,
    /// The records, in the order of the keys' bytes.
    pub records: Vec<Record>,
}
