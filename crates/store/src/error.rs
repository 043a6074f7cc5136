//! What can go wrong with a store, in the words of its caller.

use std::path::PathBuf;

use crate::Revision;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the store open.
    #[error(
        "the state in {} is in use by another elbow; stop that one or choose another data directory",
        .file.display()
    )]
    Locked {
        /// The file that holds the state.
        file: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried, such as `create the data directory`.
        action: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// The answer of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The file is not a state file of elbow, or it is damaged.
    #[error(
        "{} cannot be read as a state file; restore it from a copy or move it away to begin empty",
        .file.display()
    )]
    Unreadable {
        /// The file that holds the state.
        file: PathBuf,
        /// What the storage found.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why a read gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The history does not reach back that far.
    #[error(transparent)]
    Compacted(#[from] Compacted),
    /// The revision has not happened.
    #[error("revision {asked} has not happened; the latest is {latest}")]
    Future {
        /// The revision of the request.
        asked: Revision,
        /// The newest revision of the store.
        latest: Revision,
    },
    /// The storage failed.
    #[error("the stored state cannot be read; check the disk of the data directory")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Changes that were asked for are no longer kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the changes after revision {asked} are no longer kept, only those after {oldest}; read the whole \
     state again and go on from the revision of that read"
)]
pub struct Compacted {
    /// The revision of the request.
    pub asked: Revision,
    /// The earliest revision that would have been answered.
    pub oldest: Revision,
}

/// Why a transaction did not happen.
#[derive(Debug, thiserror::Error)]
pub enum TransactError {
    /// A condition does not hold: somebody else changed the key.
    #[error("{key} was changed by somebody else; read it again and repeat the change")]
    Conflict {
        /// The key of the condition.
        key: String,
        /// The revision at which the key was last put; `None` if it does not exist.
        found: Option<Revision>,
    },
    /// The storage failed.
    #[error(
        "the change could not be saved; check free space and health of the data directory's disk"
    )]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
}
