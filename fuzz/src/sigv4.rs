//! Signatures: none that was not made with the key is accepted, and none that was is accepted for another
//! request.
//!
//! The input is a request as text: a line with method and target, header lines, an empty line, the body.
//! To reach what lies behind the signature, a claim that is refused for nothing but its signature is signed
//! here, as the refusal says that it should have been, and has to be accepted then.

use api::ApiError;
use api::sigv4::{self, AccessKey, Claim, PRESIGNED_LIFE_MAX, Request, SignatureError};
use aws_lc_rs::hmac;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const NOW: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);
const REGION: &str = "us-east-1";
const KEY_ID: &str = "AKIDEXAMPLE";
/// The example of the AWS documentation, with which the seeds are signed.
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// Reads and verifies the signature of a request.
pub fn sigv4(input: &[u8]) {
    let Some(sent) = Sent::read(input) else {
        return;
    };
    let request = sent.request();
    let claim = match sigv4::claim(&request) {
        Ok(claim) => claim,
        Err(error) => return check_error(error),
    };
    check_claim(&claim);
    match verify(&claim, &request) {
        Ok(()) => check_accepted(&claim, &sent),
        Err(SignatureError::Mismatch { string_to_sign, .. }) => {
            let mut signed = claim.clone();
            signed.signature = sign(&claim, &string_to_sign);
            assert_ne!(
                signed.signature, claim.signature,
                "the right signature is accepted"
            );
            assert_eq!(
                verify(&signed, &request),
                Ok(()),
                "what the refusal names is accepted"
            );
            check_accepted(&signed, &sent);
        }
        Err(error) => check_error(error),
    }
}

/// A request that can be changed.
#[derive(Clone)]
struct Sent {
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Sent {
    /// `None` for what no HTTP server would hand on.
    fn read(input: &[u8]) -> Option<Self> {
        let (head, body) = match input.windows(2).position(|pair| pair == b"\n\n") {
            Some(end) => (&input[..end], &input[end + 2..]),
            None => (input, &[][..]),
        };
        let mut lines = head.split(|&b| b == b'\n');
        let first = std::str::from_utf8(lines.next()?).ok()?;
        let (method, target) = first.split_once(' ')?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        for line in lines {
            let colon = line.iter().position(|&b| b == b':')?;
            let name = HeaderName::from_bytes(&line[..colon]).ok()?;
            let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
            headers.try_append(name, value).ok()?;
        }
        Some(Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: body.to_owned(),
        })
    }

    fn request(&self) -> Request<'_> {
        Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }

    fn changed(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut changed = self.clone();
        change(&mut changed);
        changed
    }
}

fn verify(claim: &Claim, request: &Request<'_>) -> Result<(), SignatureError> {
    verify_with(claim, request, SECRET, NOW)
}

fn verify_with(
    claim: &Claim,
    request: &Request<'_>,
    secret: &str,
    now: OffsetDateTime,
) -> Result<(), SignatureError> {
    let key = AccessKey::new(KEY_ID, secret);
    sigv4::verify(claim, request, REGION, Some(&key), now)
}

/// Source: AWS General Reference, "Create a signed AWS API request", calculate the signature.
fn sign(claim: &Claim, string_to_sign: &str) -> Vec<u8> {
    let credential = &claim.credential;
    let scope = [
        &*credential.date,
        &credential.region,
        &credential.service,
        "aws4_request",
    ];
    let keyed_hash = |key: &[u8], text: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
    };
    let first = format!("AWS4{SECRET}").into_bytes();
    let key = scope.iter().fold(first, |key, part| keyed_hash(&key, part));
    keyed_hash(&key, string_to_sign)
}

fn check_claim(claim: &Claim) {
    assert_eq!(claim.signature.len(), 32, "a signature has 256 bits");
    assert!(
        claim.signed_headers.is_sorted(),
        "the signed headers are sorted"
    );
    assert!(
        claim
            .signed_headers
            .iter()
            .all(|name| !name.bytes().any(|b| b.is_ascii_uppercase())),
        "the signed headers are in lower case"
    );
    if let Some(life) = claim.expires {
        assert!(
            !life.is_zero() && life <= PRESIGNED_LIFE_MAX,
            "a presigned URL lives up to a week"
        );
    }
}

/// What must be true of a request whose signature is accepted.
fn check_accepted(claim: &Claim, sent: &Sent) {
    let credential = &claim.credential;
    assert_eq!(credential.access_key_id, KEY_ID);
    assert_eq!(credential.region, REGION);
    assert_eq!(
        credential.date, "20260102",
        "the scope is of the day of the signature"
    );
    assert!(
        claim.signed_headers.iter().any(|name| name == "host"),
        "the host is signed"
    );
    assert!(
        claim
            .signed_headers
            .iter()
            .all(|name| sent.headers.contains_key(name.as_str())),
        "every signed header is there"
    );
    for (what, changed) in changes(claim, sent) {
        assert!(
            verify(claim, &changed.request()).is_err(),
            "{what} is signed"
        );
    }
    let request = sent.request();
    let other_key = verify_with(claim, &request, "another secret", NOW);
    assert!(other_key.is_err(), "the secret is needed");
    for days in [-8, 8] {
        let later = verify_with(claim, &request, SECRET, NOW + Duration::days(days));
        assert!(later.is_err(), "a signature has its time");
    }
    for bit in [0, 255] {
        let mut forged = claim.clone();
        forged.signature[bit / 8] ^= 1 << (bit % 8);
        assert!(
            verify(&forged, &request).is_err(),
            "every bit of a signature counts"
        );
    }
}

/// Requests that the signature of `sent` is not good for.
fn changes(claim: &Claim, sent: &Sent) -> Vec<(&'static str, Sent)> {
    let mut changes = vec![
        ("the method", sent.changed(|it| it.method.push('X'))),
        ("the path", sent.changed(|it| it.path.push_str("/x"))),
        ("the query", sent.changed(|it| it.query.push_str("&x=1"))),
    ];
    let name: HeaderName = claim.signed_headers[0]
        .parse()
        .expect("it is in the request");
    let append = |it: &mut Sent| {
        it.headers.append(name, HeaderValue::from_static("x"));
    };
    changes.push(("a header", sent.changed(append)));
    let stated = sent.headers.get("x-amz-content-sha256");
    if stated.is_none_or(|value| value != "UNSIGNED-PAYLOAD") {
        changes.push(("the body", sent.changed(|it| it.body.push(b'x'))));
    }
    changes
}

fn check_error(error: SignatureError) {
    let told = ApiError::from(error);
    assert!(
        matches!(told.status, 400 | 403),
        "the fault is the caller's"
    );
    assert!(!told.message.is_empty(), "the caller is told what is wrong");
}
