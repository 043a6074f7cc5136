//! What elbow does for the requests of a rule beyond AWS, for clients of both versions of HTTP.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use engine::http::{ErrorPage, ErrorPages};
use engine::{
    Action, Admission, Extensions, FixedResponse, Forward, HttpOptions, HttpVersion, Pool, PoolId,
    PoolSettings, RateLimiter, Routing,
};
use frames::*;
use model::health_check::HealthCheck;
use model::tag::Tags;
use support::{Fixture, Target, endpoint, field, forward_to, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Powered-By: php\r\nx-cache: old\r\n\
                  X_Cache: forged\r\nX-Cache: older\r\n\r\nok";

/// The extensions that these tags ask for.
fn extensions(tags: &[(&str, &str)]) -> Extensions {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let pairs: Vec<_> = tags.iter().map(owned).collect();
    let tags = Tags::default()
        .with_of_rule(&pairs)
        .expect("tags of a rule");
    let (asked, _) = model::extension::Extensions::read(&tags);
    assert_eq!(asked.mirror, None, "it has tests of its own");
    Extensions {
        mirror: None,
        request_fields: asked.request_fields,
        response_fields: asked.response_fields,
        rate_limiter: asked
            .rate_limit
            .map(|limit| Arc::new(RateLimiter::new(limit, RandomState::new()))),
    }
}

fn with(action: Action, tags: &[(&str, &str)]) -> Action {
    Action {
        extensions: Some(Arc::new(extensions(tags))),
        ..action
    }
}

fn fixed(body: &str) -> Action {
    let response = FixedResponse {
        status: 200,
        content_type: Some("text/plain".into()),
        body: body.as_bytes().into(),
    };
    Routing::FixedResponse(response).into()
}

const FIELD_CHANGES: &[(&str, &str)] = &[
    ("elbow:request-header.set.1", "X-Team=blue"),
    ("elbow:request-header.remove.1", "X-Debug"),
    ("elbow:response-header.set.1", "X-Cache=new"),
    ("elbow:response-header.set.2", "X-Frame-Options=DENY"),
    ("elbow:response-header.remove.1", "X-Powered-By"),
    ("elbow:response-header.remove.2", "Server"),
];

/// The values of all fields of this name.
fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    let its = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
    its.map(|(_, value)| value).collect()
}

#[test]
fn fields_are_set_and_removed_for_clients_of_http1() {
    let target = Target::listen();
    let action = with(forward_to(&[endpoint(target.address)]), FIELD_CHANGES);
    let fixture = Fixture::with_action(action);
    let mut client = fixture.client();
    client.send(
        "GET / HTTP/1.1\r\nHost: a\r\nx-team: red\r\nX_Team: forged\r\nX-Team: green\r\n\
         X-Debug: 1\r\nX-Other: stays\r\n\r\n",
    );
    let (request, _target) = target.answer(OK);
    assert_eq!(values(&request, "x-team"), ["blue"]);
    assert_eq!(field(&request, "x_team"), None);
    assert_eq!(field(&request, "x-debug"), None);
    assert_eq!(field(&request, "x-other"), Some("stays"));
    assert!(field(&request, "x-forwarded-for").is_some());
    let response = client.until("ok");
    assert_eq!(values(&response, "x-cache"), ["new"]);
    assert_eq!(field(&response, "x_cache"), None);
    assert_eq!(field(&response, "x-powered-by"), None);
    assert_eq!(values(&response, "x-frame-options"), ["DENY"]);
    assert_eq!(field(&response, "content-length"), Some("2"));
}

#[test]
fn fields_are_set_and_removed_for_clients_of_http2() {
    let target = Target::listen();
    let action = with(forward_to(&[endpoint(target.address)]), FIELD_CHANGES);
    let fixture = Fixture::of_http2(action);
    let mut client = FramePeer::connect(fixture.address);
    let sent = [("x-team", "red"), ("x-debug", "1"), ("x-other", "stays")];
    client.request(1, &[&GET[..], &sent].concat(), true);
    let (request, _target) = target.answer(OK);
    assert_eq!(values(&request, "x-team"), ["blue"]);
    assert_eq!(field(&request, "x-debug"), None);
    assert_eq!(field(&request, "x-other"), Some("stays"));
    let response = client.response(1);
    assert_eq!(response.field("x-cache"), Some("new"));
    assert_eq!(response.field("x-powered-by"), None);
    assert_eq!(response.field("x-frame-options"), Some("DENY"));
    assert_eq!(response.text(), "ok");
}

#[test]
fn fields_are_set_and_removed_for_targets_of_http2() {
    let target = Target::listen();
    let fixture = Fixture::of_http2(with(forward_to_http2(&target), FIELD_CHANGES));
    let mut client = FramePeer::connect(fixture.address);
    let sent = [("x-team", "red"), ("x-debug", "1")];
    client.request(1, &[&GET[..], &sent].concat(), true);
    let mut at_target = FramePeer::accept(&target.listener);
    let (stream, request) = at_target.message();
    assert_eq!(request.field("x-team"), Some("blue"));
    assert_eq!(request.field("x-debug"), None);
    let answer = [
        (":status", "204"),
        ("x-cache", "old"),
        ("x-powered-by", "c"),
    ];
    at_target.request(stream, &answer, true);
    let response = client.response(1);
    assert_eq!(response.field("x-cache"), Some("new"));
    assert_eq!(response.field("x-powered-by"), None);
}

#[test]
fn responses_that_are_made_here_have_the_fields_of_their_rule_too() {
    // Nobody listens there.
    let unreachable = forward_to(&[endpoint("127.0.0.1:1".parse().unwrap())]);
    for (action, expected) in [(fixed("fixed"), 200), (unreachable, 502)] {
        let fixture = Fixture::with_action(with(action.clone(), FIELD_CHANGES));
        let response = fixture.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert_eq!(status(&response), expected);
        assert_eq!(field(&response, "x-cache"), Some("new"), "{expected}");
        assert_eq!(field(&response, "server"), None, "{expected}");
        let fixture = Fixture::of_http2(with(action, FIELD_CHANGES));
        let mut client = FramePeer::connect(fixture.address);
        client.request(1, &GET, true);
        let response = client.response(1);
        assert_eq!(response.status(), expected);
        assert_eq!(response.field("x-cache"), Some("new"), "{expected}");
        assert_eq!(response.field("server"), None, "{expected}");
    }
    // No request of HTTP/2 can have this path, which one of HTTP/1 brings through.
    let target = Target::listen();
    let fixture = Fixture::of_http2(with(forward_to_http2(&target), FIELD_CHANGES));
    let mut client = FramePeer::connect(fixture.address);
    let [method, scheme, _, authority] = GET;
    client.request(1, &[method, scheme, (":path", "/a#b"), authority], true);
    let refused = client.response(1);
    assert_eq!(refused.status(), 400);
    assert_eq!(refused.field("x-cache"), Some("new"));
    assert!(target.is_untouched());

    let one = [("elbow:rate-limit.requests", "1")];
    let fixture = Fixture::with_action(with(fixed("fixed"), &[FIELD_CHANGES, &one].concat()));
    let get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&fixture.exchange(get)), 200);
    let refused = fixture.exchange(get);
    assert_eq!(status(&refused), 429);
    assert_eq!(field(&refused, "x-cache"), Some("new"));
}

/// Forwards to a target that speaks HTTP/2.
fn forward_to_http2(target: &Target) -> Action {
    let mut settings = PoolSettings::new(HealthCheck::default());
    settings.protocol.version = HttpVersion::Http2;
    let pool = Pool::new(PoolId(1), settings, vec![endpoint(target.address)], None);
    Routing::Forward(Forward::new(vec![(Arc::new(pool), 1)])).into()
}

#[test]
fn the_fields_of_the_listener_go_before_those_of_the_rule() {
    let target = Target::listen();
    let http = HttpOptions {
        response_fields: vec![("X-Frame-Options".into(), "SAMEORIGIN".into())],
        ..HttpOptions::default()
    };
    let action = with(forward_to(&[endpoint(target.address)]), FIELD_CHANGES);
    let fixture = Fixture::start_with(http, Admission::Anyone, Vec::new(), action);
    let mut client = fixture.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let _target = target.answer(OK);
    let response = client.until("ok");
    assert_eq!(values(&response, "x-frame-options"), ["SAMEORIGIN"]);
    assert_eq!(values(&response, "x-cache"), ["new"]);
}

#[test]
fn a_client_that_sends_too_many_requests_is_told_when_to_come_back() {
    let tags = [
        ("elbow:rate-limit.requests", "2"),
        ("elbow:rate-limit.period-seconds", "5"),
        ("elbow:rate-limit.burst", "1"),
    ];
    let fixture = Fixture::with_action(with(fixed("fixed"), &tags));
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&fixture.exchange(request)), 200);
    let refused = fixture.exchange(request);
    assert_eq!(status(&refused), 429);
    assert_eq!(
        field(&refused, "retry-after"),
        Some("3"),
        "2.5 s, in whole ones"
    );
    assert!(refused.contains("429 Too Many Requests"), "{refused}");
    fixture.advance(Duration::from_millis(2500));
    assert_eq!(status(&fixture.exchange(request)), 200);
    let counters = fixture.counters();
    assert_eq!(counters.requests_over_rate_limit.value(), 1);
    assert_eq!(counters.own_responses_4xx.value(), 1);

    let fixture = Fixture::of_http2(with(fixed("fixed"), &tags));
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &GET, true);
    assert_eq!(client.response(1).status(), 200);
    client.request(3, &GET, true);
    let refused = client.response(3);
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.field("retry-after"), Some("3"));
}

#[test]
fn requests_are_limited_by_the_value_of_a_field() {
    let tags = [
        ("elbow:rate-limit.requests", "1"),
        ("elbow:rate-limit.key", "header:X-Api-Key"),
    ];
    let fixture = Fixture::with_action(with(fixed("fixed"), &tags));
    let get = |key: &str| {
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{key}Connection: close\r\n\r\n");
        status(&fixture.exchange(&request))
    };
    assert_eq!(get("X-Api-Key: one\r\n"), 200);
    assert_eq!(get("x-api-key: one\r\n"), 429);
    assert_eq!(get("X-Api-Key: two\r\n"), 200);
    for _ in 0..3 {
        assert_eq!(get(""), 200, "without the field nothing is limited");
    }
}

fn error_pages() -> HttpOptions {
    let page = |content_type: &str, body: &str| ErrorPage {
        content_type: content_type.into(),
        body: body.into(),
    };
    let mut error_pages = ErrorPages::default();
    error_pages.insert(5, page("application/json", "{}"));
    error_pages.insert(503, page("text/html; charset=utf-8", "<p>später"));
    error_pages.insert(400, page("text/plain; charset=utf-8", "what?"));
    HttpOptions {
        error_pages,
        ..HttpOptions::default()
    }
}

#[test]
fn pages_of_the_listener_stand_in_place_of_those_made_here() {
    let unreachable = endpoint("127.0.0.1:1".parse().unwrap());
    let start = |action| Fixture::start_with(error_pages(), Admission::Anyone, Vec::new(), action);
    let get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for (action, request, expected, content_type, body) in [
        (
            forward_to(&[unreachable]),
            get,
            502,
            "application/json",
            "{}",
        ),
        (
            forward_to(&[]),
            get,
            503,
            "text/html; charset=utf-8",
            "<p>später",
        ),
        (
            fixed("x"),
            "GET / HTTP/1.1\r\n\r\n",
            400,
            "text/plain; charset=utf-8",
            "what?",
        ),
        // A class that has none, and what is no page of the load balancer's.
        (
            fixed("x"),
            "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
            405,
            "text/html",
            "<html>",
        ),
        (fixed("x"), get, 200, "text/plain", "x"),
    ] {
        let response = start(action).exchange(request);
        assert_eq!(status(&response), expected);
        let (head, sent) = response.split_once("\r\n\r\n").unwrap();
        assert_eq!(
            field(head, "content-type"),
            Some(content_type),
            "{expected}"
        );
        assert!(sent.starts_with(body), "{expected}: {sent}");
        let length = sent.len().to_string();
        assert_eq!(field(head, "content-length"), Some(&*length), "{expected}");
    }
    let head = start(forward_to(&[])).exchange(&get.replace("GET", "HEAD"));
    assert_eq!(field(&head, "content-length"), Some("10"));
    assert!(head.ends_with("\r\n\r\n"), "HEAD has no body");
}

#[test]
fn the_responses_of_targets_keep_their_pages() {
    let target = Target::listen();
    let fixture = Fixture::with_options(error_pages(), &[&target]);
    let mut client = fixture.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let _target = target.answer("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
    let response = client.until("busy");
    assert_eq!(status(&response), 503);
}

#[test]
fn pages_of_the_listener_reach_clients_of_http2() {
    let fixture = Fixture::of_http2_with(error_pages(), forward_to(&[]));
    let mut client = FramePeer::connect(fixture.address);
    client.request(1, &GET, true);
    let response = client.response(1);
    assert_eq!(response.status(), 503);
    assert_eq!(
        response.field("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(response.text(), "<p>später");
}
