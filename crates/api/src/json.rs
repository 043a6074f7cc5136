//! The protocol AWS JSON 1.1: the operation in a header field, input and result as JSON.
//!
//! The input becomes the same tree that forms are decoded to, so that the operations of all services read
//! their members with the same shapes and complain in the same words.
//! Source: Smithy, "AWS JSON 1.1 protocol".

use hyper::HeaderMap;
use serde_json::{Value, json};

use crate::ApiError;
use crate::query::Node;

/// The content type of requests and answers.
pub(crate) const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// How AWS Certificate Manager is called in `X-Amz-Target`.
pub(crate) const ACM: &str = "CertificateManager";

/// The value of `X-Amz-Target`: `CertificateManager.ListCertificates`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// What names the service.
    pub(crate) prefix: &'a str,
    /// What names the operation.
    pub(crate) operation: &'a str,
}

impl<'a> Target<'a> {
    /// The target that a request names.
    pub(crate) fn of(headers: &'a HeaderMap) -> Option<Self> {
        let text = headers.get("x-amz-target")?.to_str().ok()?;
        let (prefix, operation) = text.rsplit_once('.')?;
        Some(Self { prefix, operation })
    }
}

/// The error for a request that names no operation of the service.
pub(crate) fn unknown_target() -> ApiError {
    ApiError::sender(
        "UnknownOperationException",
        "The X-Amz-Target of the request names no operation of the service that it is signed for.",
    )
}

/// The members of the input.
///
/// # Errors
/// `SerializationException` if the body is not a JSON object. An empty body is an empty object.
pub(crate) fn decode(body: &[u8]) -> Result<Node, ApiError> {
    let refused = |message: String| ApiError::sender("SerializationException", message);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Node::default());
    }
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| refused(format!("The body is not JSON: {error}")))?;
    match value {
        Value::Object(_) => Ok(Node::from_json(&value)),
        _ => Err(refused("The body must be a JSON object.".to_owned())),
    }
}

/// The error of a JSON service for an error with a code of the Query services.
pub(crate) fn translate(code: &'static str, error: ApiError) -> ApiError {
    let (code, status) = match code {
        "AccessDenied" => ("AccessDeniedException", 400),
        "IncompleteSignature" => ("IncompleteSignatureException", 400),
        "InvalidAction" => ("UnknownOperationException", error.status),
        "InvalidClientTokenId" => ("UnrecognizedClientException", 400),
        "MalformedInput" | "InvalidParameterValue" => ("SerializationException", 400),
        "MissingAuthenticationToken" => ("MissingAuthenticationTokenException", 400),
        "SignatureDoesNotMatch" => ("InvalidSignatureException", 400),
        "ValidationError" => ("ValidationException", 400),
        other => (other, error.status),
    };
    ApiError {
        code,
        status,
        ..error
    }
}

/// The body that says what went wrong.
pub(crate) fn error(error: &ApiError) -> String {
    let mut body = json!({ "__type": error.code, "message": error.message });
    error.write_members(&mut body);
    body.to_string()
}

/// A time as JSON 1.1 has it: seconds since 1970, with the milliseconds after the point.
pub(crate) fn timestamp(millis: i64) -> Value {
    match millis % 1000 {
        0 => json!(millis / 1000),
        // A `f64` holds the milliseconds of the next 200,000 years without loss.
        _ => json!(millis as f64 / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{self, BOOLEAN, Blob, INTEGER, LONG, OneOf, TEXT, TIMESTAMP};

    fn headers(target: &str) -> HeaderMap {
        let value = target.parse().expect("a header value");
        HeaderMap::from_iter([("x-amz-target".parse().expect("a name"), value)])
    }

    #[test]
    fn a_target_names_service_and_operation() {
        let map = headers("CertificateManager.ListCertificates");
        let target = Target::of(&map).unwrap();
        assert_eq!((target.prefix, target.operation), (ACM, "ListCertificates"));
        assert_eq!(Target::of(&headers("ListCertificates")), None);
        assert_eq!(Target::of(&HeaderMap::new()), None);
    }

    #[test]
    fn members_are_read_with_the_shapes_of_all_services() {
        let body = br#"{"A":"x","B":7,"C":true,"D":["p","q"],"E":[],"F":{"G":"y"},"H":[{"I":1}],"J":null}"#;
        let input = decode(body).unwrap();
        let read = input::decode(&input, |fields| {
            (
                fields.required("A", TEXT),
                fields.optional("B", INTEGER),
                fields.optional("C", BOOLEAN),
                (fields.list("D", TEXT), fields.list("E", TEXT)),
                fields.structure("F", |inner| inner.required("G", TEXT)),
                fields.structures("H", |inner| inner.required("I", INTEGER)),
                fields.optional("J", TEXT),
            )
        });
        let expected = (
            "x".to_owned(),
            Some(7),
            Some(true),
            (vec!["p".to_owned(), "q".to_owned()], vec![]),
            Some("y".to_owned()),
            vec![1],
            None,
        );
        assert_eq!(read.unwrap(), expected);
    }

    /// What AWS was seen to answer.
    #[test]
    fn a_value_of_another_kind_is_refused() {
        let list = "Start of list found where not expected";
        let structure = "Start of structure or map found where not expected.";
        for (body, message) in [
            (
                r#"{"A":1}"#,
                "NUMBER_VALUE can not be converted to a String",
            ),
            (
                r#"{"A":1.5}"#,
                "NUMBER_VALUE can not be converted to a String",
            ),
            (
                r#"{"A":true}"#,
                "TRUE_VALUE can not be converted to a String",
            ),
            (
                r#"{"A":false}"#,
                "FALSE_VALUE can not be converted to a String",
            ),
            (r#"{"A":["x"]}"#, list),
            (r#"{"A":[]}"#, list),
            (r#"{"A":{}}"#, structure),
            (
                r#"{"B":"7"}"#,
                "STRING_VALUE can not be converted to an Integer",
            ),
            (
                r#"{"B":true}"#,
                "TRUE_VALUE can not be converted to an Integer",
            ),
            (
                r#"{"C":1}"#,
                "NUMBER_VALUE can not be converted to a Boolean",
            ),
            (
                r#"{"D":["p",1]}"#,
                "NUMBER_VALUE can not be converted to a String",
            ),
            (
                r#"{"E":["p",1]}"#,
                "NUMBER_VALUE can not be converted to a String",
            ),
            (r#"{"D":"p"}"#, "Expected list or null"),
            (r#"{"D":""}"#, "Expected list or null"),
            (r#"{"D":{}}"#, structure),
            (r#"{"D":{"member":{"1":"p"}}}"#, structure),
            (r#"{"H":{"I":"x"}}"#, structure),
            (
                r#"{"J":12345678}"#,
                "NUMBER_VALUE can not be converted to a Blob",
            ),
            (
                r#"{"K":"7"}"#,
                "STRING_VALUE can not be converted to a Long",
            ),
            (
                r#"{"L":"1700000000"}"#,
                "STRING_VALUE can not be converted to a Timestamp",
            ),
            (r#"{"F":"x"}"#, "Expected null"),
            (r#"{"F":[{"G":"x"}]}"#, list),
            (r#"{"H":"x"}"#, "Expected list or null"),
            (r#"{"H":["x"]}"#, "Expected null"),
        ] {
            let input = decode(body.as_bytes()).unwrap();
            let read = input::decode(&input, |fields| {
                fields.optional("A", TEXT);
                fields.optional("B", INTEGER);
                fields.optional("C", BOOLEAN);
                fields.list("D", TEXT);
                fields.list("E", OneOf(&["p"]));
                fields.structure("F", |inner| inner.optional("G", TEXT));
                fields.structures("H", |inner| inner.optional("I", TEXT));
                fields.optional("J", Blob { min: 4, max: 128 });
                fields.optional("K", LONG);
                fields.optional("L", TIMESTAMP);
            });
            let error = translate("MalformedInput", read.unwrap_err());
            assert_eq!(
                (error.code, &*error.message),
                ("SerializationException", message),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for body in ["[]", "{", "1", "{}x", "\u{feff}{}"] {
            let error = decode(body.as_bytes()).unwrap_err();
            assert_eq!(error.code, "SerializationException", "{body}");
        }
        assert_eq!(decode(b" ").unwrap(), Node::default());
    }

    #[test]
    fn times_are_seconds() {
        assert_eq!(timestamp(1_700_000_000_000).to_string(), "1700000000");
        assert_eq!(timestamp(1_700_000_000_120).to_string(), "1700000000.12");
        assert_eq!(timestamp(-1500).to_string(), "-1.5");
    }
}
