//! Section 10.5: what a client may cost.

use crate::frames::*;
use crate::support::Target;
use crate::{OK, answering, check_serves, forwarding_to, with};

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
