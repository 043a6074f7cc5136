//! Requests with a signature and an endpoint to send them to, for tests.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use aws_lc_rs::{digest, hmac};
use control::{
    Clock, Control, IssueFuture, IssuedCertificate, Issuer, ManualClock, NoPlane, Order,
    SequentialIds, Settings, Signature,
};

use crate::caller::Caller;
use crate::sigv4::AccessKey;
use crate::{Endpoint, Parts, RequestId, RequestIds};

/// 2026-01-02 03:04:05 UTC.
pub(crate) const NOW_MILLIS: u64 = 1_767_323_045_000;
pub(crate) const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000001";
/// The id of the root key.
pub(crate) const ROOT: &str = "KEY";
const SECRET: &str = "secret";

struct OneRequestId;

impl RequestIds for OneRequestId {
    fn next(&self) -> RequestId {
        RequestId::from_bits(1)
    }
}

/// Issues the same certificate every time, so that answers are the same in every run.
struct ShopIssuer(Signature);

impl Default for ShopIssuer {
    fn default() -> Self {
        Self(Signature {
            issuer: "Example".to_owned(),
            algorithm: "SHA256WITHRSA".to_owned(),
        })
    }
}

impl Issuer for ShopIssuer {
    fn signature(&self) -> &Signature {
        &self.0
    }

    fn issue(&self, _order: Order) -> IssueFuture<'_> {
        let issued = IssuedCertificate {
            certificate: pem("shop"),
            chain: pem("chain"),
            private_key: pem("shop.key"),
        };
        Box::pin(async { Ok(issued) })
    }
}

/// A file of `tests/certificates`.
pub(crate) fn pem(name: &str) -> String {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/certificates");
    std::fs::read_to_string(format!("{directory}/{name}.pem")).expect(name)
}

/// An endpoint over a fresh control plane, at a fixed time.
pub(crate) async fn endpoint() -> Endpoint {
    Endpoint::new(parts().await)
}

/// What [`endpoint`] is made of.
pub(crate) async fn parts() -> Parts {
    Parts {
        accounts: control_plane().await.into(),
        root_key: AccessKey::new(ROOT, SECRET),
        clock: Arc::new(ManualClock::at(NOW_MILLIS)),
        request_ids: Arc::new(OneRequestId),
        public_keys: HashMap::from([("key-1".to_owned(), "a key in PEM\n".to_owned())]),
        metrics: Arc::new(|| "requests 1\n".to_owned()),
        explain: Arc::new(|_, question| {
            Box::pin(async move {
                match &*question {
                    b"{}" => Ok("{\"answer\":1}".to_owned()),
                    _ => Err("that is no question".to_owned()),
                }
            })
        }),
        audit: None,
        throttle: None,
    }
}

/// A fresh control plane, at a fixed time.
pub(crate) async fn control_plane() -> Control {
    control_plane_at(Arc::new(ManualClock::at(NOW_MILLIS))).await
}

/// A fresh control plane with this clock.
pub(crate) async fn control_plane_at(clock: Arc<dyn Clock>) -> Control {
    control_plane_with(clock, Settings::default()).await
}

/// A fresh control plane with this clock and these settings.
pub(crate) async fn control_plane_with(clock: Arc<dyn Clock>, settings: Settings) -> Control {
    control_plane_over(Arc::new(store::Memory::new()), clock, settings).await
}

/// A control plane over this store, with this clock and these settings.
pub(crate) async fn control_plane_over(
    store: Arc<dyn store::Store>,
    clock: Arc<dyn Clock>,
    settings: Settings,
) -> Control {
    Control::open(control::Parts {
        store,
        plane: Arc::new(NoPlane),
        clock,
        ids: Arc::new(SequentialIds::default()),
        secret_key: Arc::new(control::SecretKey::new(&[7; control::SECRET_KEY_BYTES])),
        objects: Arc::new(control::NoObjects),
        issuer: Some(Arc::new(ShopIssuer::default())),
        settings,
    })
    .await
    .expect("the settings are in order")
}

/// A user who may only read.
pub(crate) fn read_only() -> Caller {
    Caller::User(Arc::new(model::access_key::AccessKey {
        id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        user_name: "monitoring".parse().expect("a name"),
        access: model::access_key::Access::ReadOnly,
        sealed_secret: String::new().into(),
        created_at_millis: 0,
    }))
}

/// The header fields that sign a request to `localhost` with the root key, made at the time of [`endpoint`].
///
/// The target may have a path but no query that has to be put in order.
pub(crate) fn sign(
    service: &str,
    method: &str,
    target: &str,
    body: &str,
) -> [(&'static str, String); 3] {
    sign_with((ROOT, SECRET), service, method, target, body)
}

/// As [`sign`], with a key: its id and its secret.
pub(crate) fn sign_with(
    key: (&str, &str),
    service: &str,
    method: &str,
    target: &str,
    body: &str,
) -> [(&'static str, String); 3] {
    sign_field(None, key, service, [method, target, body])
}

/// As [`sign_with`], with a field more, whose name is greater than `x-amz-date`. It is not among the fields returned.
pub(crate) fn sign_field(
    field: Option<(&str, &str)>,
    (id, secret): (&str, &str),
    service: &str,
    [method, target, body]: [&str; 3],
) -> [(&'static str, String); 3] {
    let line = field.map_or(String::new(), |(name, value)| format!("{name}:{value}\n"));
    let name = field.map_or(String::new(), |(name, _)| format!(";{name}"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let date = "20260102T030405Z";
    let scope = format!("20260102/us-east-1/{service}/aws4_request");
    let canonical = format!(
        "{method}\n{path}\n{query}\nhost:localhost\nx-amz-date:{date}\n{line}\nhost;x-amz-date{name}\n{}",
        hash(body)
    );
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hash(&canonical));
    let first = format!("AWS4{secret}").into_bytes();
    let key = scope
        .split('/')
        .fold(first, |key, part| keyed_hash(&key, part));
    let signature = hex(&keyed_hash(&key, &to_sign));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders=host;x-amz-date{name}, Signature={signature}"
    );
    [
        ("host", "localhost".to_owned()),
        ("x-amz-date", date.to_owned()),
        ("authorization", authorization),
    ]
}

fn keyed_hash(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
        .as_ref()
        .to_vec()
}

fn hash(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
