//! RFC 9113, by a client that writes frames: what is served, and what is refused in which way.

mod connections;
mod early_answers;
mod frame_types;
#[path = "../support/frames.rs"]
mod frames;
mod limits;
mod messages;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod timeouts;

use engine::{Action, FixedResponse, Routing};
use frames::*;
use support::{Fixture, Target, endpoint, forward_to};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn fixed(body: &str) -> Action {
    let response = FixedResponse {
        status: 200,
        content_type: Some("text/plain".into()),
        body: body.as_bytes().into(),
    };
    Routing::FixedResponse(response).into()
}

/// A data plane that answers every request itself.
fn answering() -> Fixture {
    Fixture::of_http2(fixed("fixed"))
}

fn forwarding_to(target: &Target) -> Fixture {
    Fixture::of_http2(forward_to(&[endpoint(target.address)]))
}

fn with<'a>(fields: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [fields, more].concat()
}

/// Fails unless the connection still serves.
fn check_serves(peer: &mut FramePeer, stream: u32) {
    peer.request(stream, &GET, true);
    assert_eq!(
        peer.response(stream).status(),
        200,
        "the connection goes on"
    );
}
