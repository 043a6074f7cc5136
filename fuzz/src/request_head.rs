//! The head of a client's request: however it is cut into pieces the answer is the same, and what is
//! accepted cannot be read in two ways.

use proxy::http1::field::Field;
use proxy::http1::request::{self, RequestHead};
use proxy::http1::scan::{REQUEST_LIMITS, Scan};
use proxy::http1::{FieldStorage, Framing, Version};

use crate::heads;

/// Finds, parses, prints and parses again the head of a request.
pub fn request_head(input: &[u8]) {
    check_later(input);
    let found = heads::find(input, &REQUEST_LIMITS, true);
    // Bytes without an end of head must not hurt either, although no caller parses them.
    let mut storage = FieldStorage::new();
    let unchecked = request::parse(input, &mut storage);
    if let Err(refused) = unchecked {
        assert!(
            (400..600).contains(&refused.status),
            "a refusal has an error status"
        );
    }
    let Scan::Complete { start, end } = found else {
        return;
    };
    let bytes = &input[start..end];
    let mut storage = FieldStorage::new();
    let Ok(head) = request::parse(bytes, &mut storage) else {
        return;
    };
    check(bytes, &head);
    let printed = print(&head);
    let mut storage = FieldStorage::new();
    let again = request::parse(&printed, &mut storage).unwrap_or_else(|refused| {
        panic!(
            "what was accepted is accepted again: {refused} {:?}",
            printed.escape_ascii().to_string()
        )
    });
    assert_same(&head, &again);
    assert_eq!(print(&again), printed, "printing is stable");
}

/// Checks that a request behind another one is never taken for a simple one.
fn check_later(input: &[u8]) {
    if let Scan::Complete { start, end } = heads::find(input, &REQUEST_LIMITS, false)
        && let Ok(head) = request::parse(&input[start..end], &mut FieldStorage::new())
    {
        assert!(
            head.version > Version::Http09,
            "a later request has a version"
        );
    }
}

fn check(bytes: &[u8], head: &RequestHead<'_, '_>) {
    match head.version {
        Version::Http09 => {
            let line_feed = bytes.iter().position(|&b| b == b'\n');
            assert_eq!(line_feed, Some(bytes.len() - 1), "its line is all of it");
        }
        _ => heads::check_lines(bytes, head.fields),
    }
    heads::check_fields(head.fields, head.framing);
    assert!(
        !matches!(head.method, "" | "CONNECT" | "TRACE"),
        "the method may be forwarded"
    );
    assert!(
        head.path.first() == Some(&b'/') || (head.path == b"*" && head.method == "OPTIONS"),
        "the path begins with a slash"
    );
    let target = head.path.iter().chain(head.query.unwrap_or_default());
    assert!(
        target.clone().all(|b| b.is_ascii_graphic() || *b >= 0x80),
        "the target is one word"
    );
    assert!(
        !head.path.contains(&b'?'),
        "the query is no part of the path"
    );
    let hosts: Vec<_> = head.fields.values(Field::Host).collect();
    assert!(hosts.len() <= 1, "there is one Host");
    match head.host {
        Some(host) => assert!(
            host.name
                .iter()
                .all(|b| b.is_ascii_graphic() && !b"/?#@\\,".contains(b)),
            "a host is one name"
        ),
        None => assert!(
            head.version <= Version::Http10 || hosts == [b""],
            "HTTP/1.1 has a Host"
        ),
    }
    assert_ne!(
        head.framing,
        Framing::UntilClose,
        "the end of a request is known"
    );
    if head.version <= Version::Http10 {
        assert_eq!(head.upgrade, None, "HTTP/1.0 has no upgrade");
        assert!(!head.expects_continue, "HTTP/1.0 has no 100 Continue");
    }
    if head.version == Version::Http09 {
        assert!(!head.keeps_alive, "nothing follows a simple request");
    }
    let has_length = head.fields.values(Field::ContentLength).next().is_some();
    if head.framing == Framing::Chunked && (has_length || head.version == Version::Http10) {
        assert!(!head.keeps_alive, "faulty framing ends the connection");
    }
    if head.framing == Framing::None {
        assert!(
            head.fields.values(Field::TransferEncoding).all(|it| it
                .eq_ignore_ascii_case(b"identity")
                || !it
                    .to_ascii_lowercase()
                    .windows(7)
                    .any(|word| word == b"chunked")),
            "a chunked body is not overlooked"
        );
    }
}

/// The head in one spelling; a target with an authority is absolute.
fn print(head: &RequestHead<'_, '_>) -> Vec<u8> {
    let mut out = head.method.as_bytes().to_vec();
    out.push(b' ');
    if let Some(host) = head.host.filter(|_| head.path != b"*") {
        out.extend_from_slice(b"http://");
        out.extend_from_slice(host.name);
        if let Some(port) = host.port {
            out.push(b':');
            out.extend_from_slice(port);
        }
    }
    out.extend_from_slice(head.path);
    if let Some(query) = head.query {
        out.push(b'?');
        out.extend_from_slice(query);
    }
    out.extend_from_slice(match head.version {
        Version::Http09 => {
            out.extend_from_slice(b"\r\n");
            return out;
        }
        Version::Http10 => b" HTTP/1.0\r\n",
        Version::Http11 => b" HTTP/1.1\r\n",
        Version::Http2 => unreachable!("the parser is that of HTTP/1"),
    });
    heads::print_fields(&mut out, head.fields);
    out
}

fn assert_same(head: &RequestHead<'_, '_>, again: &RequestHead<'_, '_>) {
    assert_eq!(head.method, again.method);
    assert_eq!(head.version, again.version);
    assert_eq!(head.path, again.path);
    assert_eq!(head.query, again.query);
    assert_eq!(head.host, again.host);
    assert_eq!(head.framing, again.framing);
    assert_eq!(head.expects_continue, again.expects_continue);
    assert_eq!(head.keeps_alive, again.keeps_alive);
    assert_eq!(head.upgrade, again.upgrade);
    assert!(
        head.fields.iter().eq(again.fields.iter()),
        "the fields are the same"
    );
}
