//! The tree of decisions that leads from a request to the rules it can still match.
//!
//! A node with few rules tests them one by one. A node with more looks one condition of each rule up in an
//! index; every value that the request matches leads to a child, in which that condition is settled. So the
//! work depends on how many values a request matches, not on how many there are.

use std::ops::Range;

use model::Cidr;
use rustc_hash::FxHashMap;

use super::RequestFacts;
use super::condition::{Subjects, Test};
use super::pattern::Pattern;
use super::pattern_index::PatternIndex;
use super::query_index::{PairPattern, QueryIndex};
use super::source_index::SourceIndex;
use super::subject::{Work, fold};
use super::trie::End;

/// A rule by its place in the order of priorities.
pub(super) type RuleId = u32;

/// No rule has matched; higher than every rule.
pub(super) const NO_RULE: RuleId = RuleId::MAX;

/// What a matching value leads to: the place of a node or, with `RULE` set, a rule that needs nothing more.
///
/// One number for both, because most values of a large configuration lead to such a rule, and reading a
/// node to learn that costs a cache miss.
pub(super) type Step = u32;

const RULE: Step = 1 << 31;

/// The compiled tree.
#[derive(Debug)]
pub(super) struct Tree {
    root: Step,
    nodes: Vec<Node>,
    indexes: Vec<Vec<Index>>,
    candidates: Vec<Candidate>,
    /// The conditions of all rules, those of one rule side by side, the most selective one first.
    tests: Vec<Test>,
}

#[derive(Debug)]
struct Node {
    /// The lowest rule that can be found below this node.
    lowest: RuleId,
    /// The lowest rule that needs nothing more.
    settled: RuleId,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// These candidates, lowest rule first, are tested one by one.
    Few(Range<u32>),
    /// These indexes lead on.
    Indexed(u32),
}

/// A rule that matches if all of these tests do.
#[derive(Clone, Debug)]
struct Candidate {
    rule: RuleId,
    tests: Range<u32>,
}

/// Leads from one subject to child nodes.
#[derive(Debug)]
enum Index {
    Host(PatternIndex),
    Path(PatternIndex),
    Field(Box<[u8]>, PatternIndex),
    Method(PatternIndex),
    Query(QueryIndex),
    Source(SourceIndex),
}

/// Up to how many rules testing each is as fast as an index.
const CANDIDATES_MAX: usize = 8;

impl Tree {
    /// Compiles `rules`, each the conditions of one rule, which stand in the order of their priorities.
    ///
    /// A rule stands below each value of the conditions that are indexed: at most the product of their
    /// numbers of values. The API allows five values a rule, so that is at most six places.
    pub(super) fn new(rules: Vec<Vec<Test>>) -> Self {
        let mut tests = Vec::new();
        let mut candidates = Vec::with_capacity(rules.len());
        for (rule, mut conditions) in rules.into_iter().enumerate() {
            conditions.sort_by_cached_key(Test::rank);
            let start = narrow(tests.len());
            tests.append(&mut conditions);
            candidates.push(Candidate {
                rule: narrow(rule),
                tests: start..narrow(tests.len()),
            });
        }
        let mut tree = Self {
            root: 0,
            nodes: Vec::new(),
            indexes: Vec::new(),
            candidates: Vec::new(),
            tests: Vec::new(),
        };
        tree.root = tree.push(&tests, candidates);
        tree.tests = tests;
        tree
    }

    /// The step to `candidates`, lowest rule first.
    fn push(&mut self, tests: &[Test], mut candidates: Vec<Candidate>) -> Step {
        let is_settled = |one: &Candidate| one.tests.is_empty();
        // What comes after a rule that needs nothing more is never reached.
        if let Some(settled) = candidates.iter().position(is_settled) {
            candidates.truncate(settled + 1);
        }
        let lowest = candidates.first().map_or(NO_RULE, |one| one.rule);
        let settled = candidates.pop_if(|last| is_settled(last));
        let settled = settled.map_or(NO_RULE, |one| one.rule);
        if candidates.is_empty() && settled != NO_RULE {
            return RULE | settled;
        }
        let kind = if candidates.len() <= CANDIDATES_MAX {
            let start = narrow(self.candidates.len());
            self.candidates.append(&mut candidates);
            Kind::Few(start..narrow(self.candidates.len()))
        } else {
            let indexes = self.indexes(tests, candidates);
            self.indexes.push(indexes);
            Kind::Indexed(narrow(self.indexes.len() - 1))
        };
        self.nodes.push(Node {
            lowest,
            settled,
            kind,
        });
        narrow(self.nodes.len() - 1)
    }

    /// Groups `candidates` by the values of their next condition, makes a child of each group, and indexes
    /// the children.
    fn indexes(&mut self, tests: &[Test], candidates: Vec<Candidate>) -> Vec<Index> {
        #[expect(clippy::mutable_key_type, reason = "a `Search` is hashed by its text")]
        let mut groups: FxHashMap<Value<'_>, Vec<Candidate>> = FxHashMap::default();
        for Candidate { rule, tests: own } in candidates {
            for value in values(&tests[own.start as usize]) {
                let group = groups.entry(value).or_default();
                // A value may be listed twice.
                if group.last().is_none_or(|last| last.rule != rule) {
                    let tests = own.start + 1..own.end;
                    group.push(Candidate { rule, tests });
                }
            }
        }
        let (mut hosts, mut paths, mut methods) = (Vec::new(), Vec::new(), Vec::new());
        let (mut pairs, mut blocks) = (Vec::new(), Vec::new());
        let mut fields: FxHashMap<&[u8], Vec<_>> = FxHashMap::default();
        for (value, group) in groups {
            let child = self.push(tests, group);
            match value {
                Value::Host(pattern) => hosts.push((pattern, child)),
                Value::Path(pattern) => paths.push((pattern, child)),
                Value::Field(name, pattern) => {
                    fields.entry(name).or_default().push((pattern, child));
                }
                Value::Method(pattern) => methods.push((pattern, child)),
                Value::Pair(pair) => pairs.push((pair, child)),
                Value::Block(block) => blocks.push((block, child)),
            }
        }
        let field = |(name, patterns): (&[u8], _)| {
            Index::Field(name.into(), PatternIndex::new(patterns, End::Front))
        };
        let mut indexes: Vec<Index> = fields.into_iter().map(field).collect();
        indexes.extend(pattern_index(hosts, End::Back).map(Index::Host));
        indexes.extend(pattern_index(paths, End::Front).map(Index::Path));
        indexes.extend(pattern_index(methods, End::Front).map(Index::Method));
        if !pairs.is_empty() {
            indexes.push(Index::Query(QueryIndex::new(pairs)));
        }
        if !blocks.is_empty() {
            indexes.push(Index::Source(SourceIndex::new(blocks)));
        }
        indexes
    }

    /// The lowest rule that the request matches, or `NO_RULE`.
    pub(super) fn lowest_match<R: RequestFacts>(
        &self,
        subjects: &Subjects<'_, R>,
        work: &mut Work,
    ) -> RuleId {
        let mut best = NO_RULE;
        work.pending.clear();
        work.pending.push(self.root);
        while let Some(step) = work.pending.pop() {
            if step & RULE != 0 {
                best = best.min(step & !RULE);
                continue;
            }
            let node = &self.nodes[step as usize];
            if node.lowest >= best {
                continue;
            }
            best = best.min(node.settled);
            match &node.kind {
                Kind::Few(candidates) => {
                    let mut lower = self.candidates[wide(candidates)]
                        .iter()
                        .take_while(|one| one.rule < best);
                    let matches = |one: &&Candidate| {
                        let mut tests = self.tests[wide(&one.tests)].iter();
                        tests.all(|test| test.matches(subjects, &mut work.value))
                    };
                    best = lower.find(matches).map_or(best, |one| one.rule);
                }
                Kind::Indexed(indexes) => {
                    for index in &self.indexes[*indexes as usize] {
                        let others = work.pending.len();
                        index.visit(subjects, work);
                        // A client can repeat a pair or a field thousands of times, at every level of the
                        // tree: without this the repetitions would multiply.
                        work.pending[others..].sort_unstable();
                        work.pending.dedup();
                    }
                }
            }
        }
        best
    }
}

impl Index {
    /// Adds the children for the values that the request matches to what is pending.
    fn visit<R: RequestFacts>(&self, subjects: &Subjects<'_, R>, work: &mut Work) {
        let Work {
            value,
            pending,
            seen,
        } = work;
        let found = |child| pending.push(child);
        match self {
            Self::Host(index) => index.visit(subjects.host, seen, found),
            Self::Path(index) => index.visit(subjects.path, seen, found),
            Self::Method(index) => index.visit(subjects.request.method(), seen, found),
            Self::Source(index) => index.visit(subjects.request.source_ip(), found),
            Self::Query(index) => index.visit(subjects.request.query(), value, seen, found),
            Self::Field(name, index) => {
                let mut found = found;
                subjects.request.any_field(name, &mut |occurrence| {
                    index.visit(fold(occurrence, value), seen, &mut found);
                    false
                });
            }
        }
    }
}

fn pattern_index(patterns: Vec<(&Pattern, Step)>, whole_from: End) -> Option<PatternIndex> {
    (!patterns.is_empty()).then(|| PatternIndex::new(patterns, whole_from))
}

/// One value of a condition, by which rules are grouped.
#[derive(PartialEq, Eq, Hash)]
enum Value<'a> {
    Host(&'a Pattern),
    Path(&'a Pattern),
    Field(&'a [u8], &'a Pattern),
    Method(&'a Pattern),
    Pair(&'a PairPattern),
    Block(Cidr),
}

fn values(test: &Test) -> Vec<Value<'_>> {
    match test {
        Test::Host(patterns) => patterns.iter().map(Value::Host).collect(),
        Test::Path(patterns) => patterns.iter().map(Value::Path).collect(),
        Test::Field { name, patterns } => {
            let value = |pattern| Value::Field(name, pattern);
            patterns.iter().map(value).collect()
        }
        Test::Method(methods) => methods.iter().map(Value::Method).collect(),
        Test::Query(pairs) => pairs.iter().map(Value::Pair).collect(),
        Test::Source(blocks) => blocks.iter().copied().map(Value::Block).collect(),
    }
}

/// Half the space of a `usize`; one bit is kept for `RULE`.
fn narrow(count: usize) -> u32 {
    let narrow = u32::try_from(count).ok().filter(|count| *count < RULE);
    narrow.expect("a router has fewer than 2³¹ rules and values")
}

fn wide(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}
