//! Access keys beside the root key: who may call the API, and what they may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::secret::SealedSecret;
use crate::text_enum;

/// Base 32 of RFC 4648 section 6, which AWS's access key ids are written in.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Base 64 of RFC 4648 section 4, which AWS's secret keys are written in.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

text_enum! {
    /// What the holder of a key may do.
    pub enum Access {
        /// Everything but to make and to revoke keys.
        Full = "full",
        /// To describe, list and get what is no secret.
        ReadOnly = "read-only",
    }
}

/// An access key. Each is a user of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// Its id: `AKIA` and 16 more characters.
    pub id: String,
    /// The user that it is the key of; no other key has the name.
    pub user_name: UserName,
    /// What its holder may do.
    pub access: Access,
    /// Its secret, sealed for the id.
    pub sealed_secret: SealedSecret,
    /// When it was made, in milliseconds since 1970.
    pub created_at_millis: u64,
}

impl AccessKey {
    /// The id of the user as AWS forms them: `AIDA` and 16 more characters.
    ///
    /// Source: IAM User Guide, "IAM identifiers", "Unique identifiers".
    #[must_use]
    pub fn user_id(&self) -> String {
        format!("AIDA{}", self.id.get(4..).unwrap_or_default())
    }
}

/// The name of a user: 1 to 64 letters, digits and `_+=,.@-`.
///
/// Source: IAM API, `CreateUser`, `UserName`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserName(String);

/// The text cannot name a user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' cannot name a user; use 1 to 64 letters, digits and any of _+=,.@-")]
pub struct InvalidUserName(pub String);

impl FromStr for UserName {
    type Err = InvalidUserName;

    fn from_str(text: &str) -> Result<Self, InvalidUserName> {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
        match (1..=64).contains(&text.len()) && text.bytes().all(is_allowed) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidUserName(text.to_owned())),
        }
    }
}

impl TryFrom<String> for UserName {
    type Error = InvalidUserName;

    fn try_from(text: String) -> Result<Self, InvalidUserName> {
        text.parse()
    }
}

impl From<UserName> for String {
    fn from(name: UserName) -> Self {
        name.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Random bytes that a key is made of.
pub const ACCESS_KEY_DRAWS: usize = 56;

/// The id and the secret of a new key: 80 bits in the id, 240 in the secret.
#[must_use]
pub fn spell(draws: &[u8; ACCESS_KEY_DRAWS]) -> (String, String) {
    // The length of both alphabets divides 256, so all letters are as likely.
    let spell = |draws: &[u8], alphabet: &[u8]| -> String {
        let letter = |draw: &u8| char::from(alphabet[usize::from(*draw) % alphabet.len()]);
        draws.iter().map(letter).collect()
    };
    let (id, secret) = draws.split_at(16);
    (format!("AKIA{}", spell(id, BASE32)), spell(secret, BASE64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_form_of_an_aws_key() {
        let (id, secret) = spell(&[255; ACCESS_KEY_DRAWS]);
        assert_eq!(id, "AKIA7777777777777777");
        assert_eq!(secret, "/".repeat(40));
        assert_ne!(spell(&[0; ACCESS_KEY_DRAWS]), (id, secret));
    }

    #[test]
    fn users_have_the_names_that_iam_allows() {
        for text in ["a", "ci", "Deploy_1+=,.@-", &"x".repeat(64)] {
            assert_eq!(text.parse::<UserName>().unwrap().to_string(), text);
        }
        for text in ["", "a b", "a/b", "ä", "a\n", &"x".repeat(65)] {
            assert_eq!(
                text.parse::<UserName>(),
                Err(InvalidUserName(text.to_owned()))
            );
        }
    }
}
