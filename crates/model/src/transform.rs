//! How a rule rewrites requests before they are sent to a target.
//!
//! Source: ELB API, `RuleTransform`; ALB guide, "Transforms for listener rules".

use serde::{Deserialize, Serialize};

use crate::expression;
use crate::text_enum;

text_enum! {
    /// What a transform rewrites.
    ///
    /// Source: ELB API, `TransformTypeEnum`.
    pub enum TransformType {
        /// The value of `Host`.
        HostHeaderRewrite = "host-header-rewrite",
        /// The path with the query.
        UrlRewrite = "url-rewrite",
    }
}

/// The transforms of a rule, at most one of each type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transforms {
    /// Rewrites `Host`.
    pub host: Option<Rewrite>,
    /// Rewrites the path with the query.
    pub url: Option<Rewrite>,
}

/// A regular expression, and what its match is replaced with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrite {
    regex: String,
    replace: String,
}

/// A rewrite that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRewrite {
    /// An expression that is empty or too long, or a replacement that is too long.
    #[error("The '{field}' field of a rewrite must be between {min} and 1024 characters in length")]
    Length {
        /// Which of the two.
        field: &'static str,
        /// How many characters there have to be.
        min: usize,
    },
    /// An expression that is not of the supported dialect.
    #[error("The regular expression '{pattern}' is not valid: {reason}")]
    Regex {
        /// What was given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A control character in the replacement.
    #[error("The 'Replace' field of a rewrite cannot contain control characters")]
    Replace,
}

impl Transforms {
    /// Whether nothing is rewritten.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.host.is_none() && self.url.is_none()
    }
}

impl Rewrite {
    /// Most characters of an expression and of a replacement.
    const CHARACTERS_MAX: usize = 1024;

    /// Replaces the match of `regex` with `replace`, in which `$1` and so on are the groups of the match.
    ///
    /// # Errors
    /// `InvalidRewrite` if one of them is too long, or the expression not of the dialect of `expression`.
    pub fn new(regex: String, replace: String) -> Result<Self, InvalidRewrite> {
        if !(1..=Self::CHARACTERS_MAX).contains(&regex.chars().count()) {
            return Err(InvalidRewrite::Length {
                field: "Regex",
                min: 1,
            });
        }
        if replace.chars().count() > Self::CHARACTERS_MAX {
            return Err(InvalidRewrite::Length {
                field: "Replace",
                min: 0,
            });
        }
        if replace.chars().any(char::is_control) {
            return Err(InvalidRewrite::Replace);
        }
        match expression::check(&regex) {
            Ok(()) => Ok(Self { regex, replace }),
            Err(reason) => Err(InvalidRewrite::Regex {
                pattern: regex,
                reason,
            }),
        }
    }

    /// What is searched.
    #[must_use]
    pub fn regex(&self) -> &str {
        &self.regex
    }

    /// What takes the place of the match.
    #[must_use]
    pub fn replace(&self) -> &str {
        &self.replace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewrites_are_checked() {
        let long = "a".repeat(1025);
        for (regex, replace, expected) in [
            ("^/api/(.*)$", "/$1", ""),
            ("a", "", ""),
            (&long[1..], &long[1..], ""),
            (
                "",
                "/",
                "The 'Regex' field of a rewrite must be between 1 and 1024 characters in length",
            ),
            (
                &long,
                "/",
                "The 'Regex' field of a rewrite must be between 1 and 1024 characters in length",
            ),
            (
                "a",
                &long,
                "The 'Replace' field of a rewrite must be between 0 and 1024 characters in length",
            ),
            (
                "a",
                "/\r\nX: y",
                "The 'Replace' field of a rewrite cannot contain control characters",
            ),
            (
                "(",
                "/",
                "The regular expression '(' is not valid: unclosed group",
            ),
        ] {
            let outcome = Rewrite::new(regex.to_owned(), replace.to_owned());
            let message = outcome.map_or_else(|error| error.to_string(), |_| String::new());
            assert_eq!(message, expected, "{regex:.20} {replace:.20}");
        }
    }
}
