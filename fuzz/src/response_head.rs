//! The head of a target's response: a faulty target cannot make one message look like another.

use proxy::http1::response::{self, ResponseHead};
use proxy::http1::scan::{RESPONSE_LIMITS, Scan};
use proxy::http1::{FieldStorage, Framing};

use crate::heads;

/// Finds, parses, prints and parses again the head of a response, to a `HEAD` and to another request.
pub fn response_head(input: &[u8]) {
    let found = heads::find(input, &RESPONSE_LIMITS, false);
    let _ = response::parse(input, false, &mut FieldStorage::new());
    let Scan::Complete { start, end } = found else {
        return;
    };
    let bytes = &input[start..end];
    let (mut of_get, mut of_head) = (FieldStorage::new(), FieldStorage::new());
    let to_get = response::parse(bytes, false, &mut of_get);
    let to_head = response::parse(bytes, true, &mut of_head);
    let (to_get, to_head) = match (to_get, to_head) {
        (Ok(to_get), Ok(to_head)) => (to_get, to_head),
        (Err(to_get), Err(to_head)) => return assert_eq!(to_get, to_head, "one head, one verdict"),
        _ => panic!("whether a head is valid does not depend on the request"),
    };
    check(bytes, &to_get);
    heads::check_lines(bytes, to_head.fields);
    heads::check_fields(to_head.fields, to_head.framing);
    assert_eq!(
        to_head.framing,
        Framing::None,
        "the answer to HEAD has no body"
    );
    assert_eq!(to_head.status, to_get.status);
    check_printed(bytes, &to_get);
}

fn check(bytes: &[u8], head: &ResponseHead<'_, '_>) {
    heads::check_lines(bytes, head.fields);
    heads::check_fields(head.fields, head.framing);
    assert!(
        (100..1000).contains(&head.status),
        "the status has three digits"
    );
    assert!(
        !head.reason.contains(['\r', '\n', '\0']),
        "the reason is one line"
    );
    if head.status < 200 || matches!(head.status, 204 | 304) {
        assert_eq!(head.framing, Framing::None, "{} has no body", head.status);
    }
    if head.framing == Framing::UntilClose {
        assert!(!head.keeps_alive, "the connection ends with the body");
    }
    if is_http10(bytes) {
        assert_ne!(head.framing, Framing::Chunked, "HTTP/1.0 has no chunks");
    }
}

fn check_printed(bytes: &[u8], head: &ResponseHead<'_, '_>) {
    let version = if is_http10(bytes) {
        "HTTP/1.0"
    } else {
        "HTTP/1.1"
    };
    let mut printed = format!("{version} {} {}\r\n", head.status, head.reason).into_bytes();
    heads::print_fields(&mut printed, head.fields);
    let mut storage = FieldStorage::new();
    let again = response::parse(&printed, false, &mut storage)
        .unwrap_or_else(|refused| panic!("what was accepted is accepted again: {refused}"));
    assert_eq!(head.status, again.status);
    assert_eq!(head.reason, again.reason);
    assert_eq!(head.framing, again.framing);
    assert_eq!(head.keeps_alive, again.keeps_alive);
    assert!(
        head.fields.iter().eq(again.fields.iter()),
        "the fields are the same"
    );
}

fn is_http10(head: &[u8]) -> bool {
    head.starts_with(b"HTTP/1.0")
}
