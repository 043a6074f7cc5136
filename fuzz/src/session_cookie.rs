//! Session cookies: whoever did not get a session from us has none.
//!
//! The input is what a browser sends in `Cookie` fields, one a line. The keys are new for each run, so it
//! holds no session of theirs; then a session is put into it, whole and with one byte of the input's choice
//! changed.

use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use auth::oidc::{Grant, Oidc, Request, Scope, Session, Verdict, authenticate};
use auth::{Keys, Outcome, Reason, Step};
use model::authentication::{self, OnUnauthenticatedRequest, Schemes};

const NAME: &str = "S";
const SCOPE: Scope<'_> = Scope {
    signer: "arn",
    cookie_name: NAME,
};

static OIDC: LazyLock<Arc<Oidc>> = LazyLock::new(|| {
    let url = |path| format!("https://idp.example.com/{path}");
    let settings = authentication::Oidc {
        issuer: url(""),
        authorization_endpoint: url("authorize"),
        token_endpoint: url("token"),
        user_info_endpoint: url("userinfo"),
        client_id: "client".to_owned(),
        client_secret: "secret".into(),
        session_cookie_name: NAME.to_owned(),
        scope: "openid".to_owned(),
        session_timeout_seconds: 3600,
        extra_params: Vec::new(),
        on_unauthenticated_request: OnUnauthenticatedRequest::Authenticate,
        signer: SCOPE.signer.to_owned(),
    };
    Arc::new(Oidc::new(settings, Schemes::Https).expect("valid settings"))
});

static KEYS: LazyLock<Arc<Keys>> = LazyLock::new(|| Arc::new(Keys::generate()));

/// Reads the session of a request.
pub fn session_cookie(input: &[u8]) {
    let fields: Vec<&[u8]> = input.split(|&b| b == b'\n').collect();
    let outcome = decide(&fields);
    assert!(
        matches!(&outcome.step, Step::Redirect(to) if to.starts_with("https://idp.example.com/")),
        "whoever has no session is led to the login"
    );
    assert!(
        matches!(outcome.reason, None | Some(Reason::AuthInvalidCookie)),
        "a cookie is missing or not valid"
    );

    let session = Session {
        expires: u64::MAX,
        issuer: "https://idp.example.com/".to_owned(),
        client_id: "client".to_owned(),
        grant: Grant {
            subject: "user".to_owned(),
            claims: r#"{"sub":"user"}"#.to_owned(),
            // Long inputs make sessions of several shards.
            access_token: "t".repeat(1 + input.len().min(8000)),
            token_expires: None,
            refresh_token: None,
        },
    };
    let shards = session
        .seal(&KEYS, SCOPE)
        .expect("it fits into four shards");
    let pairs: Vec<Vec<u8>> = (0..)
        .zip(&shards)
        .map(|(index, shard)| format!("{NAME}-{index}={shard}").into_bytes())
        .collect();
    let first = |pairs: &[Vec<u8>]| -> Vec<Vec<u8>> {
        let rest = fields.iter().map(|field| field.to_vec());
        pairs.iter().cloned().chain(rest).collect()
    };
    assert!(
        is_known(&first(&pairs)),
        "cookies beside a session do no harm"
    );

    let [low, high, with, ..] = *input else {
        return;
    };
    let mut changed = pairs;
    let place = usize::from(u16::from_le_bytes([low, high]));
    let shard = place % changed.len();
    let start = NAME.len() + 3;
    let at = start + place % (changed[shard].len() - start);
    // White space around a value is no part of it, and a semicolon ends it.
    if with.is_ascii_graphic() && with != b';' && changed[shard][at] != with {
        changed[shard][at] = with;
        assert!(
            !is_known(&first(&changed)),
            "every byte of a session counts"
        );
    }
}

fn decide(fields: &[&[u8]]) -> Outcome {
    let request = Request {
        authority: Some(b"shop.example.com"),
        path: b"/",
        query: b"",
        cookies: fields,
        is_cors: false,
    };
    match authenticate(&OIDC, &KEYS, &request, SystemTime::UNIX_EPOCH) {
        Verdict::Answer(outcome) => outcome,
        Verdict::Ask(_) => panic!("no session here wants a refresh"),
    }
}

fn is_known(fields: &[Vec<u8>]) -> bool {
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    matches!(decide(&fields).step, Step::Forward(_))
}
