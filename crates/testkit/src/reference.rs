//! Which rule a request matches, found the slow and obvious way: a loop over the rules, a loop over their
//! conditions, a recursion over each pattern. The compiled router must agree with it.

use model::condition::{Condition, Patterns, QueryPair};
use regex::bytes::RegexBuilder;

use crate::request::Request;
use crate::rules::RuleSpec;

/// The rule with the lowest priority whose conditions all match; of several with that priority the first.
#[must_use]
pub fn route<'a>(rules: &'a [RuleSpec], request: &Request) -> Option<&'a RuleSpec> {
    let matches = |rule: &&RuleSpec| rule.conditions.iter().all(|one| is_met(one, request));
    rules
        .iter()
        .filter(matches)
        .min_by_key(|rule| rule.priority)
}

/// Whether `request` meets `condition`.
#[must_use]
pub fn is_met(condition: &Condition, request: &Request) -> bool {
    match condition {
        Condition::HostHeader(patterns) => any_pattern(patterns, &lower(&request.host), true),
        Condition::PathPattern(patterns) => {
            any_pattern(patterns, &normal_path(&request.path), false)
        }
        Condition::HttpHeader { name, patterns } => request.fields.iter().any(|(own, value)| {
            own.eq_ignore_ascii_case(name.as_bytes()) && any_pattern(patterns, &lower(value), true)
        }),
        Condition::HttpRequestMethod(methods) => methods
            .iter()
            .any(|method| method.as_bytes() == request.method),
        Condition::QueryString(values) => {
            let query = request
                .query
                .split(|byte| *byte == b'#')
                .next()
                .unwrap_or_default();
            let mut pairs = query
                .split(|byte| *byte == b'&')
                .filter(|pair| !pair.is_empty());
            pairs.any(|pair| values.iter().any(|value| is_pair(value, &lower(pair))))
        }
        Condition::SourceIp(values) => values
            .iter()
            .any(|value| value.block().contains(request.source_ip)),
    }
}

fn any_pattern(patterns: &Patterns, subject: &[u8], ignores_case: bool) -> bool {
    match patterns {
        Patterns::Wildcards(values) => values.iter().any(|value| {
            let value = if ignores_case {
                lower_text(value)
            } else {
                value.clone()
            };
            is_glob(&symbols(&value, false), subject)
        }),
        Patterns::Regexes(values) => values.iter().any(|value| {
            let mut builder = RegexBuilder::new(value);
            let builder = builder.unicode(false).case_insensitive(ignores_case);
            builder
                .build()
                .expect("a regular expression")
                .is_match(subject)
        }),
    }
}

fn is_pair(wanted: &QueryPair, pair: &[u8]) -> bool {
    let mut halves = pair.splitn(2, |byte| *byte == b'=');
    let key = halves.next().unwrap_or_default();
    let value = halves.next().unwrap_or_default();
    let is = |pattern: &str, subject| is_glob(&symbols(&lower_text(pattern), true), subject);
    wanted.key.as_deref().is_none_or(|wanted| is(wanted, key)) && is(&wanted.value, value)
}

/// One step of a pattern: a byte, or a wildcard.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Byte(u8),
    One,
    Many,
}

fn symbols(pattern: &str, has_escapes: bool) -> Vec<Symbol> {
    let mut bytes = pattern.bytes().peekable();
    let mut symbols = Vec::new();
    while let Some(byte) = bytes.next() {
        symbols.push(match (byte, bytes.peek()) {
            (b'\\', Some(b'*' | b'?' | b'\\')) if has_escapes => {
                Symbol::Byte(bytes.next().expect("it was peeked at"))
            }
            (b'*', _) => Symbol::Many,
            (b'?', _) => Symbol::One,
            _ => Symbol::Byte(byte),
        });
    }
    symbols
}

fn is_glob(pattern: &[Symbol], subject: &[u8]) -> bool {
    match (pattern, subject) {
        ([], []) => true,
        ([Symbol::Many, rest @ ..], _) => {
            (0..=subject.len()).any(|taken| is_glob(rest, &subject[taken..]))
        }
        ([Symbol::One, rest @ ..], [_, after @ ..]) => is_glob(rest, after),
        ([Symbol::Byte(expected), rest @ ..], [byte, after @ ..]) => {
            expected == byte && is_glob(rest, after)
        }
        _ => false,
    }
}

fn lower_text(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// Lower case, without control characters.
fn lower(subject: &[u8]) -> Vec<u8> {
    visible(subject).to_ascii_lowercase()
}

fn visible(subject: &[u8]) -> Vec<u8> {
    let is_control = |byte: u8| byte < 0x20 || byte == 0x7f;
    subject
        .iter()
        .copied()
        .filter(|byte| !is_control(*byte))
        .collect()
}

/// Unreserved characters decoded (RFC 3986 section 6.2.2.2), then dot segments removed (section 5.2.4).
fn normal_path(path: &[u8]) -> Vec<u8> {
    let mut decoded = String::new();
    let mut rest: String = path.iter().map(|byte| char::from(*byte)).collect();
    while !rest.is_empty() {
        let code = rest
            .get(1..3)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = code.filter(|_| rest.starts_with('%'));
        let byte = code.map(|digits| u8::from_str_radix(digits, 16).expect("two digits"));
        match byte.map(char::from) {
            Some(char) if char.is_ascii_alphanumeric() || "-._~".contains(char) => {
                decoded.push(char);
                rest.drain(..3);
            }
            _ => decoded.push(rest.remove(0)),
        }
    }
    let decoded: Vec<u8> = visible(&decoded.chars().map(|char| char as u8).collect::<Vec<u8>>());
    let Some(absolute) = decoded.strip_prefix(b"/") else {
        return decoded;
    };
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut ends_in_dots = false;
    for segment in absolute.split(|byte| *byte == b'/') {
        ends_in_dots = segment == b"." || segment == b"..";
        match segment {
            b"." => {}
            b".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    if ends_in_dots {
        kept.push(b"");
    }
    [&b"/"[..], &kept.join(&b'/')].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_subjects() {
        for (pattern, subject, expected) in [
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("/img/*", "/img", false),
            ("/img/*", "/img/", true),
            ("a?c", "a/c", true),
            ("a?c", "ac", false),
        ] {
            let found = is_glob(&symbols(pattern, false), subject.as_bytes());
            assert_eq!(found, expected, "{subject:?} against {pattern:?}");
        }
    }

    #[test]
    fn paths_are_normalised() {
        for (path, normal) in [
            ("/a/%2e%2e/%62", "/b"),
            ("/a/.", "/a/"),
            ("/..", "/"),
            ("/a%2Fb%", "/a%2Fb%"),
            ("*", "*"),
        ] {
            let found = normal_path(path.as_bytes());
            assert_eq!(String::from_utf8_lossy(&found), normal, "{path:?}");
        }
    }
}
