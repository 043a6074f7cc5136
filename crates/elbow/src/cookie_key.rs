//! The key of stickiness cookies: made at the first start and kept, so that clients stay with their targets
//! over restarts.

use std::io;
use std::path::PathBuf;

use proxy::CookieKey;
use serde::{Deserialize, Serialize};

use crate::config::directory::{DataDirectory, DirectoryError};

const FILE: &str = "cookie-key";

/// The key cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CookieKeyError {
    #[error("the cookie key {path} cannot be read; run this as the user who ran it before")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "the cookie key {path} is damaged; remove the file to have a new key made at the next start, \
         after which sticky clients are given a target anew"
    )]
    Damaged {
        path: PathBuf,
        #[source]
        source: toml::de::Error,
    },
    #[error("the operating system gives no random numbers to make a cookie key from")]
    Random,
    #[error(transparent)]
    Write(#[from] DirectoryError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    bytes: [u8; CookieKey::BYTES],
}

/// The key in `directory`; made now if there is none.
///
/// # Errors
/// It cannot be read, or a new one cannot be written.
pub(crate) fn load_or_create(directory: &DataDirectory) -> Result<CookieKey, CookieKeyError> {
    let path = directory.file(FILE);
    let stored = match std::fs::read_to_string(&path) {
        Ok(text) => {
            toml::from_str(&text).map_err(|source| CookieKeyError::Damaged { path, source })?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(directory)?,
        Err(source) => return Err(CookieKeyError::Read { path, source }),
    };
    Ok(CookieKey::new(stored.bytes))
}

fn create(directory: &DataDirectory) -> Result<Stored, CookieKeyError> {
    let mut bytes = [0; CookieKey::BYTES];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| CookieKeyError::Random)?;
    let stored = Stored { bytes };
    let text = toml::to_string(&stored).expect("a list of numbers is TOML");
    directory.write_private(FILE, &text)?;
    Ok(stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_a_damaged_one_is_not_replaced() {
        let path = std::env::temp_dir().join(format!("elbow-cookie-key-{}", std::process::id()));
        let directory = DataDirectory::at(path.clone());
        directory.create().unwrap();
        load_or_create(&directory).unwrap();
        let made = std::fs::read(directory.file(FILE)).unwrap();
        load_or_create(&directory).unwrap();
        assert_eq!(
            std::fs::read(directory.file(FILE)).unwrap(),
            made,
            "made once"
        );
        std::fs::write(directory.file(FILE), "bytes = [1]").unwrap();
        assert!(matches!(
            load_or_create(&directory),
            Err(CookieKeyError::Damaged { .. })
        ));
        std::fs::remove_dir_all(path).unwrap();
    }
}
