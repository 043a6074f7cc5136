//! What listener attributes change about messages, seen from both ends.

mod support;

use engine::router::Rule;
use engine::{Admission, FixedResponse, HttpOptions, Routing};
use model::condition::{Condition, Patterns};
use support::{Fixture, Target, field, forward_to, status};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nServer: theirs\r\nX-Frame-Options: ALLOW\r\n\
                  x-frame-options: twice\r\nContent-Length: 2\r\n\r\nok";

fn framed(value: &str) -> HttpOptions {
    HttpOptions {
        response_fields: vec![("X-Frame-Options".into(), value.into())],
        ..HttpOptions::default()
    }
}

#[test]
fn a_field_of_the_listener_takes_the_place_of_the_targets() {
    let target = Target::listen();
    let fixture = Fixture::with_options(framed("DENY"), &[&target]);
    let mut client = fixture.client();
    client.send(GET);
    let (_, _target) = target.answer(OK);
    assert_eq!(field(&client.rest(), "X-Frame-Options"), Some("DENY"));
}

#[test]
fn a_field_of_the_listener_stands_in_the_response_that_opens_a_tunnel() {
    let target = Target::listen();
    let fixture = Fixture::with_options(framed("DENY"), &[&target]);
    let mut client = fixture.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    let (_, mut target) = target.answer(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         X-Frame-Options: ALLOW\r\nServer: theirs\r\n\r\nhello",
    );
    let response = client.head();
    assert_eq!(status(&response), 101);
    for (name, expected) in [
        ("X-Frame-Options", "DENY"),
        ("Server", "theirs"),
        ("Upgrade", "websocket"),
        ("Connection", "upgrade"),
    ] {
        assert_eq!(field(&response, name), Some(expected), "{name}");
    }
    assert_eq!(client.bytes(5), "hello");
    client.send("hi");
    assert_eq!(target.bytes(2), "hi");
}

#[test]
fn interim_responses_have_no_fields_of_the_listener() {
    let target = Target::listen();
    let fixture = Fixture::with_options(framed("DENY"), &[&target]);
    let mut client = fixture.client();
    client.send(GET);
    let (_, mut target) = target.answer("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
    let hints = client.head();
    assert_eq!(field(&hints, "Link"), Some("</a.css>"));
    assert_eq!(field(&hints, "X-Frame-Options"), None);
    target.send(OK);
    assert_eq!(field(&client.rest(), "X-Frame-Options"), Some("DENY"));
}

#[test]
fn a_field_of_the_listener_stands_in_responses_made_here() {
    let fixture = Fixture::with_options(framed("DENY"), &[]);
    for (request, expected) in [(GET, 503), ("nonsense\r\n\r\n", 400)] {
        let response = fixture.exchange(request);
        assert_eq!(status(&response), expected);
        assert_eq!(
            field(&response, "X-Frame-Options"),
            Some("DENY"),
            "{request:?}"
        );
    }
}

#[test]
fn the_server_field_is_only_ours_to_leave_out() {
    for sends_server in [true, false] {
        let options = HttpOptions {
            sends_server,
            ..HttpOptions::default()
        };
        let target = Target::listen();
        let fixture = Fixture::with_options(options, &[&target]);
        let own = fixture.exchange("nonsense\r\n\r\n");
        assert_eq!(field(&own, "Server"), sends_server.then_some("awselb/2.0"));
        let mut client = fixture.client();
        client.send(GET);
        let (_, _target) = target.answer(OK);
        assert_eq!(field(&client.rest(), "Server"), Some("theirs"));
    }
}

#[test]
fn invalid_fields_are_dropped_before_the_rules_are_looked_at() {
    let request =
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX_Key: yes\r\nX_Two: 2\r\n\r\n";
    for (drops_invalid_fields, expected) in [(false, 200), (true, 503)] {
        let options = HttpOptions {
            drops_invalid_fields,
            ..HttpOptions::default()
        };
        let rule = Rule {
            priority: 1,
            conditions: vec![Condition::HttpHeader {
                name: "X_Key".into(),
                patterns: Patterns::Wildcards(vec!["yes".into()]),
            }],
            action: Routing::FixedResponse(FixedResponse {
                status: 200,
                content_type: None,
                body: Box::default(),
            })
            .into(),
        };
        let fixture = Fixture::start_with(options, Admission::Anyone, vec![rule], forward_to(&[]));
        assert_eq!(status(&fixture.exchange(request)), expected);
        let counters = fixture.counters();
        let counted = (
            counters.requests_with_dropped_fields.value(),
            counters.requests_with_invalid_fields.value(),
        );
        let of_requests = if drops_invalid_fields { (1, 0) } else { (0, 1) };
        assert_eq!(counted, of_requests, "requests are counted, not fields");
    }
}
