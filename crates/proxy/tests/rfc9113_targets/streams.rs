//! Section 3.4, the preface; section 4, frames and field sections; section 5, streams.

use std::io::Read;

use crate::frames::*;
use crate::support::Target;
use crate::{Exchange, OK, forwarding_to, setting};

#[test]
fn section_3_4_preface_and_settings_come_first() {
    let target = Target::listen();
    let fixture = forwarding_to(&[&target]);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &GET, true);
    let (mut socket, _) = target.listener.accept().unwrap();
    let mut preface = [0; 24];
    socket.read_exact(&mut preface).unwrap();
    assert_eq!(preface, PREFACE);
    let mut peer = FramePeer::on(socket);
    let first = peer.next().unwrap();
    assert_eq!((first.kind, first.flags, first.stream), (SETTINGS, 0, 0));
    // No pushes, 256 KiB for each stream, 32 KiB of fields.
    let expected = [setting(2, 0), setting(4, 256 * 1024), setting(6, 32 * 1024)].concat();
    assert_eq!(first.payload, expected);
    peer.until(|frame| frame.kind == HEADERS);
    peer.request(1, &OK, true);
    assert_eq!(
        peer.end_code(),
        PROTOCOL_ERROR,
        "the first frame is SETTINGS"
    );
    assert_eq!(client.response(1).status(), 502);
}

#[test]
fn section_3_4_a_target_that_speaks_something_else_is_502() {
    let target = Target::listen();
    let fixture = forwarding_to(&[&target]);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &GET, true);
    let mut at_target = target.accept();
    at_target.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.response(1).status(), 502);
}

#[test]
fn section_4_2_a_frame_that_is_too_long_ends_the_connection() {
    let mut exchange = Exchange::of_get();
    exchange.at_target.send(DATA, 0, 1, &vec![0; 16_385]);
    exchange.check_ended(6, "FRAME_SIZE_ERROR");
}

#[test]
fn section_4_3_what_is_no_field_section_ends_the_connection() {
    let mut exchange = Exchange::of_get();
    let stream = exchange.stream;
    exchange
        .at_target
        .send(HEADERS, END_HEADERS, stream, &[0x80]);
    exchange.check_ended(COMPRESSION_ERROR, "index 0");
}

#[test]
fn section_4_3_a_section_may_be_continued_and_not_interrupted() {
    let section = section(&[(":status", "200"), ("x-field", "value")]);
    let mut exchange = Exchange::of_get();
    let stream = exchange.stream;
    exchange
        .at_target
        .send(HEADERS, END_STREAM, stream, &section[..5]);
    exchange.at_target.send(CONTINUATION, 0, stream, b"");
    exchange
        .at_target
        .send(CONTINUATION, END_HEADERS, stream, &section[5..]);
    assert_eq!(exchange.client.response(1).field("x-field"), Some("value"));
    for (kind, on) in [(PING, 0), (CONTINUATION, 3), (DATA, stream)] {
        let mut exchange = Exchange::of_get();
        exchange.at_target.send(HEADERS, 0, stream, &section[..5]);
        exchange.at_target.send(kind, END_HEADERS, on, &[0; 8]);
        exchange.check_ended(PROTOCOL_ERROR, &format!("kind {kind}"));
    }
    let mut exchange = Exchange::of_get();
    exchange
        .at_target
        .send(CONTINUATION, END_HEADERS, stream, &section);
    exchange.check_ended(PROTOCOL_ERROR, "a continuation of nothing");
}

#[test]
fn section_4_3_a_long_request_is_continued() {
    let target = Target::listen();
    let fixture = forwarding_to(&[&target]);
    let mut client = FramePeer::connect(fixture.address);
    let long = "x".repeat(12_000);
    let fields = section(&[&GET[..], &[("x-a", &long), ("x-b", &long)]].concat());
    client.send(HEADERS, END_STREAM, 1, &fields[..16_000]);
    client.send(CONTINUATION, END_HEADERS, 1, &fields[16_000..]);
    let mut at_target = FramePeer::accept(&target.listener);
    let head = at_target.until(|frame| frame.kind == HEADERS);
    assert_eq!((head.flags, head.payload.len()), (END_STREAM, 16_384));
    let rest = at_target.next().unwrap();
    assert_eq!(
        (rest.kind, rest.flags, rest.stream),
        (CONTINUATION, END_HEADERS, head.stream)
    );
    let request = at_target.fields(&[head.payload, rest.payload].concat());
    for name in ["x-a", "x-b"] {
        assert!(request.contains(&(name.to_owned(), long.clone())), "{name}");
    }
}

#[test]
fn section_5_1_frames_on_idle_streams_end_the_connection() {
    let head = section(&OK);
    for (kind, flags, payload) in [
        (DATA, 0, &b"abcd"[..]),
        (HEADERS, END_HEADERS, &head),
        (RST_STREAM, 0, &[0; 4]),
        (WINDOW_UPDATE, 0, &[0, 0, 0, 1]),
    ] {
        for stream in [3, 2] {
            let mut exchange = Exchange::of_get();
            exchange.at_target.send(kind, flags, stream, payload);
            exchange.check_ended(PROTOCOL_ERROR, &format!("kind {kind} on stream {stream}"));
        }
    }
}

#[test]
fn section_5_1_frames_on_streams_that_were_given_up_are_passed_over() {
    let mut exchange = Exchange::begin(&POST, false);
    exchange.client.reset(1, CANCEL);
    let reset = exchange.at_target.until(|frame| frame.kind == RST_STREAM);
    assert_eq!((reset.stream, reset.code()), (exchange.stream, CANCEL));
    let stream = exchange.stream;
    exchange.at_target.raise_window(stream, 1000);
    exchange.at_target.request(stream, &OK, false);
    exchange.at_target.data(stream, b"late", false);
    exchange.at_target.reset(stream, CANCEL);
    exchange.check_serves();
}

#[test]
fn section_5_1_data_behind_the_end_is_no_part_of_the_response() {
    let mut exchange = Exchange::of_get();
    let stream = exchange.stream;
    exchange.at_target.request(stream, &OK, false);
    exchange.at_target.data(stream, b"all", true);
    assert_eq!(exchange.client.response(1).text(), "all");
    exchange.at_target.data(stream, b"more", true);
    exchange.check_serves();
}

#[test]
fn section_5_1_1_streams_have_odd_and_rising_numbers() {
    let mut exchange = Exchange::of_get();
    assert_eq!(exchange.stream, 1);
    for (of_client, at_target) in [(3, 3), (5, 5), (7, 7)] {
        exchange.client.request(of_client, &GET, true);
        assert_eq!(exchange.at_target.message().0, at_target);
    }
}

#[test]
fn section_5_1_2_no_more_streams_than_the_target_allows() {
    let mut exchange = Exchange::of_get();
    exchange.settings(&[(3, 1)]);
    // For each of the next requests another connection is opened, up to 16.
    let mut others = Vec::new();
    for n in 1..16 {
        exchange.client.request(1 + 2 * n, &GET, true);
        let mut other = FramePeer::accept(&exchange.target.listener);
        other.message();
        other.send(SETTINGS, 0, 0, &setting(3, 1));
        exchange.fixture.settle();
        others.push(other);
    }
    for stream in [33, 35] {
        exchange.client.request(stream, &GET, true);
        exchange.fixture.settle();
    }
    assert!(exchange.target.is_untouched(), "they wait for a stream");
    exchange.at_target.request(exchange.stream, &OK, true);
    assert_eq!(exchange.client.response(1).status(), 200);
    let (stream, _) = exchange.at_target.message();
    assert_eq!(
        stream, 3,
        "the stream that has ended makes room for one of them"
    );
    exchange.at_target.request(stream, &OK, true);
    assert_eq!(exchange.client.response(33).status(), 200);
    assert_eq!(
        exchange
            .fixture
            .counters()
            .target_connections_over_limit
            .value(),
        2
    );
}

#[test]
fn section_5_1_2_a_target_that_allows_more_gets_the_requests_that_wait() {
    let mut exchange = Exchange::of_get();
    exchange.settings(&[(3, 0)]);
    exchange.at_target.request(exchange.stream, &OK, true);
    assert_eq!(exchange.client.response(1).status(), 200);
    let mut others = Vec::new();
    for n in 1..16 {
        exchange.client.request(1 + 2 * n, &GET, true);
        let mut other = FramePeer::accept(&exchange.target.listener);
        other.message();
        other.send(SETTINGS, 0, 0, &setting(3, 1));
        exchange.fixture.settle();
        others.push(other);
    }
    // It waits on the connection with the fewest requests, which allows none.
    exchange.client.request(33, &GET, true);
    exchange.fixture.settle();
    exchange.settings(&[(3, 100)]);
    let (stream, _) = exchange.at_target.message();
    exchange.at_target.request(stream, &OK, true);
    assert_eq!(exchange.client.response(33).status(), 200);
}
