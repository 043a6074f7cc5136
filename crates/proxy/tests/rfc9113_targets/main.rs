//! RFC 9113, by a target that writes frames: what it is sent, and what becomes of whatever it answers.

mod frame_types;
#[path = "../support/frames.rs"]
mod frames;
mod limits;
mod messages;
mod streams;
#[path = "../support/mod.rs"]
mod support;

use engine::HttpVersion;
use frames::*;
use support::{Fixture, Target, endpoint, forward_by};

const OK: [(&str, &str); 1] = [(":status", "200")];

/// A data plane whose requests go to these targets by HTTP/2.
fn forwarding_to(targets: &[&Target]) -> Fixture {
    let endpoints = targets.iter().map(|target| endpoint(target.address));
    let endpoints: Vec<_> = endpoints.collect();
    Fixture::of_http2(forward_by(HttpVersion::Http2, &endpoints))
}

/// A request that has reached its target.
struct Exchange {
    fixture: Fixture,
    target: Target,
    client: FramePeer,
    at_target: FramePeer,
    /// The stream at the target; the client's is 1.
    stream: u32,
}

impl Exchange {
    fn begin(fields: &[(&str, &str)], ends: bool) -> Self {
        let target = Target::listen();
        let fixture = forwarding_to(&[&target]);
        let mut client = FramePeer::connect(fixture.address);
        client.request(1, fields, ends);
        let mut at_target = FramePeer::accept(&target.listener);
        let (stream, _) = at_target.message();
        Self {
            fixture,
            target,
            client,
            at_target,
            stream,
        }
    }

    fn of_get() -> Self {
        Self::begin(&GET, true)
    }

    fn settings(&mut self, settings: &[(u16, u32)]) {
        let pair =
            |(name, value): &(u16, u32)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat();
        let payload: Vec<u8> = settings.iter().flat_map(pair).collect();
        self.at_target.send(SETTINGS, 0, 0, &payload);
        self.fixture.settle();
    }

    /// Fails unless the target's connection has ended with this code and the client has got 502.
    fn check_ended(mut self, code: u32, what: &str) {
        assert_eq!(self.at_target.end_code(), code, "{what}");
        assert_eq!(self.client.response(1).status(), 502, "{what}");
        let counters = self.fixture.counters();
        assert_eq!(counters.target_http2_connection_errors.value(), 1, "{what}");
    }

    /// Fails unless the stream was reset as malformed, the client has got 502 and the connection goes on.
    fn check_refused(mut self, what: &str) {
        let reset = self.at_target.until(|frame| frame.kind == RST_STREAM);
        assert_eq!(
            (reset.stream, reset.code()),
            (self.stream, PROTOCOL_ERROR),
            "{what}"
        );
        assert_eq!(self.client.response(1).status(), 502, "{what}");
        let counters = self.fixture.counters();
        assert_eq!(counters.target_http2_stream_errors.value(), 1, "{what}");
        self.check_serves();
    }

    /// Fails unless the connections serve another request.
    fn check_serves(&mut self) {
        self.client.request(99, &GET, true);
        let (stream, _) = self.at_target.message();
        self.at_target.request(stream, &OK, true);
        assert_eq!(
            self.client.response(99).status(),
            200,
            "the connection goes on"
        );
    }
}

/// One setting as a payload.
fn setting(name: u16, value: u32) -> Vec<u8> {
    [&name.to_be_bytes()[..], &value.to_be_bytes()].concat()
}
