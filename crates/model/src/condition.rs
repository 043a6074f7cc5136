//! The conditions of a listener rule.
//!
//! Source: ELB API, `RuleCondition`; ALB guide, "Condition types for listener rules".

use serde::{Deserialize, Serialize};

use crate::Cidr;

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
    SourceIp(Vec<Cidr>),
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
