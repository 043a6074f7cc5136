//! Which responses are compressed for which clients, field by field.

use super::*;
use crate::head_sink::Http1Head;
use crate::http1::{FieldStorage, request, response};

/// The coding for a client that sends these lines.
fn accepted(version: &str, lines: &str) -> Option<Coding> {
    let head = format!("GET / HTTP/{version}\r\nHost: a\r\n{lines}\r\n");
    let mut storage = FieldStorage::new();
    accepted_coding(&request::parse(head.as_bytes(), &mut storage).expect("a valid head"))
}

#[test]
fn rfc9110_section_12_5_3_the_client_says_which_codings_it_likes() {
    const BR: Option<Coding> = Some(Coding::Brotli);
    const GZIP: Option<Coding> = Some(Coding::Gzip);
    for (value, expected) in [
        ("gzip, deflate, br, zstd", BR),
        ("gzip", GZIP),
        ("x-gzip", GZIP),
        ("GZip;Q=0.5", GZIP),
        ("deflate, zstd", None),
        ("", None),
        ("*", BR),
        ("*;q=0.1, br;q=0", GZIP),
        ("*;q=0", None),
        ("gzip;q=0", None),
        ("br;q=0.000, gzip;q=0.001", GZIP),
        ("br;q=0.8, gzip;q=0.9", GZIP),
        ("br;q=0.9,gzip ; q=0.9", BR),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=0.5", GZIP),
        ("identity;q=0, gzip", GZIP),
        ("identity;q=0", None),
        // Malformed members say nothing.
        ("br;q=1.001, gzip;q=0.1", GZIP),
        ("br;q=, gzip", GZIP),
        ("br;q=0.1234, gzip;q=.5", None),
        ("br;level=4", None),
    ] {
        let line = format!("Accept-Encoding: {value}\r\n");
        assert_eq!(accepted("1.1", &line), expected, "{value}");
        assert_eq!(accepted("1.0", &line), None, "{value}: no chunks");
    }
    assert_eq!(
        accepted("1.1", ""),
        None,
        "without the field nothing is changed"
    );
    let two = "Accept-Encoding: br;q=0.1\r\nAccept-Encoding: gzip\r\n";
    assert_eq!(accepted("1.1", two), GZIP, "several lines are one list");
    let kept = "Accept-Encoding: gzip\r\nCache-Control: max-age=0, no-transform\r\n";
    assert_eq!(accepted("1.1", kept), None);
}

fn options() -> ResponseCompression {
    ResponseCompression {
        content_types: vec!["text/*".into()],
        minimum_bytes: 100,
    }
}

fn compressible(head: &str, is_head: bool) -> bool {
    let head = format!("HTTP/1.1 {head}\r\n\r\n");
    let mut storage = FieldStorage::new();
    let head = response::parse(head.as_bytes(), is_head, &mut storage).expect("a valid head");
    is_compressible(&options(), &head)
}

#[test]
fn responses_that_are_not_to_be_touched_are_not() {
    const TEXT: &str = "200 OK\r\nContent-Type: text/html; charset=utf-8";
    for (head, expected) in [
        ("Content-Length: 100", true),
        ("Content-Length: 99", false),
        ("Content-Length: 0", false),
        ("Transfer-Encoding: chunked", true),
        ("Connection: close", true),
        ("Content-Encoding: gzip", false),
        ("Content-Encoding: identity", false),
        ("Cache-Control: public, No-Transform", false),
        ("Cache-Control: no-cache", true),
        ("Content-Range: bytes 0-1/5", false),
        ("Repr-Digest: sha-256=:x:", false),
        ("Content-MD5: x", false),
    ] {
        assert_eq!(
            compressible(&format!("{TEXT}\r\n{head}"), false),
            expected,
            "{head}"
        );
    }
    for (head, expected) in [
        ("200 OK\r\nContent-Type: image/png", false),
        ("200 OK\r\nX: y", false),
        ("404 No\r\nContent-Type: text/css", true),
        ("206 Part\r\nContent-Type: text/css", false),
        ("204 No\r\nContent-Type: text/css", false),
    ] {
        assert_eq!(compressible(head, false), expected, "{head}");
        assert_eq!(
            compressible(head, true),
            expected,
            "{head}: the same for HEAD"
        );
    }
    assert!(!compressible(
        &format!("{TEXT}\r\nContent-Length: 99"),
        true
    ));
}

#[test]
fn rfc9110_section_15_4_5_a_304_is_known_by_its_type_or_by_the_validator_of_its_client() {
    for (fields, by_weak_validator, by_strong_validator) in [
        ("Content-Type: text/css", true, true),
        ("Content-Type: image/png", false, false),
        ("ETag: x", true, false),
        ("Content-Length: 99", false, false),
        ("Content-Length: 100", true, false),
        ("Content-Length: 0", true, false),
        ("Content-Encoding: gzip", false, false),
        ("Cache-Control: no-transform", false, false),
    ] {
        let head = format!("HTTP/1.1 304 Not Modified\r\n{fields}\r\n\r\n");
        let mut storage = FieldStorage::new();
        let head = response::parse(head.as_bytes(), false, &mut storage).expect("a valid head");
        let stands_for = |is_weak| stands_for_compressible(&options(), &head, is_weak);
        assert_eq!(stands_for(true), by_weak_validator, "{fields}");
        assert_eq!(stands_for(false), by_strong_validator, "{fields}");
    }
    for (lines, expected) in [
        ("", false),
        ("If-None-Match: \"a\"\r\n", false),
        ("If-None-Match: *\r\n", false),
        ("If-None-Match: W/\"a\"\r\n", true),
        ("If-None-Match: \"a\", W/\"b\"\r\n", true),
        ("If-None-Match: \"a\"\r\nIf-None-Match: W/\"b\"\r\n", true),
        ("If-Match: W/\"a\"\r\n", false),
    ] {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        let mut storage = FieldStorage::new();
        let head = request::parse(head.as_bytes(), &mut storage).expect("a valid head");
        assert_eq!(has_weak_validator(&head), expected, "{lines}");
    }
}

fn written(negotiated: Negotiated, fields: &[(&str, &str)]) -> Vec<String> {
    let mut out = Buffer::default();
    let mut head = Http1Head(&mut out);
    let mut sink = NegotiatedFields::new(&mut head, negotiated);
    for (name, value) in fields {
        sink.field(name, value.as_bytes());
    }
    sink.end();
    let text = String::from_utf8(out.filled().to_vec()).expect("text");
    text.lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_head_says_what_became_of_the_body() {
    let fields = [
        ("etag", "\"a\""),
        ("Accept-Ranges", "bytes"),
        ("Content-Length", "7"),
        ("vary", "Cookie"),
    ];
    let compressed = Negotiated {
        coding: Some(Coding::Brotli),
        is_not_modified: false,
    };
    let expected = [
        "etag: W/\"a\"",
        "vary: Cookie",
        "Content-Encoding: br",
        "Vary: Accept-Encoding",
    ];
    assert_eq!(written(compressed, &fields), expected);
    let as_it_is = Negotiated {
        coding: None,
        is_not_modified: false,
    };
    let mut expected: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    expected.push("Vary: Accept-Encoding".to_owned());
    assert_eq!(written(as_it_is, &fields), expected);
}

#[test]
fn rfc9110_section_15_4_5_the_validator_of_304_is_that_of_200() {
    let not_modified = Negotiated {
        coding: None,
        is_not_modified: true,
    };
    let written = written(
        not_modified,
        &[("ETag", "\"a\""), ("Accept-Ranges", "bytes")],
    );
    assert_eq!(
        written,
        [
            "ETag: W/\"a\"",
            "Accept-Ranges: bytes",
            "Vary: Accept-Encoding"
        ]
    );
}

#[test]
fn rfc9110_section_12_5_5_vary_names_it_once() {
    let negotiated = Negotiated {
        coding: Some(Coding::Gzip),
        is_not_modified: false,
    };
    for vary in ["accept-encoding", "Cookie, Accept-Encoding", "*"] {
        let written = written(negotiated, &[("Vary", vary), ("ETag", "W/\"a\"")]);
        let expected = [
            format!("Vary: {vary}"),
            "ETag: W/\"a\"".to_owned(),
            "Content-Encoding: gzip".to_owned(),
        ];
        assert_eq!(written, expected);
    }
}
