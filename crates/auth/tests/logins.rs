//! `authenticate-oidc` against an identity provider over TLS: the whole login, and every failure.
//!
//! Source: ALB guide, "Authenticate users"; OpenID Connect Core 1.0; RFC 6749.

mod site;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use auth::oidc::{
    CALLBACK_PATH, CLAIMS_AND_TOKEN_MAX, LOGIN_TIMEOUT, Oidc, RESPONSE_MAX, Request, Verdict,
    action_of_callback, authenticate,
};
use auth::{Metric, Outcome, Reason, Step};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use model::authentication::Schemes;
use serde_json::{Value, json};
use site::provider::{Answer, Provider};
use site::{
    Browser, ISSUER, SIGNER, START, Site, at, fields, id_token, is_login, location, parameter,
    tokens, user_info, without,
};
use tokio::sync::Semaphore;

#[tokio::test]
async fn a_user_logs_in_and_is_known_to_the_target() {
    let site = Site::new().await;
    let mut browser = Browser::default();

    let sent_away = site.visit(&mut browser, "/cart?item=7&x=%20", at(0)).await;
    let url = location(&sent_away);
    assert_eq!(url.path(), "/authorize");
    let state = parameter(&url, "state").expect("a state");
    let parameters: Vec<_> = url
        .query_pairs()
        .filter(|(name, _)| name != "state")
        .collect();
    let expected = [
        ("tenant", "1"),
        ("client_id", "shop"),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("prompt", "login"),
        (
            "redirect_uri",
            "https://shop.example.com/oauth2/idpresponse",
        ),
    ];
    assert_eq!(
        parameters,
        expected.map(|(name, value)| (name.into(), value.into()))
    );
    assert!(sent_away.set_cookies[0].starts_with("AWSALBAuthNonce="));
    assert_eq!((sent_away.reason, sent_away.metric), (None, None));

    let callback = format!("{CALLBACK_PATH}?code=c%2F0de&state={state}");
    let back = site.visit(&mut browser, &callback, at(60)).await;
    let original = "https://shop.example.com/cart?item=7&x=%20".to_owned();
    assert_eq!(back.step, Step::Redirect(original));
    assert_eq!(
        (back.reason, back.metric),
        (None, Some(Metric::AuthSuccess))
    );
    let [cookie] = back.set_cookies.as_slice() else {
        panic!("a small session is one cookie");
    };
    assert!(cookie.starts_with("AWSELBAuthSessionCookie-0="), "{cookie}");
    assert!(
        cookie.ends_with("; Expires=Fri, 22 Jan 2027 08:01:00 GMT; Path=/; Secure; HttpOnly"),
        "{cookie}"
    );

    let [token, user_info] = site.provider.take_seen().try_into().expect("two calls");
    assert_eq!(
        (token.method.as_str(), token.path.as_str()),
        ("POST", "/token")
    );
    assert_eq!(
        token.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(
        token.body,
        "grant_type=authorization_code&code=c%2F0de\
         &redirect_uri=https%3A%2F%2Fshop.example.com%2Foauth2%2Fidpresponse\
         &client_id=shop&client_secret=s3cret%26%3D"
    );
    assert_eq!(
        (user_info.method.as_str(), user_info.path.as_str()),
        ("GET", "/userinfo")
    );
    assert_eq!(user_info.headers["authorization"], "Bearer access-1");

    let known = site.visit(&mut browser, "/cart?item=7", at(120)).await;
    let fields = fields(&known);
    assert_eq!(fields["x-amzn-oidc-accesstoken"], "access-1");
    assert_eq!(fields["x-amzn-oidc-identity"], "user-1");
    check_signed_claims(&site, &fields["x-amzn-oidc-data"], 120);
    assert_eq!(fields.len(), 3);
    assert!(known.set_cookies.is_empty() && known.metric.is_none());
    assert!(site.calls().is_empty(), "a known user costs no call");
}

/// As a target checks them. Source: ALB guide, "User claims encoding and signature verification".
fn check_signed_claims(site: &Site, token: &str, now: u64) {
    let parts: Vec<_> = token.split('.').collect();
    assert!(
        parts.iter().all(|part| part.len() % 4 == 0),
        "each part is padded"
    );
    let decode = |part: &str| BASE64_URL_SAFE.decode(part).expect("padded base64url");
    let object = |part: &str| serde_json::from_slice::<Value>(&decode(part)).expect("JSON");
    assert_eq!(
        object(parts[0]),
        json!({
            "typ": "JWT", "alg": "ES256", "kid": site.keys.key_id(), "iss": ISSUER,
            "client": "shop", "signer": SIGNER, "exp": START + now + 120,
        })
    );
    assert_eq!(
        object(parts[1]),
        json!({
            "sub": "user-1", "email": "user@example.com", "iss": ISSUER, "exp": START + now + 120,
        })
    );
    let pem = site.keys.public_key_pem();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = BASE64_STANDARD.decode(body).expect("PEM");
    let signed = format!("{}.{}", parts[0], parts[1]);
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, der)
        .verify(signed.as_bytes(), &decode(parts[2]))
        .expect("the published key verifies the claims");
}

#[tokio::test]
async fn what_is_wrong_at_the_token_endpoint_has_its_status_and_reason() {
    use Reason::{
        AuthInvalidGrant, AuthInvalidIdToken, AuthInvalidTokenResponse, AuthTokenRequestFailed,
        AuthTokenRequestTimeout, AuthUserInfoSizeExceeded,
    };
    let ok = |tokens: Value| Answer::Status(200, tokens.to_string());
    let with = |member: &str, value: Value| {
        let mut tokens = tokens();
        tokens[member] = value;
        ok(tokens)
    };
    let with_id = |change: fn(&mut Value)| with("id_token", json!(id_token(change)));
    let failed = |error: &str| Answer::Status(400, json!({"error": error}).to_string());
    for (answer, status, reason) in [
        (Answer::Close, 500, AuthTokenRequestTimeout),
        (
            Answer::Status(500, String::new()),
            500,
            AuthTokenRequestFailed,
        ),
        (Answer::Redirect("/userinfo"), 500, AuthTokenRequestFailed),
        (failed("invalid_client"), 500, AuthTokenRequestFailed),
        (failed("invalid_grant"), 401, AuthInvalidGrant),
        (
            Answer::Status(200, "<html>".to_owned()),
            401,
            AuthInvalidTokenResponse,
        ),
        (
            Answer::Status(200, "[]".to_owned()),
            401,
            AuthInvalidTokenResponse,
        ),
        (
            Answer::Status(200, String::new()),
            401,
            AuthInvalidTokenResponse,
        ),
        (
            Answer::Status(200, "x".repeat(RESPONSE_MAX + 1)),
            500,
            AuthUserInfoSizeExceeded,
        ),
        (
            ok(without(tokens(), "id_token")),
            401,
            AuthInvalidTokenResponse,
        ),
        (
            ok(without(tokens(), "access_token")),
            401,
            AuthInvalidTokenResponse,
        ),
        (
            with("access_token", json!("")),
            401,
            AuthInvalidTokenResponse,
        ),
        (
            with("access_token", json!("a\r\nb: c")),
            401,
            AuthInvalidTokenResponse,
        ),
        (
            with("access_token", json!(7)),
            401,
            AuthInvalidTokenResponse,
        ),
        (
            with("token_type", json!("mac")),
            401,
            AuthInvalidTokenResponse,
        ),
        (
            with("expires_in", json!("soon")),
            401,
            AuthInvalidTokenResponse,
        ),
        (with("expires_in", json!(-1)), 401, AuthInvalidTokenResponse),
        (with("id_token", json!("no token")), 401, AuthInvalidIdToken),
        (
            with_id(|it| it["iss"] = json!("https://other")),
            401,
            AuthInvalidIdToken,
        ),
        (
            with_id(|it| it["aud"] = json!("other")),
            401,
            AuthInvalidIdToken,
        ),
        (
            with_id(|it| it["aud"] = json!(["other"])),
            401,
            AuthInvalidIdToken,
        ),
        (
            with_id(|it| it["aud"] = json!(["shop", "other"])),
            401,
            AuthInvalidIdToken,
        ),
        (
            with_id(|it| it["azp"] = json!("other")),
            401,
            AuthInvalidIdToken,
        ),
        (
            with_id(|it| it["exp"] = json!(START)),
            401,
            AuthInvalidIdToken,
        ),
        (
            with_id(|it| it["exp"] = json!("never")),
            401,
            AuthInvalidIdToken,
        ),
        (
            with_id(|it| *it = without(it.take(), "exp")),
            401,
            AuthInvalidIdToken,
        ),
        (
            with_id(|it| *it = without(it.take(), "sub")),
            401,
            AuthInvalidIdToken,
        ),
        (
            with_id(|it| *it = without(it.take(), "aud")),
            401,
            AuthInvalidIdToken,
        ),
        (
            with_id(|it| *it = without(it.take(), "iss")),
            401,
            AuthInvalidIdToken,
        ),
    ] {
        check_failed_login("/token", answer, status, reason).await;
    }
}

#[tokio::test]
async fn what_is_wrong_at_the_user_info_endpoint_has_its_status_and_reason() {
    use Reason::{
        AuthInvalidUserInfoResponse, AuthUserInfoRequestFailed, AuthUserInfoRequestTimeout,
        AuthUserInfoSizeExceeded,
    };
    let ok = |claims: Value| Answer::Status(200, claims.to_string());
    let long = "x".repeat(CLAIMS_AND_TOKEN_MAX);
    for (answer, status, reason) in [
        (Answer::Close, 500, AuthUserInfoRequestTimeout),
        (
            Answer::Status(403, user_info().to_string()),
            500,
            AuthUserInfoRequestFailed,
        ),
        (Answer::Redirect("/token"), 500, AuthUserInfoRequestFailed),
        (
            Answer::Status(200, "x".repeat(RESPONSE_MAX + 1)),
            500,
            AuthUserInfoSizeExceeded,
        ),
        (
            ok(json!({"sub": "user-1", "long": long})),
            500,
            AuthUserInfoSizeExceeded,
        ),
        (
            Answer::Status(200, "eyJhbGciOi.x.y".to_owned()),
            401,
            AuthInvalidUserInfoResponse,
        ),
        (ok(json!([])), 401, AuthInvalidUserInfoResponse),
        (ok(json!({"email": "x"})), 401, AuthInvalidUserInfoResponse),
        (
            ok(json!({"sub": "user-2"})),
            401,
            AuthInvalidUserInfoResponse,
        ),
        (ok(json!({"sub": 1})), 401, AuthInvalidUserInfoResponse),
        (
            Answer::Status(200, r#"{"sub":"user-1","sub":"user-1"}"#.to_owned()),
            401,
            AuthInvalidUserInfoResponse,
        ),
    ] {
        check_failed_login("/userinfo", answer, status, reason).await;
    }
}

async fn check_failed_login(path: &str, answer: Answer, status: u16, reason: Reason) {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let callback = site.begin(&mut browser, "/").await;
    site.provider.answer(path, answer);
    let outcome = site.visit(&mut browser, &callback, at(0)).await;
    let expected = Outcome {
        step: Step::Refuse(status),
        set_cookies: Vec::new(),
        reason: Some(reason),
        metric: Some(reason.metric()),
    };
    assert_eq!(outcome, expected);
    let after = site.visit(&mut browser, "/", at(0)).await;
    assert!(is_login(&after), "there is no session");
    let calls = site.calls();
    let last = calls.last().map(String::as_str);
    assert_eq!(last, Some(path), "nothing is asked after a failure");
}

#[tokio::test]
async fn a_subject_that_would_break_out_of_its_field_is_refused() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let callback = site.begin(&mut browser, "/").await;
    let mut granted = tokens();
    granted["id_token"] = json!(id_token(|it| it["sub"] = json!("a\r\nx-admin: yes")));
    site.provider.answer_json("/token", &granted);
    site.provider
        .answer_json("/userinfo", &json!({"sub": "a\r\nx-admin: yes"}));
    let outcome = site.visit(&mut browser, &callback, at(0)).await;
    assert_eq!(outcome.reason, Some(Reason::AuthInvalidUserInfoResponse));
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_given_five_seconds() {
    for (path, reason) in [
        ("/token", Reason::AuthTokenRequestTimeout),
        ("/userinfo", Reason::AuthUserInfoRequestTimeout),
    ] {
        let site = Site::new().await;
        let mut browser = Browser::default();
        let callback = site.begin(&mut browser, "/").await;
        site.provider.answer(path, Answer::Never);
        let before = tokio::time::Instant::now();
        let outcome = site.visit(&mut browser, &callback, at(0)).await;
        assert_eq!(outcome.step, Step::Refuse(500));
        assert_eq!(
            (outcome.reason, outcome.metric),
            (Some(reason), Some(Metric::AuthError))
        );
        assert!(
            before.elapsed() >= Duration::from_secs(5),
            "the clock has jumped"
        );
        assert_eq!(site.client.counters().timeouts.load(Ordering::Relaxed), 1);
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_callback_has_to_be_the_end_of_a_login_of_this_browser() {
    let site = Site::new().await;
    let other_keys = Site::new().await;
    let mut browser = Browser::default();
    let callback = site.begin(&mut browser, "/").await;
    let foreign = other_keys.begin(&mut Browser::default(), "/").await;
    let mut stranger = Browser::default();
    site.begin(&mut stranger, "/").await;
    let nobody = Browser::default();
    let (without_state, _) = callback.split_once("&state").expect("a state");
    let without_code = callback.replace("code=c0de&", "");
    let mut forged = callback.clone();
    let last = forged.pop().expect("not empty");
    forged.push(if last == 'A' { 'Q' } else { 'A' });
    let late = LOGIN_TIMEOUT.as_secs();
    let error = |code: &str| format!("{CALLBACK_PATH}?error={code}&state=x");
    let failure = Some(Metric::AuthFailure);
    for (what, browser, callback, now, status, reason, metric) in [
        (
            "no nonce",
            &nobody,
            &*callback,
            0,
            401,
            Some(Reason::AuthMissingNonce),
            failure,
        ),
        (
            "another nonce",
            &stranger,
            &callback,
            0,
            401,
            Some(Reason::AuthInvalidNonce),
            failure,
        ),
        (
            "no state",
            &browser,
            without_state,
            0,
            401,
            Some(Reason::AuthMissingState),
            failure,
        ),
        (
            "no code",
            &browser,
            &without_code,
            0,
            401,
            Some(Reason::AuthMissingCode),
            failure,
        ),
        (
            "forged state",
            &browser,
            &forged,
            0,
            401,
            Some(Reason::AuthInvalidState),
            failure,
        ),
        (
            "foreign state",
            &browser,
            &foreign,
            0,
            401,
            Some(Reason::AuthInvalidState),
            failure,
        ),
        ("too late", &browser, &callback, late, 401, None, None),
        (
            "denied",
            &browser,
            &error("access_denied"),
            0,
            401,
            None,
            failure,
        ),
        (
            "an error",
            &browser,
            &error("server_error"),
            0,
            561,
            None,
            failure,
        ),
        (
            "an error",
            &nobody,
            &error("temporarily_unavailable"),
            0,
            561,
            None,
            failure,
        ),
    ] {
        let outcome = site.visit(&mut browser.clone(), callback, at(now)).await;
        assert_eq!(outcome.step, Step::Refuse(status), "{what}");
        assert_eq!((outcome.reason, outcome.metric), (reason, metric), "{what}");
    }
    assert!(
        site.calls().is_empty(),
        "none of these reaches the provider"
    );
    let in_time = site.visit(&mut browser, &callback, at(late - 1)).await;
    assert_eq!(
        in_time.reason,
        Some(Reason::AuthInvalidIdToken),
        "only the ID token is too old"
    );
}

#[tokio::test]
async fn a_state_is_good_for_the_action_that_made_it() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let callback = site.begin(&mut browser, "/").await;
    let mut settings = site.oidc.settings().clone();
    settings.client_id = "back office".to_owned();
    let other = Arc::new(Oidc::new(settings, Schemes::Https).expect("valid"));
    let actions = [Arc::clone(&other), Arc::clone(&site.oidc)];
    let (path, query) = callback.split_once('?').expect("a query");
    let field = browser.field();
    let request = Request {
        authority: Some(b"shop.example.com"),
        path: path.as_bytes(),
        query: query.as_bytes(),
        cookies: &[field.as_bytes()],
        is_cors: false,
    };
    let found = action_of_callback(&actions, &site.keys, &request).expect("it has begun here");
    assert!(Arc::ptr_eq(found, &site.oidc));
    let refuses = action_of_callback(&actions[..1], &site.keys, &request).expect("a login");
    assert!(Arc::ptr_eq(refuses, &other), "the path is reserved");
    assert!(action_of_callback(&[], &site.keys, &request).is_none());
    let elsewhere = Request {
        path: b"/",
        ..request
    };
    assert!(action_of_callback(&actions, &site.keys, &elsewhere).is_none());
    let Verdict::Answer(refused) = authenticate(&other, &site.keys, &request, at(0)) else {
        panic!("another action asks nobody");
    };
    assert_eq!(refused.reason, Some(Reason::AuthInvalidState));
}

#[tokio::test]
async fn logins_in_two_tabs_do_not_disturb_each_other() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let first = site.begin(&mut browser, "/one").await;
    let second = site.begin(&mut browser, "/two").await;
    for (callback, to) in [(first, "/one"), (second, "/two")] {
        let outcome = site.visit(&mut browser, &callback, at(0)).await;
        let url = format!("https://shop.example.com{to}");
        assert_eq!(outcome.step, Step::Redirect(url));
    }
}

#[tokio::test]
async fn cookies_of_cross_origin_requests_say_so() {
    let site = Site::new().await;
    let mut browser = Browser {
        is_cors: true,
        ..Browser::default()
    };
    let callback = site.begin(&mut browser, "/").await;
    let outcome = site.visit(&mut browser, &callback, at(0)).await;
    assert!(
        outcome
            .set_cookies
            .iter()
            .all(|it| it.ends_with("; Secure; HttpOnly; SameSite=None"))
    );
    browser.is_cors = false;
    let again = site.visit(&mut browser, &callback, at(0)).await;
    assert!(
        again
            .set_cookies
            .iter()
            .all(|it| it.ends_with("; Secure; HttpOnly"))
    );
}

#[tokio::test]
async fn no_more_calls_than_allowed_are_under_way() {
    let mut site = Site::new().await;
    site.client = site
        .provider
        .client_with(|it| it.concurrent_calls = NonZeroUsize::MIN);
    let told = Arc::new(Semaphore::new(0));
    site.provider.answer(
        "/token",
        Answer::When(Arc::clone(&told), tokens().to_string()),
    );
    let site = Arc::new(site);
    let mut logins = Vec::new();
    for _ in 0..2 {
        let mut browser = Browser::default();
        let callback = site.begin(&mut browser, "/").await;
        let site = Arc::clone(&site);
        logins.push(tokio::spawn(async move {
            site.visit(&mut browser, &callback, at(0)).await
        }));
    }
    while site.client.counters().waits.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    told.add_permits(2);
    for login in logins {
        assert_eq!(
            login.await.expect("no panic").metric,
            Some(Metric::AuthSuccess)
        );
    }
}

#[tokio::test]
async fn a_provider_with_an_unknown_certificate_is_told_nothing() {
    let mut site = Site::new().await;
    site.client = Provider::start().await.client();
    let mut browser = Browser::default();
    let callback = site.begin(&mut browser, "/").await;
    let outcome = site.visit(&mut browser, &callback, at(0)).await;
    assert_eq!(outcome.reason, Some(Reason::AuthTokenRequestTimeout));
    assert!(site.calls().is_empty());
}

#[tokio::test]
async fn plain_http_is_used_when_it_is_allowed() {
    let plain = Provider::start_plain().await;
    let mut site = Site::new().await;
    let mut settings = site.oidc.settings().clone();
    settings.token_endpoint = plain.url("/token");
    settings.user_info_endpoint = plain.url("/userinfo");
    let refused = Oidc::new(settings.clone(), Schemes::Https).expect_err("not allowed");
    let token = plain.url("/token");
    assert_eq!(
        refused.to_string(),
        format!("The '{token}' URL is not valid")
    );
    site.oidc = Arc::new(Oidc::new(settings, Schemes::HttpsAndHttp).expect("allowed"));
    site.provider = Arc::new(plain);
    site.provider.answer_json("/token", &tokens());
    site.provider.answer_json("/userinfo", &user_info());
    site.log_in().await;
}

#[tokio::test]
async fn logs_show_no_secret() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let callback = site.begin(&mut browser, "/").await;
    let Verdict::Ask(exchange) = site.verdict(&browser, &callback, at(0)) else {
        panic!("the provider has to be asked");
    };
    let shown = format!("{exchange:?} {:?} {:?}", site.oidc, site.keys);
    for secret in ["s3cret", "c0de", &browser.cookies["AWSALBAuthNonce"]] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
