//! RFC 9112 section 9.6: a connection that is closed behind a response is read on for a while, because closing it with
//! unread bytes would take the response from a client that has not finished its request.

mod support;

use std::io::Write;
use std::time::Duration;

use engine::{FixedResponse, Routing};
use support::tls::{Issued, tls};
use support::{Fixture, Peer, Target, endpoint, field, forward_to, status};

/// What many clients send before they look for an answer.
const LONG: usize = 30_000_000;

fn post(length: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: {length}\r\n\r\n")
}

/// A data plane that answers every request itself.
fn answering() -> Fixture {
    let response = FixedResponse {
        status: 200,
        content_type: None,
        body: b"fixed".as_slice().into(),
    };
    Fixture::with_action(Routing::FixedResponse(response).into())
}

/// A client that has got the answer to a request that it has not sent whole.
fn lingering(fixture: &Fixture) -> Peer {
    let mut client = fixture.client();
    client.send(post(LONG));
    assert!(
        client.rest().ends_with("\r\n\r\nfixed"),
        "and the end of it"
    );
    fixture.settle();
    client
}

#[test]
fn section_9_6_an_answer_reaches_a_client_that_sends_all_of_a_long_request_first() {
    let fixture = Fixture::with_action(forward_to(&[]));
    for length in [300_000, LONG] {
        let mut client = fixture.client();
        client.send(post(length));
        let body = vec![b'x'; length];
        client.stream.write_all(&body).expect("all of it is taken");
        assert_eq!(status(&client.rest()), 503);
    }
    let mut client = fixture.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("186a0\r\n{}\r\n", "x".repeat(100_000));
    for _ in 0..300 {
        client.stream.write_all(chunk.as_bytes()).unwrap();
    }
    client.send("0\r\n\r\n");
    assert_eq!(status(&client.rest()), 503);
}

#[test]
fn section_9_6_the_same_holds_through_tls() {
    let issued = Issued::for_host("www.example.com");
    let fixture = Fixture::encrypted(tls(&issued), forward_to(&[]));
    for length in [300_000, LONG] {
        let mut client = fixture.tls_client();
        client.send(post(length));
        for block in vec![b'x'; length].chunks(100_000) {
            client.send(block);
        }
        let head = client.head();
        assert_eq!(status(&head), 503);
        let length = field(&head, "Content-Length").expect("a length").parse();
        client.bytes(length.unwrap());
        assert!(
            client.is_open(),
            "it is not told of the end before it is done"
        );
        fixture.advance(Duration::from_secs(6));
        assert_eq!(client.rest(), b"", "but after that");
    }
}

#[test]
fn section_9_6_a_response_that_ends_with_the_connection_ends_at_once_through_tls() {
    let issued = Issued::for_host("www.example.com");
    let fixture = Fixture::encrypted(tls(&issued), forward_to(&[]));
    let mut client = fixture.tls_client();
    client.send("GET /\r\n");
    assert!(client.rest().starts_with(b"<html>"), "HTTP/0.9");
    let target = Target::listen();
    let action = forward_to(&[endpoint(target.address)]);
    let fixture = Fixture::encrypted(tls(&issued), action);
    let mut client = fixture.tls_client();
    client.send("POST / HTTP/1.0\r\nContent-Length: 100\r\n\r\nbegin");
    let (_, at_target) = target.answer("HTTP/1.0 403 Forbidden\r\n\r\nno");
    drop(at_target);
    assert!(client.rest().ends_with(b"\r\n\r\nno"));
}

#[test]
fn section_9_6_an_early_response_of_a_target_reaches_such_a_client() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(post(LONG));
    let (_, _at_target) = target.answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    client.stream.write_all(&vec![b'x'; LONG]).unwrap();
    let response = client.rest();
    assert_eq!(status(&response), 403);
    assert!(response.ends_with("\r\n\r\nno"));
}

#[test]
fn section_9_6_a_client_that_closes_ends_the_wait() {
    let fixture = answering();
    let client = lingering(&fixture);
    client.finish_sending();
    let counters = fixture.counters();
    assert_eq!(counters.connections_closed.value(), 1);
    assert_eq!(counters.lingering_connections_cut.value(), 0);
}

#[test]
fn section_9_6_a_pause_and_the_whole_time_are_bounded() {
    let fixture = answering();
    let _silent = lingering(&fixture);
    let mut slow = lingering(&fixture);
    let check = |closed: u64| {
        let counters = fixture.counters();
        assert_eq!(counters.connections_closed.value(), closed);
        assert_eq!(counters.lingering_connections_cut.value(), closed);
    };
    fixture.advance(Duration::from_millis(4900));
    check(0);
    slow.send("x");
    fixture.advance(Duration::from_millis(200));
    check(1);
    for _ in 0..6 {
        slow.send("x");
        fixture.advance(Duration::from_secs(4));
    }
    slow.send("x");
    fixture.advance(Duration::from_millis(800));
    check(1);
    fixture.advance(Duration::from_millis(200));
    check(2);
}

#[test]
fn section_9_6_the_bytes_are_bounded() {
    let fixture = answering();
    let mut client = lingering(&fixture);
    let block = vec![b'x'; 1024 * 1024];
    let mut sent = 0;
    while client.stream.write_all(&block).is_ok() {
        sent += 1;
        assert!(sent < 400, "{sent} MiB are taken");
    }
    assert!(sent >= 255, "{sent} MiB are taken");
    let counters = fixture.counters();
    assert_eq!(counters.lingering_connections_cut.value(), 1);
    assert_eq!(counters.connections_closed.value(), 1);
}

#[test]
fn section_9_6_only_so_many_connections_are_waited_for() {
    const LINGERING_MAX: u64 = 2048;
    let fixture = answering();
    let mut clients: Vec<_> = (0..LINGERING_MAX).map(|_| lingering(&fixture)).collect();
    let counters = fixture.counters();
    assert_eq!(counters.connections_not_lingering.value(), 0);
    lingering(&fixture);
    assert_eq!(fixture.counters().connections_not_lingering.value(), 1);
    assert_eq!(counters.connections_closed.value(), 1, "it is closed");
    clients.pop();
    let _next = lingering(&fixture);
    assert_eq!(fixture.counters().connections_not_lingering.value(), 1);
    assert_eq!(counters.connections_closed.value(), 2, "the one that left");
}

#[test]
fn section_9_6_a_stop_waits_for_a_lingering_connection_no_longer_than_its_bounds() {
    let mut fixture = answering();
    let _client = lingering(&fixture);
    fixture.publish_frontends(vec![]);
    fixture.advance(Duration::from_millis(4900));
    assert_eq!(fixture.counters().connections_closed.value(), 0);
    fixture.advance(Duration::from_millis(200));
    assert_eq!(fixture.counters().connections_closed.value(), 1);
}
