//! A user's login, which the browser keeps for us in sealed cookies. Nothing is stored here.

use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::clock::seconds;
use crate::cookie::{self, SHARDS_MAX};
use crate::keys::{Keys, SEAL_OVERHEAD};

/// Most bytes of claims and access token together. Source: ALB guide, "Authenticate users".
pub const CLAIMS_AND_TOKEN_MAX: usize = 11 * 1024;

const VERSION: u8 = 1;

/// Someone who has logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// When the login ends, in seconds since 1970.
    pub expires: u64,
    /// The issuer that the login was made at. Another action with the same cookie name may have another.
    pub issuer: String,
    /// The client that the login was made by.
    pub client_id: String,
    /// What the identity provider granted last.
    pub grant: Grant,
}

/// What an identity provider has said about a user.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// The claim `sub`.
    pub subject: String,
    /// The user info without `exp` and `iss`: a JSON object with `sub` in it.
    pub claims: String,
    /// The access token.
    pub access_token: String,
    /// When the access token expires, in seconds since 1970, if the provider said so.
    pub token_expires: Option<u64>,
    /// What new tokens can be had with, if the provider gave one.
    pub refresh_token: Option<String>,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Tokens open doors and claims are personal; neither belongs in a log.
        f.debug_struct("Grant")
            .field("token_expires", &self.token_expires)
            .field("has_refresh_token", &self.refresh_token.is_some())
            .finish_non_exhaustive()
    }
}

/// Where a session is valid: at one load balancer, under one cookie name.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The load balancer's ARN.
    pub signer: &'a str,
    /// Name of the cookie, before `-0` to `-3`.
    pub cookie_name: &'a str,
}

/// Shards that are no session of this scope and these keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCookie;

/// The session needs more than four cookies of 4 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

impl Session {
    /// The values of the cookies `{name}-0` and so on.
    ///
    /// The first character of the first is the number of cookies, so that one left over from a longer
    /// session does no harm. It is sealed with the rest.
    ///
    /// # Errors
    /// If there would be more than four.
    pub fn seal(&self, keys: &Keys, scope: Scope<'_>) -> Result<Vec<String>, TooLarge> {
        let plain = self.to_bytes();
        let length = base64::encoded_len(plain.len() + SEAL_OVERHEAD, false).ok_or(TooLarge)?;
        let count = cookie::count(scope.cookie_name, 1 + length).ok_or(TooLarge)?;
        let mut value = count.to_string();
        let sealed = keys.seal(&purpose(scope, count), plain);
        BASE64_URL_SAFE_NO_PAD.encode_string(sealed, &mut value);
        Ok(cookie::split(scope.cookie_name, &value))
    }

    /// The session in the shards of a request; `None` if there is no first shard.
    ///
    /// # Errors
    /// If there is one, and the shards are not what [`Session::seal`] made.
    pub fn open(
        keys: &Keys,
        scope: Scope<'_>,
        shards: [Option<&[u8]>; SHARDS_MAX],
    ) -> Result<Option<Self>, InvalidCookie> {
        let Some(first) = shards[0] else {
            return Ok(None);
        };
        Self::open_some(keys, scope, first, &shards[1..])
            .map(Some)
            .ok_or(InvalidCookie)
    }

    fn open_some(
        keys: &Keys,
        scope: Scope<'_>,
        first: &[u8],
        others: &[Option<&[u8]>],
    ) -> Option<Self> {
        let (digit, first) = first.split_first()?;
        let count = match digit {
            b'1'..=b'4' => usize::from(digit - b'0'),
            _ => return None,
        };
        let mut text = first.to_vec();
        for shard in &others[..count - 1] {
            text.extend_from_slice((*shard)?);
        }
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let plain = keys.open(&purpose(scope, count), sealed)?;
        Self::from_bytes(&plain)
    }

    /// Whether the login has ended.
    #[must_use]
    pub fn is_expired(&self, now: SystemTime) -> bool {
        seconds(now) >= self.expires
    }

    /// Whether the access token has ended and a new one can be asked for.
    #[must_use]
    pub fn wants_refresh(&self, now: SystemTime) -> bool {
        let is_over = |expires| seconds(now) >= expires;
        self.grant.refresh_token.is_some() && self.grant.token_expires.is_some_and(is_over)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let grant = &self.grant;
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.expires.to_be_bytes());
        bytes.extend_from_slice(&grant.token_expires.unwrap_or(u64::MAX).to_be_bytes());
        for text in [
            self.issuer.as_str(),
            &self.client_id,
            &grant.subject,
            &grant.claims,
            &grant.access_token,
            // A token is never empty, so that an empty one stands for none.
            grant.refresh_token.as_deref().unwrap_or_default(),
        ] {
            bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[VERSION])?;
        let mut number = || {
            let (number, after) = rest.split_first_chunk()?;
            rest = after;
            Some(u64::from_be_bytes(*number))
        };
        let (expires, token_expires) = (number()?, number()?);
        let mut text = || {
            let (length, after) = rest.split_first_chunk()?;
            let (text, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            rest = after;
            String::from_utf8(text.to_vec()).ok()
        };
        let session = Self {
            expires,
            issuer: text()?,
            client_id: text()?,
            grant: Grant {
                token_expires: (token_expires != u64::MAX).then_some(token_expires),
                subject: text()?,
                claims: text()?,
                access_token: text()?,
                refresh_token: text().map(|it| (!it.is_empty()).then_some(it))?,
            },
        };
        rest.is_empty().then_some(session)
    }
}

/// What a sealed session is bound to.
fn purpose(scope: Scope<'_>, count: usize) -> Vec<u8> {
    // An ARN has no line feed and a cookie name none either, so that no two scopes are one text.
    format!("session\n{}\n{}\n{count}", scope.signer, scope.cookie_name).into_bytes()
}
