//! The fields that every HPACK coder knows.
//!
//! Source: RFC 7541 appendix A.

/// Names and values; index 1 is the first.
#[rustfmt::skip]
pub(super) static STATIC_TABLE: [(&str, &str); 61] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"),
    (":path", "/index.html"), (":scheme", "http"), (":scheme", "https"), (":status", "200"),
    (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"),
    (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""),
    ("accept", ""), ("access-control-allow-origin", ""), ("age", ""), ("allow", ""),
    ("authorization", ""), ("cache-control", ""), ("content-disposition", ""),
    ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""),
    ("date", ""), ("etag", ""), ("expect", ""), ("expires", ""), ("from", ""), ("host", ""),
    ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""),
    ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""),
    ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""),
    ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
    ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""),
    ("via", ""), ("www-authenticate", ""),
];

/// The index of a field name of responses; `name` in any case.
pub(super) fn response_name(name: &[u8]) -> Option<u8> {
    // The length decides first, so that most names take one comparison or none.
    let candidates: &[u8] = match name.len() {
        3 => &[21, 60],
        4 => &[33, 34, 45, 59],
        5 => &[22],
        6 => &[54],
        7 => &[36, 52],
        8 => &[46],
        10 => &[55],
        11 => &[53],
        12 => &[31],
        13 => &[18, 24, 44, 30],
        14 => &[28],
        16 => &[26, 27, 29, 61],
        18 => &[48],
        19 => &[25],
        25 => &[56],
        27 => &[20],
        _ => &[],
    };
    let is_it = |index: &&u8| {
        let (known, _) = STATIC_TABLE[usize::from(**index) - 1];
        known.as_bytes().eq_ignore_ascii_case(name)
    };
    candidates.iter().find(is_it).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_responses_are_found_under_their_own_index() {
        for name in [
            "accept-ranges",
            "access-control-allow-origin",
            "age",
            "allow",
            "cache-control",
            "content-disposition",
            "content-encoding",
            "content-language",
            "content-length",
            "content-location",
            "content-range",
            "content-type",
            "date",
            "etag",
            "expires",
            "last-modified",
            "link",
            "location",
            "proxy-authenticate",
            "refresh",
            "retry-after",
            "server",
            "set-cookie",
            "strict-transport-security",
            "vary",
            "via",
            "www-authenticate",
        ] {
            let upper = name.to_ascii_uppercase();
            let index = response_name(upper.as_bytes()).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(STATIC_TABLE[usize::from(index) - 1].0, name);
        }
        assert_eq!(response_name(b"x-served-by"), None);
    }
}
