//! Decides about one request, without waiting for anything.

use std::sync::Arc;
use std::time::SystemTime;

use model::authentication::OnUnauthenticatedRequest;
use percent_encoding::{CONTROLS, percent_encode};

use super::exchange::{Exchange, Kind};
use super::session::{InvalidCookie, Scope, Session};
use super::settings::Oidc;
use super::state::{LoginState, read_nonce, write_nonce};
use super::{CALLBACK_PATH, query, user_fields};
use crate::clock::seconds;
use crate::cookie::{self, NONCE_COOKIE, SHARDS_MAX};
use crate::keys::Keys;
use crate::outcome::{LOCATION_MAX, Metric, Outcome, Reason, Step};

/// The facts of a request that came over TLS. Codes and cookies are among them, so it does not print itself.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The `Host` field or `:authority` as the client sent it, with its port if it has one. `None` if there
    /// is none, as HTTP/1.0 allows.
    pub authority: Option<&'a [u8]>,
    /// The path as the client sent it.
    pub path: &'a [u8],
    /// The query without its `?`; empty if there is none.
    pub query: &'a [u8],
    /// The values of all `Cookie` fields.
    pub cookies: &'a [&'a [u8]],
    /// Whether a page of another origin makes this request: it has an `Origin` field. Its cookies are set
    /// with `SameSite=None`.
    pub is_cors: bool,
}

/// What is to be done about a request.
#[derive(Debug)]
pub enum Verdict {
    /// It is decided.
    Answer(Outcome),
    /// The identity provider has to be asked.
    Ask(Box<Exchange>),
}

/// Applies an authenticate action to a request.
#[must_use]
pub fn authenticate(
    oidc: &Arc<Oidc>,
    keys: &Arc<Keys>,
    request: &Request<'_>,
    now: SystemTime,
) -> Verdict {
    if request.path == CALLBACK_PATH.as_bytes() {
        return match callback(oidc, keys, request, now) {
            Ok(kind) => Verdict::Ask(Box::new(Exchange::new(oidc, keys, request, now, kind))),
            Err(outcome) => Verdict::Answer(outcome),
        };
    }
    let shards = cookie::shards(request.cookies, &oidc.settings.session_cookie_name);
    match Session::open(keys, oidc.scope(), shards) {
        Ok(None) => Verdict::Answer(unauthenticated(oidc, keys, request, now, Had::Nothing)),
        Err(InvalidCookie) => {
            let outcome = unauthenticated(oidc, keys, request, now, Had::Garbage);
            Verdict::Answer(outcome.because(Reason::AuthInvalidCookie))
        }
        Ok(Some(session)) if session.is_expired(now) => {
            Verdict::Answer(unauthenticated(oidc, keys, request, now, Had::Session))
        }
        Ok(Some(session)) if session.wants_refresh(now) => {
            if oidc.can_refresh(&session) {
                let kind = Kind::Refresh(session);
                Verdict::Ask(Box::new(Exchange::new(oidc, keys, request, now, kind)))
            } else {
                Verdict::Answer(unauthenticated(oidc, keys, request, now, Had::Session))
            }
        }
        Ok(Some(session)) => {
            let fields = user_fields::write(&session, oidc, keys, now);
            Verdict::Answer(Outcome::new(Step::Forward(fields)))
        }
    }
}

/// The action that answers a request to [`CALLBACK_PATH`], among those of its listener; `None` if there are none:
/// then the path is one like any other.
///
/// It is the one whose login the request ends, because a rule may cover only a part of a site, and the path may lead
/// to another rule. Where no action began such a login, any of them refuses the request: neither a code nor an error
/// of an identity provider is for a target to see.
#[must_use]
pub fn action_of_callback<'a>(
    actions: &'a [Arc<Oidc>],
    keys: &Keys,
    request: &Request<'_>,
) -> Option<&'a Arc<Oidc>> {
    if request.path != CALLBACK_PATH.as_bytes() {
        return None;
    }
    let began = query::find(request.query, "state").and_then(|state| {
        let mut actions = actions.iter();
        actions.find(|oidc| LoginState::open(keys, oidc, &state).is_some())
    });
    began.or(actions.first())
}

/// What someone who is not logged in came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Had {
    Nothing,
    /// A cookie that is none of ours.
    Garbage,
    /// A session that has ended.
    Session,
}

/// What happens to a request without a valid session.
///
/// Source: ALB guide, "Authenticate users", use of `OnUnauthenticatedRequest`: `deny` refuses requests
/// without authentication information, and leads those to the login whose information has expired.
pub(super) fn unauthenticated(
    oidc: &Oidc,
    keys: &Keys,
    request: &Request<'_>,
    now: SystemTime,
    had: Had,
) -> Outcome {
    match oidc.settings.on_unauthenticated_request {
        OnUnauthenticatedRequest::Allow => Outcome::new(Step::Forward(Vec::new())),
        OnUnauthenticatedRequest::Deny if had != Had::Session => Outcome::new(Step::Refuse(401)),
        OnUnauthenticatedRequest::Deny | OnUnauthenticatedRequest::Authenticate => {
            begin_login(oidc, keys, request, now)
        }
    }
}

fn begin_login(oidc: &Oidc, keys: &Keys, request: &Request<'_>, now: SystemTime) -> Outcome {
    let Some(authority) = request.authority.and_then(checked_authority) else {
        return Outcome::refuse(Reason::AuthMissingHost);
    };
    // Logins that are begun in two tabs share the nonce, or the later one would end the earlier.
    let nonce = cookie::find(request.cookies, NONCE_COOKIE)
        .and_then(read_nonce)
        .unwrap_or_else(|| keys.draw());
    let state = LoginState {
        began: seconds(now),
        nonce,
        authority: authority.to_owned(),
        target: target(request),
    };
    let mut location = oidc.authorization.clone();
    location.push_str(&state.seal(keys, oidc));
    location.push('&');
    query::push(&mut location, "redirect_uri", &state.redirect_uri());
    if location.len() > LOCATION_MAX || state.original_url().len() > LOCATION_MAX {
        return Outcome::new(Step::Refuse(507));
    }
    let nonce = write_nonce(&nonce);
    let set_cookie = cookie::set(NONCE_COOKIE, &nonce, now, request.is_cors);
    Outcome::new(Step::Redirect(location)).with_cookies(vec![set_cookie])
}

/// What a callback has to bring (RFC 6749 section 4.1.2), as it came. Codes are secrets, so it does not print itself.
pub struct Callback<'a> {
    nonce: &'a [u8],
    state: String,
    code: String,
}

impl<'a> Callback<'a> {
    /// Finds it in the query and the values of all `Cookie` fields of a request.
    ///
    /// # Errors
    /// The refusal of a request that ends no login: something is missing, or the identity provider tells an error.
    pub fn read(query: &[u8], cookies: &[&'a [u8]]) -> Result<Self, Outcome> {
        if let Some(error) = query::find(query, "error") {
            tracing::debug!(error, "an identity provider ended a login with an error");
            // The guide has 401 for a user who was denied access, 561 for an error code. Of the codes of
            // RFC 6749 section 4.1.2.1, one says the first.
            let status = if error == "access_denied" { 401 } else { 561 };
            return Err(Outcome::new(Step::Refuse(status)).counted(Metric::AuthFailure));
        }
        let missing = |reason| move || Outcome::refuse(reason);
        let nonce = cookie::find(cookies, NONCE_COOKIE);
        Ok(Self {
            nonce: nonce.ok_or_else(missing(Reason::AuthMissingNonce))?,
            state: query::find(query, "state").ok_or_else(missing(Reason::AuthMissingState))?,
            code: query::find(query, "code").ok_or_else(missing(Reason::AuthMissingCode))?,
        })
    }
}

fn callback(
    oidc: &Oidc,
    keys: &Keys,
    request: &Request<'_>,
    now: SystemTime,
) -> Result<Kind, Outcome> {
    let Callback { nonce, state, code } = Callback::read(request.query, request.cookies)?;
    let refuse = |reason| Err(Outcome::refuse(reason));
    let Some(state) = LoginState::open(keys, oidc, &state) else {
        return refuse(Reason::AuthInvalidState);
    };
    if read_nonce(nonce) != Some(state.nonce) {
        return refuse(Reason::AuthInvalidNonce);
    }
    if state.is_expired(now) {
        // The table of reasons has none for this.
        return Err(Outcome::new(Step::Refuse(401)));
    }
    Ok(Kind::Login { code, state })
}

/// The authority for URLs of ours; without the port that `https` implies.
fn checked_authority(authority: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(authority).ok()?;
    let text = text.strip_suffix(":443").unwrap_or(text);
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:[]".contains(&b);
    (!text.is_empty() && text.bytes().all(is_plain)).then_some(text)
}

/// Path and query as they came, but for bytes that no `Location` may have.
fn target(request: &Request<'_>) -> String {
    const ESCAPED: &percent_encoding::AsciiSet = &CONTROLS.add(b' ').add(b'#');
    let mut target = String::new();
    if !request.path.starts_with(b"/") {
        target.push('/');
    }
    // `OPTIONS *` has no path.
    let path = request.path.strip_prefix(b"*").unwrap_or(request.path);
    target.extend(percent_encode(path, ESCAPED));
    if !request.query.is_empty() {
        target.push('?');
        target.extend(percent_encode(request.query, ESCAPED));
    }
    target
}

impl Oidc {
    pub(super) fn scope(&self) -> Scope<'_> {
        Scope {
            signer: &self.settings.signer,
            cookie_name: &self.settings.session_cookie_name,
        }
    }

    /// A session that another action began goes on here, but its refresh token is nobody else's business
    /// than the provider's that gave it.
    fn can_refresh(&self, session: &Session) -> bool {
        session.issuer == self.settings.issuer && session.client_id == self.settings.client_id
    }
}

/// The facts of a request that an exchange outlives.
pub(super) struct OwnedRequest {
    authority: Option<Vec<u8>>,
    path: Vec<u8>,
    query: Vec<u8>,
    cookies: Vec<Vec<u8>>,
    pub(super) is_cors: bool,
}

impl OwnedRequest {
    pub(super) fn new(request: &Request<'_>) -> Self {
        Self {
            authority: request.authority.map(<[u8]>::to_vec),
            path: request.path.to_vec(),
            query: request.query.to_vec(),
            cookies: request.cookies.iter().map(|it| it.to_vec()).collect(),
            is_cors: request.is_cors,
        }
    }

    /// `unauthenticated` for this request.
    pub(super) fn log_in_again(&self, oidc: &Oidc, keys: &Keys, now: SystemTime) -> Outcome {
        let cookies: Vec<&[u8]> = self.cookies.iter().map(Vec::as_slice).collect();
        let request = Request {
            authority: self.authority.as_deref(),
            path: &self.path,
            query: &self.query,
            cookies: &cookies,
            is_cors: self.is_cors,
        };
        unauthenticated(oidc, keys, &request, now, Had::Session)
    }

    /// The `Set-Cookie` values that keep `session` and remove shards that are left of an older one. `None`
    /// if the session is too large.
    pub(super) fn keep(
        &self,
        session: &Session,
        oidc: &Oidc,
        keys: &Keys,
        now: SystemTime,
    ) -> Option<Vec<String>> {
        let scope = oidc.scope();
        let name = |index: usize| format!("{}-{index}", scope.cookie_name);
        let shards = session.seal(keys, scope).ok()?;
        let cookies: Vec<&[u8]> = self.cookies.iter().map(Vec::as_slice).collect();
        let had = cookie::shards(&cookies, scope.cookie_name);
        let left = (shards.len()..SHARDS_MAX).filter(|&index| had[index].is_some());
        let set = shards
            .iter()
            .enumerate()
            .map(|(index, shard)| cookie::set(&name(index), shard, now, self.is_cors));
        Some(
            set.chain(left.map(|index| cookie::remove(&name(index), self.is_cors)))
                .collect(),
        )
    }
}

/// The end of a session that begins now.
pub(super) fn session_end(oidc: &Oidc, now: SystemTime) -> u64 {
    seconds(now).saturating_add(oidc.settings.session_timeout_seconds.into())
}
