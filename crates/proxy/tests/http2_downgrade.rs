//! Whatever a client puts into a request of HTTP/2, a target of HTTP/1.1 reads exactly that request, or nothing.
//!
//! RFC 9113 section 10.3.

#[path = "support/frames.rs"]
mod frames;
mod support;

use frames::*;
use proptest::prelude::*;
use support::{Fixture, Target, endpoint, forward_to};

#[derive(Clone, Debug)]
struct Request {
    method: String,
    path: String,
    authority: String,
    fields: Vec<(String, String)>,
    body: Vec<Vec<u8>>,
    /// Whether `Content-Length` says how long the body is.
    has_length: bool,
    trailers: Vec<(String, String)>,
}

/// Texts of which some would end a line, a head or a request of HTTP/1.1.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-z0-9/?&=%.,;:_-]{0,12}",
        1 => Just("\r\n\r\nGET /evil HTTP/1.1\r\nHost: evil\r\n\r\n".to_owned()),
        1 => Just("a\r\nTransfer-Encoding: chunked".to_owned()),
        1 => Just("a\nb".to_owned()),
        1 => Just("a HTTP/1.1".to_owned()),
        1 => Just("\0".to_owned()),
        1 => Just(" padded\t".to_owned()),
        1 => "\\PC{0,8}",
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "x-[a-z0-9]{1,6}",
        1 => Just("cookie".to_owned()),
        1 => Just("content_length".to_owned()),
        1 => Just("content-length".to_owned()),
        1 => Just("transfer-encoding".to_owned()),
        1 => Just("transfer_encoding".to_owned()),
        1 => Just("connection".to_owned()),
        1 => Just("host".to_owned()),
        1 => Just("X-Upper".to_owned()),
        1 => Just("a b".to_owned()),
        1 => Just("a:b".to_owned()),
        1 => Just("a\r\nb".to_owned()),
        1 => Just("".to_owned()),
    ]
}

fn fields(count: usize) -> impl Strategy<Value = Vec<(String, String)>> {
    // Most fields are good ones, or hardly any request would be.
    let good = ("x-[a-z0-9]{1,6}", "[a-z0-9=;, ]{0,9}[a-z]");
    let any = (name(), text());
    proptest::collection::vec(
        prop_oneof![6 => good.prop_map(|(n, v)| (n, v.trim().to_owned())), 1 => any],
        0..count,
    )
}

fn request() -> impl Strategy<Value = Request> {
    let method = prop_oneof![
        9 => "GET|POST|PUT|DELETE|PATCH|M-SEARCH",
        1 => Just("GET / HTTP/1.1\r\n\r\n".to_owned()),
    ];
    let path = prop_oneof![5 => "/[a-z0-9/?&=%.]{0,12}", 1 => text()];
    let authority = prop_oneof![5 => "[a-z]{1,9}(:[1-9][0-9]{1,3})?", 1 => text()];
    let body = proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..4);
    (
        method,
        path,
        authority,
        fields(6),
        body,
        any::<bool>(),
        fields(3),
    )
        .prop_map(
            |(method, path, authority, fields, body, has_length, trailers)| Request {
                method,
                path,
                authority,
                fields,
                body,
                has_length,
                trailers,
            },
        )
}

/// What a target reads.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    line: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Reads one request, and fails for everything that two recipients may read differently.
fn read(bytes: &[u8]) -> Result<Read, &'static str> {
    let end = bytes
        .windows(4)
        .position(|it| it == b"\r\n\r\n")
        .ok_or("the head has no end")?;
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "the head is not UTF-8")?;
    let mut lines = head.split("\r\n");
    let line = lines.next().ok_or("no line")?.to_owned();
    if line.split(' ').count() != 3 || !line.ends_with(" HTTP/1.1") {
        return Err("the request line has not three words");
    }
    let mut fields = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(": ").ok_or("a field without a colon")?;
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err("a name is not a token");
        }
        if value.bytes().any(|b| (b < b' ' && b != b'\t') || b == 0x7f) || value.trim() != value {
            return Err("a value has control characters or padding");
        }
        fields.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let only = |wanted: &str| -> Result<Option<String>, &'static str> {
        let mut values = fields.iter().filter(|(name, _)| name == wanted);
        let value = values.next().map(|(_, value)| value.clone());
        if values.next().is_some() {
            Err("a framing field twice")
        } else {
            Ok(value)
        }
    };
    if only("host")?.is_none() {
        return Err("no host");
    }
    let rest = &bytes[end + 4..];
    let body = match (only("content-length")?, only("transfer-encoding")?) {
        (Some(_), Some(_)) => return Err("two framings"),
        (Some(length), None) => {
            let length: usize = length.parse().map_err(|_| "no length")?;
            if rest.len() != length {
                return Err("not as long as it says");
            }
            rest.to_vec()
        }
        (None, Some(coding)) if coding == "chunked" => chunks(rest)?,
        (None, Some(_)) => return Err("another coding"),
        (None, None) if rest.is_empty() => Vec::new(),
        (None, None) => return Err("bytes behind the request"),
    };
    Ok(Read { line, fields, body })
}

fn chunks(mut rest: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut body = Vec::new();
    loop {
        let end = rest
            .windows(2)
            .position(|it| it == b"\r\n")
            .ok_or("no size")?;
        let size = std::str::from_utf8(&rest[..end]).map_err(|_| "no size")?;
        let size = usize::from_str_radix(size, 16).map_err(|_| "no size")?;
        rest = &rest[end + 2..];
        if size == 0 {
            break;
        }
        body.extend_from_slice(rest.get(..size).ok_or("a short chunk")?);
        rest = rest[size..]
            .strip_prefix(b"\r\n")
            .ok_or("no end of a chunk")?;
    }
    let trailers = std::str::from_utf8(rest).map_err(|_| "trailers")?;
    let trailers = trailers
        .strip_suffix("\r\n")
        .ok_or("no end of the trailers")?;
    let is_field = |line: &str| {
        let name = line.split_once(": ").map(|(name, _)| name);
        name.is_some_and(|name| name.starts_with("x-") || name == "cookie")
    };
    if trailers.split_terminator("\r\n").all(is_field) {
        Ok(body)
    } else {
        Err("a trailer that does not belong there")
    }
}

/// What the target receives; `None` if the request is refused.
fn exchange(fixture: &Fixture, target: &Target, request: &Request) -> Option<Vec<u8>> {
    let mut peer = FramePeer::connect(fixture.address);
    let length = request.body.iter().map(Vec::len).sum::<usize>().to_string();
    let mut head = vec![
        (":method", request.method.as_str()),
        (":scheme", "https"),
        (":path", &request.path),
        (":authority", &request.authority),
    ];
    head.extend(
        request
            .fields
            .iter()
            .map(|(name, value)| (&**name, &**value)),
    );
    if request.has_length {
        head.push(("content-length", &length));
    }
    let ends = request.body.is_empty() && request.trailers.is_empty();
    peer.request(1, &head, ends);
    for (index, data) in request.body.iter().enumerate() {
        let is_last = index + 1 == request.body.len() && request.trailers.is_empty();
        peer.data(1, data, is_last);
    }
    if !request.trailers.is_empty() {
        let trailers = request
            .trailers
            .iter()
            .map(|(name, value)| (&**name, &**value));
        peer.request(1, &trailers.collect::<Vec<_>>(), true);
    }
    fixture.settle();
    let Some(mut at_target) = target.accept_waiting() else {
        let response = peer.response(1);
        assert!(response.reset == Some(PROTOCOL_ERROR) || response.status() >= 400);
        return None;
    };
    fixture.settle();
    // The answer ends both the exchange and the connection, so that the target sees all that was sent.
    at_target.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    let response = peer.response(1);
    let is_refused = response.reset == Some(PROTOCOL_ERROR);
    let received = at_target.rest_bytes();
    (!is_refused).then_some(received)
}

#[test]
fn the_target_reads_the_request_or_nothing() {
    let target = Target::listen();
    let fixture = Fixture::of_http2(forward_to(&[endpoint(target.address)]));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let passed = std::cell::Cell::new(0);
    runner
        .run(&request(), |request| {
            let Some(received) = exchange(&fixture, &target, &request) else {
                return Ok(());
            };
            passed.set(passed.get() + 1);
            let shown = received.escape_ascii().to_string();
            let read =
                read(&received).map_err(|why| TestCaseError::fail(format!("{why}: {shown}")))?;
            let line = format!("{} {} HTTP/1.1", request.method, request.path);
            prop_assert_eq!(&read.line, &line);
            prop_assert_eq!(&read.body, &request.body.concat());
            let sent = request
                .fields
                .iter()
                .filter(|(name, _)| name.starts_with("x-"));
            let own = [
                "x-forwarded-for",
                "x-forwarded-proto",
                "x-forwarded-port",
                "x-amzn-trace-id",
            ];
            let got = read
                .fields
                .iter()
                .filter(|(name, _)| name.starts_with("x-") && !own.contains(&&**name));
            prop_assert_eq!(
                got.collect::<Vec<_>>(),
                sent.collect::<Vec<_>>(),
                "{}",
                shown
            );
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    let passed = passed.get();
    assert!(passed > 50, "only {passed} requests were good ones");
}
