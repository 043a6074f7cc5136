//! Whether the names in a certificate have to do with the hosts of rules. Both may have wildcards.

/// Whether some host has both the name of a certificate and the pattern of a condition.
pub(crate) fn overlap(name: &str, pattern: &str) -> bool {
    fn meet(name: &[u8], pattern: &[u8]) -> bool {
        match (name, pattern) {
            ([], rest) | (rest, []) => rest.iter().all(|byte| *byte == b'*'),
            ([b'*', names @ ..], [_, patterns @ ..]) if pattern[0] != b'*' => {
                meet(names, pattern) || meet(name, patterns)
            }
            ([_, names @ ..], [b'*', patterns @ ..]) => {
                meet(name, patterns) || meet(names, pattern)
            }
            ([a, names @ ..], [b, patterns @ ..]) => {
                (*b == b'?' || a.eq_ignore_ascii_case(b)) && meet(names, patterns)
            }
        }
    }
    meet(name.as_bytes(), pattern.as_bytes())
}

/// Whether a pattern matches whatever another one matches, as far as comparing them sign by sign shows it.
pub(crate) fn covers(wider: &str, narrower: &str) -> bool {
    fn meets(wider: &[u8], narrower: &[u8]) -> bool {
        match (wider, narrower) {
            ([], rest) => rest.is_empty(),
            ([b'*', wide @ ..], []) => meets(wide, narrower),
            ([b'*', wide @ ..], [_, narrow @ ..]) => meets(wide, narrower) || meets(wider, narrow),
            ([b'?', wide @ ..], [one, narrow @ ..]) => *one != b'*' && meets(wide, narrow),
            ([a, wide @ ..], [b, narrow @ ..]) => a == b && meets(wide, narrow),
            (_, []) => false,
        }
    }
    meets(wider.as_bytes(), narrower.as_bytes())
}

/// Whether a certificate for `name` is for `host`, which is no pattern: RFC 9525 section 6.3, a wildcard stands for one
/// whole label, the first.
pub(crate) fn fits(name: &str, host: &str) -> bool {
    match (name.strip_prefix("*."), host.split_once('.')) {
        (Some(parent), Some((_, rest))) => parent.eq_ignore_ascii_case(rest),
        (Some(_), None) => false,
        (None, _) => name.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_is_seen_to_match_less() {
        for (wider, narrower, expected) in [
            ("/a", "/a", true),
            ("/*", "/a/*", true),
            ("/a/*", "/a/", true),
            ("/a/*", "/a", false),
            ("/a/*", "/*", false),
            ("*.example", "*.a.example", true),
            ("*.a.example", "*a.example", false),
            ("/?", "/a", true),
            ("/?", "/?", true),
            ("/?", "/*", false),
            ("/a*", "/?*", false),
            ("*a*", "b*a", true),
            ("", "", true),
        ] {
            assert_eq!(covers(wider, narrower), expected, "{wider} {narrower}");
        }
    }

    #[test]
    fn a_wildcard_of_a_certificate_stands_for_one_label() {
        for (name, host, expected) in [
            ("a.example", "A.example", true),
            ("a.example", "b.a.example", false),
            ("*.example", "a.example", true),
            ("*.example", "b.a.example", false),
            ("*.example", "example", false),
        ] {
            assert_eq!(fits(name, host), expected, "{name} {host}");
        }
    }

    #[test]
    fn names_and_patterns_overlap_if_some_host_has_both() {
        for (name, pattern, expected) in [
            ("a.example", "A.example", true),
            ("a.example", "b.example", false),
            ("*.example", "a.example", true),
            ("a.example", "*.example", true),
            ("*.a.example", "*.example", true),
            ("*.a.example", "b.*", true),
            ("*.a.example", "b.example", false),
            ("ab.example", "?b.example", true),
            ("b.example", "?b.example", false),
            ("a.example", "*", true),
        ] {
            assert_eq!(overlap(name, pattern), expected, "{name} {pattern}");
        }
    }
}
