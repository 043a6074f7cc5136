//! The key that private keys are sealed under in the store: made at the first start, kept beside the store
//! and readable by its owner alone.

use std::io;
use std::path::PathBuf;

use control::{SECRET_KEY_BYTES, SecretKey};

use crate::config::directory::{DataDirectory, DirectoryError};

const FILE: &str = "secret-key";

/// The secret key cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretKeyError {
    #[error("the secret key {path} cannot be read; run this as the user who owns it")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "the secret key {0} is damaged; put back the file that belongs to this data directory: without it no \
         private key in the state can be read"
    )]
    Damaged(PathBuf),
    #[error("the operating system gives no random numbers to make a secret key from")]
    Random,
    #[error(transparent)]
    Write(#[from] DirectoryError),
}

/// The key in `directory`; made now if there is none.
///
/// # Errors
/// It cannot be read, or a new one cannot be written.
pub(crate) fn load_or_create(directory: &DataDirectory) -> Result<SecretKey, SecretKeyError> {
    let path = directory.file(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => match parse(text.trim_end()) {
            Some(bytes) => Ok(SecretKey::new(&bytes)),
            None => Err(SecretKeyError::Damaged(path)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut bytes = [0; SECRET_KEY_BYTES];
            aws_lc_rs::rand::fill(&mut bytes).map_err(|_| SecretKeyError::Random)?;
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            directory.write_private(FILE, &format!("{digits}\n"))?;
            Ok(SecretKey::new(&bytes))
        }
        Err(source) => Err(SecretKeyError::Read { path, source }),
    }
}

/// Two hexadecimal digits for each byte.
fn parse(text: &str) -> Option<[u8; SECRET_KEY_BYTES]> {
    let is_key = text.len() == 2 * SECRET_KEY_BYTES && text.bytes().all(|b| b.is_ascii_hexdigit());
    let mut bytes = [0; SECRET_KEY_BYTES];
    for (at, byte) in bytes.iter_mut().enumerate().take_while(|_| is_key) {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    is_key.then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_a_damaged_one_is_not_replaced() {
        let path = std::env::temp_dir().join(format!("elbow-secret-{}", std::process::id()));
        let directory = DataDirectory::at(path.clone());
        directory.create().unwrap();
        let sealed = load_or_create(&directory).unwrap().seal("a", "private");
        let again = load_or_create(&directory).unwrap();
        assert_eq!(again.open("a", &sealed).unwrap(), "private", "the same key");
        for damage in ["", "00", &"g".repeat(64), &"é".repeat(32)] {
            std::fs::write(directory.file(FILE), damage).unwrap();
            assert!(matches!(
                load_or_create(&directory),
                Err(SecretKeyError::Damaged(_))
            ));
        }
        std::fs::remove_dir_all(path).unwrap();
    }
}
