//! Field sections of HTTP/2, one after the other on one connection.

use proxy::http2::hpack::{Decoder, FieldList, ListLimits};

const LIMITS: ListLimits = ListLimits {
    field_bytes_max: 512,
    list_bytes_max: 2048,
    fields_max: 32,
};

/// Each section begins with its length in one byte. What is decoded stays within its limits, and is read back
/// as it was when it is written as plain literals.
pub fn field_section(input: &[u8]) {
    let mut decoder = Decoder::default();
    let mut rest = input;
    while let Some((length, after)) = rest.split_first() {
        let (section, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        let mut list = FieldList::default();
        if decoder.decode(section, &LIMITS, &mut list).is_err() {
            return;
        }
        let bytes: usize = list.iter().map(|(n, v)| n.len() + v.len() + 32).sum();
        assert!(
            bytes <= LIMITS.list_bytes_max && list.len() <= LIMITS.fields_max,
            "a list keeps to its limits"
        );
        let mut literals = Vec::new();
        for (name, value) in list.iter() {
            literals.push(0);
            put_string(&mut literals, name);
            put_string(&mut literals, value);
        }
        let mut again = FieldList::default();
        Decoder::default()
            .decode(&literals, &LIMITS, &mut again)
            .expect("literals are a field section");
        assert!(
            list.iter().eq(again.iter()),
            "literals are read as they were written"
        );
    }
}

fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len().checked_sub(127) {
        None => out.push(bytes.len() as u8),
        Some(mut rest) => {
            out.push(127);
            while rest >= 128 {
                out.push((rest % 128) as u8 | 128);
                rest /= 128;
            }
            out.push(rest as u8);
        }
    }
    out.extend_from_slice(bytes);
}
