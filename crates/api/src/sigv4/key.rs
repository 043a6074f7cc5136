//! Access keys, and the chain of hashes from a secret to a signature.

use std::fmt;

use aws_lc_rs::hmac;

use super::TERMINATOR;
use super::authorization::Credential;

/// An access key with its secret.
#[derive(Clone)]
pub struct AccessKey {
    id: String,
    secret: String,
}

impl AccessKey {
    /// A key with its id and its secret.
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: secret.into(),
        }
    }

    /// The public part.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether `signature` is that of `string_to_sign`; takes the same time wherever they differ.
    pub(super) fn signed(
        &self,
        credential: &Credential,
        string_to_sign: &str,
        signature: &[u8],
    ) -> bool {
        let scope = [
            credential.date.as_str(),
            &credential.region,
            &credential.service,
            TERMINATOR,
        ];
        let first = hmac_key(format!("AWS4{}", self.secret).as_bytes());
        let signing_key = scope.iter().fold(first, |key, part| {
            hmac_key(hmac::sign(&key, part.as_bytes()).as_ref())
        });
        hmac::verify(&signing_key, string_to_sign.as_bytes(), signature).is_ok()
    }
}

impl fmt::Debug for AccessKey {
    /// Leaves the secret out, so that it reaches no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKey({})", self.id)
    }
}

fn hmac_key(bytes: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, bytes)
}
