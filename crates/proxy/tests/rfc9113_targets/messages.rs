//! Section 8: requests and responses.

use crate::frames::*;
use crate::support::Target;
use crate::{Exchange, OK, forwarding_to};

#[test]
fn section_8_1_interim_responses_are_dropped() {
    let mut exchange = Exchange::of_get();
    let stream = exchange.stream;
    for status in ["100", "103", "199"] {
        exchange
            .at_target
            .request(stream, &[(":status", status), ("link", "x")], false);
    }
    exchange.at_target.request(stream, &OK, true);
    let response = exchange.client.response(1);
    assert_eq!((response.status(), response.field("link")), (200, None));
    for (fields, ends) in [
        // Source: RFC 9113 section 8.6.
        ([(":status", "101")], false),
        ([(":status", "100")], true),
    ] {
        let mut exchange = Exchange::of_get();
        exchange.at_target.request(stream, &fields, ends);
        exchange.check_refused(&format!("{fields:?}"));
    }
    let mut exchange = Exchange::of_get();
    for _ in 0..17 {
        exchange
            .at_target
            .request(stream, &[(":status", "100")], false);
    }
    exchange.check_refused("too many interim responses");
}

#[test]
fn section_8_1_a_response_is_a_head_a_body_and_trailers() {
    let mut exchange = Exchange::of_get();
    let stream = exchange.stream;
    exchange
        .at_target
        .request(stream, &[(":status", "404"), ("x-a", "b")], false);
    exchange.at_target.data(stream, b"not ", false);
    exchange.at_target.data(stream, b"found", false);
    exchange
        .at_target
        .request(stream, &[("x-sum", " 9 "), ("te", "trailers")], true);
    let response = exchange.client.response(1);
    assert_eq!((response.status(), response.text()), (404, "not found"));
    assert_eq!(response.field("x-a"), Some("b"));
    assert_eq!(response.trailers, [("x-sum".to_owned(), "9".to_owned())]);

    let mut exchange = Exchange::of_get();
    exchange.at_target.data(stream, b"first", true);
    exchange.check_refused("data in front of the head");
}

#[test]
fn section_8_1_malformed_trailers_are_a_reset() {
    for (fields, ends) in [
        (&[("x-a", "b")][..], false),
        (&[(":status", "200")], true),
        (&[("X-A", "b")], true),
        (&[("connection", "close")], true),
    ] {
        let mut exchange = Exchange::of_get();
        let stream = exchange.stream;
        exchange.at_target.request(stream, &OK, false);
        exchange.client.until(|frame| frame.kind == HEADERS);
        exchange.at_target.request(stream, fields, ends);
        let reset = exchange.at_target.until(|frame| frame.kind == RST_STREAM);
        assert_eq!(
            (reset.stream, reset.code()),
            (stream, PROTOCOL_ERROR),
            "{fields:?}"
        );
        assert_eq!(exchange.client.response(1).reset, Some(2), "{fields:?}");
        exchange.check_serves();
    }
}

#[test]
fn section_8_1_1_a_body_of_another_length_is_malformed() {
    let with_length = [(":status", "200"), ("content-length", "5")];
    for (data, ends) in [(&b"123456"[..], false), (b"1234", true)] {
        let mut exchange = Exchange::of_get();
        let stream = exchange.stream;
        exchange.at_target.request(stream, &with_length, false);
        exchange.client.until(|frame| frame.kind == HEADERS);
        exchange.at_target.data(stream, data, ends);
        assert_eq!(exchange.client.response(1).reset, Some(2), "{data:?}");
        exchange.check_serves();
    }
    let mut exchange = Exchange::of_get();
    let stream = exchange.stream;
    exchange.at_target.request(stream, &with_length, true);
    exchange.fixture.settle();
    assert_eq!(exchange.client.response(1).status(), 502);
    let mut exchange = Exchange::of_get();
    exchange.at_target.request(stream, &with_length, false);
    exchange.at_target.data(stream, b"12", false);
    exchange.at_target.data(stream, b"345", true);
    assert_eq!(exchange.client.response(1).text(), "12345");
}

#[test]
fn section_8_1_1_a_response_to_head_announces_what_it_does_not_send() {
    let mut head = GET;
    head[0] = (":method", "HEAD");
    let with_length = [(":status", "200"), ("content-length", "5")];
    for ends_with_head in [true, false] {
        let mut exchange = Exchange::begin(&head, true);
        let stream = exchange.stream;
        exchange
            .at_target
            .request(stream, &with_length, ends_with_head);
        if !ends_with_head {
            exchange.at_target.data(stream, b"", true);
        }
        let response = exchange.client.response(1);
        assert_eq!(response.field("content-length"), Some("5"));
        assert!(response.has_ended && response.body.is_empty());
    }
    let mut exchange = Exchange::begin(&head, true);
    exchange
        .at_target
        .request(exchange.stream, &with_length, false);
    exchange.client.until(|frame| frame.kind == HEADERS);
    exchange.at_target.data(exchange.stream, b"12345", true);
    assert_eq!(
        exchange.client.response(1).reset,
        Some(2),
        "there can be no body"
    );
}

#[test]
fn section_8_1_1_malformed_responses_are_502_and_errors_of_their_stream() {
    for fields in [
        &[("x-a", "b")][..],
        &[("x-a", "b"), (":status", "200")],
        &[(":status", "200"), (":status", "200")],
        &[(":status", "200"), (":path", "/")],
        &[(":status", "2000")],
        &[(":status", "099")],
        &[(":status", "200"), ("X-Upper", "x")],
        &[(":status", "200"), ("a b", "x")],
        &[(":status", "200"), ("", "x")],
        &[(":status", "200"), ("x-a", "b\r\nc: d")],
        &[(":status", "200"), ("connection", "close")],
        &[(":status", "200"), ("transfer-encoding", "chunked")],
        &[
            (":status", "200"),
            ("content-length", "1"),
            ("content-length", "2"),
        ],
        &[(":status", "200"), ("content-length", "-1")],
    ] {
        let mut exchange = Exchange::of_get();
        exchange.at_target.request(exchange.stream, fields, false);
        exchange.check_refused(&format!("{fields:?}"));
    }
}

#[test]
fn section_8_4_targets_push_nothing() {
    let mut exchange = Exchange::of_get();
    let promise = [&[0, 0, 0, 2], &section(&GET)[..]].concat();
    let stream = exchange.stream;
    exchange
        .at_target
        .send(PUSH_PROMISE, END_HEADERS, stream, &promise);
    exchange.check_ended(PROTOCOL_ERROR, "PUSH_PROMISE");
}

#[test]
fn section_8_7_a_refused_stream_is_not_sent_again_for_ever() {
    let (target, other) = (Target::listen(), Target::listen());
    let fixture = forwarding_to(&[&target, &other]);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &GET, true);
    let mut first = FramePeer::accept(&target.listener);
    let (stream, _) = first.message();
    first.reset(stream, REFUSED_STREAM);
    let mut second = FramePeer::accept(&other.listener);
    let (stream, _) = second.message();
    second.reset(stream, REFUSED_STREAM);
    assert_eq!(client.response(1).status(), 502);
    assert_eq!(fixture.counters().requests_retried.value(), 1);
}
