//! The protocol AWS REST-JSON: method and path name the operation; the members of its input are in the path, in
//! the query and in a JSON body.
//!
//! As with AWS JSON, the input becomes the tree that forms are decoded to.
//! Source: Smithy, "AWS restJson1 protocol" and "HTTP binding traits".

use hyper::header::HeaderName;
use percent_encoding::percent_decode;
use serde_json::json;

use crate::ApiError;
use crate::json;
use crate::query::{Node, escapes_are_complete};

/// The content type of requests and answers.
pub(crate) const CONTENT_TYPE: &str = "application/json";

/// The header field that has the code of an error.
pub(crate) const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Where an operation is.
#[derive(Debug)]
pub struct Route {
    /// The operation.
    pub name: &'static str,
    /// Such as `GET`.
    pub method: &'static str,
    /// Such as `/zonalshifts/{zonalShiftId}`: a segment in braces is the member of that name.
    pub path: &'static str,
    /// The members that are in the query; what is neither there nor in the path is in the body.
    pub query: &'static [&'static str],
    /// The status of an answer that is no error.
    pub status: u16,
}

/// The operation that a request names, and its input. `query` has the decoded parameters of the URL.
///
/// # Errors
/// `UnknownOperationException` if there is none, `SerializationException` if the input cannot be read.
pub fn decode<'r>(
    routes: &'r [Route],
    (method, path): (&str, &str),
    query: &Node,
    body: &[u8],
) -> Result<(&'r Route, Node), ApiError> {
    let (route, labels) = find(routes, (method, path)).ok_or_else(|| {
        let message = format!("There is no operation {method} {path}.");
        ApiError::new("UnknownOperationException", 404, message)
    })?;
    let mut input = json::decode(body)?;
    for (name, value) in labels {
        input.set(name, Some(Node::from_text(decode_label(name, value)?)));
    }
    for name in route.query {
        input.set(name, query.child(name).cloned());
    }
    Ok((route, input))
}

/// The operation that a request names.
pub(crate) fn route<'r>(routes: &'r [Route], address: (&str, &str)) -> Option<&'r Route> {
    find(routes, address).map(|(route, _)| route)
}

/// The operation that a request names, with the labels of its path and what stands for them.
fn find<'r, 'a>(
    routes: &'r [Route],
    (method, path): (&str, &'a str),
) -> Option<(&'r Route, Vec<(&'static str, &'a str)>)> {
    routes.iter().find_map(|route| {
        let labels = match_path(route.path, path).filter(|_| route.method == method)?;
        Some((route, labels))
    })
}

/// The labels of a template with what stands for them in `path`, still encoded; `None` if it does not match.
fn match_path<'a>(template: &'static str, path: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
    if template.split('/').count() != path.split('/').count() {
        return None;
    }
    let mut labels = Vec::new();
    for (part, segment) in template.split('/').zip(path.split('/')) {
        let label = part.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
        match label {
            Some(name) if !segment.is_empty() => labels.push((name, segment)),
            None if part == segment => {}
            _ => return None,
        }
    }
    Some(labels)
}

fn decode_label(name: &str, encoded: &str) -> Result<String, ApiError> {
    let decoded = percent_decode(encoded.as_bytes()).decode_utf8();
    match decoded {
        Ok(text) if escapes_are_complete(encoded.as_bytes()) => Ok(text.into_owned()),
        _ => Err(ApiError::sender(
            "SerializationException",
            format!("The {name} in the path is not percent-encoded UTF-8."),
        )),
    }
}

/// The error of a REST-JSON service for an error with a code of the Query services.
pub(crate) fn translate(error: ApiError) -> ApiError {
    let error = json::translate(error.code, error);
    match error.code {
        "AccessDeniedException"
        | "IncompleteSignatureException"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "UnrecognizedClientException" => ApiError {
            status: 403,
            ..error
        },
        _ => error,
    }
}

/// The body that says what went wrong; the code is in [`ERROR_TYPE`].
pub(crate) fn error(error: &ApiError) -> String {
    let mut body = json!({ "message": error.message });
    error.write_members(&mut body);
    body.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query;

    const ROUTES: &[Route] = &[
        Route {
            name: "List",
            method: "GET",
            path: "/things",
            query: &["size", "kind"],
            status: 200,
        },
        Route {
            name: "Update",
            method: "PATCH",
            path: "/things/{id}",
            query: &[],
            status: 200,
        },
    ];

    /// The operation of a request, and the members of its input.
    fn read(request: &str, body: &str) -> Result<String, String> {
        let (method, target) = request.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = query::decode(query.as_bytes()).unwrap();
        match decode(ROUTES, (method, path), &query, body.as_bytes()) {
            Ok((route, input)) => {
                let member = |(name, node): (&str, &Node)| {
                    format!(" {name}={}", node.value().unwrap_or("{}"))
                };
                Ok(input
                    .children()
                    .map(member)
                    .fold(route.name.to_owned(), |all, it| all + &it))
            }
            Err(error) => Err(format!("{} {}", error.code, error.status)),
        }
    }

    #[test]
    fn members_are_in_the_path_the_query_and_the_body() {
        for (request, body, expected) in [
            ("GET /things", "", "List"),
            (
                "GET /things?kind=a%20b&size=3&other=1",
                "",
                "List kind=a b size=3",
            ),
            ("GET /things", "{}", "List"),
            ("PATCH /things/7", r#"{"name":"n"}"#, "Update id=7 name=n"),
            (
                "PATCH /things/arn%3Aaws%2Fx%20y+z",
                "",
                "Update id=arn:aws/x y+z",
            ),
        ] {
            assert_eq!(read(request, body).as_deref(), Ok(expected), "{request}");
        }
    }

    /// A member has one place: what is said of it elsewhere does not count.
    #[test]
    fn no_member_is_taken_from_another_place() {
        for (request, body, expected) in [
            ("PATCH /things/7?name=n", "", "Update id=7"),
            ("PATCH /things/7", r#"{"id":"8"}"#, "Update id=7"),
            (
                "GET /things?size=3",
                r#"{"size":4,"kind":"k"}"#,
                "List size=3",
            ),
        ] {
            assert_eq!(read(request, body).as_deref(), Ok(expected), "{request}");
        }
    }

    #[test]
    fn what_names_no_operation_is_refused() {
        for request in [
            "POST /things",
            "GET /",
            "GET /things/",
            "GET /things/7",
            "PATCH /things/",
            "PATCH /things/7/8",
            "PATCH /{id}/7",
        ] {
            let expected = Err("UnknownOperationException 404".to_owned());
            assert_eq!(read(request, ""), expected, "{request}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for (request, body) in [
            ("PATCH /things/%zz", ""),
            ("PATCH /things/%ff", ""),
            ("PATCH /things/7", "[]"),
            ("PATCH /things/7", "{"),
        ] {
            let expected = Err("SerializationException 400".to_owned());
            assert_eq!(read(request, body), expected, "{request}");
        }
    }

    #[test]
    fn an_error_has_members_of_its_own() {
        let conflict = ApiError::new("ConflictException", 409, "no").with("reason", "Exists");
        assert_eq!(error(&conflict), r#"{"message":"no","reason":"Exists"}"#);
        let refused = translate(ApiError::new("SignatureDoesNotMatch", 403, "no"));
        assert_eq!(
            (refused.code, refused.status),
            ("InvalidSignatureException", 403)
        );
    }
}
