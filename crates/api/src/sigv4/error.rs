//! Why a request is not accepted as signed, with the texts that AWS gives.

use std::time::Duration;

use time::OffsetDateTime;

use super::date;
use super::{PRESIGNED_LIFE_MAX, SKEW_MAX};
use crate::ApiError;

/// Why a request is not accepted as signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is neither an `Authorization` field nor a signature in the query.
    #[error("Request is missing Authentication Token")]
    Missing,
    /// There is more than one signature.
    #[error(
        "A request has one signature: one 'Authorization' header or the 'X-Amz-' query-string parameters, each once."
    )]
    Several,
    /// Not Signature Version 4 with HMAC-SHA256.
    #[error("Unsupported AWS 'algorithm': '{0}'. Sign with 'AWS4-HMAC-SHA256'.")]
    Algorithm(String),
    /// Parts of the `Authorization` field are absent.
    #[error("{}", requires(.0))]
    HeaderIncomplete(Vec<&'static str>),
    /// Neither `X-Amz-Date` nor `Date` is there.
    #[error("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")]
    NoDate,
    /// Parameters of a presigned URL are absent.
    #[error("{}", must_include(.0))]
    QueryIncomplete(Vec<&'static str>),
    /// The credential is not five parts.
    #[error(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{0}'"
    )]
    Credential(String),
    /// The signature is not 64 hexadecimal digits.
    #[error("'Signature' must be the 64 lower-case hexadecimal digits of an HMAC-SHA256.")]
    SignatureForm,
    /// The date is not in a known format.
    #[error(
        "Date must be in ISO-8601 'basic format'. Got '{0}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )]
    Date(String),
    /// The life of a presigned URL is out of range.
    #[error("X-Amz-Expires must be a number of seconds from 1 to {max}, got '{given}'.", max = PRESIGNED_LIFE_MAX.as_secs())]
    Expires {
        /// What stands there.
        given: String,
    },
    /// No such key, or a session token, of which there are none.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    /// The day of the scope is not that of the request.
    #[error(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
         '{scope}' != '{day}', from '{signed}'."
    )]
    ScopeDate {
        /// The day in the scope.
        scope: String,
        /// The day of the request.
        day: String,
        /// The time of the request.
        signed: String,
    },
    /// The scope names another Region.
    #[error(
        "Credential should be scoped to a valid region, not '{given}'. This endpoint is '{region}'."
    )]
    ScopeRegion {
        /// The Region in the scope.
        given: String,
        /// The Region of this endpoint.
        region: String,
    },
    /// The scope names another service than the one that was asked.
    #[error("Credential should be scoped to correct service: '{0}'.")]
    ScopeService(&'static str),
    /// The scope does not end as it has to.
    #[error("Credential should be scoped with a valid terminator: 'aws4_request', not '{0}'.")]
    ScopeTerminator(String),
    /// The signature is too old.
    #[error("{}", expired(*signed, *now, *valid_for))]
    Expired {
        /// When it was made.
        signed: OffsetDateTime,
        /// The time of day.
        now: OffsetDateTime,
        /// How long it was good for.
        valid_for: Duration,
    },
    /// The signature is from the future.
    #[error("{}", not_yet(*signed, *now))]
    NotYetCurrent {
        /// When it was made.
        signed: OffsetDateTime,
        /// The time of day.
        now: OffsetDateTime,
    },
    /// The `Host` field is not signed, so the request could be meant for somebody else.
    #[error("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")]
    HostNotSigned,
    /// A field that says what the request is about is not signed, so that anybody could have added it.
    #[error("'{0}' must be a 'SignedHeader' in the AWS Authorization.")]
    FieldNotSigned(&'static str),
    /// A signed header is not in the request.
    #[error("'SignedHeaders' names '{0}', which is not a header of the request.")]
    SignedHeaderAbsent(String),
    /// The body is not the one that was signed.
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    PayloadMismatch,
    /// The signature is not that of the request with this key.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS \
         Secret Access Key and signing method. Consult the service documentation for details.\n\n\
         The Canonical String for this request should have been\n'{canonical_request}'\n\n\
         The String-to-Sign should have been\n'{string_to_sign}'\n"
    )]
    Mismatch {
        /// What we hashed.
        canonical_request: String,
        /// What we signed.
        string_to_sign: String,
    },
}

impl From<SignatureError> for ApiError {
    fn from(error: SignatureError) -> Self {
        let message = error.to_string();
        let (code, status) = match error {
            SignatureError::Missing => ("MissingAuthenticationToken", 403),
            SignatureError::Several
            | SignatureError::Algorithm(_)
            | SignatureError::HeaderIncomplete(_)
            | SignatureError::NoDate
            | SignatureError::QueryIncomplete(_)
            | SignatureError::Credential(_)
            | SignatureError::SignatureForm
            | SignatureError::Date(_)
            | SignatureError::Expires { .. } => ("IncompleteSignature", 400),
            SignatureError::UnknownKey => ("InvalidClientTokenId", 403),
            // More than 15 minutes old, past its end, or from the future; each service has a code of its own for it.
            SignatureError::Expired { .. } | SignatureError::NotYetCurrent { .. } => {
                ("RequestExpired", 400)
            }
            SignatureError::ScopeDate { .. }
            | SignatureError::ScopeRegion { .. }
            | SignatureError::ScopeService(_)
            | SignatureError::ScopeTerminator(_)
            | SignatureError::HostNotSigned
            | SignatureError::FieldNotSigned(_)
            | SignatureError::SignedHeaderAbsent(_)
            | SignatureError::PayloadMismatch
            | SignatureError::Mismatch { .. } => ("SignatureDoesNotMatch", 403),
        };
        ApiError::new(code, status, message)
    }
}

fn requires(absent: &[&str]) -> String {
    let sentences = absent
        .iter()
        .map(|name| format!("Authorization header requires '{name}' parameter."));
    sentences.collect::<Vec<_>>().join(" ")
}

fn must_include(absent: &[&str]) -> String {
    let sentences = absent
        .iter()
        .map(|name| format!("AWS query-string parameters must include '{name}'. "));
    sentences.collect::<String>() + "Re-examine the query-string parameters."
}

fn expired(signed: OffsetDateTime, now: OffsetDateTime, valid_for: Duration) -> String {
    let limit = if valid_for == SKEW_MAX {
        "15 min".to_owned()
    } else {
        format!("{} sec", valid_for.as_secs())
    };
    format!(
        "Signature expired: {} is now earlier than {} ({} - {limit}.)",
        date::print(signed),
        date::print(now - valid_for),
        date::print(now)
    )
}

fn not_yet(signed: OffsetDateTime, now: OffsetDateTime) -> String {
    format!(
        "Signature not yet current: {} is still later than {} ({} + 15 min.)",
        date::print(signed),
        date::print(now + SKEW_MAX),
        date::print(now)
    )
}
