//! The keys of logins: made at the first start and kept, so that sessions outlive restarts and targets go on
//! to trust what is signed.

use std::io;
use std::path::PathBuf;

use auth::{Keys, KeysError};
use serde::{Deserialize, Serialize};

use crate::config::directory::{DataDirectory, DirectoryError};

const FILE: &str = "login-keys";

/// The keys cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginKeysError {
    #[error("the login keys {path} cannot be read; run this as the user who ran it before")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "the login keys {path} are damaged; restore the file, or remove it to have everybody log in anew"
    )]
    Damaged {
        path: PathBuf,
        #[source]
        source: toml::de::Error,
    },
    #[error(
        "the login keys {path} are no keys; restore the file, or remove it to have everybody log in anew"
    )]
    Keys {
        path: PathBuf,
        #[source]
        source: KeysError,
    },
    #[error(transparent)]
    Write(#[from] DirectoryError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    bytes: Vec<u8>,
}

/// The keys in `directory`; made now if there are none.
///
/// # Errors
/// They cannot be read, or new ones cannot be written.
pub(crate) fn load_or_create(directory: &DataDirectory) -> Result<Keys, LoginKeysError> {
    let path = directory.file(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return create(directory),
        Err(source) => return Err(LoginKeysError::Read { path, source }),
    };
    match toml::from_str::<Stored>(&text) {
        Ok(stored) => {
            Keys::from_bytes(&stored.bytes).map_err(|source| LoginKeysError::Keys { path, source })
        }
        Err(source) => Err(LoginKeysError::Damaged { path, source }),
    }
}

fn create(directory: &DataDirectory) -> Result<Keys, LoginKeysError> {
    let keys = Keys::generate();
    let stored = Stored {
        bytes: keys.to_bytes(),
    };
    let text = toml::to_string(&stored).expect("a list of numbers is TOML");
    directory.write_private(FILE, &text)?;
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_damaged_ones_are_not_replaced() {
        let path = std::env::temp_dir().join(format!("elbow-login-keys-{}", std::process::id()));
        let directory = DataDirectory::at(path.clone());
        directory.create().unwrap();
        let made = load_or_create(&directory).unwrap();
        let again = load_or_create(&directory).unwrap();
        assert_eq!(made.to_bytes(), again.to_bytes(), "made once");
        std::fs::write(directory.file(FILE), "bytes = [1]").unwrap();
        let damaged = load_or_create(&directory);
        assert!(matches!(damaged, Err(LoginKeysError::Keys { .. })));
        std::fs::write(directory.file(FILE), "nothing").unwrap();
        let damaged = load_or_create(&directory);
        assert!(matches!(damaged, Err(LoginKeysError::Damaged { .. })));
        std::fs::remove_dir_all(path).unwrap();
    }
}
