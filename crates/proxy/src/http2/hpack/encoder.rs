//! Encodes field sections for clients, without a dynamic table.
//!
//! Names are indexed where every decoder knows them and values are written as they are: a table of our own
//! would save the client bytes and cost us a search for each field of each response.

use super::static_table::response_name;
use crate::buffer::Buffer;

/// The encoder of one connection.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    has_resized: bool,
}

impl Encoder {
    /// Starts the field section of a response with its status, 100 to 999.
    pub(crate) fn start(&mut self, out: &mut Buffer, status: u16) {
        self.start_trailers(out);
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

    /// Starts a field section that has no status.
    pub(crate) fn start_trailers(&mut self, out: &mut Buffer) {
        if !std::mem::replace(&mut self.has_resized, true) {
            // A table of no bytes is below any limit that the client may set later (RFC 7541 section 4.2).
            out.put(&[0x20]);
        }
    }
}

/// Appends a field; its name is written in lower case (RFC 9113 section 8.2).
pub(crate) fn put_field(out: &mut Buffer, name: &[u8], value: &[u8]) {
    put_name(out, name);
    put_integer(out, 0, 7, value.len());
    out.put(value);
}

fn put_name(out: &mut Buffer, name: &[u8]) {
    match response_name(name) {
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

    proptest! {
        #[test]
        fn fields_are_decoded_as_they_were_encoded(
            fields in proptest::collection::vec(("[A-Za-z-]{1,90}|Date|Server|Via", ".{0,300}"), 0..20)
        ) {
            let mut out = Buffer::default();
            Encoder::default().start(&mut out, 200);
            for (name, value) in &fields {
                put_field(&mut out, name.as_bytes(), value.as_bytes());
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
