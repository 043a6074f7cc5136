//! What an Application Load Balancer does beyond the RFCs: forwarding fields, status codes, timeouts,
//! draining, security groups, limits.

mod support;

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use engine::action::Template;
use engine::router::Rule;
use engine::{Action, Admission, FixedResponse, Redirect, Routing};
use model::condition::{Condition, Patterns};
use support::{Fixture, IDLE, Target, endpoint, field, forward_to, status};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn fixed(status: u16, body: &str) -> Action {
    let response = FixedResponse {
        status,
        content_type: Some("text/plain; charset=utf-8".into()),
        body: body.as_bytes().into(),
    };
    Routing::FixedResponse(response).into()
}

#[test]
fn the_target_learns_where_the_request_came_from() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(
        "GET / HTTP/1.1\r\nHost: Shop.Example:99\r\nX-Forwarded-For: 10.0.0.1\r\n\
         X-Forwarded-For: 10.0.0.2\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 1\r\n\
         X-Amzn-Trace-Id: Root=1-2-3\r\n\r\n",
    );
    let (request, _target) = target.answer(OK);
    assert_eq!(field(&request, "Host"), Some("shop.example:99"));
    assert_eq!(
        field(&request, "X-Forwarded-For"),
        Some("10.0.0.1, 10.0.0.2, 127.0.0.1")
    );
    assert_eq!(field(&request, "X-Forwarded-Proto"), Some("http"));
    let port = fixture.address.port().to_string();
    assert_eq!(field(&request, "X-Forwarded-Port"), Some(&*port));
    let trace_id = field(&request, "X-Amzn-Trace-Id").unwrap();
    assert!(
        trace_id.starts_with("Self=1-") && trace_id.ends_with(";Root=1-2-3"),
        "{trace_id}"
    );
}

#[test]
fn the_trace_id_of_a_large_head_starts_anew() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    let large = "x".repeat(7 * 1024);
    client.send(format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Amzn-Trace-Id: Root=1-2-3\r\nX: {large}\r\n\r\n"
    ));
    let (request, _target) = target.answer(OK);
    assert!(
        field(&request, "X-Amzn-Trace-Id")
            .unwrap()
            .starts_with("Root=1-")
    );
}

#[test]
fn more_than_30_forwarded_addresses_are_answered_with_463() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let request = |count: usize| {
        let addresses = vec!["10.0.0.1"; count].join(", ");
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: {addresses}\r\n\r\n"
        )
    };
    assert_eq!(status(&fixture.exchange(&request(31))), 463);
    assert!(target.is_untouched());
    let mut client = fixture.client();
    client.send(request(30));
    target.answer(OK);
    assert_eq!(status(&client.rest()), 200);
}

#[test]
fn limits_of_the_head_have_their_status() {
    let fixture = Fixture::with_action(fixed(200, "reached"));
    let long = |length: usize| "a".repeat(length);
    for (request, expected) in [
        (
            format!(
                "GET /{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                long(16 * 1024 - 16)
            ),
            200,
        ),
        (
            format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", long(16 * 1024)),
            414,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
                long(16 * 1024)
            ),
            400,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
                format!("X: {}\r\n", long(15_000)).repeat(5)
            ),
            400,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
                "X: y\r\n".repeat(300)
            ),
            400,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n",
                "X: y\r\n".repeat(200)
            ),
            200,
        ),
        (long(70_000), 414),
    ] {
        assert_eq!(
            status(&fixture.exchange(&request)),
            expected,
            "{:.60}…",
            request
        );
    }
}

#[test]
fn a_response_head_over_32_kib_is_answered_with_502() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(GET);
    let large = "x".repeat(10_000);
    let (_, _target) = target.answer(&format!(
        "HTTP/1.1 200 OK\r\nA: {large}\r\nB: {large}\r\nC: {large}\r\nD: {large}\r\n\r\n"
    ));
    assert_eq!(status(&client.head()), 502);
}

#[test]
fn a_pool_without_targets_is_answered_with_503() {
    let fixture = Fixture::forwarding_to(&[]);
    let mut client = fixture.client();
    client.send(GET);
    let response = client.head();
    assert_eq!(status(&response), 503);
    assert_eq!(field(&response, "Server"), Some("awselb/2.0"));
    assert_eq!(field(&response, "Connection"), Some("keep-alive"));
}

#[test]
fn a_target_that_refuses_is_passed_over_and_with_no_other_it_is_502() {
    let (gone, there) = (Target::listen(), Target::listen());
    let fixture = Fixture::forwarding_to(&[&gone, &there]);
    drop(gone);
    for _ in 0..2 {
        let mut client = fixture.client();
        client
            .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
        let (_, mut at_target) =
            there.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        assert_eq!(at_target.bytes(2), "hi");
        assert_eq!(status(&client.rest()), 200);
    }
    drop(there);
    assert_eq!(
        status(&fixture.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")),
        502
    );
    assert_eq!(fixture.counters().bad_gateway.value(), 1);
}

#[test]
fn a_target_that_closes_or_resets_before_it_answers_is_502() {
    for reset in [false, true] {
        let target = Target::listen();
        let fixture = Fixture::forwarding_to(&[&target]);
        let mut client = fixture.client();
        client.send(GET);
        let mut at_target = target.accept();
        at_target.head();
        if reset {
            at_target.reset()
        } else {
            drop(at_target)
        }
        assert_eq!(status(&client.head()), 502);
    }
}

#[test]
fn a_silent_target_is_504_after_the_idle_timeout() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(GET);
    let mut at_target = target.accept();
    at_target.head();
    fixture.advance(IDLE - Duration::from_secs(1));
    assert_eq!(fixture.counters().gateway_timeouts.value(), 0);
    fixture.advance(Duration::from_secs(2));
    assert_eq!(status(&client.head()), 504);
    assert_eq!(at_target.rest(), "", "the target's connection is closed");
}

/// A target that drops what comes: its queue of connections is full.
#[test]
fn a_target_that_cannot_be_connected_is_504_after_ten_seconds() {
    let target = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    target.bind(&any_port.into()).unwrap();
    target.listen(0).unwrap();
    let address = target.local_addr().unwrap().as_socket().unwrap();
    let _waiting = TcpStream::connect(address).unwrap();
    let fixture = Fixture::with_action(forward_to(&[endpoint(address)]));
    let mut client = fixture.client();
    client.send(GET);
    fixture.advance(Duration::from_secs(9));
    assert_eq!(fixture.counters().target_connection_errors.value(), 0);
    fixture.advance(Duration::from_secs(2));
    assert_eq!(status(&client.head()), 504);
    assert_eq!(fixture.counters().target_connection_errors.value(), 1);
}

#[test]
fn bytes_in_either_direction_restart_the_idle_timeout() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n");
    let mut at_target = target.accept();
    at_target.head();
    for byte in ["b", "o", "d", "y"] {
        fixture.advance(IDLE - Duration::from_secs(1));
        client.send(byte);
        assert_eq!(at_target.bytes(1), byte);
    }
    at_target.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
    for byte in ["o", "u", "t"] {
        fixture.advance(IDLE - Duration::from_secs(1));
        at_target.send(byte);
    }
    assert!(client.head().starts_with("HTTP/1.1 200"));
    assert_eq!(client.bytes(3), "out");
}

#[test]
fn an_incomplete_request_is_408_after_the_idle_timeout() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut in_head = fixture.client();
    in_head.send("GET / HTTP/1.1\r\nHo");
    let mut in_body = fixture.client();
    in_body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
    let mut at_target = target.accept();
    at_target.head();
    fixture.advance(IDLE + Duration::from_secs(1));
    for client in [&mut in_head, &mut in_body] {
        let response = client.rest();
        assert_eq!(status(&response), 408);
        assert_eq!(field(&response, "Connection"), Some("close"));
    }
    assert_eq!(fixture.counters().request_timeouts.value(), 2);
}

#[test]
fn an_idle_connection_is_closed_silently() {
    let fixture = Fixture::forwarding_to(&[]);
    let mut client = fixture.client();
    fixture.advance(IDLE + Duration::from_secs(1));
    assert_eq!(client.rest(), "");
}

#[test]
fn a_target_that_stops_in_the_middle_of_a_body_cuts_the_response() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(GET);
    let (_, _target) = target.answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    client.until("half");
    fixture.advance(IDLE + Duration::from_secs(1));
    assert!(client.ends_with_reset());
}

#[test]
fn the_client_keep_alive_lets_one_more_request_through() {
    let fixture = Fixture::with_action(fixed(200, "ok"));
    let mut client = fixture.client();
    for _ in 0..70 {
        client.send(GET);
        assert_eq!(field(&client.head(), "Connection"), Some("keep-alive"));
        client.bytes(2);
        fixture.advance(Duration::from_secs(52));
    }
    client.send(GET);
    assert_eq!(
        field(&client.rest(), "Connection"),
        Some("close"),
        "3,640 s after it was opened"
    );
}

#[test]
fn a_client_that_resets_ends_the_work_for_it() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(GET);
    let mut at_target = target.accept();
    at_target.head();
    client.reset();
    assert_eq!(at_target.rest(), "", "the target's connection is closed");
    assert_eq!(fixture.counters().clients_gone.value(), 1);
}

#[test]
fn a_client_that_leaves_in_the_middle_of_its_body_sends_no_complete_request() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    let mut at_target = target.accept();
    at_target.head();
    drop(client);
    assert_eq!(at_target.rest(), "half");
}

#[test]
fn an_early_response_reaches_a_client_that_is_still_sending() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegin");
    let mut at_target = target.accept();
    at_target.head();
    at_target.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    drop(at_target);
    let response = client.until("no");
    assert_eq!(status(&response), 413);
    assert_eq!(field(&response, "Connection"), Some("close"));
}

#[test]
fn a_slow_reader_holds_the_target_back_in_bounded_memory() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(GET);
    let (_, at_target) = target.answer("HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n");
    client.head();
    // The client reads nothing more: after what the sockets and two buffers hold, the target is not read.
    at_target.stream.set_nonblocking(true).unwrap();
    let block = vec![0; 1 << 20];
    let mut sent = 0_usize;
    let mut full = 0;
    while full < 50 {
        match std::io::Write::write(&mut &at_target.stream, &block) {
            Ok(count) => (sent, full) = (sent + count, 0),
            Err(_) => {
                full += 1;
                fixture.settle();
            }
        }
        assert!(sent < 100 << 20, "the kernel's buffers end before 100 MiB");
    }
}

#[test]
fn rules_decide_in_the_order_of_their_priorities() {
    let rule = |priority, path: &str, action| Rule {
        priority,
        conditions: vec![Condition::PathPattern(Patterns::Wildcards(vec![
            path.into(),
        ]))],
        action,
    };
    let redirect = Redirect {
        protocol: Template::parse("HTTPS"),
        port: Template::parse("443"),
        host: Template::parse("#{host}"),
        path: Template::parse("/#{path}"),
        query: Template::parse("#{query}"),
        status: 301,
    };
    let rules = vec![
        rule(20, "/a*", fixed(201, "second")),
        rule(10, "/a/b", fixed(200, "first")),
        rule(30, "/old/*", Routing::Redirect(redirect).into()),
    ];
    let fixture = Fixture::start(Admission::Anyone, rules, fixed(404, "default"));
    let mut client = fixture.client();
    for (path, expected) in [
        ("/a/b", 200),
        ("/a/c", 201),
        ("/old/x?y=1", 301),
        ("/", 404),
    ] {
        client.send(format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\n\r\n"));
        let head = client.head();
        assert_eq!(status(&head), expected, "{path}");
        client.bytes(field(&head, "Content-Length").unwrap().parse().unwrap());
        if expected == 301 {
            assert_eq!(
                field(&head, "Location"),
                Some("https://shop.example:443/old/x?y=1")
            );
        }
    }
}

#[test]
fn an_answer_without_a_target_reads_past_the_body() {
    let fixture = Fixture::with_action(fixed(200, "ok"));
    let mut client = fixture.client();
    for request in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        GET,
    ] {
        client.send(request);
        assert_eq!(field(&client.head(), "Connection"), Some("keep-alive"));
        client.bytes(2);
    }
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nabc");
    assert_eq!(
        field(&client.rest(), "Connection"),
        Some("close"),
        "it is too long to read past"
    );
}

#[test]
fn a_draining_target_finishes_what_it_has_and_gets_nothing_new() {
    let (leaving, staying) = (Target::listen(), Target::listen());
    let registrations = [endpoint(leaving.address), endpoint(staying.address)];
    let mut fixture = Fixture::with_action(forward_to(&registrations));
    let mut client = fixture.client();
    client.send(GET);
    let mut at_leaving = leaving.accept();
    at_leaving.head();
    registrations[0].state.start_draining();
    fixture.publish(Admission::Anyone, vec![], forward_to(&registrations[1..]));
    for _ in 0..4 {
        let mut other = fixture.client();
        other.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        staying.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        other.rest();
    }
    at_leaving.send(OK);
    assert_eq!(status(&client.head()), 200);
    assert_eq!(at_leaving.rest(), "", "its idle connection is not kept");
    assert!(leaving.is_untouched());
}

#[test]
fn a_request_that_outlives_the_deregistration_delay_is_502() {
    let target = Target::listen();
    let registration = endpoint(target.address);
    let fixture = Fixture::with_action(forward_to(&[Arc::clone(&registration)]));
    let (mut waiting, mut receiving) = (fixture.client(), fixture.client());
    waiting.send(GET);
    let mut at_target = target.accept();
    at_target.head();
    receiving.send(GET);
    let (_, _at_target) = target.answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    receiving.until("half");
    registration.state.start_draining();
    fixture.cut(&registration);
    assert_eq!(status(&waiting.head()), 502);
    assert!(
        receiving.ends_with_reset(),
        "a response that has begun can only be cut"
    );
    assert_eq!(at_target.rest(), "");
}

#[test]
fn a_change_of_rules_is_seen_by_the_next_request_of_an_open_connection() {
    let mut fixture = Fixture::with_action(fixed(200, "one"));
    let mut client = fixture.client();
    for body in ["one", "two", "six"] {
        fixture.publish(Admission::Anyone, vec![], fixed(200, body));
        client.send(GET);
        client.head();
        assert_eq!(client.bytes(3), body);
    }
}

#[test]
fn a_listener_that_is_deleted_finishes_its_requests_and_refuses_connections() {
    let target = Target::listen();
    let mut fixture = Fixture::forwarding_to(&[&target]);
    let (mut busy, mut idle) = (fixture.client(), fixture.client());
    busy.send(GET);
    let mut at_target = target.accept();
    at_target.head();
    fixture.settle();
    fixture.publish_frontends(vec![]);
    assert!(std::net::TcpStream::connect(fixture.address).is_err());
    assert_eq!(idle.rest(), "");
    at_target.send(OK);
    let response = busy.rest();
    assert_eq!(
        (status(&response), field(&response, "Connection")),
        (200, Some("close"))
    );
}

#[test]
fn a_client_that_no_security_group_allows_gets_no_answer() {
    let elsewhere = Admission::Only(vec!["10.0.0.0/8".parse().unwrap()]);
    let here = Admission::Only(vec!["127.0.0.0/8".parse().unwrap()]);
    let mut fixture = Fixture::start(here.clone(), vec![], fixed(200, "ok"));
    let mut before = fixture.client();
    fixture.publish(elsewhere, vec![], fixed(200, "ok"));
    // Half a second is enough to see that no answer comes from a listener that answers in microseconds; a
    // refusal, which would be an answer, comes as fast.
    let connected =
        std::net::TcpStream::connect_timeout(&fixture.address, Duration::from_millis(500));
    if let Ok(stream) = connected {
        // Without the privilege to filter packets the connection is closed without an answer.
        let mut stream = support::Peer::new(stream);
        stream.send(GET);
        assert_eq!(stream.rest(), "");
        assert_eq!(
            fixture
                .counters()
                .connections_refused_by_security_group
                .value(),
            1
        );
    }
    before.send(GET);
    assert_eq!(
        status(&before.head()),
        200,
        "an established connection is not touched"
    );
    fixture.publish(here, vec![], fixed(200, "ok"));
    let mut after = fixture.client();
    after.send(GET);
    assert_eq!(status(&after.head()), 200);
}
