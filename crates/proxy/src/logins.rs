//! Who is asking: what rules with an authentication need beside the request.
//!
//! The decisions are those of `auth`. Most are made at once; for the others the request waits while the
//! identity provider is asked.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use auth::jwt::{self, JwksCache, Jwt};
use auth::oidc::{self, CALLBACK_PATH, Oidc};
use auth::{Client, Keys, Metric, Outcome, Reason, Step};
use engine::{Action, Authentication, Frontend};
use model::authentication::{self, Schemes};
use rustc_hash::FxHashMap;

use crate::counters::Counters;
use crate::http1::field::Field;
use crate::http1::request::RequestHead;
use crate::worker::Worker;

/// The keys and connections that logins and tokens are checked with. One for the process.
pub struct Logins {
    keys: Arc<Keys>,
    client: Client,
    jwks: JwksCache,
    schemes: Schemes,
}

impl Logins {
    /// Logins that are sealed and signed with `keys`, at providers that `client` reaches.
    #[must_use]
    pub fn new(keys: Arc<Keys>, client: Client, schemes: Schemes) -> Self {
        Self {
            keys,
            client,
            jwks: JwksCache::new(),
            schemes,
        }
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Logins")
    }
}

/// What is known of the user of a request.
#[derive(Debug, Default)]
pub(crate) struct User {
    /// The fields that tell the target; `None`: the rule asks nobody who they are.
    pub(crate) fields: Option<Vec<(&'static str, String)>>,
    /// Values of `Set-Cookie` for the response, whoever makes it.
    pub(crate) set_cookies: Vec<String>,
}

/// What has to be asked before a request can be decided on.
#[derive(Debug)]
pub(crate) enum Ask {
    Login(Box<oidc::Exchange>),
    Keys(Box<jwt::Fetch>),
}

impl Ask {
    pub(crate) async fn run(self, logins: &Logins) -> Outcome {
        match self {
            Self::Login(exchange) => exchange.run(&logins.client).await,
            Self::Keys(fetch) => of_token(fetch.run(&logins.client).await),
        }
    }
}

/// An authentication, checked and put together.
#[derive(Clone, Debug)]
enum Checked {
    Oidc(Arc<Oidc>),
    Jwt(Arc<Jwt>),
    /// It says what cannot be done; the API lets no such action through.
    Invalid,
}

/// The authentications that a worker has met, so that each is checked once.
#[derive(Debug, Default)]
pub(crate) struct CheckedActions {
    by_address: RefCell<FxHashMap<usize, (Source, Checked)>>,
}

/// What was checked. Other workers remember it too, so it is not counted among those who use it; and yet no other
/// action takes its address.
#[derive(Debug)]
enum Source {
    Oidc(Weak<authentication::Oidc>),
    Jwt(Weak<authentication::JwtValidation>),
}

impl Source {
    fn of(authentication: &Authentication) -> Self {
        match authentication {
            Authentication::Oidc(oidc) => Self::Oidc(Arc::downgrade(oidc)),
            Authentication::Jwt(jwt) => Self::Jwt(Arc::downgrade(jwt)),
        }
    }

    fn is_used(&self) -> bool {
        match self {
            Self::Oidc(oidc) => oidc.strong_count() > 0,
            Self::Jwt(jwt) => jwt.strong_count() > 0,
        }
    }
}

impl CheckedActions {
    fn of(&self, authentication: &Authentication, schemes: Schemes) -> Checked {
        let address = match authentication {
            Authentication::Oidc(oidc) => Arc::as_ptr(oidc).addr(),
            Authentication::Jwt(jwt) => Arc::as_ptr(jwt).addr(),
        };
        let mut known = self.by_address.borrow_mut();
        let check = || (Source::of(authentication), check(authentication, schemes));
        known.entry(address).or_insert_with(check).1.clone()
    }

    /// Forgets those that no snapshot has any more.
    pub(crate) fn forget_unused(&self) {
        let mut known = self.by_address.borrow_mut();
        known.retain(|_, (source, _)| source.is_used());
    }
}

fn check(authentication: &Authentication, schemes: Schemes) -> Checked {
    let checked = match authentication {
        Authentication::Oidc(oidc) => {
            Oidc::new(oidc.as_ref().clone(), schemes).map(|oidc| Checked::Oidc(Arc::new(oidc)))
        }
        Authentication::Jwt(jwt) => {
            Jwt::new(jwt.as_ref().clone(), schemes).map(|jwt| Checked::Jwt(Arc::new(jwt)))
        }
    };
    checked.unwrap_or_else(|error| {
        tracing::error!(%error, "an authentication cannot be carried out");
        Checked::Invalid
    })
}

/// Asks who sends a request; `None`: the rule does not care.
///
/// # Errors
/// What has to be asked first.
pub(crate) fn authenticate(
    worker: &Worker,
    frontend: &Frontend,
    action: &Action,
    head: &RequestHead<'_, '_>,
) -> Result<Option<Outcome>, Ask> {
    let logins = &worker.logins;
    let is_callback = head.path == CALLBACK_PATH.as_bytes();
    if action.authentication.is_none() && !is_callback {
        return Ok(None);
    }
    let cookies: Vec<_> = head.fields.values(Field::Cookie).collect();
    let authority = authority(head);
    let request = oidc::Request {
        authority: authority.as_deref(),
        path: head.path,
        query: head.query.unwrap_or_default(),
        cookies: &cookies,
        is_cors: head.fields.named("origin").next().is_some(),
    };
    let own = action.authentication.as_ref();
    let checked = match is_callback.then(|| action_of_callback(worker, frontend, &request)) {
        Some(Some(oidc)) => Checked::Oidc(oidc),
        _ => match own {
            Some(own) => worker.checked_actions.of(own, logins.schemes),
            None => return Ok(None),
        },
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(worker.date().seconds());
    match checked {
        Checked::Oidc(oidc) => match oidc::authenticate(&oidc, &logins.keys, &request, now) {
            oidc::Verdict::Answer(outcome) => Ok(Some(outcome)),
            oidc::Verdict::Ask(exchange) => Err(Ask::Login(exchange)),
        },
        Checked::Jwt(jwt) => {
            let tokens = head.fields.named("authorization");
            match jwt::validate(&jwt, &logins.jwks, tokens, now) {
                jwt::Verdict::Answer(result) => Ok(Some(of_token(result))),
                jwt::Verdict::Ask(fetch) => Err(Ask::Keys(fetch)),
            }
        }
        Checked::Invalid => Ok(Some(refused(Reason::AuthUnhandled))),
    }
}

/// The action that answers a callback, wherever its path leads by the rules.
fn action_of_callback(
    worker: &Worker,
    frontend: &Frontend,
    request: &oidc::Request<'_>,
) -> Option<Arc<Oidc>> {
    let logins = &worker.logins;
    let authentications = frontend.router.actions().filter_map(|action| {
        let authentication = action.authentication.as_ref()?;
        match worker.checked_actions.of(authentication, logins.schemes) {
            Checked::Oidc(oidc) => Some(oidc),
            Checked::Jwt(_) | Checked::Invalid => None,
        }
    });
    let actions: Vec<_> = authentications.collect();
    oidc::action_of_callback(&actions, &logins.keys, request).cloned()
}

/// `Host` or `:authority` as it was sent.
fn authority(head: &RequestHead<'_, '_>) -> Option<Vec<u8>> {
    let host = head.host?;
    let mut authority = host.name.to_vec();
    if let Some(port) = host.port {
        authority.push(b':');
        authority.extend_from_slice(port);
    }
    Some(authority)
}

fn of_token(result: Result<(), Reason>) -> Outcome {
    match result {
        Ok(()) => Outcome {
            step: Step::Forward(Vec::new()),
            set_cookies: Vec::new(),
            reason: None,
            metric: None,
        },
        Err(reason) => refused(reason),
    }
}

fn refused(reason: Reason) -> Outcome {
    Outcome {
        step: Step::Refuse(reason.status()),
        set_cookies: Vec::new(),
        reason: Some(reason),
        metric: Some(reason.metric()),
    }
}

/// Counts what came of an authentication.
pub(crate) fn count(metric: Metric, counters: &Counters) {
    match metric {
        Metric::AuthSuccess => counters.logins.increment(),
        Metric::AuthRefreshTokenSuccess => counters.logins_refreshed.increment(),
        Metric::AuthFailure => counters.login_failures.increment(),
        Metric::AuthError => counters.login_errors.increment(),
        Metric::AuthUserClaimsSizeExceeded => counters.login_claims_too_large.increment(),
        Metric::JwtValidationFailure => counters.token_failures.increment(),
    }
}

#[cfg(test)]
mod tests {
    use model::authentication::JwtValidation;

    use super::*;

    #[test]
    fn what_no_snapshot_has_any_more_is_forgotten_by_all_workers() {
        let authentication = Authentication::Jwt(Arc::new(JwtValidation {
            jwks_endpoint: "https://idp.example.com/keys".to_owned(),
            issuer: "https://idp.example.com".to_owned(),
            additional_claims: Vec::new(),
        }));
        let workers = [CheckedActions::default(), CheckedActions::default()];
        let known = |worker: &CheckedActions| {
            worker.forget_unused();
            worker.by_address.borrow().len()
        };
        for worker in &workers {
            let checked = worker.of(&authentication, Schemes::Https);
            assert!(matches!(checked, Checked::Jwt(_)));
        }
        assert_eq!(workers.each_ref().map(known), [1, 1]);
        drop(authentication);
        assert_eq!(workers.each_ref().map(known), [0, 0]);
    }
}
