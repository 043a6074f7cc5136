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

#[cfg(test)]
mod tests {
    use super::*;

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
