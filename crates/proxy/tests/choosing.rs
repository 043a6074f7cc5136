//! What the choice of a target is told: the zone of the node, and what has become of requests.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::sync::Arc;

use engine::health::Health;
use engine::{Action, Endpoint, Forward, Pool, PoolId, PoolSettings, Routing};
use model::health_check::HealthCheck;

use crate::frames::{FramePeer, GET};
use crate::support::{Fixture, Peer, Target, endpoint, status};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

fn pool(endpoints: &[Arc<Endpoint>], is_cross_zone: bool) -> Arc<Pool> {
    let settings = PoolSettings {
        is_cross_zone,
        ..PoolSettings::new(HealthCheck::default())
    };
    Arc::new(Pool::new(PoolId(1), settings, endpoints.to_vec(), None))
}

fn forward_to(pool: &Arc<Pool>) -> Action {
    Routing::Forward(Forward::new(vec![(Arc::clone(pool), 1)])).into()
}

fn start(endpoints: &[Arc<Endpoint>], is_cross_zone: bool) -> (Fixture, Arc<Pool>) {
    let pool = pool(endpoints, is_cross_zone);
    (Fixture::with_action(forward_to(&pool)), pool)
}

fn make_healthy(endpoints: &[Arc<Endpoint>]) {
    for endpoint in endpoints {
        let healthy = Health::Healthy { failures: 0 };
        endpoint.state.set_health(healthy, None);
    }
}

fn anomalous(endpoints: &[Arc<Endpoint>]) -> Vec<bool> {
    let endpoints = endpoints.iter();
    endpoints.map(|it| it.state.is_anomalous()).collect()
}

fn in_zone(target: &Target, zone: &str) -> Arc<Endpoint> {
    let endpoint = Arc::unwrap_or_clone(endpoint(target.address));
    Arc::new(Endpoint {
        zone: Some(zone.into()),
        ..endpoint
    })
}

#[test]
fn with_cross_zone_off_a_node_uses_the_targets_of_its_zone() {
    // The node of the fixture is in us-east-1a.
    let (near, far) = (Target::listen(), Target::listen());
    let (near_one, far_one) = (in_zone(&near, "us-east-1a"), in_zone(&far, "us-east-1b"));
    let (fixture, _) = start(&[Arc::clone(&far_one), near_one], false);
    for _ in 0..3 {
        let mut client = fixture.client();
        client.send(REQUEST);
        near.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        assert_eq!(status(&client.rest()), 200);
    }
    assert!(far.is_untouched());
    let (fixture, _) = start(&[far_one], false);
    assert_eq!(status(&fixture.exchange(REQUEST)), 503, "an empty zone");
}

/// Three healthy targets, of which the first answers with `first` (nothing: closes), the others with 200.
fn evaluate(first: &str) -> Vec<bool> {
    let targets: Vec<_> = (0..3).map(|_| Target::listen()).collect();
    let endpoints: Vec<_> = targets.iter().map(|it| endpoint(it.address)).collect();
    make_healthy(&endpoints);
    let (fixture, pool) = start(&endpoints, true);
    for request in 0..30 {
        let mut client = fixture.client();
        client.send(REQUEST);
        let response = match request % 3 {
            0 => first,
            _ => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        };
        targets[request % 3].answer(response);
        client.rest();
    }
    pool.evaluate_outcomes();
    anomalous(&endpoints)
}

#[test]
fn responses_of_500_and_over_and_closed_connections_count_against_a_target() {
    for (first, is_anomalous) in [
        (
            "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            true,
        ),
        (
            "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            false,
        ),
        ("HTTP/1.1 103 Early Hints\r\n\r\n", true),
        ("", true),
    ] {
        assert_eq!(evaluate(first), [is_anomalous, false, false], "{first:?}");
    }
}

#[test]
fn a_target_that_refuses_connections_is_anomalous() {
    let targets: Vec<_> = (0..2).map(|_| Target::listen()).collect();
    let mut endpoints: Vec<_> = targets.iter().map(|it| endpoint(it.address)).collect();
    // Nobody listens there.
    endpoints.insert(0, endpoint("127.0.0.1:1".parse().unwrap()));
    make_healthy(&endpoints);
    let (fixture, pool) = start(&endpoints, true);
    for request in 0..30 {
        let mut client = fixture.client();
        client.send(REQUEST);
        let at = 1 - (request + 1) % 2;
        targets[at].answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        assert_eq!(status(&client.rest()), 200, "another target answers");
    }
    pool.evaluate_outcomes();
    assert_eq!(anomalous(&endpoints), [true, false, false]);
}

/// Answers one request, whichever target has it. The first target closes its idle connection when the request comes on
/// it, and another one answers. Whether that was so.
fn answer(fixture: &Fixture, targets: &[Target], idle: &mut Option<Peer>) -> bool {
    let mut was_closed = false;
    for _ in 0..16 {
        fixture.settle();
        if let Some(peer) = idle {
            assert!(peer.is_open());
            if !peer.take_received().is_empty() {
                *idle = None;
                was_closed = true;
            }
        }
        for (at, target) in targets.iter().enumerate() {
            let Some(mut peer) = target.accept_waiting() else {
                continue;
            };
            peer.head();
            if at == 0 {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                *idle = Some(peer);
            } else {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            }
            return was_closed;
        }
    }
    panic!("no target was asked");
}

#[test]
fn an_idle_connection_that_its_target_closes_does_not_count_against_it() {
    for speaks_http2 in [false, true] {
        let targets: Vec<_> = (0..3).map(|_| Target::listen()).collect();
        let endpoints: Vec<_> = targets.iter().map(|it| endpoint(it.address)).collect();
        make_healthy(&endpoints);
        let pool = pool(&endpoints, true);
        let fixture = match speaks_http2 {
            true => Fixture::of_http2(forward_to(&pool)),
            false => Fixture::with_action(forward_to(&pool)),
        };
        let (mut idle, mut closed) = (None, 0);
        for _ in 0..60 {
            let answered = if speaks_http2 {
                let mut client = FramePeer::connect(fixture.address);
                client.request(1, &GET, true);
                closed += usize::from(answer(&fixture, &targets, &mut idle));
                client.response(1).status()
            } else {
                let mut client = fixture.client();
                client.send(REQUEST);
                closed += usize::from(answer(&fixture, &targets, &mut idle));
                status(&client.rest())
            };
            assert_eq!(answered, 200);
        }
        assert!(closed >= 10, "{closed} idle connections were closed");
        pool.evaluate_outcomes();
        assert_eq!(anomalous(&endpoints), [false; 3], "HTTP/2: {speaks_http2}");
    }
}
