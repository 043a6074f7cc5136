//! Response heads as the client gets them: hop-by-hop fields removed, one framing.

use std::net::IpAddr;

use engine::HttpOptions;

use crate::buffer::Buffer;
use crate::changed_fields::ChangedFields;
use crate::compressor::Compressor;
use crate::exchange::Exchange;
use crate::head_sink::HeadSink;
use crate::http1::field::Field;
use crate::http1::response::ResponseHead;
use crate::http1::{Fields, Framing, Version, list_members};
use crate::negotiation::{Negotiated, NegotiatedFields, negotiate};
use crate::pump::Encode;
use crate::sticky::StayCookies;

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

/// A target's final response on its way to the client, whatever versions of HTTP both speak.
pub(crate) struct Outgoing<'a> {
    response: &'a ResponseHead<'a, 'a>,
    exchange: &'a Exchange,
    cookies: StayCookies<'a>,
    /// `None`: its representation is the target's own.
    negotiated: Option<Negotiated>,
}

impl<'a> Outgoing<'a> {
    /// Counts a response and decides what the client gets of it. Its body passes through the compressor, if there
    /// is one.
    pub(crate) fn begin(
        response: &'a ResponseHead<'a, 'a>,
        exchange: &'a Exchange,
        cookies: StayCookies<'a>,
    ) -> (Self, Option<Box<Compressor>>) {
        let worker = cookies.worker;
        worker.counters.count_target_response(response.status);
        let (negotiated, compressor) = negotiate(worker, exchange, response);
        let outgoing = Self {
            response,
            exchange,
            cookies,
            negotiated,
        };
        (outgoing, compressor)
    }

    /// How the body ends that the client gets.
    pub(crate) fn framing(&self) -> Framing {
        let framing = self.response.framing;
        self.negotiated.map_or(framing, |it| it.framing(framing))
    }

    /// Writes the head.
    pub(crate) fn write_head(
        &self,
        sink: &mut impl HeadSink,
        encode: Encode,
        persistence: Persistence,
    ) {
        // The changes of the rule come first, so that they cannot take away what the negotiation has to say.
        match self.negotiated {
            None => self.write_changed(sink, encode, persistence),
            Some(negotiated) => {
                let sink = &mut NegotiatedFields::new(sink, negotiated);
                self.write_changed(sink, encode, persistence);
            }
        }
    }

    fn write_changed(&self, sink: &mut impl HeadSink, encode: Encode, persistence: Persistence) {
        match self.exchange.extensions.as_deref() {
            Some(extensions) if !extensions.response_fields.is_empty() => {
                let kept = &self.exchange.frontend.http.response_fields;
                let sink = &mut ChangedFields::new(sink, &extensions.response_fields, kept);
                self.write_unchanged(sink, encode, persistence);
            }
            _ => self.write_unchanged(sink, encode, persistence),
        }
    }

    fn write_unchanged(&self, sink: &mut impl HeadSink, encode: Encode, persistence: Persistence) {
        let response = self.response;
        let options = &self.exchange.frontend.http;
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
                _ if nominated.holds(name) || is_replaced(options, name) => {}
                _ => sink.field(name, value),
            }
        }
        self.cookies.write(sink, response.fields);
        write_listener_fields(sink, options);
        if !has_date {
            // RFC 9110 section 6.6.1: a recipient with a clock adds what the origin has left out.
            sink.field("Date", self.cookies.worker.date().as_bytes());
        }
        if encode == Encode::Chunked {
            sink.hop_field("Transfer-Encoding", b"chunked");
        }
        sink.hop_field("Connection", persistence.option());
        sink.end();
    }
}

/// Writes the fields that the listener gives every response.
///
/// Source: ALB guide, "Enable HTTP header modification for your Application Load Balancer".
pub(crate) fn write_listener_fields(sink: &mut impl HeadSink, options: &HttpOptions) {
    for (name, value) in &options.response_fields {
        sink.field(name, value.as_bytes());
    }
}

/// Whether the listener has its own value for this field of a response.
fn is_replaced(options: &HttpOptions, name: &str) -> bool {
    let mut own = options.response_fields.iter();
    own.any(|(own, _)| own.eq_ignore_ascii_case(name))
}

/// Writes an interim response that a final one follows, without any hop's fields.
pub(crate) fn write_interim(sink: &mut impl HeadSink, response: &ResponseHead<'_, '_>) {
    sink.status_line(response.status, response.reason);
    let nominated = Nominated::of(response.fields);
    for (kind, name, value) in response.fields.iter() {
        if kind.may_trail() && !nominated.holds(name) {
            sink.field(name, value);
        }
    }
    sink.end();
}

/// Writes 101: no response follows it, so it has the cookies and the listener's fields that a final one would have
/// had.
pub(crate) fn write_switch(
    sink: &mut impl HeadSink,
    response: &ResponseHead<'_, '_>,
    options: &HttpOptions,
    cookies: &StayCookies<'_>,
) {
    sink.status_line(response.status, response.reason);
    let nominated = Nominated::of(response.fields);
    for (kind, name, value) in response.fields.iter() {
        match kind {
            Field::Upgrade => sink.hop_field(name, value),
            _ if nominated.holds(name) || is_replaced(options, name) => {}
            _ if kind.may_trail() => sink.field(name, value),
            _ => {}
        }
    }
    cookies.write(sink, response.fields);
    write_listener_fields(sink, options);
    sink.hop_field("Connection", b"upgrade");
    sink.end();
}

/// The body encoding for a client of this version, and whether the close is what ends the body.
pub(crate) fn encoding_for(client: Version, framing: Framing) -> (Encode, bool) {
    match (framing, client) {
        (Framing::None | Framing::Length(_), _) => (Encode::Raw, false),
        (Framing::Chunked | Framing::UntilClose, Version::Http11) => (Encode::Chunked, false),
        // The frames carry the end.
        (Framing::Chunked | Framing::UntilClose, Version::Http2) => (Encode::Raw, false),
        (Framing::Chunked | Framing::UntilClose, Version::Http09 | Version::Http10) => {
            (Encode::Raw, true)
        }
    }
}

/// The fields that `Connection` declares to be for one hop only.
///
/// Source: RFC 9110 section 7.6.1.
#[derive(Clone, Copy)]
pub(crate) struct Nominated<'a, 'b> {
    fields: Fields<'a, 'b>,
    is_empty: bool,
}

impl<'a, 'b> Nominated<'a, 'b> {
    pub(crate) fn of(fields: Fields<'a, 'b>) -> Self {
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

    pub(crate) fn holds(&self, name: &str) -> bool {
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
pub(crate) fn put_address(out: &mut Buffer, address: IpAddr) {
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
