//! Copies of a rule's requests for a second pool: what they hold, and that nobody waits for them.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::sync::Arc;
use std::time::Duration;

use engine::{Action, Endpoint, Extensions, Mirror, Pool, PoolId, PoolSettings};
use frames::*;
use model::health_check::HealthCheck;
use support::{Fixture, Peer, Target, endpoint, field, forward_to, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Forwards to `target`, and copies so many of a hundred requests to `shadows`.
fn mirrored_by(target: &Target, shadows: &[Arc<Endpoint>], percentage: u8) -> Action {
    let settings = PoolSettings::new(HealthCheck::default());
    let pool = Arc::new(Pool::new(PoolId(2), settings, shadows.to_vec(), None));
    let extensions = Extensions {
        mirror: Some(Mirror { pool, percentage }),
        ..Extensions::default()
    };
    Action {
        extensions: Some(Arc::new(extensions)),
        ..forward_to(&[endpoint(target.address)])
    }
}

fn mirrored(target: &Target, shadow: &Target) -> Fixture {
    Fixture::with_action(mirrored_by(target, &[endpoint(shadow.address)], 100))
}

/// Has `request` answered by the target. The client stays.
fn exchange(fixture: &Fixture, target: &Target, request: &str) -> Peer {
    let mut client = fixture.client();
    client.send(request);
    let (_, _target) = target.answer(OK);
    assert_eq!(status(&client.until("ok")), 200);
    client
}

const GET_A: &str = "GET /a?b=c HTTP/1.1\r\nHost: Shop\r\nX-Team: blue\r\nCookie: a=b\r\n\r\n";

#[test]
fn a_copy_is_the_request_with_a_mark() {
    let (target, shadow) = (Target::listen(), Target::listen());
    let fixture = mirrored(&target, &shadow);
    let mut client = fixture.client();
    client.send(GET_A);
    let (request, mut at_target) = target.answer(OK);
    client.until("ok");
    let (copy, mut at_shadow) = shadow.answer("HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\noops");
    assert_eq!(field(&request, "X-Elbow-Mirrored"), None);
    assert_eq!(copy.replace("X-Elbow-Mirrored: true\r\n", ""), request);
    assert_eq!(field(&copy, "X-Elbow-Mirrored"), Some("true"));
    // Its connection carries the next one, and the client's is none the wiser.
    client.send(GET_A);
    at_target.head();
    at_target.send(OK);
    client.until("ok");
    at_shadow.head();
    at_shadow.send(OK);
    let counters = fixture.counters();
    assert_eq!(counters.mirrored_requests_answered.value(), 2);
    assert_eq!(
        counters.requests_forwarded.value(),
        2,
        "copies are counted apart"
    );
    assert_eq!(counters.target_responses_5xx.value(), 0);
}

#[test]
fn a_copy_has_the_body_however_it_is_framed_and_cut() {
    let (target, shadow) = (Target::listen(), Target::listen());
    let fixture = mirrored(&target, &shadow);
    for (head, parts, body) in [
        ("Content-Length: 6", &["foo", "bar"][..], "foobar"),
        ("Content-Length: 6", &["foobar"], "foobar"),
        (
            "Transfer-Encoding: chunked",
            &["3\r\nfoo\r\n", "3\r\nbar\r\n0\r\nX-Sum: 2\r\n\r\n"],
            "3\r\nfoo\r\n3\r\nbar\r\n0\r\nX-Sum: 2\r\n\r\n",
        ),
    ] {
        let mut client = fixture.client();
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{head}\r\n\r\n"
        ));
        let mut at_target = None;
        for part in parts {
            if parts.len() > 1 {
                fixture.settle();
            }
            client.send(part);
            at_target = at_target.or_else(|| (parts.len() > 1).then(|| target.accept()));
        }
        let mut at_target = at_target.unwrap_or_else(|| target.accept());
        at_target.head();
        assert_eq!(at_target.bytes(body.len()), body);
        at_target.send(OK);
        client.until("ok");
        let mut at_shadow = shadow.accept();
        at_shadow.head();
        assert_eq!(at_shadow.bytes(body.len()), body, "{head}");
        at_shadow.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the close");
    }
    assert_eq!(fixture.counters().mirrored_requests_failed.value(), 0);
}

#[test]
fn clients_of_http2_are_mirrored_too() {
    const CLOSING: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let (target, shadow) = (Target::listen(), Target::listen());
    let action = mirrored_by(&target, &[endpoint(shadow.address)], 100);
    let fixture = Fixture::of_http2(action);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &GET, true);
    target.answer(CLOSING);
    assert_eq!(client.response(1).status(), 200);
    let (copy, _) = shadow.answer(CLOSING);
    assert_eq!(field(&copy, "X-Elbow-Mirrored"), Some("true"));

    client.request(3, &POST, false);
    let mut at_target = target.accept();
    at_target.head();
    for part in ["foo", "bar"] {
        client.data(3, part.as_bytes(), false);
        at_target.until(part);
    }
    assert!(shadow.is_untouched(), "it is not whole");
    client.data(3, b"", true);
    at_target.until("0\r\n\r\n");
    at_target.send(CLOSING);
    assert_eq!(client.response(3).status(), 200);
    let (copy, mut at_shadow) = shadow.answer(CLOSING);
    assert_eq!(field(&copy, "Transfer-Encoding"), Some("chunked"));
    assert_eq!(
        at_shadow.until("0\r\n\r\n"),
        "3\r\nfoo\r\n3\r\nbar\r\n0\r\n\r\n"
    );
    assert_eq!(fixture.counters().mirrored_requests_answered.value(), 2);
}

#[test]
fn what_becomes_of_a_copy_does_not_touch_the_request() {
    let target = Target::listen();
    let unreachable = endpoint("127.0.0.1:1".parse().unwrap());
    for shadows in [&[][..], &[unreachable]] {
        let fixture = Fixture::with_action(mirrored_by(&target, shadows, 100));
        exchange(&fixture, &target, GET_A);
        assert_eq!(fixture.counters().mirrored_requests_failed.value(), 1);
        assert_eq!(fixture.counters().bad_gateway.value(), 0);
    }
    let shadow = Target::listen();
    for response in [
        "nonsense\r\n\r\n",
        "HTTP/1.1 101 No\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
    ] {
        let fixture = mirrored(&target, &shadow);
        exchange(&fixture, &target, GET_A);
        shadow.answer(response);
        assert_eq!(
            fixture.counters().mirrored_requests_failed.value(),
            1,
            "{response}"
        );
    }
}

#[test]
fn a_copy_that_takes_too_long_is_given_up() {
    let (target, shadow) = (Target::listen(), Target::listen());
    let fixture = mirrored(&target, &shadow);
    exchange(&fixture, &target, GET_A);
    let mut at_shadow = shadow.accept();
    at_shadow.head();
    // A byte now and then does not help.
    at_shadow.send("HTTP/1.1 200 OK\r\n\r\n");
    fixture.advance(Duration::from_secs(29));
    at_shadow.send("x");
    assert!(at_shadow.is_open());
    fixture.advance(Duration::from_secs(2));
    assert_eq!(at_shadow.rest(), "");
    assert_eq!(fixture.counters().mirrored_requests_failed.value(), 1);
}

#[test]
fn a_copy_is_sent_again_when_the_idle_connection_was_closed() {
    let (target, shadow) = (Target::listen(), Target::listen());
    let fixture = mirrored(&target, &shadow);
    let mut client = fixture.client();
    client.send(GET_A);
    let (_, mut at_target) = target.answer(OK);
    client.until("ok");
    let (_, mut at_shadow) = shadow.answer(OK);
    assert_eq!(fixture.counters().mirrored_requests_answered.value(), 1);
    client.send(GET_A);
    at_target.head();
    at_target.send(OK);
    client.until("ok");
    // The close and the copy cross each other.
    at_shadow.head();
    drop(at_shadow);
    shadow.answer(OK);
    let counters = fixture.counters();
    assert_eq!(counters.mirrored_requests_answered.value(), 2);
    assert_eq!(counters.mirrored_requests_failed.value(), 0);
}

#[test]
fn a_copy_ends_with_its_listener() {
    let (target, shadow) = (Target::listen(), Target::listen());
    let mut fixture = mirrored(&target, &shadow);
    exchange(&fixture, &target, GET_A);
    let mut at_shadow = shadow.accept();
    at_shadow.head();
    fixture.publish_frontends(Vec::new());
    assert_eq!(at_shadow.rest(), "");
    assert_eq!(fixture.counters().mirrored_requests_failed.value(), 1);
}

#[test]
fn no_copy_starts_after_a_stop_has_begun() {
    let (target, shadow) = (Target::listen(), Target::listen());
    let fixture = mirrored(&target, &shadow);
    let (mut client, mut idle) = (fixture.client(), fixture.client());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nfoo");
    let mut at_target = target.accept();
    at_target.until("foo");
    let counters = fixture.counters();
    let plane = fixture.plane;
    let stopping = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let stop = plane.stop(Duration::from_secs(5));
        runtime.expect("a runtime").block_on(stop);
    });
    assert_eq!(idle.rest(), "", "the stop has begun");
    client.send("bar");
    at_target.until("bar");
    at_target.send(OK);
    client.until("ok");
    stopping.join().expect("it stops");
    assert!(shadow.is_untouched());
    assert_eq!(counters.mirrored_requests_skipped.value(), 1);
}

#[test]
fn bodies_that_are_too_long_and_upgrades_are_not_copied() {
    let (target, shadow) = (Target::listen(), Target::listen());
    let fixture = mirrored(&target, &shadow);
    let body = "x".repeat(64 * 1024 + 1);
    let chunked = format!(
        "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    for (n, request) in [
        format!("Content-Length: {}\r\n\r\n{body}", body.len()),
        chunked,
        "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let mut client = fixture.client();
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{request}"));
        let mut at_target = target.accept();
        at_target.head();
        match n {
            0 => drop(at_target.bytes(body.len())),
            1 => drop(at_target.until("x\r\n0\r\n\r\n")),
            _ => {}
        }
        at_target.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        client.until("ok");
        assert_eq!(
            fixture.counters().mirrored_requests_skipped.value(),
            n as u64 + 1
        );
    }
    assert!(shadow.is_untouched());
}

#[test]
fn no_request_is_copied_at_zero_percent() {
    let (target, shadow) = (Target::listen(), Target::listen());
    let fixture = Fixture::with_action(mirrored_by(&target, &[endpoint(shadow.address)], 0));
    exchange(&fixture, &target, GET_A);
    let counters = fixture.counters();
    assert_eq!(counters.mirrored_requests_skipped.value(), 0);
    assert!(shadow.is_untouched());
}

#[test]
fn more_copies_than_a_worker_has_room_for_are_not_made() {
    let (target, shadow) = (Target::listen(), Target::listen());
    let fixture = mirrored(&target, &shadow);
    let mut client = fixture.client();
    let mut at_shadow = Vec::new();
    client.send(GET_A);
    let (_, mut at_target) = target.answer(OK);
    client.until("ok");
    at_shadow.push(shadow.accept());
    for _ in 1..256 {
        client.send(GET_A);
        at_target.head();
        at_target.send(OK);
        client.until("ok");
        at_shadow.push(shadow.accept());
    }
    assert_eq!(fixture.counters().mirrored_requests_skipped.value(), 0);
    client.send(GET_A);
    at_target.head();
    at_target.send(OK);
    client.until("ok");
    assert_eq!(fixture.counters().mirrored_requests_skipped.value(), 1);
    assert!(shadow.is_untouched());
}

#[test]
fn copies_count_as_requests_in_flight_and_keep_the_drain_promise() {
    let (target, shadow) = (Target::listen(), Target::listen());
    let at = endpoint(shadow.address);
    let fixture = Fixture::with_action(mirrored_by(&target, &[Arc::clone(&at)], 100));
    let mut client = fixture.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nfoo");
    let mut at_target = target.accept();
    at_target.until("foo");
    exchange(&fixture, &target, GET_A);
    let mut at_shadow = shadow.accept();
    at_shadow.head();
    assert_eq!(at.state.requests_in_flight(), 1);
    at.state.start_draining();
    // The copy of the first request becomes whole only now.
    client.send("bar");
    at_target.until("bar");
    at_target.send(OK);
    client.until("ok");
    fixture.settle();
    assert!(shadow.is_untouched(), "no copy starts");
    assert_eq!(fixture.counters().mirrored_requests_failed.value(), 1);
    assert!(at_shadow.is_open(), "the one that has started goes on");
    fixture.cut(&at);
    assert_eq!(at_shadow.rest(), "");
    fixture.settle();
    assert_eq!(at.state.requests_in_flight(), 0);
    assert_eq!(fixture.counters().mirrored_requests_failed.value(), 2);
}
