//! `jwt-validation` against an issuer over TLS: signatures, keys that change, issuers that fail.
//!
//! Source: ALB guide, "JWT verification"; RFC 7515, RFC 7519.

mod provider;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use auth::jwt::{FRESH_FOR, JwksCache, Jwt, REFRESH_PAUSE, USABLE_FOR, Verdict, validate};
use auth::{Client, Metric, Reason};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::authentication::{JwtValidation, Schemes};
use provider::{Answer, Provider};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;
const ISSUER: &str = "https://issuer.example.com";

struct Key {
    id: &'static str,
    pair: KeyPair,
}

impl Key {
    fn new(id: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key can be made");
        Self { id, pair }
    }

    fn published(&self) -> Value {
        let public = self.pair.public_key();
        let number = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "kty": "RSA", "kid": self.id, "use": "sig", "alg": "RS256",
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero()),
        })
    }

    /// A token that says it is signed as `header` says and is signed with RS256.
    fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let unused = aws_lc_rs::rand::SystemRandom::new();
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &unused,
                signed.as_bytes(),
                &mut signature,
            )
            .expect("an RSA key signs");
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    fn token(&self) -> String {
        self.sign(&json!({"alg": "RS256", "kid": self.id}), &claims())
    }
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

fn claims() -> Value {
    json!({"iss": ISSUER, "exp": 1_000_000, "sub": "user"})
}

/// An issuer, an action that trusts it, and the caches of a process.
struct Site {
    provider: Provider,
    client: Client,
    cache: JwksCache,
    jwt: Arc<Jwt>,
}

impl Site {
    async fn new() -> Self {
        let provider = Provider::start().await;
        let settings = JwtValidation {
            jwks_endpoint: provider.url("/jwks"),
            issuer: ISSUER.to_owned(),
            additional_claims: Vec::new(),
        };
        let jwt = Jwt::new(settings, Schemes::Https).expect("valid settings");
        Self {
            client: provider.client(),
            cache: JwksCache::new(),
            jwt: Arc::new(jwt),
            provider,
        }
    }

    async fn with(keys: &[&Key]) -> Self {
        let site = Self::new().await;
        site.publish(keys);
        site
    }

    fn publish(&self, keys: &[&Key]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.published()).collect();
        self.provider.answer_json("/jwks", &json!({"keys": keys}));
    }

    fn verdict(&self, token: &str, now: SystemTime) -> Verdict {
        let value = format!("Bearer {token}");
        validate(&self.jwt, &self.cache, [value.as_bytes()], now)
    }

    async fn ask(&self, token: &str, now: SystemTime) -> Result<(), Reason> {
        match self.verdict(token, now) {
            Verdict::Answer(answer) => answer,
            Verdict::Ask(fetch) => fetch.run(&self.client).await,
        }
    }

    fn calls(&self) -> usize {
        self.provider.take_seen().len()
    }
}

fn after(span: Duration) -> SystemTime {
    NOW + span
}

#[tokio::test]
async fn a_good_token_is_accepted_and_the_keys_are_fetched_once() {
    let key = Key::new("one");
    let site = Site::with(&[&key]).await;
    assert_eq!(site.ask(&key.token(), NOW).await, Ok(()));
    let seen = site.provider.take_seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].method.as_str(), seen[0].path.as_str()),
        ("GET", "/jwks")
    );
    let verdict = site.verdict(&key.token(), after(Duration::from_secs(299)));
    assert!(
        matches!(verdict, Verdict::Answer(Ok(()))),
        "no call is needed"
    );
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let (key, other) = (Key::new("one"), Key::new("one"));
    let site = Site::with(&[&key]).await;
    let good = key.token();
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    let header = |alg: &str| json!({"alg": alg, "kid": "one"});

    // RFC 8725 section 2.1: a public key is no secret, whatever the header says.
    let der = key.pair.public_key().as_der().expect("a public key");
    let hs256 = |secret: &[u8]| {
        let signed = unsigned(&header("HS256"), &claims());
        let tag = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, secret),
            signed.as_bytes(),
        );
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
    };
    let jwk = key.published().to_string();
    let mut claims_of_admin = claims();
    claims_of_admin["sub"] = json!("admin");
    let (_, other_claims) = unsigned(&header("RS256"), &claims_of_admin)
        .split_once('.')
        .map(|(header, claims)| (header.to_owned(), claims.to_owned()))
        .expect("two parts");
    let (header_part, _) = signed.split_once('.').expect("two parts");

    for (what, token) in [
        ("no signature", format!("{signed}.")),
        (
            "alg none",
            format!("{}.", unsigned(&header("none"), &claims())),
        ),
        (
            "alg none with a signature",
            key.sign(&header("none"), &claims()),
        ),
        ("HS256 with the public key", hs256(der.as_ref())),
        ("HS256 with the JWK", hs256(jwk.as_bytes())),
        (
            "alg of another family",
            key.sign(&header("PS256"), &claims()),
        ),
        ("another key", other.token()),
        (
            "other claims",
            format!("{header_part}.{other_claims}.{signature}"),
        ),
        (
            "half a signature",
            format!("{signed}.{}", &signature[..128]),
        ),
        ("no kid", key.sign(&json!({"alg": "RS256"}), &claims())),
        (
            "another kid",
            key.sign(&json!({"alg": "RS256", "kid": "two"}), &claims()),
        ),
        (
            "a key of its own",
            key.sign(
                &json!({"alg": "RS256", "kid": "two", "jwk": key.published()}),
                &claims(),
            ),
        ),
        (
            "crit",
            key.sign(
                &json!({"alg": "RS256", "kid": "one", "crit": ["exp"]}),
                &claims(),
            ),
        ),
    ] {
        let refused = site.ask(&token, NOW).await;
        assert_eq!(refused, Err(Reason::JwtSignatureInvalid), "{what}");
    }
    for (what, token) in [
        ("padding", format!("{good}==")),
        ("a part too many", format!("{good}.AAAA")),
        ("too long", format!("{good}{}", "A".repeat(16 * 1024))),
    ] {
        let refused = site.ask(&token, NOW).await;
        assert_eq!(refused, Err(Reason::JwtRequestFormatInvalid), "{what}");
    }
    assert_eq!(
        site.ask(&good, NOW).await,
        Ok(()),
        "the good one is good all the same"
    );
}

#[tokio::test]
async fn claims_are_checked_after_the_signature() {
    let key = Key::new("one");
    let site = Site::with(&[&key]).await;
    let header = json!({"alg": "RS256", "kid": "one"});
    for (claims, expected) in [
        (json!({"iss": ISSUER, "exp": 1}), Ok(())),
        (
            json!({"iss": ISSUER, "exp": 0}),
            Err(Reason::JwtClaimValueInvalid),
        ),
        (
            json!({"iss": "https://other.example.com", "exp": 1}),
            Err(Reason::JwtClaimValueInvalid),
        ),
        (json!({"exp": 1}), Err(Reason::JwtClaimNotPresent)),
        (
            json!({"iss": 1, "exp": 1}),
            Err(Reason::JwtClaimFormatInvalid),
        ),
    ] {
        assert_eq!(
            site.ask(&key.sign(&header, &claims), NOW).await,
            expected,
            "{claims}"
        );
    }
    let forged = Key::new("one").sign(&header, &json!({}));
    assert_eq!(
        site.ask(&forged, NOW).await,
        Err(Reason::JwtSignatureInvalid)
    );
}

#[tokio::test]
async fn a_request_without_one_token_asks_nobody() {
    let site = Site::with(&[&Key::new("one")]).await;
    let none = validate(&site.jwt, &site.cache, [], NOW);
    assert!(matches!(
        none,
        Verdict::Answer(Err(Reason::JwtHeaderNotPresent))
    ));
    let basic = validate(&site.jwt, &site.cache, [b"Basic eDp5".as_slice()], NOW);
    assert!(matches!(
        basic,
        Verdict::Answer(Err(Reason::JwtRequestFormatInvalid))
    ));
    assert_eq!(site.calls(), 0);
}

#[tokio::test]
async fn a_new_key_of_the_issuer_is_found_but_made_up_keys_are_no_flood() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let site = Site::with(&[&old]).await;
    assert_eq!(site.ask(&old.token(), NOW).await, Ok(()));
    site.publish(&[&old, &new]);

    let soon = after(REFRESH_PAUSE - Duration::from_secs(1));
    for _ in 0..3 {
        assert_eq!(
            site.ask(&new.token(), soon).await,
            Err(Reason::JwtSignatureInvalid)
        );
    }
    assert_eq!(site.calls(), 1, "only the first request has led to a call");

    let later = after(REFRESH_PAUSE);
    assert_eq!(site.ask(&new.token(), later).await, Ok(()));
    assert_eq!(site.ask(&old.token(), later).await, Ok(()));
    for _ in 0..3 {
        let made_up = new.sign(&json!({"alg": "RS256", "kid": "made up"}), &claims());
        assert_eq!(
            site.ask(&made_up, later).await,
            Err(Reason::JwtSignatureInvalid)
        );
    }
    assert_eq!(site.calls(), 1);
}

#[tokio::test]
async fn requests_with_a_new_key_wait_for_one_call() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let site = Arc::new(Site::with(&[&old]).await);
    assert_eq!(site.ask(&old.token(), NOW).await, Ok(()));
    assert_eq!(site.calls(), 1);
    let told = Arc::new(Semaphore::new(0));
    let keys = json!({"keys": [old.published(), new.published()]}).to_string();
    site.provider
        .answer("/jwks", Answer::When(Arc::clone(&told), keys));

    let later = after(REFRESH_PAUSE);
    let token = new.token();
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let (site, token) = (Arc::clone(&site), token.clone());
            tokio::spawn(async move { site.ask(&token, later).await })
        })
        .collect();
    while site
        .provider
        .take_seen()
        .iter()
        .all(|it| it.path != "/jwks")
    {
        tokio::task::yield_now().await;
    }
    let meanwhile = site.verdict(&old.token(), later);
    assert!(
        matches!(meanwhile, Verdict::Answer(Ok(()))),
        "the old key needs no waiting"
    );
    told.add_permits(1);
    for one in waiting {
        assert_eq!(one.await.expect("no panic"), Ok(()));
    }
    assert_eq!(site.calls(), 0, "the others have made no call of their own");
}

#[tokio::test]
async fn a_withdrawn_key_is_forgotten() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let site = Site::with(&[&old]).await;
    assert_eq!(site.ask(&old.token(), NOW).await, Ok(()));
    site.publish(&[&new]);
    let refused = site.ask(&old.token(), after(FRESH_FOR)).await;
    assert_eq!(refused, Err(Reason::JwtSignatureInvalid));
}

#[tokio::test]
async fn the_last_good_keys_outlast_a_failing_issuer_but_not_for_ever() {
    let key = Key::new("one");
    let site = Site::with(&[&key]).await;
    assert_eq!(site.ask(&key.token(), NOW).await, Ok(()));
    site.provider
        .answer("/jwks", Answer::Status(503, String::new()));
    assert_eq!(site.calls(), 1);

    let stale = after(FRESH_FOR);
    for _ in 0..3 {
        assert_eq!(site.ask(&key.token(), stale).await, Ok(()));
    }
    assert_eq!(
        site.calls(),
        1,
        "the issuer is asked once and then left alone"
    );
    assert_eq!(site.ask(&key.token(), stale + REFRESH_PAUSE).await, Ok(()));
    assert_eq!(site.calls(), 1, "and asked again after the pause");

    let old = after(USABLE_FOR);
    assert_eq!(
        site.ask(&key.token(), old).await,
        Err(Reason::JwksRequestFailed)
    );
    site.publish(&[&key]);
    let pause = site.ask(&key.token(), old).await;
    assert_eq!(pause, Err(Reason::JwksRequestFailed), "it is left alone");
    assert_eq!(site.ask(&key.token(), old + REFRESH_PAUSE).await, Ok(()));
}

#[tokio::test]
async fn every_failure_of_an_issuer_has_its_status_and_reason() {
    let key = Key::new("one");
    let eleven = json!({"keys": vec![key.published(); 11]}).to_string();
    let too_long = format!("{}{{}}", " ".repeat(150 * 1024));
    let ec_only = json!({"keys": [{"kty": "EC", "kid": "one"}]}).to_string();
    let keys = json!({"keys": [key.published()]}).to_string();
    for (answer, reason, status, name) in [
        (
            Answer::Close,
            Reason::JwksRequestTimeout,
            500,
            "JWKSRequestTimeout",
        ),
        (
            Answer::Status(200, too_long),
            Reason::JwksSizeExceeded,
            500,
            "JWKSResponseSizeExceeded",
        ),
        (
            Answer::Status(200, eleven),
            Reason::JwksSizeExceeded,
            500,
            "JWKSResponseSizeExceeded",
        ),
        (
            Answer::Status(404, keys.clone()),
            Reason::JwksRequestFailed,
            562,
            "JWKSRequestFailed",
        ),
        (
            Answer::Status(500, keys),
            Reason::JwksRequestFailed,
            562,
            "JWKSRequestFailed",
        ),
        (
            Answer::Redirect("/other"),
            Reason::JwksRequestFailed,
            562,
            "JWKSRequestFailed",
        ),
        (
            Answer::Status(200, "<html>".to_owned()),
            Reason::JwksResponseInvalid,
            562,
            "JWKSResponseInvalid",
        ),
        (
            Answer::Status(200, ec_only),
            Reason::JwksResponseInvalid,
            562,
            "JWKSResponseInvalid",
        ),
    ] {
        let site = Site::new().await;
        site.provider.answer("/jwks", answer);
        site.provider
            .answer_json("/other", &json!({"keys": [key.published()]}));
        assert_eq!(site.ask(&key.token(), NOW).await, Err(reason), "{name}");
        assert_eq!((reason.status(), reason.name()), (status, name));
        assert_eq!(reason.metric(), Metric::JwtValidationFailure);
        assert_eq!(site.calls(), 1);
        assert_eq!(
            site.ask(&key.token(), NOW).await,
            Err(reason),
            "{name} is remembered"
        );
        assert_eq!(site.calls(), 0);
    }
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_given_five_seconds() {
    let key = Key::new("one");
    let site = Site::new().await;
    site.provider.answer("/jwks", Answer::Never);
    let before = tokio::time::Instant::now();
    let refused = site.ask(&key.token(), NOW).await;
    assert_eq!(refused, Err(Reason::JwksRequestTimeout));
    assert!(
        before.elapsed() >= Duration::from_secs(5),
        "the clock has jumped to the timeout"
    );
    let timeouts = &site.client.counters().timeouts;
    assert_eq!(timeouts.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_issuer_with_another_certificate_is_not_believed() {
    let key = Key::new("one");
    let mut site = Site::with(&[&key]).await;
    let other = Provider::start().await;
    site.client = other.client();
    let refused = site.ask(&key.token(), NOW).await;
    assert_eq!(refused, Err(Reason::JwksRequestTimeout));
    assert_eq!(site.calls(), 0, "it was sent nothing");
}
