//! Responses of targets that a listener compresses, for clients and targets of both versions of HTTP.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::io::Read;

use engine::{HttpOptions, HttpVersion, ResponseCompression};
use frames::*;
use support::{Fixture, Peer, Target, endpoint, field, forward_by, forward_to};

fn compressing() -> HttpOptions {
    let compression = ResponseCompression {
        content_types: vec!["text/*".into(), "application/grpc".into()],
        minimum_bytes: 10,
    };
    HttpOptions {
        response_compression: Some(compression),
        ..HttpOptions::default()
    }
}

/// What a decoder makes of `bytes`, also of a beginning of a body.
fn decoded(coding: &str, bytes: &[u8]) -> String {
    let mut text = Vec::new();
    let _ = match coding {
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut text),
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_end(&mut text),
        _ => panic!("{coding} is not made here"),
    };
    String::from_utf8(text).expect("text")
}

fn get(accept_encoding: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {accept_encoding}\r\n\r\n")
}

/// Everything up to the last chunk, and the lines behind it.
fn chunked(client: &mut Peer) -> (Vec<u8>, String) {
    let mut body = Vec::new();
    loop {
        match client.chunk() {
            data if data.is_empty() => return (body, client.until("\r\n")),
            data => body.extend(data),
        }
    }
}

fn poem(bytes: usize) -> String {
    let lines = (0..).map(|n| format!("line {n} of a long poem, {}\n", n * 7919 % 1000));
    let mut text: String = lines.take(bytes / 20 + 1).collect();
    text.truncate(bytes);
    text
}

#[test]
fn rfc9110_section_8_4_a_body_is_coded_as_its_client_likes_it() {
    let target = Target::listen();
    let fixture = Fixture::with_options(compressing(), &[&target]);
    let mut client = fixture.client();
    let mut at_target = None;
    let body = poem(300_000);
    for (accepts, coding) in [
        ("gzip, br", "br"),
        ("gzip;q=0.5", "gzip"),
        ("br;q=0, *", "gzip"),
    ] {
        client.send(get(accepts));
        let peer = at_target.get_or_insert_with(|| target.accept());
        let request = peer.head();
        assert_eq!(
            field(&request, "accept-encoding"),
            Some(accepts),
            "the target sees it too"
        );
        peer.send(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: \"1\"\r\nAccept-Ranges: bytes\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let head = client.head();
        for (name, value) in [
            ("Content-Encoding", Some(coding)),
            ("Vary", Some("Accept-Encoding")),
            ("ETag", Some("W/\"1\"")),
            ("Accept-Ranges", None),
            ("Content-Length", None),
            ("Transfer-Encoding", Some("chunked")),
            ("Connection", Some("keep-alive")),
        ] {
            assert_eq!(field(&head, name), value, "{name}");
        }
        let (sent, _) = chunked(&mut client);
        assert!(sent.len() < body.len() / 3, "{}", sent.len());
        assert_eq!(decoded(coding, &sent), body);
    }
    let counters = fixture.counters();
    assert_eq!(counters.responses_compressed.value(), 3);
    assert_eq!(counters.bytes_before_compression.value(), 900_000);
    assert!(counters.bytes_after_compression.value() < 300_000);
    assert_eq!(
        counters.target_connections_opened.value(),
        1,
        "both connections stay"
    );
}

#[test]
fn what_has_arrived_is_not_held_back_and_trailers_are_kept() {
    let target = Target::listen();
    let fixture = Fixture::with_options(compressing(), &[&target]);
    for coding in ["br", "gzip"] {
        let mut client = fixture.client();
        client.send(get(coding));
        let (_, mut at_target) = target.answer(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\
             Connection: close\r\n\r\n",
        );
        assert_eq!(field(&client.head(), "Content-Encoding"), Some(coding));
        let mut sent = Vec::new();
        for event in ["data: one\n\n", "data: two\n\n", "data: three\n\n"] {
            at_target.send(format!("{:x}\r\n{event}\r\n", event.len()));
            // The next event is sent only when this one has been read.
            while !decoded(coding, &sent).ends_with(event) {
                sent.extend(client.chunk());
            }
        }
        at_target.send("0\r\nX-Sum: 3\r\n\r\n");
        let (rest, trailer) = chunked(&mut client);
        sent.extend(rest);
        assert_eq!(
            decoded(coding, &sent),
            "data: one\n\ndata: two\n\ndata: three\n\n"
        );
        assert_eq!(trailer, "X-Sum: 3\r\n");
    }
}

#[test]
fn responses_that_are_not_compressed_are_as_they_were() {
    let target = Target::listen();
    let fixture = Fixture::with_options(compressing(), &[&target]);
    let body = "Content-Length: 20\r\n\r\naaaaaaaaaaaaaaaaaaaa";
    let request = |method: &str, version: &str, accepts: &str| {
        format!(
            "{method} / HTTP/{version}\r\nHost: a\r\nConnection: close\r\nAccept-Encoding: {accepts}\r\n\r\n"
        )
    };
    for (request, fields, varies) in [
        (
            request("GET", "1.1", "zstd"),
            "Content-Type: text/css",
            true,
        ),
        (
            request("GET", "1.0", "gzip"),
            "Content-Type: text/css",
            true,
        ),
        (
            request("GET", "1.1", "gzip"),
            "Content-Type: image/png",
            false,
        ),
        (
            request("GET", "1.1", "gzip"),
            "Content-Type: application/grpc",
            false,
        ),
        (
            request("GET", "1.1", "gzip"),
            "Content-Type: text/css\r\nContent-Encoding: zstd",
            false,
        ),
        (
            request("GET", "1.1", "gzip"),
            "Content-Type: text/css\r\nCache-Control: no-transform",
            false,
        ),
    ] {
        let mut client = fixture.client();
        client.send(&request);
        let response =
            format!("HTTP/1.1 200 OK\r\nETag: \"1\"\r\nAccept-Ranges: bytes\r\n{fields}\r\n{body}");
        let _target = target.answer(&response);
        let head = client.head();
        assert_eq!(field(&head, "Content-Length"), Some("20"), "{fields}");
        assert_eq!(field(&head, "ETag"), Some("\"1\""), "{fields}");
        assert_eq!(field(&head, "Accept-Ranges"), Some("bytes"), "{fields}");
        assert_eq!(
            field(&head, "Vary"),
            varies.then_some("Accept-Encoding"),
            "{fields}"
        );
        assert_eq!(client.rest(), "aaaaaaaaaaaaaaaaaaaa");
    }
    let counters = fixture.counters();
    assert_eq!(counters.responses_compressed.value(), 0);
}

#[test]
fn responses_without_a_body_have_the_head_of_those_with_one() {
    let target = Target::listen();
    let fixture = Fixture::with_options(compressing(), &[&target]);
    for (method, response, coding, etag) in [
        (
            "HEAD",
            "200 OK\r\nContent-Length: 20",
            Some("gzip"),
            "W/\"1\"",
        ),
        ("GET", "304 Not Modified", None, "W/\"1\""),
        (
            "GET",
            "206 Part\r\nContent-Range: bytes 0-0/9\r\nContent-Length: 0",
            None,
            "\"1\"",
        ),
    ] {
        let mut client = fixture.client();
        client.send(get("gzip").replace("GET", method));
        let _target = target.answer(&format!(
            "HTTP/1.1 {response}\r\nContent-Type: text/css\r\nETag: \"1\"\r\n\r\n"
        ));
        let head = client.head();
        assert_eq!(field(&head, "Content-Encoding"), coding, "{response}");
        assert_eq!(field(&head, "ETag"), Some(etag), "{response}");
        assert_eq!(field(&head, "Transfer-Encoding"), None, "{response}");
        fixture.settle();
        assert!(
            client.is_open() && client.take_received().is_empty(),
            "{response}: no body"
        );
    }
    assert_eq!(fixture.counters().responses_compressed.value(), 0);
}

#[test]
fn rfc9110_section_15_4_5_a_304_has_the_validator_of_what_its_client_got() {
    let target = Target::listen();
    let fixture = Fixture::with_options(compressing(), &[&target]);
    for (validator, fields, etag, varies) in [
        ("W/\"1\"", "", "W/\"1\"", true),
        ("\"1\"", "", "\"1\"", false),
        ("\"1\"", "Content-Type: text/css\r\n", "W/\"1\"", true),
        ("W/\"1\"", "Content-Type: image/png\r\n", "\"1\"", false),
    ] {
        let mut client = fixture.client();
        client.send(format!(
            "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nIf-None-Match: {validator}\r\n\r\n"
        ));
        let _target = target.answer(&format!(
            "HTTP/1.1 304 Not Modified\r\n{fields}ETag: \"1\"\r\n\r\n"
        ));
        let head = client.head();
        assert_eq!(field(&head, "ETag"), Some(etag), "{validator} {fields}");
        assert_eq!(
            field(&head, "Vary"),
            varies.then_some("Accept-Encoding"),
            "{validator} {fields}"
        );
    }
}

#[test]
fn a_response_that_is_cut_is_not_ended() {
    let target = Target::listen();
    let fixture = Fixture::with_options(compressing(), &[&target]);
    let mut client = fixture.client();
    client.send(get("gzip"));
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nContent-Length: 50\r\n\r\nhalf";
    let (_, at_target) = target.answer(head);
    client.head();
    drop(at_target);
    assert!(client.ends_with_reset());
}

#[test]
fn more_responses_than_a_worker_has_room_for_go_out_as_they_are() {
    let target = Target::listen();
    let fixture = Fixture::with_options(compressing(), &[&target]);
    let mut open = Vec::new();
    let mut begin = || {
        let mut client = fixture.client();
        client.send(get("gzip"));
        let (_, at_target) = target.answer(
            "HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nTransfer-Encoding: chunked\r\n\r\n",
        );
        let head = client.head();
        open.push((client, at_target));
        head
    };
    for n in 0..128 {
        assert_eq!(field(&begin(), "Content-Encoding"), Some("gzip"), "{n}");
    }
    let head = begin();
    assert_eq!(field(&head, "Content-Encoding"), None);
    assert_eq!(field(&head, "Vary"), Some("Accept-Encoding"));
    let counters = fixture.counters();
    assert_eq!(counters.responses_over_compression_limit.value(), 1);
}

/// A request of HTTP/2 whose client accepts this.
fn get_with(accepts: &'static str) -> Vec<(&'static str, &'static str)> {
    [&GET[..], &[("accept-encoding", accepts)]].concat()
}

#[test]
fn clients_of_http2_get_compressed_bodies_as_their_windows_allow() {
    let target = Target::listen();
    let action = forward_to(&[endpoint(target.address)]);
    let fixture = Fixture::of_http2_with(compressing(), action);
    // So small that the compressed body waits for it many times: SETTINGS_INITIAL_WINDOW_SIZE.
    let mut client = FramePeer::connect_with(fixture.address, &[(4, 100)]);
    client.request(1, &get_with("br"), true);
    let body = poem(100_000);
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: \"1\"\r\nConnection: close\r\n\r\n";
    let (_, at_target) = target.answer(&format!("{head}{body}"));
    drop(at_target);
    let (mut sent, mut has_ended) = (Vec::new(), false);
    let head = client.until(|frame| frame.kind == HEADERS);
    assert!(!head.ends_stream());
    while !has_ended {
        let frame = client.until(|frame| frame.kind == DATA);
        assert!(frame.payload.len() <= 100);
        client.raise_window(1, frame.payload.len().max(1) as u32);
        has_ended = frame.ends_stream();
        sent.extend(frame.payload);
    }
    assert!(sent.len() < body.len() / 3);
    assert_eq!(decoded("br", &sent), body);
}

#[test]
fn clients_of_http2_get_events_at_once_and_trailers() {
    let target = Target::listen();
    let action = forward_to(&[endpoint(target.address)]);
    let fixture = Fixture::of_http2_with(compressing(), action);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &get_with("gzip"), true);
    let (_, mut at_target) = target.answer(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Language: en\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
    );
    let mut sent = Vec::new();
    for event in ["data: one\n\n", "data: two\n\n"] {
        at_target.send(format!("{:x}\r\n{event}\r\n", event.len()));
        while !decoded("gzip", &sent).ends_with(event) {
            sent.extend(client.until(|frame| frame.kind == DATA).payload);
        }
    }
    at_target.send("0\r\nX-Sum: 2\r\n\r\n");
    // The head was read before, so that the fields are those of the trailer section.
    let rest = client.response(1);
    sent.extend(&rest.body);
    assert_eq!(decoded("gzip", &sent), "data: one\n\ndata: two\n\n");
    assert_eq!(rest.field("x-sum"), Some("2"));
}

#[test]
fn bodies_of_targets_of_http2_are_compressed_too() {
    let target = Target::listen();
    let action = forward_by(HttpVersion::Http2, &[endpoint(target.address)]);
    let fixture = Fixture::of_http2_with(compressing(), action);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &get_with("br"), true);
    let mut at_target = FramePeer::accept(&target.listener);
    let (stream, _) = at_target.message();
    let head = [
        (":status", "200"),
        ("content-type", "text/plain"),
        ("etag", "\"1\""),
    ];
    at_target.request(stream, &head, false);
    at_target.data(stream, b"data: one\n\n", false);
    let mut sent = Vec::new();
    while decoded("br", &sent) != "data: one\n\n" {
        sent.extend(client.until(|frame| frame.kind == DATA).payload);
    }
    at_target.data(stream, b"data: two\n\n", true);
    let response = client.response(1);
    sent.extend(response.body);
    assert_eq!(decoded("br", &sent), "data: one\n\ndata: two\n\n");
    client.request(3, &get_with("br"), true);
    let (stream, _) = at_target.message();
    at_target.request(stream, &[head[0], head[1], ("content-length", "20")], false);
    at_target.data(stream, b"aaaaaaaaaaaaaaaaaaaa", true);
    let response = client.response(3);
    assert_eq!(response.field("content-encoding"), Some("br"));
    assert_eq!(response.field("content-length"), None);
    assert_eq!(decoded("br", &response.body), "aaaaaaaaaaaaaaaaaaaa");
}
