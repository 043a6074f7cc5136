//! The store of one node: one file, written with an fsync per transaction.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition, TableError,
    WriteTransaction,
};

use crate::history::History;
use crate::{
    Change, Compacted, Event, OpenError, Range, ReadError, Record, Revision, Store, TransactError,
    Transaction, Watch,
};

/// The name of the file in the data directory.
pub const FILE_NAME: &str = "state.redb";

/// What the database keeps in memory of its file. The state is read from it once, at the start; the library's own
/// bound is a gigabyte.
const CACHE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Key to the revision that put it and the bytes.
const RECORDS: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("records");
/// Facts about the store itself.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// The entry of `META` with the revision of the last transaction.
const REVISION: &str = "revision";

/// Keeps records in `state.redb` of a directory that no other process has open.
#[derive(Debug)]
pub struct Embedded {
    database: Database,
    history: Arc<History>,
    /// Held while a transaction is written and its change is added to the history, so that both have
    /// the same order.
    writing: Mutex<()>,
    /// An advisory lock on the directory; the kernel lets go of it when the process ends in any way.
    _directory: File,
}

impl Embedded {
    /// Opens the state in `directory`. The directory (0700) and the file (0600) are made if they do not
    /// exist. After a crash the file is repaired: acknowledged transactions are there, others are not.
    ///
    /// # Errors
    /// `OpenError::Locked` if another process, or this one, has it open; `OpenError::Io` if the file
    /// system refuses; `OpenError::Unreadable` if the file is of another kind or damaged.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let file = directory.join(FILE_NAME);
        let lock = lock_directory(directory, &file)?;
        if !file.exists() {
            create(directory, &file)?;
        }
        let database = open_file(&file, &file)?;
        let revision = last_revision(&database).map_err(|source| OpenError::Unreadable {
            file: file.clone(),
            source: source.into(),
        })?;
        Ok(Self {
            database,
            history: History::begin(revision),
            writing: Mutex::new(()),
            _directory: lock,
        })
    }

    fn current(&self, prefix: &str) -> Result<Range, redb::Error> {
        let transaction = self.database.begin_read()?;
        let revision = transaction
            .open_table(META)?
            .get(REVISION)?
            .map_or(0, |entry| entry.value());
        let table = transaction.open_table(RECORDS)?;
        let mut records = Vec::new();
        for entry in table.range(prefix..)? {
            let (key, value) = entry?;
            if !key.value().starts_with(prefix) {
                break;
            }
            records.push(record(key.value(), value.value()));
        }
        Ok(Range {
            revision: Revision(revision),
            records,
        })
    }

    /// Checks and writes; nothing is kept unless the last line commits.
    fn write(&self, transaction: Transaction) -> Result<Change, TransactError> {
        let revision = self.history.latest().next();
        let commit = self.database.begin_write().map_err(storage)?;
        check(&commit, &transaction)?;
        let events = apply(&commit, transaction, revision).map_err(storage)?;
        commit.commit().map_err(storage)?;
        Ok(Change { revision, events })
    }
}

impl Store for Embedded {
    fn revision(&self) -> Result<Revision, ReadError> {
        Ok(self.history.latest())
    }

    fn range(&self, prefix: &str, at: Option<Revision>) -> Result<Range, ReadError> {
        let current = || {
            self.current(prefix)
                .map_err(|source| ReadError::Storage(source.into()))
        };
        match at {
            None => current(),
            Some(revision) => {
                // Between the commit and the entry in the history the one would lack the other.
                let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
                self.history.rewind(current()?, prefix, revision)
            }
        }
    }

    fn transact(&self, transaction: Transaction) -> Result<Revision, TransactError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let change = self.write(transaction)?;
        let revision = change.revision;
        self.history.add(change);
        Ok(revision)
    }

    fn watch(&self, after: Revision) -> Result<Watch, Compacted> {
        Watch::new(Arc::clone(&self.history), after)
    }
}

fn lock_directory(directory: &Path, file: &Path) -> Result<File, OpenError> {
    let failed = |action| {
        move |source| OpenError::Io {
            action,
            path: directory.to_owned(),
            source,
        }
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(failed("create the data directory"))?;
    let lock = File::open(directory).map_err(failed("open the data directory"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked {
            file: file.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed("lock the data directory")(source)),
    }
}

/// Makes an empty state file. It gets its name only when it is whole, because a file whose making was cut
/// short could not be told from a damaged one.
fn create(directory: &Path, file: &Path) -> Result<(), OpenError> {
    let unfinished = directory.join(format!("{FILE_NAME}.new"));
    let failed = |action| {
        let path = file.to_owned();
        move |source| OpenError::Io {
            action,
            path,
            source,
        }
    };
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(failed("replace an unfinished copy of")(error));
        }
        _ => {}
    }
    let database = open_file(&unfinished, file)?;
    first_commit(&database).map_err(|source| OpenError::Unreadable {
        file: file.to_owned(),
        source: source.into(),
    })?;
    drop(database);
    std::fs::rename(&unfinished, file).map_err(failed("create"))?;
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(failed("save the name of"))
}

/// Makes the tables, so that readers never meet a file without them.
fn first_commit(database: &Database) -> Result<(), redb::Error> {
    let commit = database.begin_write()?;
    commit.open_table(RECORDS)?;
    commit.open_table(META)?.insert(REVISION, 0)?;
    commit.commit()?;
    Ok(())
}

fn open_file(path: &Path, named: &Path) -> Result<Database, OpenError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|source| OpenError::Io {
            action: "open",
            path: named.to_owned(),
            source,
        })?;
    let named: PathBuf = named.to_owned();
    Database::builder()
        .set_cache_size(CACHE_BYTES_MAX)
        .create_file(file)
        .map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => OpenError::Locked { file: named },
            other => OpenError::Unreadable {
                file: named,
                source: other.into(),
            },
        })
}

fn last_revision(database: &Database) -> Result<Revision, redb::Error> {
    let table = database.begin_read()?.open_table(META)?;
    Ok(Revision(
        table.get(REVISION)?.map_or(0, |entry| entry.value()),
    ))
}

fn check(commit: &WriteTransaction, transaction: &Transaction) -> Result<(), TransactError> {
    let table = commit.open_table(RECORDS).map_err(storage)?;
    for (key, condition) in &transaction.conditions {
        let found = table
            .get(key.as_str())
            .map_err(storage)?
            .map(|entry| Revision(entry.value().0));
        if !condition.holds(found) {
            return Err(TransactError::Conflict {
                key: key.clone(),
                found,
            });
        }
    }
    Ok(())
}

fn apply(
    commit: &WriteTransaction,
    transaction: Transaction,
    revision: Revision,
) -> Result<Vec<Event>, TableError> {
    let mut table = commit.open_table(RECORDS)?;
    let mut events = Vec::with_capacity(transaction.writes.len());
    for (key, value) in transaction.writes {
        let after = value.map(|value| Record {
            key: key.clone(),
            value,
            revision,
        });
        let previous = match &after {
            Some(record) => table.insert(key.as_str(), (revision.0, &*record.value))?,
            None => table.remove(key.as_str())?,
        };
        let before = previous.map(|entry| record(&key, entry.value()));
        if before.is_some() || after.is_some() {
            events.push(Event { before, after });
        }
    }
    commit.open_table(META)?.insert(REVISION, revision.0)?;
    Ok(events)
}

fn record(key: &str, (revision, value): (u64, &[u8])) -> Record {
    Record {
        key: key.to_owned(),
        value: value.into(),
        revision: Revision(revision),
    }
}

fn storage(source: impl Into<redb::Error>) -> TransactError {
    TransactError::Storage(source.into().into())
}
