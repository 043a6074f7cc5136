//! Requests that wait behind others on a connection of HTTP/2 when their target is deregistered.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::sync::Arc;

use engine::http::TargetProtocol;
use engine::{
    Action, Admission, Endpoint, Forward, HttpVersion, Pool, PoolId, PoolSettings, Routing,
};
use frames::*;
use model::health_check::HealthCheck;
use support::{Fixture, Target, endpoint};

const OK: [(&str, &str); 1] = [(":status", "200")];
const PIECE: &[u8] = &[0; 16 * 1024];

fn forwarding_to(endpoints: &[Arc<Endpoint>]) -> Action {
    let mut settings = PoolSettings::new(HealthCheck::default());
    settings.protocol = TargetProtocol {
        is_tls: false,
        version: HttpVersion::Http2,
    };
    let pool = Pool::new(PoolId(1), settings, endpoints.to_vec(), None);
    Routing::Forward(Forward::new(vec![(pool.into(), 1)])).into()
}

/// Sends the body of stream 1 until the socket of its target takes no more.
fn fill(fixture: &Fixture, client: &mut FramePeer) {
    let mut windows = Windows::of_client();
    let sent = || fixture.counters().bytes_to_targets.value();
    loop {
        let before = sent();
        client.data(1, PIECE, false);
        windows.spend(PIECE.len());
        fixture.settle();
        if sent() == before {
            return;
        }
        while !windows.allow(PIECE.len()) {
            client.until_updating(&mut windows, |frame| frame.kind == WINDOW_UPDATE);
        }
    }
}

#[test]
fn a_request_of_which_its_target_was_sent_nothing_goes_to_another_with_its_body() {
    let (leaving, staying) = (Target::listen(), Target::listen());
    let registered = endpoint(leaving.address);
    let endpoints = [Arc::clone(&registered), endpoint(staying.address)];
    let mut fixture = Fixture::of_http2(forwarding_to(&endpoints));
    let mut filling = FramePeer::connect(fixture.address);
    filling.request(1, &POST, false);
    let mut at_leaving = FramePeer::accept(&leaving.listener);
    let (stream, _) = at_leaving.message();
    // It lets us send more than its socket holds, and reads none of it.
    at_leaving.raise_window(0, 1 << 30);
    at_leaving.raise_window(stream, 1 << 30);
    fill(&fixture, &mut filling);

    // The next request is the other target's, and the one after that again for the first.
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &GET, true);
    let mut at_staying = FramePeer::accept(&staying.listener);
    let (stream, _) = at_staying.message();
    at_staying.request(stream, &OK, true);
    assert_eq!(client.response(1).status(), 200);
    client.request(3, &POST, false);
    client.data(3, b"begun ", false);
    fixture.settle();
    assert_eq!(registered.state.requests_in_flight(), 2);

    registered.state.start_draining();
    fixture.publish(Admission::Anyone, Vec::new(), forwarding_to(&endpoints));
    let (stream, _) = at_staying.message();
    client.data(3, b"rest", true);
    let mut body = Vec::new();
    while body != b"begun rest" {
        let frame = at_staying.until(|frame| frame.kind == DATA);
        assert_eq!(frame.stream, stream);
        body.extend(frame.payload);
    }
    at_staying.request(stream, &OK, true);
    assert_eq!(client.response(3).status(), 200);
    let counters = fixture.counters();
    assert_eq!(counters.requests_retried.value(), 1);
    assert_eq!(counters.requests_cut_by_deregistration.value(), 0);
    assert_eq!(registered.state.requests_in_flight(), 1);
}
