//! Targets that new connections do not get through to, because security groups drop their packets: they are addresses
//! that never answer, and connections that are open go on.
//!
//! Source: ALB guide, "Troubleshoot your Application Load Balancers", HTTP 504; Amazon EC2 User Guide, "Security group
//! connection tracking".

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::sync::Arc;
use std::time::Duration;

use engine::{
    Action, Admission, Endpoint, Extensions, HttpVersion, Mirror, Pool, PoolId, PoolSettings, Reach,
};
use frames::{FramePeer, GET};
use model::health_check::HealthCheck;
use support::{Fixture, Target, endpoint, forward_by, forward_to, status};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Checks get through, requests do not.
const CHECKS_ONLY: Reach = Reach {
    admits_requests: false,
    admits_checks: true,
};

fn out_of_reach(endpoint: &Endpoint) -> Arc<Endpoint> {
    Arc::new(Endpoint {
        reach: CHECKS_ONLY,
        ..endpoint.clone()
    })
}

#[test]
fn a_target_out_of_reach_is_504_after_ten_seconds() {
    let target = Target::listen();
    let fixture = Fixture::with_action(forward_to(&[out_of_reach(&endpoint(target.address))]));
    let mut client = fixture.client();
    client.send(REQUEST);
    fixture.advance(Duration::from_secs(9));
    assert!(client.is_open() && client.take_received().is_empty());
    fixture.advance(Duration::from_secs(2));
    assert_eq!(status(&client.head()), 504);
    assert!(target.is_untouched());
    let counters = fixture.counters();
    assert_eq!(counters.target_connection_errors.value(), 1);
    assert_eq!(counters.target_connections_opened.value(), 0);
}

#[test]
fn it_is_504_for_clients_and_targets_of_http2_too() {
    for version in [HttpVersion::Http1, HttpVersion::Http2] {
        let target = Target::listen();
        let closed = out_of_reach(&endpoint(target.address));
        let fixture = Fixture::of_http2(forward_by(version, &[closed]));
        let mut client = FramePeer::connect(fixture.address);
        client.request(1, &GET, true);
        fixture.advance(Duration::from_secs(11));
        assert_eq!(client.response(1).status(), 504, "{version:?}");
        assert!(target.is_untouched());
    }
}

#[test]
fn another_target_is_tried_when_the_time_is_up() {
    let (near, far) = (Target::listen(), Target::listen());
    let endpoints = [endpoint(near.address), out_of_reach(&endpoint(far.address))];
    let fixture = Fixture::with_action(forward_to(&endpoints));
    // In turn, each target is meant to get one of them.
    let mut clients = [fixture.client(), fixture.client()];
    for client in &mut clients {
        client.send(REQUEST);
        fixture.settle();
    }
    let (_, mut at_target) = near.answer(OK);
    fixture.settle();
    assert!(near.is_untouched(), "the other one waits");
    fixture.advance(Duration::from_secs(11));
    // On the connection that has carried the first.
    at_target.head();
    at_target.send(OK);
    for client in &mut clients {
        assert_eq!(status(&client.until("ok")), 200);
    }
    assert!(far.is_untouched());
    let counters = fixture.counters();
    assert_eq!(counters.requests_retried.value(), 1);
    assert_eq!(counters.target_connection_errors.value(), 1);
}

#[test]
fn an_open_connection_goes_on_and_a_new_one_does_not_get_through() {
    let target = Target::listen();
    let open = endpoint(target.address);
    let mut fixture = Fixture::with_action(forward_to(&[Arc::clone(&open)]));
    let publish = |fixture: &mut Fixture, endpoint: Arc<Endpoint>| {
        fixture.publish(Admission::Anyone, Vec::new(), forward_to(&[endpoint]));
    };
    let mut client = fixture.client();
    client.send(REQUEST);
    let (_, mut at_target) = target.answer(OK);
    client.until("ok");
    fixture.settle();
    publish(&mut fixture, out_of_reach(&open));
    client.send(REQUEST);
    at_target.head();
    at_target.send(OK);
    assert_eq!(status(&client.until("ok")), 200);
    fixture.settle();
    drop(at_target);
    client.send(REQUEST);
    fixture.advance(Duration::from_secs(11));
    assert_eq!(status(&client.until("</html>\r\n")), 504);
    assert!(target.is_untouched());
    publish(&mut fixture, open);
    client.send(REQUEST);
    target.answer(OK);
    assert_eq!(status(&client.until("ok")), 200);
}

#[test]
fn requests_that_get_through_do_not_wait_for_those_that_do_not() {
    let target = Target::listen();
    let open = endpoint(target.address);
    let by_http2 = |endpoint| forward_by(HttpVersion::Http2, &[endpoint]);
    let mut fixture = Fixture::of_http2(by_http2(out_of_reach(&open)));
    let mut early = FramePeer::connect(fixture.address);
    early.request(1, &GET, true);
    fixture.settle();
    fixture.publish(Admission::Anyone, Vec::new(), by_http2(open));
    let mut late = FramePeer::connect(fixture.address);
    late.request(1, &GET, true);
    let mut at_target = FramePeer::accept(&target.listener);
    let (stream, _) = at_target.message();
    at_target.request(stream, &[(":status", "200")], true);
    assert_eq!(late.response(1).status(), 200);
    fixture.advance(Duration::from_secs(11));
    assert_eq!(early.response(1).status(), 504);
    assert!(target.is_untouched());
}

#[test]
fn copies_do_not_get_through_either() {
    let (target, shadow) = (Target::listen(), Target::listen());
    let shadows = vec![out_of_reach(&endpoint(shadow.address))];
    let settings = PoolSettings::new(HealthCheck::default());
    let pool = Arc::new(Pool::new(PoolId(2), settings, shadows, None));
    let mirror = Mirror {
        pool,
        percentage: 100,
    };
    let fixture = Fixture::with_action(Action {
        extensions: Some(Arc::new(Extensions {
            mirror: Some(mirror),
            ..Extensions::default()
        })),
        ..forward_to(&[endpoint(target.address)])
    });
    let mut client = fixture.client();
    client.send(REQUEST);
    let (_, _at_target) = target.answer(OK);
    assert_eq!(status(&client.until("ok")), 200);
    fixture.advance(Duration::from_secs(11));
    assert_eq!(fixture.counters().mirrored_requests_failed.value(), 1);
    assert!(shadow.is_untouched());
}
