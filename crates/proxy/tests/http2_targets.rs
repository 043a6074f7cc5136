//! Targets that speak HTTP/2: what they are sent, and what becomes of their answers. `grpc_over_http2.rs` has what is
//! particular to gRPC.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::sync::Arc;
use std::time::Duration;

use engine::HttpVersion;
use frames::*;
use support::{Fixture, IDLE, Target, endpoint, forward_by, status};

#[test]
fn the_trailers_of_a_request_reach_the_target() {
    let target = Target::listen();
    let fixture = Fixture::of_grpc(&target);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &CALL, false);
    client.data(1, b"x", false);
    client.request(1, &[("x-sum", "7")], true);
    let mut at_target = FramePeer::accept(&target.listener);
    at_target.message();
    at_target.until(|frame| frame.kind == DATA);
    let (_, trailers) = at_target.message();
    assert_eq!(
        (trailers.field("x-sum"), trailers.has_ended),
        (Some("7"), true)
    );
}

#[test]
fn requests_of_all_clients_share_a_connection() {
    let target = Target::listen();
    let fixture = Fixture::of_http2(forward_by(HttpVersion::Http2, &[endpoint(target.address)]));
    let mut first = FramePeer::connect(fixture.address);
    first.request(1, &GET, true);
    let mut at_target = FramePeer::accept(&target.listener);
    let (one, _) = at_target.message();
    let mut second = FramePeer::connect(fixture.address);
    second.request(1, &GET, true);
    let (two, _) = at_target.message();
    at_target.request(two, &[(":status", "202")], true);
    at_target.request(one, &[(":status", "201")], true);
    assert_eq!(second.response(1).status(), 202);
    assert_eq!(first.response(1).status(), 201);
    assert!(target.is_untouched());
    assert_eq!(fixture.counters().target_connections_opened.value(), 1);
}

/// ALB guide, "Target groups", "Protocol version".
#[test]
fn versions_that_do_not_go_together_are_464() {
    let target = Target::listen();
    let endpoints = [endpoint(target.address)];
    for (version, fields) in [
        (HttpVersion::Http1, &CALL[..]),
        (HttpVersion::Grpc, &GET[..]),
    ] {
        let fixture = Fixture::of_http2(forward_by(version, &endpoints));
        let mut client = FramePeer::connect(fixture.address);
        client.request(1, fields, true);
        assert_eq!(client.response(1).status(), 464, "{version:?}");
    }
    for version in [HttpVersion::Http2, HttpVersion::Grpc] {
        let fixture = Fixture::with_action(forward_by(version, &endpoints));
        let request =
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        assert_eq!(status(&fixture.exchange(request)), 464, "{version:?}");
    }
    assert!(target.is_untouched());
}

#[test]
fn a_reset_before_the_response_is_502() {
    let target = Target::listen();
    let fixture = Fixture::of_grpc(&target);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &CALL, true);
    let mut at_target = FramePeer::accept(&target.listener);
    let (stream, _) = at_target.message();
    at_target.reset(stream, 2);
    assert_eq!(client.response(1).status(), 502);
}

#[test]
fn what_a_target_that_goes_away_has_not_processed_is_sent_to_another() {
    let (leaving, staying) = (Target::listen(), Target::listen());
    let endpoints = [endpoint(leaving.address), endpoint(staying.address)];
    let fixture = Fixture::of_http2(forward_by(HttpVersion::Grpc, &endpoints));
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &CALL, true);
    let mut at_leaving = FramePeer::accept(&leaving.listener);
    at_leaving.message();
    // No stream was processed.
    at_leaving.send(GOAWAY, 0, 0, &[0; 8]);
    let mut at_staying = FramePeer::accept(&staying.listener);
    let (stream, _) = at_staying.message();
    at_staying.answer_call(stream, b"ok");
    assert_eq!(client.response(1).body, b"ok");
    assert_eq!(fixture.counters().requests_retried.value(), 1);
}

#[test]
fn a_refused_stream_is_sent_again() {
    let target = Target::listen();
    let other = Target::listen();
    let endpoints = [endpoint(target.address), endpoint(other.address)];
    let fixture = Fixture::of_http2(forward_by(HttpVersion::Grpc, &endpoints));
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &CALL, true);
    let mut at_target = FramePeer::accept(&target.listener);
    let (stream, _) = at_target.message();
    at_target.reset(stream, REFUSED_STREAM);
    let mut at_other = FramePeer::accept(&other.listener);
    let (stream, _) = at_other.message();
    at_other.answer_call(stream, b"ok");
    assert_eq!(client.response(1).body, b"ok");
}

#[test]
fn a_target_that_fails_is_502_before_its_response_and_a_reset_behind_its_head() {
    let target = Target::listen();
    let fixture = Fixture::of_grpc(&target);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &CALL, true);
    let mut at_target = FramePeer::accept(&target.listener);
    at_target.message();
    drop(at_target);
    assert_eq!(client.response(1).status(), 502);
    client.request(3, &CALL, true);
    let mut at_target = FramePeer::accept(&target.listener);
    let (stream, _) = at_target.message();
    at_target.request(stream, &[(":status", "200")], false);
    client.until(|frame| frame.kind == HEADERS);
    drop(at_target);
    assert_eq!(client.response(3).reset, Some(2));
    drop(target);
    client.request(5, &CALL, true);
    assert_eq!(client.response(5).status(), 502, "nobody listens");
}

#[test]
fn a_silent_target_is_504_and_the_stream_is_given_up() {
    let target = Target::listen();
    let fixture = Fixture::of_grpc(&target);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &CALL, true);
    let mut at_target = FramePeer::accept(&target.listener);
    let (stream, _) = at_target.message();
    fixture.advance(IDLE + Duration::from_secs(1));
    assert_eq!(client.response(1).status(), 504);
    let reset = at_target.until(|frame| frame.kind == RST_STREAM);
    assert_eq!(reset.stream, stream);
}

#[test]
fn requests_are_cut_when_the_deregistration_delay_ends() {
    let target = Target::listen();
    let registered = endpoint(target.address);
    let fixture = Fixture::of_http2(forward_by(HttpVersion::Grpc, &[Arc::clone(&registered)]));
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &CALL, true);
    let mut at_target = FramePeer::accept(&target.listener);
    at_target.message();
    fixture.settle();
    assert_eq!(registered.state.requests_in_flight(), 1);
    registered.state.start_draining();
    fixture.cut(&registered);
    assert_eq!(client.response(1).status(), 502);
    fixture.settle();
    assert_eq!(registered.state.requests_in_flight(), 0);
    assert_eq!(fixture.counters().requests_cut_by_deregistration.value(), 1);
}

#[test]
fn a_body_that_a_deregistered_target_leaves_unread_is_not_held_against_it() {
    let target = Target::listen();
    let registered = endpoint(target.address);
    let fixture = Fixture::of_http2(forward_by(HttpVersion::Grpc, &[Arc::clone(&registered)]));
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &CALL, false);
    client.data(1, b"begun", false);
    let mut at_target = FramePeer::accept(&target.listener);
    at_target.message();
    at_target.until(|frame| frame.kind == DATA);
    registered.state.start_draining();
    // No stream was processed.
    at_target.send(GOAWAY, 0, 0, &[0; 8]);
    assert_eq!(client.response(1).status(), 502);
    assert_eq!(fixture.counters().requests_cut_by_deregistration.value(), 1);
}

#[test]
fn a_client_that_does_not_read_holds_the_target_back() {
    let target = Target::listen();
    let fixture = Fixture::of_grpc(&target);
    let mut client = FramePeer::connect_with(fixture.address, &[(4, 10)]);
    client.request(1, &CALL, true);
    let mut at_target = FramePeer::accept(&target.listener);
    let (stream, _) = at_target.message();
    at_target.request(stream, &[(":status", "200")], false);
    // The window that the target was given is 256 KiB, and is renewed by no more than the client takes.
    for _ in 0..16 {
        at_target.data(stream, &[7; 16_384], false);
    }
    let first = client.response_until(1, |response| response.body.len() == 10);
    assert_eq!(first.body, [7; 10]);
    at_target.data(stream, &[7; 11], false);
    let end = at_target.until(|frame| matches!(frame.kind, RST_STREAM | GOAWAY));
    assert_eq!(end.code(), FLOW_CONTROL_ERROR, "more than the window");
}

#[test]
fn idle_connections_to_targets_expire() {
    let target = Target::listen();
    let fixture = Fixture::of_grpc(&target);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &CALL, true);
    let mut at_target = FramePeer::accept(&target.listener);
    let (stream, _) = at_target.message();
    at_target.answer_call(stream, b"x");
    client.response(1);
    fixture.advance(IDLE + Duration::from_secs(2));
    fixture.settle();
    assert_eq!(at_target.end_code(), NO_ERROR);
}

#[test]
fn a_path_that_cannot_be_sent_is_400() {
    let target = Target::listen();
    let fixture = Fixture::of_grpc(&target);
    let mut client = FramePeer::connect(fixture.address);
    let mut call = CALL;
    call[2] = (":path", "/a#b");
    client.request(1, &call, true);
    assert_eq!(client.response(1).status(), 400);
}
