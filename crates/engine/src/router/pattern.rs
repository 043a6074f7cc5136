//! One value of a condition: a wildcard pattern or a regular expression.

use std::hash::{Hash, Hasher};

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::CompileError;
use super::glob::{Glob, Syntax};

/// A compiled value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Pattern {
    /// The whole subject must match.
    Glob(Glob),
    /// The subject is searched.
    Search(Box<Search>),
}

/// A compiled regular expression.
#[derive(Clone, Debug)]
pub(super) struct Search {
    text: String,
    regex: Regex,
    needles: Option<Needles>,
}

/// Literals of which at least one is part of every subject that matches.
pub(super) type Needles = Vec<Box<[u8]>>;

/// How many subjects a pattern lets through, roughly. The order matters for speed only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Selectivity {
    /// A single one.
    One,
    /// Those with a given beginning or end.
    Some,
    /// Those with a literal somewhere.
    Many,
    /// Nearly all, or the pattern cannot tell without a trial.
    Most,
}

impl Pattern {
    /// Whether `subject` matches.
    pub(super) fn matches(&self, subject: &[u8]) -> bool {
        match self {
            Self::Glob(glob) => glob.matches(subject),
            Self::Search(search) => search.regex.is_match(subject),
        }
    }

    /// Every set of literals of which one must be found before a trial can succeed.
    pub(super) fn needles(&self) -> Vec<Needles> {
        match self {
            Self::Glob(glob) => glob.literals().into_iter().map(|one| vec![one]).collect(),
            Self::Search(search) => search.needles.iter().cloned().collect(),
        }
    }

    pub(super) fn selectivity(&self) -> Selectivity {
        match self {
            Self::Glob(Glob::Exact(_)) => Selectivity::One,
            Self::Glob(Glob::Prefix(literal) | Glob::Suffix(literal)) if !literal.is_empty() => {
                Selectivity::Some
            }
            _ if self.needles().is_empty() => Selectivity::Most,
            _ => Selectivity::Many,
        }
    }
}

impl Search {
    /// The largest program of one expression. The API's 128 characters need far less, unless they nest
    /// repetitions.
    const PROGRAM_BYTES_MAX: usize = 1 << 20;

    /// Compiles `text` for bytes: `.` and classes stand for bytes, and letters for ASCII.
    pub(super) fn compile(text: &str, syntax: Syntax) -> Result<Self, CompileError> {
        let is_folded = syntax != Syntax::Cased;
        let regex = RegexBuilder::new(text)
            .unicode(false)
            .case_insensitive(is_folded)
            .size_limit(Self::PROGRAM_BYTES_MAX)
            .build();
        let regex = regex.map_err(|source| CompileError {
            pattern: text.to_owned(),
            source,
        })?;
        let hir = regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .case_insensitive(is_folded)
            .build()
            .parse(text);
        Ok(Self {
            text: text.to_owned(),
            regex,
            needles: hir.ok().and_then(|hir| needles(&hir, is_folded)),
        })
    }
}

impl PartialEq for Search {
    /// Subjects of one kind have one syntax, so the text tells expressions apart.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Search {}

impl Hash for Search {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// The alternatives that are worth looking for; with more, a trial is the better filter.
const NEEDLES_MAX: usize = 16;

/// The best set of literals of which every match holds at least one.
fn needles(hir: &Hir, is_folded: bool) -> Option<Needles> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.clone()]),
        HirKind::Class(class) => letter(class, is_folded).map(|letter| vec![[letter].into()]),
        HirKind::Capture(capture) => needles(&capture.sub, is_folded),
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            needles(&repetition.sub, is_folded)
        }
        HirKind::Concat(parts) => needles_of_sequence(parts, is_folded),
        HirKind::Alternation(branches) => {
            let sets = branches.iter().map(|branch| needles(branch, is_folded));
            let all: Needles = sets.collect::<Option<Vec<_>>>()?.concat();
            (all.len() <= NEEDLES_MAX).then_some(all)
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// The best set among the runs of literal bytes and the other parts. The set's shortest literal counts.
fn needles_of_sequence(parts: &[Hir], is_folded: bool) -> Option<Needles> {
    let mut candidates: Vec<Needles> = Vec::new();
    let mut run: Vec<u8> = Vec::new();
    for part in parts {
        match part.kind() {
            HirKind::Literal(literal) => run.extend_from_slice(&literal.0),
            HirKind::Class(class) if letter(class, is_folded).is_some() => {
                run.extend(letter(class, is_folded));
            }
            // Assertions take no bytes, so the run goes on.
            HirKind::Look(_) | HirKind::Empty => {}
            _ => {
                candidates.push(vec![std::mem::take(&mut run).into()]);
                candidates.extend(needles(part, is_folded));
            }
        }
    }
    candidates.push(vec![run.into()]);
    let shortest = |set: &Needles| set.iter().map(|literal| literal.len()).min().unwrap_or(0);
    let best = candidates.into_iter().max_by_key(shortest)?;
    (shortest(&best) > 0).then_some(best)
}

/// The letter of a class that holds just its two cases, which is how a letter reads when case is ignored.
fn letter(class: &Class, is_folded: bool) -> Option<u8> {
    let members: Vec<(u32, u32)> = match class {
        Class::Bytes(bytes) => {
            let range = |range: &regex_syntax::hir::ClassBytesRange| {
                (range.start().into(), range.end().into())
            };
            bytes.ranges().iter().map(range).collect()
        }
        Class::Unicode(unicode) => {
            let range = |range: &regex_syntax::hir::ClassUnicodeRange| {
                (range.start().into(), range.end().into())
            };
            unicode.ranges().iter().map(range).collect()
        }
    };
    match members.as_slice() {
        [(upper, upper_end), (lower, lower_end)] if upper == upper_end && lower == lower_end => {
            let (upper, lower) = (u8::try_from(*upper).ok()?, u8::try_from(*lower).ok()?);
            let is_one_letter = upper.is_ascii_uppercase() && upper.to_ascii_lowercase() == lower;
            (is_folded && is_one_letter).then_some(lower)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, syntax: Syntax, expected: &[&str]) {
        let search = Search::compile(text, syntax).expect("a valid expression");
        let found = search.needles.unwrap_or_default();
        let found: Vec<_> = found
            .iter()
            .map(|one| String::from_utf8_lossy(one))
            .collect();
        assert_eq!(found, expected, "needles of {text:?}");
    }

    #[test]
    fn needles_are_parts_of_every_match() {
        use Syntax::{Cased, Folded};
        check("^/api/v[0-9]+/orders/42$", Cased, &["/orders/42"]);
        check("^shop-(eu|us)\\.example\\.com$", Folded, &[".example.com"]);
        check("SHOP", Folded, &["shop"]);
        check("SHOP", Cased, &["SHOP"]);
        check("(?i)shop", Cased, &[]); // Paths are not lowered, so neither case must be there.
        check("^(cart|order)s?$", Cased, &["cart", "order"]);
        check("/shop(?:-eu|-us)/c", Cased, &["/shop"]);
        check("(a|b*)", Cased, &[]);
        check("[a-z]+", Folded, &[]);
        check("(?:abc){2,}x?", Cased, &["abc"]);
        check("(?:abc)*", Cased, &[]);
        check("", Cased, &[]);
    }

    #[test]
    fn what_cannot_be_compiled_is_named() {
        for text in ["(", "(?=a)", "(a)\\1", "\\p{Greek}", "((a{99}){99}){99}"] {
            let error = Search::compile(text, Syntax::Folded).expect_err(text);
            assert_eq!(error.pattern, text);
        }
    }
}
