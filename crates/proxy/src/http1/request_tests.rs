//! Which heads of requests are valid and what they say, by sections of RFC 9110 and 9112.

use super::*;
use proptest::prelude::*;

fn check(head: &str, expected: &str) {
    let mut storage = FieldStorage::new();
    let got = match parse(head.as_bytes(), &mut storage) {
        Ok(head) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let host = head.host.map_or("-".into(), |host| text(host.name));
            let query = head
                .query
                .map_or(String::new(), |query| format!("?{}", text(query)));
            format!(
                "{} {host} {}{query} {:?}",
                head.method,
                text(head.path),
                head.framing
            )
        }
        Err(bad) => format!("{} {}", bad.status, bad.reason),
    };
    assert_eq!(got, expected, "{head:?}");
}

#[test]
fn rfc9112_section_3_2_forms_of_the_request_target() {
    check(
        "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET h /a?b=c None",
    );
    check("GET /? HTTP/1.1\r\nHost: h\r\n\r\n", "GET h /? None");
    check(
        "GET http://a.example:8080/x HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET a.example /x None",
    );
    check(
        "GET HTTP://a.example?q HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET a.example /?q None",
    );
    check("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS h * None");
    check(
        "GET * HTTP/1.1\r\nHost: h\r\n\r\n",
        "400 the request target is malformed",
    );
    check(
        "GET example.com:80 HTTP/1.1\r\nHost: h\r\n\r\n",
        "400 the request target is malformed",
    );
    check(
        "GET ftp://a/ HTTP/1.1\r\nHost: h\r\n\r\n",
        "400 the request target is malformed",
    );
    check(
        "GET http://u@a/ HTTP/1.1\r\nHost: h\r\n\r\n",
        "400 the request target is malformed",
    );
    check(
        "GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n",
        "400 the request target is malformed",
    );
    check(
        "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
        "400 CONNECT is for proxies that the client chose",
    );
    check(
        "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n",
        "405 TRACE is not allowed",
    );
}

#[test]
fn rfc9112_section_2_3_versions() {
    check("GET / HTTP/1.0\r\n\r\n", "GET - / None");
    for version in ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/3"] {
        check(
            &format!("GET / {version}\r\nHost: h\r\n\r\n"),
            "505 the protocol version is not HTTP/1.0 or HTTP/1.1",
        );
    }
    check(
        "GET / HTTQ/1.1\r\nHost: h\r\n\r\n",
        "400 the request line is malformed",
    );
    check("GET /\r\n\r\n", "400 the request line is malformed");
}

#[test]
fn rfc1945_section_5_a_simple_request_has_a_path_and_nothing_else() {
    check("GET /a?b\r\n", "GET - /a?b None");
    for head in ["GET /\r\n\r\n", "GET /\r\nHost: h\r\n\r\n", "HEAD /\r\n"] {
        check(head, "400 the request line is malformed");
    }
    let mut storage = FieldStorage::new();
    let head = parse(b"GET /\r\n", &mut storage).expect("a simple request");
    assert_eq!(head.version, Version::Http09);
    assert_eq!(head.fields.iter().count(), 0);
    assert!(!head.keeps_alive && !head.expects_continue && head.upgrade.is_none());
}

#[test]
fn rfc9112_section_3_2_exactly_one_host() {
    check("GET / HTTP/1.1\r\n\r\n", "400 Host is missing");
    check(
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "400 Host stands there twice",
    );
    check(
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "400 Host is malformed",
    );
    check("GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET - / None");
    check("GET http://b/ HTTP/1.1\r\n\r\n", "400 Host is missing");
}

#[test]
fn rfc9112_section_5_field_lines() {
    for head in [
        "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n: empty\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nna me: x\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nno-colon\r\n\r\n",
    ] {
        check(head, "400 a field name is not a token");
    }
    check(
        "GET / HTTP/1.1\r\nHost: h\r\nA: \0\r\n\r\n",
        "400 a field value has a control character",
    );
    check(
        "GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n",
        "400 a field value has a control character",
    );
    check(
        "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
        "400 the request line is malformed",
    );
    check(
        "GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
        "400 a line does not end with CR LF",
    );
    check(
        "G(T / HTTP/1.1\r\nHost: h\r\n\r\n",
        "400 the request line is malformed",
    );
}

#[test]
fn rfc9112_section_6_3_the_length_of_a_body() {
    let fields = |lines: &str| format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
    check(&fields("Content-Length: 5\r\n"), "POST h / Length(5)");
    check(&fields("Content-Length: 0\r\n"), "POST h / None");
    check(
        &fields("Transfer-Encoding: Chunked\r\n"),
        "POST h / Chunked",
    );
    check(&fields("Transfer-Encoding: identity\r\n"), "POST h / None");
    check(
        &fields("Transfer-Encoding: gzip, chunked\r\n"),
        "501 the transfer coding is not chunked",
    );
    for length in ["+5", "-5", "5,5", "5 5", "0x5", "", "18446744073709551616"] {
        check(
            &fields(&format!("Content-Length: {length}\r\n")),
            "400 Content-Length is not a number",
        );
    }
    check(
        &fields("Content-Length: 5\r\nContent-Length: 5\r\n"),
        "POST h / Length(5)",
    );
    check(
        &fields("Content-Length: 5\r\nContent-Length: 6\r\n"),
        "400 there are different Content-Lengths",
    );
    check(
        &fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        "POST h / Chunked",
    );
    check(
        &fields("Content-Length: 5\r\nTransfer-Encoding: identity\r\n"),
        "400 the coding identity and Content-Length exclude each other",
    );
    for codings in ["xchunked", "chunked;q=1", "\"chunked\"", "chu nked"] {
        check(
            &fields(&format!("Transfer-Encoding: {codings}\r\n")),
            "400 the transfer coding is unknown",
        );
    }
    for lines in [
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ] {
        check(&fields(lines), "400 there are several transfer codings");
    }
    check(
        &fields("Transfer-Encoding:\r\n"),
        "400 Transfer-Encoding is empty",
    );
    check(
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST - / Chunked",
    );
}

#[test]
fn rfc9110_section_7_8_upgrade_needs_both_fields_and_is_never_h2c() {
    for (fields, upgrade) in [
        (
            "Connection: Upgrade\r\nUpgrade: websocket\r\n",
            Some("websocket"),
        ),
        ("Upgrade: websocket\r\n", None),
        ("Connection: Upgrade\r\n", None),
        (
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n",
            None,
        ),
        ("Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n", None),
    ] {
        let head = format!("GET / HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
        let mut storage = FieldStorage::new();
        let head = parse(head.as_bytes(), &mut storage).expect("valid");
        assert_eq!(head.upgrade, upgrade.map(str::as_bytes), "{fields:?}");
    }
}

#[test]
fn rfc9112_section_9_3_persistence() {
    for (head, keeps_alive) in [
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", true),
        (
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n",
            false,
        ),
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
        (
            "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
            false,
        ),
        (
            "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
            false,
        ),
        (
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            false,
        ),
    ] {
        let mut storage = FieldStorage::new();
        let head = parse(head.as_bytes(), &mut storage).expect("valid");
        assert_eq!(head.keeps_alive, keeps_alive);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_or_refused(head in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&head, &mut FieldStorage::new());
    }
}
