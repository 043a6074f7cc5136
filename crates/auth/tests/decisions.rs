//! What is decided about a request at once, without asking an identity provider.
//!
//! Source: ALB guide, "Authenticate users".

use std::sync::Arc;
use std::time::SystemTime;

use auth::oidc::{Grant, Oidc, Request, Scope, Session, Verdict, authenticate};
use auth::{Keys, LOCATION_MAX, Metric, Outcome, Random, Reason, Step};
use model::authentication::{self, OnUnauthenticatedRequest, Schemes};
use proptest::prelude::*;

const COOKIE: &str = authentication::Oidc::SESSION_COOKIE_NAME;
const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn settings() -> authentication::Oidc {
    authentication::Oidc {
        issuer: "https://idp.example.com".to_owned(),
        authorization_endpoint: "https://idp.example.com/authorize".to_owned(),
        token_endpoint: "https://idp.example.com/token".to_owned(),
        user_info_endpoint: "https://idp.example.com/userinfo".to_owned(),
        client_id: "shop".to_owned(),
        client_secret: "secret".into(),
        session_cookie_name: COOKIE.to_owned(),
        scope: authentication::Oidc::SCOPE.to_owned(),
        session_timeout_seconds: authentication::Oidc::SESSION_TIMEOUT_SECONDS_MAX,
        extra_params: Vec::new(),
        on_unauthenticated_request: OnUnauthenticatedRequest::Authenticate,
        signer: "arn".to_owned(),
    }
}

fn session(expires: u64) -> Session {
    Session {
        expires,
        issuer: "https://idp.example.com".to_owned(),
        client_id: "shop".to_owned(),
        grant: Grant {
            subject: "user-1".to_owned(),
            claims: r#"{"sub":"user-1"}"#.to_owned(),
            access_token: "token".to_owned(),
            token_expires: None,
            refresh_token: None,
        },
    }
}

const SCOPE: Scope<'_> = Scope {
    signer: "arn",
    cookie_name: COOKIE,
};

/// Nonces that count up, so that no two are equal and every run is the same.
#[derive(Debug, Default)]
struct Counting(std::sync::atomic::AtomicU8);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    }
}

fn keys() -> Arc<Keys> {
    Arc::new(Keys::generate().with_random(Arc::new(Counting::default())))
}

const REQUEST: Request<'_> = Request {
    authority: Some(b"shop.example.com"),
    path: b"/",
    query: b"",
    cookies: &[],
    is_cors: false,
};

fn decide(keys: &Arc<Keys>, on: OnUnauthenticatedRequest, request: &Request<'_>) -> Outcome {
    let settings = authentication::Oidc {
        on_unauthenticated_request: on,
        ..settings()
    };
    let oidc = Arc::new(Oidc::new(settings, Schemes::Https).expect("valid"));
    match authenticate(&oidc, keys, request, NOW) {
        Verdict::Answer(outcome) => outcome,
        Verdict::Ask(_) => panic!("nobody has to be asked"),
    }
}

fn cookie(keys: &Keys, session: &Session) -> String {
    let shards = session.seal(keys, SCOPE).expect("it is small");
    format!("{COOKIE}-0={}", shards[0])
}

#[test]
fn who_has_no_session_is_treated_as_the_action_says() {
    use OnUnauthenticatedRequest::{Allow, Authenticate, Deny};
    let keys = keys();
    let none = String::new();
    let garbage = format!("{COOKIE}-0=1garbage");
    let expired = cookie(&keys, &session(0));
    let invalid = Some(Reason::AuthInvalidCookie);
    for (on, field, expected, reason) in [
        (Authenticate, &none, "login", None),
        (Authenticate, &garbage, "login", invalid),
        (Authenticate, &expired, "login", None),
        (Allow, &none, "anonymous", None),
        (Allow, &garbage, "anonymous", invalid),
        (Allow, &expired, "anonymous", None),
        (Deny, &none, "401", None),
        (Deny, &garbage, "401", invalid),
        // Who was logged in is led to the login, also by `deny`.
        (Deny, &expired, "login", None),
    ] {
        let cookies = [field.as_bytes()];
        let request = Request {
            cookies: &cookies,
            ..REQUEST
        };
        let outcome = decide(&keys, on, &request);
        let found = match &outcome.step {
            Step::Redirect(location)
                if location.starts_with("https://idp.example.com/authorize?") =>
            {
                "login"
            }
            Step::Forward(fields) if fields.is_empty() => "anonymous",
            Step::Refuse(401) => "401",
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "{on:?} with {field:?}");
        assert_eq!(outcome.reason, reason, "{on:?} with {field:?}");
        assert_eq!(outcome.metric, reason.map(|_| Metric::AuthFailure));
    }
}

#[test]
fn a_user_with_a_session_is_let_through_whatever_the_action_says() {
    let keys = keys();
    let field = cookie(&keys, &session(1));
    for on in [
        OnUnauthenticatedRequest::Authenticate,
        OnUnauthenticatedRequest::Allow,
        OnUnauthenticatedRequest::Deny,
    ] {
        let cookies: [&[u8]; 2] = [b"a=b", field.as_bytes()];
        let request = Request {
            authority: None,
            cookies: &cookies,
            ..REQUEST
        };
        let Step::Forward(fields) = decide(&keys, on, &request).step else {
            panic!("{on:?}");
        };
        let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, auth::USER_FIELDS);
    }
}

#[test]
fn without_a_host_there_is_no_way_back_from_a_login() {
    let keys = keys();
    for authority in [
        None,
        Some(b"".as_slice()),
        Some(b"a b"),
        Some(b"a/b"),
        Some(b"a@b"),
        Some(b"a\r\nb"),
        Some(b"\xff"),
    ] {
        let request = Request {
            authority,
            ..REQUEST
        };
        let outcome = decide(&keys, OnUnauthenticatedRequest::Authenticate, &request);
        assert_eq!(outcome.step, Step::Refuse(401));
        assert_eq!(outcome.reason, Some(Reason::AuthMissingHost));
        assert_eq!(outcome.metric, Some(Metric::AuthError));
        let denied = decide(&keys, OnUnauthenticatedRequest::Deny, &request);
        assert_eq!((denied.step, denied.reason), (Step::Refuse(401), None));
        let allowed = decide(&keys, OnUnauthenticatedRequest::Allow, &request);
        assert_eq!(allowed.step, Step::Forward(Vec::new()));
    }
}

#[test]
fn the_way_back_has_the_host_and_port_of_the_request() {
    for (authority, expected) in [
        ("shop.example.com", "shop.example.com"),
        ("shop.example.com:443", "shop.example.com"),
        ("localhost:8443", "localhost%3A8443"),
        ("[::1]:8443", "%5B%3A%3A1%5D%3A8443"),
    ] {
        let request = Request {
            authority: Some(authority.as_bytes()),
            ..REQUEST
        };
        let outcome = decide(&keys(), OnUnauthenticatedRequest::Authenticate, &request);
        let Step::Redirect(location) = outcome.step else {
            panic!("{authority}");
        };
        let end = format!("&redirect_uri=https%3A%2F%2F{expected}%2Foauth2%2Fidpresponse");
        assert!(location.ends_with(&end), "{location}");
    }
}

#[test]
fn a_location_that_would_be_too_long_is_507() {
    let path = |length: usize| [b"/".as_slice(), &vec![b'x'; length - 1]].concat();
    let step = |length: usize| {
        let path = path(length);
        let request = Request {
            path: &path,
            ..REQUEST
        };
        decide(&keys(), OnUnauthenticatedRequest::Authenticate, &request).step
    };
    let longest = (1..LOCATION_MAX)
        .rev()
        .find(|&length| matches!(step(length), Step::Redirect(_)))
        .expect("some path is short enough");
    let Step::Redirect(location) = step(longest) else {
        unreachable!("it was found");
    };
    assert!(location.len() <= LOCATION_MAX && location.len() > LOCATION_MAX - 8);
    assert_eq!(step(longest + 1), Step::Refuse(507));
    assert!(
        longest > 5000,
        "paths of {longest} bytes are not worth much"
    );
}

#[test]
fn each_browser_gets_a_nonce_of_its_own_and_keeps_it() {
    let keys = Arc::new(Keys::generate());
    let nonce = |cookies: &[&[u8]]| {
        let request = Request { cookies, ..REQUEST };
        let outcome = decide(&keys, OnUnauthenticatedRequest::Authenticate, &request);
        let set_cookie = &outcome.set_cookies[0];
        set_cookie
            .split(';')
            .next()
            .map(str::to_owned)
            .expect("a pair")
    };
    let first = nonce(&[]);
    assert_ne!(nonce(&[]), first);
    assert_eq!(nonce(&[first.as_bytes()]), first);
    assert_ne!(nonce(&[b"AWSALBAuthNonce=short"]), "AWSALBAuthNonce=short");
}

#[test]
fn reasons_have_the_names_of_the_access_log() {
    let names: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|it| it.name()).collect();
    assert_eq!(
        names.len(),
        Reason::ALL.len(),
        "each reason has a name of its own"
    );
    for (name, status, metric) in [
        ("AuthInvalidCookie", 401, "ELBAuthFailure"),
        ("AuthInvalidGrantError", 401, "ELBAuthFailure"),
        ("AuthInvalidIdToken", 401, "ELBAuthFailure"),
        ("AuthInvalidStateParam", 401, "ELBAuthFailure"),
        ("AuthInvalidTokenResponse", 401, "ELBAuthFailure"),
        ("AuthInvalidUserinfoResponse", 401, "ELBAuthFailure"),
        ("AuthInvalidAWSALBAuthNonce", 401, "ELBAuthFailure"),
        ("AuthMissingAWSALBAuthNonce", 401, "ELBAuthFailure"),
        ("AuthMissingCodeParam", 401, "ELBAuthFailure"),
        ("AuthMissingHostHeader", 401, "ELBAuthError"),
        ("AuthMissingStateParam", 401, "ELBAuthFailure"),
        ("AuthTokenEpRequestFailed", 500, "ELBAuthError"),
        ("AuthTokenEpRequestTimeout", 500, "ELBAuthError"),
        ("AuthUnhandledException", 500, "ELBAuthError"),
        ("AuthUserinfoEpRequestFailed", 500, "ELBAuthError"),
        ("AuthUserinfoEpRequestTimeout", 500, "ELBAuthError"),
        (
            "AuthUserinfoResponseSizeExceeded",
            500,
            "ELBAuthUserClaimsSizeExceeded",
        ),
        ("JWTHeaderNotPresent", 401, "JWTValidationFailureCount"),
        ("JWTRequestFormatInvalid", 401, "JWTValidationFailureCount"),
        (
            "JWTSignatureValidationError",
            401,
            "JWTValidationFailureCount",
        ),
        ("JWTClaimNotPresent", 401, "JWTValidationFailureCount"),
        ("JWTClaimFormatInvalid", 401, "JWTValidationFailureCount"),
        ("JWTClaimValueInvalid", 401, "JWTValidationFailureCount"),
        ("JWKSRequestTimeout", 500, "JWTValidationFailureCount"),
        ("JWKSResponseSizeExceeded", 500, "JWTValidationFailureCount"),
        (
            "JWTValidationInternalError",
            500,
            "JWTValidationFailureCount",
        ),
        ("JWKSRequestFailed", 562, "JWTValidationFailureCount"),
        ("JWKSResponseInvalid", 562, "JWTValidationFailureCount"),
    ] {
        let reason = Reason::ALL.iter().find(|it| it.name() == name);
        let reason = reason.unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(
            (reason.status(), reason.metric().name()),
            (status, metric),
            "{name}"
        );
    }
}

#[test]
fn an_action_that_the_model_refuses_is_refused() {
    let check = |change: fn(&mut authentication::Oidc), expected: &str| {
        let mut settings = settings();
        change(&mut settings);
        let refused = Oidc::new(settings, Schemes::Https).expect_err("refused");
        assert_eq!(refused.to_string(), expected);
    };
    check(
        |it| it.token_endpoint = "http://idp.example.com/token".to_owned(),
        "The 'http://idp.example.com/token' URL is not valid",
    );
    check(
        |it| it.client_secret = "".into(),
        "The 'client secret' field must be between 1 and 1024 characters in length",
    );
}

fn any_session() -> impl Strategy<Value = Session> {
    (
        any::<u64>(),
        ".{0,40}",
        ".{0,40}",
        ".{0,40}",
        "[ -~]{1,3000}",
        "[ -~]{1,5000}",
    )
        .prop_flat_map(
            |(expires, issuer, client_id, subject, claims, access_token)| {
                let ends = proptest::option::of(0..u64::MAX);
                let refresh = proptest::option::of("[ -~]{1,800}");
                (ends, refresh).prop_map(move |(token_expires, refresh_token)| Session {
                    expires,
                    issuer: issuer.clone(),
                    client_id: client_id.clone(),
                    grant: Grant {
                        subject: subject.clone(),
                        claims: claims.clone(),
                        access_token: access_token.clone(),
                        token_expires,
                        refresh_token,
                    },
                })
            },
        )
}

proptest! {
    #[test]
    fn a_session_is_read_from_its_shards_in_any_order(
        session in any_session(),
        name in "[a-zA-Z-]{1,40}",
        turn in 0_usize..4,
    ) {
        let keys = keys();
        let scope = Scope { signer: "arn", cookie_name: &name };
        let shards = session.seal(&keys, scope).expect("it fits");
        let mut cookies: Vec<String> = shards
            .iter()
            .enumerate()
            .map(|(index, shard)| format!("{name}-{index}={shard}"))
            .collect();
        prop_assert!(cookies.iter().all(|cookie| cookie.len() <= 4096));
        // One that is left over from a longer session does no harm.
        for index in shards.len()..4 {
            cookies.push(format!("{name}-{index}=leftover"));
        }
        cookies.rotate_left(turn);
        let settings = authentication::Oidc { session_cookie_name: name.clone(), ..settings() };
        let oidc = Arc::new(Oidc::new(settings, Schemes::Https).expect("valid"));
        let field = cookies.join("; ");
        let request = Request { cookies: &[field.as_bytes()], ..REQUEST };
        let before = SystemTime::UNIX_EPOCH;
        let verdict = authenticate(&oidc, &keys, &request, before);
        let is_known = match &verdict {
            Verdict::Answer(outcome) => matches!(&outcome.step, Step::Forward(_)),
            Verdict::Ask(_) => false,
        };
        let needs_more = session.expires == 0 || session.wants_refresh(before);
        prop_assert_eq!(is_known, !needs_more, "{:?}", verdict);
        let mut read = [None; 4];
        for (slot, shard) in read.iter_mut().zip(&shards) {
            *slot = Some(shard.as_bytes());
        }
        prop_assert_eq!(Session::open(&keys, scope, read), Ok(Some(session)));
    }

    #[test]
    fn a_session_that_was_tampered_with_is_refused(
        session in any_session(),
        shard: prop::sample::Index,
        at: prop::sample::Index,
        with in "[A-Za-z0-9_-]",
        how in 0_u8..4,
    ) {
        let keys = keys();
        let mut shards = session.seal(&keys, SCOPE).expect("it fits");
        let shard = shard.index(shards.len());
        let whole = shards[shard].clone();
        let at = at.index(whole.len());
        match how {
            0 => shards[shard].replace_range(at..=at, &with),
            1 => shards[shard].insert_str(at, &with),
            2 => shards[shard].truncate(at),
            _ => shards.push(with),
        }
        let is_changed = shards[shard] != whole;
        let mut read = [None; 4];
        for (slot, shard) in read.iter_mut().zip(&shards) {
            *slot = Some(shard.as_bytes());
        }
        let opened = Session::open(&keys, SCOPE, read);
        if is_changed {
            prop_assert!(opened.is_err(), "{opened:?}");
        } else {
            prop_assert_eq!(opened, Ok(Some(session)), "more shards than the session has are not read");
        }
    }
}
