//! Heads as the next hop gets them: hop-by-hop fields removed, forwarding fields added, one framing.

use std::net::{IpAddr, SocketAddr};

use engine::Frontend;

use crate::buffer::Buffer;
use crate::date::HttpDate;
use crate::http1::field::Field;
use crate::http1::host::Host;
use crate::http1::request::{BadRequest, RequestHead};
use crate::http1::response::ResponseHead;
use crate::http1::{Fields, Framing, Version, list_members};
use crate::pump::Encode;
use crate::trace_id::{self, TraceId};

/// Addresses in `X-Forwarded-For` that a request may bring; with more it is answered with 463.
///
/// Source: ALB guide, "Troubleshoot your Application Load Balancers", HTTP 463.
const FORWARDED_ADDRESSES_MAX: usize = 30;

/// Writes the head of `request` for a target, without the body that may follow it.
///
/// # Errors
/// 463 if `X-Forwarded-For` has more than 30 addresses.
pub(crate) fn write_request(
    out: &mut Buffer,
    request: &RequestHead<'_, '_>,
    head_bytes: usize,
    frontend: &Frontend,
    peer: SocketAddr,
    trace_id: TraceId,
) -> Result<(), BadRequest> {
    out.put(request.method.as_bytes());
    out.put(b" ");
    out.put(request.path);
    if let Some(query) = request.query {
        out.put(b"?");
        out.put(query);
    }
    out.put(b" HTTP/1.1\r\nHost: ");
    write_host(out, request.host, frontend);
    out.put(b"\r\n");

    let nominated = Nominated::of(request.fields);
    for (kind, name, value) in request.fields.iter() {
        match kind {
            Field::Other | Field::Date if !nominated.holds(name) => put_field(out, name, value),
            _ => {}
        }
    }
    match request.framing {
        Framing::Length(length) => put_content_length(out, length),
        Framing::Chunked => out.put(b"Transfer-Encoding: chunked\r\n"),
        // A client that said 0 means that the body is empty, which some targets want to know.
        Framing::None if request.fields.values(Field::ContentLength).next().is_some() => {
            put_content_length(out, 0);
        }
        Framing::None | Framing::UntilClose => {}
    }
    if let Some(protocol) = request.upgrade {
        out.put(b"Connection: Upgrade\r\n");
        put_field(out, "Upgrade", protocol);
    }
    write_forwarded(out, request.fields, frontend, peer)?;
    out.put(b"X-Amzn-Trace-Id: ");
    let received = request.fields.values(Field::TraceId).next();
    let received = received.filter(|_| head_bytes <= trace_id::REQUEST_HEAD_BYTES_MAX);
    trace_id.write(received, |bytes| out.put(bytes));
    out.put(b"\r\n\r\n");
    Ok(())
}

/// The host in lower case. The port is left out on listener ports 80 and 443 and stands there on others.
///
/// Source: ALB guide, "Host header preservation".
fn write_host(out: &mut Buffer, host: Option<Host<'_>>, frontend: &Frontend) {
    match host {
        None => out.put(frontend.dns_name.as_bytes()),
        Some(host) => host.name.chunks(64).for_each(|part| {
            let mut lower = [0; 64];
            let lower = &mut lower[..part.len()];
            lower.copy_from_slice(part);
            lower.make_ascii_lowercase();
            out.put(lower);
        }),
    }
    let listener_port = frontend.port();
    if matches!(listener_port, 80 | 443) {
        return;
    }
    out.put(b":");
    match host.and_then(|host| host.port) {
        Some(port) => out.put(port),
        None => put_number(out, u64::from(listener_port)),
    }
}

/// Source: ALB guide, "HTTP headers and Application Load Balancers", "X-Forwarded headers", mode append.
fn write_forwarded(
    out: &mut Buffer,
    fields: Fields<'_, '_>,
    frontend: &Frontend,
    peer: SocketAddr,
) -> Result<(), BadRequest> {
    out.put(b"X-Forwarded-For: ");
    let mut addresses = 0;
    for value in fields.values(Field::ForwardedFor) {
        addresses += list_members(value).count();
        if !value.is_empty() {
            out.put(value);
            out.put(b", ");
        }
    }
    if addresses > FORWARDED_ADDRESSES_MAX {
        return Err(BadRequest {
            status: 463,
            reason: "X-Forwarded-For has more than 30 addresses",
        });
    }
    put_address(out, peer.ip().to_canonical());
    out.put(b"\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: ");
    put_number(out, u64::from(frontend.port()));
    out.put(b"\r\n");
    Ok(())
}

/// How the response head says that the connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    KeepAlive,
    Close,
}

/// Writes the head of a target's final response for the client.
pub(crate) fn write_response(
    out: &mut Buffer,
    response: &ResponseHead<'_, '_>,
    encode: Encode,
    persistence: Persistence,
    date: &HttpDate,
) {
    put_status_line(out, response);
    let nominated = Nominated::of(response.fields);
    let (mut has_date, mut has_length) = (false, false);
    for (kind, name, value) in response.fields.iter() {
        match kind {
            Field::Date => {
                has_date = true;
                put_field(out, name, value);
            }
            // RFC 9110 section 8.6: none in a 204, whatever the target says.
            Field::ContentLength
                if !has_length && encode == Encode::Raw && response.status != 204 =>
            {
                has_length = true;
                put_field(out, name, value);
            }
            // RFC 9110 section 15.5.22: 426 names the protocol in `Upgrade`.
            Field::Upgrade if response.status == 426 => put_field(out, name, value),
            Field::Connection
            | Field::ContentLength
            | Field::HopByHop
            | Field::TransferEncoding
            | Field::Upgrade => {}
            _ if nominated.holds(name) => {}
            _ => put_field(out, name, value),
        }
    }
    if !has_date {
        // RFC 9110 section 6.6.1: a recipient with a clock adds what the origin has left out.
        put_field(out, "Date", date.as_bytes());
    }
    if encode == Encode::Chunked {
        out.put(b"Transfer-Encoding: chunked\r\n");
    }
    out.put(match persistence {
        Persistence::KeepAlive => b"Connection: keep-alive\r\n\r\n",
        Persistence::Close => b"Connection: close\r\n\r\n",
    });
}

/// Writes an interim response: 101 with the fields that make the upgrade, others without any hop's fields.
pub(crate) fn write_interim(out: &mut Buffer, response: &ResponseHead<'_, '_>) {
    put_status_line(out, response);
    let nominated = Nominated::of(response.fields);
    for (kind, name, value) in response.fields.iter() {
        match kind {
            Field::Upgrade if response.status == 101 => put_field(out, name, value),
            Field::Other | Field::Date if !nominated.holds(name) => put_field(out, name, value),
            _ => {}
        }
    }
    if response.status == 101 {
        out.put(b"Connection: upgrade\r\n");
    }
    out.put(b"\r\n");
}

fn put_status_line(out: &mut Buffer, response: &ResponseHead<'_, '_>) {
    out.put(b"HTTP/1.1 ");
    put_number(out, u64::from(response.status));
    out.put(b" ");
    out.put(response.reason.as_bytes());
    out.put(b"\r\n");
}

/// The body encoding for a client of this version, and whether the close is what ends the body.
pub(crate) fn encoding_for(client: Version, framing: Framing) -> (Encode, bool) {
    match (framing, client) {
        (Framing::None | Framing::Length(_), _) => (Encode::Raw, false),
        (Framing::Chunked | Framing::UntilClose, Version::Http11) => (Encode::Chunked, false),
        (Framing::Chunked | Framing::UntilClose, Version::Http10) => (Encode::Raw, true),
    }
}

/// The fields that `Connection` declares to be for one hop only.
///
/// Source: RFC 9110 section 7.6.1.
#[derive(Clone, Copy)]
struct Nominated<'a, 'b> {
    fields: Fields<'a, 'b>,
    is_empty: bool,
}

impl<'a, 'b> Nominated<'a, 'b> {
    fn of(fields: Fields<'a, 'b>) -> Self {
        let usual = |option: &[u8]| {
            [&b"keep-alive"[..], b"close", b"upgrade"]
                .iter()
                .any(|known| option.eq_ignore_ascii_case(known))
        };
        let mut options = fields.values(Field::Connection).flat_map(list_members);
        Self {
            fields,
            is_empty: options.all(usual),
        }
    }

    fn holds(&self, name: &str) -> bool {
        let is_it = |option: &[u8]| option.eq_ignore_ascii_case(name.as_bytes());
        !self.is_empty
            && self
                .fields
                .values(Field::Connection)
                .flat_map(list_members)
                .any(is_it)
    }
}

fn put_field(out: &mut Buffer, name: &str, value: &[u8]) {
    out.put(name.as_bytes());
    out.put(b": ");
    out.put(value);
    out.put(b"\r\n");
}

fn put_content_length(out: &mut Buffer, length: u64) {
    out.put(b"Content-Length: ");
    put_number(out, length);
    out.put(b"\r\n");
}

/// Appends a decimal number; formatting through `fmt` costs several times as much.
pub(crate) fn put_number(out: &mut Buffer, number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.put(&digits[at..]);
}

/// Appends an address. Nearly all are IPv4, which `fmt` takes 700 instructions to write.
fn put_address(out: &mut Buffer, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => {
            let [first, rest @ ..] = v4.octets();
            put_number(out, u64::from(first));
            for octet in rest {
                out.put(b".");
                put_number(out, u64::from(octet));
            }
        }
        IpAddr::V6(v6) => out.put(v6.to_string().as_bytes()),
    }
}
