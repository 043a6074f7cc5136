//! ALB guide, "Authenticate users" and "JWT verification": what clients, targets and identity providers see.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use engine::router::Rule;
use engine::{Action, Admission, Authentication};
use frames::{FramePeer, GET};
use model::authentication::{JwtValidation, Oidc, OnUnauthenticatedRequest};
use model::condition::{Condition, Patterns};
use support::{Fixture, Target, endpoint, field, forward_to, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
const ISSUER: &str = "https://idp.example";

fn oidc(provider: &Target, on_unauthenticated_request: OnUnauthenticatedRequest) -> Oidc {
    let at = |path: &str| format!("http://{}{path}", provider.address);
    Oidc {
        issuer: ISSUER.to_owned(),
        authorization_endpoint: format!("{ISSUER}/authorize"),
        token_endpoint: at("/token"),
        user_info_endpoint: at("/userinfo"),
        client_id: "shop".to_owned(),
        client_secret: "secret".into(),
        session_cookie_name: "Session".to_owned(),
        scope: "openid".to_owned(),
        session_timeout_seconds: 3600,
        extra_params: Vec::new(),
        on_unauthenticated_request,
        signer: "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/1"
            .into(),
    }
}

fn fixture(target: &Target, authentication: Authentication) -> Fixture {
    Fixture::with_action(Action {
        authentication: Some(authentication),
        ..forward_to(&[endpoint(target.address)])
    })
}

fn logging_in(
    target: &Target,
    provider: &Target,
    on_unauthenticated: OnUnauthenticatedRequest,
) -> Fixture {
    let oidc = oidc(provider, on_unauthenticated);
    fixture(target, Authentication::Oidc(Arc::new(oidc)))
}

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{fields}\r\n")
}

/// `name=value` of every cookie that a response sets.
fn cookies(response: &str) -> String {
    let values = response
        .lines()
        .filter_map(|line| line.strip_prefix("Set-Cookie: "));
    let pairs: Vec<_> = values.filter_map(|value| value.split(';').next()).collect();
    pairs.join("; ")
}

fn json(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// Logs in at `provider`, whose token endpoint answers with `grant` and an ID token: the response that ends the login.
fn log_in(fixture: &Fixture, provider: &Target, grant: &str) -> String {
    let begun = fixture.exchange(&get("/basket?item=1", ""));
    assert_eq!(status(&begun), 302);
    let location = field(&begun, "Location").unwrap();
    assert!(
        location.starts_with("https://idp.example/authorize?"),
        "{location}"
    );
    let (_, state) = location.split_once("state=").unwrap();
    let state = state.split('&').next().unwrap();
    let nonce = cookies(&begun);
    assert!(nonce.starts_with("AWSALBAuthNonce="), "{begun}");

    let mut browser = fixture.client();
    let callback = format!("/oauth2/idpresponse?code=c1&state={state}");
    browser.send(get(&callback, &format!("Cookie: {nonce}\r\n")));
    let mut asked = provider.accept();
    let request = asked.head();
    assert!(request.starts_with("POST /token HTTP/1.1\r\n"), "{request}");
    let expires = 4_000_000_000_u64;
    let claims =
        format!(r#"{{"iss":"{ISSUER}","aud":"shop","sub":"alice","exp":{expires},"iat":1}}"#);
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let id_token = format!(
        "{}.{}.{}",
        part(r#"{"alg":"RS256"}"#),
        part(&claims),
        part("s")
    );
    asked.send(json(&format!(
        r#"{{{grant},"token_type":"Bearer","id_token":"{id_token}"}}"#
    )));
    let (request, _provider) = provider.answer(&json(r#"{"sub":"alice","email":"a@b"}"#));
    assert_eq!(field(&request, "Authorization"), Some("Bearer t1"));
    browser.rest()
}

#[test]
fn a_login_ends_at_the_page_it_began_with() {
    let (target, provider) = (Target::listen(), Target::listen());
    let fixture = logging_in(&target, &provider, OnUnauthenticatedRequest::Authenticate);

    let grant = r#""access_token":"t1","expires_in":3600"#;
    let ended = log_in(&fixture, &provider, grant);
    assert_eq!(status(&ended), 302, "{ended}");
    assert_eq!(
        field(&ended, "Location"),
        Some("https://shop.example/basket?item=1")
    );
    let session = cookies(&ended);
    assert!(session.contains("Session-0="), "{ended}");

    let mut browser = fixture.client();
    let forged = "X-Amzn-Oidc-Identity: mallory\r\n";
    browser.send(get("/basket", &format!("Cookie: {session}\r\n{forged}")));
    let (request, _target) = target.answer(OK);
    assert_eq!(field(&request, "X-Amzn-Oidc-Identity"), Some("alice"));
    assert_eq!(field(&request, "X-Amzn-Oidc-Accesstoken"), Some("t1"));
    assert!(field(&request, "X-Amzn-Oidc-Data").is_some());
    assert_eq!(status(&browser.rest()), 200);

    let counters = fixture.counters();
    assert_eq!(counters.logins.value(), 1);
    assert_eq!(
        counters.requests.value(),
        3,
        "a request that waits is one request"
    );
}

#[test]
fn a_refreshed_session_goes_out_with_an_error_page_too() {
    let provider = Target::listen();
    let action = || {
        let oidc = oidc(&provider, OnUnauthenticatedRequest::Authenticate);
        Action {
            authentication: Some(Authentication::Oidc(Arc::new(oidc))),
            // Nobody listens there.
            ..forward_to(&[endpoint("127.0.0.1:1".parse().unwrap())])
        }
    };
    // The access token is over at once, so that the next request has it refreshed.
    let grant = |n: u8| format!(r#""access_token":"t{n}","refresh_token":"r{n}","expires_in":0"#);
    let refresh = |n: u8| {
        let (request, mut asked) = provider.answer(&json(&format!("{{{}}}", grant(n))));
        assert!(request.starts_with("POST /token "), "{request}");
        asked.until(&format!("refresh_token=r{}", n - 1));
        let (request, _) = provider.answer(&json(r#"{"sub":"alice"}"#));
        assert!(request.contains(" /userinfo "), "{request}");
    };
    let fixture = Fixture::with_action(action());
    let session = cookies(&log_in(&fixture, &provider, &grant(1)));
    let mut browser = fixture.client();
    browser.send(get("/", &format!("Cookie: {session}\r\n")));
    refresh(2);
    let page = browser.rest();
    assert_eq!(status(&page), 502);
    let session = cookies(&page);
    assert!(session.starts_with("Session-0="), "{page}");

    let fixture = Fixture::of_http2(action());
    let mut browser = FramePeer::connect(fixture.address);
    browser.request(1, &[&GET[..], &[("cookie", &session)]].concat(), true);
    refresh(3);
    let page = browser.response(1);
    assert_eq!(page.status(), 502);
    let set_cookie = page.field("set-cookie").expect("a session");
    assert!(set_cookie.starts_with("Session-0="), "{set_cookie}");
}

#[test]
fn the_action_says_what_becomes_of_who_is_not_logged_in() {
    use OnUnauthenticatedRequest::{Allow, Authenticate, Deny};
    for (what, expected) in [(Authenticate, 302), (Deny, 401)] {
        let (target, provider) = (Target::listen(), Target::listen());
        let fixture = logging_in(&target, &provider, what);
        let response = fixture.exchange(&get("/", "X-Amzn-Oidc-Identity: mallory\r\n"));
        assert_eq!(status(&response), expected);
        assert!(target.is_untouched());
    }
    let (target, provider) = (Target::listen(), Target::listen());
    let fixture = logging_in(&target, &provider, Allow);
    let mut client = fixture.client();
    client.send(get("/", "X-Amzn-Oidc-Identity: mallory\r\n"));
    let (request, _target) = target.answer(OK);
    assert_eq!(field(&request, "X-Amzn-Oidc-Identity"), None);
}

/// The callback is reserved on a listener of which any rule has logins, also where its path leads to another rule.
#[test]
fn a_callback_never_reaches_a_target() {
    let (target, provider) = (Target::listen(), Target::listen());
    let login = Authentication::Oidc(Arc::new(oidc(
        &provider,
        OnUnauthenticatedRequest::Authenticate,
    )));
    let forward = || forward_to(&[endpoint(target.address)]);
    let app = Rule {
        priority: 1,
        conditions: vec![Condition::PathPattern(Patterns::Wildcards(vec![
            "/app*".into(),
        ]))],
        action: Action {
            authentication: Some(login),
            ..forward()
        },
    };
    let mut fixture = Fixture::start(Admission::Anyone, vec![app], forward());
    let nonce = cookies(&fixture.exchange(&get("/app", "")));
    assert!(nonce.starts_with("AWSALBAuthNonce="), "{nonce}");
    let nonce = format!("Cookie: {nonce}\r\n");
    let callbacks = [
        ("", 401),
        ("?code=x", 401),
        ("?code=x&state=zzz", 401),
        ("?state=zzz", 401),
        ("?error=access_denied&state=zzz", 401),
        ("?error=server_error", 561),
        ("?error=server_error&state=zzz", 561),
    ];
    for (query, expected) in callbacks {
        for fields in ["", &nonce] {
            let response = fixture.exchange(&get(&format!("/oauth2/idpresponse{query}"), fields));
            assert_eq!(status(&response), expected, "{query:?} {fields:?}");
        }
    }
    assert_eq!(fixture.counters().login_failures.value(), 14);
    assert!(target.is_untouched());

    // Without logins the path is one like any other.
    fixture.publish(Admission::Anyone, Vec::new(), forward());
    let mut client = fixture.client();
    client.send(get("/oauth2/idpresponse?code=x", &nonce));
    let (request, _target) = target.answer(OK);
    assert!(request.starts_with("GET /oauth2/idpresponse?code=x HTTP/1.1\r\n"));
}

#[test]
fn a_provider_that_fails_is_answered_with_500() {
    let (target, provider) = (Target::listen(), Target::listen());
    let fixture = logging_in(&target, &provider, OnUnauthenticatedRequest::Authenticate);
    let begun = fixture.exchange(&get("/", ""));
    let (_, state) = field(&begun, "Location")
        .unwrap()
        .split_once("state=")
        .unwrap();
    let state = state.split('&').next().unwrap();
    let mut browser = fixture.client();
    let callback = format!("/oauth2/idpresponse?code=c1&state={state}");
    browser.send(get(&callback, &format!("Cookie: {}\r\n", cookies(&begun))));
    let (_, _provider) = provider.answer("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(status(&browser.rest()), 500);
    assert_eq!(fixture.counters().login_errors.value(), 1);
    assert!(target.is_untouched());
}

#[test]
fn a_bearer_token_is_needed_and_checked_with_the_keys_of_its_issuer() {
    let (target, issuer) = (Target::listen(), Target::listen());
    let jwt = JwtValidation {
        jwks_endpoint: format!("http://{}/keys", issuer.address),
        issuer: ISSUER.to_owned(),
        additional_claims: Vec::new(),
    };
    let fixture = fixture(&target, Authentication::Jwt(Arc::new(jwt)));
    for fields in [
        "",
        "Authorization: Basic x\r\n",
        "Authorization: Bearer x\r\n",
    ] {
        assert_eq!(
            status(&fixture.exchange(&get("/", fields))),
            401,
            "{fields:?}"
        );
    }
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let token = format!(
        "{}.{}.{}",
        part(r#"{"alg":"RS256","kid":"k1"}"#),
        part(&format!(r#"{{"iss":"{ISSUER}","exp":4000000000}}"#)),
        part("signature")
    );
    let mut client = fixture.client();
    client.send(get("/", &format!("Authorization: Bearer {token}\r\n")));
    let (request, _issuer) = issuer.answer("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
    assert!(request.starts_with("GET /keys HTTP/1.1\r\n"), "{request}");
    assert_eq!(status(&client.rest()), 562);
    assert_eq!(fixture.counters().token_failures.value(), 4);
    assert!(target.is_untouched());
}
