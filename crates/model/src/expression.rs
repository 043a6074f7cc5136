//! The dialect of regular expressions in conditions and transforms.
//!
//! Source: ALB guide, "Condition types for listener rules" and "Transforms for listener rules": no look-around,
//! back references, atomic groups, possessive quantifiers, subroutines, recursion and `\p{…}`.

use regex::bytes::RegexBuilder;
use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{
    Ast, ClassSetBinaryOp, ClassSetItem, Flag, Flags, GroupKind, Visitor, visit,
};

/// Most bytes of the compiled form of one expression. Expressions need far less, unless they nest
/// repetitions.
pub const PROGRAM_BYTES_MAX: usize = 1 << 20;

/// Whether `pattern` is of the dialect and small enough; else why it is not.
///
/// What the regex engine reads in another way than the dialects of other engines is refused as well, so that
/// nothing means here what it does not mean on AWS.
///
/// # Errors
/// The reason, as the end of a sentence.
pub fn check(pattern: &str) -> Result<(), String> {
    let ast = Parser::new()
        .parse(pattern)
        .map_err(|error| error.kind().to_string())?;
    visit(&ast, Dialect).map_err(str::to_owned)?;
    let compiled = RegexBuilder::new(pattern)
        .unicode(false)
        .size_limit(PROGRAM_BYTES_MAX)
        .build();
    compiled.map(drop).map_err(|error| {
        // The last line names the fault; those before it draw an arrow.
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        last.strip_prefix("error: ").unwrap_or(last).to_owned()
    })
}

/// Looks for what parses and yet is not of the dialect.
struct Dialect;

const UNICODE_CLASS: &str = "classes of Unicode properties are not supported";
const REPEATED_QUANTIFIER: &str =
    "possessive quantifiers, and quantifiers of quantifiers, are not supported";
const RECURSION: &str = "recursion, and the flag 'R', are not supported";
const SET_OPERATION: &str =
    "operations between classes are not supported; escape '&', '-' or '~' if it stands for itself";
const NESTED_CLASS: &str =
    "classes inside classes are not supported; escape '[' if it stands for itself";

impl Visitor for Dialect {
    type Output = ();
    type Err = &'static str;

    fn finish(self) -> Result<(), &'static str> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), &'static str> {
        match ast {
            Ast::ClassUnicode(_) => Err(UNICODE_CLASS),
            Ast::Repetition(outer) if matches!(*outer.ast, Ast::Repetition(_)) => {
                Err(REPEATED_QUANTIFIER)
            }
            Ast::Flags(set) => check_flags(&set.flags),
            Ast::Group(group) => match &group.kind {
                GroupKind::NonCapturing(flags) => check_flags(flags),
                GroupKind::CaptureIndex(_) | GroupKind::CaptureName { .. } => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), &'static str> {
        match item {
            ClassSetItem::Unicode(_) => Err(UNICODE_CLASS),
            ClassSetItem::Bracketed(_) => Err(NESTED_CLASS),
            _ => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ClassSetBinaryOp) -> Result<(), &'static str> {
        Err(SET_OPERATION)
    }
}

fn check_flags(flags: &Flags) -> Result<(), &'static str> {
    match flags.flag_state(Flag::CRLF) {
        Some(_) => Err(RECURSION),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_the_dialect_is_accepted() {
        for pattern in [
            "^/api/v[0-9]+/(.*)$",
            r"^(.+)\.example\.com$",
            "(?i)a(?:b|c)*?d{2,3}",
            "[^a-z&_-]",
            r"[\[\]]",
            "[[:alpha:]]",
            r"\d\w\s\b",
            "(a+)+",
            r"\\p",
        ] {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn what_is_not_is_refused() {
        for (pattern, reason) in [
            ("(", "unclosed group"),
            ("(?=a)", "look-around"),
            ("(?<!a)", "look-around"),
            (r"(a)\1", "backreferences"),
            ("(?>a)", "unrecognized flag"),
            ("a++", "possessive"),
            ("a*+", "possessive"),
            ("a?+", "possessive"),
            ("a{2}+", "possessive"),
            ("a**", "quantifiers"),
            ("(?R)", "recursion"),
            ("(?R:a)", "recursion"),
            ("(?1)", "unrecognized flag"),
            ("(?&a)", "unrecognized flag"),
            (r"\p{L}", "Unicode"),
            (r"\pL", "Unicode"),
            (r"[\P{L}]", "Unicode"),
            ("[a&&b]", "operations between classes"),
            ("[a-z--b]", "operations between classes"),
            ("[[a]b]", "classes inside classes"),
            ("(?:a{1000}){1000}", "size limit"),
        ] {
            let found = check(pattern).expect_err(pattern);
            assert!(found.contains(reason), "{pattern}: {found}");
        }
    }
}
