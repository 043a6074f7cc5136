//! Conditions in compiled form, to be tested one at a time.

use model::Cidr;
use model::condition::{Condition, Patterns, SourceBlock};

use super::glob::{Glob, Syntax};
use super::pattern::{Pattern, Search, Selectivity};
use super::query_index::PairPattern;
use super::subject::fold;
use super::{CompileError, RequestFacts};

/// One compiled condition; it matches when any of its values does.
#[derive(Debug)]
pub(super) enum Test {
    /// The folded host.
    Host(Vec<Pattern>),
    /// The normalised path.
    Path(Vec<Pattern>),
    /// Any folded value of a field.
    Field {
        /// In lower case.
        name: Box<[u8]>,
        /// What a value has to match.
        patterns: Vec<Pattern>,
    },
    /// The method.
    Method(Vec<Pattern>),
    /// Any pair of the query.
    Query(Vec<PairPattern>),
    /// The address of the peer.
    Source(Vec<Cidr>),
}

/// A request, with the subjects that are prepared once.
#[derive(Debug)]
pub(super) struct Subjects<'a, R> {
    /// Everything that is taken as it is.
    pub(super) request: &'a R,
    /// Folded; empty if no rule looks at it.
    pub(super) host: &'a [u8],
    /// Normalised; empty if no rule looks at it.
    pub(super) path: &'a [u8],
}

impl Test {
    /// Compiles `condition`.
    pub(super) fn compile(condition: &Condition) -> Result<Self, CompileError> {
        Ok(match condition {
            Condition::HostHeader(values) => Self::Host(patterns(values, Syntax::Folded)?),
            Condition::PathPattern(values) => Self::Path(patterns(values, Syntax::Cased)?),
            Condition::HttpHeader {
                name,
                patterns: values,
            } => Self::Field {
                name: name.to_ascii_lowercase().into_bytes().into(),
                patterns: patterns(values, Syntax::Folded)?,
            },
            Condition::HttpRequestMethod(methods) => {
                let exact = |method: &String| Pattern::Glob(Glob::Exact(method.as_bytes().into()));
                Self::Method(methods.iter().map(exact).collect())
            }
            Condition::QueryString(pairs) => {
                Self::Query(pairs.iter().map(PairPattern::new).collect())
            }
            Condition::SourceIp(values) => {
                Self::Source(values.iter().map(SourceBlock::block).collect())
            }
        })
    }

    /// Whether the request meets the condition.
    pub(super) fn matches<R: RequestFacts>(
        &self,
        subjects: &Subjects<'_, R>,
        buffer: &mut Vec<u8>,
    ) -> bool {
        let any = |patterns: &[Pattern], subject: &[u8]| {
            patterns.iter().any(|pattern| pattern.matches(subject))
        };
        match self {
            Self::Host(patterns) => any(patterns, subjects.host),
            Self::Path(patterns) => any(patterns, subjects.path),
            Self::Field { name, patterns } => subjects
                .request
                .any_field(name, &mut |value| any(patterns, fold(value, buffer))),
            Self::Method(methods) => any(methods, subjects.request.method()),
            Self::Query(pairs) => {
                let query = subjects.request.query();
                pairs.iter().any(|pair| pair.matches(query, buffer))
            }
            Self::Source(blocks) => {
                let source = subjects.request.source_ip();
                blocks.iter().any(|block| block.contains(source))
            }
        }
    }

    /// Conditions are looked up in this order: those that leave the fewest rules come first.
    pub(super) fn rank(&self) -> (Selectivity, u8) {
        let worst = |patterns: &[Pattern]| {
            let all = patterns.iter().map(Pattern::selectivity);
            all.max().unwrap_or(Selectivity::One)
        };
        match self {
            Self::Host(patterns) => (worst(patterns), 0),
            Self::Path(patterns) => (worst(patterns), 1),
            Self::Field { patterns, .. } => (worst(patterns), 3),
            Self::Query(pairs) => {
                let all = pairs.iter().map(PairPattern::selectivity);
                (all.max().unwrap_or(Selectivity::One), 4)
            }
            Self::Source(_) => (Selectivity::Some, 2),
            // There are hardly more than seven methods.
            Self::Method(_) => (Selectivity::Most, 5),
        }
    }
}

fn patterns(values: &Patterns, syntax: Syntax) -> Result<Vec<Pattern>, CompileError> {
    match values {
        Patterns::Wildcards(values) => {
            let glob = |value: &String| Pattern::Glob(Glob::parse(value, syntax));
            Ok(values.iter().map(glob).collect())
        }
        Patterns::Regexes(values) => {
            let search = |value: &String| {
                let search = Search::compile(value, syntax)?;
                Ok(Pattern::Search(Box::new(search)))
            };
            values.iter().map(search).collect()
        }
    }
}
