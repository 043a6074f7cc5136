//! Decodes field sections into a list that the next section reuses.

use std::collections::VecDeque;

use super::static_table::STATIC_TABLE;
use super::{HpackError, huffman};

/// The size of the dynamic table that peers may fill, in bytes.
///
/// Source: RFC 9113 section 6.5.2, the initial `SETTINGS_HEADER_TABLE_SIZE`, which we leave as it is.
const TABLE_BYTES_MAX: usize = 4096;

/// What a field counts beyond its name and value. Source: RFC 7541 section 4.1, RFC 9113 section 6.5.2.
const FIELD_OVERHEAD_BYTES: usize = 32;

/// Memory of a list that is kept for another one: what nearly every section has room in.
const KEPT_TEXT_BYTES_MAX: usize = 4096;
const KEPT_FIELDS_MAX: usize = 64;

/// The decoder of one direction of a connection.
#[derive(Debug)]
pub struct Decoder {
    /// The newest first.
    table: VecDeque<Entry>,
    bytes: usize,
    capacity: usize,
    /// The text of a field that is on its way into the table.
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct Entry {
    text: Box<[u8]>,
    name_length: usize,
}

/// The fields of one section, in order, whole in one block of memory.
#[derive(Debug, Default)]
pub struct FieldList {
    text: Vec<u8>,
    fields: Vec<Span>,
    bytes: usize,
    is_too_large: bool,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    name_end: usize,
    end: usize,
}

/// The limits of one section.
#[derive(Clone, Copy, Debug)]
pub struct ListLimits {
    /// Bytes of one name and value.
    pub field_bytes_max: usize,
    /// Bytes of all names and values, and 32 for each field.
    pub list_bytes_max: usize,
    /// Fields.
    pub fields_max: usize,
}

impl FieldList {
    /// Forgets the fields and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.fields.clear();
        self.bytes = 0;
        self.is_too_large = false;
    }

    /// Whether fields were left out because of a limit.
    pub fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    /// Whether its memory is worth keeping for another section.
    pub(crate) fn is_small(&self) -> bool {
        self.text.capacity() <= KEPT_TEXT_BYTES_MAX && self.fields.capacity() <= KEPT_FIELDS_MAX
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields: name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|span| {
            let name = &self.text[span.start..span.name_end];
            (name, &self.text[span.name_end..span.end])
        })
    }

    fn push(&mut self, name: &[u8], value: &[u8], limits: &ListLimits) {
        self.bytes += name.len() + value.len() + FIELD_OVERHEAD_BYTES;
        if name.len() + value.len() > limits.field_bytes_max
            || self.bytes > limits.list_bytes_max
            || self.fields.len() >= limits.fields_max
        {
            self.is_too_large = true;
        }
        if self.is_too_large {
            return;
        }
        let start = self.text.len();
        self.text.extend_from_slice(name);
        let name_end = self.text.len();
        self.text.extend_from_slice(value);
        let end = self.text.len();
        self.fields.push(Span {
            start,
            name_end,
            end,
        });
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            table: VecDeque::new(),
            bytes: 0,
            capacity: TABLE_BYTES_MAX,
            scratch: Vec::new(),
        }
    }
}

impl Decoder {
    /// Decodes one whole field section into `list`, which it clears first.
    ///
    /// A section over its limits is decoded to its end all the same, because the next one depends on what
    /// it does to the table; its fields are not kept.
    ///
    /// # Errors
    /// `HpackError` if the section is not validly coded; the connection cannot go on.
    pub fn decode(
        &mut self,
        section: &[u8],
        limits: &ListLimits,
        list: &mut FieldList,
    ) -> Result<(), HpackError> {
        list.clear();
        let mut input = Input { rest: section };
        let mut may_resize = true;
        while let Some(&first) = input.rest.first() {
            match first {
                0x80.. => {
                    let index = input.integer(7)?;
                    let (name, value) = self.field(index)?;
                    list.push(name, value, limits);
                }
                0x40..=0x7f => {
                    let name_length = self.read_literal(&mut input, 6)?;
                    let (name, value) = self.scratch.split_at(name_length);
                    list.push(name, value, limits);
                    self.insert(name_length);
                }
                0x20..=0x3f => {
                    let capacity = input.integer(5)?;
                    if !may_resize || capacity > TABLE_BYTES_MAX {
                        return Err(HpackError::Resize);
                    }
                    self.capacity = capacity;
                    self.evict(0);
                    continue;
                }
                _ => {
                    let name_length = self.read_literal(&mut input, 4)?;
                    let (name, value) = self.scratch.split_at(name_length);
                    list.push(name, value, limits);
                }
            }
            may_resize = false;
        }
        Ok(())
    }

    /// The field at an index of both tables.
    fn field(&self, index: usize) -> Result<(&[u8], &[u8]), HpackError> {
        let before = index.checked_sub(1).ok_or(HpackError::Index)?;
        if let Some((name, value)) = STATIC_TABLE.get(before) {
            return Ok((name.as_bytes(), value.as_bytes()));
        }
        let entry = self.table.get(before - STATIC_TABLE.len());
        let entry = entry.ok_or(HpackError::Index)?;
        Ok(entry.text.split_at(entry.name_length))
    }

    /// Reads a literal field into the scratch; gives the length of its name.
    fn read_literal(&mut self, input: &mut Input<'_>, prefix: u32) -> Result<usize, HpackError> {
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        match input.integer(prefix)? {
            0 => input.string(&mut text)?,
            index => text.extend_from_slice(self.field(index)?.0),
        }
        let name_length = text.len();
        input.string(&mut text)?;
        self.scratch = text;
        Ok(name_length)
    }

    /// Enters the field in the scratch. One that is larger than the table empties it.
    fn insert(&mut self, name_length: usize) {
        let bytes = self.scratch.len() + FIELD_OVERHEAD_BYTES;
        self.evict(bytes);
        if bytes <= self.capacity {
            self.bytes += bytes;
            self.table.push_front(Entry {
                text: self.scratch.as_slice().into(),
                name_length,
            });
        }
    }

    /// Makes room for `bytes` more.
    fn evict(&mut self, bytes: usize) {
        while self.bytes + bytes > self.capacity {
            let Some(oldest) = self.table.pop_back() else {
                return;
            };
            self.bytes -= oldest.text.len() + FIELD_OVERHEAD_BYTES;
        }
    }
}

/// What is left of a section.
struct Input<'b> {
    rest: &'b [u8],
}

impl Input<'_> {
    fn byte(&mut self) -> Result<u8, HpackError> {
        let (first, rest) = self.rest.split_first().ok_or(HpackError::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    /// An integer whose first `prefix` bits are the low ones of the next byte. Source: RFC 7541 section 5.1.
    fn integer(&mut self, prefix: u32) -> Result<usize, HpackError> {
        let mask = (1 << prefix) - 1;
        let mut number = usize::from(self.byte()?) & mask;
        if number < mask {
            return Ok(number);
        }
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            number += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(HpackError::Integer)
    }

    /// A string, appended to `out`. Source: RFC 7541 section 5.2.
    fn string(&mut self, out: &mut Vec<u8>) -> Result<(), HpackError> {
        let is_coded = self.rest.first().is_some_and(|first| first & 0x80 != 0);
        let length = self.integer(7)?;
        let (string, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(HpackError::Truncated)?;
        self.rest = rest;
        if is_coded {
            return huffman::decode(string, out);
        }
        out.extend_from_slice(string);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: ListLimits = ListLimits {
        field_bytes_max: 1000,
        list_bytes_max: 4000,
        fields_max: 100,
    };

    fn decode(decoder: &mut Decoder, section: &[u8]) -> Result<String, HpackError> {
        let mut list = FieldList::default();
        decoder.decode(section, &LIMITS, &mut list)?;
        let lines = list.iter().map(|(name, value)| {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            format!("{}: {}", text(name), text(value))
        });
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn rfc7541_appendix_c_4_requests_with_huffman_coding() {
        let mut decoder = Decoder::default();
        for (section, fields) in [
            (
                &b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"[..],
                ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com",
            ),
            (
                b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf",
                ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: no-cache",
            ),
            (
                b"\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf",
                ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value",
            ),
        ] {
            assert_eq!(decode(&mut decoder, section).as_deref(), Ok(fields));
        }
        assert_eq!(decoder.bytes, 164, "the size that appendix C.4.3 gives");
    }

    #[test]
    fn rfc7541_section_4_4_a_field_larger_than_the_table_empties_it() {
        let mut decoder = Decoder::default();
        decode(&mut decoder, b"\x40\x01a\x01b").unwrap();
        // Resized to 40 bytes: `a: b` takes 34 of them.
        assert_eq!(decode(&mut decoder, b"\x3f\x09\xbe").as_deref(), Ok("a: b"));
        assert_eq!(
            decode(&mut decoder, b"\x40\x05aaaaa\x05bbbbb").as_deref(),
            Ok("aaaaa: bbbbb")
        );
        assert_eq!(decode(&mut decoder, b"\xbe"), Err(HpackError::Index));
    }

    #[test]
    fn what_is_no_field_section_is_refused() {
        for (section, error) in [
            (&b"\x80"[..], HpackError::Index),
            (b"\xbe", HpackError::Index),
            (b"\xff\xff\xff\xff\xff\x0f", HpackError::Integer),
            (b"\x40\x05ab", HpackError::Truncated),
            (b"\x40", HpackError::Truncated),
            (b"\x82\x20", HpackError::Resize),
            (b"\x3f\xe2\x1f", HpackError::Resize),
            (b"\x40\x81\x00\x01a", HpackError::Huffman),
        ] {
            assert_eq!(
                decode(&mut Decoder::default(), section),
                Err(error),
                "{section:x?}"
            );
        }
    }

    #[test]
    fn a_section_over_its_limits_is_decoded_and_not_kept() {
        let mut decoder = Decoder::default();
        let mut list = FieldList::default();
        let mut section = vec![0x40, 1, b'a', 0x7f, 0xe8, 6];
        section.extend(vec![b'x'; 999]);
        decoder.decode(&section, &LIMITS, &mut list).unwrap();
        assert!(!list.is_too_large(), "name and value have 1,000 bytes");
        // One reference is a byte and a thousand of them are a megabyte.
        decoder.decode(&[0xbe; 1000], &LIMITS, &mut list).unwrap();
        assert!(list.is_too_large());
        assert!(list.text.len() < LIMITS.list_bytes_max);
        decoder.decode(b"\xbe", &LIMITS, &mut list).unwrap();
        assert!(!list.is_too_large(), "the next section is a new one");
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(sections: Vec<Vec<u8>>) {
            let mut decoder = Decoder::default();
            for section in sections {
                let _ = decode(&mut decoder, &section);
                prop_assert!(decoder.bytes <= TABLE_BYTES_MAX);
            }
        }
    }
}
