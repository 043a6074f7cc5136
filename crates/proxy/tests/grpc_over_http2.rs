//! What a proxy does with calls of gRPC, part by part of "gRPC over HTTP2" (grpc/grpc, `doc/PROTOCOL-HTTP2.md`).
//! `tests/test_http2.py` has a real client and a real server.

#[path = "support/frames.rs"]
mod frames;
mod support;

use frames::*;
use support::{Fixture, Target};

/// A call that goes on after the head of its response: the client, the target and the call's stream there.
fn answered_call(fixture: &Fixture, target: &Target) -> (FramePeer, FramePeer, u32) {
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &CALL, false);
    let mut at_target = FramePeer::accept(&target.listener);
    let (stream, _) = at_target.message();
    at_target.request(stream, &[(":status", "200")], false);
    client.until(|frame| frame.kind == HEADERS);
    (client, at_target, stream)
}

#[test]
fn requests_and_responses_keep_their_headers_messages_and_trailers() {
    let target = Target::listen();
    let fixture = Fixture::of_grpc(&target);
    let mut client = FramePeer::connect(fixture.address);
    let call = [&CALL[..], &[("grpc-timeout", "5S"), ("x-key-bin", "AAE=")]].concat();
    client.request(1, &call, false);
    client.data(1, b"\0\0\0\0\x02hi", true);
    let mut at_target = FramePeer::accept(&target.listener);
    let (stream, request) = at_target.message();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/shop.Cart/Add"),
        ("content-type", "application/grpc+proto"),
        ("te", "trailers"),
        ("grpc-timeout", "5S"),
        ("x-key-bin", "AAE="),
        ("x-forwarded-for", "127.0.0.1"),
    ] {
        assert_eq!(request.field(name), Some(value), "{name}");
    }
    let data = at_target.until(|frame| frame.kind == DATA && !frame.payload.is_empty());
    assert_eq!(data.payload, b"\0\0\0\0\x02hi");
    at_target.answer_call(stream, b"\0\0\0\0\x02ho");
    let response = client.response(1);
    assert_eq!(response.status(), 200);
    assert_eq!(response.body, b"\0\0\0\0\x02ho");
    let trailers = [("grpc-status", "0"), ("grpc-message", "fine")];
    assert_eq!(
        response.trailers,
        trailers.map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
    let counters = fixture.counters();
    assert_eq!(counters.grpc_requests.value(), 1);
    assert_eq!(counters.target_responses_2xx.value(), 1);
}

#[test]
fn length_prefixed_messages_stream_in_both_directions_at_once() {
    let target = Target::listen();
    let fixture = Fixture::of_grpc(&target);
    let (mut client, mut at_target, stream) = answered_call(&fixture, &target);
    for round in 0..20_u8 {
        client.data(1, &[round; 100], false);
        let message = at_target.until(|frame| frame.kind == DATA);
        assert_eq!(message.payload, [round; 100]);
        at_target.data(stream, &[round; 50], false);
        let message = client.until(|frame| frame.kind == DATA);
        assert_eq!(message.payload, [round; 50]);
    }
    client.data(1, b"", true);
    at_target.until(|frame| frame.kind == DATA && frame.ends_stream());
    at_target.request(stream, &[("grpc-status", "0")], true);
    assert!(client.response(1).has_ended);
}

#[test]
fn responses_of_trailers_only_are_handed_on() {
    let target = Target::listen();
    let fixture = Fixture::of_grpc(&target);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &CALL, true);
    let mut at_target = FramePeer::accept(&target.listener);
    let (stream, request) = at_target.message();
    assert!(request.has_ended);
    at_target.request(stream, &[(":status", "200"), ("grpc-status", "12")], true);
    let response = client.response(1);
    assert_eq!(response.field("grpc-status"), Some("12"));
    assert!(response.has_ended && response.body.is_empty());
}

#[test]
fn errors_a_call_that_the_client_cancels_is_cancelled_at_the_target() {
    let target = Target::listen();
    let fixture = Fixture::of_grpc(&target);
    let (mut client, mut at_target, stream) = answered_call(&fixture, &target);
    client.reset(1, CANCEL);
    let reset = at_target.until(|frame| frame.kind == RST_STREAM);
    assert_eq!((reset.stream, reset.code()), (stream, CANCEL));
}

#[test]
fn errors_a_call_that_the_target_cancels_is_cancelled_for_the_client() {
    let target = Target::listen();
    let fixture = Fixture::of_grpc(&target);
    let (mut client, mut at_target, stream) = answered_call(&fixture, &target);
    at_target.reset(stream, CANCEL);
    assert_eq!(client.response(1).reset, Some(CANCEL));
    // The connections go on.
    client.request(3, &CALL, true);
    let (stream, _) = at_target.message();
    at_target.answer_call(stream, b"x");
    assert_eq!(client.response(3).body, b"x");
}

#[test]
fn responses_with_another_http_status_are_handed_on_for_the_client_to_map() {
    let target = Target::listen();
    let fixture = Fixture::of_grpc(&target);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &CALL, true);
    let mut at_target = FramePeer::accept(&target.listener);
    let (stream, _) = at_target.message();
    at_target.request(stream, &[(":status", "503")], true);
    let response = client.response(1);
    assert_eq!(response.status(), 503);
    assert_eq!(response.field("grpc-status"), None);
}

#[test]
fn connection_management_calls_that_a_goaway_leaves_out_go_to_another_connection() {
    let target = Target::listen();
    let fixture = Fixture::of_grpc(&target);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &CALL, true);
    let mut going = FramePeer::accept(&target.listener);
    let (stream, _) = going.message();
    let goaway = [stream.to_be_bytes(), NO_ERROR.to_be_bytes()].concat();
    going.send(GOAWAY, 0, 0, &goaway);
    fixture.settle();
    client.request(3, &CALL, true);
    let mut next = FramePeer::accept(&target.listener);
    let (other, _) = next.message();
    next.answer_call(other, b"new");
    assert_eq!(client.response(3).body, b"new");
    going.answer_call(stream, b"old");
    assert_eq!(
        client.response(1).body,
        b"old",
        "it is finished all the same"
    );
}
