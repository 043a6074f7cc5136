//! Finds cookies in requests and responses, without copying them.

use crate::http1::Fields;
use crate::http1::field::Field;

/// The value of the first cookie of a request with this name.
///
/// Source: RFC 6265 section 5.4; in HTTP/2 a field may hold any piece of the list (RFC 9113 section 8.2.3).
pub(crate) fn sent<'b>(fields: Fields<'_, 'b>, name: &str) -> Option<&'b [u8]> {
    let mut pairs = fields
        .values(Field::Cookie)
        .flat_map(|value| value.split(|&b| b == b';'));
    pairs.find_map(|pair| value_of(pair, name))
}

/// Whether a response sets a cookie with this name.
pub(crate) fn is_set(fields: Fields<'_, '_>, name: &str) -> bool {
    fields.iter().any(|(_, field, value)| {
        let pair = value.split(|&b| b == b';').next().unwrap_or_default();
        field.eq_ignore_ascii_case("set-cookie") && value_of(pair, name).is_some()
    })
}

fn value_of<'b>(pair: &'b [u8], name: &str) -> Option<&'b [u8]> {
    let value = pair.trim_ascii().strip_prefix(name.as_bytes())?;
    Some(value.trim_ascii_start().strip_prefix(b"=")?.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::FieldStorage;
    use crate::http1::{request, response};

    #[test]
    fn rfc6265_section_5_4_cookies_are_found_by_their_whole_name() {
        let head = "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; AWSALBCORS=2;b = 3\r\n\
                    cookie: AWSALB=x=y/+; AWSALB=second; c\r\n\r\n";
        let mut storage = FieldStorage::new();
        let fields = request::parse(head.as_bytes(), &mut storage)
            .unwrap()
            .fields;
        for (name, value) in [
            ("a", Some("1")),
            ("AWSALBCORS", Some("2")),
            ("AWSALB", Some("x=y/+")),
            ("b", Some("3")),
            ("c", None),
            ("awsalb", None),
            ("AWSALBTG", None),
        ] {
            assert_eq!(sent(fields, name), value.map(str::as_bytes), "{name}");
        }
    }

    #[test]
    fn rfc6265_section_4_1_only_the_first_pair_of_set_cookie_is_a_cookie() {
        let head = "HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nset-cookie: b=\r\nX: c=1\r\n\r\n";
        let mut storage = FieldStorage::new();
        let fields = response::parse(head.as_bytes(), false, &mut storage)
            .unwrap()
            .fields;
        for (name, expected) in [("a", true), ("b", true), ("Path", false), ("c", false)] {
            assert_eq!(is_set(fields, name), expected, "{name}");
        }
    }
}
