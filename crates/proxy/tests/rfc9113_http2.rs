//! RFC 9113, by a client that writes frames: what is served, and what is refused in which way.

#[path = "support/frames.rs"]
mod frames;
mod support;

use engine::{Action, FixedResponse, Routing};
use frames::*;
use support::{Fixture, IDLE, Target, endpoint, field, forward_to};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn fixed(body: &str) -> Action {
    let response = FixedResponse {
        status: 200,
        content_type: Some("text/plain".into()),
        body: body.as_bytes().into(),
    };
    Routing::FixedResponse(response).into()
}

/// A data plane that answers every request itself.
fn answering() -> Fixture {
    Fixture::of_http2(fixed("fixed"))
}

fn forwarding_to(target: &Target) -> Fixture {
    Fixture::of_http2(forward_to(&[endpoint(target.address)]))
}

fn with<'a>(fields: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [fields, more].concat()
}

/// Fails unless the connection still serves.
fn check_serves(peer: &mut FramePeer, stream: u32) {
    peer.request(stream, &GET, true);
    assert_eq!(
        peer.response(stream).status(),
        200,
        "the connection goes on"
    );
}

#[test]
fn section_3_4_another_preface_ends_the_connection() {
    let fixture = answering();
    let mut peer = FramePeer::silent(fixture.address);
    peer.send_bytes(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(peer.end_code(), PROTOCOL_ERROR);
    let mut peer = FramePeer::silent(fixture.address);
    peer.send_bytes(PREFACE);
    peer.request(1, &GET, true);
    assert_eq!(
        peer.end_code(),
        PROTOCOL_ERROR,
        "the first frame is SETTINGS"
    );
}

#[test]
fn section_3_4_the_preface_may_come_in_pieces() {
    let fixture = answering();
    let mut peer = FramePeer::silent(fixture.address);
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, b""));
    bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1, &section(&GET)));
    for byte in bytes {
        peer.send_bytes(&[byte]);
        fixture.settle();
    }
    assert_eq!(peer.response(1).text(), "fixed");
}

#[test]
fn section_4_2_a_frame_that_is_too_long_ends_the_connection() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    peer.send(DATA, 0, 1, &vec![0; 16_385]);
    assert_eq!(peer.end_code(), FRAME_SIZE_ERROR);
}

#[test]
fn section_4_3_what_is_no_field_section_ends_the_connection() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    peer.send(HEADERS, END_HEADERS | END_STREAM, 1, &[0x80]);
    assert_eq!(peer.end_code(), COMPRESSION_ERROR);
}

#[test]
fn section_4_3_a_section_may_be_continued_and_not_interrupted() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    let section = section(&GET);
    peer.send(HEADERS, END_STREAM, 1, &section[..5]);
    peer.send(CONTINUATION, 0, 1, b"");
    peer.send(CONTINUATION, END_HEADERS, 1, &section[5..]);
    assert_eq!(peer.response(1).status(), 200);
    for (kind, stream) in [(PING, 0), (CONTINUATION, 5), (DATA, 3)] {
        let mut peer = FramePeer::connect(fixture.address);
        peer.send(HEADERS, END_STREAM, 3, &section[..5]);
        peer.send(kind, END_HEADERS, stream, &[0; 8]);
        assert_eq!(peer.end_code(), PROTOCOL_ERROR, "kind {kind}");
    }
    let mut peer = FramePeer::connect(fixture.address);
    peer.send(CONTINUATION, END_HEADERS, 1, &section);
    assert_eq!(peer.end_code(), PROTOCOL_ERROR, "a continuation of nothing");
}

#[test]
fn section_5_1_frames_on_idle_streams_end_the_connection() {
    let fixture = answering();
    for (kind, payload) in [
        (DATA, &b"abcd"[..]),
        (RST_STREAM, &[0; 4]),
        (WINDOW_UPDATE, &[0, 0, 0, 1]),
    ] {
        for stream in [1, 2] {
            let mut peer = FramePeer::connect(fixture.address);
            peer.send(kind, 0, stream, payload);
            assert_eq!(
                peer.end_code(),
                PROTOCOL_ERROR,
                "kind {kind} on stream {stream}"
            );
        }
    }
}

#[test]
fn section_5_1_data_behind_the_end_of_a_stream_is_an_error_of_the_stream() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &GET, true);
    let mut at_target = target.accept();
    at_target.head();
    peer.data(1, b"more", true);
    assert_eq!(peer.response(1).reset, Some(STREAM_CLOSED));
    assert_eq!(at_target.rest(), "", "the target's connection is closed");
}

#[test]
fn section_5_1_1_streams_have_odd_and_rising_numbers() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(2, &GET, true);
    assert_eq!(peer.end_code(), PROTOCOL_ERROR);
    let mut peer = FramePeer::connect(fixture.address);
    check_serves(&mut peer, 5);
    peer.request(3, &GET, true);
    assert_eq!(peer.end_code(), STREAM_CLOSED);
}

#[test]
fn section_5_1_2_the_129th_stream_is_refused_and_may_be_tried_again() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    for n in 0..129 {
        peer.request(1 + 2 * n, &GET, true);
    }
    let refused = peer.response(1 + 2 * 128);
    assert_eq!(refused.reset, Some(REFUSED_STREAM));
    let (_, _first) = target.answer(OK);
    peer.until(Frame::ends_stream);
    peer.request(1 + 2 * 129, &GET, true);
    fixture.settle();
    assert_eq!(fixture.counters().http2_streams_refused.value(), 1);
}

#[test]
fn section_6_1_padding_is_taken_off_and_counts_for_the_windows() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &POST, false);
    peer.send(DATA, PADDED | END_STREAM, 1, b"\x03body\0\0\0");
    let mut at_target = target.accept();
    at_target.head();
    assert_eq!(at_target.until("0\r\n\r\n"), "4\r\nbody\r\n0\r\n\r\n");
    peer.request(3, &POST, false);
    peer.send(DATA, PADDED, 3, b"\x04abc");
    assert_eq!(peer.end_code(), PROTOCOL_ERROR, "more padding than frame");
}

#[test]
fn section_6_2_priorities_are_passed_over() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    peer.send(PRIORITY, 0, 9, &[0, 0, 0, 0, 5]);
    let mut payload = vec![0x80, 0, 0, 0, 200];
    payload.extend(section(&GET));
    peer.send(HEADERS, END_HEADERS | END_STREAM | 0x20, 1, &payload);
    assert_eq!(peer.response(1).status(), 200);
}

#[test]
fn section_6_4_a_reset_stream_ends_its_request() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &GET, true);
    let mut at_target = target.accept();
    at_target.head();
    peer.reset(1, CANCEL);
    assert_eq!(at_target.rest(), "", "the target's connection is closed");
    let counters = fixture.counters();
    assert_eq!(counters.clients_gone.value(), 1, "460");
    assert_eq!(counters.http2_streams_reset_by_client.value(), 1);
    peer.request(3, &GET, true);
    target.answer(OK);
    assert_eq!(peer.response(3).text(), "ok");
}

#[test]
fn section_6_5_settings_are_checked() {
    let fixture = answering();
    for (settings, code) in [
        ((2, 2), PROTOCOL_ERROR),
        ((4, 1 << 31), FLOW_CONTROL_ERROR),
        ((5, 16_383), PROTOCOL_ERROR),
        ((5, 1 << 24), PROTOCOL_ERROR),
    ] {
        let mut peer = FramePeer::connect(fixture.address);
        let (name, value): (u16, u32) = settings;
        let payload = [&name.to_be_bytes()[..], &value.to_be_bytes()].concat();
        peer.send(SETTINGS, 0, 0, &payload);
        assert_eq!(peer.end_code(), code, "{settings:?}");
    }
    for (flags, stream, payload, code) in [
        (0, 0, &[0; 5][..], FRAME_SIZE_ERROR),
        (ACK, 0, &[0; 6], FRAME_SIZE_ERROR),
        (0, 1, &[], PROTOCOL_ERROR),
    ] {
        let mut peer = FramePeer::connect(fixture.address);
        peer.send(SETTINGS, flags, stream, payload);
        assert_eq!(peer.end_code(), code);
    }
    let mut peer = FramePeer::connect_with(fixture.address, &[(1, 0), (3, 0), (0xff, 7)]);
    check_serves(&mut peer, 1);
}

#[test]
fn section_6_7_pings_are_answered() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    peer.send(PING, 0, 0, b"12345678");
    let pong = peer.until(|frame| frame.kind == PING);
    assert_eq!((pong.flags, &pong.payload[..]), (ACK, &b"12345678"[..]));
    peer.send(PING, 0, 0, b"1234567");
    assert_eq!(peer.end_code(), FRAME_SIZE_ERROR);
}

#[test]
fn section_6_8_a_client_that_goes_away_gets_its_responses() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &GET, true);
    let mut at_target = target.accept();
    at_target.head();
    peer.send(GOAWAY, 0, 0, &[0; 8]);
    fixture.settle();
    at_target.send(OK);
    assert_eq!(peer.response(1).text(), "ok");
    assert_eq!(peer.next(), None, "then the connection is closed");
}

#[test]
fn section_6_9_the_clients_windows_hold_the_response_back() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect_with(fixture.address, &[(4, 3)]);
    peer.request(1, &GET, true);
    let (_, _target) = target.answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
    let first = peer.response_until(1, |response| !response.body.is_empty());
    assert_eq!(first.text(), "012");
    peer.raise_window(1, 2);
    assert_eq!(
        peer.response_until(1, |response| response.body.len() == 2)
            .text(),
        "34"
    );
    // A smaller initial window makes that of the stream negative.
    peer.send(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    peer.raise_window(1, 5);
    assert_eq!(
        peer.response_until(1, |response| response.body.len() == 2)
            .text(),
        "56"
    );
    peer.raise_window(1, 100);
    let last = peer.response(1);
    assert_eq!((last.text(), last.has_ended), ("789", true));
}

#[test]
fn section_6_9_the_connections_window_is_shared() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect_with(fixture.address, &[(4, 1 << 20)]);
    let long = "x".repeat(50_000);
    peer.request(1, &GET, true);
    peer.request(3, &GET, true);
    let response = format!("HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n{long}");
    let mut at_target = [target.accept(), target.accept()];
    for connection in &mut at_target {
        connection.head();
        connection.send(&response);
    }
    let mut bytes = 0;
    while bytes < 65_535 {
        let frame = peer.until(|frame| frame.kind == DATA);
        bytes += frame.payload.len();
    }
    assert_eq!(bytes, 65_535, "no more than the window");
    peer.raise_window(0, 100_000);
    while bytes < 100_000 {
        let frame = peer.until(|frame| frame.kind == DATA);
        bytes += frame.payload.len();
    }
    assert_eq!(bytes, 100_000);
}

#[test]
fn section_6_9_an_answer_of_our_own_waits_for_the_window_too() {
    let fixture = answering();
    let mut peer = FramePeer::connect_with(fixture.address, &[(4, 0)]);
    peer.request(1, &GET, true);
    let head = peer.response_until(1, |response| !response.fields.is_empty());
    assert_eq!(head.status(), 200);
    peer.raise_window(1, 2);
    assert_eq!(
        peer.response_until(1, |response| response.body.len() == 2)
            .text(),
        "fi"
    );
    peer.raise_window(1, 3);
    assert_eq!(peer.response(1).text(), "xed");
}

#[test]
fn section_6_9_1_windows_do_not_overflow() {
    let fixture = Fixture::of_http2(forward_to(&[endpoint(Target::listen().address)]));
    let mut peer = FramePeer::connect(fixture.address);
    peer.raise_window(0, 0x7fff_ffff);
    assert_eq!(peer.end_code(), FLOW_CONTROL_ERROR);
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &GET, true);
    let _at_target = target.accept();
    peer.raise_window(1, 0x7fff_ffff);
    assert_eq!(peer.response(1).reset, Some(FLOW_CONTROL_ERROR));
    let mut peer = FramePeer::connect(fixture.address);
    peer.raise_window(0, 0);
    assert_eq!(peer.end_code(), PROTOCOL_ERROR);
}

#[test]
fn section_6_9_1_a_client_that_ignores_our_windows_is_stopped() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &POST, false);
    let mut at_target = target.accept();
    at_target.head();
    // The target takes nothing more than its socket holds, so the windows are not renewed for ever.
    let block = vec![0; 16_384];
    for _ in 0..100_000 {
        peer.data(1, &block, false);
        if fixture.counters().http2_stream_errors.value() > 0 {
            break;
        }
    }
    assert_eq!(peer.response(1).reset, Some(FLOW_CONTROL_ERROR));
}

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
fn section_8_1_an_early_response_asks_for_no_more_of_the_request() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &with(&POST, &[("content-length", "100000")]), false);
    peer.data(1, b"begin", false);
    let mut at_target = target.accept();
    at_target.head();
    at_target.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    let response = peer.response(1);
    assert_eq!((response.status(), response.text()), (413, "no"));
    let reset = peer.until(|frame| frame.kind == RST_STREAM);
    assert_eq!((reset.stream, reset.code()), (1, NO_ERROR));
    peer.data(1, b"what was on its way", false);
    peer.request(3, &GET, true);
    target.answer(OK);
    assert_eq!(peer.response(3).status(), 200, "it does no harm");
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

#[test]
fn section_5_5_unknown_frames_are_ignored() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    peer.send(0xbe, 0xff, 7, b"anything");
    check_serves(&mut peer, 1);
}

#[test]
fn responses_of_many_streams_come_in_any_order() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    let mut at_target = Vec::new();
    for stream in [1, 3, 5] {
        peer.request(stream, &GET, true);
        let mut connection = target.accept();
        connection.head();
        at_target.push((stream, connection));
    }
    for (stream, connection) in at_target.iter_mut().rev() {
        connection.send(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{stream}"
        ));
        assert_eq!(peer.response(*stream).text(), stream.to_string());
    }
    // The connections to the target are used again.
    peer.request(7, &GET, true);
    at_target.last_mut().map(|_| ()).unwrap();
    fixture.settle();
    assert!(target.is_untouched());
    assert_eq!(fixture.counters().target_connections_reused.value(), 1);
}

#[test]
fn a_silent_stream_is_given_up_after_the_idle_timeout() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &GET, true);
    let mut at_target = target.accept();
    at_target.head();
    fixture.advance(IDLE + std::time::Duration::from_secs(1));
    assert_eq!(peer.response(1).status(), 504);
}

#[test]
fn section_10_5_floods_end_the_connection() {
    let fixture = answering();
    let frames: [(&str, Vec<u8>); 6] = [
        ("PING", frame(PING, 0, 0, &[0; 8])),
        ("SETTINGS", frame(SETTINGS, 0, 0, b"")),
        ("PRIORITY", frame(PRIORITY, 0, 1, &[0; 5])),
        ("unknown frames", frame(0x20, 0, 0, b"")),
        ("WINDOW_UPDATE", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("malformed requests", Vec::new()),
    ];
    let count = frames.len() as u64;
    for (what, bytes) in frames {
        let mut peer = FramePeer::connect(fixture.address);
        let mut flood = Vec::new();
        for n in 0..5000 {
            if bytes.is_empty() {
                flood.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * n, b""));
            } else {
                flood.extend(&bytes);
            }
        }
        peer.send_bytes(&flood);
        assert_eq!(peer.end_code(), ENHANCE_YOUR_CALM, "{what}");
    }
    assert_eq!(fixture.counters().http2_floods.value(), count);
}

#[test]
fn section_10_5_empty_data_frames_are_a_flood_too() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &POST, false);
    peer.send_bytes(&frame(DATA, 0, 1, b"").repeat(5000));
    assert_eq!(peer.end_code(), ENHANCE_YOUR_CALM);
}

#[test]
fn section_10_5_tiny_data_frames_are_served_in_bounded_memory() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    let count = 50_000;
    let length = count.to_string();
    peer.request(1, &with(&POST, &[("content-length", &length)]), false);
    let mut at_target = target.accept();
    at_target.head();
    let tiny = frame(DATA, 0, 1, b"x");
    peer.send_bytes(&tiny.repeat(count - 1));
    peer.data(1, b"x", true);
    assert_eq!(at_target.bytes(count), "x".repeat(count));
    at_target.send(OK);
    assert_eq!(peer.response(1).status(), 200);
}

/// CVE-2023-44487.
#[test]
fn section_10_5_a_client_that_resets_what_it_asks_for_is_stopped() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    let mut flood = Vec::new();
    for n in 0..1000 {
        flood.extend(frame(
            HEADERS,
            END_HEADERS | END_STREAM,
            1 + 2 * n,
            &section(&GET),
        ));
        flood.extend(frame(RST_STREAM, 0, 1 + 2 * n, &CANCEL.to_be_bytes()));
    }
    peer.send_bytes(&flood);
    assert_eq!(peer.end_code(), ENHANCE_YOUR_CALM);
    let counters = fixture.counters();
    assert!(
        counters.requests_forwarded.value() < 400,
        "the targets are spared"
    );
}

/// CVE-2024-27316.
#[test]
fn section_10_5_a_field_section_without_an_end_is_stopped() {
    let fixture = answering();
    for payload in [&b""[..], &[0x82; 16_384]] {
        let mut peer = FramePeer::connect(fixture.address);
        peer.send(HEADERS, END_STREAM, 1, &section(&GET));
        peer.send_bytes(&frame(CONTINUATION, 0, 1, payload).repeat(40));
        assert_eq!(
            peer.end_code(),
            ENHANCE_YOUR_CALM,
            "{} bytes",
            payload.len()
        );
    }
}

#[test]
fn section_10_5_1_fields_over_their_limits_are_413() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    let long = "x".repeat(16 * 1024);
    peer.request(1, &with(&GET, &[("x", &long[..16_300])]), false);
    // A section of more than one frame has to be continued.
    peer.send(RST_STREAM, 0, 1, &CANCEL.to_be_bytes());
    for (stream, fields) in [
        (3, with(&GET, &[("x", &long)])),
        (
            5,
            with(
                &GET,
                &[
                    ("a", &long[1..]),
                    ("b", &long[1..]),
                    ("c", &long[1..]),
                    ("d", &long[1..]),
                ],
            ),
        ),
    ] {
        let section = section(&fields);
        let mut parts = section.chunks(16_384);
        peer.send(HEADERS, END_STREAM, stream, parts.next().unwrap());
        let parts: Vec<_> = parts.collect();
        let (last, before) = parts.split_last().unwrap();
        for part in before {
            peer.send(CONTINUATION, 0, stream, part);
        }
        peer.send(CONTINUATION, END_HEADERS, stream, last);
        assert_eq!(peer.response(stream).status(), 413, "stream {stream}");
    }
    assert_eq!(fixture.counters().request_heads_too_large.value(), 2);
    check_serves(&mut peer, 7);
}

#[test]
fn a_client_that_never_opens_its_window_is_given_up() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect_with(fixture.address, &[(4, 0)]);
    peer.request(1, &GET, true);
    let (_, mut at_target) = target.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    peer.until(|frame| frame.kind == HEADERS);
    fixture.advance(IDLE - std::time::Duration::from_secs(1));
    peer.send(PING, 0, 0, &[0; 8]);
    peer.until(|frame| frame.kind == PING);
    fixture.advance(std::time::Duration::from_secs(2));
    assert_eq!(peer.response(1).reset, Some(2));
    assert_eq!(at_target.rest(), "", "the target's connection is closed");
    assert_eq!(fixture.counters().responses_cut.value(), 1);
}

#[test]
fn an_idle_connection_ends_and_pings_do_not_keep_it() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    check_serves(&mut peer, 1);
    for _ in 0..3 {
        fixture.advance(IDLE / 3);
        peer.send(PING, 0, 0, &[0; 8]);
        fixture.settle();
    }
    fixture.advance(std::time::Duration::from_secs(1));
    assert_eq!(fixture.counters().idle_timeouts.value(), 1);
    assert_eq!(peer.end_code(), NO_ERROR);
}

#[test]
fn a_body_that_stops_is_408() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &with(&POST, &[("content-length", "9")]), false);
    peer.data(1, b"half", false);
    let mut at_target = target.accept();
    at_target.head();
    fixture.advance(IDLE + std::time::Duration::from_secs(1));
    assert_eq!(peer.response(1).status(), 408);
}

/// ALB guide, "Listeners for your Application Load Balancers".
#[test]
fn the_10_000th_request_is_the_last() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    let section = section(&GET);
    for n in 0..10_000_u32 {
        peer.send(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * n, &section);
        if n % 100 == 99 {
            peer.raise_window(0, 500);
            peer.until(|frame| frame.ends_stream() && frame.stream == 1 + 2 * n);
        }
    }
    assert_eq!(fixture.counters().requests.value(), 10_000);
    assert_eq!(peer.next(), None, "the connection is closed");
}

#[test]
fn the_client_keep_alive_ends_a_connection_between_requests() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    for n in 0..70 {
        let stream = 1 + 2 * n;
        peer.request(stream, &GET, true);
        let (_, _target) =
            target.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        assert_eq!(peer.response(stream).status(), 200);
        fixture.advance(std::time::Duration::from_secs(52));
    }
    peer.request(141, &GET, true);
    let mut at_target = target.accept();
    at_target.head();
    let goaway = peer.until(|frame| frame.kind == GOAWAY);
    assert_eq!(goaway.code(), NO_ERROR, "3,640 s after it was opened");
    let ping = peer.until(|frame| frame.kind == PING);
    at_target.send(OK);
    assert_eq!(
        peer.response(141).text(),
        "ok",
        "one more request is served"
    );
    peer.send(PING, ACK, 0, &ping.payload);
    assert_eq!(peer.end_code(), NO_ERROR);
}

#[test]
fn connections_of_a_listener_that_is_gone_finish_what_is_in_progress() {
    let target = Target::listen();
    let mut fixture = forwarding_to(&target);
    let mut busy = FramePeer::connect(fixture.address);
    busy.request(1, &GET, true);
    let mut at_target = target.accept();
    at_target.head();
    let mut idle = FramePeer::connect(fixture.address);
    fixture.publish_frontends(vec![]);
    assert_eq!(idle.end_code(), NO_ERROR);
    let goaway = busy.until(|frame| frame.kind == GOAWAY);
    assert_eq!(
        goaway.last_stream(),
        0x7fff_ffff,
        "first it is told that the end is near"
    );
    // What it had sent before it knew is served.
    busy.request(3, &GET, true);
    let mut second = target.accept();
    second.head();
    let ping = busy.until(|frame| frame.kind == PING);
    busy.send(PING, ACK, 0, &ping.payload);
    let goaway = busy.until(|frame| frame.kind == GOAWAY);
    assert_eq!(goaway.last_stream(), 3);
    busy.request(5, &GET, true);
    assert_eq!(busy.response(5).reset, Some(REFUSED_STREAM));
    at_target.send(OK);
    assert_eq!(busy.response(1).text(), "ok");
    second.send(OK);
    assert_eq!(busy.response(3).text(), "ok");
    assert_eq!(busy.next(), None);
}

#[test]
fn requests_at_a_target_are_cut_when_its_delay_ends() {
    let target = Target::listen();
    let registered = endpoint(target.address);
    let fixture = Fixture::of_http2(forward_to(std::slice::from_ref(&registered)));
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &GET, true);
    let mut at_target = target.accept();
    at_target.head();
    registered.state.start_draining();
    fixture.cut(&registered);
    assert_eq!(peer.response(1).status(), 502);
    peer.request(3, &GET, true);
    assert_eq!(peer.response(3).status(), 503, "it gets no new request");
}

#[test]
fn a_target_that_closed_an_idle_connection_is_asked_again() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &GET, true);
    let (_, at_target) = target.answer(OK);
    assert_eq!(peer.response(1).status(), 200);
    drop(at_target);
    peer.request(3, &GET, true);
    target.answer(OK);
    assert_eq!(peer.response(3).status(), 200);
}

#[test]
fn a_target_that_refuses_or_stops_is_502_and_a_cut_response_is_a_reset() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &GET, true);
    let mut at_target = target.accept();
    at_target.head();
    drop(at_target);
    assert_eq!(peer.response(1).status(), 502);
    peer.request(3, &GET, true);
    target.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    assert_eq!(peer.response(3).reset, Some(2));
    peer.request(5, &GET, true);
    target.answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab");
    assert_eq!(peer.response(5).status(), 502);
    drop(target);
    peer.request(7, &GET, true);
    assert_eq!(peer.response(7).status(), 502);
}

#[test]
fn a_long_body_passes_in_both_directions() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect_with(fixture.address, &[(4, 0x7fff_ffff)]);
    peer.raise_window(0, 0x7000_0000);
    peer.request(1, &POST, false);
    let mut at_target = target.accept();
    let blocks = 200;
    let reading = std::thread::spawn(move || {
        at_target.head();
        let mut chunks = 0;
        loop {
            let size = at_target.until("\r\n");
            let size = usize::from_str_radix(size.trim_end(), 16).expect("a size");
            let data = at_target.bytes(size + 2);
            if size == 0 {
                break;
            }
            assert!(data.bytes().take(size).all(|byte| byte == b'u'));
            chunks += size;
        }
        at_target.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for _ in 0..blocks {
            at_target.send(format!("4000\r\n{}\r\n", "d".repeat(16_384)));
        }
        at_target.send("0\r\n\r\n");
        chunks
    });
    let block = vec![b'u'; 16_384];
    let mut window = 1024 * 1024_i64;
    let mut of_stream = 256 * 1024_i64;
    for _ in 0..blocks {
        while window < 16_384 || of_stream < 16_384 {
            let update = peer.until(|frame| frame.kind == WINDOW_UPDATE);
            let by = i64::from(u32::from_be_bytes(update.payload.try_into().unwrap()));
            *(if update.stream == 0 {
                &mut window
            } else {
                &mut of_stream
            }) += by;
        }
        peer.data(1, &block, false);
        window -= 16_384;
        of_stream -= 16_384;
    }
    peer.data(1, b"", true);
    let response = peer.response(1);
    assert_eq!(response.body.len(), blocks * 16_384);
    assert!(response.body.iter().all(|byte| *byte == b'd'));
    assert_eq!(reading.join().unwrap(), blocks * 16_384);
}
