//! Section 8: requests and responses.

use crate::frames::*;
use crate::support::{Target, field};
use crate::{OK, answering, check_serves, forwarding_to, with};

#[test]
fn section_8_1_trailers_pass_in_both_directions() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &POST, false);
    peer.data(1, b"body", false);
    peer.request(
        1,
        &[("x-sum", "1"), ("content-length", "9"), ("x-end", "2")],
        true,
    );
    let mut at_target = target.accept();
    let head = at_target.head();
    assert_eq!(field(&head, "Transfer-Encoding"), Some("chunked"));
    assert_eq!(
        at_target.until("\r\n\r\n"),
        "4\r\nbody\r\n0\r\nx-sum: 1\r\nx-end: 2\r\n\r\n",
        "fields that frame do not pass"
    );
    at_target.send(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 3\r\n\r\n",
    );
    let response = peer.response(1);
    assert_eq!(response.text(), "ab");
    assert_eq!(response.trailers, [("x-sum".to_owned(), "3".to_owned())]);
    assert!(response.has_ended);
}

#[test]
fn section_8_1_interim_responses_are_dropped() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &with(&POST, &[("expect", "100-continue")]), false);
    peer.data(1, b"x", true);
    let mut at_target = target.accept();
    let head = at_target.head();
    assert_eq!(field(&head, "Expect"), None);
    at_target.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n");
    at_target.send(OK);
    let response = peer.response(1);
    assert_eq!((response.status(), response.text()), (200, "ok"));
}

#[test]
fn section_8_1_1_malformed_requests_are_errors_of_their_stream() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    let without = |name: &str| -> Vec<(&str, &str)> {
        GET.iter()
            .copied()
            .filter(|(field, _)| *field != name)
            .collect()
    };
    let cases: Vec<(&str, Vec<(&str, &str)>)> = vec![
        ("no :method", without(":method")),
        ("no :scheme", without(":scheme")),
        ("no :path", without(":path")),
        ("no :authority and no host", without(":authority")),
        ("an empty :path", with(&without(":path"), &[(":path", "")])),
        (
            "a :path without a slash",
            with(&without(":path"), &[(":path", "a")]),
        ),
        ("* in a GET", with(&without(":path"), &[(":path", "*")])),
        (
            "a space in :path",
            with(&without(":path"), &[(":path", "/ HTTP/1.1")]),
        ),
        (
            "a line end in :path",
            with(&without(":path"), &[(":path", "/\r\nx: y")]),
        ),
        (":path twice", with(&GET, &[(":path", "/")])),
        (
            "an unknown pseudo field",
            with(&GET, &[(":protocol", "websocket")]),
        ),
        (
            "a response's pseudo field",
            with(&GET, &[(":status", "200")]),
        ),
        ("a pseudo field behind a field", with(&[("a", "b")], &GET)),
        (
            "a space in :method",
            with(&without(":method"), &[(":method", "GET /x")]),
        ),
        (
            "another scheme",
            with(&without(":scheme"), &[(":scheme", "ftp")]),
        ),
        (
            "a user in :authority",
            with(&without(":authority"), &[(":authority", "me@a")]),
        ),
        (
            "a line end in :authority",
            with(&without(":authority"), &[(":authority", "a\r\nb: c")]),
        ),
        ("another host", with(&GET, &[("host", "b")])),
        ("host twice", with(&GET, &[("host", "a"), ("host", "a")])),
        ("upper case", with(&GET, &[("Accept", "a")])),
        ("an empty name", with(&GET, &[("", "a")])),
        ("a space in a name", with(&GET, &[("a b", "a")])),
        ("a colon in a name", with(&GET, &[("a:b", "a")])),
        ("a line end in a name", with(&GET, &[("a\r\nb", "a")])),
        ("a line end in a value", with(&GET, &[("a", "b\r\nc: d")])),
        ("a NUL in a value", with(&GET, &[("a", "b\0c")])),
        ("a space before a value", with(&GET, &[("a", " b")])),
        ("a tab behind a value", with(&GET, &[("a", "b\t")])),
        ("connection", with(&GET, &[("connection", "close")])),
        ("keep-alive", with(&GET, &[("keep-alive", "1")])),
        (
            "proxy-connection",
            with(&GET, &[("proxy-connection", "close")]),
        ),
        (
            "transfer-encoding",
            with(&GET, &[("transfer-encoding", "chunked")]),
        ),
        ("upgrade", with(&GET, &[("upgrade", "h2c")])),
        ("te other than trailers", with(&GET, &[("te", "gzip")])),
        (
            "a length that is no number",
            with(&GET, &[("content-length", "+0")]),
        ),
        (
            "two lengths",
            with(&GET, &[("content-length", "0"), ("content-length", "0")]),
        ),
        (
            "a length without a body",
            with(&GET, &[("content-length", "1")]),
        ),
    ];
    let count = cases.len() as u64;
    for (n, (what, fields)) in cases.into_iter().enumerate() {
        let stream = 1 + 2 * n as u32;
        peer.request(stream, &fields, true);
        assert_eq!(peer.response(stream).reset, Some(PROTOCOL_ERROR), "{what}");
    }
    assert_eq!(fixture.counters().requests_malformed.value(), count);
    check_serves(&mut peer, 1001);
}

#[test]
fn section_8_1_1_a_body_of_another_length_is_malformed() {
    for (sent, ends_with) in [(&b"abcde"[..], false), (b"abc", true), (b"", true)] {
        let target = Target::listen();
        let fixture = forwarding_to(&target);
        let mut peer = FramePeer::connect(fixture.address);
        peer.request(1, &with(&POST, &[("content-length", "4")]), false);
        let mut at_target = target.accept();
        at_target.head();
        peer.data(1, sent, ends_with);
        assert_eq!(peer.response(1).reset, Some(PROTOCOL_ERROR));
        assert!(
            at_target.rest().len() < 4,
            "the target does not take it for a whole request"
        );
    }
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &with(&POST, &[("content-length", "4")]), false);
    let mut at_target = target.accept();
    at_target.head();
    peer.data(1, b"abc", false);
    peer.request(1, &[("x", "y")], true);
    assert_eq!(
        peer.response(1).reset,
        Some(PROTOCOL_ERROR),
        "trailers end it too early"
    );
}

#[test]
fn section_8_2_3_cookies_are_joined() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    let cookies = [
        ("cookie", "a=1"),
        ("x", "y"),
        ("cookie", "b=2"),
        ("cookie", "c=3"),
    ];
    peer.request(1, &with(&GET, &cookies), true);
    let (head, _target) = target.answer(OK);
    assert_eq!(field(&head, "Cookie"), Some("a=1; b=2; c=3"));
}

#[test]
fn section_8_3_a_request_becomes_one_of_http1() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let port = fixture.address.port();
    let mut peer = FramePeer::connect(fixture.address);
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/a/b?c=d&e"),
        (":authority", "Shop.Example"),
        ("accept", "*/*"),
        ("x-custom", "1"),
        ("te", "trailers"),
        ("host", "shop.example"),
    ];
    peer.request(1, &fields, true);
    let (head, _target) = target.answer(
        "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\
         Keep-Alive: timeout=5\r\nX-Kept: 2\r\nDate: today\r\n\r\nok",
    );
    assert!(head.starts_with("GET /a/b?c=d&e HTTP/1.1\r\n"), "{head}");
    assert_eq!(field(&head, "Host"), Some(&*format!("shop.example:{port}")));
    assert_eq!(field(&head, "X-Forwarded-For"), Some("127.0.0.1"));
    assert!(
        head.contains("\r\naccept: */*\r\nx-custom: 1\r\n"),
        "{head}"
    );
    for absent in ["TE", "Connection", "Content-Length", "Transfer-Encoding"] {
        assert_eq!(field(&head, absent), None, "{head}");
    }
    let response = peer.response(1);
    let fields: Vec<_> = response
        .fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        fields,
        [
            (":status", "200"),
            ("content-length", "2"),
            ("x-kept", "2"),
            ("date", "today")
        ]
    );
    assert_eq!(response.text(), "ok");
}

/// ALB guide, "HTTP headers and Application Load Balancers".
#[test]
fn section_8_2_names_stay_in_lower_case_but_for_those_of_the_balancer() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let fields = [("x-custom", "1"), ("x-forwarded-for", "9.9.9.9")];
    let names = |length: &[(&'static str, &'static str)]| -> Vec<String> {
        let mut peer = FramePeer::connect(fixture.address);
        peer.request(1, &with(&with(&POST, &fields), length), false);
        let mut at_target = target.accept();
        let head = at_target.head();
        let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.map(|(name, _)| name.to_owned()).collect()
    };
    let expected = |framing| {
        [
            "Host",
            "x-custom",
            framing,
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Forwarded-Port",
            "X-Amzn-Trace-Id",
        ]
    };
    assert_eq!(names(&[]), expected("transfer-encoding"));
    assert_eq!(
        names(&[("content-length", "1")]),
        expected("content-length")
    );
}

#[test]
fn section_8_3_1_a_host_field_does_where_there_is_no_authority() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    let fields = with(&GET[..3], &[("host", "b.example:8443")]);
    peer.request(1, &fields, true);
    let (head, _target) = target.answer(OK);
    assert_eq!(field(&head, "Host"), Some("b.example:8443"));
}

#[test]
fn section_8_5_connect_and_trace_are_refused() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &[(":method", "CONNECT"), (":authority", "a:443")], false);
    assert_eq!(peer.response(1).status(), 400);
    let trace = with(&[(":method", "TRACE")], &GET[1..]);
    peer.request(3, &trace, true);
    assert_eq!(peer.response(3).status(), 405);
    let expecting = with(&GET, &[("expect", "a miracle")]);
    peer.request(5, &expecting, true);
    assert_eq!(peer.response(5).status(), 417);
}

#[test]
fn section_8_a_response_to_head_has_no_body() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    let head = with(&[(":method", "HEAD")], &GET[1..]);
    peer.request(1, &head, true);
    let (_, _target) = target.answer("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n");
    let response = peer.response(1);
    assert_eq!(response.field("content-length"), Some("999"));
    assert!(response.body.is_empty() && response.has_ended);
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &head, true);
    let response = peer.response(1);
    assert_eq!(
        (response.field("content-length"), response.text()),
        (Some("5"), "")
    );
}

#[test]
fn section_8_4_clients_push_nothing() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    peer.send(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2]);
    assert_eq!(peer.end_code(), PROTOCOL_ERROR);
}
