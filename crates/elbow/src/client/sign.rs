//! Signs requests: a form posted to `/`, and what others have made canonical.
//!
//! Source: AWS General Reference, "Create a signed AWS API request" (Signature Version 4).

use aws_lc_rs::digest;
use aws_lc_rs::hmac;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::credentials::RootKey;

/// The content type of forms, which is signed and has to be sent.
pub(super) const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The field that names the operation in the JSON protocols.
pub(super) const TARGET: &str = "x-amz-target";

const SIGNED_HEADERS: &str = "content-type;host;x-amz-date";

/// What is posted.
#[derive(Debug)]
pub(super) struct Content<'a> {
    /// The value of `Content-Type`.
    pub(super) content_type: &'a str,
    /// Other fields, with names that are greater than `x-amz-date` and in their order.
    pub(super) fields: &'a [(&'a str, &'a str)],
    /// The body.
    pub(super) body: &'a str,
}

/// What a signature adds to a request.
#[derive(Debug)]
pub(super) struct Signed {
    /// The value of `X-Amz-Date`.
    pub(super) date: String,
    /// The value of `Authorization`.
    pub(super) authorization: String,
}

impl Signed {
    /// Signs `content` for `service` in `region`, to be posted to `path` at `host` at the time `now`.
    pub(super) fn new(
        key: &RootKey,
        [region, service]: [&str; 2],
        [host, path]: [&str; 2],
        content: &Content<'_>,
        now: OffsetDateTime,
    ) -> Self {
        let date = date(now);
        let content_type = content.content_type;
        let mut fields = String::new();
        let mut signed_headers = SIGNED_HEADERS.to_owned();
        for (name, value) in content.fields {
            fields += &format!("{name}:{value}\n");
            signed_headers += &format!(";{name}");
        }
        let canonical_request = format!(
            "POST\n{path}\n\ncontent-type:{content_type}\nhost:{host}\nx-amz-date:{date}\n{fields}\n\
             {signed_headers}\n{}",
            hash(content.body.as_bytes())
        );
        let authorization = authorization(
            key,
            [region, service],
            &date,
            &signed_headers,
            &canonical_request,
        );
        Self {
            date,
            authorization,
        }
    }
}

/// The value of `X-Amz-Date` at this time.
pub(crate) fn date(now: OffsetDateTime) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    now.format(format)
        .expect("the format has no part that fails")
}

/// The value of `Authorization` for a canonical request of that date to a service in a Region.
pub(crate) fn authorization(
    key: &RootKey,
    [region, service]: [&str; 2],
    date: &str,
    signed_headers: &str,
    canonical_request: &str,
) -> String {
    let day = &date[..8];
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let hashed = hash(canonical_request.as_bytes());
    let string_to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}");
    let first = format!("AWS4{}", key.secret_access_key);
    let signing_key = [day, region, service, "aws4_request"]
        .iter()
        .fold(first.into_bytes(), |key, part| keyed_hash(&key, part));
    let signature = hex(&keyed_hash(&signing_key, &string_to_sign));
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed_headers}, Signature={signature}",
        key.access_key_id
    )
}

/// The SHA-256 of a body, in hexadecimal digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn keyed_hash(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    /// The signature was computed by botocore's `SigV4Auth` for the same request.
    #[test]
    fn the_signature_is_botocores() {
        let key = RootKey {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        };
        let signed = Signed::new(
            &key,
            ["us-east-1", "sts"],
            ["127.0.0.1:4566", "/"],
            &Content {
                content_type: CONTENT_TYPE,
                fields: &[],
                body: "Action=GetCallerIdentity&Version=2011-06-15",
            },
            datetime!(2026-01-02 03:04:05 UTC),
        );
        assert_eq!(signed.date, "20260102T030405Z");
        assert_eq!(
            signed.authorization,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/sts/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, Signature=07b2ac9b8221697517082d9ac0663c80e2eecda4598999c6c6ff67884935b638"
        );
    }
}
