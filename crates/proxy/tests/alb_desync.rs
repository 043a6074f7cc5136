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

/// `verdict`: the class and the reason by which a request is counted; empty: it is compliant.
fn check(mode: DesyncMitigation, request: &str, verdict: &str, expected: &Outcome) {
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
    let (class, reason) = verdict.split_once(' ').unwrap_or_default();
    for (name, count) in counted {
        assert_eq!(count, u64::from(name == class), "{name} {request:?}");
    }
    for (name, count) in counters.each_desync_reason() {
        assert_eq!(count, u64::from(name == reason), "{name} {request:?}");
    }
}

/// The reasons for which a request may pass.
#[test]
fn the_mode_decides_between_passing_closing_and_refusing() {
    let post =
        |fields: &str, body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}");
    let get = |fields: &str, body: &str| format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}");
    const CHUNKS: &str = "1\r\nx\r\n0\r\n\r\n";
    for (request, verdict, monitor, defensive, strictest) in [
        (post("Content-Length: 1\r\n", "x"), "", KEPT, KEPT, KEPT),
        (
            get("Content-Length: 0\r\n", ""),
            "Acceptable GetHeadZeroContentLength",
            KEPT,
            KEPT,
            REFUSED,
        ),
        (
            get("Content-Length: 1\r\n", "x"),
            "Ambiguous UndefinedContentLengthSemantics",
            KEPT,
            CLOSED,
            REFUSED,
        ),
        (
            get("Transfer-Encoding: chunked\r\n", CHUNKS),
            "Ambiguous UndefinedTransferEncodingSemantics",
            KEPT,
            CLOSED,
            REFUSED,
        ),
        (
            format!(
                "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKS}"
            ),
            "Ambiguous UndefinedTransferEncodingSemantics",
            CLIENT_CLOSED,
            CLOSED,
            REFUSED,
        ),
        (
            post(
                "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
                CHUNKS,
            ),
            "Ambiguous BothTeClPresent",
            CLIENT_CLOSED,
            CLOSED,
            REFUSED,
        ),
        (
            post("Content-Length: 1\r\nContent-Length: 1\r\n", "x"),
            "Ambiguous DuplicateContentLength",
            KEPT,
            CLOSED,
            REFUSED,
        ),
        (
            post("Transfer_Encoding: chunked\r\n", ""),
            "Ambiguous SuspiciousHeader",
            KEPT,
            CLOSED,
            REFUSED,
        ),
        (
            post("Transfer_Encoding: chunked\r\nContent-Length: 1\r\n", "x"),
            "Severe SuspiciousTeClPresent",
            KEPT,
            REFUSED,
            REFUSED,
        ),
    ] {
        check(Monitor, &request, verdict, &monitor);
        check(Defensive, &request, verdict, &defensive);
        check(Strictest, &request, verdict, &strictest);
    }
}

/// The reasons for which no head can be written that means the same to everyone.
#[test]
fn what_cannot_be_made_unambiguous_is_refused_in_every_mode() {
    for (line, fields, verdict) in [
        (
            "POST / HTTP/1.1",
            "Content-Length: +1\r\n",
            "Severe BadContentLength",
        ),
        (
            "POST / HTTP/1.1",
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "Severe MultipleContentLength",
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: xchunked\r\n",
            "Severe BadTransferEncoding",
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: chunked, chunked\r\n",
            "Severe MultipleTransferEncodingChunked",
        ),
        ("GET / HTTP/1.1", "X: \0\r\n", "Severe BadHeader"),
        ("G(T / HTTP/1.1", "", "Severe BadMethod"),
        ("GET /\0 HTTP/1.1", "", "Severe BadUri"),
        ("GET / HTTP/1.1", ": x\r\n", "Ambiguous EmptyHeader"),
        ("GET / HTTP/1.1", " folded\r\n", "Ambiguous MultilineHeader"),
        ("GET / HTTP/1.1", "X\r\n", "Ambiguous MissingHeaderColon"),
        ("GET /\x01 HTTP/1.1", "", "Ambiguous AmbiguousUri"),
        ("GET HTTP/1.1", "", "Ambiguous MissingUri"),
        ("GET /a b HTTP/1.1", "", "Acceptable SpaceInUri"),
        (
            "GET / HTTP/1.1",
            "X : y\r\n",
            "Acceptable NonCompliantHeader",
        ),
        ("GET /\nHTTP/1.1", "", "Acceptable NonCrLfLineTermination"),
        // What the classifier has no word for.
        ("GET / HTTP/1.1", "Host: b\r\n", ""),
    ] {
        let request = format!("{line}\r\nHost: a\r\n{fields}\r\n");
        for mode in [Monitor, Defensive, Strictest] {
            check(mode, &request, verdict, &REFUSED);
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
