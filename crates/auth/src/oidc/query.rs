//! Parameters of URLs and forms: written for identity providers, read from callbacks.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986 section 2.3.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Appends `name=value`.
pub(super) fn push(to: &mut String, name: &str, value: &str) {
    to.extend(utf8_percent_encode(name, ESCAPED));
    to.push('=');
    to.extend(utf8_percent_encode(value, ESCAPED));
}

/// A form for the token endpoint.
pub(super) fn form(parameters: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (name, value) in parameters {
        if !form.is_empty() {
            form.push('&');
        }
        push(&mut form, name, value);
    }
    form
}

/// The first parameter `name` that is not empty. `None` also if it is not UTF-8.
pub(super) fn find(query: &[u8], name: &str) -> Option<String> {
    query
        .split(|&b| b == b'&')
        .filter_map(|pair| {
            let equals = pair.iter().position(|&b| b == b'=')?;
            (decode(&pair[..equals])? == name).then_some(&pair[equals + 1..])
        })
        .find(|value| !value.is_empty())
        .and_then(decode)
}

fn decode(text: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = text
        .iter()
        .map(|&b| if b == b'+' { b' ' } else { b })
        .collect();
    let decoded = percent_decode(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_parameter_is_found_and_decoded() {
        let query = b"code=&x=1&co%64e=a%2Bb+c%20d&code=other&bad=%ff";
        assert_eq!(find(query, "code").as_deref(), Some("a+b c d"));
        assert_eq!(find(query, "x").as_deref(), Some("1"));
        assert_eq!(find(query, "bad"), None);
        assert_eq!(find(query, "state"), None);
        assert_eq!(find(b"code", "code"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(name in ".+", value in ".+") {
            let form = form(&[("first", "1"), (&name, &value)]);
            if name != "first" {
                prop_assert_eq!(find(form.as_bytes(), &name), Some(value));
            }
            prop_assert!(form.is_ascii());
        }
    }
}
