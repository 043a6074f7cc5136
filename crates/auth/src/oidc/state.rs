//! The `state` of a login: what is to be known again when the browser comes back, sealed.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::settings::Oidc;
use crate::clock::seconds;
use crate::keys::Keys;

/// How long a login may take. Source: ALB guide, "Client login timeout".
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(15 * 60);

const VERSION: u8 = 1;
pub(super) const NONCE_LEN: usize = 16;

/// A login that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LoginState {
    /// When it began, in seconds since 1970.
    pub(super) began: u64,
    /// What the cookie of the browser that began it holds.
    pub(super) nonce: [u8; NONCE_LEN],
    /// Host, and port if there was one, that the browser asked.
    pub(super) authority: String,
    /// Path and query that it asked for.
    pub(super) target: String,
}

impl LoginState {
    /// The parameter. Only actions with the same identity read it again.
    pub(super) fn seal(&self, keys: &Keys, oidc: &Oidc) -> String {
        let mut plain = vec![VERSION];
        plain.extend_from_slice(&self.began.to_be_bytes());
        plain.extend_from_slice(&self.nonce);
        plain.extend_from_slice(self.authority.as_bytes());
        // No host has a line feed.
        plain.push(b'\n');
        plain.extend_from_slice(self.target.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(keys.seal(&purpose(oidc), plain))
    }

    /// The state that a parameter holds, if an action with this identity made it with these keys.
    pub(super) fn open(keys: &Keys, oidc: &Oidc, parameter: &str) -> Option<Self> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(parameter).ok()?;
        let plain = keys.open(&purpose(oidc), sealed)?;
        let rest = plain.strip_prefix(&[VERSION])?;
        let (began, rest) = rest.split_first_chunk()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (authority, target) = std::str::from_utf8(rest).ok()?.split_once('\n')?;
        Some(Self {
            began: u64::from_be_bytes(*began),
            nonce: *nonce,
            authority: authority.to_owned(),
            target: target.to_owned(),
        })
    }

    pub(super) fn is_expired(&self, now: SystemTime) -> bool {
        seconds(now).saturating_sub(self.began) >= LOGIN_TIMEOUT.as_secs()
    }

    /// Where the identity provider sends the browser back to, with the same spelling in both requests.
    pub(super) fn redirect_uri(&self) -> String {
        format!("https://{}{}", self.authority, super::CALLBACK_PATH)
    }

    /// Where the browser was going.
    pub(super) fn original_url(&self) -> String {
        format!("https://{}{}", self.authority, self.target)
    }
}

/// The nonce in the value of a cookie.
pub(super) fn read_nonce(value: &[u8]) -> Option<[u8; NONCE_LEN]> {
    BASE64_URL_SAFE_NO_PAD.decode(value).ok()?.try_into().ok()
}

/// The value of the cookie for a nonce.
pub(super) fn write_nonce(nonce: &[u8; NONCE_LEN]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(nonce)
}

fn purpose(oidc: &Oidc) -> Vec<u8> {
    [b"state\n".as_slice(), &oidc.identity].concat()
}
