//! Whether the names in a certificate have to do with the hosts of rules. Both may have wildcards.

/// Whether some host has both the name of a certificate and the pattern of a condition.
pub(crate) fn overlap(name: &str, pattern: &str) -> bool {
    compare(name, pattern, |name, pattern, rests| {
        match (name, pattern) {
            ([], rest) | (rest, []) => rest.iter().all(|byte| *byte == b'*'),
            ([b'*', ..], _) | (_, [b'*', ..]) => rests.of_left || rests.of_right,
            ([a, ..], [b, ..]) => (*b == b'?' || a.eq_ignore_ascii_case(b)) && rests.of_both,
        }
    })
}

/// Whether a pattern matches whatever another one matches, as far as comparing them sign by sign shows it.
pub(crate) fn covers(wider: &str, narrower: &str) -> bool {
    compare(wider, narrower, |wider, narrower, rests| {
        match (wider, narrower) {
            ([], rest) => rest.is_empty(),
            ([b'*', ..], _) => rests.of_left || rests.of_right,
            (_, []) => false,
            ([b'?', ..], [one, ..]) => *one != b'*' && rests.of_both,
            ([a, ..], [b, ..]) => a == b && rests.of_both,
        }
    })
}

/// What is known of two texts once the first sign of one of them, or of both, is taken away; `false` if there is none.
#[derive(Clone, Copy)]
struct Rests {
    of_left: bool,
    of_right: bool,
    of_both: bool,
}

/// What `decide` says of two texts. It is asked about their ends first, once for each pair of places: the values of
/// conditions may have many wildcards, and trying all that each may stand for would not end.
fn compare(left: &str, right: &str, decide: impl Fn(&[u8], &[u8], Rests) -> bool) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    // What was decided for the place behind in the left text, by the place in the right one.
    let mut behind = vec![false; right.len() + 2];
    for from in (0..=left.len()).rev() {
        let mut here = vec![false; right.len() + 2];
        for to in (0..=right.len()).rev() {
            let rests = Rests {
                of_left: behind[to],
                of_right: here[to + 1],
                of_both: behind[to + 1],
            };
            here[to] = decide(&left[from..], &right[to..], rests);
        }
        behind = here;
    }
    behind[0]
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

    #[test]
    fn comparing_many_wildcards_ends() {
        let (stars, signs) = ("*a".repeat(60), "a".repeat(120));
        assert!(covers(&stars, &signs));
        assert!(!covers(&format!("{stars}*b"), &signs));
        assert!(overlap(&stars, &signs));
        assert!(!overlap(&format!("{stars}*b"), &signs));
        assert!(!overlap(&format!("{stars}*b"), &format!("{stars}*c")));
    }
}
