//! A feed of committed changes.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::history::History;
use crate::{Compacted, Record, Revision};

/// One committed transaction, as a watcher sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The revision the transaction made.
    pub revision: Revision,
    /// What it did to each key it touched, in the order of the keys' bytes.
    pub events: Vec<Event>,
}

/// What a transaction did to one key. At least one side is present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The record before the transaction; `None` if it made the key.
    pub before: Option<Record>,
    /// The record after the transaction; `None` if it deleted the key.
    pub after: Option<Record>,
}

/// Yields the changes of a store one by one, without a gap, in the order of their revisions.
#[derive(Debug)]
pub struct Watch {
    history: Arc<History>,
    last: Revision,
    fetched: VecDeque<Arc<Change>>,
}

impl Watch {
    pub(crate) fn new(history: Arc<History>, after: Revision) -> Result<Self, Compacted> {
        let fetched = history.after(after)?;
        Ok(Self {
            history,
            last: after,
            fetched,
        })
    }

    /// The next change, if there is one already.
    ///
    /// # Errors
    /// `Compacted` if this watcher fell so far behind that changes it has not seen were dropped.
    pub fn try_next(&mut self) -> Result<Option<Arc<Change>>, Compacted> {
        if self.fetched.is_empty() {
            self.fetched = self.history.after(self.last)?;
        }
        let next = self.fetched.pop_front();
        if let Some(change) = &next {
            self.last = change.revision;
        }
        Ok(next)
    }

    /// The next change; waits for it as long as necessary. Dropping the future loses nothing.
    ///
    /// # Errors
    /// `Compacted` as for `try_next`.
    pub async fn next(&mut self) -> Result<Arc<Change>, Compacted> {
        let mut latest = self.history.subscribe();
        loop {
            latest.borrow_and_update();
            if let Some(change) = self.try_next()? {
                return Ok(change);
            }
            // The sender lives in the history this watch holds, so it cannot be gone.
            let _ = latest.changed().await;
        }
    }
}
