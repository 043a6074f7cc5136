//! What a proxy does with the opening handshake of a WebSocket and with what follows it, section by section of
//! RFC 6455. `tests/test_websocket.py` has a real client and a real server.

mod support;

use support::{Fixture, Peer, Target, field, status};

/// Section 1.3: the handshake of the example.
const HANDSHAKE: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
                         Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                         Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
                         Origin: http://example.com\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\
                      Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

/// Section 5.7: `Hello` from a client, masked, and from a server.
const MASKED_HELLO: &[u8] = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
const HELLO: &[u8] = b"\x81\x05Hello";
/// Section 5.7: a ping, and the pong for it.
const PING: &[u8] = b"\x89\x05Hello";
const MASKED_PONG: &[u8] = b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
/// Section 5.5.1: the end with status 1000, from the client and from the server.
const MASKED_CLOSE: &[u8] = b"\x88\x82\x01\x02\x03\x04\x02\xea";
const CLOSE: &[u8] = b"\x88\x02\x03\xe8";

/// A client and a target after the handshake, and what holds them together.
fn open(target: &Target) -> (Fixture, Peer, Peer) {
    let fixture = Fixture::forwarding_to(&[target]);
    let mut client = fixture.client();
    client.send(HANDSHAKE);
    let (_, at_target) = target.answer(SWITCH);
    assert_eq!(status(&client.head()), 101);
    (fixture, client, at_target)
}

#[test]
fn section_4_1_the_opening_handshake_of_the_client_reaches_the_target_whole() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(HANDSHAKE);
    let (request, _target) = target.answer(SWITCH);
    assert!(
        request.starts_with("GET /chat?room=1 HTTP/1.1\r\n"),
        "{request}"
    );
    for (name, value) in [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", "chat, superchat"),
        ("Sec-WebSocket-Version", "13"),
        (
            "Sec-WebSocket-Extensions",
            "permessage-deflate; client_max_window_bits",
        ),
        ("Origin", "http://example.com"),
    ] {
        assert_eq!(field(&request, name), Some(value), "{name}");
    }
    assert_eq!(status(&client.head()), 101);
}

#[test]
fn section_4_1_there_is_no_handshake_in_http_1_0() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(HANDSHAKE.replace("HTTP/1.1", "HTTP/1.0"));
    let (request, _target) = target.answer(SWITCH);
    assert_eq!(field(&request, "Upgrade"), None);
    assert_eq!(
        status(&client.head()),
        502,
        "the target has switched although nobody has asked"
    );
}

#[test]
fn section_4_2_2_the_opening_handshake_of_the_target_reaches_the_client_whole() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(HANDSHAKE);
    let (_, _target) = target.answer(SWITCH);
    let response = client.head();
    assert_eq!(status(&response), 101);
    for (name, value) in [
        ("Upgrade", "websocket"),
        // In whatever case.
        ("Connection", "upgrade"),
        ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("Sec-WebSocket-Protocol", "chat"),
        ("Sec-WebSocket-Extensions", "permessage-deflate"),
    ] {
        assert_eq!(field(&response, name), Some(value), "{name}");
    }
}

#[test]
fn section_4_4_a_client_learns_the_versions_of_the_target_and_tries_again() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(HANDSHAKE.replace("Version: 13", "Version: 25"));
    let (_, mut at_target) = target.answer(
        "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13, 8, 7\r\nContent-Length: 0\r\n\r\n",
    );
    let response = client.head();
    assert_eq!(status(&response), 426);
    assert_eq!(field(&response, "Sec-WebSocket-Version"), Some("13, 8, 7"));
    // Both connections are good for it.
    client.send(HANDSHAKE);
    at_target.head();
    at_target.send(SWITCH);
    assert_eq!(status(&client.head()), 101);
}

#[test]
fn section_5_frames_pass_both_ways_as_they_are() {
    let target = Target::listen();
    let (_fixture, mut client, mut at_target) = open(&target);
    for _ in 0..3 {
        client.send(MASKED_HELLO);
        assert_eq!(at_target.raw_bytes(MASKED_HELLO.len()), MASKED_HELLO);
        at_target.send(HELLO);
        assert_eq!(client.raw_bytes(HELLO.len()), HELLO);
    }
    // Section 5.4: a frame may arrive in pieces, and is not waited for.
    let (first, rest) = MASKED_HELLO.split_at(3);
    client.send(first);
    assert_eq!(at_target.raw_bytes(first.len()), first);
    client.send(rest);
    assert_eq!(at_target.raw_bytes(rest.len()), rest);
}

#[test]
fn section_5_5_2_pings_are_for_the_other_end_to_answer() {
    let target = Target::listen();
    let (_fixture, mut client, mut at_target) = open(&target);
    at_target.send(PING);
    assert_eq!(client.raw_bytes(PING.len()), PING);
    client.send(MASKED_PONG);
    assert_eq!(at_target.raw_bytes(MASKED_PONG.len()), MASKED_PONG);
}

#[test]
fn section_7_1_1_the_server_closes_the_connection_first_behind_both_close_frames() {
    let target = Target::listen();
    let (_fixture, mut client, mut at_target) = open(&target);
    client.send(MASKED_CLOSE);
    assert_eq!(at_target.raw_bytes(MASKED_CLOSE.len()), MASKED_CLOSE);
    at_target.send(CLOSE);
    at_target.finish_sending();
    assert_eq!(client.rest_bytes(), CLOSE, "and then the end");
    client.finish_sending();
    assert_eq!(at_target.rest_bytes(), b"");
}
