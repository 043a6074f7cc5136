//! Sessions after the login: refreshed, shared, cut into shards, ended.
//!
//! Source: ALB guide, "Authenticate users", session timeout and session cookies.

mod site;

use std::sync::Arc;

use auth::oidc::{CLAIMS_AND_TOKEN_MAX, Oidc, Request, Verdict, authenticate};
use auth::{Metric, Reason, SHARED_FOR, Step};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use model::authentication::{self, OnUnauthenticatedRequest, Schemes};
use serde_json::{Value, json};
use site::provider::Answer;
use site::{Browser, START, Site, at, fields, id_token, is_login, tokens, user_info, without};
use tokio::sync::Semaphore;

#[tokio::test]
async fn an_expired_access_token_is_refreshed() {
    let site = Site::new().await;
    let mut browser = site.log_in().await;
    let before = site.visit(&mut browser, "/", at(3599)).await;
    assert_eq!(fields(&before)["x-amzn-oidc-accesstoken"], "access-1");
    assert!(site.calls().is_empty());

    site.provider.answer_json(
        "/token",
        &json!({"access_token": "access-2", "expires_in": "60"}),
    );
    site.provider.answer_json(
        "/userinfo",
        &json!({"sub": "user-1", "email": "new@example.com"}),
    );
    let refreshed = site.visit(&mut browser, "/", at(3600)).await;
    assert_eq!(fields(&refreshed)["x-amzn-oidc-accesstoken"], "access-2");
    let claims = fields(&refreshed)["x-amzn-oidc-data"]
        .split('.')
        .nth(1)
        .map(str::to_owned);
    let claims = BASE64_URL_SAFE
        .decode(claims.expect("claims"))
        .expect("padded");
    assert!(String::from_utf8_lossy(&claims).contains("new@example.com"));
    assert_eq!(refreshed.metric, Some(Metric::AuthRefreshTokenSuccess));
    assert_eq!(refreshed.set_cookies.len(), 1);
    let seen = site.provider.take_seen();
    assert_eq!(
        seen[0].body,
        "grant_type=refresh_token&refresh_token=refresh-1&client_id=shop&client_secret=s3cret%26%3D"
    );

    let known = site.visit(&mut browser, "/", at(3659)).await;
    assert_eq!(fields(&known)["x-amzn-oidc-accesstoken"], "access-2");
    assert!(site.calls().is_empty());

    // The provider kept silent about refresh tokens, so the first one goes on; now it gives another.
    let mut replaced = tokens();
    replaced["refresh_token"] = json!("refresh-2");
    replaced["id_token"] = json!(id_token(|it| it["exp"] = json!(START + 9000)));
    site.provider.answer_json("/token", &replaced);
    site.provider.answer_json("/userinfo", &user_info());
    site.visit(&mut browser, "/", at(3660)).await;
    assert!(
        site.provider.take_seen()[0]
            .body
            .contains("refresh_token=refresh-1&")
    );
    site.visit(&mut browser, "/", at(3660 + 3600)).await;
    assert!(
        site.provider.take_seen()[0]
            .body
            .contains("refresh_token=refresh-2&")
    );
}

#[tokio::test]
async fn a_failed_refresh_is_a_new_login() {
    let invalid = json!({"error": "invalid_grant"}).to_string();
    let mut of_other = tokens();
    of_other["id_token"] = json!(id_token(|it| {
        it["sub"] = json!("user-2");
        it["exp"] = json!(START + 9000);
    }));
    for (path, answer, reason) in [
        (
            "/token",
            Answer::Status(400, invalid),
            Reason::AuthInvalidGrant,
        ),
        ("/token", Answer::Close, Reason::AuthTokenRequestTimeout),
        (
            "/token",
            Answer::Status(200, of_other.to_string()),
            Reason::AuthInvalidIdToken,
        ),
        (
            "/userinfo",
            Answer::Status(500, String::new()),
            Reason::AuthUserInfoRequestFailed,
        ),
        (
            "/userinfo",
            Answer::Status(200, json!({"sub": "user-2"}).to_string()),
            Reason::AuthInvalidUserInfoResponse,
        ),
    ] {
        for on_unauthenticated in [
            OnUnauthenticatedRequest::Authenticate,
            OnUnauthenticatedRequest::Deny,
        ] {
            let site = Site::with(|it| it.on_unauthenticated_request = on_unauthenticated).await;
            let mut browser = logged_in_for(&site).await;
            site.provider
                .answer_json("/token", &without(tokens(), "id_token"));
            site.provider.answer(path, answer.clone());
            let outcome = site.visit(&mut browser, "/", at(3600)).await;
            assert!(is_login(&outcome), "{reason:?}");
            assert_eq!(
                (outcome.reason, outcome.metric),
                (Some(reason), Some(reason.metric()))
            );
        }
        let site =
            Site::with(|it| it.on_unauthenticated_request = OnUnauthenticatedRequest::Allow).await;
        let mut browser = logged_in_for(&site).await;
        site.provider
            .answer_json("/token", &without(tokens(), "id_token"));
        site.provider.answer(path, answer);
        let outcome = site.visit(&mut browser, "/", at(3600)).await;
        assert_eq!(
            outcome.step,
            Step::Forward(Vec::new()),
            "an anonymous user may go on"
        );
        assert_eq!(outcome.reason, Some(reason));
    }
}

/// A session of an action that leads nobody to the login by itself: one that does has made it.
async fn logged_in_for(site: &Site) -> Browser {
    let mut settings = site.oidc.settings().clone();
    settings.on_unauthenticated_request = OnUnauthenticatedRequest::Authenticate;
    let login = Site {
        provider: Arc::clone(&site.provider),
        client: site.provider.client(),
        keys: Arc::clone(&site.keys),
        oidc: Arc::new(Oidc::new(settings, Schemes::Https).expect("valid")),
    };
    login.log_in().await
}

#[tokio::test]
async fn requests_that_need_the_same_refresh_share_it() {
    let site = Arc::new(Site::new().await);
    let browser = site.log_in().await;
    let told = Arc::new(Semaphore::new(0));
    let granted = without(tokens(), "id_token").to_string();
    site.provider
        .answer("/token", Answer::When(Arc::clone(&told), granted));
    let requests: Vec<_> = (0..5)
        .map(|_| {
            let (site, mut browser) = (Arc::clone(&site), browser.clone());
            tokio::spawn(async move { site.visit(&mut browser, "/", at(3600)).await })
        })
        .collect();
    told.add_permits(1);
    let mut counted = 0;
    for request in requests {
        let outcome = request.await.expect("no panic");
        assert_eq!(fields(&outcome)["x-amzn-oidc-identity"], "user-1");
        assert_eq!(outcome.set_cookies.len(), 1, "each gets the new session");
        counted += usize::from(outcome.metric == Some(Metric::AuthRefreshTokenSuccess));
    }
    assert_eq!(site.calls(), ["/token", "/userinfo"]);
    assert_eq!(counted, 1, "one refresh is counted once");

    let late = 3600 + SHARED_FOR.as_secs();
    site.visit(&mut browser.clone(), "/", at(late - 1)).await;
    assert!(site.calls().is_empty());
    site.provider
        .answer_json("/token", &without(tokens(), "id_token"));
    site.visit(&mut browser.clone(), "/", at(late)).await;
    assert_eq!(
        site.calls(),
        ["/token", "/userinfo"],
        "a result is not kept for long"
    );
}

/// Source: ALB guide, "Authenticate users", session timeout.
#[tokio::test]
async fn a_session_ends_with_its_timeout() {
    let week = 604_800;
    for (timeout, granted, steps) in [
        // Shorter than the access token: the timeout decides.
        (60, tokens(), vec![(59, "known"), (60, "login")]),
        // No refresh token, or no known end of the access token: the session outlives it.
        (
            week,
            without(tokens(), "refresh_token"),
            vec![(3600, "known"), (week - 1, "known"), (week, "login")],
        ),
        (
            week,
            without(tokens(), "expires_in"),
            vec![(3600, "known"), (week, "login")],
        ),
        // Refreshed, and over all the same.
        (
            7200,
            tokens(),
            vec![(3600, "refreshed"), (7199, "known"), (7200, "login")],
        ),
    ] {
        let site = Site::with(|it| it.session_timeout_seconds = timeout).await;
        site.provider.answer_json("/token", &granted);
        let mut browser = site.log_in().await;
        site.provider
            .answer_json("/token", &without(granted, "id_token"));
        for (now, expected) in steps {
            let outcome = site.visit(&mut browser, "/", at(now.into())).await;
            let found = match (&outcome.step, site.calls().is_empty()) {
                (Step::Forward(_), true) => "known",
                (Step::Forward(_), false) => "refreshed",
                _ if is_login(&outcome) => "login",
                _ => "refused",
            };
            assert_eq!(found, expected, "timeout {timeout}, after {now} s");
        }
    }
}

#[tokio::test]
async fn a_session_needs_its_load_balancer_and_cookie_name_but_not_its_action() {
    let site = Site::new().await;
    let mut browser = site.log_in().await;
    let act = |change: fn(&mut authentication::Oidc)| {
        let mut settings = site.oidc.settings().clone();
        change(&mut settings);
        Arc::new(Oidc::new(settings, Schemes::Https).expect("valid"))
    };
    let verdict = |oidc: &Arc<Oidc>, browser: &Browser, now| {
        let field = browser.field();
        let request = Request {
            authority: Some(b"shop.example.com"),
            path: b"/",
            query: b"",
            cookies: &[field.as_bytes()],
            is_cors: false,
        };
        match authenticate(oidc, &site.keys, &request, at(now)) {
            Verdict::Answer(outcome) => outcome,
            Verdict::Ask(_) => panic!("nobody needs to be asked"),
        }
    };
    let other_client = act(|it| it.client_id = "other".to_owned());
    let shared = verdict(&other_client, &browser, 0);
    assert_eq!(
        fields(&shared)["x-amzn-oidc-identity"],
        "user-1",
        "one name, one session"
    );
    let header = fields(&shared)["x-amzn-oidc-data"]
        .split('.')
        .next()
        .map(str::to_owned);
    let header = BASE64_URL_SAFE
        .decode(header.expect("a header"))
        .expect("padded");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    assert_eq!(header["client"], "shop", "the target is told who vouches");
    let stale = verdict(&other_client, &browser, 3600);
    assert!(
        is_login(&stale),
        "a refresh token is shown to nobody but its issuer"
    );

    let other_balancer = verdict(&act(|it| it.signer.push('0')), &browser, 0);
    assert!(is_login(&other_balancer));
    assert_eq!(other_balancer.reason, Some(Reason::AuthInvalidCookie));
    let other_name = act(|it| it.session_cookie_name = "Other".to_owned());
    assert_eq!(
        verdict(&other_name, &browser, 0).reason,
        None,
        "its cookie is not there"
    );
    let value = browser.cookies["AWSELBAuthSessionCookie-0"].clone();
    browser.cookies.insert("Other-0".to_owned(), value);
    let moved = verdict(&other_name, &browser, 0);
    assert_eq!(moved.reason, Some(Reason::AuthInvalidCookie));
}

#[tokio::test]
async fn large_sessions_are_cut_into_shards_and_left_over_shards_are_removed() {
    let site = Site::new().await;
    let long = "x".repeat(CLAIMS_AND_TOKEN_MAX - 200);
    site.provider
        .answer_json("/userinfo", &json!({"sub": "user-1", "long": long}));
    let mut browser = site.log_in().await;
    let shards = |browser: &Browser| {
        let names = browser
            .cookies
            .keys()
            .filter(|it| it.starts_with(authentication::Oidc::SESSION_COOKIE_NAME));
        names.count()
    };
    assert_eq!(shards(&browser), 4);
    assert!(
        browser
            .cookies
            .iter()
            .all(|(name, value)| name.len() + value.len() < 4096)
    );
    let known = site.visit(&mut browser, "/", at(1)).await;
    assert_eq!(fields(&known)["x-amzn-oidc-identity"], "user-1");

    site.provider
        .answer_json("/token", &without(tokens(), "id_token"));
    site.provider.answer_json("/userinfo", &user_info());
    let smaller = site.visit(&mut browser, "/", at(3600)).await;
    assert_eq!(
        smaller.set_cookies.len(),
        4,
        "one is set and three are removed"
    );
    assert_eq!(shards(&browser), 1);
    let known = site.visit(&mut browser, "/", at(3601)).await;
    assert_eq!(fields(&known)["x-amzn-oidc-identity"], "user-1");
}
