//! What a proxy does with fields, expectations and upgrades, section by section of RFC 9110.

mod support;

use support::{Fixture, Target, field, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn section_5_3_the_order_and_the_case_of_fields_are_kept() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client
        .send("GET / HTTP/1.1\r\nHost: a\r\nX-b: 1\r\nCookie: c=1\r\nx-B: 2\r\nx_under: 3\r\n\r\n");
    let (request, _target) = target
        .answer("HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n");
    assert!(
        request.contains("\r\nX-b: 1\r\nCookie: c=1\r\nx-B: 2\r\nx_under: 3\r\n"),
        "{request}"
    );
    assert!(
        client
            .head()
            .contains("\r\nSet-Cookie: a\r\nset-cookie: b\r\n")
    );
}

#[test]
fn section_7_6_1_hop_by_hop_fields_are_removed_in_both_directions() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\
         TE: trailers\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nX-End: 1\r\n\r\n",
    );
    let (request, _target) = target.answer(
        "HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-End: 2\r\n\
         Content-Length: 0\r\n\r\n",
    );
    for (head, name) in [(&request, "the request"), (&client.head(), "the response")] {
        for gone in [
            "X-Hop",
            "Keep-Alive",
            "TE",
            "Proxy-Connection",
            "Upgrade",
            "HTTP2-Settings",
        ] {
            assert_eq!(field(head, gone), None, "{gone} in {name}");
        }
        assert!(field(head, "X-End").is_some(), "{name}");
    }
}

#[test]
fn section_7_6_1_connection_cannot_remove_what_the_load_balancer_says() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\
         Connection: X-Forwarded-For, Host, Content-Length, X-Amzn-Trace-Id\r\n\r\nx",
    );
    let (request, _target) = target.answer(OK);
    for kept in [
        "X-Forwarded-For",
        "Host",
        "Content-Length",
        "X-Amzn-Trace-Id",
    ] {
        assert!(field(&request, kept).is_some(), "{kept} in {request}");
    }
}

#[test]
fn section_6_6_1_a_missing_date_is_added_and_a_present_one_kept() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let (_, mut at_target) = target.answer("HTTP/1.1 204 No Content\r\n\r\n");
    at_target.head();
    at_target.send("HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
    assert!(field(&client.head(), "Date").unwrap().ends_with(" GMT"));
    assert_eq!(
        field(&client.head(), "Date"),
        Some("Sun, 06 Nov 1994 08:49:37 GMT")
    );
}

#[test]
fn section_7_8_an_upgrade_becomes_a_tunnel() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly",
    );
    let (request, mut at_target) = target.answer(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: x\r\n\r\nfirst",
    );
    assert_eq!(field(&request, "Connection"), Some("Upgrade"));
    assert_eq!(field(&request, "Upgrade"), Some("websocket"));
    let response = client.head();
    assert_eq!(status(&response), 101);
    assert_eq!(field(&response, "Upgrade"), Some("websocket"));
    assert_eq!(field(&response, "Sec-WebSocket-Accept"), Some("x"));
    assert_eq!(client.bytes(5), "first");
    assert_eq!(at_target.bytes(5), "early");
    client.send("ping");
    assert_eq!(at_target.bytes(4), "ping");
    at_target.finish_sending();
    assert_eq!(client.rest(), "", "the end of one direction is handed on");
    client.send("last");
    client.finish_sending();
    assert_eq!(
        at_target.rest(),
        "last",
        "and the other goes on until it ends"
    );
}

#[test]
fn section_7_8_an_upgrade_that_the_target_declines_is_an_ordinary_response() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    let (_, mut at_target) = target.answer(OK);
    assert_eq!(status(&client.head()), 200);
    client.bytes(2);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(
        at_target.head().starts_with("GET / "),
        "both connections persist"
    );
}

#[test]
fn section_9_3_8_trace_is_not_allowed() {
    let fixture = Fixture::forwarding_to(&[]);
    assert_eq!(
        status(&fixture.exchange("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")),
        405
    );
}

#[test]
fn section_10_1_1_continue_is_sent_before_the_target_is_asked() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    let mut at_target = target.accept();
    assert_eq!(field(&at_target.head(), "Expect"), None);
    assert_eq!(at_target.bytes(4), "body");
    at_target.send(OK);
    assert_eq!(status(&client.head()), 200);
}

#[test]
fn section_10_1_1_an_unknown_expectation_is_answered_with_417() {
    let fixture = Fixture::forwarding_to(&[]);
    let request = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: tea\r\n\r\nbody";
    assert_eq!(status(&fixture.exchange(request)), 417);
}

#[test]
fn section_15_2_interim_responses_pass_and_100_does_not() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let (_, _target) = target.answer(&format!("{interim}{OK}"));
    let hints = client.head();
    assert_eq!((status(&hints), field(&hints, "Link")), (103, Some("</a>")));
    assert_eq!(status(&client.head()), 200);
}

#[test]
fn section_15_2_http_1_0_gets_only_the_final_response() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET / HTTP/1.0\r\n\r\n");
    target.answer(&format!(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{OK}"
    ));
    assert_eq!(status(&client.rest()), 200);
}

#[test]
fn section_15_2_a_target_cannot_answer_with_interim_responses_for_ever() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let (_, _target) = target.answer(&"HTTP/1.1 100 Continue\r\n\r\n".repeat(100));
    assert_eq!(status(&client.head()), 502);
}
