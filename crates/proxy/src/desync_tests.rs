//! Every reason with its class, and that the cheap look misses none of them.

use proptest::prelude::*;

use super::*;
use crate::http1::FieldStorage;
use crate::http1::request;

/// Class and reason of a head, as the worker finds them.
fn classified(head: &str) -> String {
    let mut storage = FieldStorage::new();
    let (taken, verdict) = match request::parse(head.as_bytes(), &mut storage) {
        Ok(head) => ("taken", classify(&head)),
        Err(_) => ("refused", classify_refused(head.as_bytes())),
    };
    match verdict {
        None => format!("{taken} Compliant"),
        Some(Verdict { class, reason }) => format!("{taken} {} {}", class.name(), reason.name()),
    }
}

/// `alb-data-plane` access log, "classification_reason": every reason, and whether the parser takes the head.
#[test]
fn every_reason_has_its_class() {
    for (line, fields, expected) in [
        ("GET / HTTP/1.1", "", "taken Compliant"),
        ("GET /\u{e9} HTTP/1.1", "", "taken Compliant"),
        (
            "POST / HTTP/1.1",
            "Content-Length: 3\r\n",
            "taken Compliant",
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: chunked\r\n",
            "taken Compliant",
        ),
        (
            "GET / HTTP/1.1",
            "Content-Length: 0\r\n",
            "taken Acceptable GetHeadZeroContentLength",
        ),
        (
            "HEAD / HTTP/1.1",
            "Content-Length: 3\r\n",
            "taken Ambiguous UndefinedContentLengthSemantics",
        ),
        (
            "GET / HTTP/1.1",
            "Transfer-Encoding: chunked\r\n",
            "taken Ambiguous UndefinedTransferEncodingSemantics",
        ),
        (
            "POST / HTTP/1.0",
            "Transfer-Encoding: chunked\r\n",
            "taken Ambiguous UndefinedTransferEncodingSemantics",
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            "taken Ambiguous BothTeClPresent",
        ),
        (
            "POST / HTTP/1.1",
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "taken Ambiguous DuplicateContentLength",
        ),
        (
            "POST / HTTP/1.1",
            "Transfer_Encoding: chunked\r\n",
            "taken Ambiguous SuspiciousHeader",
        ),
        (
            "POST / HTTP/1.1",
            "Content.Length: 3\r\n",
            "taken Ambiguous SuspiciousHeader",
        ),
        (
            "POST / HTTP/1.1",
            "Transfer_Encoding: chunked\r\nContent-Length: 3\r\n",
            "taken Severe SuspiciousTeClPresent",
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: chunked\r\nContent_Length: 3\r\n",
            "taken Severe SuspiciousTeClPresent",
        ),
        (
            "POST / HTTP/1.1",
            "Tran\u{17f}fer-Encoding: chunked\r\n",
            "refused Ambiguous SuspiciousHeader",
        ),
        (
            "POST / HTTP/1.1",
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "refused Severe MultipleContentLength",
        ),
        (
            "POST / HTTP/1.1",
            "Content-Length: +3\r\n",
            "refused Severe BadContentLength",
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: xchunked\r\n",
            "refused Severe BadTransferEncoding",
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: chunked, chunked\r\n",
            "refused Severe MultipleTransferEncodingChunked",
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: gzip\r\n",
            "refused Compliant",
        ),
        ("GET / HTTP/1.1", "X: \0\r\n", "refused Severe BadHeader"),
        (
            "GET / HTTP/1.1",
            "X: \x01\r\n",
            "refused Acceptable NonCompliantHeader",
        ),
        (
            "GET / HTTP/1.1",
            "X : y\r\n",
            "refused Acceptable NonCompliantHeader",
        ),
        ("GET / HTTP/1.1", ": x\r\n", "refused Ambiguous EmptyHeader"),
        (
            "GET / HTTP/1.1",
            " folded\r\n",
            "refused Ambiguous MultilineHeader",
        ),
        (
            "GET / HTTP/1.1",
            "X\r\n",
            "refused Ambiguous MissingHeaderColon",
        ),
        ("GET /a b HTTP/1.1", "", "refused Acceptable SpaceInUri"),
        ("GET /\x01 HTTP/1.1", "", "refused Ambiguous AmbiguousUri"),
        ("GET /\0 HTTP/1.1", "", "refused Severe BadUri"),
        ("GET HTTP/1.1", "", "refused Ambiguous MissingUri"),
        ("GET /", "", "refused Acceptable NonCompliantVersion"),
        (
            "GET / HTTP/1.2",
            "",
            "refused Acceptable NonCompliantVersion",
        ),
        ("GET / HTTP/1.x", "", "refused Severe BadVersion"),
        ("G(T / HTTP/1.1", "", "refused Severe BadMethod"),
        ("GET / HTTP/1.1", "Host: b\r\n", "refused Compliant"),
    ] {
        let head = format!("{line}\r\nHost: a\r\n{fields}\r\n");
        assert_eq!(classified(&head), expected, "{head:?}");
    }
}

#[test]
fn a_simple_request_has_no_version() {
    for head in ["GET /\r\n", "GET /\u{e9}?a#b\r\n"] {
        assert_eq!(
            classified(head),
            "taken Acceptable NonCompliantVersion",
            "{head:?}"
        );
    }
}

/// ALB guide, "Desync mitigation mode", the table of modes.
#[test]
fn the_mode_says_what_becomes_of_a_class() {
    use Class::{Acceptable, Ambiguous, Severe};
    use DesyncMitigation::{Defensive, Monitor, Strictest};
    use Treatment::{Pass, PassAndClose, Refuse};
    for (class, monitor, defensive, strictest) in [
        (Acceptable, Pass, Pass, Refuse),
        (Ambiguous, Pass, PassAndClose, Refuse),
        (Severe, Pass, Refuse, Refuse),
    ] {
        let verdict = Verdict {
            class,
            reason: Reason::BadUri,
        };
        assert_eq!(
            [Monitor, Defensive, Strictest].map(|mode| verdict.treatment(mode)),
            [monitor, defensive, strictest],
            "{class:?}"
        );
    }
}

#[test]
fn ordinary_names_do_not_look_like_framing() {
    for name in [
        "Content-Length",
        "Transfer-Encoding",
        "Content-Type",
        "Content-Disposition",
        "Content-Encoding",
        "Content-Security-Policy",
        "CF-Connecting-IP",
        "Transfer-Encodings",
        "X-Content-Length",
        "traceparent",
    ] {
        assert!(!looks_like_framing(name.as_bytes()), "{name}");
    }
    for name in [
        "Content_Length",
        "content--length",
        "-Content-Length",
        "Transfer_Encoding",
        "Transfer-Encoding-",
        "transfer.encoding",
    ] {
        assert!(looks_like_framing(name.as_bytes()), "{name}");
    }
}

/// Names around those that matter: their letters with something between, before and behind.
fn any_name() -> impl Strategy<Value = String> {
    let letters = prop_oneof![
        Just("transfer"),
        Just("encoding"),
        Just("content"),
        Just("length"),
        Just("t"),
        Just("c"),
        Just("host"),
    ];
    let marks = "[-_.!~0-9a-zA-Z]{0,3}";
    let piece = (letters, any::<bool>(), marks).prop_map(|(letters, is_upper, marks)| {
        if is_upper {
            format!("{}{marks}", letters.to_uppercase())
        } else {
            format!("{letters}{marks}")
        }
    });
    prop_oneof![
        3 => prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat()),
        2 => Just("Transfer-Encoding".to_owned()),
        3 => Just("Content-Length".to_owned()),
        1 => "[-!#$%&'*+.^_`|~a-zA-Z0-9]{1,24}",
    ]
}

fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("chunked".to_owned()),
        Just("identity".to_owned()),
        Just("0".to_owned()),
        Just("3".to_owned()),
        "[\t -~\u{80}-\u{ff}]{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_cheap_look_misses_nothing(
        method in prop_oneof![Just("GET"), Just("HEAD"), Just("POST"), Just("M-SEARCH")],
        path in "/[!-~\u{80}-\u{ff}]{0,8}",
        minor in 0..2,
        fields in prop::collection::vec((any_name(), any_value()), 0..5),
    ) {
        let lines: String =
            fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let bytes = format!("{method} {path} HTTP/1.{minor}\r\nHost: a\r\n{lines}\r\n");
        let mut storage = FieldStorage::new();
        if let Ok(head) = request::parse(bytes.as_bytes(), &mut storage) {
            let thorough = classify_refused(bytes.as_bytes());
            let verdict = classify(&head);
            prop_assert_eq!(verdict.is_some(), thorough.is_some(), "{:?} {:?}", bytes, thorough);
            if verdict.is_some_and(|verdict| verdict.reason != Reason::SuspiciousTeClPresent) {
                prop_assert_eq!(verdict, thorough, "{:?}", bytes);
            }
        }
    }

    #[test]
    fn any_refused_bytes_have_a_verdict_or_none(
        head in prop::collection::vec(
            prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b' '), Just(b':')],
            0..200,
        ),
    ) {
        let _ = classify_refused(&head);
    }
}
