//! The `Host` field and the authority of a request target.

/// A valid host with its optional port.
///
/// Source: RFC 3986 sections 3.2.2 and 3.2.3, RFC 9110 section 7.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host<'b> {
    /// A name, an IPv4 address, or an IPv6 address in brackets; never empty.
    pub name: &'b [u8],
    /// The port as written; `None` without one, also for a lone colon.
    pub port: Option<&'b [u8]>,
}

impl<'b> Host<'b> {
    /// Splits `name[:port]`. `None` if it is not a host: user information, white space, delimiters and
    /// bytes outside ASCII could be read differently by a target.
    #[must_use]
    pub fn parse(value: &'b [u8]) -> Option<Self> {
        let name_length = match value.first()? {
            b'[' => value.iter().position(|&b| b == b']')? + 1,
            _ => value.iter().position(|&b| b == b':').unwrap_or(value.len()),
        };
        let (name, rest) = value.split_at(name_length);
        let valid_name = match name.strip_prefix(b"[") {
            Some(address) => is_ipv6(address.strip_suffix(b"]")?),
            None => !name.is_empty() && name.iter().all(|&b| NAME_BYTES[usize::from(b)]),
        };
        let port = match rest {
            [] | [b':'] => None,
            [b':', digits @ ..] => Some(digits).filter(|digits| is_port(digits)).map(Some)?,
            _ => return None,
        };
        valid_name.then_some(Self { name, port })
    }
}

fn is_ipv6(address: &[u8]) -> bool {
    std::str::from_utf8(address).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok())
}

fn is_port(digits: &[u8]) -> bool {
    digits.len() <= 5
        && digits.iter().all(u8::is_ascii_digit)
        && std::str::from_utf8(digits).is_ok_and(|text| text.parse::<u16>().is_ok())
}

/// Bytes of `reg-name`: unreserved, percent-encoded, sub-delimiters.
const NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric()
            || matches!(b, b'-' | b'.' | b'_' | b'~' | b'%')
            || matches!(
                b,
                b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b';' | b'='
            );
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3986_section_3_2_2_hosts() {
        for (value, name, port) in [
            ("example.com", "example.com", None),
            ("example.com:8080", "example.com", Some("8080")),
            ("example.com:", "example.com", None),
            ("10.0.0.1:80", "10.0.0.1", Some("80")),
            ("[::1]:80", "[::1]", Some("80")),
            ("under_score", "under_score", None),
        ] {
            let host = Host::parse(value.as_bytes()).unwrap_or_else(|| panic!("{value} is a host"));
            assert_eq!(host.name, name.as_bytes(), "{value}");
            assert_eq!(host.port, port.map(str::as_bytes), "{value}");
        }
    }

    #[test]
    fn other_values_are_refused() {
        for value in [
            "",
            ":80",
            "a b",
            "user@host",
            "host/path",
            "host?q",
            "host#f",
            "a:b:c",
            "host:99999",
            "host:+1",
            "host:8o",
            "[::1",
            "[zz]",
            "[::1]x",
            "h\u{f6}st",
            "a,b",
            "a\\b",
            "<a>",
            "a\tb",
        ] {
            assert_eq!(
                Host::parse(value.as_bytes()),
                None,
                "{value:?} is not a host"
            );
        }
    }
}
