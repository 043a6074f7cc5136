//! A response of HTTP/2, checked so that what is made of it for the client can be read in one way only.
//!
//! Source: RFC 9113 sections 8.1 to 8.3.

use super::hpack::FieldList;
use super::request::{Places, check_connection_field, checked_name};
use crate::http1::field::Field;
use crate::http1::{Fields, content_length};

/// RFC 9113 section 8.1.1: the response is not handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// A valid head.
#[derive(Debug)]
pub(crate) struct Response<'a, 'b> {
    /// 100 to 999.
    pub(crate) status: u16,
    /// What `Content-Length` says.
    pub(crate) length: Option<u64>,
    pub(crate) fields: Fields<'a, 'b>,
}

/// The status of a response, which stands in front. Source: RFC 9113 section 8.3.2.
pub(crate) fn status(list: &FieldList) -> Result<u16, Malformed> {
    match list.iter().next() {
        Some((b":status", [hundreds @ b'1'..=b'9', tens, ones]))
            if tens.is_ascii_digit() && ones.is_ascii_digit() =>
        {
            let digit = |byte: &u8| u16::from(byte - b'0');
            Ok(digit(hundreds) * 100 + digit(tens) * 10 + digit(ones))
        }
        _ => Err(Malformed(":status is missing or no status")),
    }
}

/// The head that the fields of one section make, of which there are no more than `places`.
///
/// # Errors
/// `Malformed` for whatever RFC 9113 calls so. White space around a value is taken off instead: some servers
/// of gRPC let it stand in `grpc-message`, and without it the value means the same (RFC 9110 section 5.5).
pub(crate) fn parse<'a, 'b>(
    list: &'b FieldList,
    places: Places<'a, 'b>,
) -> Result<Response<'a, 'b>, Malformed> {
    let status = status(list)?;
    let mut length = None;
    for (name, value) in list.iter().skip(1) {
        let name = check_field(name, value)?;
        if Field::of(name.as_bytes()) == Field::ContentLength {
            let value = content_length(value.trim_ascii());
            let value = value.ok_or(Malformed("Content-Length is not a number"))?;
            if length.is_some_and(|other| other != value) {
                return Err(Malformed("there are different Content-Lengths"));
            }
            length = Some(value);
        }
    }
    let headers = list.iter().skip(1).map(|(name, value)| httparse::Header {
        // It was checked above.
        name: std::str::from_utf8(name).unwrap_or_default(),
        value: value.trim_ascii(),
    });
    Ok(Response {
        status,
        length,
        fields: places.fill(headers),
    })
}

/// Whether a section is one that may stand behind a body. Source: RFC 9113 section 8.1.
pub(crate) fn check_trailers(list: &FieldList) -> Result<(), Malformed> {
    for (name, value) in list.iter() {
        check_field(name, value)?;
    }
    Ok(())
}

/// RFC 9113 section 8.2, and all control characters, as in HTTP/1.
fn check_field<'b>(name: &'b [u8], value: &[u8]) -> Result<&'b str, Malformed> {
    let name = checked_name(name).map_err(|_| Malformed("a field name is not valid"))?;
    check_connection_field(name.as_bytes(), value)
        .map_err(|_| Malformed("a field is about the connection"))?;
    let is_bad = |byte: &u8| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f;
    if value.iter().any(is_bad) {
        return Err(Malformed("a field value has a control character"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::super::hpack::{Decoder, ListLimits, put_field};
    use super::super::request::Storage;
    use super::*;
    use crate::buffer::Buffer;

    fn list(fields: &[(&str, &str)]) -> FieldList {
        const LIMITS: ListLimits = ListLimits {
            field_bytes_max: 1000,
            list_bytes_max: 1000,
            fields_max: 10,
        };
        let mut section = Buffer::default();
        for (name, value) in fields {
            put_field(&mut section, name.as_bytes(), value.as_bytes());
        }
        let mut list = FieldList::default();
        let mut decoder = Decoder::default();
        decoder
            .decode(section.filled(), &LIMITS, &mut list)
            .unwrap();
        list
    }

    /// Status and length, or why there are none.
    fn check(fields: &[(&str, &str)], expected: Result<(u16, Option<u64>), &str>) {
        let list = list(fields);
        let mut storage = Storage::<10>::new();
        let got = parse(&list, storage.places());
        let got = got
            .map(|head| (head.status, head.length))
            .map_err(|Malformed(why)| why);
        assert_eq!(got, expected, "{fields:?}");
    }

    #[test]
    fn section_8_3_2_the_status_stands_in_front() {
        const MISSING: Result<(u16, Option<u64>), &str> = Err(":status is missing or no status");
        check(&[(":status", "200")], Ok((200, None)));
        check(&[(":status", "999"), ("a", "b")], Ok((999, None)));
        for status in ["", "20", "2000", "2x0", "099", "+20", " 200"] {
            check(&[(":status", status)], MISSING);
        }
        check(&[("a", "b"), (":status", "200")], MISSING);
        check(&[], MISSING);
    }

    #[test]
    fn section_8_3_no_other_pseudo_fields() {
        for name in [":status", ":method", ":path", ":x"] {
            let fields = [(":status", "200"), (name, "200")];
            check(&fields, Err("a field name is not valid"));
        }
    }

    #[test]
    fn section_8_2_2_no_fields_about_the_connection() {
        for name in ["connection", "transfer-encoding", "upgrade", "keep-alive"] {
            let fields = [(":status", "200"), (name, "x")];
            check(&fields, Err("a field is about the connection"));
        }
    }

    #[test]
    fn section_8_2_1_values_without_control_characters() {
        let fields = [(":status", "200"), ("a", "b\r\nc: d")];
        check(&fields, Err("a field value has a control character"));
        let list = list(&[(":status", "200"), ("a", " b c\t")]);
        let mut storage = Storage::<10>::new();
        let head = parse(&list, storage.places()).unwrap();
        let (_, _, value) = head.fields.iter().next().unwrap();
        assert_eq!(value, b"b c", "white space around it is no part of it");
    }

    #[test]
    fn section_8_1_1_one_length() {
        let with = |a, b| {
            [
                (":status", "200"),
                ("content-length", a),
                ("content-length", b),
            ]
        };
        check(&with("3", "3"), Ok((200, Some(3))));
        check(&with("3", "4"), Err("there are different Content-Lengths"));
        check(&with("3", "x"), Err("Content-Length is not a number"));
    }

    #[test]
    fn section_8_1_trailers_have_no_pseudo_fields() {
        assert_eq!(check_trailers(&list(&[("grpc-message", "no ")])), Ok(()));
        assert!(check_trailers(&list(&[(":status", "200")])).is_err());
    }
}
