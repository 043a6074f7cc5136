//! Client tokens: a repeated request makes nothing, and a token stands for one request.
//!
//! What a request made may have been changed since, so that it does not say what was asked for. Therefore it keeps a
//! digest of that beside the token.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use model::ec2::{Instance, PrefixList, RouteTable};
use serde::Serialize;

use crate::ec2::Ec2Error;
use crate::record::Table;

/// What a noun keeps of the request that makes it.
pub(crate) struct RequestNote {
    /// `ClientToken`.
    pub(crate) token: Option<String>,
    /// What was asked for: SHA-256, in hexadecimal digits. `None` without a token.
    pub(crate) digest: Option<String>,
}

/// What a token may be.
pub(crate) struct TokenForm {
    characters_max: usize,
    is_ascii: bool,
    /// In a sentence.
    expectation: &'static str,
}

impl TokenForm {
    /// Source: Amazon EC2 Developer Guide, "Ensuring idempotency in Amazon EC2 API requests"; EC2 API, `RunInstances`,
    /// `ClientToken`.
    pub(crate) const USUAL: Self = Self {
        characters_max: 64,
        is_ascii: true,
        expectation: "A token has up to 64 ASCII characters.",
    };
    /// Source: EC2 API, `CreateManagedPrefixList`, `ClientToken`.
    pub(crate) const LONG: Self = Self {
        characters_max: 255,
        is_ascii: false,
        expectation: "A token has up to 255 characters.",
    };

    fn require(&self, token: &str) -> Result<(), Ec2Error> {
        match token.chars().count() <= self.characters_max && (!self.is_ascii || token.is_ascii()) {
            true => Ok(()),
            false => Err(Ec2Error::InvalidValue {
                parameter: "clientToken",
                value: token.to_owned(),
                expectation: self.expectation.to_owned(),
            }),
        }
    }
}

/// A noun that keeps a `RequestNote`.
pub(crate) trait Noted {
    /// The token of the request.
    fn client_token(&self) -> Option<&String>;
    /// The digest; `None` also in what an elbow made that did not note it.
    fn request_digest(&self) -> Option<&String>;
}

macro_rules! noted {
    ($($noun:ident),+) => {
        $(impl Noted for $noun {
            fn client_token(&self) -> Option<&String> {
                self.client_token.as_ref()
            }

            fn request_digest(&self) -> Option<&String> {
                self.request_digest.as_ref()
            }
        })+
    };
}

noted!(Instance, PrefixList, RouteTable);

impl RequestNote {
    /// The note of a request with this token that asks for this.
    ///
    /// # Errors
    /// `InvalidValue` for a token that is not of this form.
    pub(crate) fn new(
        token: Option<&String>,
        form: TokenForm,
        asked: &impl Serialize,
    ) -> Result<Self, Ec2Error> {
        if let Some(token) = token {
            form.require(token)?;
        }
        Ok(Self {
            token: token.cloned(),
            digest: token.map(|_| digest_of(asked)),
        })
    }

    /// What an earlier request with the token made. `is_same` compares it with this request if it has no digest.
    ///
    /// # Errors
    /// `TokenMismatch` if that request asked for something else.
    pub(crate) fn made<'a, K, T: Noted>(
        &self,
        nouns: &'a Table<K, T>,
        is_same: impl FnOnce(&T) -> bool,
    ) -> Result<Option<&'a Arc<T>>, Ec2Error>
    where
        K: Ord + Clone,
    {
        let Some(token) = &self.token else {
            return Ok(None);
        };
        let Some(made) = nouns.values().find(|it| it.client_token() == Some(token)) else {
            return Ok(None);
        };
        let is_repeated = match made.request_digest() {
            Some(noted) => Some(noted) == self.digest.as_ref(),
            None => is_same(made),
        };
        match is_repeated {
            true => Ok(Some(made)),
            false => Err(Ec2Error::TokenMismatch(token.clone())),
        }
    }
}

fn digest_of(asked: &impl Serialize) -> String {
    let asked = serde_json::to_vec(asked).expect("what is stored has a form in JSON");
    let digest = digest(&SHA256, &asked);
    let digits = digest.as_ref().iter();
    digits.map(|byte| format!("{byte:02x}")).collect()
}
