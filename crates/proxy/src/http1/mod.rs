//! HTTP/0.9, HTTP/1.0 and HTTP/1.1 as bytes: heads, framing and chunks. Nothing here waits or does I/O.

pub mod chunked;
pub mod field;
pub mod host;
pub mod request;
pub mod response;
pub mod scan;
pub mod simple;

use field::Field;

/// The protocol version of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/0.9; requests only.
    Http09,
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
}

/// How the end of a message's body is found.
///
/// Source: RFC 9112 section 6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// Exactly this many bytes.
    Length(u64),
    /// In parts that carry the end with them: chunks, or the frames of HTTP/2 without a `Content-Length`.
    Chunked,
    /// Until the connection closes; responses only.
    UntilClose,
}

/// Fields of one head; more are refused. AWS names only the limit in bytes, but a bound is needed for what
/// the smallest possible fields would cost.
pub const FIELDS_MAX: usize = 256;

/// Room for the fields of one head, on the stack of the function that parses it.
pub struct FieldStorage<'b> {
    headers: [std::mem::MaybeUninit<httparse::Header<'b>>; FIELDS_MAX],
    kinds: [Field; FIELDS_MAX],
}

impl FieldStorage<'_> {
    /// Storage for one parse.
    #[must_use]
    pub fn new() -> Self {
        Self {
            headers: [const { std::mem::MaybeUninit::uninit() }; FIELDS_MAX],
            kinds: [Field::Other; FIELDS_MAX],
        }
    }
}

impl Default for FieldStorage<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// The fields of a head in their order, each with what it means to a proxy.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a, 'b> {
    headers: &'a [httparse::Header<'b>],
    kinds: &'a [Field],
}

impl<'a, 'b> Fields<'a, 'b> {
    /// The fields `headers`, whose meanings are written to as many of `kinds`.
    pub(crate) fn classify(headers: &'a [httparse::Header<'b>], kinds: &'a mut [Field]) -> Self {
        let kinds = &mut kinds[..headers.len()];
        for (kind, header) in kinds.iter_mut().zip(headers) {
            *kind = Field::of(header.name.as_bytes());
        }
        Self { headers, kinds }
    }

    /// Every field: what it means, its name as received, its value without surrounding white space.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &'b str, &'b [u8])> + use<'a, 'b> {
        self.kinds
            .iter()
            .zip(self.headers)
            .map(|(kind, header)| (*kind, header.name, header.value))
    }

    /// What each field means, in order.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Field> + use<'a> {
        self.kinds.iter().copied()
    }

    /// The values of all fields of one kind, in order.
    pub fn values(&self, wanted: Field) -> impl Iterator<Item = &'b [u8]> + use<'a, 'b> {
        self.iter()
            .filter(move |(kind, ..)| *kind == wanted)
            .map(|(_, _, value)| value)
    }

    /// The values of all fields of this name, whatever its case, in order.
    pub fn named(&self, wanted: &str) -> impl Iterator<Item = &'b [u8]> {
        self.iter()
            .filter(move |(_, name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, _, value)| value)
    }
}

/// The members of a comma-separated list, without white space; empty members are passed over.
///
/// Source: RFC 9110 section 5.6.1.2.
pub fn list_members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&b| b == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

/// A `Content-Length` that is digits only and fits 64 bits.
pub(crate) fn content_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}
