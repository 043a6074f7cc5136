//! HTTP/0.9 on the wire, section by section of RFC 1945: requests of one line, answered with a body alone.

mod support;

use engine::action::Template;
use engine::http::DesyncMitigation::{self, Defensive, Monitor, Strictest};
use engine::router::Rule;
use engine::{Action, Admission, FixedResponse, HttpOptions, HttpVersion, Redirect, Routing};
use model::condition::{Condition, Patterns};
use support::tls::{Issued, tls};
use support::{Fixture, IDLE, Target, endpoint, field, forward_by, forward_to, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\n\r\nok";

fn fixed(status: u16, body: &str) -> Action {
    let response = FixedResponse {
        status,
        content_type: Some("text/plain".into()),
        body: body.as_bytes().into(),
    };
    Routing::FixedResponse(response).into()
}

/// The page that stands behind the head of an answer that is made here.
fn page(status_and_reason: &str) -> String {
    format!(
        "<html>\r\n<head><title>{status_and_reason}</title></head>\r\n\
         <body>\r\n<center><h1>{status_and_reason}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
}

#[test]
fn section_5_a_simple_request_reaches_the_target_as_one_of_http_1_1() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET /a?b=c\r\n");
    let (request, mut at_target) = target.answer(OK);
    assert!(request.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{request}");
    let port = fixture.address.port().to_string();
    let host = format!("test-1.us-east-1.elb.internal:{port}");
    assert_eq!(field(&request, "Host"), Some(&*host));
    assert_eq!(field(&request, "X-Forwarded-For"), Some("127.0.0.1"));
    assert_eq!(field(&request, "X-Forwarded-Proto"), Some("http"));
    assert_eq!(field(&request, "X-Forwarded-Port"), Some(&*port));
    assert!(field(&request, "X-Amzn-Trace-Id").is_some());
    assert_eq!(client.rest(), "ok", "a body, and the end");
    fixture.settle();
    assert!(at_target.is_open(), "the target's connection goes on");
    assert_eq!(fixture.counters().requests.value(), 1);
}

#[test]
fn section_5_the_line_is_found_however_it_arrives() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    for piece in ["\r\n", "G", "ET /a", "b", "\r", "\n"] {
        fixture.settle();
        assert!(target.is_untouched(), "before {piece:?}");
        client.send(piece);
    }
    let (request, _target) = target.answer(OK);
    assert!(request.starts_with("GET /ab HTTP/1.1\r\n"), "{request}");
    assert_eq!(client.rest(), "ok");
}

#[test]
fn section_5_what_is_no_get_of_a_path_is_refused_as_ever() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    for request in [
        "HEAD /\r\n\r\n",
        "POST /\r\n\r\n",
        "get /\r\n\r\n",
        "GET\r\n\r\n",
        "GET \r\n\r\n",
        "GET a\r\n\r\n",
        "GET http://a/\r\n\r\n",
        "GET  /\r\n\r\n",
        "GET / \r\n\r\n",
        "GET /\t\r\n\r\n",
        "GET /a b\r\n\r\n",
        "GET HTTP/1.1\r\n\r\n",
        "GET /\n\n",
    ] {
        let response = fixture.exchange(request);
        assert_eq!(status(&response), 400, "{request:?}");
        assert_eq!(field(&response, "Connection"), Some("close"), "{request:?}");
    }
    let response = fixture.exchange("GET / HTTP/0.9\r\n\r\n");
    assert_eq!(status(&response), 505, "a version in words is one");
    assert!(target.is_untouched());
}

#[test]
fn section_4_1_nothing_follows_a_simple_request() {
    const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    for rest in [
        "\r\n",
        "\n",
        "Host: a\r\n\r\n",
        "Content-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /hidden\r\n",
        HIDDEN,
    ] {
        let target = Target::listen();
        let fixture = Fixture::forwarding_to(&[&target]);
        let mut client = fixture.client();
        client.send(format!("GET /shown\r\n{rest}"));
        let mut at_target = target.accept();
        let request = at_target.head();
        assert!(request.starts_with("GET /shown HTTP/1.1\r\n"), "{request}");
        for name in ["Content-Length", "Transfer-Encoding"] {
            assert_eq!(field(&request, name), None, "{rest:?}");
        }
        // While the target works, and after the response.
        client.send(HIDDEN);
        fixture.settle();
        at_target.send(OK);
        assert_eq!(client.bytes(2), "ok", "{rest:?}");
        client.send(HIDDEN);
        assert_eq!(client.rest(), "", "{rest:?}");
        assert_eq!(fixture.counters().requests.value(), 1, "{rest:?}");
        assert!(target.is_untouched() && at_target.is_open());
        assert_eq!(at_target.take_received(), b"", "{rest:?}");
    }
}

#[test]
fn section_4_1_only_the_first_request_of_a_connection_can_be_simple() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let first = "GET /first HTTP/1.1\r\nHost: a\r\n\r\n";
    for pieces in [
        [first, "GET /hidden\r\n", "\r\n"],
        [
            "GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /hidden\r\n",
            "",
            "\r\n",
        ],
        [first, "\r\n", "GET /hidden\r\n\r\n"],
    ] {
        let mut client = fixture.client();
        client.send(pieces[0]);
        let (_, at_target) = target.answer(OK);
        assert_eq!(status(&client.head()), 200);
        assert_eq!(client.bytes(2), "ok");
        drop(at_target);
        client.send(pieces[1]);
        fixture.settle();
        assert!(client.is_open(), "its end is awaited: {pieces:?}");
        client.send(pieces[2]);
        assert_eq!(status(&client.rest()), 400, "{pieces:?}");
    }
    assert!(target.is_untouched());
}

#[test]
fn section_6_the_response_of_a_target_is_a_body_alone() {
    let bulk = "0123456789abcdef".repeat(20_000);
    for (response, body) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(),
            "",
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), ""),
        (
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n".to_owned(),
            "",
        ),
        (
            "HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\nbad".to_owned(),
            "bad",
        ),
        (
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
             HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                .to_owned(),
            "ok",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n\
             3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX: y\r\n\r\n"
                .to_owned(),
            "abcde",
        ),
        (
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{bulk}",
                bulk.len()
            ),
            &bulk,
        ),
        (
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{bulk}\r\n0\r\n\r\n",
                bulk.len()
            ),
            &bulk,
        ),
    ] {
        let target = Target::listen();
        let fixture = Fixture::forwarding_to(&[&target]);
        let mut client = fixture.client();
        client.send("GET /\r\n");
        let _at_target = target.answer(&response);
        let shown = &response[..response.len().min(80)];
        assert_eq!(client.rest(), body, "{shown:?}");
    }
}

#[test]
fn section_6_a_response_until_close_ends_with_the_close() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET /\r\n");
    drop(target.answer("HTTP/1.0 200 OK\r\n\r\nuntil the close"));
    assert_eq!(client.rest(), "until the close");
}

/// The close is all that tells the end, so that a body that was cut must not end with one.
#[test]
fn section_7_2_2_a_response_that_is_cut_ends_with_a_reset() {
    const CHUNK: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    const BEGUN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    for (response, received) in [(CHUNK, "half"), (BEGUN, "")] {
        for stalls in [true, false] {
            let target = Target::listen();
            let fixture = Fixture::forwarding_to(&[&target]);
            let mut client = fixture.client();
            client.send("GET /\r\n");
            let (_, at_target) = target.answer(response);
            client.bytes(received.len());
            fixture.settle();
            if stalls {
                fixture.advance(IDLE);
            } else {
                drop(at_target);
            }
            assert!(client.ends_with_reset(), "{response:?}, stalls: {stalls}");
            assert_eq!(fixture.counters().responses_cut.value(), 1);
        }
    }
}

#[test]
fn section_6_an_answer_of_the_load_balancer_is_a_body_alone() {
    let redirect = Redirect {
        protocol: Template::parse("HTTPS"),
        port: Template::parse("443"),
        host: Template::parse("#{host}"),
        path: Template::parse("/#{path}"),
        query: Template::parse("#{query}"),
        status: 301,
    };
    let target = Target::listen();
    for (action, body) in [
        (fixed(200, "fixed"), "fixed".to_owned()),
        (fixed(204, ""), String::new()),
        (
            Routing::Redirect(redirect).into(),
            page("301 Moved Permanently"),
        ),
        (forward_to(&[]), page("503 Service Temporarily Unavailable")),
        (
            forward_by(HttpVersion::Http2, &[endpoint(target.address)]),
            page("464 Bad Request"),
        ),
    ] {
        let fixture = Fixture::with_action(action);
        for request in [
            "GET /\r\n",
            "GET /\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            assert_eq!(fixture.exchange(request), body, "{request:?}");
        }
        assert_eq!(fixture.counters().requests.value(), 2);
    }
    assert!(target.is_untouched());
}

/// RFC 9112 section 9.6: a close with unread bytes would be a reset, which may overtake the response.
#[test]
fn section_4_1_what_follows_is_read_past_so_that_the_response_arrives() {
    let fixture = Fixture::with_action(fixed(200, "fixed"));
    let mut client = fixture.client();
    client.send(format!("GET /\r\n{}", "x".repeat(200_000)));
    assert_eq!(client.bytes(5), "fixed");
    client.finish_sending();
    assert!(!client.ends_with_reset());
}

#[test]
fn section_6_the_page_of_a_failure_is_a_body_alone() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET /\r\n");
    drop(target.answer("nonsense\r\n\r\n"));
    assert_eq!(client.rest(), page("502 Bad Gateway"));
    let mut client = fixture.client();
    client.send("GET /\r\n");
    let mut at_target = target.accept();
    at_target.head();
    fixture.advance(IDLE);
    assert_eq!(client.rest(), page("504 Gateway Time-out"));
}

/// ALB guide, "Desync mitigation mode": no version is Acceptable, for the reason NonCompliantVersion.
#[test]
fn section_5_the_strictest_mode_refuses_a_simple_request() {
    let check = |mode: DesyncMitigation, passes: bool| {
        let options = HttpOptions {
            desync_mitigation: mode,
            ..HttpOptions::default()
        };
        let target = Target::listen();
        let fixture = Fixture::with_options(options, &[&target]);
        let mut client = fixture.client();
        client.send("GET /\r\nHost: a\r\n\r\n");
        if passes {
            let (_, mut at_target) = target.answer(OK);
            assert_eq!(client.rest(), "ok", "{mode:?}");
            fixture.settle();
            assert!(at_target.is_open(), "{mode:?}");
        } else {
            assert_eq!(client.rest(), page("400 Bad Request"), "{mode:?}");
            assert!(target.is_untouched(), "{mode:?}");
        }
        let counters = fixture.counters();
        assert_eq!(counters.desync_acceptable.value(), 1, "{mode:?}");
        assert_eq!(counters.requests_malformed.value(), u64::from(!passes));
    };
    check(Monitor, true);
    check(Defensive, true);
    check(Strictest, false);
}

#[test]
fn section_5_rules_see_a_path_and_no_host() {
    let rule = |priority, condition, body: &str| Rule {
        priority,
        conditions: vec![condition],
        action: fixed(200, body),
    };
    let is = |pattern: &str| Patterns::Wildcards(vec![pattern.into()]);
    let rules = vec![
        rule(10, Condition::HostHeader(is("?*")), "a host"),
        rule(20, Condition::PathPattern(is("/a/*")), "the path"),
    ];
    let fixture = Fixture::start(Admission::Anyone, rules, fixed(200, "the default"));
    assert_eq!(fixture.exchange("GET /a/b\r\n"), "the path");
    assert_eq!(fixture.exchange("GET /b\r\n"), "the default");
}

#[test]
fn section_5_a_simple_request_may_come_over_tls() {
    let target = Target::listen();
    let tls = tls(&Issued::for_host("www.example.com"));
    let fixture = Fixture::encrypted(tls, forward_to(&[endpoint(target.address)]));
    let mut client = fixture.tls_client();
    client.send("GET /\r\n");
    let (request, _target) = target.answer(OK);
    assert_eq!(field(&request, "X-Forwarded-Proto"), Some("https"));
    assert_eq!(client.rest(), b"ok");
}
