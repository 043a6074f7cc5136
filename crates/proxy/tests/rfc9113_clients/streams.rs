//! Section 3.4, the preface; section 4, frames and field sections; section 5, streams.

use crate::frames::*;
use crate::support::Target;
use crate::{OK, answering, check_serves, forwarding_to};

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
fn section_5_5_unknown_frames_are_ignored() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    peer.send(0xbe, 0xff, 7, b"anything");
    check_serves(&mut peer, 1);
}
