//! HTTP/1.1 on the wire, section by section of RFC 9112.

mod support;

use support::{Fixture, Target, field, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn section_2_2_a_malformed_head_is_answered_with_400_and_reaches_no_target() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    for request in [
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "nonsense\r\n\r\n",
        "\x16\x03\x01\x02\x00\r\n\r\n",
    ] {
        let before = fixture.counters().requests_malformed.value();
        let response = fixture.exchange(request);
        assert_eq!(status(&response), 400, "{request:?}");
        assert_eq!(field(&response, "Connection"), Some("close"), "{request:?}");
        assert_eq!(
            fixture.counters().requests_malformed.value(),
            before + 1,
            "{request:?} is counted"
        );
    }
    assert!(target.is_untouched());
}

#[test]
fn section_2_2_empty_lines_before_a_request_are_ignored() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let (request, _target) = target.answer(OK);
    assert!(request.starts_with("GET / HTTP/1.1\r\n"));
    assert_eq!(status(&client.head()), 200);
}

#[test]
fn section_2_3_a_version_that_is_not_spoken_is_answered_with_505() {
    let fixture = Fixture::forwarding_to(&[]);
    for request in [
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/3.0\r\nHost: a\r\n\r\n",
    ] {
        assert_eq!(status(&fixture.exchange(request)), 505, "{request:?}");
    }
}

#[test]
fn section_3_2_2_the_absolute_form_names_the_host() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET http://Right.example/p?q HTTP/1.1\r\nHost: wrong.example\r\n\r\n");
    let (request, _target) = target.answer(OK);
    assert!(request.starts_with("GET /p?q HTTP/1.1\r\n"), "{request}");
    let host = field(&request, "Host").unwrap();
    assert_eq!(host, format!("right.example:{}", fixture.address.port()));
}

#[test]
fn section_3_2_3_the_authority_form_is_refused() {
    let fixture = Fixture::forwarding_to(&[]);
    assert_eq!(
        status(&fixture.exchange("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")),
        400
    );
}

#[test]
fn section_3_2_4_the_asterisk_form_is_forwarded() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    let (request, _target) = target.answer(OK);
    assert!(request.starts_with("OPTIONS * HTTP/1.1\r\n"));
}

#[test]
fn section_6_1_what_could_be_framed_in_two_ways_is_refused() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    for (fields, expected) in [
        ("Content-Length: 3\r\nTransfer-Encoding: identity\r\n", 400),
        ("Content-Length: 3\r\nContent-Length: 4\r\n", 400),
        ("Content-Length: 3, 3\r\n", 400),
        ("Content-Length: +3\r\n", 400),
        ("Content-Length: 99999999999999999999\r\n", 400),
        ("Transfer-Encoding: xchunked\r\n", 400),
        ("Transfer-Encoding: chunked, chunked\r\n", 400),
        ("Transfer-Encoding: chunked, identity\r\n", 400),
        ("Transfer-Encoding : chunked\r\n", 400),
        ("Transfer-Encoding: \x0bchunked\r\n", 400),
        ("Transfer-Encoding: gzip, chunked\r\n", 501),
    ] {
        let response = fixture.exchange(&format!(
            "POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n0\r\n\r\n"
        ));
        assert_eq!(status(&response), expected, "{fields:?}");
    }
    assert!(target.is_untouched());
}

#[test]
fn section_6_1_chunks_in_http_1_0_end_the_connection() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(
        "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    );
    let (request, _target) = target.answer(OK);
    assert_eq!(field(&request, "Transfer-Encoding"), Some("chunked"));
    assert_eq!(field(&client.rest(), "Connection"), Some("close"));
}

#[test]
fn section_6_2_a_body_of_known_length_is_forwarded_as_it_is() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
    let mut at_target = target.accept();
    assert_eq!(field(&at_target.head(), "Content-Length"), Some("10"));
    assert_eq!(at_target.bytes(5), "hello");
    client.send("world");
    assert_eq!(at_target.bytes(5), "world");
    at_target.send(OK);
    assert_eq!(status(&client.head()), 200);
    assert_eq!(client.bytes(2), "ok");
}

#[test]
fn section_6_3_a_response_until_close_is_chunked_for_the_client() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let (_, at_target) = target.answer("HTTP/1.1 200 OK\r\n\r\nuntil the end");
    let head = client.head();
    assert_eq!(field(&head, "Transfer-Encoding"), Some("chunked"));
    drop(at_target);
    assert_eq!(client.until("0\r\n\r\n"), "d\r\nuntil the end\r\n0\r\n\r\n");
}

#[test]
fn section_6_3_chunks_are_taken_off_for_http_1_0() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    target.answer(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    );
    let response = client.rest();
    assert_eq!(field(&response, "Connection"), Some("close"));
    assert_eq!(field(&response, "Transfer-Encoding"), None);
    assert!(response.ends_with("\r\n\r\nabcde"));
}

#[test]
fn section_6_3_responses_without_a_body_end_with_their_head() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    let mut at_target = None;
    for (method, response) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"x\"\r\n\r\n",
        ),
    ] {
        client.send(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        let peer = at_target.get_or_insert_with(|| target.accept());
        peer.head();
        peer.send(response);
        let head = client.head();
        assert_eq!(
            field(&head, "Content-Length"),
            field(response, "Content-Length"),
            "{response:?}"
        );
    }
}

#[test]
fn section_6_3_an_ambiguous_response_is_answered_with_502() {
    for response in [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    ] {
        let target = Target::listen();
        let fixture = Fixture::forwarding_to(&[&target]);
        let mut client = fixture.client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let _at_target = target.answer(response);
        assert_eq!(status(&client.head()), 502, "{response:?}");
    }
}

#[test]
fn section_7_1_chunks_are_framed_anew_in_both_directions() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("0005;ext=1\r\nhello\r\n");
    let mut at_target = target.accept();
    let head = at_target.head();
    assert_eq!(field(&head, "Transfer-Encoding"), Some("chunked"));
    assert_eq!(field(&head, "Content-Length"), None);
    assert_eq!(at_target.until("hello\r\n"), "5\r\nhello\r\n");
    client.send("0\r\nX-Sum: 7\r\nContent-Length: 9\r\n\r\n");
    assert_eq!(at_target.until("\r\n\r\n"), "0\r\nX-Sum: 7\r\n\r\n");
    at_target.send(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n01\r\n!\r\n0\r\nX-End: 1\r\n\r\n",
    );
    client.head();
    assert_eq!(client.until("\r\n\r\n"), "1\r\n!\r\n0\r\nX-End: 1\r\n\r\n");
}

#[test]
fn section_7_1_a_malformed_chunk_is_answered_with_400() {
    for chunk in [
        "x\r\n",
        "5\nhello\r\n",
        "3\r\nhello\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\n",
    ] {
        let target = Target::listen();
        let fixture = Fixture::forwarding_to(&[&target]);
        let mut client = fixture.client();
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"
        ));
        let mut at_target = target.accept();
        // The head ends with a trace id, whose last digit may be a 0.
        at_target.head();
        assert!(
            !at_target.rest().ends_with("0\r\n\r\n"),
            "{chunk:?}: the target sees no complete request"
        );
        assert_eq!(status(&client.rest()), 400, "{chunk:?}");
    }
}

#[test]
fn section_9_3_the_connections_on_both_sides_persist() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    let (_, mut at_target) = target.answer(OK);
    assert_eq!(field(&client.head(), "Connection"), Some("keep-alive"));
    client.bytes(2);
    for path in ["/2", "/3"] {
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(
            at_target.head().starts_with(&format!("GET {path} ")),
            "the same connection is used"
        );
        at_target.send(OK);
        client.head();
        client.bytes(2);
    }
    assert_eq!(fixture.counters().target_connections_opened.value(), 1);
}

#[test]
fn section_9_3_http_1_0_closes_unless_it_asks_for_more() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let (request, mut at_target) = target.answer(OK);
    let port = fixture.address.port();
    assert_eq!(
        field(&request, "Host"),
        Some(&*format!("test-1.us-east-1.elb.internal:{port}"))
    );
    assert_eq!(field(&client.head(), "Connection"), Some("keep-alive"));
    client.bytes(2);
    client.send("GET / HTTP/1.0\r\n\r\n");
    at_target.head();
    at_target.send(OK);
    assert_eq!(field(&client.rest(), "Connection"), Some("close"));
}

#[test]
fn section_9_3_1_a_dead_idle_connection_costs_an_idempotent_request_nothing() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let (_, mut at_target) = target.answer(OK);
    client.head();
    client.bytes(2);
    // The second request is on its way when the target closes.
    client.send("GET /again HTTP/1.1\r\nHost: a\r\n\r\n");
    at_target.head();
    drop(at_target);
    let (request, _target) = target.answer(OK);
    assert!(request.starts_with("GET /again "));
    assert_eq!(status(&client.head()), 200);
}

#[test]
fn section_9_3_1_other_requests_are_not_sent_twice() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let (_, mut at_target) = target.answer(OK);
    client.head();
    client.bytes(2);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    at_target.head();
    drop(at_target);
    assert_eq!(status(&client.head()), 502);
    assert!(target.is_untouched());
}

#[test]
fn section_9_3_2_pipelined_requests_are_answered_in_order() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    let requests: String = (1..=3)
        .map(|n| format!("GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n"))
        .collect();
    client.send(requests);
    let mut at_target = target.accept();
    for n in 1..=3 {
        let request = at_target.head();
        assert!(request.starts_with(&format!("GET /{n} ")), "{request}");
        at_target.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{n}"));
    }
    for n in 1..=3 {
        client.head();
        assert_eq!(client.bytes(1), n.to_string());
    }
}

#[test]
fn section_9_6_close_is_honoured_after_the_response() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let (request, _at_target) = target.answer(OK);
    assert_eq!(
        field(&request, "Connection"),
        None,
        "it is for this hop only"
    );
    let response = client.rest();
    assert_eq!(field(&response, "Connection"), Some("close"));
    assert!(response.ends_with("ok"));
}

#[test]
fn section_9_6_a_target_that_closes_costs_only_its_own_connection() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    for _ in 0..2 {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        target.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        assert_eq!(field(&client.head(), "Connection"), Some("keep-alive"));
        client.bytes(2);
    }
    assert_eq!(fixture.counters().target_connections_opened.value(), 2);
}

#[test]
fn section_9_6_a_half_closed_client_gets_its_response() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.finish_sending();
    target.answer(OK);
    assert!(client.rest().ends_with("ok"));
}

#[test]
fn section_8_an_incomplete_response_is_never_passed_off_as_complete() {
    for (response, request) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "GET / HTTP/1.0\r\n\r\n",
        ),
    ] {
        let target = Target::listen();
        let fixture = Fixture::forwarding_to(&[&target]);
        let mut client = fixture.client();
        client.send(request);
        let at_target = target.answer(response);
        client.until("half");
        drop(at_target);
        assert!(client.ends_with_reset(), "{response:?}");
        assert_eq!(fixture.counters().responses_cut.value(), 1);
    }
}
