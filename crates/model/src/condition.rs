//! The conditions of a listener rule.
//!
//! Source: ELB API, `RuleCondition`; ALB guide, "Condition types for listener rules".

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Cidr;
use crate::cidr::InvalidCidr;
use crate::expression;

/// One condition; it matches when any of its values matches. A rule matches when all its conditions do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Condition {
    /// The first `Host` field without its port; case does not matter.
    HostHeader(Patterns),
    /// The path without the query; case matters.
    PathPattern(Patterns),
    /// Any occurrence of the named field; neither the case of the name nor that of the value matters.
    HttpHeader {
        /// The field name as it was given, a token of at most 40 bytes.
        name: String,
        /// What the field value has to match.
        patterns: Patterns,
    },
    /// The method, exactly.
    HttpRequestMethod(Vec<String>),
    /// Any `key=value` pair of the query; case does not matter.
    QueryString(Vec<QueryPair>),
    /// The address of the TCP peer, never `X-Forwarded-For`.
    SourceIp(Vec<SourceBlock>),
}

/// One value of a `source-ip` condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceBlock {
    /// As it was given, perhaps with host bits: who compares it with an answer wants no other text.
    text: String,
    block: Cidr,
}

impl SourceBlock {
    /// The addresses that match.
    #[must_use]
    pub fn block(&self) -> Cidr {
        self.block
    }
}

impl FromStr for SourceBlock {
    type Err = InvalidCidr;

    fn from_str(text: &str) -> Result<Self, InvalidCidr> {
        Ok(Self {
            text: text.to_owned(),
            block: text.parse()?,
        })
    }
}

impl TryFrom<String> for SourceBlock {
    type Error = InvalidCidr;

    fn try_from(text: String) -> Result<Self, InvalidCidr> {
        text.parse()
    }
}

impl From<SourceBlock> for String {
    fn from(value: SourceBlock) -> Self {
        value.text
    }
}

impl fmt::Display for SourceBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a subject is compared with. Values and regular expressions exclude each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Patterns {
    /// `*` stands for any number of bytes, `?` for exactly one; the whole subject must match.
    Wildcards(Vec<String>),
    /// Regular expressions that are searched for in the subject.
    Regexes(Vec<String>),
}

/// One value of a `query-string` condition. `\*`, `\?` and `\\` stand for the characters themselves.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct QueryPair {
    /// The key to match; without one, the pairs of every key are looked at.
    pub key: Option<String>,
    /// The value to match.
    pub value: String,
}

/// Most characters of a condition value.
const VALUE_CHARACTERS_MAX: usize = 128;
/// Most characters of a method and of a field name.
const NAME_CHARACTERS_MAX: usize = 40;

/// A condition that breaks a rule of its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCondition {
    /// A value without a character.
    #[error("A condition value for '{field}' cannot be empty")]
    Empty {
        /// The type of the condition.
        field: &'static str,
    },
    /// A value that is too long.
    #[error("Condition value for '{field}' cannot contain more than {max} characters")]
    TooLong {
        /// The type of the condition.
        field: &'static str,
        /// How many there may be.
        max: usize,
    },
    /// A character that this type of condition cannot have, or a host that can never be one.
    #[error("Condition value '{0}' contains a character that is not valid")]
    Character(String),
    /// The host has a condition of its own.
    #[error(
        "The header 'Host' cannot be used in a condition of type 'http-header'; use 'host-header'"
    )]
    HostField,
    /// Not a block of addresses, or the one that nobody sends from.
    #[error(transparent)]
    Cidr(#[from] InvalidCidr),
    /// A regular expression that is not of the supported kind.
    #[error("The regular expression '{pattern}' is not valid: {reason}")]
    Regex {
        /// What was given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Condition {
    /// A condition on the host: letters, digits, `-`, `_`, `.` and wildcards, with a `.` and nothing but
    /// letters and wildcards after the last one.
    ///
    /// # Errors
    /// `InvalidCondition` for the first value that breaks a rule.
    pub fn host_header(values: Vec<String>) -> Result<Self, InvalidCondition> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.*?".contains(c);
        check_all(&values, HOST_HEADER, VALUE_CHARACTERS_MAX, is_allowed)?;
        let is_ending = |c: char| c.is_ascii_alphabetic() || "*?".contains(c);
        let is_host = |value: &String| {
            let ending = value.rsplit_once('.').map(|(_, ending)| ending);
            ending.is_some_and(|ending| !ending.is_empty() && ending.chars().all(is_ending))
        };
        match values.iter().find(|value| !is_host(value)) {
            Some(value) => Err(InvalidCondition::Character(value.clone())),
            None => Ok(Self::HostHeader(Patterns::Wildcards(values))),
        }
    }

    /// A condition on the path: letters, digits, wildcards and ``_-.$/~"'@:+&``.
    ///
    /// # Errors
    /// `InvalidCondition` for the first value that breaks a rule.
    pub fn path_pattern(values: Vec<String>) -> Result<Self, InvalidCondition> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_-.$/~\"'@:+&*?".contains(c);
        check_all(&values, PATH_PATTERN, VALUE_CHARACTERS_MAX, is_allowed)?;
        Ok(Self::PathPattern(Patterns::Wildcards(values)))
    }

    /// A condition on a field whose name is a token without wildcards and not `Host`; the patterns are
    /// printable ASCII, or regular expressions made by `Patterns::regexes`.
    ///
    /// # Errors
    /// `InvalidCondition` for the name, or the first value that breaks a rule.
    pub fn http_header(name: String, patterns: Patterns) -> Result<Self, InvalidCondition> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'+-.^_`|~".contains(c);
        check(&name, HTTP_HEADER, NAME_CHARACTERS_MAX, is_token)?;
        if name.eq_ignore_ascii_case("host") {
            return Err(InvalidCondition::HostField);
        }
        if let Patterns::Wildcards(values) = &patterns {
            check_all(values, HTTP_HEADER, VALUE_CHARACTERS_MAX, is_printable)?;
        }
        Ok(Self::HttpHeader { name, patterns })
    }

    /// A condition on the method: capital letters, `-` and `_`.
    ///
    /// # Errors
    /// `InvalidCondition` for the first value that breaks a rule.
    pub fn http_request_method(values: Vec<String>) -> Result<Self, InvalidCondition> {
        let is_allowed = |c: char| c.is_ascii_uppercase() || "-_".contains(c);
        check_all(
            &values,
            HTTP_REQUEST_METHOD,
            NAME_CHARACTERS_MAX,
            is_allowed,
        )?;
        Ok(Self::HttpRequestMethod(values))
    }

    /// A condition on the query: keys and values of printable ASCII.
    ///
    /// # Errors
    /// `InvalidCondition` for the first key or value that breaks a rule.
    pub fn query_string(pairs: Vec<QueryPair>) -> Result<Self, InvalidCondition> {
        for pair in &pairs {
            for text in pair.key.iter().chain([&pair.value]) {
                check(text, QUERY_STRING, VALUE_CHARACTERS_MAX, is_printable)?;
            }
        }
        Ok(Self::QueryString(pairs))
    }

    /// A condition on the address of the peer: blocks in CIDR form.
    ///
    /// # Errors
    /// `InvalidCondition::Cidr` for the first value that is not one.
    pub fn source_ip(values: &[String]) -> Result<Self, InvalidCondition> {
        let block = |value: &String| match value.as_str() {
            "255.255.255.255/32" => Err(InvalidCidr(value.clone())),
            _ => value.parse(),
        };
        Ok(Self::SourceIp(
            values.iter().map(block).collect::<Result<_, _>>()?,
        ))
    }

    /// The name of the condition's type in the API.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::HostHeader(_) => HOST_HEADER,
            Self::PathPattern(_) => PATH_PATTERN,
            Self::HttpHeader { .. } => HTTP_HEADER,
            Self::HttpRequestMethod(_) => HTTP_REQUEST_METHOD,
            Self::QueryString(_) => QUERY_STRING,
            Self::SourceIp(_) => SOURCE_IP,
        }
    }

    /// How many values and regular expressions it has.
    #[must_use]
    pub fn value_count(&self) -> usize {
        match self {
            Self::HostHeader(patterns)
            | Self::PathPattern(patterns)
            | Self::HttpHeader { patterns, .. } => patterns.texts().len(),
            Self::HttpRequestMethod(values) => values.len(),
            Self::QueryString(pairs) => pairs.len(),
            Self::SourceIp(blocks) => blocks.len(),
        }
    }

    /// How many `*` and `?` its values have; those of regular expressions are no wildcards.
    #[must_use]
    pub fn wildcard_count(&self) -> usize {
        match self {
            Self::HostHeader(Patterns::Wildcards(values))
            | Self::PathPattern(Patterns::Wildcards(values))
            | Self::HttpHeader {
                patterns: Patterns::Wildcards(values),
                ..
            } => values
                .iter()
                .map(|value| value.matches(['*', '?']).count())
                .sum(),
            Self::QueryString(pairs) => {
                let texts = pairs
                    .iter()
                    .flat_map(|pair| pair.key.iter().chain([&pair.value]));
                texts.map(|text| query_wildcards(text)).sum()
            }
            Self::HostHeader(Patterns::Regexes(_))
            | Self::PathPattern(Patterns::Regexes(_))
            | Self::HttpHeader {
                patterns: Patterns::Regexes(_),
                ..
            }
            | Self::HttpRequestMethod(_)
            | Self::SourceIp(_) => 0,
        }
    }
}

const HOST_HEADER: &str = "host-header";
const PATH_PATTERN: &str = "path-pattern";
const HTTP_HEADER: &str = "http-header";
const HTTP_REQUEST_METHOD: &str = "http-request-method";
const QUERY_STRING: &str = "query-string";
const SOURCE_IP: &str = "source-ip";

impl Patterns {
    /// Regular expressions of at most 128 characters, of the dialect of `expression`.
    ///
    /// # Errors
    /// `InvalidCondition` for the first one that breaks a rule, cannot be compiled or becomes too large.
    pub fn regexes(field: &'static str, patterns: Vec<String>) -> Result<Self, InvalidCondition> {
        for pattern in &patterns {
            check(pattern, field, VALUE_CHARACTERS_MAX, |_| true)?;
            check_regex(pattern)?;
        }
        Ok(Self::Regexes(patterns))
    }

    /// The values or the regular expressions, as text.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        match self {
            Self::Wildcards(texts) | Self::Regexes(texts) => texts,
        }
    }
}

fn check_regex(pattern: &str) -> Result<(), InvalidCondition> {
    expression::check(pattern).map_err(|reason| InvalidCondition::Regex {
        pattern: pattern.to_owned(),
        reason,
    })
}

/// The `*` and `?` that no backslash takes the meaning from.
fn query_wildcards(text: &str) -> usize {
    let mut characters = text.chars();
    let mut count = 0;
    while let Some(c) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            '*' | '?' => count += 1,
            _ => {}
        }
    }
    count
}

fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~')
}

fn check_all(
    values: &[String],
    field: &'static str,
    max: usize,
    is_allowed: impl Fn(char) -> bool,
) -> Result<(), InvalidCondition> {
    values
        .iter()
        .try_for_each(|value| check(value, field, max, &is_allowed))
}

fn check(
    value: &str,
    field: &'static str,
    max: usize,
    is_allowed: impl Fn(char) -> bool,
) -> Result<(), InvalidCondition> {
    if value.is_empty() {
        Err(InvalidCondition::Empty { field })
    } else if value.chars().count() > max {
        Err(InvalidCondition::TooLong { field, max })
    } else if !value.chars().all(is_allowed) {
        Err(InvalidCondition::Character(value.to_owned()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: &str) -> Vec<String> {
        vec![value.to_owned()]
    }

    fn message(outcome: Result<Condition, InvalidCondition>) -> String {
        outcome.map_or_else(|error| error.to_string(), |_| String::new())
    }

    fn bad(value: &str) -> String {
        format!("Condition value '{value}' contains a character that is not valid")
    }

    #[test]
    fn hosts() {
        for (value, expected) in [
            ("example.com", String::new()),
            ("*.example.com", String::new()),
            ("www.example.*", String::new()),
            ("example", bad("example")),
            ("example.com.", bad("example.com.")),
            ("10.0.0.1", bad("10.0.0.1")),
            ("ex_ample.com", String::new()),
            ("example.c_m", bad("example.c_m")),
            ("ex~ample.com", bad("ex~ample.com")),
            (
                "",
                "A condition value for 'host-header' cannot be empty".to_owned(),
            ),
        ] {
            assert_eq!(
                message(Condition::host_header(one(value))),
                expected,
                "{value:?}"
            );
        }
        let long = format!("{}.com", "a".repeat(125));
        assert_eq!(
            message(Condition::host_header(one(&long))),
            "Condition value for 'host-header' cannot contain more than 128 characters"
        );
    }

    #[test]
    fn paths() {
        for (value, expected) in [
            ("/img/*", String::new()),
            ("/a_-.$~\"'@:+&?", String::new()),
            ("/a b", bad("/a b")),
            ("/a%20b", bad("/a%20b")),
        ] {
            assert_eq!(
                message(Condition::path_pattern(one(value))),
                expected,
                "{value:?}"
            );
        }
    }

    #[test]
    fn fields() {
        let any = || Patterns::Wildcards(one("*"));
        for (name, expected) in [
            ("X-Version", String::new()),
            ("X*", bad("X*")),
            ("X Y", bad("X Y")),
            (
                "hOst",
                "The header 'Host' cannot be used in a condition of type 'http-header'; use 'host-header'"
                    .to_owned(),
            ),
            (
                &"a".repeat(41),
                "Condition value for 'http-header' cannot contain more than 40 characters".to_owned(),
            ),
        ] {
            let outcome = Condition::http_header(name.to_owned(), any());
            assert_eq!(message(outcome), expected, "{name:?}");
        }
    }

    #[test]
    fn methods() {
        assert_eq!(message(Condition::http_request_method(one("M-SEARCH"))), "");
        for value in ["get", "GET*", "GET "] {
            assert_eq!(
                message(Condition::http_request_method(one(value))),
                bad(value)
            );
        }
    }

    #[test]
    fn sources() {
        assert_eq!(message(Condition::source_ip(&one("10.0.0.0/8"))), "");
        let given: SourceBlock = "10.1.2.3/8".parse().unwrap();
        assert_eq!(
            given.to_string(),
            "10.1.2.3/8",
            "it is read back as it was given"
        );
        assert!(given.block().contains("10.9.9.9".parse().unwrap()));
        for value in ["10.0.0.1", "255.255.255.255/32", "x/8"] {
            let expected = format!("The specified value '{value}' is not a valid CIDR block");
            assert_eq!(message(Condition::source_ip(&one(value))), expected);
        }
    }

    #[test]
    fn regexes() {
        for pattern in ["^/v[0-9]+/.*$", "a|b", "(?i)abc"] {
            assert!(
                Patterns::regexes(PATH_PATTERN, one(pattern)).is_ok(),
                "{pattern}"
            );
        }
        for (pattern, reason) in [
            ("(", "unclosed group"),
            (
                "(?=a)",
                "look-around, including look-ahead and look-behind, is not supported",
            ),
            (r"(a)\1", "backreferences are not supported"),
            (r"\p{L}", "classes of Unicode properties are not supported"),
        ] {
            let error = Patterns::regexes(PATH_PATTERN, one(pattern)).unwrap_err();
            let expected = format!("The regular expression '{pattern}' is not valid: {reason}");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn wildcards_are_counted_and_escaped_ones_are_not() {
        let pair = |value: &str| QueryPair {
            key: Some("k*".to_owned()),
            value: value.to_owned(),
        };
        let condition = Condition::query_string(vec![pair(r"a\*b?"), pair("*")]).unwrap();
        assert_eq!(condition.wildcard_count(), 4);
        assert_eq!(condition.value_count(), 2);
        let regex = Patterns::regexes(PATH_PATTERN, one("a*")).unwrap();
        assert_eq!(Condition::PathPattern(regex).wildcard_count(), 0);
    }
}
