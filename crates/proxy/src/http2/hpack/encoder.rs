//! Encodes field sections without a dynamic table.
//!
//! Names are indexed where every decoder knows them and values are written as they are: a table of our own
//! would save the peer bytes and cost us a search for each field of each message. It also makes the section
//! of a request independent of the connection, so that it is encoded once, wherever it is sent.

use super::static_table::known_name;
use crate::buffer::Buffer;

/// The encoder of one connection.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    has_resized: bool,
}

impl Encoder {
    /// Starts the field section of a response with its status, 100 to 999.
    pub(crate) fn start(&mut self, out: &mut Buffer, status: u16) {
        self.start_section(out);
        let index = match status {
            200 => 8,
            204 => 9,
            206 => 10,
            304 => 11,
            400 => 12,
            404 => 13,
            500 => 14,
            _ => {
                let digit = |power: u16| b'0' + (status / power % 10) as u8;
                out.put(&[0x08, 3, digit(100), digit(10), digit(1)]);
                return;
            }
        };
        out.put(&[0x80 | index]);
    }

    /// Starts a field section.
    pub(crate) fn start_section(&mut self, out: &mut Buffer) {
        if !std::mem::replace(&mut self.has_resized, true) {
            // A table of no bytes is below any limit that the peer may set later (RFC 7541 section 4.2).
            out.put(&[0x20]);
        }
    }
}

/// Appends the pseudo fields of a request other than `:authority`.
pub(crate) fn put_request_line(
    out: &mut Buffer,
    method: &str,
    scheme: Scheme,
    path: &[u8],
    query: Option<&[u8]>,
) {
    match method {
        "GET" => out.put(&[0x82]),
        "POST" => out.put(&[0x83]),
        _ => {
            out.put(&[2]);
            put_string(out, method.as_bytes());
        }
    }
    out.put(&[match scheme {
        Scheme::Http => 0x86,
        Scheme::Https => 0x87,
    }]);
    match (path, query) {
        (b"/", None) => out.put(&[0x84]),
        (path, None) => {
            out.put(&[4]);
            put_string(out, path);
        }
        (path, Some(query)) => {
            out.put(&[4]);
            put_integer(out, 0, 7, path.len() + 1 + query.len());
            out.put(path);
            out.put(b"?");
            out.put(query);
        }
    }
}

/// What `:scheme` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// Appends `:authority`, whose value is put together by `write`.
pub(crate) fn put_authority(out: &mut Buffer, write: impl FnOnce(&mut Buffer)) {
    out.put(&[1]);
    put_string_of(out, write);
}

fn put_string(out: &mut Buffer, text: &[u8]) {
    put_integer(out, 0, 7, text.len());
    out.put(text);
}

/// Appends a string of which the length is known when it is written.
fn put_string_of(out: &mut Buffer, write: impl FnOnce(&mut Buffer)) {
    let at = out.len();
    out.put(&[0]);
    write(out);
    let length = out.len() - at - 1;
    if length < 0x7f {
        out.filled_mut()[at] = length as u8;
        return;
    }
    // Few values are so long that their length takes more than the byte that was left for it.
    let text = out.filled()[at + 1..].to_vec();
    out.truncate(at);
    put_string(out, &text);
}

/// Appends a field whose value is put together by `write`.
pub(crate) fn put_field_of(out: &mut Buffer, name: &[u8], write: impl FnOnce(&mut Buffer)) {
    put_name(out, name);
    put_string_of(out, write);
}

/// Appends a field; its name is written in lower case (RFC 9113 section 8.2).
pub(crate) fn put_field(out: &mut Buffer, name: &[u8], value: &[u8]) {
    put_name(out, name);
    put_string(out, value);
}

fn put_name(out: &mut Buffer, name: &[u8]) {
    match known_name(name) {
        Some(index @ 0..15) => out.put(&[index]),
        Some(index) => out.put(&[0x0f, index - 15]),
        None => {
            out.put(&[0]);
            put_integer(out, 0, 7, name.len());
            for part in name.chunks(64) {
                let mut lower = [0; 64];
                let lower = &mut lower[..part.len()];
                lower.copy_from_slice(part);
                lower.make_ascii_lowercase();
                out.put(lower);
            }
        }
    }
}

/// Source: RFC 7541 section 5.1.
fn put_integer(out: &mut Buffer, first: u8, prefix: u32, number: usize) {
    let mask = (1_usize << prefix) - 1;
    if number < mask {
        out.put(&[first | number as u8]);
        return;
    }
    out.put(&[first | mask as u8]);
    let mut rest = number - mask;
    while rest >= 0x80 {
        out.put(&[0x80 | (rest & 0x7f) as u8]);
        rest >>= 7;
    }
    out.put(&[rest as u8]);
}

#[cfg(test)]
mod tests {
    use super::super::decoder::{Decoder, FieldList, ListLimits};
    use super::*;
    use proptest::prelude::*;

    const LIMITS: ListLimits = ListLimits {
        field_bytes_max: 1 << 20,
        list_bytes_max: 1 << 22,
        fields_max: 1000,
    };

    #[test]
    fn every_status_is_written_in_three_digits() {
        let mut encoder = Encoder::default();
        let mut decoder = Decoder::default();
        let mut list = FieldList::default();
        for status in 100..=999_u16 {
            let mut out = Buffer::default();
            encoder.start(&mut out, status);
            decoder.decode(out.filled(), &LIMITS, &mut list).unwrap();
            let fields: Vec<_> = list.iter().collect();
            let text = status.to_string();
            assert_eq!(fields, [(&b":status"[..], text.as_bytes())]);
        }
    }

    #[test]
    fn the_pseudo_fields_of_a_request_are_decoded_as_they_were_encoded() {
        for (method, scheme, path, query) in [
            ("GET", Scheme::Http, "/", None),
            ("POST", Scheme::Https, "/a", None),
            ("M-SEARCH", Scheme::Https, "/", Some("")),
            ("OPTIONS", Scheme::Http, "*", Some("a=b")),
        ] {
            let mut out = Buffer::default();
            let query_bytes = query.map(str::as_bytes);
            put_request_line(&mut out, method, scheme, path.as_bytes(), query_bytes);
            put_authority(&mut out, |out| out.put(b"a:1"));
            let mut list = FieldList::default();
            let mut decoder = Decoder::default();
            decoder.decode(out.filled(), &LIMITS, &mut list).unwrap();
            let target = query.map_or(path.to_owned(), |query| format!("{path}?{query}"));
            let scheme = format!("{scheme:?}").to_lowercase();
            let wanted = [
                (":method", method),
                (":scheme", &scheme),
                (":path", &target),
                (":authority", "a:1"),
            ];
            let wanted = wanted.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            assert_eq!(list.iter().collect::<Vec<_>>(), wanted);
        }
    }

    proptest! {
        #[test]
        fn fields_are_decoded_as_they_were_encoded(
            fields in proptest::collection::vec(("[A-Za-z-]{1,90}|Date|Server|Via", ".{0,300}"), 0..20)
        ) {
            let mut out = Buffer::default();
            Encoder::default().start(&mut out, 200);
            for (index, (name, value)) in fields.iter().enumerate() {
                if index % 2 == 0 {
                    put_field(&mut out, name.as_bytes(), value.as_bytes());
                } else {
                    put_field_of(&mut out, name.as_bytes(), |out| out.put(value.as_bytes()));
                }
            }
            let mut list = FieldList::default();
            Decoder::default().decode(out.filled(), &LIMITS, &mut list).unwrap();
            let found: Vec<_> = list.iter().skip(1).collect();
            let wanted: Vec<_> = fields.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
            prop_assert_eq!(found.len(), wanted.len());
            for (found, (name, value)) in found.iter().zip(&wanted) {
                prop_assert_eq!(*found, (name.as_bytes(), value.as_bytes()));
            }
        }
    }
}
