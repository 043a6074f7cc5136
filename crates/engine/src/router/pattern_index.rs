//! All patterns of one subject, arranged so that a look-up finds the matching ones without trying the rest.

use std::ops::Range;

use aho_corasick::AhoCorasick;
use rustc_hash::FxHashMap;

use super::glob::Glob;
use super::pattern::{Needles, Pattern};
use super::subject::Seen;
use super::trie::{End, Entry, Extent, Trie};

/// The compiled patterns, each with a number.
#[derive(Debug)]
pub(super) struct PatternIndex {
    /// Beginnings and, unless `back` has them, whole subjects.
    front: Trie,
    /// Ends and, for hosts, whole subjects.
    back: Trie,
    /// All other patterns. Boxed, because most indexes have none and a walk reads many indexes.
    others: Option<Box<Others>>,
}

/// Patterns that have to be tried.
#[derive(Debug)]
struct Others {
    scan: Scan,
    /// Patterns without any literal, and all when they are few.
    trials: Vec<(Pattern, u32)>,
}

/// Up to how many patterns a trial of each is as fast as a scan.
const TRIALS_MAX: usize = 4;

impl PatternIndex {
    /// Compiles `patterns`. `whole_from` is the end from which whole subjects are compared: the one at
    /// which the other patterns are, so that one pass finds both.
    pub(super) fn new(patterns: Vec<(&Pattern, u32)>, whole_from: End) -> Self {
        let (mut front, mut back, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for (pattern, value) in patterns {
            let entry = |literal, extent| Entry {
                literal,
                extent,
                value,
            };
            match pattern {
                Pattern::Glob(Glob::Exact(literal)) => match whole_from {
                    End::Front => front.push(entry(literal, Extent::Whole)),
                    End::Back => back.push(entry(literal, Extent::Whole)),
                },
                Pattern::Glob(Glob::Prefix(literal)) => front.push(entry(literal, Extent::Part)),
                Pattern::Glob(Glob::Suffix(literal)) => back.push(entry(literal, Extent::Part)),
                Pattern::Glob(Glob::General(_)) | Pattern::Search(_) => {
                    others.push((pattern, value));
                }
            }
        }
        Self {
            front: Trie::new(End::Front, front),
            back: Trie::new(End::Back, back),
            others: (!others.is_empty()).then(|| {
                let (scan, trials) = Scan::new(others);
                Box::new(Others { scan, trials })
            }),
        }
    }

    /// Calls `found` with the number of each pattern that `subject` matches, once or more often.
    pub(super) fn visit(&self, subject: &[u8], seen: &mut Seen, mut found: impl FnMut(u32)) {
        self.front.visit(subject, &mut found);
        self.back.visit(subject, &mut found);
        let Some(others) = &self.others else {
            return;
        };
        others.scan.visit(subject, seen, &mut found);
        for (pattern, value) in &others.trials {
            if pattern.matches(subject) {
                found(*value);
            }
        }
    }
}

/// Patterns with a literal: one pass over the subject finds the literals, and only the patterns of those
/// that are there are tried.
#[derive(Debug, Default)]
struct Scan {
    automaton: Option<AhoCorasick>,
    /// For each literal of the automaton its patterns.
    by_literal: Vec<Range<usize>>,
    patterns: Vec<(Pattern, u32)>,
}

impl Scan {
    /// The scan, and the patterns that it cannot take.
    fn new(patterns: Vec<(&Pattern, u32)>) -> (Self, Vec<(Pattern, u32)>) {
        let owned = |(pattern, value): &(&Pattern, u32)| ((*pattern).clone(), *value);
        if patterns.len() <= TRIALS_MAX {
            return (Self::default(), patterns.iter().map(owned).collect());
        }
        let sets: Vec<Vec<Needles>> = patterns.iter().map(|(one, _)| one.needles()).collect();
        let mut uses: FxHashMap<&[u8], usize> = FxHashMap::default();
        for literal in sets.iter().flatten().flatten() {
            *uses.entry(literal).or_default() += 1;
        }
        let mut by_literal: FxHashMap<&[u8], Vec<(Pattern, u32)>> = FxHashMap::default();
        let mut trials = Vec::new();
        for (entry, sets) in patterns.iter().zip(&sets) {
            match rarest(sets, &uses) {
                Some(needles) => needles.iter().for_each(|literal| {
                    by_literal.entry(literal).or_default().push(owned(entry));
                }),
                None => trials.push(owned(entry)),
            }
        }
        let Ok(automaton) = AhoCorasick::new(by_literal.keys()) else {
            // Too large to build, which takes gigabytes of patterns: slow, but still right.
            return (Self::default(), patterns.iter().map(owned).collect());
        };
        let mut scan = Self {
            automaton: Some(automaton),
            ..Self::default()
        };
        for members in by_literal.into_values() {
            let start = scan.patterns.len();
            scan.patterns.extend(members);
            scan.by_literal.push(start..scan.patterns.len());
        }
        (scan, trials)
    }

    fn visit(&self, subject: &[u8], seen: &mut Seen, found: &mut impl FnMut(u32)) {
        let Some(automaton) = &self.automaton else {
            return;
        };
        seen.clear(self.by_literal.len());
        for hit in automaton.find_overlapping_iter(subject) {
            let literal = hit.pattern().as_usize();
            // A client can repeat a literal thousands of times; its patterns are tried once.
            if seen.insert(literal) {
                for (pattern, value) in &self.patterns[self.by_literal[literal].clone()] {
                    if pattern.matches(subject) {
                        found(*value);
                    }
                }
            }
        }
    }
}

/// The set whose literals the fewest other patterns share; among equals the one with the longest literals.
///
/// Taking the longest literal alone would put a thousand `*/items/*/<number>` on the one literal `/items/`.
fn rarest<'a>(sets: &'a [Needles], uses: &FxHashMap<&[u8], usize>) -> Option<&'a Needles> {
    sets.iter().min_by_key(|set| {
        let most_used = set.iter().map(|literal| uses[&**literal]).max();
        let shortest = set.iter().map(|literal| literal.len()).min();
        (most_used, std::cmp::Reverse(shortest))
    })
}
