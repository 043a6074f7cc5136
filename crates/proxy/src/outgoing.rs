//! Heads as the next hop gets them: hop-by-hop fields removed, forwarding fields added, one framing.

use std::net::IpAddr;

use engine::Frontend;

use crate::buffer::Buffer;
use crate::date::HttpDate;
use crate::decide::ConnectionFacts;
use crate::head_sink::{HeadSink, RequestLine};
use crate::http1::field::Field;
use crate::http1::host::Host;
use crate::http1::request::RequestHead;
use crate::http1::response::ResponseHead;
use crate::http1::{Fields, Framing, Version, list_members};
use crate::pump::Encode;
use crate::trace_id::{self, TraceId};

/// Addresses in `X-Forwarded-For` that a request may bring; with more it is answered with 463.
///
/// Source: ALB guide, "Troubleshoot your Application Load Balancers", HTTP 463.
const FORWARDED_ADDRESSES_MAX: usize = 30;

/// A request on its way to a target.
#[derive(Clone, Copy)]
pub(crate) struct Forwarded<'h, 'a, 'b> {
    pub(crate) request: &'h RequestHead<'a, 'b>,
    pub(crate) frontend: &'h Frontend,
    pub(crate) connection: ConnectionFacts<'h>,
    pub(crate) trace_id: TraceId,
}

impl Forwarded<'_, '_, '_> {
    /// Writes the head for a target, without the body that may follow it.
    pub(crate) fn write_head(&self, sink: &mut impl HeadSink) {
        let request = self.request;
        sink.request_line(&RequestLine {
            method: request.method,
            path: request.path,
            query: request.query,
        });
        sink.host(|out| put_host(out, request.host, self.frontend));
        let nominated = Nominated::of(request.fields);
        for (kind, name, value) in request.fields.iter() {
            match kind {
                Field::Other | Field::Date if !nominated.holds(name) => sink.field(name, value),
                Field::Cookie if !nominated.holds(name) => self.write_cookie(sink, name, value),
                _ => {}
            }
        }
        match request.framing {
            Framing::Length(length) => write_content_length(sink, length),
            Framing::Chunked => sink.hop_field("Transfer-Encoding", b"chunked"),
            // A client that said 0 means that the body is empty, which some targets want to know.
            Framing::None if request.fields.values(Field::ContentLength).next().is_some() => {
                write_content_length(sink, 0);
            }
            Framing::None | Framing::UntilClose => {}
        }
        if let Some(protocol) = request.upgrade {
            sink.hop_field("Connection", b"Upgrade");
            sink.hop_field("Upgrade", protocol);
        }
        self.write_forwarded_fields(sink);
        sink.field_of("X-Amzn-Trace-Id", |out| {
            let received = request.fields.values(Field::TraceId).next();
            let received = received.filter(|_| request.size <= trace_id::REQUEST_HEAD_BYTES_MAX);
            self.trace_id.write(received, |bytes| out.put(bytes));
        });
        sink.end();
    }

    /// RFC 9113 section 8.2.3: the pieces into which HTTP/2 cuts the cookies are joined at the first of them.
    fn write_cookie(&self, sink: &mut impl HeadSink, name: &str, value: &[u8]) {
        let fields = self.request.fields;
        if self.request.version != Version::Http2 {
            return sink.field(name, value);
        }
        let mut pieces = fields.values(Field::Cookie);
        let is_first = pieces
            .next()
            .is_some_and(|first| std::ptr::eq(first, value));
        if is_first {
            sink.field_of(name, |out| {
                out.put(value);
                for piece in pieces {
                    out.put(b"; ");
                    out.put(piece);
                }
            });
        }
    }

    /// Source: ALB guide, "HTTP headers and Application Load Balancers", "X-Forwarded headers", mode append.
    fn write_forwarded_fields(&self, sink: &mut impl HeadSink) {
        sink.field_of("X-Forwarded-For", |out| {
            for value in self.request.fields.values(Field::ForwardedFor) {
                if !value.is_empty() {
                    out.put(value);
                    out.put(b", ");
                }
            }
            put_address(out, self.connection.peer.ip().to_canonical());
        });
        sink.field("X-Forwarded-Proto", self.connection.scheme().as_bytes());
        sink.field_of("X-Forwarded-Port", |out| {
            put_number(out, u64::from(self.frontend.port()));
        });
    }
}

/// Whether `X-Forwarded-For` has more addresses than a request may bring.
pub(crate) fn has_too_many_addresses(fields: Fields<'_, '_>) -> bool {
    let values = fields.values(Field::ForwardedFor);
    values.flat_map(list_members).count() > FORWARDED_ADDRESSES_MAX
}

/// The host in lower case. The port is left out on listener ports 80 and 443 and stands there on others.
///
/// Source: ALB guide, "Host header preservation".
fn put_host(out: &mut Buffer, host: Option<Host<'_>>, frontend: &Frontend) {
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

/// How the response head says that the connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    KeepAlive,
    Close,
}

impl Persistence {
    /// The connection option that says so.
    pub(crate) fn option(self) -> &'static [u8] {
        match self {
            Self::KeepAlive => b"keep-alive",
            Self::Close => b"close",
        }
    }
}

/// Writes the head of a target's final response for the client.
pub(crate) fn write_response(
    sink: &mut impl HeadSink,
    response: &ResponseHead<'_, '_>,
    encode: Encode,
    persistence: Persistence,
    date: &HttpDate,
) {
    sink.status_line(response.status, response.reason);
    let nominated = Nominated::of(response.fields);
    let (mut has_date, mut has_length) = (false, false);
    for (kind, name, value) in response.fields.iter() {
        match kind {
            Field::Date => {
                has_date = true;
                sink.field(name, value);
            }
            // RFC 9110 section 8.6: none in a 204, whatever the target says.
            Field::ContentLength
                if !has_length && encode == Encode::Raw && response.status != 204 =>
            {
                has_length = true;
                sink.field(name, value);
            }
            // RFC 9110 section 15.5.22: 426 names the protocol in `Upgrade`.
            Field::Upgrade if response.status == 426 => sink.hop_field(name, value),
            Field::Connection
            | Field::ContentLength
            | Field::HopByHop
            | Field::TransferEncoding
            | Field::Upgrade => {}
            _ if nominated.holds(name) => {}
            _ => sink.field(name, value),
        }
    }
    if !has_date {
        // RFC 9110 section 6.6.1: a recipient with a clock adds what the origin has left out.
        sink.field("Date", date.as_bytes());
    }
    if encode == Encode::Chunked {
        sink.hop_field("Transfer-Encoding", b"chunked");
    }
    sink.hop_field("Connection", persistence.option());
    sink.end();
}

/// Writes an interim response: 101 with the fields that make the upgrade, others without any hop's fields.
pub(crate) fn write_interim(sink: &mut impl HeadSink, response: &ResponseHead<'_, '_>) {
    sink.status_line(response.status, response.reason);
    let nominated = Nominated::of(response.fields);
    for (kind, name, value) in response.fields.iter() {
        match kind {
            Field::Upgrade if response.status == 101 => sink.hop_field(name, value),
            Field::Other | Field::Cookie | Field::Date if !nominated.holds(name) => {
                sink.field(name, value);
            }
            _ => {}
        }
    }
    if response.status == 101 {
        sink.hop_field("Connection", b"upgrade");
    }
    sink.end();
}

/// The body encoding for a client of this version, and whether the close is what ends the body.
pub(crate) fn encoding_for(client: Version, framing: Framing) -> (Encode, bool) {
    match (framing, client) {
        (Framing::None | Framing::Length(_), _) => (Encode::Raw, false),
        (Framing::Chunked | Framing::UntilClose, Version::Http11) => (Encode::Chunked, false),
        // The frames carry the end.
        (Framing::Chunked | Framing::UntilClose, Version::Http2) => (Encode::Raw, false),
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

/// Writes `Content-Length`.
pub(crate) fn write_content_length(sink: &mut impl HeadSink, length: u64) {
    sink.field_of("Content-Length", |out| put_number(out, length));
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
