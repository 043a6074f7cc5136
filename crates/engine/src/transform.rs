//! How a request is rewritten before it is sent to a target.
//!
//! Source: ALB guide, "Transforms for listener rules".

use regex::bytes::Regex;

/// The rewrites of one rule; they never change which rule or target a request gets.
#[derive(Clone, Debug, Default)]
pub struct Transforms {
    /// Rewrites `Host`.
    pub host: Option<Rewrite>,
    /// Rewrites the path with the query.
    pub url: Option<Rewrite>,
}

/// One regular expression and what its first match is replaced with.
#[derive(Clone, Debug)]
pub struct Rewrite {
    /// What is searched.
    pub pattern: Regex,
    /// The replacement; `$1` and so on are the groups of the match.
    pub replacement: Box<str>,
}
