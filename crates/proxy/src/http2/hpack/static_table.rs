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

/// The index of a field name that messages have, other than the pseudo fields; `name` in any case.
pub(super) fn known_name(name: &[u8]) -> Option<u8> {
    // The length decides first, so that most names take few comparisons or none.
    let candidates: &[u8] = match name.len() {
        3 => &[60, 21],
        4 => &[33, 34, 45, 59, 37],
        5 => &[22, 50],
        6 => &[54, 32, 19],
        7 => &[51, 36, 52],
        8 => &[46, 39, 42],
        10 => &[58, 55],
        11 => &[53],
        12 => &[31, 47],
        13 => &[18, 24, 44, 30, 23, 41],
        14 => &[28, 15],
        15 => &[16, 17],
        16 => &[26, 27, 29, 61],
        17 => &[40],
        18 => &[48],
        19 => &[25, 43, 49],
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
    fn names_are_found_under_their_own_index() {
        // HTTP/2 has the first two no more (RFC 9113 sections 8.2.2 and 8.3.1); no request with the third is
        // handed on.
        let unused = ["transfer-encoding", "host", "expect"];
        for (index, (name, _)) in STATIC_TABLE.iter().enumerate() {
            if name.starts_with(':') || unused.contains(name) {
                continue;
            }
            let upper = name.to_ascii_uppercase();
            assert_eq!(
                known_name(upper.as_bytes()),
                Some(index as u8 + 1),
                "{name}"
            );
        }
        assert_eq!(known_name(b"x-served-by"), None);
    }
}
