//! Section 6: each type of frame, and the windows.

use crate::frames::*;
use crate::support::Target;
use crate::{Exchange, OK, forwarding_to, setting};

#[test]
fn section_6_1_padding_is_taken_off() {
    let mut exchange = Exchange::of_get();
    let stream = exchange.stream;
    let padded = [&[2], &section(&OK)[..], &[0; 2]].concat();
    exchange
        .at_target
        .send(HEADERS, END_HEADERS | PADDED, stream, &padded);
    exchange
        .at_target
        .send(DATA, PADDED | END_STREAM, stream, b"\x03body\0\0\0");
    assert_eq!(exchange.client.response(1).text(), "body");
    let mut exchange = Exchange::of_get();
    exchange.at_target.send(DATA, PADDED, stream, b"\x04abc");
    exchange.check_ended(PROTOCOL_ERROR, "more padding than frame");
}

#[test]
fn section_6_4_a_reset_without_an_error_behind_a_whole_response_is_not_handed_on() {
    let mut exchange = Exchange::begin(&POST, false);
    let stream = exchange.stream;
    exchange.at_target.request(stream, &OK, false);
    exchange.at_target.data(stream, b"enough", true);
    exchange.at_target.reset(stream, NO_ERROR);
    let response = exchange
        .client
        .response_until(1, |response| response.has_ended);
    assert_eq!(response.text(), "enough");
    let mut windows = Windows::of_client();
    exchange.client.send_body(1, 600 * 1024, &mut windows);
    exchange.check_serves();
}

#[test]
fn section_6_4_what_came_before_a_reset_is_handed_on() {
    let mut exchange = Exchange::of_get();
    let stream = exchange.stream;
    exchange.at_target.send_bytes(
        &[
            frame(HEADERS, END_HEADERS, stream, &section(&OK)),
            frame(DATA, 0, stream, b"half"),
            frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes()),
        ]
        .concat(),
    );
    let response = exchange.client.response(1);
    assert_eq!((response.text(), response.reset), ("half", Some(CANCEL)));
}

#[test]
fn section_6_5_settings_are_checked_and_acknowledged() {
    for (flags, stream, payload, code) in [
        (0, 0, setting(2, 1), PROTOCOL_ERROR),
        (0, 0, setting(4, 0x8000_0000), FLOW_CONTROL_ERROR),
        (0, 0, setting(5, 16_383), PROTOCOL_ERROR),
        (0, 0, setting(5, 1 << 24), PROTOCOL_ERROR),
        (0, 0, vec![0; 5], 6),
        (ACK, 0, vec![0; 6], 6),
        (0, 1, setting(4, 1), PROTOCOL_ERROR),
    ] {
        let mut exchange = Exchange::of_get();
        exchange.at_target.send(SETTINGS, flags, stream, &payload);
        exchange.check_ended(code, &format!("{payload:?}"));
    }
    let mut exchange = Exchange::of_get();
    exchange
        .at_target
        .until(|frame| frame.kind == SETTINGS && frame.flags == ACK);
    // A table of any size, longer frames, and a setting that nobody knows.
    exchange.settings(&[(1, 0), (5, 1 << 20), (0xbeef, 7)]);
    exchange
        .at_target
        .until(|frame| frame.kind == SETTINGS && frame.flags == ACK);
    exchange.check_serves();
}

#[test]
fn section_6_7_pings_are_answered() {
    let mut exchange = Exchange::of_get();
    exchange.at_target.send(PING, 0, 0, b"12345678");
    let pong = exchange.at_target.until(|frame| frame.kind == PING);
    assert_eq!((pong.flags, &pong.payload[..]), (ACK, &b"12345678"[..]));
    exchange.at_target.send(PING, 0, 0, b"1234567");
    exchange.check_ended(6, "FRAME_SIZE_ERROR");
}

#[test]
fn section_6_8_a_target_that_goes_away_finishes_what_it_has() {
    let mut exchange = Exchange::of_get();
    let stream = exchange.stream;
    exchange
        .at_target
        .send(GOAWAY, 0, 0, &[0, 0, 0, stream as u8, 0, 0, 0, 0]);
    exchange.fixture.settle();
    exchange.client.request(3, &GET, true);
    let mut next = FramePeer::accept(&exchange.target.listener);
    let (on_next, _) = next.message();
    next.request(on_next, &OK, true);
    assert_eq!(
        exchange.client.response(3).status(),
        200,
        "on a new connection"
    );
    exchange.at_target.request(stream, &OK, true);
    assert_eq!(exchange.client.response(1).status(), 200);
    assert_eq!(
        exchange.at_target.end_code(),
        NO_ERROR,
        "and then it is closed"
    );
}

#[test]
fn section_6_8_a_body_that_was_begun_is_not_sent_again() {
    let mut exchange = Exchange::begin(&POST, false);
    exchange.client.data(1, b"gone", false);
    exchange.at_target.until(|frame| frame.kind == DATA);
    exchange.at_target.send(GOAWAY, 0, 0, &[0; 8]);
    assert_eq!(exchange.client.response(1).status(), 502);
    assert!(exchange.target.is_untouched());
}

#[test]
fn section_6_9_the_targets_windows_hold_the_request_back() {
    let mut exchange = Exchange::begin(&POST, false);
    let stream = exchange.stream;
    exchange.settings(&[(4, 10)]);
    exchange.client.data(1, b"0123456789abcdef", true);
    let first = exchange.at_target.until(|frame| frame.kind == DATA);
    assert_eq!(
        (&first.payload[..], first.ends_stream()),
        (&b"0123456789"[..], false)
    );
    exchange.at_target.raise_window(stream, 2);
    let second = exchange.at_target.until(|frame| frame.kind == DATA);
    assert_eq!(second.payload, b"ab");
    exchange.at_target.raise_window(stream, 100);
    let last = exchange.at_target.until(|frame| frame.kind == DATA);
    assert_eq!(
        (&last.payload[..], last.ends_stream()),
        (&b"cdef"[..], true)
    );
}

#[test]
fn section_6_9_the_connections_window_is_shared() {
    let mut exchange = Exchange::begin(&POST, false);
    exchange.settings(&[(4, 1 << 20)]);
    exchange.client.request(3, &POST, false);
    let (other, _) = exchange.at_target.message();
    // The connection's window is 65,535 bytes, whatever the streams have.
    for _ in 0..4 {
        exchange.client.data(1, &[b'a'; 16_384], false);
    }
    let mut received = 0;
    while received < 65_535 {
        let data = exchange.at_target.until(|frame| frame.kind == DATA);
        assert_eq!(data.stream, exchange.stream);
        received += data.payload.len();
    }
    assert_eq!(received, 65_535);
    exchange.client.data(3, b"b", true);
    exchange.fixture.settle();
    exchange.at_target.raise_window(0, 2);
    let mut rest =
        [exchange.stream, other].map(|_| exchange.at_target.until(|frame| frame.kind == DATA));
    rest.sort_by_key(|frame| frame.stream);
    assert_eq!(
        (rest[0].stream, &rest[0].payload[..]),
        (exchange.stream, &b"a"[..])
    );
    assert_eq!((rest[1].stream, &rest[1].payload[..]), (other, &b"b"[..]));
}

#[test]
fn section_6_9_1_windows_do_not_overflow_and_are_raised_by_something() {
    let overflow = 0x7fff_ffff_u32.to_be_bytes();
    let mut exchange = Exchange::of_get();
    exchange.at_target.send(WINDOW_UPDATE, 0, 0, &overflow);
    exchange.check_ended(FLOW_CONTROL_ERROR, "the connection's");
    let mut exchange = Exchange::of_get();
    exchange.at_target.send(WINDOW_UPDATE, 0, 0, &[0; 4]);
    exchange.check_ended(PROTOCOL_ERROR, "by nothing");
    for (increment, code) in [(overflow, FLOW_CONTROL_ERROR), ([0; 4], PROTOCOL_ERROR)] {
        let mut exchange = Exchange::of_get();
        let stream = exchange.stream;
        exchange
            .at_target
            .send(WINDOW_UPDATE, 0, stream, &increment);
        let reset = exchange.at_target.until(|frame| frame.kind == RST_STREAM);
        assert_eq!((reset.stream, reset.code()), (stream, code));
        assert_eq!(exchange.client.response(1).status(), 502);
        exchange.check_serves();
    }
}

#[test]
fn section_6_9_1_a_target_that_ignores_the_connections_window_is_stopped() {
    // Clients that do not read hold 2 MiB back in all: eight streams of 256 KiB, and no byte more.
    let target = Target::listen();
    let fixture = forwarding_to(&[&target]);
    let mut client = FramePeer::connect_with(fixture.address, &[(4, 0)]);
    let mut at_target = None;
    for n in 0..9 {
        client.request(1 + 2 * n, &GET, true);
        let at_target = at_target.get_or_insert_with(|| FramePeer::accept(&target.listener));
        let (stream, _) = at_target.message();
        at_target.request(stream, &OK, false);
        for _ in 0..16 * u32::from(n < 8) {
            at_target.data(stream, &[7; 16_384], false);
        }
        fixture.settle();
    }
    let mut at_target = at_target.unwrap();
    at_target.data(17, b"x", false);
    assert_eq!(at_target.end_code(), FLOW_CONTROL_ERROR);
}

#[test]
fn section_6_9_2_a_window_may_become_negative() {
    let mut exchange = Exchange::begin(&POST, false);
    let stream = exchange.stream;
    exchange.settings(&[(4, 20)]);
    exchange.client.data(1, b"0123456789", false);
    exchange.at_target.until(|frame| frame.kind == DATA);
    // Ten bytes are left; now it is five fewer than nothing.
    exchange.settings(&[(4, 5)]);
    exchange.client.data(1, b"abc", true);
    exchange.fixture.settle();
    exchange.at_target.raise_window(stream, 5);
    exchange.at_target.send(PING, 0, 0, &[0; 8]);
    let next = exchange
        .at_target
        .until(|frame| matches!(frame.kind, DATA | PING));
    assert_eq!(next.kind, PING, "nothing may be sent yet");
    exchange.at_target.raise_window(stream, 2);
    assert_eq!(
        exchange.at_target.until(|frame| frame.kind == DATA).payload,
        b"ab"
    );
    exchange.settings(&[(4, 6)]);
    let last = exchange.at_target.until(|frame| frame.kind == DATA);
    assert_eq!((&last.payload[..], last.ends_stream()), (&b"c"[..], true));
}
