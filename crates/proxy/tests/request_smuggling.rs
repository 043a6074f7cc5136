//! Published shapes of request smuggling: each is refused, or the target gets requests that can be read in
//! one way only, and no more of them than the client got answers.

mod support;

use engine::http::DesyncMitigation;
use engine::{Admission, HttpOptions};
use support::recorder::{Recorder, Request};
use support::{Fixture, endpoint, forward_to};

/// What a client may hide behind its request, as a request of its own.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

/// A request with these fields and this body.
fn post(fields: &str, body: &str) -> String {
    format!("POST /shown HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}")
}

fn get(fields: &str, body: &str) -> String {
    format!("GET /shown HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}")
}

fn line(line: &str) -> String {
    format!("{line}\r\nHost: a\r\n\r\n")
}

fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", body)
}

/// The shapes, and the statuses that the client gets in the default mode.
fn shapes() -> Vec<(&'static str, String, &'static str)> {
    let length = HIDDEN.len();
    let end = format!("0\r\n\r\n{HIDDEN}");
    let te = |field: &str| post(&format!("{field}\r\n"), &end);
    let te_and_length = |field: &str| {
        let fields = format!("{field}\r\nContent-Length: {}\r\n", end.len());
        post(&fields, &end)
    };
    let cl = |field: &str| post(&format!("{field}\r\n"), "xyz");
    vec![
        // Both framings.
        (
            "CL.TE",
            post(
                "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
                "0\r\n\r\nG",
            ),
            "200",
        ),
        (
            "CL.TE with a whole request behind it",
            te_and_length("Transfer-Encoding: chunked"),
            "200",
        ),
        (
            "TE.CL",
            post(
                "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                &format!("{length:x}\r\n{HIDDEN}\r\n0\r\n\r\n"),
            ),
            "200",
        ),
        (
            "CL.TE with a length of 0",
            post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", &end),
            "200",
        ),
        (
            "identity and a length",
            te_and_length("Transfer-Encoding: identity"),
            "400",
        ),
        // Transfer-Encoding that one of two peers overlooks.
        (
            "TE with a space before the colon",
            te_and_length("Transfer-Encoding : chunked"),
            "400",
        ),
        (
            "TE with a tab before the colon",
            te_and_length("Transfer-Encoding\t: chunked"),
            "400",
        ),
        (
            "TE behind a space",
            te_and_length(" Transfer-Encoding: chunked"),
            "400",
        ),
        (
            "TE behind a tab",
            te_and_length("\tTransfer-Encoding: chunked"),
            "400",
        ),
        (
            "TE with a tab as space",
            te_and_length("Transfer-Encoding:\tchunked"),
            "200",
        ),
        (
            "TE without a space",
            te_and_length("Transfer-Encoding:chunked"),
            "200",
        ),
        (
            "TE in mixed case",
            te_and_length("tRANSFER-ENCODING: chunked"),
            "200",
        ),
        (
            "a coding in mixed case",
            te_and_length("Transfer-Encoding: cHuNkEd"),
            "200",
        ),
        (
            "TE with a vertical tab",
            te_and_length("Transfer-Encoding: \x0bchunked"),
            "400",
        ),
        (
            "TE with a form feed",
            te_and_length("Transfer-Encoding: \x0cchunked"),
            "400",
        ),
        (
            "TE with NUL behind it",
            te_and_length("Transfer-Encoding: chunked\0"),
            "400",
        ),
        (
            "TE with NUL in its name",
            te_and_length("Transfer\0-Encoding: chunked"),
            "400",
        ),
        (
            "TE with an underscore",
            te_and_length("Transfer_Encoding: chunked"),
            "400",
        ),
        (
            "TE with an underscore alone",
            te("Transfer_Encoding: chunked"),
            "200",
        ),
        (
            "TE with a long s",
            te_and_length("Tran\u{17f}fer-Encoding: chunked"),
            "400",
        ),
        (
            "TE with a hyphen too many",
            te_and_length("Transfer--Encoding: chunked"),
            "400",
        ),
        (
            "TE folded",
            te_and_length("Transfer-Encoding:\r\n chunked"),
            "400",
        ),
        (
            "TE folded with a tab",
            te_and_length("Transfer-Encoding: \r\n\tchunked"),
            "400",
        ),
        (
            "TE behind a bare line feed",
            te_and_length("X: y\nTransfer-Encoding: chunked"),
            "400",
        ),
        (
            "TE behind a bare carriage return",
            te_and_length("X: y\rTransfer-Encoding: chunked"),
            "400",
        ),
        (
            "xchunked",
            te_and_length("Transfer-Encoding: xchunked"),
            "400",
        ),
        (
            "chunked in quotes",
            te_and_length("Transfer-Encoding: \"chunked\""),
            "400",
        ),
        (
            "chunked in apostrophes",
            te_and_length("Transfer-Encoding: 'chunked'"),
            "400",
        ),
        (
            "chunked with a parameter",
            te_and_length("Transfer-Encoding: chunked;q=1"),
            "400",
        ),
        (
            "chunked with a comma",
            te("Transfer-Encoding: chunked,"),
            "400",
        ),
        (
            "a comma before chunked",
            te("Transfer-Encoding: , chunked"),
            "400",
        ),
        (
            "chunked twice",
            te("Transfer-Encoding: chunked, chunked"),
            "400",
        ),
        (
            "identity, chunked",
            te("Transfer-Encoding: identity, chunked"),
            "400",
        ),
        (
            "chunked, identity",
            te("Transfer-Encoding: chunked, identity"),
            "400",
        ),
        (
            "gzip, chunked",
            te("Transfer-Encoding: gzip, chunked"),
            "501",
        ),
        ("an empty coding", te("Transfer-Encoding:"), "400"),
        (
            "a second coding that is none",
            te("Transfer-Encoding: chunked\r\nTransfer-Encoding: cow"),
            "400",
        ),
        (
            "a first coding that is none",
            te("Transfer-Encoding: cow\r\nTransfer-Encoding: chunked"),
            "400",
        ),
        (
            "Connection nominates TE",
            te("Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked"),
            "200 200",
        ),
        // Content-Length that two peers read differently.
        (
            "different lengths",
            cl("Content-Length: 3\r\nContent-Length: 0"),
            "400",
        ),
        (
            "equal lengths",
            cl("Content-Length: 3\r\nContent-Length: 3"),
            "200",
        ),
        ("a list of lengths", cl("Content-Length: 3, 3"), "400"),
        ("a length with a sign", cl("Content-Length: +3"), "400"),
        ("a negative length", cl("Content-Length: -3"), "400"),
        ("a hexadecimal length", cl("Content-Length: 0x3"), "400"),
        ("a length with a space", cl("Content-Length: 0 3"), "400"),
        (
            "a length with a zero before it",
            cl("Content-Length: 03"),
            "200",
        ),
        ("a length with a fraction", cl("Content-Length: 3.0"), "400"),
        (
            "a length past 64 bits",
            cl("Content-Length: 18446744073709551619"),
            "400",
        ),
        ("an empty length", cl("Content-Length:"), "400"),
        ("a length with NUL", cl("Content-Length: 3\0"), "400"),
        (
            "a length with a space before the colon",
            cl("Content-Length : 3"),
            "400",
        ),
        (
            "a length with an underscore",
            cl("Content_Length: 3\r\nContent-Length: 3"),
            "200",
        ),
        ("a folded length", cl("Content-Length: 3\r\n 0"), "400"),
        (
            "Connection nominates the length",
            cl("Connection: Content-Length\r\nContent-Length: 3"),
            "200",
        ),
        // A body where none is expected, and none where one is.
        (
            "CL.0",
            post(&format!("Content-Length: {length}\r\n"), HIDDEN),
            "200",
        ),
        ("0.CL", post("Content-Length: 0\r\n", HIDDEN), "200 200"),
        (
            "GET with a body",
            get(&format!("Content-Length: {length}\r\n"), HIDDEN),
            "200",
        ),
        (
            "GET with a length of 0",
            get("Content-Length: 0\r\n", HIDDEN),
            "200 200",
        ),
        (
            "GET with chunks",
            get("Transfer-Encoding: chunked\r\n", &end),
            "200",
        ),
        (
            "Expect with a body",
            post(
                &format!("Expect: 100-continue\r\nContent-Length: {length}\r\n"),
                HIDDEN,
            ),
            "200",
        ),
        (
            "an obfuscated Expect",
            post(
                &format!("Expect: y 100-continue\r\nContent-Length: {length}\r\n"),
                HIDDEN,
            ),
            "417",
        ),
        // Chunks.
        (
            "a bare line feed behind a chunk extension",
            chunked(&format!(
                "2;\nxx\r\n{length:x}\r\n0\r\n\r\n{HIDDEN}\r\n0\r\n\r\n"
            )),
            "400",
        ),
        (
            "a chunk extension",
            chunked(&format!("3;a=b\r\nxyz\r\n{end}")),
            "200 200",
        ),
        (
            "a chunk extension in quotes",
            chunked(&format!("3;a=\"\r\nxyz\r\n{end}")),
            "200 200",
        ),
        (
            "a chunk size with 0x",
            chunked(&format!("0x3\r\nxyz\r\n{end}")),
            "400",
        ),
        (
            "a chunk size with a sign",
            chunked(&format!("+3\r\nxyz\r\n{end}")),
            "400",
        ),
        (
            "a negative chunk size",
            chunked(&format!("-1\r\nxyz\r\n{end}")),
            "400",
        ),
        (
            "a chunk size with a word behind it",
            chunked(&format!("3 4\r\nxyz\r\n{end}")),
            "400",
        ),
        (
            "a chunk size past 64 bits",
            chunked(&format!("10000000000000003\r\nxyz\r\n{end}")),
            "400",
        ),
        (
            "an empty chunk size",
            chunked(&format!("\r\nxyz\r\n{end}")),
            "400",
        ),
        (
            "a chunk size with an underscore",
            chunked(&format!("0_3\r\nxyz\r\n{end}")),
            "400",
        ),
        (
            "a chunk line with a bare line feed",
            chunked(&format!("3\nxyz\r\n{end}")),
            "400",
        ),
        (
            "a chunk line with a bare carriage return",
            chunked(&format!("3\rxyz\r\n{end}")),
            "400",
        ),
        (
            "a chunk without its line end",
            chunked(&format!("3\r\nxyz{end}")),
            "400",
        ),
        (
            "a chunk with two other bytes at its end",
            chunked(&format!("3\r\nxyzAB{end}")),
            "400",
        ),
        (
            "a chunk that ends with a line feed",
            chunked(&format!("3\r\nxyz\n{end}")),
            "400",
        ),
        (
            "a last chunk that ends with line feeds",
            chunked(&format!("0\n\n{HIDDEN}")),
            "400",
        ),
        (
            "a last chunk of several zeros",
            chunked(&format!("000\r\n\r\n{HIDDEN}")),
            "200 200",
        ),
        (
            "framing in the trailer",
            chunked(&format!(
                "0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n{HIDDEN}"
            )),
            "200 200",
        ),
        (
            "a request as a trailer",
            chunked(&format!("0\r\n{HIDDEN}")),
            "400",
        ),
        // Lines.
        (
            "bare line feeds",
            "GET /shown HTTP/1.1\nHost: a\n\n".into(),
            "400",
        ),
        (
            "a bare line feed at the end",
            "GET /shown HTTP/1.1\r\nHost: a\r\n\n".into(),
            "400",
        ),
        (
            "a bare carriage return in a value",
            get("X: a\rb\r\n", ""),
            "400",
        ),
        (
            "a bare line feed in a value",
            get("X: a\nY: b\r\n", ""),
            "400",
        ),
        ("NUL in a value", get("X: a\0b\r\n", ""), "400"),
        ("a folded line", get("X: a\r\n b\r\n", ""), "400"),
        ("a field without a name", get(": a\r\n", ""), "400"),
        (
            "a line without a colon",
            get("Transfer-Encoding chunked\r\n", ""),
            "400",
        ),
        (
            "a space in a name",
            get("Transfer Encoding: chunked\r\n", ""),
            "400",
        ),
        (
            "empty lines before the request",
            format!("\r\n\r\n{}", get("", "")),
            "200",
        ),
        (
            "a space before the request",
            format!(" {}", get("", "")),
            "400",
        ),
        // Request lines.
        (
            "a space in the target",
            line("GET /shown HTTP/1.1 HTTP/1.1"),
            "400",
        ),
        ("two spaces", line("GET  /shown HTTP/1.1"), "400"),
        ("a tab for a space", line("GET\t/shown HTTP/1.1"), "400"),
        ("a space at the end", line("GET /shown HTTP/1.1 "), "400"),
        (
            "a control character in the target",
            line("GET /sho\x01wn HTTP/1.1"),
            "400",
        ),
        ("NUL in the target", line("GET /sho\0wn HTTP/1.1"), "400"),
        (
            "a method that is no token",
            line("GE{T /shown HTTP/1.1"),
            "400",
        ),
        ("HTTP/1.2", line("GET /shown HTTP/1.2"), "505"),
        ("HTTP/0.9 in words", line("GET /shown HTTP/0.9"), "505"),
        ("HTTP/0.9", "GET /shown\r\n\r\n".into(), "200"),
        ("HTTP/0.9 with a field", line("GET /shown"), "200"),
        (
            "HTTP/0.9 with a request behind it",
            format!("GET /shown\r\n{HIDDEN}"),
            "200",
        ),
        (
            "HTTP/0.9 with chunks",
            format!("GET /shown\r\nTransfer-Encoding: chunked\r\n\r\n{end}"),
            "200",
        ),
        (
            "HTTP/0.9 behind a request",
            get("", "GET /hidden\r\n\r\n"),
            "200 400",
        ),
        (
            "HTTP/0.9 with a line feed",
            format!("GET /shown\n{HIDDEN}"),
            "400",
        ),
        (
            "another method without a version",
            format!("POST /shown\r\nContent-Length: {length}\r\n\r\n{HIDDEN}"),
            "400",
        ),
        (
            "a version in small letters",
            line("GET /shown http/1.1"),
            "400",
        ),
        (
            "HTTP/1.0 with chunks",
            format!(
                "POST /shown HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n{end}"
            ),
            "200",
        ),
        (
            "HTTP/1.0 with chunks and a length",
            format!(
                "POST /shown HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n{end}"
            ),
            "200",
        ),
        (
            "the preface of HTTP/2",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
            "505",
        ),
        // Hosts.
        ("two hosts", get("Host: b\r\n", ""), "400"),
        ("two equal hosts", get("Host: a\r\n", ""), "400"),
        (
            "a folded host",
            "GET /shown HTTP/1.1\r\nHost: a\r\n b\r\n\r\n".into(),
            "400",
        ),
        (
            "a host behind a space",
            "GET /shown HTTP/1.1\r\n Host: a\r\n\r\n".into(),
            "400",
        ),
        ("no host", "GET /shown HTTP/1.1\r\n\r\n".into(), "400"),
        (
            "a host with a path",
            "GET /shown HTTP/1.1\r\nHost: a/b\r\n\r\n".into(),
            "400",
        ),
        (
            "a host with user information",
            "GET /shown HTTP/1.1\r\nHost: b@a\r\n\r\n".into(),
            "400",
        ),
        (
            "a list of hosts",
            "GET /shown HTTP/1.1\r\nHost: a, b\r\n\r\n".into(),
            "400",
        ),
        (
            "another absolute target",
            line("GET http://b/shown HTTP/1.1"),
            "200",
        ),
        (
            "an absolute target with user information",
            line("GET http://b@a/shown HTTP/1.1"),
            "400",
        ),
        (
            "an absolute target without a host",
            line("GET http:///shown HTTP/1.1"),
            "400",
        ),
        (
            "a target without a slash",
            line("GET @b/shown HTTP/1.1"),
            "400",
        ),
        (
            "Connection nominates the host",
            get("Connection: Host\r\n", ""),
            "200",
        ),
        // Other protocols.
        ("CONNECT", line("CONNECT a:80 HTTP/1.1"), "400"),
        (
            "an upgrade to h2c",
            get(
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n",
                "",
            ),
            "200",
        ),
    ]
}

/// Sends every shape through a listener in this mode. The statuses of each, and every request at the target.
fn send_all(mode: DesyncMitigation) -> Vec<(&'static str, String, &'static str)> {
    let options = HttpOptions {
        desync_mitigation: mode,
        ..HttpOptions::default()
    };
    let recorder = Recorder::start();
    let action = forward_to(&[endpoint(recorder.address)]);
    let fixture = Fixture::start_with(options, Admission::Anyone, Vec::new(), action);
    let mut answered = 0;
    let mut outcomes = Vec::new();
    for (name, bytes, expected) in shapes() {
        let mut client = fixture.client();
        client.send(&bytes);
        client.finish_sending();
        let response = client.rest();
        let statuses = statuses(&response);
        answered += statuses.iter().filter(|status| **status == "200").count();
        outcomes.push((name, statuses.join(" "), expected));
    }
    drop(fixture);
    let mut found = 0;
    for connection in recorder.stop() {
        found += check_connection(&connection);
    }
    assert_eq!(
        found, answered,
        "every request at the target has its answer in {mode:?}"
    );
    outcomes
}

/// The statuses of the final responses. That of HTTP/0.9 has none, but a body that tells.
fn statuses(response: &str) -> Vec<&str> {
    if response == "ok" {
        return vec!["200"];
    }
    if let Some(title) = response.strip_prefix("<html>\r\n<head><title>") {
        return vec![&title[..3]];
    }
    response
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|rest| &rest[..3])
        .filter(|status| *status != "100")
        .collect()
}

/// Reads what a connection received. How many requests it was.
fn check_connection(received: &[u8]) -> usize {
    let (mut at, mut found) = (0, 0);
    while at < received.len() {
        let request = Request::read(&received[at..])
            .unwrap_or_else(|ambiguity| panic!("{ambiguity}: {}", received.escape_ascii()));
        // The last request may have been given up when its body turned out to be malformed.
        let Some(request) = request else { break };
        let ids = request
            .fields
            .iter()
            .filter(|(name, _)| name == "x-amzn-trace-id");
        assert_eq!(ids.count(), 1, "it was sent on purpose: {request:?}");
        found += 1;
        at += request.length;
    }
    found
}

#[test]
fn what_is_not_refused_has_one_meaning_at_the_target() {
    let wrong: Vec<_> = send_all(DesyncMitigation::Defensive)
        .into_iter()
        .filter(|(_, statuses, expected)| statuses != expected)
        .collect();
    assert!(wrong.is_empty(), "shape, statuses, expected: {wrong:#?}");
    assert!(shapes().len() >= 60, "the published shapes are all there");
}

#[test]
fn monitoring_lets_nothing_ambiguous_through_either() {
    send_all(DesyncMitigation::Monitor);
}

#[test]
fn the_strictest_mode_lets_through_only_a_part_of_it() {
    let defensive = send_all(DesyncMitigation::Defensive);
    let strictest = send_all(DesyncMitigation::Strictest);
    let passes = |statuses: &str| statuses.starts_with("200");
    for ((name, before, _), (_, now, _)) in defensive.iter().zip(&strictest) {
        assert!(
            passes(before) || !passes(now),
            "{name}: {before} became {now}"
        );
    }
    let count = |outcomes: &[(&str, String, &str)]| {
        outcomes
            .iter()
            .filter(|(_, statuses, _)| passes(statuses))
            .count()
    };
    assert!(count(&strictest) < count(&defensive));
}
