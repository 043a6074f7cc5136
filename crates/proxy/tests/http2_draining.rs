//! Requests that wait behind others on a connection of HTTP/2 when their target is deregistered.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::sync::Arc;

use engine::{Admission, Endpoint, HttpVersion};
use frames::*;
use support::{Fixture, Target, endpoint, forward_by};

const OK: [(&str, &str); 1] = [(":status", "200")];
const PIECE: &[u8] = &[0; 16 * 1024];

/// Sends the body of stream 1 until the socket of its target takes no more. Gives back what may still be sent.
fn fill(fixture: &Fixture, client: &mut FramePeer) -> Windows {
    let mut windows = Windows::of_client();
    let sent = || fixture.counters().bytes_to_targets.value();
    loop {
        let before = sent();
        client.data(1, PIECE, false);
        windows.spend(PIECE.len());
        fixture.settle();
        if sent() == before {
            return windows;
        }
        while !windows.allow(PIECE.len()) {
            client.until_updating(&mut windows, |frame| frame.kind == WINDOW_UPDATE);
        }
    }
}

/// As `fill`, until elbow has no room for more either.
fn fill_up(fixture: &Fixture, client: &mut FramePeer) {
    let mut windows = fill(fixture, client);
    client.send(PING, 0, 0, &[0; 8]);
    client.until_updating(&mut windows, |frame| frame.kind == PING);
    for _ in 0..4 {
        assert!(windows.allow(PIECE.len()), "half of it was given back");
        client.data(1, PIECE, false);
        windows.spend(PIECE.len());
    }
    fixture.settle();
}

/// A target's connection that lets us send more than its socket holds, and of which it reads no more than the head
/// of the first request.
fn accept_and_read_no_body(target: &Target) -> FramePeer {
    let mut peer = FramePeer::accept(&target.listener);
    let (stream, _) = peer.message();
    peer.raise_window(0, 1 << 30);
    peer.raise_window(stream, 1 << 30);
    peer
}

/// What a target is sent of the body of a stream, up to these bytes.
fn receive(target: &mut FramePeer, stream: u32, expected: &[u8]) {
    let mut body = Vec::new();
    while body != expected {
        let frame = target.until(|frame| frame.kind == DATA);
        assert_eq!(frame.stream, stream);
        body.extend(frame.payload);
    }
}

/// A target whose connection takes no more, because it does not read the body of another client's request, and a
/// client whose next request goes to that target, where it has to wait.
struct Scene {
    fixture: Fixture,
    leaving: Arc<Endpoint>,
    endpoints: [Arc<Endpoint>; 2],
    filling: FramePeer,
    client: FramePeer,
    /// The other target's end of its connection.
    at_staying: FramePeer,
    _at_leaving: FramePeer,
}

impl Scene {
    /// `fill` sends the body of the other request, on stream 1.
    fn begin(fill: impl FnOnce(&Fixture, &mut FramePeer)) -> Self {
        let (leaving, staying) = (Target::listen(), Target::listen());
        let endpoints = [endpoint(leaving.address), endpoint(staying.address)];
        let fixture = Fixture::of_http2(forward_by(HttpVersion::Http2, &endpoints));
        let mut filling = FramePeer::connect(fixture.address);
        filling.request(1, &POST, false);
        let at_leaving = accept_and_read_no_body(&leaving);
        fill(&fixture, &mut filling);

        // The next request is the other target's, and the one after that again for the first.
        let mut client = FramePeer::connect(fixture.address);
        client.request(1, &GET, true);
        let mut at_staying = FramePeer::accept(&staying.listener);
        let (stream, _) = at_staying.message();
        at_staying.request(stream, &OK, true);
        assert_eq!(client.response(1).status(), 200);
        Self {
            fixture,
            leaving: Arc::clone(&endpoints[0]),
            endpoints,
            filling,
            client,
            at_staying,
            _at_leaving: at_leaving,
        }
    }

    /// Marks the target as soon as it has both requests.
    fn start_draining(&self) {
        self.fixture.settle();
        assert_eq!(self.leaving.state.requests_in_flight(), 2);
        self.leaving.state.start_draining();
    }

    /// As `start_draining`, and has the worker pass the barrier.
    fn deregister(&mut self) {
        self.start_draining();
        let action = forward_by(HttpVersion::Http2, &self.endpoints);
        self.fixture.publish(Admission::Anyone, Vec::new(), action);
    }

    /// Fails unless the client is answered, by the other target and after one attempt more.
    fn check_answered(mut self, stream: u32) {
        self.at_staying.request(stream, &OK, true);
        assert_eq!(self.client.response(3).status(), 200);
        let counters = self.fixture.counters();
        assert_eq!(counters.requests_retried.value(), 1);
        assert_eq!(counters.requests_cut_by_deregistration.value(), 0);
        assert_eq!(self.leaving.state.requests_in_flight(), 1);
    }
}

#[test]
fn a_request_of_which_its_target_was_sent_nothing_goes_to_another_with_its_body() {
    let mut scene = Scene::begin(|fixture, filling| _ = fill(fixture, filling));
    scene.client.request(3, &POST, false);
    scene.client.data(3, b"begun ", false);
    scene.deregister();
    let (stream, _) = scene.at_staying.message();
    scene.client.data(3, b"rest", true);
    receive(&mut scene.at_staying, stream, b"begun rest");
    scene.check_answered(stream);
}

#[test]
fn a_request_of_which_its_target_was_sent_nothing_goes_to_another_with_its_trailers() {
    let mut scene = Scene::begin(|fixture, filling| _ = fill(fixture, filling));
    scene.client.request(3, &POST, false);
    scene.client.data(3, b"body", false);
    scene.client.request(3, &[("x-sum", "7")], true);
    scene.deregister();
    let (stream, head) = scene.at_staying.message();
    assert!(!head.has_ended);
    receive(&mut scene.at_staying, stream, b"body");
    let (_, trailers) = scene.at_staying.message();
    assert_eq!(trailers.field("x-sum"), Some("7"));
    assert!(trailers.has_ended);
    scene.check_answered(stream);
}

/// The delay may end before the requests that wait have seen that it began.
#[test]
fn a_request_of_which_its_target_was_sent_nothing_outlives_the_deregistration_delay() {
    let mut scene = Scene::begin(fill_up);
    scene.client.request(3, &POST, false);
    scene.client.data(3, b"body", true);
    scene.start_draining();
    scene.fixture.cut(&scene.leaving);
    let (stream, _) = scene.at_staying.message();
    receive(&mut scene.at_staying, stream, b"body");
    scene.at_staying.request(stream, &OK, true);
    assert_eq!(scene.client.response(3).status(), 200);
    assert_eq!(
        scene.filling.response(1).status(),
        502,
        "it was sent a part"
    );
    let counters = scene.fixture.counters();
    assert_eq!(counters.requests_cut_by_deregistration.value(), 1);
    assert_eq!(scene.leaving.state.requests_in_flight(), 0);
}

/// RFC 9113 section 8.7: what is refused was not looked at.
#[test]
fn a_deregistered_target_may_refuse_what_it_was_sent() {
    let (leaving, staying) = (Target::listen(), Target::listen());
    let registered = endpoint(leaving.address);
    let endpoints = [Arc::clone(&registered), endpoint(staying.address)];
    let fixture = Fixture::of_http2(forward_by(HttpVersion::Http2, &endpoints));
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &GET, true);
    let mut at_leaving = FramePeer::accept(&leaving.listener);
    let (stream, _) = at_leaving.message();
    registered.state.start_draining();
    at_leaving.reset(stream, REFUSED_STREAM);

    // That did not use up the one time that a request may be sent once more.
    let mut at_staying = FramePeer::accept(&staying.listener);
    let (stream, _) = at_staying.message();
    at_staying.reset(stream, REFUSED_STREAM);
    let mut again = FramePeer::accept(&staying.listener);
    let (stream, _) = again.message();
    again.request(stream, &OK, true);
    assert_eq!(client.response(1).status(), 200);
    assert_eq!(fixture.counters().requests_retried.value(), 2);
}
