//! What identity providers answer, read strictly.
//!
//! The signature of the ID token is not checked. The token came straight from the token endpoint over TLS,
//! whose certificate says who sent it, and in this case OpenID Connect Core 1.0 section 3.1.3.7 item 6 lets
//! TLS stand in for the signature. There is no JWKS endpoint among the settings to check it with, either.
//! What is checked is that the token is for us: issuer, audience, authorized party, time, and the nonce if
//! the settings ask for one.

use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::authentication::Oidc;
use serde_json::{Map, Value};

use crate::clock::seconds;
use crate::json;
use crate::outcome::Reason;

/// Largest response of a token or user info endpoint, in bytes. What is over it is over what a session
/// holds in any case.
pub const RESPONSE_MAX: usize = 64 * 1024;

/// The answer of a token endpoint. Source: RFC 6749 section 5.1, OpenID Connect Core 1.0 section 3.1.3.3.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Tokens {
    pub(super) access_token: String,
    /// When the access token expires, in seconds since 1970.
    pub(super) expires: Option<u64>,
    pub(super) refresh_token: Option<String>,
    pub(super) id_token: Option<String>,
}

impl Tokens {
    pub(super) fn read(body: &[u8], now: SystemTime) -> Result<Self, Reason> {
        let invalid = Reason::AuthInvalidTokenResponse;
        let members = json::object(body).ok_or(invalid)?;
        let text = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if is_token(text) => Ok(Some(text.clone())),
            Some(_) => Err(invalid),
        };
        if text("token_type")?.is_some_and(|it| !it.eq_ignore_ascii_case("bearer")) {
            return Err(invalid);
        }
        Ok(Self {
            access_token: text("access_token")?.ok_or(invalid)?,
            expires: life(members.get("expires_in"))?.map(|life| seconds(now).saturating_add(life)),
            refresh_token: text("refresh_token")?,
            id_token: text("id_token")?,
        })
    }
}

/// Visible ASCII (RFC 6749 appendix A.12), which is safe in a header field.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// A number of seconds; some providers write it as text.
fn life(value: Option<&Value>) -> Result<Option<u64>, Reason> {
    let life = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    life.map(Some).ok_or(Reason::AuthInvalidTokenResponse)
}

/// Whether a token endpoint's error says that the code or the refresh token is no good.
/// Source: RFC 6749 section 5.2.
pub(super) fn is_invalid_grant(body: &[u8]) -> bool {
    let members = json::object(body).unwrap_or_default();
    members.get("error").and_then(Value::as_str) == Some("invalid_grant")
}

/// Checks an ID token and gives its subject. Source: OpenID Connect Core 1.0 section 3.1.3.7.
pub(super) fn check_id_token(
    token: &str,
    settings: &Oidc,
    now: SystemTime,
) -> Result<String, Reason> {
    subject_of(token, settings, now).ok_or(Reason::AuthInvalidIdToken)
}

fn subject_of(token: &str, settings: &Oidc, now: SystemTime) -> Option<String> {
    let claims = payload(token)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let expires = claims.get("exp")?.as_f64()?;
    let is_for_us = match claims.get("aud")? {
        Value::String(audience) => *audience == settings.client_id,
        // Who is one of several must also be the one that asked.
        Value::Array(audiences) => {
            let is_named = audiences.iter().any(|it| *it == *settings.client_id);
            is_named && (audiences.len() == 1 || text("azp").is_some())
        }
        _ => false,
    };
    let is_authorized = claims
        .get("azp")
        .is_none_or(|party| *party == *settings.client_id);
    let nonce = settings
        .extra_params
        .iter()
        .find(|(name, _)| name == "nonce");
    let is_nonce_same = nonce.is_none_or(|(_, nonce)| text("nonce") == Some(nonce));
    let is_valid = text("iss") == Some(&settings.issuer)
        && is_for_us
        && is_authorized
        && is_nonce_same
        && expires > seconds(now) as f64;
    let subject = text("sub").filter(|it| !it.is_empty())?;
    is_valid.then(|| subject.to_owned())
}

fn payload(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let decode = |part: &str| json::object(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?);
    decode(header)?;
    if parts.next().is_some() {
        return None;
    }
    decode(payload)
}

/// The subject and the claims of a user info response.
///
/// The claims are an object in JSON without `exp` and `iss`, which are ours to say.
/// Source: OpenID Connect Core 1.0 sections 5.3.2 and 5.3.4: `sub` has to be there, and to be that of the ID
/// token, or the response is about someone else.
pub(super) fn read_user_info(body: &[u8], subject: &str) -> Result<String, Reason> {
    let invalid = Reason::AuthInvalidUserInfoResponse;
    let mut claims = json::object(body).ok_or(invalid)?;
    // The subject becomes a header field.
    let is_same = claims.get("sub").and_then(Value::as_str) == Some(subject);
    if !is_same || subject.bytes().any(|b| b.is_ascii_control()) {
        return Err(invalid);
    }
    claims.remove("exp");
    claims.remove("iss");
    Ok(Value::Object(claims).to_string())
}
