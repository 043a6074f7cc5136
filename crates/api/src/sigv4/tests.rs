//! Requests signed by botocore are accepted as they are and in no other form.

use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::Value;
use time::macros::datetime;

use super::*;
use crate::ApiError;

const NOW: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

/// A request that can be changed after it was signed.
#[derive(Clone, Debug)]
struct Sent {
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
    region: String,
}

impl Sent {
    fn verify_at(&self, now: OffsetDateTime) -> Result<String, ApiError> {
        let request = Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        };
        let key = AccessKey::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let claim = claim(&request)?;
        verify(&claim, &request, &self.region, Some(&key), now)?;
        Ok(claim.credential.access_key_id)
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.headers
            .insert(HeaderName::from_static(name), value.try_into().unwrap());
    }

    /// Replaces a part of the `Authorization` field.
    fn rewrite(&mut self, from: &str, to: &str) {
        let field = self.headers[AUTHORIZATION].to_str().unwrap();
        assert!(field.contains(from), "{field} contains {from}");
        let field = field.replace(from, to);
        self.headers
            .insert(AUTHORIZATION, field.try_into().unwrap());
    }

    /// Replaces a part of the query.
    fn requery(&mut self, from: &str, to: &str) {
        assert!(self.query.contains(from), "{} contains {from}", self.query);
        self.query = self.query.replace(from, to);
    }
}

/// What `tests/vectors/sigv4.py` wrote.
fn vectors() -> Vec<(String, Sent)> {
    let file: Value = serde_json::from_str(include_str!("../../tests/vectors/sigv4.json")).unwrap();
    assert_eq!(file["now"], "2026-01-02T03:04:05+00:00");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let sent = |vector: &Value| {
        let target = text(&vector["target"]);
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let fields = vector["headers"].as_array().unwrap().iter().map(|field| {
            (
                text(&field[0]).parse::<HeaderName>().unwrap(),
                text(&field[1]).parse::<HeaderValue>().unwrap(),
            )
        });
        let sent = Sent {
            method: text(&vector["method"]),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: fields.collect(),
            body: text(&vector["body"]).into_bytes(),
            region: text(&vector["region"]),
        };
        (text(&vector["name"]), sent)
    };
    file["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .map(sent)
        .collect()
}

fn vector(name: &str) -> Sent {
    vectors()
        .into_iter()
        .find(|(found, _)| found == name)
        .expect(name)
        .1
}

#[test]
fn what_botocore_signed_is_accepted() {
    assert!(vectors().len() >= 13, "the vectors are read");
    for (name, sent) in vectors() {
        assert_eq!(sent.verify_at(NOW), Ok("AKIDEXAMPLE".to_owned()), "{name}");
    }
}

type Change = fn(&mut Sent);

#[test]
fn any_change_of_what_is_signed_is_refused() {
    let changes: [(&str, Change); 7] = [
        ("method", |sent| sent.method = "PUT".to_owned()),
        ("path", |sent| sent.path.push_str("/x")),
        ("query", |sent| sent.query.push_str("&x=1")),
        ("body", |sent| sent.body.push(b'x')),
        ("host", |sent| {
            drop(
                sent.headers
                    .insert(HOST, HeaderValue::from_static("127.0.0.1:1")),
            )
        }),
        ("second host", |sent| {
            assert!(sent.headers.append(HOST, HeaderValue::from_static("other")))
        }),
        ("stated hash", |sent| sent.set("x-amz-content-sha256", "0")),
    ];
    for (name, sent) in vectors() {
        for (what, change) in changes {
            if name == "unsigned-payload" && what == "body" {
                continue;
            }
            let mut changed = sent.clone();
            change(&mut changed);
            let error = changed
                .verify_at(NOW)
                .expect_err(&format!("{what} of {name}"));
            assert_eq!(
                (error.code, error.status),
                ("SignatureDoesNotMatch", 403),
                "{what} of {name}"
            );
        }
    }
}

/// An attacker cannot turn the check of the body off.
#[test]
fn the_payload_is_unsigned_only_if_that_was_signed() {
    let mut sent = vector("post");
    sent.body.clear();
    sent.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    check(
        &sent,
        NOW,
        "SignatureDoesNotMatch",
        403,
        "The request signature we calculated does not match",
    );
}

#[test]
fn other_spellings_of_the_same_request_are_accepted() {
    let mut sent = vector("get-escapes");
    sent.query = "A=%c3%a4&C&A=%7E-._&B=+%2B%2f".to_owned();
    assert!(
        sent.verify_at(NOW).is_ok(),
        "the order and the case of escapes do not matter"
    );
    let mut sent = vector("path-dots");
    sent.path = "/a//c/d/".to_owned();
    assert!(sent.verify_at(NOW).is_ok(), "the path is normalised");
    let mut sent = vector("header-spaces");
    sent.set("x-note", "two words");
    assert!(sent.verify_at(NOW).is_ok(), "spaces are collapsed");
    let mut sent = vector("post");
    sent.rewrite(", ", ",");
    assert!(
        sent.verify_at(NOW).is_ok(),
        "spaces after commas do not matter"
    );
    sent.set("x-other", "1");
    assert!(
        sent.verify_at(NOW).is_ok(),
        "fields that are not signed do not matter"
    );
}

fn check(sent: &Sent, now: OffsetDateTime, code: &str, status: u16, message: &str) {
    let error = sent.verify_at(now).expect_err(message);
    assert_eq!((error.code, error.status), (code, status), "{error}");
    assert!(
        error.message.contains(message),
        "{message:?} is in {:?}",
        error.message
    );
}

#[test]
fn a_faulty_authorization_field_is_refused() {
    const INCOMPLETE: &str = "IncompleteSignature";
    const MISMATCH: &str = "SignatureDoesNotMatch";
    let signature = {
        let field = vector("post").headers[AUTHORIZATION]
            .to_str()
            .unwrap()
            .to_owned();
        field.split_once("Signature=").unwrap().1.to_owned()
    };
    for (from, to, code, message) in [
        (
            "AWS4-HMAC-SHA256 ",
            "Basic ",
            INCOMPLETE,
            "Unsupported AWS 'algorithm': 'Basic'",
        ),
        (
            "AWS4-HMAC-SHA256 ",
            "AWS4-ECDSA-P256-SHA256 ",
            INCOMPLETE,
            "'AWS4-ECDSA-P256-SHA256'",
        ),
        (
            "Credential=",
            "C=",
            INCOMPLETE,
            "Authorization header requires 'Credential' parameter.",
        ),
        (
            "Signature=",
            "S=",
            INCOMPLETE,
            "Authorization header requires 'Signature' parameter.",
        ),
        (
            "SignedHeaders=",
            "H=",
            INCOMPLETE,
            "Authorization header requires 'SignedHeaders' parameter.",
        ),
        (
            "Signature=",
            "Signature=0, Signature=",
            INCOMPLETE,
            "A request has one signature",
        ),
        (
            "/aws4_request",
            "",
            INCOMPLETE,
            "Credential must have exactly 5 slash-delimited elements",
        ),
        (
            "AKIDEXAMPLE",
            "AKID/EXAMPLE",
            INCOMPLETE,
            "Credential must have exactly 5 slash-delimited elements",
        ),
        (
            &signature,
            "00",
            INCOMPLETE,
            "64 lower-case hexadecimal digits",
        ),
        (
            &signature,
            &signature.to_uppercase(),
            INCOMPLETE,
            "64 lower-case hexadecimal digits",
        ),
        (
            &signature,
            &"0".repeat(64),
            MISMATCH,
            "The request signature we calculated does not match",
        ),
        (
            "/aws4_request",
            "/aws5_request",
            MISMATCH,
            "with a valid terminator: 'aws4_request', not 'aws5_request'",
        ),
        (
            "us-east-1",
            "eu-west-1",
            MISMATCH,
            "scoped to a valid region, not 'eu-west-1'. This endpoint is 'us-east-1'",
        ),
        (
            "/sts/",
            "/ec2/",
            MISMATCH,
            "The request signature we calculated does not match",
        ),
        (
            "20260102",
            "20260101",
            MISMATCH,
            "'20260101' != '20260102', from '20260102T030405Z'",
        ),
        (
            "host;",
            "",
            MISMATCH,
            "'Host' or ':authority' must be a 'SignedHeader'",
        ),
        (
            "host;",
            "host;x-absent;",
            MISMATCH,
            "'SignedHeaders' names 'x-absent'",
        ),
    ] {
        let mut sent = vector("post");
        sent.rewrite(from, to);
        let status = if code == INCOMPLETE { 400 } else { 403 };
        check(&sent, NOW, code, status, message);
    }
}

#[test]
fn the_key_has_to_be_known() {
    let mut sent = vector("post");
    sent.rewrite("AKIDEXAMPLE", "AKIDOTHER");
    check(
        &sent,
        NOW,
        "InvalidClientTokenId",
        403,
        "The security token included in the request is invalid.",
    );
    let mut sent = vector("post");
    sent.set("x-amz-security-token", "token");
    check(
        &sent,
        NOW,
        "InvalidClientTokenId",
        403,
        "The security token included in the request is invalid.",
    );
}

#[test]
fn a_request_has_one_signature_and_one_date() {
    let mut sent = vector("post");
    sent.headers.remove(AUTHORIZATION);
    check(
        &sent,
        NOW,
        "MissingAuthenticationToken",
        403,
        "Request is missing Authentication Token",
    );
    let mut sent = vector("post");
    sent.query = vector("presigned").query;
    check(
        &sent,
        NOW,
        "IncompleteSignature",
        400,
        "A request has one signature",
    );
    let mut sent = vector("post");
    sent.headers.append(
        AUTHORIZATION,
        HeaderValue::from_static("AWS4-HMAC-SHA256 x"),
    );
    check(
        &sent,
        NOW,
        "IncompleteSignature",
        400,
        "A request has one signature",
    );
    let mut sent = vector("post");
    sent.headers.remove("x-amz-date");
    check(
        &sent,
        NOW,
        "IncompleteSignature",
        400,
        "either a 'X-Amz-Date' or a 'Date' header",
    );
    sent.set("date", "Fri, 02 Jan 2026 03:04:05 GMT");
    check(
        &sent,
        NOW,
        "SignatureDoesNotMatch",
        403,
        "'SignedHeaders' names 'x-amz-date'",
    );
    let mut sent = vector("post");
    sent.set("x-amz-date", "2026-01-02");
    check(
        &sent,
        NOW,
        "IncompleteSignature",
        400,
        "'basic format'. Got '2026-01-02'",
    );
}

#[test]
fn signatures_are_good_for_fifteen_minutes_either_way() {
    let sent = vector("post");
    let minutes = time::Duration::minutes;
    let second = time::Duration::SECOND;
    assert!(sent.verify_at(NOW + minutes(15)).is_ok());
    assert!(sent.verify_at(NOW - minutes(15)).is_ok());
    check(
        &sent,
        NOW + minutes(15) + second,
        "RequestExpired",
        400,
        "Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T031906Z - 15 min.)",
    );
    check(
        &sent,
        NOW - minutes(15) - second,
        "RequestExpired",
        400,
        "Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z (20260102T024904Z + 15 min.)",
    );
}

#[test]
fn presigned_urls_are_good_for_the_time_they_say() {
    let second = time::Duration::SECOND;
    let sent = vector("presigned");
    assert!(sent.verify_at(NOW + second * 60).is_ok());
    check(
        &sent,
        NOW + second * 61,
        "RequestExpired",
        400,
        "- 60 sec.)",
    );
    check(
        &sent,
        NOW - second * 901,
        "RequestExpired",
        400,
        "Signature not yet current",
    );
    assert!(
        vector("presigned-header")
            .verify_at(NOW + second * 604_800)
            .is_ok(),
        "a week"
    );
    check(
        &vector("presigned-header"),
        NOW + second * 604_801,
        "RequestExpired",
        400,
        "Signature expired",
    );
}

#[test]
fn a_faulty_presigned_url_is_refused() {
    let expires = "X-Amz-Expires must be a number of seconds from 1 to 604800";
    for (from, to, code, message) in [
        (
            "X-Amz-Algorithm=",
            "Y=",
            "IncompleteSignature",
            "must include 'X-Amz-Algorithm'",
        ),
        (
            "X-Amz-Credential=",
            "Y=",
            "IncompleteSignature",
            "must include 'X-Amz-Credential'",
        ),
        (
            "X-Amz-Date=",
            "Y=",
            "IncompleteSignature",
            "must include 'X-Amz-Date'",
        ),
        (
            "X-Amz-Expires=",
            "Y=",
            "IncompleteSignature",
            "must include 'X-Amz-Expires'",
        ),
        (
            "X-Amz-SignedHeaders=",
            "Y=",
            "IncompleteSignature",
            "must include 'X-Amz-SignedHeaders'",
        ),
        (
            "X-Amz-Signature=",
            "Y=",
            "IncompleteSignature",
            "must include 'X-Amz-Signature'",
        ),
        (
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA1",
            "IncompleteSignature",
            "Unsupported AWS 'algorithm'",
        ),
        (
            "X-Amz-Expires=60",
            "X-Amz-Expires=0",
            "IncompleteSignature",
            expires,
        ),
        (
            "X-Amz-Expires=60",
            "X-Amz-Expires=604801",
            "IncompleteSignature",
            expires,
        ),
        (
            "X-Amz-Expires=60",
            "X-Amz-Expires=-1",
            "IncompleteSignature",
            expires,
        ),
        (
            "X-Amz-Expires=60",
            "X-Amz-Expires=60&X-Amz-Expires=61",
            "IncompleteSignature",
            "each once",
        ),
        (
            "X-Amz-Expires=60",
            "X-Amz-Expires=61",
            "SignatureDoesNotMatch",
            "does not match the signature you provided",
        ),
        (
            "20260102T030405Z",
            "20260102",
            "IncompleteSignature",
            "'basic format'. Got '20260102'",
        ),
        (
            "X-Amz-SignedHeaders=host",
            "X-Amz-SignedHeaders=date",
            "SignatureDoesNotMatch",
            "'Host' or ':authority'",
        ),
        (
            "X-Amz-Expires",
            "X-Amz-Security-Token=t&X-Amz-Expires",
            "InvalidClientTokenId",
            "security token",
        ),
    ] {
        let mut sent = vector("presigned");
        sent.requery(from, to);
        let status = if code == "IncompleteSignature" {
            400
        } else {
            403
        };
        check(&sent, NOW, code, status, message);
    }
}

/// The texts that a caller needs to find its own mistake are in the answer; the secret is not.
#[test]
fn a_mismatch_tells_what_was_hashed() {
    let mut sent = vector("post");
    sent.body = b"changed".to_vec();
    let error = sent.verify_at(NOW).unwrap_err();
    assert!(error.message.contains("\nhost:127.0.0.1:4566\n"), "{error}");
    assert!(
        error
            .message
            .contains("'AWS4-HMAC-SHA256\n20260102T030405Z\n20260102/us-east-1/sts/aws4_request\n")
    );
    assert!(!error.message.contains("wJalrXUtnFEMI"));
    assert_eq!(
        format!("{:?}", AccessKey::new("id", "secret")),
        "AccessKey(id)"
    );
}

proptest! {
    #[test]
    fn no_authorization_field_makes_it_panic(
        field in "(AWS4-HMAC-SHA256 )?(Credential=|SignedHeaders=|Signature=|[a-z0-9/;,= ]|\\PC){0,40}",
        date in "([0-9]{8}T[0-9]{6}Z|\\PC{0,20})",
        query in "\\PC{0,60}",
    ) {
        let mut sent = vector("post");
        let value = |text: &str| HeaderValue::from_bytes(text.as_bytes());
        if let (Ok(field), Ok(date)) = (value(&field), value(&date)) {
            sent.headers.insert(AUTHORIZATION, field);
            sent.headers.insert("x-amz-date", date);
            sent.query = query;
            prop_assert!(sent.verify_at(NOW).is_err());
        }
    }

    #[test]
    fn no_parameter_of_a_presigned_url_makes_it_panic(
        at in any::<prop::sample::Index>(),
        inserted in "(%[0-9a-f]{0,2}|[&=/;+]|\\PC){1,8}",
    ) {
        let mut sent = vector("presigned");
        let at = at.index(sent.query.len());
        sent.query.insert_str(at, &inserted);
        let _ = sent.verify_at(NOW);
    }
}
