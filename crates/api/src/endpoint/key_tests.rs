//! What each kind of access key may do, in the answers of every protocol, and that a revoked one may do nothing.

use hyper::header::HeaderValue;

use super::tests::{Answered, send};
use super::*;
use crate::signed::{endpoint, sign, sign_with};

/// A key as `CreateAccessKey` told it.
struct Key {
    id: String,
    secret: String,
}

fn request(
    fields: [(&'static str, String); 3],
    method: &str,
    target: &str,
    body: &str,
) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in fields {
        request = request.header(name, value);
    }
    let body = Bytes::from(body.to_owned());
    request.body(body).expect("the parts are valid")
}

async fn as_root(endpoint: &Endpoint, body: &str) -> Answered {
    let body = format!("{body}&Version=2026-11-21");
    send(
        endpoint,
        request(sign("elbow", "POST", "/", &body), "POST", "/", &body),
    )
    .await
}

async fn create(endpoint: &Endpoint, name: &str, access: &str) -> Key {
    let body = format!("Action=CreateAccessKey&UserName={name}&Access={access}");
    let answered = as_root(endpoint, &body).await;
    let part = |name: &str| {
        let (_, rest) = answered.body.split_once(&format!("<{name}>")).expect(name);
        let (text, _) = rest.split_once(&format!("</{name}>")).expect(name);
        text.to_owned()
    };
    Key {
        id: part("AccessKeyId"),
        secret: part("SecretAccessKey"),
    }
}

/// A call as a line: service, method, target, operation of a JSON service or `-`, and body.
async fn call(endpoint: &Endpoint, key: &Key, line: &str) -> Answered {
    let parts: Vec<_> = line.splitn(5, ' ').collect();
    let [service, method, target, operation, body] = parts[..] else {
        panic!("five parts: {line}");
    };
    let fields = sign_with((&key.id, &key.secret), service, method, target, body);
    let mut request = request(fields, method, target, body);
    if operation != "-" {
        let target = HeaderValue::try_from(operation).expect("a header value");
        request.headers_mut().insert("x-amz-target", target);
    }
    send(endpoint, request).await
}

const DESCRIBE: &str =
    "elasticloadbalancing POST / - Action=DescribeLoadBalancers&Version=2015-12-01";
const CREATE_GROUP: &str = "elasticloadbalancing POST / - \
    Action=CreateTargetGroup&Version=2015-12-01&Name=web&TargetType=lambda";
const RUN: &str = "ec2 POST / - Action=RunInstances&Version=2016-11-15&DryRun=true";
const DELETE_CERTIFICATE: &str =
    r#"acm POST / CertificateManager.DeleteCertificate {"CertificateArn":"arn"}"#;
const EXPORT_CERTIFICATE: &str =
    r#"acm POST / CertificateManager.ExportCertificate {"CertificateArn":"arn"}"#;
const START_SHIFT: &str = "arc-zonal-shift POST /zonalshifts - {}";
const CREATE_KEY: &str = "elbow POST / - Action=CreateAccessKey&Version=2026-11-21";
const LIST_KEYS: &str = "elbow POST / - Action=ListAccessKeys&Version=2026-11-21";

#[tokio::test]
async fn a_read_only_key_reads() {
    let endpoint = endpoint().await;
    let key = create(&endpoint, "ci", "read-only").await;
    for line in [
        DESCRIBE,
        "ec2 POST / - Action=DescribeVpcs&Version=2016-11-15",
        r"acm POST / CertificateManager.ListCertificates {}",
        "arc-zonal-shift GET /zonalshifts - ",
    ] {
        let answered = call(&endpoint, &key, line).await;
        assert_eq!(answered.status, 200, "{line}: {}", answered.body);
    }
    let who = "sts POST / - Action=GetCallerIdentity&Version=2011-06-15";
    let answered = call(&endpoint, &key, who).await;
    let arn = "<Arn>arn:aws:iam::123456789012:user/ci</Arn>";
    assert!(answered.body.contains(arn), "{}", answered.body);
    let id = format!("<UserId>AIDA{}</UserId>", &key.id[4..]);
    assert!(answered.body.contains(&id), "{}", answered.body);
}

#[tokio::test]
async fn a_read_only_key_changes_nothing() {
    let endpoint = endpoint().await;
    let key = create(&endpoint, "ci", "read-only").await;
    for (line, status, code, action) in [
        (
            CREATE_GROUP,
            403,
            "<Code>AccessDenied</Code>",
            "elasticloadbalancing:CreateTargetGroup",
        ),
        (
            RUN,
            403,
            "<Code>UnauthorizedOperation</Code>",
            "ec2:RunInstances",
        ),
        (
            DELETE_CERTIFICATE,
            400,
            "\"AccessDeniedException\"",
            "acm:DeleteCertificate",
        ),
        (
            EXPORT_CERTIFICATE,
            400,
            "\"AccessDeniedException\"",
            "acm:ExportCertificate",
        ),
        (START_SHIFT, 403, "", "arc-zonal-shift:StartZonalShift"),
        (
            CREATE_KEY,
            403,
            "<Code>AccessDenied</Code>",
            "elbow:CreateAccessKey",
        ),
        (
            LIST_KEYS,
            403,
            "<Code>AccessDenied</Code>",
            "elbow:ListAccessKeys",
        ),
    ] {
        let Answered {
            status: found,
            body,
            ..
        } = call(&endpoint, &key, line).await;
        assert_eq!(found, status, "{line}: {body}");
        assert!(body.contains(code), "{line}: {body}");
        let text = format!(
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: {action} because no \
             identity-based policy allows the {action} action"
        );
        assert!(body.contains(&text), "{line}: {body}");
    }
    let fields = sign_with(
        (&key.id, &key.secret),
        "arc-zonal-shift",
        "POST",
        "/zonalshifts",
        "{}",
    );
    let refused = endpoint
        .answer(request(fields, "POST", "/zonalshifts", "{}"))
        .await;
    assert_eq!(
        refused.headers()["x-amzn-errortype"],
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn a_full_key_does_all_but_make_keys() {
    let endpoint = endpoint().await;
    let key = create(&endpoint, "deploy", "full").await;
    for line in [CREATE_GROUP, RUN, DELETE_CERTIFICATE, START_SHIFT] {
        let body = call(&endpoint, &key, line).await.body;
        assert!(!body.contains("not authorized"), "{line}: {body}");
    }
    for line in [CREATE_KEY, LIST_KEYS] {
        let body = call(&endpoint, &key, line).await.body;
        assert!(body.contains("not authorized"), "{line}: {body}");
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_in_the_code_of_each_protocol() {
    let endpoint = endpoint().await;
    let key = create(&endpoint, "ci", "full").await;
    assert_eq!(call(&endpoint, &key, DESCRIBE).await.status, 200);
    let body = format!("Action=DeleteAccessKey&AccessKeyId={}", key.id);
    assert_eq!(as_root(&endpoint, &body).await.status, 200);
    for (line, status, code) in [
        (DESCRIBE, 403, "<Code>InvalidClientTokenId</Code>"),
        (RUN, 401, "<Code>AuthFailure</Code>"),
        (DELETE_CERTIFICATE, 400, "\"UnrecognizedClientException\""),
        (
            START_SHIFT,
            403,
            "The security token included in the request is invalid.",
        ),
    ] {
        let answered = call(&endpoint, &key, line).await;
        assert_eq!(answered.status, status, "{line}: {}", answered.body);
        assert!(answered.body.contains(code), "{line}: {}", answered.body);
    }
}

#[tokio::test]
async fn the_secret_of_one_key_does_not_sign_for_another() {
    let endpoint = endpoint().await;
    let one = create(&endpoint, "one", "full").await;
    let two = create(&endpoint, "two", "full").await;
    let mixed = Key {
        id: one.id,
        secret: two.secret,
    };
    let body = call(&endpoint, &mixed, DESCRIBE).await.body;
    assert!(
        body.contains("<Code>SignatureDoesNotMatch</Code>"),
        "{body}"
    );
}
