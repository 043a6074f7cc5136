//! A store that forgets everything at the end of the process: for tests, and for a throwaway elbow.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::history::History;
use crate::{
    Change, Compacted, Event, Range, ReadError, Record, Revision, Store, TransactError,
    Transaction, Watch,
};

/// Keeps records in memory. Behaves as [`crate::Embedded`] in everything but durability.
#[derive(Debug)]
pub struct Memory {
    records: Mutex<BTreeMap<String, Record>>,
    history: Arc<History>,
}

impl Memory {
    /// An empty store at `Revision::ZERO`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            records: Mutex::default(),
            history: History::begin(Revision::ZERO),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Record>> {
        // Nothing panics between the first and the last line that changes the map.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for Memory {
    fn revision(&self) -> Result<Revision, ReadError> {
        Ok(self.history.latest())
    }

    fn range(&self, prefix: &str, at: Option<Revision>) -> Result<Range, ReadError> {
        let records = self.lock();
        let current = Range {
            revision: self.history.latest(),
            records: records
                .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
                .take_while(|(key, _)| key.starts_with(prefix))
                .map(|(_, record)| record.clone())
                .collect(),
        };
        match at {
            None => Ok(current),
            Some(revision) => self.history.rewind(current, prefix, revision),
        }
    }

    fn transact(&self, transaction: Transaction) -> Result<Revision, TransactError> {
        let mut records = self.lock();
        for (key, condition) in &transaction.conditions {
            let found = records.get(key).map(|record| record.revision);
            if !condition.holds(found) {
                return Err(TransactError::Conflict {
                    key: key.clone(),
                    found,
                });
            }
        }
        let revision = self.history.latest().next();
        let mut events = Vec::with_capacity(transaction.writes.len());
        for (key, value) in transaction.writes {
            let after = value.map(|value| Record {
                key: key.clone(),
                value,
                revision,
            });
            let before = match &after {
                Some(record) => records.insert(key, record.clone()),
                None => records.remove(&key),
            };
            if before.is_some() || after.is_some() {
                events.push(Event { before, after });
            }
        }
        self.history.add(Change { revision, events });
        Ok(revision)
    }

    fn watch(&self, after: Revision) -> Result<Watch, Compacted> {
        Watch::new(Arc::clone(&self.history), after)
    }
}
