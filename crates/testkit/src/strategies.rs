//! Generators of rules and requests from so few words that they meet each other all the time.

use std::net::IpAddr;

use model::condition::{Condition, Patterns, QueryPair, SourceBlock};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::request::Request;
use crate::rules::{RuleSpec, Table};

/// Words that are put together to hosts, with and without wildcards.
const HOST_WORDS: &[&str] = &["a", "b", "A", ".", "ab"];
const PATH_WORDS: &[&str] = &["/", "/a", "/b", "a", "A", "."];
/// Requests also hold what normalisation removes.
const PATH_NOISE: &[&str] = &["%61", "%2F", "%2e", "/.", "/..", "%", "\t", "é"];
const VALUE_WORDS: &[&str] = &["a", "b", "B", "=", "*", "?", "\\", " "];
const WILDCARDS: &[&str] = &["*", "?"];
const ESCAPES: &[&str] = &["\\*", "\\?", "\\\\", "\\"];
const FIELD_NAMES: &[&str] = &["X-A", "x-a", "X-B", "x-b"];
const METHODS: &[&str] = &["GET", "POST", "get"];
const BLOCKS: &[&str] = &[
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.0/30",
    "10.0.0.1/32",
    "10.0.0.2/32",
    "::/0",
    "fd00::/8",
    "fd00::1/128",
];
const ADDRESSES: &[&str] = &[
    "10.0.0.1",
    "10.0.0.2",
    "10.9.9.9",
    "192.0.2.1",
    "fd00::1",
    "2001:db8::1",
];
const REGEXES: &[&str] = &[
    "a",
    "^a",
    "b$",
    "^/a",
    "A",
    "a.*b",
    "(a|b)\\.",
    "[ab]+$",
    "^/a/",
    "(?i)AB",
    "a{2}",
    "^$",
    "(?:/a|/b)+",
    "\\.b",
    "x",
    "^[^/]*$",
    "(?-i)a",
    "b|/a|aa",
    "\\xC3",
    "ab?a",
    "a(?:/|b)b",
];

fn text(words: Vec<&'static str>, length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    vec(select(words), length).prop_map(|words| words.concat())
}

/// Wildcard patterns of `words` and wildcards, or regular expressions.
fn patterns(words: &'static [&'static str]) -> impl Strategy<Value = Patterns> {
    let wildcards = vec(text([words, WILDCARDS].concat(), 1..5), 1..4);
    let regexes = vec(select(REGEXES).prop_map(str::to_owned), 1..3);
    prop_oneof![
        5 => wildcards.prop_map(Patterns::Wildcards),
        1 => regexes.prop_map(Patterns::Regexes),
    ]
}

fn query_pair() -> impl Strategy<Value = QueryPair> {
    let words = || [VALUE_WORDS, WILDCARDS, ESCAPES].concat();
    let key = proptest::option::weighted(0.7, text(words(), 1..3));
    (key, text(words(), 0..4)).prop_map(|(key, value)| QueryPair { key, value })
}

/// One condition of any field.
pub fn condition() -> impl Strategy<Value = Condition> {
    let block = select(BLOCKS).prop_map(|block| block.parse::<SourceBlock>().expect("a block"));
    let method = select(METHODS).prop_map(str::to_owned);
    let field = (select(FIELD_NAMES), patterns(VALUE_WORDS));
    prop_oneof![
        3 => patterns(HOST_WORDS).prop_map(Condition::HostHeader),
        4 => patterns(PATH_WORDS).prop_map(Condition::PathPattern),
        2 => field.prop_map(|(name, patterns)| Condition::HttpHeader {
            name: name.to_owned(),
            patterns,
        }),
        1 => vec(method, 1..3).prop_map(Condition::HttpRequestMethod),
        2 => vec(query_pair(), 1..4).prop_map(Condition::QueryString),
        1 => vec(block, 1..4).prop_map(Condition::SourceIp),
    ]
}

/// Up to `rules_max` rules in any order, each with its own priority, named after it.
pub fn table(rules_max: usize) -> impl Strategy<Value = Table> {
    let conditions = vec(vec(condition(), 1..4), 0..=rules_max);
    conditions.prop_perturb(|all, mut random| {
        let mut rules: Vec<RuleSpec> = Vec::new();
        for conditions in all {
            // Gaps, so that a priority is not a place in the list.
            let mut priority = random.random_range(1..=50_000);
            while rules.iter().any(|rule| rule.priority == priority) {
                priority = random.random_range(1..=50_000);
            }
            rules.push(RuleSpec {
                priority,
                conditions,
                name: priority.to_string(),
            });
        }
        Table {
            rules,
            default: "0".to_owned(),
        }
    })
}

/// A request that some of the generated rules match.
pub fn request() -> impl Strategy<Value = Request> {
    let path = text([PATH_WORDS, PATH_WORDS, PATH_NOISE].concat(), 0..5);
    let pair = text([VALUE_WORDS, &["=", "="], &["#", "\t"]].concat(), 0..5);
    let field = (
        select(FIELD_NAMES),
        text([VALUE_WORDS, &["\t"]].concat(), 0..5),
    );
    let address = select(ADDRESSES).prop_map(|text| text.parse::<IpAddr>().expect("an address"));
    let host = text([HOST_WORDS, &["\x7f"]].concat(), 0..6);
    let facts = (
        select(METHODS),
        host,
        path,
        vec(pair, 0..4),
        vec(field, 0..3),
        address,
    );
    facts.prop_map(|(method, host, path, pairs, fields, source_ip)| Request {
        method: method.into(),
        host: host.into(),
        path: format!("/{path}").into(),
        query: pairs.join("&").into(),
        fields: fields
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        source_ip,
    })
}
