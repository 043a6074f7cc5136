//! Secrets in the store: sealed under one key that is kept beside the store and never in it.
//!
//! Whoever has a copy of the store alone cannot read a private key. A sealed text is bound to what it
//! belongs to, so that one record's secret put into another record does not open.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::secret::SealedSecret;

/// Bytes of a secret key.
pub const SECRET_KEY_BYTES: usize = 32;

/// Bytes of the nonce in front of what is sealed.
const NONCE_BYTES: usize = 12;

/// Seals and opens the secrets in the store, and signs what clients bring back.
pub struct SecretKey {
    /// AES-256-GCM, NIST SP 800-38D.
    sealing: RandomizedNonceKey,
    /// HMAC-SHA256, RFC 2104, with a key of its own.
    signing: hmac::Key,
}

/// A sealed secret does not open: it was sealed under another key, or was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the secret of {owner} cannot be opened; the secret key in the data directory is not the one that the \
     state was stored with"
)]
pub struct SealedError {
    /// What the secret belongs to.
    pub owner: String,
}

impl SecretKey {
    /// The key with these bytes, which nobody else may know.
    ///
    /// # Panics
    /// Never: every value of this length is a key.
    #[must_use]
    pub fn new(bytes: &[u8; SECRET_KEY_BYTES]) -> Self {
        // One key for two purposes: the second is derived from the first and tells nothing about it.
        let root = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let signing = hmac::sign(&root, b"elbow download signing");
        Self {
            sealing: RandomizedNonceKey::new(&AES_256_GCM, bytes)
                .expect("the length is that of a key"),
            signing: hmac::Key::new(hmac::HMAC_SHA256, signing.as_ref()),
        }
    }

    /// A text that only `open` with the same key and owner reads.
    ///
    /// # Panics
    /// If the operating system gives no random numbers.
    #[must_use]
    pub fn seal(&self, owner: &str, secret: &str) -> SealedSecret {
        let mut sealed = secret.as_bytes().to_vec();
        let nonce = self
            .sealing
            .seal_in_place_append_tag(Aad::from(owner.as_bytes()), &mut sealed)
            .expect("there are random numbers");
        let sealed = [nonce.as_ref().as_slice(), &sealed].concat();
        STANDARD.encode(sealed).into()
    }

    /// What was sealed.
    ///
    /// # Errors
    /// `SealedError` if it was sealed under another key or for another owner, or was changed.
    pub fn open(&self, owner: &str, sealed: &SealedSecret) -> Result<String, SealedError> {
        let open = || {
            let bytes = STANDARD.decode(sealed.as_str()).ok()?;
            let (nonce, rest) = bytes.split_at_checked(NONCE_BYTES)?;
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut rest = rest.to_vec();
            let opened = self
                .sealing
                .open_in_place(nonce, Aad::from(owner.as_bytes()), &mut rest);
            String::from_utf8(opened.ok()?.to_vec()).ok()
        };
        open().ok_or_else(|| SealedError {
            owner: owner.to_owned(),
        })
    }

    /// What proves that this key's owner wrote `text`, in hexadecimal digits.
    pub(crate) fn sign(&self, text: &str) -> String {
        let tag = hmac::sign(&self.signing, text.as_bytes());
        tag.as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Whether `signature` is what [`Self::sign`] makes of `text`, in a time that does not tell where they differ.
    pub(crate) fn has_signed(&self, text: &str, signature: &str) -> bool {
        let same = self.sign(text);
        verify_slices_are_equal(same.as_bytes(), signature.as_bytes()).is_ok()
    }
}

impl fmt::Debug for SecretKey {
    // The key stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_with_its_key_and_for_its_owner() {
        let key = SecretKey::new(&[1; SECRET_KEY_BYTES]);
        let sealed = key.seal("a", "private");
        assert_eq!(key.open("a", &sealed).unwrap(), "private");
        assert_ne!(key.seal("a", "private"), sealed, "each nonce is another");
        assert!(!sealed.as_str().contains("private"));
        let other = SecretKey::new(&[2; SECRET_KEY_BYTES]);
        assert!(other.open("a", &sealed).is_err(), "another key");
        assert!(key.open("b", &sealed).is_err(), "another owner");
        let mut changed = STANDARD.decode(sealed.as_str()).unwrap();
        *changed.last_mut().unwrap() ^= 1;
        let changed = STANDARD.encode(changed).into();
        assert!(key.open("a", &changed).is_err(), "changed");
        for text in ["", "x", "AAAA"] {
            let sealed = text.to_owned().into();
            assert!(key.open("a", &sealed).is_err(), "{text:?}");
        }
    }
}
