//! What the audit log has of calls to the endpoint: lines, compared as JSON with all of their members.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Request;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::{AuditLog, ELEMENTS_BYTES_MAX, TEXT_BYTES_MAX};
use crate::signed::{REQUEST_ID, parts, sign, sign_with};
use crate::{Bucket, Endpoint, Throttle};

#[derive(Debug, Default)]
struct Lines(Mutex<Vec<String>>);

impl AuditLog for Lines {
    fn append(&self, line: String) {
        self.0.lock().expect("nobody panicked").push(line);
    }
}

struct Fixture {
    endpoint: Endpoint,
    lines: Arc<Lines>,
}

async fn fixture() -> Fixture {
    let lines = Arc::new(Lines::default());
    let mut throttle = Throttle::default();
    let one = Bucket {
        capacity: 1,
        refill_millis: 1,
    };
    throttle.resize("ec2-mutating", one).expect("it is there");
    let parts = crate::Parts {
        audit: Some(lines.clone()),
        throttle: Some(Arc::new(throttle)),
        ..parts().await
    };
    Fixture {
        endpoint: Endpoint::new(parts),
        lines,
    }
}

/// What a request says beside its signature.
#[derive(Clone, Copy)]
struct Sent<'a> {
    service: &'a str,
    method: &'a str,
    target: &'a str,
    fields: &'a [(&'a str, &'a str)],
    body: &'a str,
}

fn form<'a>(service: &'a str, body: &'a str) -> Sent<'a> {
    Sent {
        service,
        method: "POST",
        target: "/",
        fields: &[("user-agent", "aws-cli/2")],
        body,
    }
}

impl Fixture {
    /// Sends a request with these fields of a signature; the record of it.
    async fn send(&self, sent: Sent<'_>, signature: &[(&str, String)]) -> Value {
        let mut request = Request::builder().method(sent.method).uri(sent.target);
        for (name, value) in sent.fields {
            request = request.header(*name, *value);
        }
        for (name, value) in signature {
            request = request.header(*name, value);
        }
        let body = Bytes::from(sent.body.to_owned());
        let mut request = request.body(body).expect("the parts are valid");
        request
            .extensions_mut()
            .insert(SocketAddr::from(([192, 0, 2, 7], 1234)));
        self.endpoint.answer(request).await;
        let mut lines = self.lines.0.lock().expect("nobody panicked");
        let line = lines.pop().expect("every call has a line");
        assert!(lines.is_empty(), "it has one");
        assert!(!line.contains('\n'), "{line}");
        serde_json::from_str(&line).expect("a line is JSON")
    }

    async fn call(&self, sent: Sent<'_>) -> Value {
        let signature = sign(sent.service, sent.method, sent.target, sent.body);
        self.send(sent, &signature).await
    }
}

/// The record of a call by the root user with these members in place of the usual ones.
fn record(changes: &Value) -> Value {
    let mut record = json!({
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "Root",
            "principalId": "123456789012",
            "arn": "arn:aws:iam::123456789012:root",
            "accountId": "123456789012",
            "accessKeyId": "KEY",
        },
        "eventTime": "2026-01-02T03:04:05Z",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2",
        "requestParameters": null,
        "responseElements": null,
        "requestID": REQUEST_ID,
        "eventID": REQUEST_ID,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "123456789012",
        "eventCategory": "Management",
    });
    for (name, value) in changes.as_object().expect("members") {
        record[name] = value.clone();
    }
    record
}

#[tokio::test]
async fn a_read_has_parameters_and_no_elements() {
    let sent = form(
        "elasticloadbalancing",
        "Action=DescribeTargetGroups&Version=2015-12-01&PageSize=5",
    );
    let expected = record(&json!({
        "eventSource": "elasticloadbalancing.amazonaws.com",
        "eventName": "DescribeTargetGroups",
        "readOnly": true,
        "requestParameters": { "pageSize": 5 },
        "apiVersion": "2015-12-01",
    }));
    assert_eq!(fixture().await.call(sent).await, expected);
}

#[tokio::test]
async fn a_change_has_parameters_and_elements() {
    let sent = form(
        "ec2",
        "Action=CreateTags&Version=2016-11-15&ResourceId.1=vpc-1&Tag.1.Key=a&Tag.1.Value=b",
    );
    let fixture = fixture().await;
    let refused = fixture.call(sent).await;
    let parameters = json!({
        "resourcesSet": { "items": [{ "resourceId": "vpc-1" }] },
        "tagSet": { "items": [{ "key": "a", "value": "b" }] },
    });
    assert_eq!(refused["requestParameters"], parameters);
    assert_eq!(refused["errorCode"], "Client.InvalidID");
    assert_eq!(refused["readOnly"], false);
    let sent = form(
        "elasticloadbalancing",
        "Action=CreateTargetGroup&Version=2015-12-01&Name=web&Protocol=HTTP&Port=80&TargetType=ip&VpcId=vpc-1",
    );
    let refused = fixture.call(sent).await;
    assert_eq!(refused["errorCode"], "ValidationError");
    assert_eq!(refused["responseElements"], Value::Null);
    let made = fixture
        .call(form(
            "ec2",
            "Action=CreateInternetGateway&Version=2016-11-15",
        ))
        .await;
    let elements = &made["responseElements"];
    assert_eq!(elements["requestId"], REQUEST_ID);
    assert_eq!(elements["internetGateway"]["attachmentSet"], json!({}));
    let made = fixture
        .call(form(
            "elbow",
            "Action=CreateAccessKey&Version=2026-11-21&UserName=ci",
        ))
        .await;
    assert_eq!(made["eventSource"], "elbow.internal");
    let key = &made["responseElements"]["accessKey"];
    assert_eq!(key["userName"], "ci");
    assert_eq!(key["secretAccessKey"], "HIDDEN_DUE_TO_SECURITY_REASONS");
}

#[tokio::test]
async fn secrets_are_hidden_also_where_an_error_repeats_them() {
    let fixture = fixture().await;
    let sent = Sent {
        fields: &[("x-amz-target", "CertificateManager.ImportCertificate")],
        ..form(
            "acm",
            r#"{"Certificate":"YQ==","PrivateKey":"aHVzaA==","Tags":[{"Key":"k"}]}"#,
        )
    };
    let record = fixture.call(sent).await;
    assert_eq!(record["eventName"], "ImportCertificate");
    let expected = json!({
        "certificate": "YQ==",
        "privateKey": "HIDDEN_DUE_TO_SECURITY_REASONS",
        "tags": [{ "key": "k" }],
    });
    assert_eq!(record["requestParameters"], expected);
    let both = STANDARD.encode("-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----");
    let input = json!({ "Certificate": both }).to_string();
    let sent = Sent {
        fields: &[("x-amz-target", "CertificateManager.ImportCertificate")],
        ..form("acm", &input)
    };
    let record = fixture.call(sent).await;
    let expected = json!({ "certificate": "HIDDEN_DUE_TO_SECURITY_REASONS" });
    assert_eq!(record["requestParameters"], expected);
    let sent = form(
        "elbow",
        "Action=CreateAccessKey&Version=2026-11-21&UserName=a%20hush&password=a%20hush",
    );
    let record = fixture.call(sent).await;
    assert_eq!(record["errorMessage"], "HIDDEN_DUE_TO_SECURITY_REASONS");
}

#[tokio::test]
async fn what_a_key_may_not_do_is_noted_with_its_user() {
    let fixture = fixture().await;
    let (key, secret) = fixture
        .endpoint
        .control()
        .create_access_key(control::access::CreateAccessKey {
            user_name: Some("ci".to_owned()),
            access: model::access_key::Access::ReadOnly,
        })
        .await
        .expect("the name is free");
    let sent = form(
        "elasticloadbalancing",
        "Action=DeleteRule&Version=2015-12-01&RuleArn=arn",
    );
    let signature = sign_with(
        (&key.id, secret.reveal()),
        sent.service,
        sent.method,
        sent.target,
        sent.body,
    );
    let found = fixture.send(sent, &signature).await;
    let expected = record(&json!({
        "userIdentity": {
            "type": "IAMUser",
            "principalId": key.user_id(),
            "arn": "arn:aws:iam::123456789012:user/ci",
            "accountId": "123456789012",
            "accessKeyId": key.id,
            "userName": "ci",
        },
        "eventSource": "elasticloadbalancing.amazonaws.com",
        "eventName": "DeleteRule",
        "readOnly": false,
        "requestParameters": { "ruleArn": "arn" },
        "apiVersion": "2015-12-01",
        "errorCode": "AccessDenied",
        "errorMessage": "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: \
             elasticloadbalancing:DeleteRule on resource: * because no identity-based policy allows the \
             elasticloadbalancing:DeleteRule action",
    }));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_question_is_noted() {
    let fixture = fixture().await;
    for (method, body, code) in [
        ("POST", "{}", Value::Null),
        ("POST", "hush", "ValidationError".into()),
        ("GET", "", "InvalidAction".into()),
    ] {
        let sent = Sent {
            method,
            target: crate::EXPLAIN_PATH,
            ..form("elasticloadbalancing", body)
        };
        let record = fixture.call(sent).await;
        assert_eq!(record["eventName"], "Explain", "{record}");
        assert_eq!(record["readOnly"], true, "{record}");
        assert_eq!(record["requestParameters"], Value::Null, "{record}");
        assert_eq!(record["userIdentity"]["type"], "Root", "{record}");
        assert_eq!(
            record.get("errorCode").unwrap_or(&Value::Null),
            &code,
            "{record}"
        );
        assert!(!record.to_string().contains("hush"), "{record}");
    }
}

/// The connection of such a caller ends, and with it the future of the answer is dropped.
#[tokio::test]
async fn a_caller_that_goes_away_is_noted() {
    let fixture = fixture().await;
    let body = "Action=CreateAccessKey&Version=2026-11-21&UserName=ci";
    let mut request = Request::builder().method("POST").uri("/");
    for (name, value) in sign("elbow", "POST", "/", body) {
        request = request.header(name, value);
    }
    let request = request
        .body(Bytes::from(body))
        .expect("the parts are valid");
    let mut answer = Box::pin(fixture.endpoint.answer(request));
    assert!(poll_once(&mut answer).await.is_pending());
    drop(answer);
    let noted = async {
        while fixture.lines.0.lock().expect("nobody panicked").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let noted = tokio::time::timeout(Duration::from_secs(30), noted).await;
    noted.expect("the call has a line all the same");
    assert_eq!(fixture.endpoint.control().list_access_keys().len(), 1);
}

/// Polls a future once.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context))
    })
    .await
}

#[tokio::test]
async fn a_throttled_call_is_noted() {
    let fixture = fixture().await;
    let sent = form("ec2", "Action=DeleteSubnet&Version=2016-11-15&SubnetId=x");
    let first = fixture.call(sent).await;
    assert_eq!(first["errorCode"], "Client.InvalidSubnetID.NotFound");
    let second = fixture.call(sent).await;
    assert_eq!(second["errorCode"], "Server.RequestLimitExceeded");
    assert_eq!(second["errorMessage"], "Request limit exceeded.");
}

/// Nothing that came with a request that is not verified is repeated, but for the names of an operation and a key.
#[tokio::test]
async fn a_request_without_a_good_signature_is_noted_without_its_contents() {
    let fixture = fixture().await;
    let body = "Action=CreateRule&Version=2015-12-01&ClientSecret=hush";
    let sent = form("elasticloadbalancing", body);
    let signed_by = |key: (&str, &str)| sign_with(key, sent.service, "POST", "/", body).to_vec();
    let with = |authorization: &str| {
        let mut fields = signed_by(("KEY", "secret"));
        fields[2].1 = authorization.to_owned();
        fields
    };
    let unknown = ("AKIAIOSFODNN7EXAMPLE", "secret");
    for (signature, sent, name, identity, code) in [
        (
            signed_by(unknown),
            sent,
            "CreateRule",
            json!({ "type": "Unknown", "accessKeyId": "AKIAIOSFODNN7EXAMPLE" }),
            "InvalidClientTokenId",
        ),
        (
            signed_by(("KEY", "wrong")),
            sent,
            "CreateRule",
            json!({ "type": "Unknown" }),
            "SignatureDoesNotMatch",
        ),
        (
            signed_by(("hush-as-the-id-of-the-key", "wrong")),
            sent,
            "CreateRule",
            json!({ "type": "Unknown" }),
            "InvalidClientTokenId",
        ),
        (
            sign_with(unknown, "hush", "POST", "/", body).to_vec(),
            sent,
            "CreateRule",
            json!({ "type": "Unknown", "accessKeyId": "AKIAIOSFODNN7EXAMPLE" }),
            "InvalidClientTokenId",
        ),
        (
            with("hush"),
            sent,
            "CreateRule",
            json!({ "type": "Unknown" }),
            "IncompleteSignature",
        ),
        (
            Vec::new(),
            Sent {
                body: "Action=hush&Version=2015-12-01",
                ..sent
            },
            "Unknown",
            json!({ "type": "Unknown" }),
            "MissingAuthenticationToken",
        ),
    ] {
        let record = fixture.send(sent, &signature).await;
        assert_eq!(record["eventName"], name, "{record}");
        assert_eq!(record["userIdentity"], identity, "{record}");
        assert_eq!(record["errorCode"], code, "{record}");
        assert_eq!(record["requestParameters"], Value::Null, "{record}");
        assert!(!record.to_string().contains("hush"), "{record}");
    }
}

#[tokio::test]
async fn a_line_is_bounded() {
    let fixture = fixture().await;
    let name = "n".repeat(200_000);
    let body = format!("Action=DescribeLoadBalancers&Version=2015-12-01&Names.member.1={name}");
    let agent = "é".repeat(2000);
    let sent = Sent {
        fields: &[("user-agent", &agent)],
        ..form("elasticloadbalancing", &body)
    };
    let record = fixture.call(sent).await;
    let parameters = &record["requestParameters"];
    assert_eq!(parameters["omitted"], true);
    assert_eq!(parameters["reason"], "requestParameters too large");
    assert!(parameters["originalSize"].as_u64() > Some(ELEMENTS_BYTES_MAX as u64));
    for name in ["userAgent", "errorMessage"] {
        let text = record[name].as_str().expect(name);
        assert!(text.len() <= TEXT_BYTES_MAX, "{name}");
        assert!(text.len() > TEXT_BYTES_MAX - 2, "{name}");
    }
}

#[tokio::test]
async fn what_elbow_does_not_serve_is_noted() {
    let fixture = fixture().await;
    for (service, body, source, name, code) in [
        (
            "sts",
            "Action=AssumeRole&Version=2011-06-15&SomethingSecret=x",
            "sts.amazonaws.com",
            "AssumeRole",
            "InvalidAction",
        ),
        (
            "s3",
            "Action=ListBuckets",
            "s3.amazonaws.com",
            "Unknown",
            "InvalidAction",
        ),
        ("sts", "", "sts.amazonaws.com", "Unknown", "MissingAction"),
    ] {
        let record = fixture.call(form(service, body)).await;
        assert_eq!(record["eventSource"], source, "{record}");
        assert_eq!(record["eventName"], name, "{record}");
        assert_eq!(record["errorCode"], code, "{record}");
        assert_eq!(record.get("readOnly"), None, "{record}");
        assert_eq!(record["requestParameters"], Value::Null, "{record}");
    }
}
