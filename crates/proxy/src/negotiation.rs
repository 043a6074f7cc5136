//! Whether the response of a target is compressed for its client, and what becomes of its head then.
//!
//! Source: RFC 9110 sections 8.4, 8.8.1 and 12.5.3, RFC 9111 section 5.2; that there is any compression is an
//! extension of elbow (docs/parity.md, "Extensions").

use engine::ResponseCompression;

use crate::buffer::Buffer;
use crate::compressor::{Coding, Compressor};
use crate::exchange::Exchange;
use crate::head_sink::{HeadSink, RequestLine};
use crate::http1::field::Field;
use crate::http1::request::RequestHead;
use crate::http1::response::ResponseHead;
use crate::http1::{Fields, Framing, Version, content_length, list_members};
use crate::worker::Worker;

/// The highest quality value, in thousandths.
const QUALITY_MAX: u16 = 1000;

/// Fields with a digest of the content as the target has sent it (RFC 9530, RFC 3230, RFC 1864).
const DIGESTS: [&str; 4] = ["Content-Digest", "Repr-Digest", "Digest", "Content-MD5"];

/// What content negotiation makes of a response. Responses that are never compressed have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Negotiated {
    /// `None`: this client gets it as it is, and others may not.
    coding: Option<Coding>,
    /// Whether the response stands for one that was compressed before.
    is_not_modified: bool,
}

/// The coding that a client likes best, of those that are made here.
pub(crate) fn accepted_coding(request: &RequestHead<'_, '_>) -> Option<Coding> {
    // RFC 9112 section 7.1: HTTP/1.0 has no chunks, and a length is not known before the end.
    if request.version <= Version::Http10 || has_no_transform(request.fields) {
        return None;
    }
    let [mut brotli, mut gzip, mut identity, mut any] = [None; 4];
    for member in request
        .fields
        .named("Accept-Encoding")
        .flat_map(list_members)
    {
        let mut parts = member.split(|b| *b == b';');
        let name = parts.next().unwrap_or_default().trim_ascii();
        let Some(quality) = quality(parts) else {
            continue;
        };
        let is = |coding: &str| name.eq_ignore_ascii_case(coding.as_bytes());
        let noted = match () {
            () if is("br") => &mut brotli,
            // RFC 9110 section 8.4.1.3: both are the same.
            () if is("gzip") || is("x-gzip") => &mut gzip,
            () if is("identity") => &mut identity,
            () if is("*") => &mut any,
            () => continue,
        };
        *noted = Some(quality);
    }
    let of = |noted: Option<u16>| noted.or(any).unwrap_or(0);
    let (coding, best) = if of(gzip) > of(brotli) {
        (Coding::Gzip, of(gzip))
    } else {
        (Coding::Brotli, of(brotli))
    };
    (best > 0 && best >= identity.unwrap_or(0)).then_some(coding)
}

/// Whether the client has a weak validator: it may have got what it asks about compressed.
///
/// RFC 9110 section 15.4.5: most responses 304 do not say the type of what they stand for, and the validator is the
/// only trace of how that was sent. A target that makes weak validators itself loses nothing by being taken for us:
/// they stay as they are.
pub(crate) fn has_weak_validator(request: &RequestHead<'_, '_>) -> bool {
    let mut validators = request.fields.named("If-None-Match").flat_map(list_members);
    validators.any(|validator| validator.starts_with(b"W/"))
}

/// The weight among the parameters of a member, in thousandths; `None` if it is malformed.
fn quality<'a>(mut parameters: impl Iterator<Item = &'a [u8]>) -> Option<u16> {
    let Some(weight) = parameters.next() else {
        return Some(QUALITY_MAX);
    };
    let weight = weight.trim_ascii();
    let value = weight.strip_prefix(b"q=").or(weight.strip_prefix(b"Q="))?;
    let (whole, decimals) = match value {
        [whole] => (whole, &[][..]),
        [whole, b'.', decimals @ ..] if decimals.len() <= 3 => (whole, decimals),
        _ => return None,
    };
    if !decimals.iter().chain([whole]).all(u8::is_ascii_digit) {
        return None;
    }
    let digits = [whole].into_iter().chain(decimals).chain(b"000").take(4);
    let thousandths = digits.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    (thousandths <= QUALITY_MAX).then_some(thousandths)
}

/// What becomes of a response of a target, and what its body has to pass through.
pub(crate) fn negotiate(
    worker: &Worker,
    exchange: &Exchange,
    response: &ResponseHead<'_, '_>,
) -> (Option<Negotiated>, Option<Box<Compressor>>) {
    let Some(options) = &exchange.frontend.http.response_compression else {
        return (None, None);
    };
    let wanted = exchange.accepted_coding;
    if response.status == 304 {
        let stands_for_compressible =
            stands_for_compressible(options, response, exchange.has_weak_validator);
        let negotiated = stands_for_compressible.then_some(Negotiated {
            coding: None,
            is_not_modified: wanted.is_some(),
        });
        return (negotiated, None);
    }
    let has_body = exchange.is_head || response.framing != Framing::None;
    if !has_body || !is_compressible(options, response) {
        return (None, None);
    }
    let start = |coding| worker.compressors.start(coding, &worker.counters);
    let compressor = wanted
        .filter(|_| response.framing != Framing::None)
        .and_then(start);
    let negotiated = Negotiated {
        // RFC 9110 section 9.3.2: the head of HEAD is that of GET.
        coding: wanted.filter(|_| compressor.is_some() || exchange.is_head),
        is_not_modified: false,
    };
    (Some(negotiated), compressor)
}

/// Whether clients that accept it get a response with a body compressed.
fn is_compressible(options: &ResponseCompression, response: &ResponseHead<'_, '_>) -> bool {
    covers_type(options, response).unwrap_or(false) && is_changeable(options, response)
}

/// Whether a response without a body stands for such a response. Many do not say its type: then what the client has
/// tells.
fn stands_for_compressible(
    options: &ResponseCompression,
    response: &ResponseHead<'_, '_>,
    has_weak_validator: bool,
) -> bool {
    covers_type(options, response).unwrap_or(has_weak_validator) && is_changeable(options, response)
}

/// Whether responses of this type are compressed. `None`: the response does not say its type.
fn covers_type(options: &ResponseCompression, response: &ResponseHead<'_, '_>) -> Option<bool> {
    let content_type = response.fields.named("Content-Type").next();
    content_type.map(|content_type| options.covers(content_type))
}

/// Whether nothing but its type speaks against compressing a response.
fn is_changeable(options: &ResponseCompression, response: &ResponseHead<'_, '_>) -> bool {
    let fields = response.fields;
    let has = |name| fields.named(name).next().is_some();
    let length = fields
        .values(Field::ContentLength)
        .next()
        .and_then(content_length)
        // Some targets say 0 in every 304, whatever it stands for.
        .filter(|length| *length > 0 || response.status != 304);
    // A part has its place in the whole as it is (RFC 9110 section 14.4).
    let has_whole_body = !matches!(response.status, 204 | 206) && !has("Content-Range");
    has_whole_body
        && length.is_none_or(|length| length >= options.minimum_bytes)
        && !has("Content-Encoding")
        && !has_no_transform(fields)
        && !DIGESTS.into_iter().any(has)
}

/// RFC 9111 sections 5.2.1.6 and 5.2.2.6.
fn has_no_transform(fields: Fields<'_, '_>) -> bool {
    let mut directives = fields.named("Cache-Control").flat_map(list_members);
    directives.any(|directive| directive.eq_ignore_ascii_case(b"no-transform"))
}

impl Negotiated {
    /// The framing of what the client gets, for a response with `framing`.
    pub(crate) fn framing(self, framing: Framing) -> Framing {
        match (self.coding, framing) {
            (None, _) | (_, Framing::None) => framing,
            (Some(_), _) => Framing::Chunked,
        }
    }

    /// RFC 9110 section 8.8.1: a strong validator names these very bytes, which are others now.
    fn weakens(self) -> bool {
        self.coding.is_some() || self.is_not_modified
    }
}

/// A head on which the changes of its negotiation are made while it is written.
pub(crate) struct NegotiatedFields<'a, S> {
    sink: &'a mut S,
    negotiated: Negotiated,
    varies: bool,
}

impl<'a, S: HeadSink> NegotiatedFields<'a, S> {
    pub(crate) fn new(sink: &'a mut S, negotiated: Negotiated) -> Self {
        Self {
            sink,
            negotiated,
            varies: false,
        }
    }
}

impl<S: HeadSink> HeadSink for NegotiatedFields<'_, S> {
    fn request_line(&mut self, line: &RequestLine<'_>) {
        self.sink.request_line(line);
    }

    fn host(&mut self, write: impl FnOnce(&mut Buffer)) {
        self.sink.host(write);
    }

    fn status_line(&mut self, status: u16, reason: &str) {
        self.sink.status_line(status, reason);
    }

    fn field(&mut self, name: &str, value: &[u8]) {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        // Both are about the bytes that the target has sent: nobody can ask for ranges of the others.
        if self.negotiated.coding.is_some() && (is("Content-Length") || is("Accept-Ranges")) {
            return;
        }
        if self.negotiated.weakens() && is("ETag") && !value.starts_with(b"W/") {
            self.sink.field_of(name, |out| {
                out.put(b"W/");
                out.put(value);
            });
            return;
        }
        self.varies |= is("Vary") && list_members(value).any(names_accept_encoding);
        self.sink.field(name, value);
    }

    /// Values that are put together here are none of those that change.
    fn field_of(&mut self, name: &str, write: impl FnOnce(&mut Buffer)) {
        self.sink.field_of(name, write);
    }

    fn hop_field(&mut self, name: &str, value: &[u8]) {
        self.sink.hop_field(name, value);
    }

    fn end(&mut self) {
        if let Some(coding) = self.negotiated.coding {
            self.sink.field("Content-Encoding", coding.name());
        }
        if !self.varies {
            self.sink.field("Vary", b"Accept-Encoding");
        }
        self.sink.end();
    }
}

fn names_accept_encoding(member: &[u8]) -> bool {
    member == b"*" || member.eq_ignore_ascii_case(b"accept-encoding")
}

#[cfg(test)]
#[path = "negotiation_tests.rs"]
mod tests;
