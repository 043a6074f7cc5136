//! What each kind of access key may do, in the answers of every protocol, and that a revoked one may do nothing.

use hyper::header::HeaderValue;

use super::tests::{Answered, send};
use super::*;
use crate::signed::{endpoint, sign, sign_field, sign_with};

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

/// An account with this id and a key of it.
async fn account(endpoint: &Endpoint, id: &str) -> Key {
    let body = format!("Action=CreateAccount&AccountId={id}");
    assert_eq!(as_root(endpoint, &body).await.status, 200);
    let control = endpoint.0.accounts.of(id).expect("it has been made");
    let input = control::access::CreateAccessKey {
        user_name: Some("ci".to_owned()),
        access: model::access_key::Access::Full,
    };
    let (key, secret) = control.create_access_key(input).await.expect("a key");
    Key {
        id: key.id.clone(),
        secret: secret.reveal().to_owned(),
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
    for (line, status, code, action, resource) in [
        (
            CREATE_GROUP,
            403,
            "<Code>AccessDenied</Code>",
            "elasticloadbalancing:CreateTargetGroup",
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/*",
        ),
        (
            RUN,
            403,
            "<Code>UnauthorizedOperation</Code>",
            "ec2:RunInstances",
            "arn:aws:ec2:us-east-1:123456789012:instance/*",
        ),
        (
            DELETE_CERTIFICATE,
            400,
            "\"AccessDeniedException\"",
            "acm:DeleteCertificate",
            "*",
        ),
        (
            EXPORT_CERTIFICATE,
            400,
            "\"AccessDeniedException\"",
            "acm:ExportCertificate",
            "*",
        ),
        (START_SHIFT, 403, "", "arc-zonal-shift:StartZonalShift", "*"),
        (
            CREATE_KEY,
            403,
            "<Code>AccessDenied</Code>",
            "elbow:CreateAccessKey",
            "*",
        ),
        (
            LIST_KEYS,
            403,
            "<Code>AccessDenied</Code>",
            "elbow:ListAccessKeys",
            "*",
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
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: {action} on resource: \
             {resource} because no identity-based policy allows the {action} action"
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

#[tokio::test]
async fn a_key_acts_in_its_own_account() {
    let endpoint = endpoint().await;
    let of_first = create(&endpoint, "ci", "full").await;
    let of_other = account(&endpoint, "210987654321").await;
    let vpc = endpoint.0.accounts.of("210987654321").expect("it is there");
    let vpc = vpc.read(|state| state.ec2.vpcs.keys().next().cloned().expect("the default"));
    let create = format!(
        "elasticloadbalancing POST / - Action=CreateTargetGroup&Version=2015-12-01&Name=web&Protocol=HTTP&Port=80\
         &VpcId={vpc}"
    );
    let list = "elasticloadbalancing POST / - Action=DescribeTargetGroups&Version=2015-12-01";
    let made = call(&endpoint, &of_other, &create).await.body;
    let arn = "arn:aws:elasticloadbalancing:us-east-1:210987654321:targetgroup/web/";
    assert!(made.contains(arn), "{made}");
    assert!(call(&endpoint, &of_other, list).await.body.contains(arn));
    let of_first = call(&endpoint, &of_first, list).await.body;
    assert!(!of_first.contains("targetgroup/"), "{of_first}");
    let who = "sts POST / - Action=GetCallerIdentity&Version=2011-06-15";
    let who = call(&endpoint, &of_other, who).await.body;
    assert!(who.contains("arn:aws:iam::210987654321:user/ci"), "{who}");
    // The root user revokes keys of every account.
    let body = format!("Action=DeleteAccessKey&AccessKeyId={}", of_other.id);
    assert_eq!(as_root(&endpoint, &body).await.status, 200);
    assert_eq!(call(&endpoint, &of_other, list).await.status, 403);
}

#[tokio::test]
async fn the_field_that_names_the_account_has_to_be_signed() {
    let endpoint = endpoint().await;
    account(&endpoint, "210987654321").await;
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let mut asked = request(sign("sts", "POST", "/", body), "POST", "/", body);
    let id = HeaderValue::from_static("210987654321");
    asked.headers_mut().insert(ACCOUNT_FIELD, id);
    let refused = send(&endpoint, asked).await;
    assert_eq!(refused.status, 403);
    let text = "'x-elbow-account' must be a 'SignedHeader'";
    assert!(refused.body.contains(text), "{}", refused.body);
}

#[tokio::test]
async fn the_root_user_may_act_in_every_account_and_others_in_their_own() {
    let endpoint = endpoint().await;
    let of_other = account(&endpoint, "210987654321").await;
    let root = Key {
        id: "KEY".to_owned(),
        secret: "secret".to_owned(),
    };
    for (key, id, status, part) in [
        (
            &root,
            "210987654321",
            200,
            "<Arn>arn:aws:iam::210987654321:root</Arn>",
        ),
        (
            &root,
            "123456789012",
            200,
            "<Arn>arn:aws:iam::123456789012:root</Arn>",
        ),
        (&root, "111111111111", 404, "<Code>NoSuchEntity</Code>"),
        (
            &of_other,
            "210987654321",
            200,
            "<Arn>arn:aws:iam::210987654321:user/ci</Arn>",
        ),
        (
            &of_other,
            "123456789012",
            403,
            "User: arn:aws:iam::210987654321:user/ci is not authorized to act in the account 123456789012",
        ),
        (&of_other, "111111111111", 403, "<Code>AccessDenied</Code>"),
    ] {
        let body = "Action=GetCallerIdentity&Version=2011-06-15";
        let field = Some((ACCOUNT_FIELD, id));
        let fields = sign_field(field, (&key.id, &key.secret), "sts", ["POST", "/", body]);
        let mut asked = request(fields, "POST", "/", body);
        let value = HeaderValue::from_str(id).expect("digits");
        asked.headers_mut().insert(ACCOUNT_FIELD, value);
        let answered = send(&endpoint, asked).await;
        assert_eq!(answered.status, status, "{id}: {}", answered.body);
        assert!(answered.body.contains(part), "{id}: {}", answered.body);
    }
}
