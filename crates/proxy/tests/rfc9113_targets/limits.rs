//! Section 10.5: what a target may cost, and what passes within that.

use crate::frames::*;
use crate::support::Target;
use crate::{Exchange, OK, forwarding_to};

#[test]
fn section_10_5_floods_end_the_connection() {
    let update = frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]);
    let late = frame(HEADERS, END_HEADERS | END_STREAM, 1, &section(&OK));
    for (what, bytes) in [
        ("PING", frame(PING, 0, 0, &[0; 8])),
        ("SETTINGS", frame(SETTINGS, 0, 0, b"")),
        ("PRIORITY", frame(PRIORITY, 0, 1, &[0; 5])),
        ("unknown frames", frame(0x20, 0, 0, b"")),
        ("WINDOW_UPDATE", update),
        ("resets", frame(RST_STREAM, 0, 1, &CANCEL.to_be_bytes())),
        ("heads of streams that have ended", late),
        ("empty DATA", frame(DATA, 0, 3, b"")),
    ] {
        let mut exchange = Exchange::of_get();
        exchange.at_target.request(1, &OK, true);
        assert_eq!(exchange.client.response(1).status(), 200);
        exchange.client.request(3, &GET, true);
        let (stream, _) = exchange.at_target.message();
        if what == "empty DATA" {
            exchange.at_target.request(stream, &OK, false);
        }
        exchange.at_target.send_bytes(&bytes.repeat(5000));
        let response = exchange.client.response(3);
        let is_failed = response.reset == Some(2) || response.status() == 502;
        assert!(is_failed, "{what}: {response:?}");
        let counters = exchange.fixture.counters();
        assert_eq!(counters.target_http2_floods.value(), 1, "{what}");
    }
}

#[test]
fn section_10_5_a_field_section_without_an_end_is_stopped() {
    let mut exchange = Exchange::of_get();
    let stream = exchange.stream;
    exchange.at_target.send(HEADERS, 0, stream, &section(&OK));
    let more = section(&[("x-a", "b")]);
    for _ in 0..33 {
        exchange.at_target.send(CONTINUATION, 0, stream, &more);
    }
    exchange.check_ended(ENHANCE_YOUR_CALM, "CONTINUATION");
}

#[test]
fn section_10_5_1_fields_over_their_limits_are_502() {
    let long = "x".repeat(12_000);
    let fields: Vec<_> = std::iter::once((":status", "200"))
        .chain((0..3).map(|_| ("x-a", long.as_str())))
        .collect();
    let mut exchange = Exchange::of_get();
    let stream = exchange.stream;
    let section = section(&fields);
    let mut parts = section.chunks(16_000);
    exchange
        .at_target
        .send(HEADERS, 0, stream, parts.next().unwrap());
    exchange
        .at_target
        .send(CONTINUATION, 0, stream, parts.next().unwrap());
    exchange
        .at_target
        .send(CONTINUATION, END_HEADERS, stream, parts.next().unwrap());
    exchange.check_refused("36,000 bytes of fields");
}

#[test]
fn long_bodies_pass_in_both_directions_at_once() {
    const BLOCKS: usize = 200;
    let target = Target::listen();
    let fixture = forwarding_to(&[&target]);
    let mut client = FramePeer::connect_with(fixture.address, &[(4, 0x7fff_ffff)]);
    client.raise_window(0, 0x7000_0000);
    client.request(1, &POST, false);
    // It sends back what it gets, and its windows are renewed by as much.
    let echoing = std::thread::spawn(move || {
        let mut at_target = FramePeer::accept(&target.listener);
        let (stream, _) = at_target.message();
        at_target.request(stream, &OK, false);
        let mut windows = Windows::of_target();
        loop {
            let data = at_target.until_updating(&mut windows, |frame| frame.kind == DATA);
            let length = data.payload.len();
            if length > 0 {
                at_target.raise_window(0, length as u32);
                at_target.raise_window(stream, length as u32);
            }
            while !windows.allow(length) {
                at_target.until_updating(&mut windows, |frame| frame.kind == WINDOW_UPDATE);
            }
            windows.spend(length);
            at_target.data(stream, &data.payload, data.ends_stream());
            if data.ends_stream() {
                return;
            }
        }
    });
    let mut windows = Windows::of_client();
    let mut sent = 0;
    let mut received = 0;
    let mut has_ended = false;
    while !has_ended {
        if sent < BLOCKS && windows.allow(16_384) {
            sent += 1;
            windows.spend(16_384);
            client.data(1, &[sent as u8; 16_384], sent == BLOCKS);
            continue;
        }
        let frame = client.until_updating(&mut windows, |frame| {
            matches!(frame.kind, DATA | WINDOW_UPDATE)
        });
        if frame.kind == DATA {
            for byte in &frame.payload {
                assert_eq!(*byte, (received / 16_384 + 1) as u8, "at {received}");
                received += 1;
            }
            has_ended = frame.ends_stream();
        }
    }
    assert_eq!(received, BLOCKS * 16_384);
    echoing.join().unwrap();
}
