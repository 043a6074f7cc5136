//! What ends when nothing moves, or in time.

use std::time::Duration;

use crate::frames::*;
use crate::support::{IDLE, Target};
use crate::{OK, answering, check_serves, forwarding_to, with};

#[test]
fn a_silent_stream_is_given_up_after_the_idle_timeout() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &GET, true);
    let mut at_target = target.accept();
    at_target.head();
    fixture.advance(IDLE + Duration::from_secs(1));
    assert_eq!(peer.response(1).status(), 504);
}

#[test]
fn a_client_that_never_opens_its_window_is_given_up() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect_with(fixture.address, &[(4, 0)]);
    peer.request(1, &GET, true);
    let (_, mut at_target) = target.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    peer.until(|frame| frame.kind == HEADERS);
    fixture.advance(IDLE - Duration::from_secs(1));
    peer.send(PING, 0, 0, &[0; 8]);
    peer.until(|frame| frame.kind == PING);
    fixture.advance(Duration::from_secs(2));
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
    fixture.advance(Duration::from_secs(1));
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
    fixture.advance(IDLE + Duration::from_secs(1));
    assert_eq!(peer.response(1).status(), 408);
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
        fixture.advance(Duration::from_secs(52));
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
