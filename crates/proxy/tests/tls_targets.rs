//! TLS with targets, seen from both ends. Their certificates are not verified.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{
    Action, Endpoint, Forward, HttpVersion, Pool, PoolId, PoolSettings, Routing, Snapshot,
    TargetProtocol,
};
use frames::FramePeer;
use model::health_check::HealthCheck;
use support::tls::{Issued, TlsTarget, frontend, tls};
use support::{Fixture, IDLE, PATIENCE, Target, endpoint, field, status};

const GET: &str = "GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn encrypted_pool(version: HttpVersion, endpoints: Vec<Arc<Endpoint>>) -> Arc<Pool> {
    let settings = PoolSettings {
        protocol: TargetProtocol {
            is_tls: true,
            version,
        },
        health_check_is_tls: true,
        ..PoolSettings::new(HealthCheck::default())
    };
    Arc::new(Pool::new(PoolId(1), settings, endpoints, None))
}

fn forwarding_to(endpoints: Vec<Arc<Endpoint>>) -> Action {
    forwarding_by(HttpVersion::Http1, endpoints)
}

fn forwarding_by(version: HttpVersion, endpoints: Vec<Arc<Endpoint>>) -> Action {
    let pool = encrypted_pool(version, endpoints);
    Routing::Forward(Forward::new(vec![(pool, 1)])).into()
}

#[test]
fn any_certificate_will_do_and_connections_are_used_again() {
    for shown in [
        Issued::for_host("elsewhere.example.com"),
        Issued::expired("shop.example.com"),
    ] {
        let target = TlsTarget::listen(&shown);
        let fixture = Fixture::with_action(forwarding_to(vec![endpoint(target.address)]));
        let mut client = fixture.client();
        client.send(GET);
        let mut peer = target.accept();
        let request = peer.head();
        assert_eq!(
            field(&request, "X-Forwarded-Proto"),
            Some("http"),
            "that of the client"
        );
        assert_eq!(
            peer.connection.server_name(),
            Some("shop.example.com"),
            "the host"
        );
        assert_eq!(peer.connection.alpn_protocol(), None);
        peer.send(OK);
        assert_eq!(status(&client.head()), 200);
        assert_eq!(client.bytes(2), "ok");
        // Idle connections are looked at each second, and stay.
        fixture.advance(Duration::from_secs(5));
        client.send("GET /2 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        assert!(peer.head().starts_with("GET /2 "));
        peer.send(OK);
        client.head();
        assert_eq!(client.bytes(2), "ok");
        let counters = fixture.counters();
        assert_eq!(counters.target_connections_opened.value(), 1);
        assert_eq!(counters.target_connections_reused.value(), 1);
        assert_eq!(counters.target_tls_handshake_errors.value(), 0);
        // When it has been idle for long enough it is closed, and the target is told.
        fixture.advance(IDLE);
        assert_eq!(peer.rest(), b"");
    }
}

#[test]
fn an_address_is_no_server_name() {
    let target = TlsTarget::listen(&Issued::for_host("elsewhere.example.com"));
    let fixture = Fixture::with_action(forwarding_to(vec![endpoint(target.address)]));
    let mut client = fixture.client();
    client.send("GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n");
    let mut peer = target.accept();
    peer.head();
    assert_eq!(peer.connection.server_name(), None);
    peer.send(OK);
    assert_eq!(status(&client.head()), 200);
}

#[test]
fn both_sides_may_be_encrypted() {
    let target = TlsTarget::listen(&Issued::for_host("elsewhere.example.com"));
    let action = forwarding_to(vec![endpoint(target.address)]);
    let fixture = Fixture::encrypted(tls(&Issued::for_host("www.example.com")), action);
    let mut client = fixture.tls_client();
    let body = "b".repeat(100_000);
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    let mut peer = target.accept();
    assert_eq!(field(&peer.head(), "X-Forwarded-Proto"), Some("https"));
    assert_eq!(peer.bytes(body.len()), body.as_bytes());
    // Until the close, which the target tells apart from a cut.
    peer.send(format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}"
    ));
    peer.end();
    let response = client.rest();
    assert!(response.len() > body.len(), "the whole body");
}

/// RFC 8446 section 6.1: without `close_notify` the target cannot tell the end from a cut.
#[test]
fn a_target_whose_connection_does_not_stay_is_told_of_its_end() {
    let response = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    let target = TlsTarget::listen(&Issued::for_host("elsewhere.example.com"));
    let action = || forwarding_to(vec![endpoint(target.address)]);
    let fixture = Fixture::with_action(action());
    let mut client = fixture.client();
    client.send(GET);
    let mut peer = target.accept();
    peer.head();
    peer.send(response);
    assert_eq!(status(&client.until("ok")), 200);
    assert_eq!(peer.rest(), b"");

    let fixture = Fixture::of_http2(action());
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &frames::GET, true);
    let mut peer = target.accept();
    peer.head();
    peer.send(response);
    assert_eq!(client.response(1).status(), 200);
    assert_eq!(peer.rest(), b"");
}

/// Source: ALB guide, "Troubleshoot your Application Load Balancers", HTTP 502.
#[test]
fn a_target_that_speaks_no_tls_is_a_bad_gateway() {
    let target = Target::listen();
    let fixture = Fixture::with_action(forwarding_to(vec![endpoint(target.address)]));
    let mut client = fixture.client();
    client.send(GET);
    let mut peer = target.accept();
    assert!(peer.stream.read(&mut [0; 1024]).expect("a ClientHello") > 0);
    peer.send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    drop(peer);
    assert_eq!(status(&client.head()), 502);
    assert_eq!(fixture.counters().target_tls_handshake_errors.value(), 1);
}

#[test]
fn another_target_is_tried_when_the_handshake_fails() {
    let (broken, sound) = (
        Target::listen(),
        TlsTarget::listen(&Issued::for_host("a.example.com")),
    );
    let endpoints = vec![endpoint(broken.address), endpoint(sound.address)];
    let fixture = Fixture::with_action(forwarding_to(endpoints));
    let mut client = fixture.client();
    client.send(GET);
    drop(broken.accept());
    let mut peer = sound.accept();
    peer.head();
    peer.send(OK);
    assert_eq!(status(&client.head()), 200);
    assert_eq!(fixture.counters().requests_retried.value(), 1);
}

/// Source: ALB guide, "Troubleshoot your Application Load Balancers", HTTP 504.
#[test]
fn a_target_has_ten_seconds_for_the_handshake() {
    let target = Target::listen();
    let fixture = Fixture::with_action(forwarding_to(vec![endpoint(target.address)]));
    let mut client = fixture.client();
    client.send(GET);
    let mut peer = target.accept();
    assert!(peer.stream.read(&mut [0; 1024]).expect("a ClientHello") > 0);
    fixture.advance(Duration::from_millis(9_900));
    assert_eq!(fixture.counters().gateway_timeouts.value(), 0);
    fixture.advance(Duration::from_millis(100));
    assert_eq!(status(&client.head()), 504);
    assert_eq!(fixture.counters().target_tls_handshake_errors.value(), 1);
}

#[test]
fn a_target_of_http2_has_ten_seconds_for_the_handshake_too() {
    let target = Target::listen();
    let action = forwarding_by(HttpVersion::Http2, vec![endpoint(target.address)]);
    let fixture = Fixture::of_http2(action);
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &frames::GET, true);
    let mut peer = target.accept();
    assert!(peer.stream.read(&mut [0; 1024]).expect("a ClientHello") > 0);
    fixture.advance(Duration::from_millis(9_900));
    assert_eq!(fixture.counters().gateway_timeouts.value(), 0);
    fixture.advance(Duration::from_millis(100));
    assert_eq!(client.response(1).status(), 504);
    assert_eq!(fixture.counters().target_tls_handshake_errors.value(), 1);
}

#[test]
fn a_target_that_is_deregistered_during_the_handshake_is_not_to_blame() {
    let (leaving, staying) = (
        Target::listen(),
        TlsTarget::listen(&Issued::for_host("a.example.com")),
    );
    let registered = endpoint(leaving.address);
    let endpoints = vec![Arc::clone(&registered), endpoint(staying.address)];
    let fixture = Fixture::with_action(forwarding_to(endpoints));
    let mut client = fixture.client();
    client.send(GET);
    let mut peer = leaving.accept();
    assert!(peer.stream.read(&mut [0; 1024]).expect("a ClientHello") > 0);
    registered.state.start_draining();
    fixture.cut(&registered);
    let mut peer = staying.accept();
    peer.head();
    peer.send(OK);
    assert_eq!(status(&client.head()), 200);
    let counters = fixture.counters();
    assert_eq!(counters.target_connection_errors.value(), 0);
    assert_eq!(counters.target_tls_handshake_errors.value(), 0);
}

#[test]
fn health_checks_go_through_tls_and_verify_nothing() {
    let target = TlsTarget::listen(&Issued::expired("elsewhere.example.com"));
    let endpoint = endpoint(target.address);
    let mut fixture = Fixture::with_action(forwarding_to(Vec::new()));
    let pool = encrypted_pool(HttpVersion::Http1, vec![Arc::clone(&endpoint)]);
    let action = Routing::Forward(Forward::new(vec![(Arc::clone(&pool), 1)])).into();
    let listener = frontend(
        fixture.address,
        tls(&Issued::for_host("a.example.com")),
        action,
    );
    fixture.publish_snapshot(Snapshot {
        generation: 100,
        frontends: vec![listener],
        pools: vec![pool],
        ..Snapshot::default()
    });
    let mut peer = target.accept();
    let request = peer.head();
    assert_eq!(field(&request, "User-Agent"), Some("ELB-HealthChecker/2.0"));
    assert_eq!(
        field(&request, "Host"),
        Some(target.address.to_string().as_str())
    );
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    peer.end();
    // The prober looks at the answer before it closes.
    assert!(peer.is_closed());
    let start = Instant::now();
    while !endpoint.state.health().is_healthy() {
        assert!(start.elapsed() < PATIENCE, "the check has not passed");
        std::thread::yield_now();
    }
    let counters = fixture.plane.counters();
    let prober = counters.last().expect("the prober's are there");
    assert_eq!(prober.health_checks.value(), 1);
}
