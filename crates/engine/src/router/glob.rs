//! Wildcard patterns: `*` stands for any number of bytes, `?` for exactly one, and the whole subject
//! must match. The shapes that can be indexed without trying them are kept apart from the rest.

/// A parsed wildcard pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Glob {
    /// No wildcard at all.
    Exact(Box<[u8]>),
    /// `literal*`; also `*` alone, whose literal is empty.
    Prefix(Box<[u8]>),
    /// `*literal`.
    Suffix(Box<[u8]>),
    /// Any other.
    General(Box<[Symbol]>),
}

/// One step of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Symbol {
    /// This byte.
    Byte(u8),
    /// Exactly one byte, `?`.
    One,
    /// Any number of bytes, `*`.
    Many,
}

/// How the text of a pattern is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Letters stand for themselves: paths.
    Cased,
    /// Letters are lowered, as the subject will be: hosts and field values.
    Folded,
    /// Letters are lowered, and `\*`, `\?` and `\\` stand for `*`, `?` and `\`: queries.
    FoldedWithEscapes,
}

impl Glob {
    /// Reads `pattern`.
    pub(super) fn parse(pattern: &str, syntax: Syntax) -> Self {
        let mut symbols = symbols(pattern, syntax);
        symbols.dedup_by(|a, b| (*a, *b) == (Symbol::Many, Symbol::Many));
        let literal = |symbols: &[Symbol]| -> Option<Box<[u8]>> {
            let byte = |symbol: &Symbol| match symbol {
                Symbol::Byte(byte) => Some(*byte),
                Symbol::One | Symbol::Many => None,
            };
            symbols.iter().map(byte).collect()
        };
        let shape = match symbols.as_slice() {
            [head @ .., Symbol::Many] => literal(head).map(Self::Prefix),
            [Symbol::Many, tail @ ..] => literal(tail).map(Self::Suffix),
            all => literal(all).map(Self::Exact),
        };
        shape.unwrap_or_else(|| Self::General(symbols.into()))
    }

    /// Whether all of `subject` matches.
    pub(super) fn matches(&self, subject: &[u8]) -> bool {
        match self {
            Self::Exact(literal) => subject == &**literal,
            Self::Prefix(literal) => subject.starts_with(literal),
            Self::Suffix(literal) => subject.ends_with(literal),
            Self::General(symbols) => matches_symbols(symbols, subject),
        }
    }

    /// The symbols, whatever the shape.
    fn symbols(&self) -> Vec<Symbol> {
        let bytes = |literal: &[u8]| literal.iter().map(|byte| Symbol::Byte(*byte)).collect();
        match self {
            Self::Exact(literal) => bytes(literal),
            Self::Prefix(literal) => [bytes(literal), vec![Symbol::Many]].concat(),
            Self::Suffix(literal) => [vec![Symbol::Many], bytes(literal)].concat(),
            Self::General(symbols) => symbols.to_vec(),
        }
    }

    /// The runs of bytes between the wildcards; each of them is part of every matching subject.
    pub(super) fn literals(&self) -> Vec<Box<[u8]>> {
        let mut literals = vec![Vec::new()];
        for symbol in self.symbols() {
            match symbol {
                Symbol::Byte(byte) => literals.last_mut().expect("starts with one").push(byte),
                Symbol::One | Symbol::Many => literals.push(Vec::new()),
            }
        }
        let filled = literals.into_iter().filter(|literal| !literal.is_empty());
        filled.map(Vec::into_boxed_slice).collect()
    }

    /// The pattern that matches `prefix` followed by what `self` matches.
    pub(super) fn after(&self, prefix: &[u8]) -> Self {
        let before = |literal: &[u8]| [prefix, literal].concat().into_boxed_slice();
        match self {
            Self::Exact(literal) => Self::Exact(before(literal)),
            Self::Prefix(literal) => Self::Prefix(before(literal)),
            Self::Suffix(_) | Self::General(_) => {
                let head = prefix.iter().map(|byte| Symbol::Byte(*byte));
                Self::General(head.chain(self.symbols()).collect())
            }
        }
    }
}

fn symbols(pattern: &str, syntax: Syntax) -> Vec<Symbol> {
    let folded = |byte: u8| match syntax {
        Syntax::Cased => Symbol::Byte(byte),
        Syntax::Folded | Syntax::FoldedWithEscapes => Symbol::Byte(byte.to_ascii_lowercase()),
    };
    let mut symbols = Vec::with_capacity(pattern.len());
    let mut rest = pattern.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let is_escape = byte == b'\\' && syntax == Syntax::FoldedWithEscapes;
        let (symbol, after) = match (byte, after) {
            (_, [escaped @ (b'*' | b'?' | b'\\'), after @ ..]) if is_escape => {
                (Symbol::Byte(*escaped), after)
            }
            (b'*', _) => (Symbol::Many, after),
            (b'?', _) => (Symbol::One, after),
            _ => (folded(byte), after),
        };
        symbols.push(symbol);
        rest = after;
    }
    symbols
}

/// Matches from left to right. After a mismatch only the latest `*` takes one more byte: if an earlier one
/// had to take more, the symbols between the two would match later in the subject too, where the later `*`
/// can reach. So the cost is at most the product of the lengths, never exponential.
fn matches_symbols(symbols: &[Symbol], subject: &[u8]) -> bool {
    let (mut symbol, mut byte) = (0, 0);
    let mut latest_star: Option<(usize, usize)> = None;
    while byte < subject.len() {
        match symbols.get(symbol) {
            Some(Symbol::Many) => {
                symbol += 1;
                latest_star = Some((symbol, byte));
            }
            Some(Symbol::One) => (symbol, byte) = (symbol + 1, byte + 1),
            Some(Symbol::Byte(expected)) if *expected == subject[byte] => {
                (symbol, byte) = (symbol + 1, byte + 1);
            }
            Some(Symbol::Byte(_)) | None => match latest_star {
                Some((after_star, taken_upto)) => {
                    (symbol, byte) = (after_star, taken_upto + 1);
                    latest_star = Some((after_star, byte));
                }
                None => return false,
            },
        }
    }
    symbols[symbol..].iter().all(|rest| *rest == Symbol::Many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_whole_subjects() {
        for (pattern, subject, matches) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b.c", true),
            ("?", "", false),
            ("?", "/", true),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("a*bc*d", "abcbcxd", true),
            ("*ab?d", "ababcd", true),
            ("*?", "", false),
            ("?*?", "a", false),
            ("?*?", "ab", true),
            ("a**b", "ab", true),
            ("\\*", "\\x", true), // No escapes outside queries.
        ] {
            let glob = Glob::parse(pattern, Syntax::Cased);
            let found = glob.matches(subject.as_bytes());
            assert_eq!(found, matches, "{subject:?} against {pattern:?}");
            let found = matches_symbols(&glob.symbols(), subject.as_bytes());
            assert_eq!(
                found, matches,
                "{subject:?} against {pattern:?} step by step"
            );
        }
    }

    #[test]
    fn escapes_make_wildcards_literal() {
        let query = |pattern| Glob::parse(pattern, Syntax::FoldedWithEscapes);
        assert_eq!(query(r"\*A\?\\"), Glob::Exact((*br"*a?\").into()));
        assert_eq!(query(r"\a*"), Glob::Prefix((*br"\a").into()));
        assert_eq!(query(r"\"), Glob::Exact((*br"\").into()));
    }

    #[test]
    fn shapes_are_told_apart() {
        let shape = |pattern| Glob::parse(pattern, Syntax::Folded);
        assert_eq!(shape("A.b"), Glob::Exact((*b"a.b").into()));
        assert_eq!(shape("**"), Glob::Prefix([].into()));
        assert_eq!(shape("a**"), Glob::Prefix((*b"a").into()));
        assert_eq!(shape("*.b"), Glob::Suffix((*b".b").into()));
        assert!(matches!(shape("*a*"), Glob::General(_)));
    }

    #[test]
    fn a_hostile_subject_costs_no_more_than_the_product_of_the_lengths() {
        let glob = Glob::parse(&"*a".repeat(30), Syntax::Cased);
        assert!(!glob.matches(&[&b"a".repeat(5_000)[..], b"b"].concat()));
    }
}
