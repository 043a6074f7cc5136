//! ALB guide, "Desync mitigation mode": what each mode does with each reason, seen from both ends.

mod support;

use engine::HttpOptions;
use engine::http::DesyncMitigation::{self, Defensive, Monitor, Strictest};
use support::{Fixture, Target, field, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What happened to a request.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// It passed; whether the connections of client and target stayed.
    Passed {
        client: bool,
        target: bool,
    },
    Refused(u16),
}

const KEPT: Outcome = Outcome::Passed {
    client: true,
    target: true,
};
const CLOSED: Outcome = Outcome::Passed {
    client: false,
    target: false,
};
/// RFC 9112 section 6.1: the client's connection ends with a faulty framing in any mode.
const CLIENT_CLOSED: Outcome = Outcome::Passed {
    client: false,
    target: true,
};
const REFUSED: Outcome = Outcome::Refused(400);

fn check(mode: DesyncMitigation, request: &str, class: &str, expected: &Outcome) {
    let options = HttpOptions {
        desync_mitigation: mode,
        ..HttpOptions::default()
    };
    let target = Target::listen();
    let fixture = Fixture::with_options(options, &[&target]);
    let mut client = fixture.client();
    client.send(request);
    let outcome = if matches!(expected, Outcome::Refused(_)) {
        let response = client.rest();
        assert_eq!(field(&response, "Connection"), Some("close"));
        assert!(target.is_untouched());
        Outcome::Refused(status(&response))
    } else {
        let (_, mut at_target) = target.answer(OK);
        let response = client.head();
        assert_eq!(status(&response), 200, "{request:?}");
        assert_eq!(client.bytes(2), "ok");
        let stays = field(&response, "Connection") == Some("keep-alive");
        if !stays {
            assert_eq!(client.rest(), "");
        }
        fixture.settle();
        Outcome::Passed {
            client: stays,
            target: at_target.is_open(),
        }
    };
    assert_eq!(&outcome, expected, "{mode:?} {request:?}");
    let counters = fixture.counters();
    let counted = [
        ("Acceptable", counters.desync_acceptable.value()),
        ("Ambiguous", counters.desync_ambiguous.value()),
        ("Severe", counters.desync_severe.value()),
    ];
    for (name, count) in counted {
        assert_eq!(count, u64::from(name == class), "{name} {request:?}");
    }
}

/// The reasons for which a request may pass.
#[test]
fn the_mode_decides_between_passing_closing_and_refusing() {
    let post =
        |fields: &str, body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}");
    let get = |fields: &str, body: &str| format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}");
    const CHUNKS: &str = "1\r\nx\r\n0\r\n\r\n";
    for (request, class, monitor, defensive, strictest) in [
        (post("Content-Length: 1\r\n", "x"), "", KEPT, KEPT, KEPT),
        // GetHeadZeroContentLength
        (
            get("Content-Length: 0\r\n", ""),
            "Acceptable",
            KEPT,
            KEPT,
            REFUSED,
        ),
        // UndefinedContentLengthSemantics
        (
            get("Content-Length: 1\r\n", "x"),
            "Ambiguous",
            KEPT,
            CLOSED,
            REFUSED,
        ),
        // UndefinedTransferEncodingSemantics
        (
            get("Transfer-Encoding: chunked\r\n", CHUNKS),
            "Ambiguous",
            KEPT,
            CLOSED,
            REFUSED,
        ),
        (
            format!(
                "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKS}"
            ),
            "Ambiguous",
            CLIENT_CLOSED,
            CLOSED,
            REFUSED,
        ),
        // BothTeClPresent
        (
            post(
                "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
                CHUNKS,
            ),
            "Ambiguous",
            CLIENT_CLOSED,
            CLOSED,
            REFUSED,
        ),
        // DuplicateContentLength
        (
            post("Content-Length: 1\r\nContent-Length: 1\r\n", "x"),
            "Ambiguous",
            KEPT,
            CLOSED,
            REFUSED,
        ),
        // SuspiciousHeader
        (
            post("Transfer_Encoding: chunked\r\n", ""),
            "Ambiguous",
            KEPT,
            CLOSED,
            REFUSED,
        ),
        // SuspiciousTeClPresent
        (
            post("Transfer_Encoding: chunked\r\nContent-Length: 1\r\n", "x"),
            "Severe",
            KEPT,
            REFUSED,
            REFUSED,
        ),
    ] {
        check(Monitor, &request, class, &monitor);
        check(Defensive, &request, class, &defensive);
        check(Strictest, &request, class, &strictest);
    }
}

/// The reasons for which no head can be written that means the same to everyone.
#[test]
fn what_cannot_be_made_unambiguous_is_refused_in_every_mode() {
    for (line, fields, class) in [
        ("POST / HTTP/1.1", "Content-Length: +1\r\n", "Severe"),
        (
            "POST / HTTP/1.1",
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "Severe",
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: xchunked\r\n",
            "Severe",
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: chunked, chunked\r\n",
            "Severe",
        ),
        ("GET / HTTP/1.1", "X: \0\r\n", "Severe"),
        ("G(T / HTTP/1.1", "", "Severe"),
        ("GET /\0 HTTP/1.1", "", "Severe"),
        ("GET / HTTP/1.1", ": x\r\n", "Ambiguous"),
        ("GET / HTTP/1.1", " folded\r\n", "Ambiguous"),
        ("GET / HTTP/1.1", "X\r\n", "Ambiguous"),
        ("GET /\x01 HTTP/1.1", "", "Ambiguous"),
        ("GET HTTP/1.1", "", "Ambiguous"),
        ("GET /a b HTTP/1.1", "", "Acceptable"),
        ("GET / HTTP/1.1", "X : y\r\n", "Acceptable"),
        ("GET /\nHTTP/1.1", "", "Acceptable"),
        // What the classifier has no word for.
        ("GET / HTTP/1.1", "Host: b\r\n", ""),
    ] {
        let request = format!("{line}\r\nHost: a\r\n{fields}\r\n");
        for mode in [Monitor, Defensive, Strictest] {
            check(mode, &request, class, &REFUSED);
        }
    }
}

#[test]
fn both_framings_reach_the_target_as_chunks_alone() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n\
         1\r\nx\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    let mut at_target = target.accept();
    let request = at_target.head();
    assert_eq!(field(&request, "Transfer-Encoding"), Some("chunked"));
    assert_eq!(field(&request, "Content-Length"), None);
    assert_eq!(at_target.until("0\r\n\r\n"), "1\r\nx\r\n0\r\n\r\n");
    at_target.send(OK);
    let response = client.rest();
    assert_eq!(status(&response), 200);
    assert_eq!(
        response.matches("HTTP/1.1 ").count(),
        1,
        "the hidden request is not served"
    );
    assert_eq!(
        at_target.rest(),
        "",
        "the connection to the target is closed too"
    );
}
