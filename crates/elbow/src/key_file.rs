//! The keys in the data directory: each is made at the first start and kept in a file that its owner alone may
//! read, so that what it sealed or signed stays good over restarts.

use std::io;
use std::path::PathBuf;

use auth::Keys;
use control::{Clock, LocalAuthority, SECRET_KEY_BYTES, SecretKey, SystemClock};
use proxy::CookieKey;
use serde::Deserialize;

use crate::config::directory::{DataDirectory, DirectoryError};

/// A file that holds a `Key`.
pub(crate) struct KeyFile<Key> {
    name: &'static str,
    /// What it holds, in a sentence.
    noun: &'static str,
    /// What to do when it is damaged.
    remedy: &'static str,
    /// The bytes of a new key; `None`: there are no random numbers.
    make: fn() -> Option<Vec<u8>>,
    /// The key with these bytes, if they are those of one.
    read: fn(&[u8]) -> Option<Key>,
}

/// Seals stickiness cookies.
pub(crate) const COOKIE_KEY: KeyFile<CookieKey> = KeyFile {
    name: "cookie-key",
    noun: "the cookie key",
    remedy: "remove it to have a new key made at the next start, after which sticky clients are given a target \
             anew",
    make: random::<{ CookieKey::BYTES }>,
    read: |bytes| Some(CookieKey::new(bytes.try_into().ok()?)),
};

/// Seals the secrets in the store.
pub(crate) const SECRET_KEY: KeyFile<SecretKey> = KeyFile {
    name: "secret-key",
    noun: "the secret key",
    remedy: "put back the file that belongs to this data directory: without it no private key and no client \
             secret in the state can be read",
    make: random::<SECRET_KEY_BYTES>,
    read: |bytes| Some(SecretKey::new(bytes.try_into().ok()?)),
};

/// Seals sessions and signs for the claims of users.
pub(crate) const LOGIN_KEYS: KeyFile<Keys> = KeyFile {
    name: "login-keys",
    noun: "the login keys",
    remedy: "restore it, or remove it to have everybody log in anew",
    make: || Some(Keys::generate().to_bytes()),
    read: |bytes| Keys::from_bytes(bytes).ok(),
};

/// Signs the certificates that are requested.
pub(crate) const LOCAL_AUTHORITY: KeyFile<LocalAuthority> = KeyFile {
    name: "local-authority",
    noun: "the local certificate authority",
    remedy: "restore it, or remove it to have a new one made at the next start, which clients then have to trust",
    make: || {
        let made = LocalAuthority::generate(SystemClock.now_millis()).ok()?;
        Some(made.1.into_bytes())
    },
    read: |bytes| LocalAuthority::from_pem(std::str::from_utf8(bytes).ok()?).ok(),
};

/// A key cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFileError {
    #[error("the file {path} with {noun} cannot be read; run this as the user who owns it")]
    Read {
        noun: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the file {path} with {noun} is damaged; {remedy}")]
    Damaged {
        noun: &'static str,
        path: PathBuf,
        remedy: &'static str,
    },
    #[error("the operating system gives no random numbers to make {0} from")]
    Random(&'static str),
    #[error(transparent)]
    Write(#[from] DirectoryError),
}

impl<Key> KeyFile<Key> {
    /// The key in `directory`; made now if there is none.
    ///
    /// # Errors
    /// It cannot be read, or a new one cannot be written.
    pub(crate) fn load_or_create(&self, directory: &DataDirectory) -> Result<Key, KeyFileError> {
        if let Some(key) = self.load(directory)? {
            return Ok(key);
        }
        let bytes = (self.make)().ok_or(KeyFileError::Random(self.noun))?;
        directory.write_private(self.name, &print(&bytes))?;
        Ok((self.read)(&bytes).expect("what was made is a key"))
    }

    /// The key in `directory`, if one has been made.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn load(&self, directory: &DataDirectory) -> Result<Option<Key>, KeyFileError> {
        let (noun, path) = (self.noun, directory.file(self.name));
        match std::fs::read(&path) {
            Ok(text) => {
                let key = parse(&text).and_then(|bytes| (self.read)(&bytes));
                let remedy = self.remedy;
                let damaged = KeyFileError::Damaged { noun, path, remedy };
                key.ok_or(damaged).map(Some)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(KeyFileError::Read { noun, path, source }),
        }
    }
}

fn random<const BYTES: usize>() -> Option<Vec<u8>> {
    let mut bytes = [0; BYTES];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(bytes.to_vec())
}

/// Two hexadecimal digits for each byte.
fn print(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}\n")
}

/// What `print` has written, or the TOML that cookie keys and login keys were written in before.
fn parse(text: &[u8]) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Toml {
        bytes: Vec<u8>,
    }
    let text = std::str::from_utf8(text).ok()?.trim_end();
    if let Ok(toml) = toml::from_str::<Toml>(text) {
        return Some(toml.bytes);
    }
    let is_hexadecimal =
        text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit());
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).ok();
    let bytes = (0..text.len()).step_by(2).map(byte);
    is_hexadecimal.then(|| bytes.collect())?
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn in_directory(name: &str, check: impl FnOnce(&DataDirectory)) {
        let path = std::env::temp_dir().join(format!("elbow-{name}-{}", std::process::id()));
        let directory = DataDirectory::at(path.clone());
        directory.create().unwrap();
        check(&directory);
        std::fs::remove_dir_all(path).unwrap();
    }

    /// `is_same` compares two keys by what they do.
    fn check<Key>(file: &KeyFile<Key>, is_same: fn(&Key, &Key) -> bool) {
        in_directory(file.name, |directory| {
            let path = directory.file(file.name);
            let made = file.load_or_create(directory).unwrap();
            let text = std::fs::read(&path).unwrap();
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "only the owner may read it");
            assert!(is_same(&made, &file.load_or_create(directory).unwrap()));
            assert_eq!(std::fs::read(&path).unwrap(), text, "made once");
            let toml = format!("bytes = {:?}\n", parse(&text).unwrap());
            std::fs::write(&path, &toml).unwrap();
            let kept = file.load_or_create(directory).unwrap();
            assert!(is_same(&made, &kept), "the form of before");
            assert_eq!(std::fs::read(&path).unwrap(), toml.as_bytes());
            let digits = ["00".to_owned(), "0".repeat(63), "g".repeat(64)];
            let texts = digits.iter().map(String::as_str);
            let damages = ["", "bytes = [1]", "nothing", "é"].into_iter().chain(texts);
            for damage in damages.map(str::as_bytes).chain([&[0xff; 32][..]]) {
                std::fs::write(&path, damage).unwrap();
                let refused = file.load_or_create(directory);
                let Err(KeyFileError::Damaged { remedy, .. }) = refused else {
                    panic!("{} takes {damage:?}", file.name);
                };
                assert_eq!(remedy, file.remedy);
                assert_eq!(std::fs::read(&path).unwrap(), damage, "it is not replaced");
            }
        });
    }

    #[test]
    fn keys_are_made_once_and_damaged_ones_are_not_replaced() {
        check(&COOKIE_KEY, |a, b| a == b);
        check(&SECRET_KEY, |a, b| {
            b.open("a", &a.seal("a", "private")).as_deref() == Ok("private")
        });
        check(&LOGIN_KEYS, |a, b| a.to_bytes() == b.to_bytes());
        check(&LOCAL_AUTHORITY, |a, b| {
            a.certificate_pem() == b.certificate_pem()
        });
    }
}
