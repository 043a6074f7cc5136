//! Section 6: each type of frame, and the windows.

use crate::frames::*;
use crate::support::{Fixture, Target, endpoint, forward_to};
use crate::{OK, answering, check_serves, forwarding_to};

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
