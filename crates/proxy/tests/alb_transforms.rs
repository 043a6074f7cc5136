//! ALB guide, "Transforms for listener rules": what targets get, and what becomes of requests that cannot be
//! rewritten.

mod support;

use engine::transform::Rewrite;
use engine::{Action, Transforms};
use support::{Fixture, Target, endpoint, field, forward_to, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

fn rewrite(pattern: &str, replacement: &str) -> Option<Rewrite> {
    Some(Rewrite {
        pattern: regex::bytes::Regex::new(pattern).unwrap(),
        replacement: replacement.into(),
    })
}

fn fixture(target: &Target, transforms: Transforms) -> Fixture {
    let action = Action {
        transforms,
        ..forward_to(&[endpoint(target.address)])
    };
    Fixture::with_action(action)
}

#[test]
fn the_target_gets_what_the_transforms_make() {
    for (host, url, line, sent_line, sent_host) in [
        (
            None,
            rewrite("^/api/(.*)$", "/v2/$1"),
            "/api/x?q=1",
            "/v2/x?q=1",
            "shop.example:PORT",
        ),
        (
            None,
            rewrite(r"^/old\?id=(\d+)$", "/new/$1"),
            "/old?id=7",
            "/new/7",
            "shop.example:PORT",
        ),
        (
            None,
            rewrite("^/a$", "/b?c=d"),
            "/a",
            "/b?c=d",
            "shop.example:PORT",
        ),
        // What does not match stays.
        (
            None,
            rewrite("^/api/", "/v2/"),
            "/other?",
            "/other?",
            "shop.example:PORT",
        ),
        (
            rewrite("^shop[.](.*)$", "in.$1"),
            None,
            "/",
            "/",
            "in.example:PORT",
        ),
        (
            rewrite("^shop[.]example$", "in.example"),
            rewrite("^/", "/p/"),
            "/x",
            "/p/x",
            "in.example:PORT",
        ),
        (
            rewrite("^shop[.]example$", "in.example:81"),
            None,
            "/",
            "/",
            "in.example:81",
        ),
    ] {
        let target = Target::listen();
        let fixture = fixture(&target, Transforms { host, url });
        let mut client = fixture.client();
        client.send(format!(
            "GET {line} HTTP/1.1\r\nHost: Shop.example\r\nConnection: close\r\n\r\n"
        ));
        let (request, _target) = target.answer(OK);
        let first = format!("GET {sent_line} HTTP/1.1\r\n");
        assert!(request.starts_with(&first), "{request}");
        let port = fixture.address.port().to_string();
        let expected = sent_host.replace("PORT", &port);
        assert_eq!(field(&request, "Host"), Some(&*expected));
        assert_eq!(status(&client.rest()), 200);
    }
}

#[test]
fn a_transform_that_fails_is_answered_with_500_and_counted() {
    for (host, url, counted) in [
        (
            None,
            rewrite("^/", "no-slash"),
            "transforms_to_invalid_path",
        ),
        (None, rewrite("^/", "/a b"), "transforms_to_invalid_path"),
        (None, rewrite("^/", "/$9"), "transforms_not_replaced"),
        (
            rewrite(".*", "not a host"),
            None,
            "transforms_to_invalid_host",
        ),
        (
            None,
            rewrite("^/", &format!("/{}", "x".repeat(17_000))),
            "transforms_too_long",
        ),
    ] {
        let target = Target::listen();
        let fixture = fixture(&target, Transforms { host, url });
        let response = fixture.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert_eq!(status(&response), 500, "{counted}");
        assert!(target.is_untouched());
        let counters = fixture.counters();
        let found: Vec<_> = counters
            .each()
            .filter(|(name, _, value)| name.starts_with("transforms_") && *value > 0)
            .map(|(name, _, value)| (name, value))
            .collect();
        assert_eq!(found, [(counted, 1)]);
    }
}

#[test]
fn a_transform_cannot_smuggle_a_request() {
    let target = Target::listen();
    let url = rewrite("^/(.*)$", "/$1 HTTP/1.1\r\nX: ");
    let fixture = fixture(&target, Transforms { host: None, url });
    let response = fixture.exchange("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&response), 500);
    assert!(target.is_untouched());
}
