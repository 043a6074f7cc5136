//! Section 8.1: a response may come before the end of its request. Clients take a reset for a failure, so the rest of
//! the request is taken and forgotten, within bounds.

use std::time::Duration;

use engine::{FixedResponse, HttpVersion, Routing};

use crate::frames::*;
use crate::support::{Fixture, Target, endpoint, forward_by, forward_to};
use crate::{OK, answering, check_serves, fixed, forwarding_to, with};

/// A request whose head is answered before anything of its body has been sent.
fn answered_early(fixture: &Fixture) -> FramePeer {
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &POST, false);
    assert_eq!(peer.response(1).text(), "fixed");
    peer
}

/// Fails unless the next frame resets stream 1 and says that nothing is wrong.
fn check_is_reset(peer: &mut FramePeer) {
    let is_wanted = |frame: &Frame| matches!(frame.kind, RST_STREAM | GOAWAY);
    let reset = peer.until(is_wanted);
    assert_eq!((reset.kind, reset.stream), (RST_STREAM, 1));
    assert_eq!(reset.code(), NO_ERROR);
}

#[test]
fn section_8_1_a_request_that_was_answered_may_be_sent_to_its_end() {
    for (status, action) in [(200, fixed("fixed")), (503, forward_to(&[]))] {
        let fixture = Fixture::of_http2(action);
        for length in [0, 3, 200 * 1024, 5 * 1024 * 1024] {
            let mut peer = FramePeer::connect(fixture.address);
            let said = length.to_string();
            peer.request(1, &with(&POST, &[("content-length", &said)]), false);
            assert_eq!(peer.response(1).status(), status);
            peer.send_body(1, length, &mut Windows::of_client());
            peer.request(3, &GET, true);
            let is_wanted = |frame: &Frame| frame.kind == RST_STREAM || frame.stream == 3;
            let next = peer.until(is_wanted);
            assert_eq!(next.kind, HEADERS, "no reset after {length} bytes");
        }
        let counters = fixture.counters();
        assert_eq!(counters.http2_requests_not_discarded.value(), 0);
        assert_eq!(counters.http2_stream_errors.value(), 0);
    }
}

#[test]
fn section_8_1_trailers_end_a_request_that_was_answered() {
    let fixture = answering();
    let mut peer = answered_early(&fixture);
    peer.data(1, b"body", false);
    peer.request(1, &[("x-sum", "1")], true);
    check_serves(&mut peer, 3);
    peer.data(1, b"more", false);
    assert_eq!(
        peer.response(1).reset,
        Some(STREAM_CLOSED),
        "it has ended like any other"
    );
}

#[test]
fn section_8_1_an_answer_that_waits_for_its_window_comes_first() {
    let fixture = answering();
    let mut peer = FramePeer::connect_with(fixture.address, &[(4, 2)]);
    peer.request(1, &POST, false);
    let begun = peer.response_until(1, |response| !response.body.is_empty());
    assert_eq!(begun.text(), "fi");
    peer.data(1, b"body", false);
    fixture.settle();
    peer.raise_window(1, 100);
    let rest = peer.response(1);
    assert_eq!((rest.text(), rest.has_ended), ("xed", true));
    peer.data(1, b"rest", true);
    check_serves_with_window(&mut peer, 3);
}

fn check_serves_with_window(peer: &mut FramePeer, stream: u32) {
    peer.request(stream, &GET, true);
    peer.raise_window(stream, 100);
    assert_eq!(peer.response(stream).text(), "fixed");
}

#[test]
fn section_8_1_an_early_response_of_a_target_lets_the_client_finish() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let length = 1024 * 1024;
    let mut peer = FramePeer::connect(fixture.address);
    let said = length.to_string();
    peer.request(1, &with(&POST, &[("content-length", &said)]), false);
    let mut at_target = target.accept();
    at_target.head();
    at_target.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    let response = peer.response(1);
    assert_eq!((response.status(), response.text()), (403, "no"));
    peer.send_body(1, length, &mut Windows::of_client());
    assert_eq!(at_target.rest(), "", "the target is let go at once");
    peer.request(3, &GET, true);
    target.answer(OK);
    assert_eq!(peer.response(3).status(), 200);
    assert_eq!(fixture.counters().http2_stream_errors.value(), 0);
}

#[test]
fn section_8_1_the_same_holds_for_targets_of_http_2() {
    let target = Target::listen();
    let action = forward_by(HttpVersion::Http2, &[endpoint(target.address)]);
    let fixture = Fixture::of_http2(action);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &POST, false);
    let mut at_target = FramePeer::accept(&target.listener);
    let (stream, _) = at_target.message();
    let forbidden = section(&[(":status", "403")]);
    at_target.send(HEADERS, END_HEADERS | END_STREAM, stream, &forbidden);
    assert_eq!(peer.response(1).status(), 403);
    let reset = at_target.until(|frame| frame.kind == RST_STREAM);
    assert_eq!((reset.stream, reset.code()), (stream, CANCEL));
    peer.send_body(1, 1024 * 1024, &mut Windows::of_client());
    peer.request(3, &GET, true);
    let (stream, _) = at_target.message();
    let ok = section(&[(":status", "200")]);
    at_target.send(HEADERS, END_HEADERS | END_STREAM, stream, &ok);
    assert_eq!(peer.response(3).status(), 200);
}

#[test]
fn section_8_1_a_request_that_does_not_come_to_its_end_is_reset() {
    let fixture = answering();
    // With nothing: after the longest pause.
    let mut peer = answered_early(&fixture);
    fixture.advance(Duration::from_millis(4900));
    peer.send(PING, 0, 0, &[0; 8]);
    let next = peer.until(|frame| matches!(frame.kind, PING | RST_STREAM));
    assert_eq!(next.kind, PING, "not before");
    fixture.advance(Duration::from_millis(200));
    check_is_reset(&mut peer);
    check_serves(&mut peer, 3);
    // In small pieces: after the whole time.
    let mut peer = answered_early(&fixture);
    for _ in 0..7 {
        peer.data(1, b"x", false);
        fixture.advance(Duration::from_secs(4));
    }
    peer.data(1, b"x", false);
    peer.send(PING, 0, 0, &[0; 8]);
    let next = peer.until(|frame| matches!(frame.kind, PING | RST_STREAM));
    assert_eq!(next.kind, PING, "28 s are not too long");
    fixture.advance(Duration::from_millis(2100));
    check_is_reset(&mut peer);
    peer.data(1, b"what was on its way", false);
    check_serves(&mut peer, 3);
    assert_eq!(fixture.counters().http2_requests_not_discarded.value(), 2);
}

#[test]
fn section_8_1_a_request_without_end_is_reset() {
    let fixture = answering();
    let mut peer = answered_early(&fixture);
    let mut windows = Windows::of_client();
    let block = [b'x'; 16_384];
    let mut sent = 0_u64;
    loop {
        while !windows.allow(block.len()) {
            let is_wanted = |frame: &Frame| matches!(frame.kind, WINDOW_UPDATE | RST_STREAM);
            let frame = peer.until_updating(&mut windows, is_wanted);
            if frame.kind == RST_STREAM {
                assert_eq!((frame.stream, frame.code()), (1, NO_ERROR));
                let bound = 256 * 1024 * 1024;
                assert!((bound..bound + 512 * 1024).contains(&sent), "{sent} bytes");
                check_serves(&mut peer, 3);
                assert_eq!(fixture.counters().http2_requests_not_discarded.value(), 1);
                return;
            }
        }
        peer.data(1, &block, false);
        windows.spend(block.len());
        sent += block.len() as u64;
    }
}

#[test]
fn section_5_1_2_requests_that_were_answered_early_count_as_open_streams() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    for n in 0..128 {
        peer.request(1 + 2 * n, &POST, false);
        assert_eq!(peer.response(1 + 2 * n).status(), 200);
    }
    peer.request(257, &GET, true);
    assert_eq!(peer.response(257).reset, Some(REFUSED_STREAM));
    peer.data(1, b"x", true);
    check_serves(&mut peer, 259);
    // A client may also say that it does not go on.
    peer.reset(3, CANCEL);
    peer.request(261, &POST, false);
    assert_eq!(peer.response(261).status(), 200);
    let counters = fixture.counters();
    assert_eq!(counters.http2_streams_refused.value(), 1);
    let early = counters.http2_streams_reset_by_client.value();
    assert_eq!(early, 0, "its response was complete");
}

#[test]
fn section_6_8_a_connection_that_goes_away_waits_for_the_rest_of_a_request() {
    let mut fixture = answering();
    let mut patient = answered_early(&fixture);
    let mut silent = answered_early(&fixture);
    fixture.publish_frontends(vec![]);
    for peer in [&mut patient, &mut silent] {
        let ping = peer.until(|frame| frame.kind == PING);
        peer.send(PING, ACK, 0, &ping.payload);
        assert_eq!(peer.until(|frame| frame.kind == GOAWAY).last_stream(), 1);
    }
    patient.send_body(1, 600 * 1024, &mut Windows::of_client());
    let next = patient.until_close_or(|frame| frame.kind == RST_STREAM);
    assert_eq!(next, None, "it is closed without a reset");
    fixture.advance(Duration::from_secs(6));
    check_is_reset(&mut silent);
    assert_eq!(silent.next(), None, "and no longer than that");
}

#[test]
fn section_10_5_requests_that_are_answered_early_and_reset_cost_no_more_than_others() {
    let fixture = Fixture::of_http2(
        Routing::FixedResponse(FixedResponse {
            status: 204,
            content_type: None,
            body: Box::default(),
        })
        .into(),
    );
    let mut peer = FramePeer::connect(fixture.address);
    let mut flood = Vec::new();
    for n in 0..5000 {
        flood.extend(frame(HEADERS, END_HEADERS, 1 + 2 * n, &section(&POST)));
        flood.extend(frame(DATA, 0, 1 + 2 * n, b"").repeat(8));
    }
    peer.send_bytes(&flood);
    assert_eq!(peer.end_code(), ENHANCE_YOUR_CALM);
    assert!(fixture.counters().requests.value() < 1000);
}
