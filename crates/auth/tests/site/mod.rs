//! A load balancer with one authenticate action, its identity provider, and browsers that visit it.

#![allow(dead_code, reason = "each test file uses a part of it")]

#[path = "../provider/mod.rs"]
pub(crate) mod provider;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use auth::oidc::{CALLBACK_PATH, Oidc, Request, Verdict, authenticate};
use auth::{Client, Keys, Metric, Outcome, Step};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::authentication::{self, OnUnauthenticatedRequest, Schemes};
use provider::Provider;
use serde_json::{Value, json};
use url::Url;

pub(crate) const SIGNER: &str =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188";
pub(crate) const ISSUER: &str = "https://idp.example.com";
pub(crate) const START: u64 = 1_800_000_000;

pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(START + seconds)
}

/// A load balancer with one action, its identity provider, and the clock.
pub(crate) struct Site {
    pub(crate) provider: Arc<Provider>,
    pub(crate) client: Client,
    pub(crate) keys: Arc<Keys>,
    pub(crate) oidc: Arc<Oidc>,
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut authentication::Oidc)) -> Self {
        let provider = Provider::start().await;
        let mut settings = authentication::Oidc {
            issuer: ISSUER.to_owned(),
            authorization_endpoint: format!("{ISSUER}/authorize?tenant=1"),
            token_endpoint: provider.url("/token"),
            user_info_endpoint: provider.url("/userinfo"),
            client_id: "shop".to_owned(),
            client_secret: "s3cret&=".into(),
            session_cookie_name: authentication::Oidc::SESSION_COOKIE_NAME.to_owned(),
            scope: "openid email".to_owned(),
            session_timeout_seconds: 604_800,
            extra_params: vec![("prompt".to_owned(), "login".to_owned())],
            on_unauthenticated_request: OnUnauthenticatedRequest::Authenticate,
            signer: SIGNER.to_owned(),
        };
        change(&mut settings);
        let site = Self {
            client: provider.client(),
            keys: Arc::new(Keys::generate()),
            oidc: Arc::new(Oidc::new(settings, Schemes::Https).expect("valid settings")),
            provider: Arc::new(provider),
        };
        site.provider.answer_json("/token", &tokens());
        site.provider.answer_json("/userinfo", &user_info());
        site
    }

    pub(crate) fn verdict(&self, browser: &Browser, path: &str, now: SystemTime) -> Verdict {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let cookies = browser.field();
        let request = Request {
            authority: Some(b"shop.example.com"),
            path: path.as_bytes(),
            query: query.as_bytes(),
            cookies: &[cookies.as_bytes()],
            is_cors: browser.is_cors,
        };
        authenticate(&self.oidc, &self.keys, &request, now)
    }

    /// Sends a request and keeps the cookies of the answer, as a browser does.
    pub(crate) async fn visit(
        &self,
        browser: &mut Browser,
        path: &str,
        now: SystemTime,
    ) -> Outcome {
        let outcome = match self.verdict(browser, path, now) {
            Verdict::Answer(outcome) => outcome,
            Verdict::Ask(exchange) => exchange.run(&self.client).await,
        };
        browser.keep(&outcome.set_cookies);
        outcome
    }

    /// Begins a login and gives the path at which the provider would send the browser back.
    pub(crate) async fn begin(&self, browser: &mut Browser, path: &str) -> String {
        let outcome = self.visit(browser, path, at(0)).await;
        let location = location(&outcome);
        let state = parameter(&location, "state").expect("a login has a state");
        format!("{CALLBACK_PATH}?code=c0de&state={state}")
    }

    pub(crate) async fn log_in(&self) -> Browser {
        let mut browser = Browser::default();
        let callback = self.begin(&mut browser, "/").await;
        let outcome = self.visit(&mut browser, &callback, at(0)).await;
        assert_eq!(outcome.metric, Some(Metric::AuthSuccess), "{outcome:?}");
        self.provider.take_seen();
        browser
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        let seen = self.provider.take_seen();
        seen.into_iter().map(|it| it.path).collect()
    }
}

/// The cookies of one site in one browser.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    pub(crate) cookies: HashMap<String, String>,
    pub(crate) is_cors: bool,
}

impl Browser {
    pub(crate) fn keep(&mut self, set_cookies: &[String]) {
        for set_cookie in set_cookies {
            let (pair, attributes) = set_cookie.split_once("; ").expect("attributes");
            let (name, value) = pair.split_once('=').expect("a pair");
            if attributes.contains("Expires=Thu, 01 Jan 1970") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub(crate) fn field(&self) -> String {
        let pairs = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }
}

pub(crate) fn tokens() -> Value {
    json!({
        "access_token": "access-1", "token_type": "Bearer", "expires_in": 3600,
        "refresh_token": "refresh-1", "id_token": id_token(|_| {}),
    })
}

pub(crate) fn without(mut object: Value, member: &str) -> Value {
    object.as_object_mut().expect("an object").remove(member);
    object
}

pub(crate) fn user_info() -> Value {
    json!({"sub": "user-1", "email": "user@example.com", "iss": "liar", "exp": 1})
}

pub(crate) fn id_token(change: impl FnOnce(&mut Value)) -> String {
    let mut claims = json!({
        "iss": ISSUER, "aud": "shop", "sub": "user-1", "exp": START + 300, "iat": START,
    });
    change(&mut claims);
    let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    format!(
        "{}.{}.c2ln",
        encode(&json!({"alg": "RS256"})),
        encode(&claims)
    )
}

pub(crate) fn location(outcome: &Outcome) -> Url {
    match &outcome.step {
        Step::Redirect(location) => Url::parse(location).expect("a URL"),
        other => panic!("{other:?} is no redirect"),
    }
}

pub(crate) fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

pub(crate) fn fields(outcome: &Outcome) -> HashMap<&'static str, String> {
    match &outcome.step {
        Step::Forward(fields) => fields.iter().cloned().collect(),
        other => panic!("{other:?} is not forwarded"),
    }
}

pub(crate) fn is_login(outcome: &Outcome) -> bool {
    matches!(&outcome.step, Step::Redirect(location) if location.starts_with(ISSUER))
}
