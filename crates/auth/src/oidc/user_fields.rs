//! What a target is told about the user, signed so that it can tell whom it comes from.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use serde::Serialize;

use super::session::Session;
use super::settings::Oidc;
use crate::clock::seconds;
use crate::keys::Keys;
use crate::outcome::USER_FIELDS;

/// How long `x-amzn-oidc-data` is good for. A target has no use for an old one: each request brings its own.
pub const CLAIMS_LIFE: Duration = Duration::from_secs(120);

/// Source: ALB guide, "User claims encoding and signature verification".
#[derive(Serialize)]
struct Header<'a> {
    typ: &'static str,
    kid: &'a str,
    alg: &'static str,
    iss: &'a str,
    client: &'a str,
    signer: &'a str,
    exp: u64,
}

/// The header fields for the target, named as in [`USER_FIELDS`].
///
/// Issuer and client are those of the login, which another action with the same cookie name may have made:
/// a target that checks them is not told that its own provider vouches for a user of another.
pub(super) fn write(
    session: &Session,
    oidc: &Oidc,
    keys: &Keys,
    now: SystemTime,
) -> Vec<(&'static str, String)> {
    let [token, identity, data] = USER_FIELDS;
    let grant = &session.grant;
    let values = [
        (token, grant.access_token.clone()),
        (identity, grant.subject.clone()),
        (data, signed(session, oidc, keys, now)),
    ];
    values.into()
}

/// The claims as a JSON Web Token. Its parts keep the padding of base64, unlike RFC 7515 has it, because
/// those of AWS do.
fn signed(session: &Session, oidc: &Oidc, keys: &Keys, now: SystemTime) -> String {
    let exp = seconds(now).saturating_add(CLAIMS_LIFE.as_secs());
    let header = Header {
        typ: "JWT",
        kid: keys.key_id(),
        alg: "ES256",
        iss: &session.issuer,
        client: &session.client_id,
        signer: &oidc.settings.signer,
        exp,
    };
    let header = serde_json::to_vec(&header).expect("texts and a number are JSON");
    let claims = with_members(&session.grant.claims, exp, &session.issuer);
    let mut token = BASE64_URL_SAFE.encode(header);
    token.push('.');
    BASE64_URL_SAFE.encode_string(claims, &mut token);
    let signature = keys.sign(token.as_bytes());
    token.push('.');
    BASE64_URL_SAFE.encode_string(signature, &mut token);
    token
}

/// The object `claims` with `exp` and `iss` at its end. It has neither, and is not empty, as `sub` is in it;
/// so it need not be parsed on every request.
fn with_members(claims: &str, exp: u64, iss: &str) -> String {
    let open = claims.strip_suffix('}').unwrap_or(claims);
    let iss = serde_json::Value::from(iss);
    format!("{open},\"exp\":{exp},\"iss\":{iss}}}")
}
