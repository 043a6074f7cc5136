//! HTTP/2 through TLS: what is agreed on with clients and targets.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::net::TcpStream;
use std::sync::Arc;

use engine::http::TargetProtocol;
use engine::{
    Forward, Frontend, HttpOptions, HttpVersion, Pool, PoolId, PoolSettings, Router, Routing,
};
use frames::*;
use model::health_check::HealthCheck;
use rustls::{ClientConnection, StreamOwned};
use support::tls::{Issued, TlsTarget, client_config, client_connection, frontend, tls};
use support::{Fixture, Target, endpoint, field, forward_to};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A client that offers these protocols, after its handshake.
fn client(
    fixture: &Fixture,
    offered: &[&str],
) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut config = client_config(None);
    config.alpn_protocols = offered
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    let mut peer = {
        let socket = TcpStream::connect(fixture.address)?;
        support::tls::TlsPeer::new(client_connection(config), socket)
    };
    peer.shake_hands()?;
    Ok(StreamOwned::new(peer.connection, peer.socket))
}

fn agreed(stream: &StreamOwned<ClientConnection, TcpStream>) -> Option<&str> {
    stream
        .conn
        .alpn_protocol()
        .map(|name| std::str::from_utf8(name).unwrap())
}

/// RFC 9113 section 3.2.
#[test]
fn clients_that_offer_http2_get_it() {
    let target = Target::listen();
    let action = forward_to(&[endpoint(target.address)]);
    let fixture = Fixture::encrypted(tls(&Issued::for_host("www.example.com")), action);
    let stream = client(&fixture, &["http/1.1", "h2"]).unwrap();
    assert_eq!(agreed(&stream), Some("h2"));
    let mut peer = FramePeer::on(stream);
    peer.greet(&[]);
    for stream in [1, 3] {
        peer.request(stream, &GET, true);
    }
    for _ in 0..2 {
        let (request, _at_target) =
            target.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        assert_eq!(field(&request, "X-Forwarded-Proto"), Some("https"));
    }
    for _ in 0..2 {
        peer.until(Frame::ends_stream);
    }
    assert_eq!(fixture.counters().http2_connections.value(), 1);
}

#[test]
fn clients_that_do_not_offer_it_get_http1() {
    let target = Target::listen();
    let action = forward_to(&[endpoint(target.address)]);
    let fixture = Fixture::encrypted(tls(&Issued::for_host("www.example.com")), action);
    for (offered, expected) in [(&["http/1.1"][..], Some("http/1.1")), (&[], None)] {
        let mut stream = client(&fixture, offered).unwrap();
        assert_eq!(agreed(&stream), expected);
        let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        std::io::Write::write_all(&mut stream, request).unwrap();
        target.answer(OK);
        let mut response = String::new();
        std::io::Read::read_to_string(&mut stream, &mut response).unwrap();
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    }
    assert_eq!(fixture.counters().http2_connections.value(), 0);
}

/// ELB API, `LoadBalancerAttribute`, `routing.http2.enabled`.
#[test]
fn a_listener_without_http2_does_not_offer_it() {
    let target = Target::listen();
    let action = forward_to(&[endpoint(target.address)]);
    let tls = tls(&Issued::for_host("www.example.com"));
    let mut fixture = Fixture::encrypted(Arc::clone(&tls), action.clone());
    assert_eq!(
        agreed(&client(&fixture, &["h2", "http/1.1"]).unwrap()),
        Some("h2")
    );
    let offering = frontend(fixture.address, tls, action.clone());
    let silent = Frontend {
        http: HttpOptions {
            offers_http2: false,
            ..HttpOptions::default()
        },
        addresses: offering.addresses.clone(),
        zones: offering.zones.clone(),
        shifted_zone: None,
        admission: offering.admission.clone(),
        dns_name: offering.dns_name.clone(),
        tls: offering.tls.clone(),
        router: Router::compile(Vec::new(), action).unwrap(),
        id: offering.id,
        idle_timeout: offering.idle_timeout,
        client_keep_alive: offering.client_keep_alive,
    };
    fixture.publish_frontends(vec![Arc::new(silent)]);
    assert_eq!(
        agreed(&client(&fixture, &["h2", "http/1.1"]).unwrap()),
        Some("http/1.1")
    );
}

#[test]
fn grpc_over_http2_security_calls_pass_from_tls_to_tls() {
    let target = TlsTarget::listen_for_http2(&Issued::for_host("target"));
    let mut settings = PoolSettings::new(HealthCheck::grpc());
    settings.protocol = TargetProtocol {
        is_tls: true,
        version: HttpVersion::Grpc,
    };
    let endpoints = vec![endpoint(target.address)];
    let pool = Arc::new(Pool::new(PoolId(1), settings, endpoints, None));
    let action = Routing::Forward(Forward::new(vec![(pool, 1)])).into();
    let fixture = Fixture::encrypted(tls(&Issued::for_host("www.example.com")), action);
    let mut peer = FramePeer::on(client(&fixture, &["h2"]).unwrap());
    peer.greet(&[]);
    let call = [&POST[..], &[("content-type", "application/grpc")]].concat();
    peer.request(1, &call, false);
    peer.data(1, b"\0\0\0\0\0", true);
    let mut at_target = FramePeer::accept_on(target.accept_stream());
    let (stream, request) = at_target.message();
    assert_eq!(request.field(":scheme"), Some("https"));
    at_target.request(stream, &[(":status", "200")], false);
    at_target.request(stream, &[("grpc-status", "0")], true);
    let response = peer.response(1);
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.trailers,
        [("grpc-status".to_owned(), "0".to_owned())]
    );
}
