//! Decides about the bearer token of one request.

use std::sync::Arc;
use std::time::SystemTime;

use hyper::Method;

use super::cache::{Found, JwksCache, Slot};
use super::claims;
use super::keyset::{JWKS_BYTES_MAX, KeySet};
use super::settings::Jwt;
use super::token::Token;
use crate::client::{Call, CallError, Client};
use crate::outcome::Reason;

/// What is to be done about a request. A request whose token is good goes on unchanged.
#[derive(Debug)]
pub enum Verdict {
    /// It is decided. A reason has the status, the text for the log and the metric.
    Answer(Result<(), Reason>),
    /// The issuer's keys have to be had first.
    Ask(Box<Fetch>),
}

/// Applies a `jwt-validation` action to a request, of which `authorization` are the values of all
/// `Authorization` fields.
#[must_use]
pub fn validate<'a>(
    jwt: &Arc<Jwt>,
    cache: &JwksCache,
    authorization: impl IntoIterator<Item = &'a [u8]>,
    now: SystemTime,
) -> Verdict {
    let token = match Token::of_request(authorization) {
        Ok(token) => token,
        Err(reason) => return Verdict::Answer(Err(reason)),
    };
    let key_id = match token.key_id() {
        Ok(key_id) => key_id,
        Err(reason) => return Verdict::Answer(Err(reason)),
    };
    let slot = cache.slot(jwt.endpoint().as_str());
    match slot.find(key_id, slot.is_asking(), now) {
        Found::Set(set) => Verdict::Answer(check(&token, key_id, &set, jwt, now)),
        Found::Failed(reason) => Verdict::Answer(Err(reason)),
        Found::Missing => Verdict::Ask(Box::new(Fetch {
            jwt: Arc::clone(jwt),
            slot,
            token: token.text.to_vec(),
            now,
        })),
    }
}

/// What remains to be done for a request: one call to the JWKS endpoint, then the decision.
pub struct Fetch {
    jwt: Arc<Jwt>,
    slot: Arc<Slot>,
    token: Vec<u8>,
    now: SystemTime,
}

impl std::fmt::Debug for Fetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Whoever reads the token can use it.
        f.debug_struct("Fetch")
            .field("endpoint", &self.jwt.endpoint().as_str())
            .finish_non_exhaustive()
    }
}

impl Fetch {
    /// Gets the keys, unless another request has got them meanwhile, and decides. Takes at most two timeouts
    /// of `client`.
    ///
    /// # Errors
    /// If the token is not valid, or the keys cannot be had.
    pub async fn run(self, client: &Client) -> Result<(), Reason> {
        let token = Token::parse(&self.token).ok_or(Reason::JwtInternal)?;
        let key_id = token.key_id()?;
        let _asking = self.slot.asking.lock().await;
        let found = match self.slot.find(key_id, false, self.now) {
            Found::Missing => {
                self.slot.begin(self.now);
                let answer = ask(&self.jwt, client).await;
                self.slot.end(answer, self.now);
                self.slot.find(key_id, false, self.now)
            }
            found => found,
        };
        match found {
            Found::Set(set) => check(&token, key_id, &set, &self.jwt, self.now),
            Found::Failed(reason) => Err(reason),
            // The endpoint was asked a moment ago, so there is a set or a failure.
            Found::Missing => Err(Reason::JwtInternal),
        }
    }
}

async fn ask(jwt: &Jwt, client: &Client) -> Result<KeySet, Reason> {
    let call = Call {
        endpoint: jwt.endpoint(),
        method: Method::GET,
        headers: Vec::new(),
        body: String::new(),
        response_max: JWKS_BYTES_MAX,
    };
    let reply = client.call(call).await.map_err(|error| match error {
        CallError::Timeout | CallError::Unreachable => Reason::JwksRequestTimeout,
        CallError::TooLarge => Reason::JwksSizeExceeded,
    })?;
    if !reply.status.is_success() {
        return Err(Reason::JwksRequestFailed);
    }
    KeySet::read(&reply.body)
}

fn check(
    token: &Token<'_>,
    key_id: &str,
    set: &KeySet,
    jwt: &Jwt,
    now: SystemTime,
) -> Result<(), Reason> {
    if !set.is_signed(key_id, token.signed, &token.signature) {
        return Err(Reason::JwtSignatureInvalid);
    }
    claims::check(&token.claims, jwt.settings(), now)
}
