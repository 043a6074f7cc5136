//! Checks Signature Version 4: that a request was made by the holder of a key, is recent, and has not
//! been changed on its way.
//!
//! Everything here is a function of its arguments; the time of day is one of them. The steps stand in
//! files of their own: what the request claims, in `authorization`; its `canonical` form; and the keys,
//! in `key`.
//! Source: IAM User Guide, "Create a signed AWS API request" and "Authenticating requests: query parameters".

mod authorization;
mod canonical;
mod date;
mod error;
mod key;

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use hyper::HeaderMap;
use time::OffsetDateTime;

pub use authorization::{Claim, Credential};
pub use error::SignatureError;
pub use key::AccessKey;

use canonical::hex;

/// How far the clock of a caller may be from ours, either way.
pub const SKEW_MAX: Duration = Duration::from_secs(15 * 60);
/// The longest life of a presigned URL, `X-Amz-Expires`: one week. The shortest is one second.
pub const PRESIGNED_LIFE_MAX: Duration = Duration::from_secs(604_800);

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";
const UNSIGNED_PAYLOAD: &[u8] = b"UNSIGNED-PAYLOAD";

/// What of a request is signed.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method as it was sent.
    pub method: &'a str,
    /// The path as it was sent, with its escapes.
    pub path: &'a str,
    /// What follows the `?` as it was sent; empty if there is none.
    pub query: &'a str,
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// What came as `head` and `body`.
    pub(crate) fn of(head: &'a hyper::http::request::Parts, body: &'a [u8]) -> Self {
        Self {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query().unwrap_or(""),
            headers: &head.headers,
            body,
        }
    }
}

/// Reads what a request claims about who signed it, for which service and when. Nothing is verified yet.
///
/// # Errors
/// [`SignatureError`] of the codes `MissingAuthenticationToken` and `IncompleteSignature`.
pub fn claim(request: &Request<'_>) -> Result<Claim, SignatureError> {
    Claim::read(request)
}

/// Verifies that a request was signed with `key`, which is the one that its claim names, if there is such a key.
///
/// `region` is the Region that the scope of the signature has to name, `now` the time of day.
///
/// # Errors
/// [`SignatureError`] says which of the steps failed.
pub fn verify(
    claim: &Claim,
    request: &Request<'_>,
    region: &str,
    key: Option<&AccessKey>,
    now: OffsetDateTime,
) -> Result<(), SignatureError> {
    // No key is temporary, and only those come with a session token.
    let token = request.headers.contains_key("x-amz-security-token") || claim.has_session_token;
    let key = key.filter(|key| !token && key.id() == claim.credential.access_key_id);
    let key = key.ok_or(SignatureError::UnknownKey)?;
    claim.credential.check_scope(region, claim.signed_at)?;
    check_age(claim, now)?;
    if !claim.signed_headers.iter().any(|name| name == "host") {
        return Err(SignatureError::HostNotSigned);
    }
    let payload_hash = payload_hash(request)?;
    let canonical_request = canonical::request(request, claim, &payload_hash)?;
    let string_to_sign = string_to_sign(claim, &canonical_request);
    if key.signed(&claim.credential, &string_to_sign, &claim.signature) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch {
            canonical_request: String::from_utf8_lossy(&canonical_request).into_owned(),
            string_to_sign,
        })
    }
}

fn check_age(claim: &Claim, now: OffsetDateTime) -> Result<(), SignatureError> {
    let signed = claim.signed_at;
    let valid_for = claim.expires.unwrap_or(SKEW_MAX);
    // The difference of two dates cannot overflow; a sum with one from outside could.
    if now - signed > valid_for {
        Err(SignatureError::Expired {
            signed,
            now,
            valid_for,
        })
    } else if signed - now > SKEW_MAX {
        Err(SignatureError::NotYetCurrent { signed, now })
    } else {
        Ok(())
    }
}

/// What the canonical request says of the body: its hash, or that it is not signed.
fn payload_hash(request: &Request<'_>) -> Result<String, SignatureError> {
    let computed = || hex(digest(&SHA256, request.body).as_ref());
    match request
        .headers
        .get("x-amz-content-sha256")
        .map(|value| value.as_bytes())
    {
        None => Ok(computed()),
        Some(UNSIGNED_PAYLOAD) => Ok("UNSIGNED-PAYLOAD".to_owned()),
        Some(stated) => match computed() {
            computed if computed.as_bytes() == stated => Ok(computed),
            _ => Err(SignatureError::PayloadMismatch),
        },
    }
}

fn string_to_sign(claim: &Claim, canonical_request: &[u8]) -> String {
    format!(
        "{ALGORITHM}\n{}\n{}\n{}",
        date::print(claim.signed_at),
        claim.credential.scope(),
        hex(digest(&SHA256, canonical_request).as_ref())
    )
}

#[cfg(test)]
mod tests;
