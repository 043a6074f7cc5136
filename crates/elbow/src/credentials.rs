//! The root access key: made at the first start, kept in the data directory, readable by its owner alone.

use std::io;
use std::path::PathBuf;

use model::access_key::{ACCESS_KEY_DRAWS, spell};
use serde::{Deserialize, Serialize};

use crate::config::directory::{DataDirectory, DirectoryError};

const FILE: &str = "credentials";

/// An access key that may do everything.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RootKey {
    /// `AKIA` and 16 more characters.
    pub(crate) access_key_id: String,
    /// 40 characters.
    pub(crate) secret_access_key: String,
}

/// The root key cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error(
        "there is no root key in {0}: start `elbow serve` with this data directory first, or name the \
         right one with --data-dir"
    )]
    Missing(PathBuf),
    #[error("the root key {path} cannot be read; run this as the user who runs `elbow serve`")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "the root key {path} is damaged; remove the file to have a new key made at the next start"
    )]
    Damaged {
        path: PathBuf,
        #[source]
        source: toml::de::Error,
    },
    #[error("the operating system gives no random numbers to make a root key from")]
    Random,
    #[error(transparent)]
    Write(#[from] DirectoryError),
}

impl RootKey {
    /// The key in `directory`; made now if there is none.
    ///
    /// # Errors
    /// It cannot be read, or a new one cannot be written.
    pub(crate) fn load_or_create(directory: &DataDirectory) -> Result<Self, KeyError> {
        match Self::load(directory) {
            Err(KeyError::Missing(_)) => {
                let key = Self::random()?;
                let text = toml::to_string(&key).expect("two strings are TOML");
                directory.write_private(FILE, &text)?;
                Ok(key)
            }
            other => other,
        }
    }

    /// The key in `directory`.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub(crate) fn load(directory: &DataDirectory) -> Result<Self, KeyError> {
        let path = directory.file(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|source| KeyError::Damaged { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(KeyError::Missing(directory.path().to_owned()))
            }
            Err(source) => Err(KeyError::Read { path, source }),
        }
    }

    /// A key that nobody can guess.
    fn random() -> Result<Self, KeyError> {
        let mut draws = [0; ACCESS_KEY_DRAWS];
        aws_lc_rs::rand::fill(&mut draws).map_err(|_| KeyError::Random)?;
        let (access_key_id, secret_access_key) = spell(&draws);
        Ok(Self {
            access_key_id,
            secret_access_key,
        })
    }
}

impl std::fmt::Debug for RootKey {
    /// Leaves the secret out, so that it reaches no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RootKey({})", self.access_key_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_has_the_form_of_an_aws_key() {
        let path = std::env::temp_dir().join(format!("elbow-key-{}", std::process::id()));
        let directory = DataDirectory::at(path.clone());
        directory.create().unwrap();
        assert!(matches!(
            RootKey::load(&directory),
            Err(KeyError::Missing(_))
        ));
        let key = RootKey::load_or_create(&directory).unwrap();
        assert_eq!(
            RootKey::load_or_create(&directory).unwrap(),
            key,
            "made once"
        );
        assert_eq!(key.access_key_id.len(), 20);
        assert!(key.access_key_id.starts_with("AKIA"));
        assert_eq!(key.secret_access_key.len(), 40);
        assert_ne!(RootKey::random().unwrap(), key, "every key is another");
        assert!(!format!("{key:?}").contains(&key.secret_access_key));
        std::fs::write(directory.file(FILE), "damaged").unwrap();
        assert!(matches!(
            RootKey::load_or_create(&directory),
            Err(KeyError::Damaged { .. })
        ));
        std::fs::remove_dir_all(path).unwrap();
    }
}
