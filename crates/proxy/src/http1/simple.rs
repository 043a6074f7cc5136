//! Requests of HTTP/0.9: one line without a version, answered with a body and nothing else.
//!
//! They have no fields, so that no empty line says where they end. Only the request that opens a connection can be one:
//! HTTP/0.9 knows no second, and whoever smuggles a line behind another request gets no body without a head for it.

/// The target of a simple request, if that is all that `head` is: `GET`, a path and the end of the line.
///
/// Everything else without a version is left to the parser of whole heads, which refuses it.
///
/// Source: RFC 1945 sections 4.1 and 5; ELB guide, "How Elastic Load Balancing works", HTTP connections.
#[must_use]
pub fn target(head: &[u8]) -> Option<&[u8]> {
    // Nearly all lines end here, so that none of them is looked through.
    if head.ends_with(b" HTTP/1.1\r\n") {
        return None;
    }
    let target = head.strip_prefix(b"GET ")?.strip_suffix(b"\r\n")?;
    let is_path = target.starts_with(b"/")
        && target.iter().all(|b| b.is_ascii_graphic() || *b >= 0x80)
        && std::str::from_utf8(target).is_ok();
    is_path.then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc1945_section_5_a_simple_request_is_get_and_a_path() {
        for (head, expected) in [
            ("GET /\r\n", Some("/")),
            ("GET /a?b#c\r\n", Some("/a?b#c")),
            ("GET /1234567\r\n", Some("/1234567")),
            ("GET /HTTP/1.1\r\n", Some("/HTTP/1.1")),
            ("GET /\u{e9}\r\n", Some("/\u{e9}")),
            // A version, or something in its place.
            ("GET / HTTP/1.1\r\n", None),
            ("GET / HTTP/1.0\r\n", None),
            ("GET / HTTP/0.9\r\n", None),
            ("GET / x\r\n", None),
            ("GET / \r\n", None),
            // No path.
            ("GET HTTP/1.1\r\n", None),
            ("GET HTTP/1.0\r\n", None),
            ("GET \r\n", None),
            ("GET  /\r\n", None),
            ("GET\t/\r\n", None),
            ("GET\r\n", None),
            ("GET *\r\n", None),
            ("GET a\r\n", None),
            // RFC 1945 section 5.1.2: this form is for proxies.
            ("GET http://a/\r\n", None),
            // Another method.
            ("HEAD /\r\n", None),
            ("POST /\r\n", None),
            ("get /\r\n", None),
            (" GET /\r\n", None),
            // Another line, or not all of one.
            ("GET /", None),
            ("GET /\n", None),
            ("GET /\r\r\n", None),
            ("GET /a\rb\r\n", None),
            ("GET /\r\n\r\n", None),
            ("GET /\r\nHost: a\r\n", None),
            // What is no character of a path.
            ("GET /\0\r\n", None),
            ("GET /\t\r\n", None),
            ("GET /\x7f\r\n", None),
        ] {
            let expected = expected.map(str::as_bytes);
            assert_eq!(target(head.as_bytes()), expected, "{head:?}");
        }
        assert_eq!(target(b"GET /\xff\r\n"), None);
    }
}
