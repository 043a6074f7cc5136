//! RFC 9113, by a target that writes frames: what it is sent, and what becomes of whatever it answers.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::io::Read;

use engine::http::TargetProtocol;
use engine::{Forward, HttpVersion, Pool, PoolId, PoolSettings, Routing};
use frames::*;
use model::health_check::HealthCheck;
use support::{Fixture, Target, endpoint};

const OK: [(&str, &str); 1] = [(":status", "200")];

/// A data plane whose requests go to these targets by HTTP/2.
fn forwarding_to(targets: &[&Target]) -> Fixture {
    let mut settings = PoolSettings::new(HealthCheck::default());
    settings.protocol = TargetProtocol {
        is_tls: false,
        version: HttpVersion::Http2,
    };
    let endpoints = targets.iter().map(|target| endpoint(target.address));
    let pool = Pool::new(PoolId(1), settings, endpoints.collect(), None);
    let forward = Forward::new(vec![(pool.into(), 1)]);
    Fixture::of_http2(Routing::Forward(forward).into())
}

/// A request that has reached its target.
struct Exchange {
    fixture: Fixture,
    target: Target,
    client: FramePeer,
    at_target: FramePeer,
    /// The stream at the target; the client's is 1.
    stream: u32,
}

impl Exchange {
    fn begin(fields: &[(&str, &str)], ends: bool) -> Self {
        let target = Target::listen();
        let fixture = forwarding_to(&[&target]);
        let mut client = FramePeer::connect(fixture.address);
        client.request(1, fields, ends);
        let mut at_target = FramePeer::accept(&target.listener);
        let (stream, _) = at_target.message();
        Self {
            fixture,
            target,
            client,
            at_target,
            stream,
        }
    }

    fn of_get() -> Self {
        Self::begin(&GET, true)
    }

    fn settings(&mut self, settings: &[(u16, u32)]) {
        let pair =
            |(name, value): &(u16, u32)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat();
        let payload: Vec<u8> = settings.iter().flat_map(pair).collect();
        self.at_target.send(SETTINGS, 0, 0, &payload);
        self.fixture.settle();
    }

    /// Fails unless the target's connection has ended with this code and the client has got 502.
    fn check_ended(mut self, code: u32, what: &str) {
        assert_eq!(self.at_target.end_code(), code, "{what}");
        assert_eq!(self.client.response(1).status(), 502, "{what}");
        let counters = self.fixture.counters();
        assert_eq!(counters.target_http2_connection_errors.value(), 1, "{what}");
    }

    /// Fails unless the stream was reset as malformed, the client has got 502 and the connection goes on.
    fn check_refused(mut self, what: &str) {
        let reset = self.at_target.until(|frame| frame.kind == RST_STREAM);
        assert_eq!(
            (reset.stream, reset.code()),
            (self.stream, PROTOCOL_ERROR),
            "{what}"
        );
        assert_eq!(self.client.response(1).status(), 502, "{what}");
        let counters = self.fixture.counters();
        assert_eq!(counters.target_http2_stream_errors.value(), 1, "{what}");
        self.check_serves();
    }

    /// Fails unless the connections serve another request.
    fn check_serves(&mut self) {
        self.client.request(99, &GET, true);
        let (stream, _) = self.at_target.message();
        self.at_target.request(stream, &OK, true);
        assert_eq!(
            self.client.response(99).status(),
            200,
            "the connection goes on"
        );
    }
}

/// One setting as a payload.
fn setting(name: u16, value: u32) -> Vec<u8> {
    [&name.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

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
fn section_6_4_a_reset_without_an_error_behind_a_whole_response_ends_the_upload() {
    let mut exchange = Exchange::begin(&POST, false);
    let stream = exchange.stream;
    exchange.at_target.request(stream, &OK, false);
    exchange.at_target.data(stream, b"enough", true);
    exchange.at_target.reset(stream, NO_ERROR);
    let response = exchange
        .client
        .response_until(1, |response| response.has_ended);
    assert_eq!(response.text(), "enough");
    let reset = exchange.client.until(|frame| frame.kind == RST_STREAM);
    assert_eq!((reset.stream, reset.code()), (1, NO_ERROR));
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

#[test]
fn section_8_1_interim_responses_are_dropped() {
    let mut exchange = Exchange::of_get();
    let stream = exchange.stream;
    for status in ["100", "103", "199"] {
        exchange
            .at_target
            .request(stream, &[(":status", status), ("link", "x")], false);
    }
    exchange.at_target.request(stream, &OK, true);
    let response = exchange.client.response(1);
    assert_eq!((response.status(), response.field("link")), (200, None));
    for (fields, ends) in [
        // Source: RFC 9113 section 8.6.
        ([(":status", "101")], false),
        ([(":status", "100")], true),
    ] {
        let mut exchange = Exchange::of_get();
        exchange.at_target.request(stream, &fields, ends);
        exchange.check_refused(&format!("{fields:?}"));
    }
    let mut exchange = Exchange::of_get();
    for _ in 0..17 {
        exchange
            .at_target
            .request(stream, &[(":status", "100")], false);
    }
    exchange.check_refused("too many interim responses");
}

#[test]
fn section_8_1_a_response_is_a_head_a_body_and_trailers() {
    let mut exchange = Exchange::of_get();
    let stream = exchange.stream;
    exchange
        .at_target
        .request(stream, &[(":status", "404"), ("x-a", "b")], false);
    exchange.at_target.data(stream, b"not ", false);
    exchange.at_target.data(stream, b"found", false);
    exchange
        .at_target
        .request(stream, &[("x-sum", " 9 "), ("te", "trailers")], true);
    let response = exchange.client.response(1);
    assert_eq!((response.status(), response.text()), (404, "not found"));
    assert_eq!(response.field("x-a"), Some("b"));
    assert_eq!(response.trailers, [("x-sum".to_owned(), "9".to_owned())]);

    let mut exchange = Exchange::of_get();
    exchange.at_target.data(stream, b"first", true);
    exchange.check_refused("data in front of the head");
}

#[test]
fn section_8_1_malformed_trailers_are_a_reset() {
    for (fields, ends) in [
        (&[("x-a", "b")][..], false),
        (&[(":status", "200")], true),
        (&[("X-A", "b")], true),
        (&[("connection", "close")], true),
    ] {
        let mut exchange = Exchange::of_get();
        let stream = exchange.stream;
        exchange.at_target.request(stream, &OK, false);
        exchange.client.until(|frame| frame.kind == HEADERS);
        exchange.at_target.request(stream, fields, ends);
        let reset = exchange.at_target.until(|frame| frame.kind == RST_STREAM);
        assert_eq!(
            (reset.stream, reset.code()),
            (stream, PROTOCOL_ERROR),
            "{fields:?}"
        );
        assert_eq!(exchange.client.response(1).reset, Some(2), "{fields:?}");
        exchange.check_serves();
    }
}

#[test]
fn section_8_1_1_a_body_of_another_length_is_malformed() {
    let with_length = [(":status", "200"), ("content-length", "5")];
    for (data, ends) in [(&b"123456"[..], false), (b"1234", true)] {
        let mut exchange = Exchange::of_get();
        let stream = exchange.stream;
        exchange.at_target.request(stream, &with_length, false);
        exchange.client.until(|frame| frame.kind == HEADERS);
        exchange.at_target.data(stream, data, ends);
        assert_eq!(exchange.client.response(1).reset, Some(2), "{data:?}");
        exchange.check_serves();
    }
    let mut exchange = Exchange::of_get();
    let stream = exchange.stream;
    exchange.at_target.request(stream, &with_length, true);
    exchange.fixture.settle();
    assert_eq!(exchange.client.response(1).status(), 502);
    let mut exchange = Exchange::of_get();
    exchange.at_target.request(stream, &with_length, false);
    exchange.at_target.data(stream, b"12", false);
    exchange.at_target.data(stream, b"345", true);
    assert_eq!(exchange.client.response(1).text(), "12345");
}

#[test]
fn section_8_1_1_a_response_to_head_announces_what_it_does_not_send() {
    let mut head = GET;
    head[0] = (":method", "HEAD");
    let with_length = [(":status", "200"), ("content-length", "5")];
    for ends_with_head in [true, false] {
        let mut exchange = Exchange::begin(&head, true);
        let stream = exchange.stream;
        exchange
            .at_target
            .request(stream, &with_length, ends_with_head);
        if !ends_with_head {
            exchange.at_target.data(stream, b"", true);
        }
        let response = exchange.client.response(1);
        assert_eq!(response.field("content-length"), Some("5"));
        assert!(response.has_ended && response.body.is_empty());
    }
    let mut exchange = Exchange::begin(&head, true);
    exchange
        .at_target
        .request(exchange.stream, &with_length, false);
    exchange.client.until(|frame| frame.kind == HEADERS);
    exchange.at_target.data(exchange.stream, b"12345", true);
    assert_eq!(
        exchange.client.response(1).reset,
        Some(2),
        "there can be no body"
    );
}

#[test]
fn section_8_1_1_malformed_responses_are_502_and_errors_of_their_stream() {
    for fields in [
        &[("x-a", "b")][..],
        &[("x-a", "b"), (":status", "200")],
        &[(":status", "200"), (":status", "200")],
        &[(":status", "200"), (":path", "/")],
        &[(":status", "2000")],
        &[(":status", "099")],
        &[(":status", "200"), ("X-Upper", "x")],
        &[(":status", "200"), ("a b", "x")],
        &[(":status", "200"), ("", "x")],
        &[(":status", "200"), ("x-a", "b\r\nc: d")],
        &[(":status", "200"), ("connection", "close")],
        &[(":status", "200"), ("transfer-encoding", "chunked")],
        &[
            (":status", "200"),
            ("content-length", "1"),
            ("content-length", "2"),
        ],
        &[(":status", "200"), ("content-length", "-1")],
    ] {
        let mut exchange = Exchange::of_get();
        exchange.at_target.request(exchange.stream, fields, false);
        exchange.check_refused(&format!("{fields:?}"));
    }
}

#[test]
fn section_8_4_targets_push_nothing() {
    let mut exchange = Exchange::of_get();
    let promise = [&[0, 0, 0, 2], &section(&GET)[..]].concat();
    let stream = exchange.stream;
    exchange
        .at_target
        .send(PUSH_PROMISE, END_HEADERS, stream, &promise);
    exchange.check_ended(PROTOCOL_ERROR, "PUSH_PROMISE");
}

#[test]
fn section_8_7_a_refused_stream_is_not_sent_again_for_ever() {
    let (target, other) = (Target::listen(), Target::listen());
    let fixture = forwarding_to(&[&target, &other]);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &GET, true);
    let mut first = FramePeer::accept(&target.listener);
    let (stream, _) = first.message();
    first.reset(stream, REFUSED_STREAM);
    let mut second = FramePeer::accept(&other.listener);
    let (stream, _) = second.message();
    second.reset(stream, REFUSED_STREAM);
    assert_eq!(client.response(1).status(), 502);
    assert_eq!(fixture.counters().requests_retried.value(), 1);
}

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
