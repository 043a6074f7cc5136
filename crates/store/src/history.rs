//! The latest changes, kept in memory: they answer watchers and reads at an earlier revision.
//!
//! Both stores share it. It begins empty at every start; who asks for more is told `Compacted`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::{Change, Compacted, Range, ReadError, Record, Revision};

/// How many changes are kept. A watcher that is further behind reads everything anew, which for the state
/// of a load balancer is cheap; the bound keeps a busy API from filling the memory.
pub(crate) const HISTORY_CHANGES_MAX: usize = 1024;

/// The latest changes and the number of the last one.
#[derive(Debug)]
pub(crate) struct History {
    changes: Mutex<Kept>,
    latest: watch::Sender<Revision>,
}

#[derive(Debug)]
struct Kept {
    /// The state before the first of `changes`.
    oldest: Revision,
    changes: VecDeque<Arc<Change>>,
}

impl History {
    /// A history that begins after `revision`.
    pub(crate) fn begin(revision: Revision) -> Arc<Self> {
        Arc::new(Self {
            changes: Mutex::new(Kept {
                oldest: revision,
                changes: VecDeque::new(),
            }),
            latest: watch::Sender::new(revision),
        })
    }

    /// The revision of the last change.
    pub(crate) fn latest(&self) -> Revision {
        *self.latest.borrow()
    }

    /// Wakes whenever a change is added.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Revision> {
        self.latest.subscribe()
    }

    /// Adds a committed change. Changes are added in the order of their revisions, without a gap.
    pub(crate) fn add(&self, change: Change) {
        let revision = change.revision;
        let mut kept = self.lock();
        kept.changes.push_back(Arc::new(change));
        while kept.changes.len() > HISTORY_CHANGES_MAX {
            if let Some(dropped) = kept.changes.pop_front() {
                kept.oldest = dropped.revision;
            }
        }
        self.latest.send_replace(revision);
    }

    /// Every kept change after `revision`.
    pub(crate) fn after(&self, revision: Revision) -> Result<VecDeque<Arc<Change>>, Compacted> {
        let kept = self.lock();
        if revision < kept.oldest {
            return Err(Compacted {
                asked: revision,
                oldest: kept.oldest,
            });
        }
        let begin = kept
            .changes
            .partition_point(|change| change.revision <= revision);
        Ok(kept.changes.range(begin..).cloned().collect())
    }

    /// `current` (a range of `prefix`) as it was at `revision`: the changes since then are undone.
    pub(crate) fn rewind(
        &self,
        current: Range,
        prefix: &str,
        revision: Revision,
    ) -> Result<Range, ReadError> {
        if revision > current.revision {
            return Err(ReadError::Future {
                asked: revision,
                latest: current.revision,
            });
        }
        let changes = self.after(revision)?;
        let mut records: BTreeMap<String, Record> = current
            .records
            .into_iter()
            .map(|record| (record.key.clone(), record))
            .collect();
        let undone = changes
            .iter()
            .rev()
            .filter(|change| change.revision <= current.revision);
        for event in undone.flat_map(|change| &change.events) {
            match (&event.before, &event.after) {
                (Some(before), _) if before.key.starts_with(prefix) => {
                    records.insert(before.key.clone(), before.clone());
                }
                (None, Some(made)) => {
                    records.remove(&made.key);
                }
                _ => {}
            }
        }
        Ok(Range {
            revision,
            records: records.into_values().collect(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while the lock is held, and what it guards is whole between any two lines.
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
