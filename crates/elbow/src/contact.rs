//! What a running `elbow serve` leaves in its data directory for the client commands: where it is.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::directory::{DataDirectory, DirectoryError};
use crate::credentials::{KeyError, RootKey};

const FILE: &str = "endpoint";

/// How to reach an elbow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    /// Where it listens; a connection can be made to it.
    pub(crate) address: SocketAddr,
    /// The Region it is.
    pub(crate) region: String,
}

/// Everything a client needs.
#[derive(Debug)]
pub(crate) struct Contact {
    /// Where the elbow is.
    pub(crate) endpoint: Endpoint,
    /// Its root key.
    pub(crate) key: RootKey,
}

/// It is not known where the elbow of a data directory is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContactError {
    #[error("no elbow has served with the data directory {0}; start `elbow serve` first")]
    Missing(PathBuf),
    #[error("{path} cannot be read; run this as the user who runs `elbow serve`")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} is damaged; start `elbow serve` again to have it written anew")]
    Damaged {
        path: PathBuf,
        #[source]
        source: toml::de::Error,
    },
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Endpoint {
    /// The URL for `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Leaves the endpoint where `Contact::find` looks for it.
    ///
    /// # Errors
    /// The file system refuses.
    pub(crate) fn publish(&self, directory: &DataDirectory) -> Result<(), DirectoryError> {
        let text = toml::to_string(self).expect("an address and a name are TOML");
        directory.write_private(FILE, &text)
    }
}

impl Contact {
    /// The elbow that served last with `directory`.
    ///
    /// # Errors
    /// None did, or this user may not know.
    pub(crate) fn find(directory: &DataDirectory) -> Result<Self, ContactError> {
        let key = RootKey::load(directory)?;
        let path = directory.file(FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ContactError::Missing(directory.path().to_owned()),
            _ => ContactError::Read {
                path: path.clone(),
                source,
            },
        })?;
        let endpoint =
            toml::from_str(&text).map_err(|source| ContactError::Damaged { path, source })?;
        Ok(Self { endpoint, key })
    }
}
