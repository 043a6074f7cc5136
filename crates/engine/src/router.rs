//! The rules of one listener, compiled so that the cost of a request does not grow with their number.

use std::net::IpAddr;

use model::condition::Condition;

use crate::action::Action;

/// A listener's rules.
#[derive(Debug)]
pub struct Router {
    default: Action,
}

/// One rule before it is compiled.
#[derive(Debug)]
pub struct Rule {
    /// 1 to 50,000, each at most once in a router; the lowest that matches wins.
    pub priority: u32,
    /// All of them must match; at least one.
    pub conditions: Vec<Condition>,
    /// What happens to the request.
    pub action: Action,
}

/// What rules look at. Nothing is copied: all slices point into the request head.
pub trait RequestFacts {
    /// The method.
    fn method(&self) -> &[u8];
    /// The first `Host` without its port; empty if there is none.
    fn host(&self) -> &[u8];
    /// The path without the query, as received.
    fn path(&self) -> &[u8];
    /// The query without `?`; empty if there is none.
    fn query(&self) -> &[u8];
    /// Calls `visit` with each value of the field, in order, until it returns `true`.
    /// `name` is in lower case.
    fn any_field(&self, name: &[u8], visit: &mut dyn FnMut(&[u8]) -> bool) -> bool;
    /// The address of the TCP peer.
    fn source_ip(&self) -> IpAddr;
}

/// A condition holds a regular expression that cannot be compiled.
#[derive(Debug, thiserror::Error)]
#[error("the regular expression '{pattern}' cannot be compiled")]
pub struct CompileError {
    /// The expression as it was given.
    pub pattern: String,
    /// What the regex engine says.
    #[source]
    pub source: regex::Error,
}

impl Router {
    /// Compiles `rules`; requests that match none of them get `default`.
    ///
    /// # Errors
    /// `CompileError` if a regular expression is not valid or its automaton is too large.
    pub fn compile(rules: Vec<Rule>, default: Action) -> Result<Self, CompileError> {
        let _ = rules;
        Ok(Self { default })
    }

    /// The action of the rule with the lowest priority that matches, with that priority (0: the default).
    #[must_use]
    pub fn route(&self, _request: &impl RequestFacts) -> (u32, &Action) {
        (0, &self.default)
    }
}
