//! Requests of AWS REST-JSON: a member is taken from the path, the query or the body, as the operation says, and
//! never from another of the three.
//!
//! An input is a line with method and target, and the body behind it.

use api::query::{self, Node};
use api::rest_json::{Route, decode};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

const ROUTES: &[Route] = &[
    route("List", "GET", "/things", &["size", "kind"]),
    route("Create", "POST", "/things", &[]),
    route("Delete", "DELETE", "/things/{id}", &["force"]),
    route("Update", "PATCH", "/things/{id}", &[]),
    route("Attach", "PUT", "/things/{id}/parts/{part}", &["order"]),
];

/// Takes everything from the body.
const PLAIN: &[Route] = &[route("Plain", "POST", "/", &[])];

const fn route(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    query: &'static [&'static str],
) -> Route {
    Route {
        name,
        method,
        path,
        query,
        status: 200,
    }
}

/// Decodes a request, and checks each member against the place that it has to come from.
pub fn rest_json(input: &[u8]) {
    let end = input.iter().position(|&byte| byte == b'\n');
    let (line, body) = end.map_or((input, &b""[..]), |at| (&input[..at], &input[at + 1..]));
    // What comes from a connection is text: the parser of HTTP has seen to it.
    let Some((method, target)) = std::str::from_utf8(line)
        .ok()
        .and_then(|line| line.split_once(' '))
    else {
        return;
    };
    let (path, form) = target.split_once('?').unwrap_or((target, ""));
    let Ok(query) = query::decode(form.as_bytes()) else {
        return;
    };
    let fitting = ROUTES.iter().find(|route| fits(route, method, path));
    match decode(ROUTES, (method, path), &query, body) {
        Ok((route, input)) => {
            let fitting = fitting.expect("a request that fits nowhere names no operation");
            assert!(std::ptr::eq(route, fitting), "the first that fits counts");
            check_places(route, path, &query, body, &input);
            check_spelling(route, path, &query, body, &input);
        }
        Err(error) => {
            let expected = match fitting {
                Some(_) => ("SerializationException", 400),
                None => ("UnknownOperationException", 404),
            };
            assert_eq!((error.code, error.status), expected);
            assert!(
                !error.message.is_empty(),
                "the caller is told what is wrong"
            );
        }
    }
}

fn fits(route: &Route, method: &str, path: &str) -> bool {
    let (template, segments) = (parts(route.path), parts(path));
    let fits_part = |(part, segment): (&&str, &&str)| match label(part) {
        Some(_) => !segment.is_empty(),
        None => part == segment,
    };
    route.method == method
        && template.len() == segments.len()
        && template.iter().zip(&segments).all(fits_part)
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/').collect()
}

fn label(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

/// The labels of the path with what was sent for them.
fn labels<'a>(route: &Route, path: &'a str) -> Vec<(&'static str, &'a str)> {
    let both = parts(route.path).into_iter().zip(parts(path));
    both.filter_map(|(part, segment)| Some((label(part)?, segment)))
        .collect()
}

fn check_places(route: &Route, path: &str, query: &Node, body: &[u8], input: &Node) {
    let labels = labels(route, path);
    for (name, segment) in &labels {
        let sent = unescape(segment).expect("only complete escapes of text are accepted");
        assert_eq!(input.text(name), Some(&*sent), "{name} is in the path");
    }
    for name in route.query {
        assert_eq!(
            input.child(name),
            query.child(name),
            "{name} is in the query"
        );
    }
    let (_, alone) = decode(PLAIN, ("POST", "/"), &Node::default(), body)
        .expect("a body that was accepted is accepted alone");
    let is_elsewhere =
        |name: &str| route.query.contains(&name) || labels.iter().any(|(label, _)| *label == name);
    let of_body = |node: &Node| -> Vec<(String, Node)> {
        let members = node.children().filter(|(name, _)| !is_elsewhere(name));
        members
            .map(|(name, member)| (name.to_owned(), member.clone()))
            .collect()
    };
    assert_eq!(of_body(input), of_body(&alone), "all else is in the body");
}

/// With every byte of its path escaped, a request means the same.
fn check_spelling(route: &Route, path: &str, query: &Node, body: &[u8], input: &Node) {
    let labels = labels(route, path);
    let mut sent = labels.iter();
    let spelled = parts(route.path).into_iter().map(|part| match label(part) {
        Some(_) => {
            let (_, segment) = sent.next().expect("a segment for each label");
            let text = unescape(segment).expect("it was accepted");
            percent_encode(text.as_bytes(), NON_ALPHANUMERIC).to_string()
        }
        None => part.to_owned(),
    });
    let spelled = spelled.collect::<Vec<_>>().join("/");
    let (again, same) = decode(ROUTES, (route.method, &spelled), query, body)
        .expect("an accepted request is accepted in another spelling");
    assert_eq!((again.name, &same), (route.name, input));
}

/// `%41` as `A`; `None` for an escape that is not complete, and for what is no UTF-8.
fn unescape(segment: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut bytes = segment.bytes();
    let mut text = Vec::new();
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            _ => byte,
        });
    }
    String::from_utf8(text).ok()
}
