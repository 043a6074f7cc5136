//! Connections in use: many streams on one, those to the targets, and their ends.

use crate::frames::*;
use crate::support::{Fixture, Target, endpoint, forward_to};
use crate::{OK, answering, forwarding_to};

#[test]
fn responses_of_many_streams_come_in_any_order() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    let mut at_target = Vec::new();
    for stream in [1, 3, 5] {
        peer.request(stream, &GET, true);
        let mut connection = target.accept();
        connection.head();
        at_target.push((stream, connection));
    }
    for (stream, connection) in at_target.iter_mut().rev() {
        connection.send(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{stream}"
        ));
        assert_eq!(peer.response(*stream).text(), stream.to_string());
    }
    // The connections to the target are used again.
    peer.request(7, &GET, true);
    at_target.last_mut().map(|_| ()).unwrap();
    fixture.settle();
    assert!(target.is_untouched());
    assert_eq!(fixture.counters().target_connections_reused.value(), 1);
}

/// ALB guide, "Listeners for your Application Load Balancers".
#[test]
fn the_10_000th_request_is_the_last() {
    let fixture = answering();
    let mut peer = FramePeer::connect(fixture.address);
    let section = section(&GET);
    for n in 0..10_000_u32 {
        peer.send(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * n, &section);
        if n % 100 == 99 {
            peer.raise_window(0, 500);
            peer.until(|frame| frame.ends_stream() && frame.stream == 1 + 2 * n);
        }
    }
    assert_eq!(fixture.counters().requests.value(), 10_000);
    assert_eq!(peer.next(), None, "the connection is closed");
}

#[test]
fn connections_of_a_listener_that_is_gone_finish_what_is_in_progress() {
    let target = Target::listen();
    let mut fixture = forwarding_to(&target);
    let mut busy = FramePeer::connect(fixture.address);
    busy.request(1, &GET, true);
    let mut at_target = target.accept();
    at_target.head();
    let mut idle = FramePeer::connect(fixture.address);
    fixture.publish_frontends(vec![]);
    assert_eq!(idle.end_code(), NO_ERROR);
    let goaway = busy.until(|frame| frame.kind == GOAWAY);
    assert_eq!(
        goaway.last_stream(),
        0x7fff_ffff,
        "first it is told that the end is near"
    );
    // What it had sent before it knew is served.
    busy.request(3, &GET, true);
    let mut second = target.accept();
    second.head();
    let ping = busy.until(|frame| frame.kind == PING);
    busy.send(PING, ACK, 0, &ping.payload);
    let goaway = busy.until(|frame| frame.kind == GOAWAY);
    assert_eq!(goaway.last_stream(), 3);
    busy.request(5, &GET, true);
    assert_eq!(busy.response(5).reset, Some(REFUSED_STREAM));
    at_target.send(OK);
    assert_eq!(busy.response(1).text(), "ok");
    second.send(OK);
    assert_eq!(busy.response(3).text(), "ok");
    assert_eq!(busy.next(), None);
}

#[test]
fn requests_at_a_target_are_cut_when_its_delay_ends() {
    let target = Target::listen();
    let registered = endpoint(target.address);
    let fixture = Fixture::of_http2(forward_to(std::slice::from_ref(&registered)));
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &GET, true);
    let mut at_target = target.accept();
    at_target.head();
    registered.state.start_draining();
    fixture.cut(&registered);
    assert_eq!(peer.response(1).status(), 502);
    peer.request(3, &GET, true);
    assert_eq!(peer.response(3).status(), 503, "it gets no new request");
}

#[test]
fn a_target_that_closed_an_idle_connection_is_asked_again() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &GET, true);
    let (_, at_target) = target.answer(OK);
    assert_eq!(peer.response(1).status(), 200);
    drop(at_target);
    peer.request(3, &GET, true);
    target.answer(OK);
    assert_eq!(peer.response(3).status(), 200);
}

#[test]
fn a_target_that_refuses_or_stops_is_502_and_a_cut_response_is_a_reset() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect(fixture.address);
    peer.request(1, &GET, true);
    let mut at_target = target.accept();
    at_target.head();
    drop(at_target);
    assert_eq!(peer.response(1).status(), 502);
    peer.request(3, &GET, true);
    target.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    assert_eq!(peer.response(3).reset, Some(2));
    peer.request(5, &GET, true);
    target.answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab");
    assert_eq!(peer.response(5).status(), 502);
    drop(target);
    peer.request(7, &GET, true);
    assert_eq!(peer.response(7).status(), 502);
}

#[test]
fn a_long_body_passes_in_both_directions() {
    let target = Target::listen();
    let fixture = forwarding_to(&target);
    let mut peer = FramePeer::connect_with(fixture.address, &[(4, 0x7fff_ffff)]);
    peer.raise_window(0, 0x7000_0000);
    peer.request(1, &POST, false);
    let mut at_target = target.accept();
    let blocks = 200;
    let reading = std::thread::spawn(move || {
        at_target.head();
        let mut chunks = 0;
        loop {
            let size = at_target.until("\r\n");
            let size = usize::from_str_radix(size.trim_end(), 16).expect("a size");
            let data = at_target.bytes(size + 2);
            if size == 0 {
                break;
            }
            assert!(data.bytes().take(size).all(|byte| byte == b'u'));
            chunks += size;
        }
        at_target.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for _ in 0..blocks {
            at_target.send(format!("4000\r\n{}\r\n", "d".repeat(16_384)));
        }
        at_target.send("0\r\n\r\n");
        chunks
    });
    let block = vec![b'u'; 16_384];
    let mut window = 1024 * 1024_i64;
    let mut of_stream = 256 * 1024_i64;
    for _ in 0..blocks {
        while window < 16_384 || of_stream < 16_384 {
            let update = peer.until(|frame| frame.kind == WINDOW_UPDATE);
            let by = i64::from(u32::from_be_bytes(update.payload.try_into().unwrap()));
            *(if update.stream == 0 {
                &mut window
            } else {
                &mut of_stream
            }) += by;
        }
        peer.data(1, &block, false);
        window -= 16_384;
        of_stream -= 16_384;
    }
    peer.data(1, b"", true);
    let response = peer.response(1);
    assert_eq!(response.body.len(), blocks * 16_384);
    assert!(response.body.iter().all(|byte| *byte == b'd'));
    assert_eq!(reading.join().unwrap(), blocks * 16_384);
}
