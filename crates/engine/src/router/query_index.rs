//! The values of `query-string` conditions, arranged for look-up by pair.

use super::glob::{Glob, Syntax};
use super::pattern::{Pattern, Selectivity};
use super::pattern_index::PatternIndex;
use super::subject::{Seen, fold_pair, query_pairs};
use super::trie::End;

/// What one `key=value` pair has to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum PairPattern {
    /// The key has no wildcard and no `=`: key, `=` and value are one pattern.
    Pair(Pattern),
    /// Any other key, or none, which is any.
    Parts {
        /// What the key has to match.
        key: Option<Glob>,
        /// What the value has to match.
        value: Pattern,
    },
}

impl PairPattern {
    /// The pattern of one value of a condition.
    pub(super) fn new(pair: &model::condition::QueryPair) -> Self {
        let parse = |text: &str| Glob::parse(text, Syntax::FoldedWithEscapes);
        let value = parse(&pair.value);
        match pair.key.as_deref().map(parse) {
            // With a `=` in it the joined pattern could match where the pair is not cut.
            Some(Glob::Exact(key)) if !key.contains(&b'=') => {
                Self::Pair(Pattern::Glob(value.after(&[&*key, b"="].concat())))
            }
            key => Self::Parts {
                key,
                value: Pattern::Glob(value),
            },
        }
    }

    /// Whether a pair of `query` matches.
    pub(super) fn matches(&self, query: &[u8], buffer: &mut Vec<u8>) -> bool {
        query_pairs(query).any(|pair| {
            let pair = fold_pair(pair, buffer);
            match self {
                Self::Pair(pattern) => pattern.matches(pair),
                Self::Parts { key, value } => {
                    let (pair_key, pair_value) = cut(pair);
                    value.matches(pair_value)
                        && key.as_ref().is_none_or(|key| key.matches(pair_key))
                }
            }
        })
    }

    pub(super) fn selectivity(&self) -> Selectivity {
        match self {
            Self::Pair(pattern) => pattern.selectivity(),
            Self::Parts { value, .. } => value.selectivity(),
        }
    }
}

/// The key and the value of a folded pair, which has a `=`.
fn cut(pair: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr::memchr(b'=', pair).unwrap_or(pair.len());
    (&pair[..at], pair.get(at + 1..).unwrap_or_default())
}

/// The compiled values, each with a number.
#[derive(Debug)]
pub(super) struct QueryIndex {
    by_pair: PatternIndex,
    /// Leads to places in `keyed`.
    by_value: PatternIndex,
    /// For each pattern of `by_value` what the key has to match.
    keyed: Vec<Vec<(Option<Glob>, u32)>>,
}

impl QueryIndex {
    /// Compiles `patterns`, which are all different.
    pub(super) fn new(patterns: Vec<(&PairPattern, u32)>) -> Self {
        let mut by_pair = Vec::new();
        let mut parts = Vec::new();
        for (pattern, number) in patterns {
            match pattern {
                PairPattern::Pair(pair) => by_pair.push((pair, number)),
                PairPattern::Parts { key, value } => parts.push((value, key, number)),
            }
        }
        let mut by_value = Vec::new();
        #[expect(clippy::mutable_key_type, reason = "a `Search` is hashed by its text")]
        let mut places = rustc_hash::FxHashMap::default();
        let mut keyed: Vec<Vec<_>> = Vec::new();
        for (value, key, number) in parts {
            let place = *places.entry(value).or_insert_with(|| {
                keyed.push(Vec::new());
                keyed.len() - 1
            });
            if keyed[place].is_empty() {
                let place = u32::try_from(place).expect("fewer patterns than 2³²");
                by_value.push((value, place));
            }
            keyed[place].push((key.clone(), number));
        }
        Self {
            by_pair: PatternIndex::new(by_pair, End::Front),
            by_value: PatternIndex::new(by_value, End::Front),
            keyed,
        }
    }

    /// Calls `found` with the number of each value that a pair of `query` matches, once or more often.
    pub(super) fn visit(
        &self,
        query: &[u8],
        buffer: &mut Vec<u8>,
        seen: &mut Seen,
        mut found: impl FnMut(u32),
    ) {
        for pair in query_pairs(query) {
            let pair = fold_pair(pair, buffer);
            self.by_pair.visit(pair, seen, &mut found);
            let (pair_key, pair_value) = cut(pair);
            self.by_value.visit(pair_value, seen, |place| {
                for (key, number) in &self.keyed[place as usize] {
                    if key.as_ref().is_none_or(|key| key.matches(pair_key)) {
                        found(*number);
                    }
                }
            });
        }
    }
}
