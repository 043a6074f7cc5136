//! The rules of one listener, compiled so that the cost of a request does not grow with their number.
//!
//! `tree` is the way from a request to its rule, `pattern_index` with `trie` and `query_index` and
//! `source_index` are the look-ups on that way, `condition` tests what they leave over, `glob` and
//! `pattern` are single values, and `subject` prepares what they are compared with. `explain` says why a rule does not
//! match, away from all that.

mod condition;
mod explain;
mod glob;
mod pattern;
mod pattern_index;
mod query_index;
mod source_index;
mod subject;
mod tree;
mod trie;

use std::net::IpAddr;
use std::sync::Arc;

use model::condition::Condition;

pub use self::explain::failed_conditions;

use self::condition::{Subjects, Test};
use self::subject::{Scratch, fold, normalise};
use self::tree::{NO_RULE, Tree};
use crate::action::{Action, Routing};
use crate::pool::Pool;

/// A listener's rules.
///
/// The outcome is that of a loop over the rules in the order of their priorities.
#[derive(Debug)]
pub struct Router {
    /// The priority and the action of each rule, lowest priority first.
    outcomes: Vec<(u32, Action)>,
    /// Shared with the routers that `with_actions` made of this one.
    tree: Arc<Tree>,
    looks_at_host: bool,
    looks_at_path: bool,
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
    /// `name` is in lower case. Returns whether `visit` did.
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
    pub fn compile(mut rules: Vec<Rule>, default: Action) -> Result<Self, CompileError> {
        rules.sort_by_key(|rule| rule.priority);
        let conditions = rules.iter().map(compile_conditions);
        let tests = conditions.collect::<Result<Vec<_>, _>>()?;
        let looks_at = |subject: fn(&Test) -> bool| tests.iter().flatten().any(subject);
        let outcome = |rule: Rule| (rule.priority, rule.action);
        Ok(Self {
            outcomes: rules.into_iter().map(outcome).collect(),
            looks_at_host: looks_at(|test| matches!(test, Test::Host(_))),
            looks_at_path: looks_at(|test| matches!(test, Test::Path(_))),
            tree: Arc::new(Tree::new(tests)),
            default,
        })
    }

    /// A router with the same conditions and priorities and other actions, without compiling anything.
    ///
    /// `actions` are those of the rules, lowest priority first.
    ///
    /// # Panics
    /// If there are not as many actions as rules.
    #[must_use]
    pub fn with_actions(&self, actions: Vec<Action>, default: Action) -> Self {
        assert_eq!(
            actions.len(),
            self.outcomes.len(),
            "each rule has one action"
        );
        let priorities = self.outcomes.iter().map(|(priority, _)| *priority);
        Self {
            outcomes: priorities.zip(actions).collect(),
            tree: Arc::clone(&self.tree),
            looks_at_host: self.looks_at_host,
            looks_at_path: self.looks_at_path,
            default,
        }
    }

    /// The action of every rule, and the default.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        let by_rules = self.outcomes.iter().map(|(_, action)| action);
        by_rules.chain([&self.default])
    }

    /// Every pool that some rule forwards to, as often as they do.
    pub fn pools(&self) -> impl Iterator<Item = &Arc<Pool>> {
        self.actions().flat_map(|action| match &action.routing {
            Routing::Forward(forward) => Some(forward.pools()).into_iter().flatten(),
            Routing::Redirect(_) | Routing::FixedResponse(_) => None.into_iter().flatten(),
        })
    }

    /// The action of the rule with the lowest priority that matches, with that priority (0: the default).
    #[must_use]
    pub fn route(&self, request: &impl RequestFacts) -> (u32, &Action) {
        if self.outcomes.is_empty() {
            return (0, &self.default);
        }
        let rule = Scratch::lend(|scratch| {
            let Scratch { host, path, work } = scratch;
            let subjects = Subjects {
                request,
                host: if self.looks_at_host {
                    fold(request.host(), host)
                } else {
                    b""
                },
                path: if self.looks_at_path {
                    normalise(request.path(), path)
                } else {
                    b""
                },
            };
            self.tree.lowest_match(&subjects, work)
        });
        match rule {
            NO_RULE => (0, &self.default),
            rule => {
                let (priority, action) = &self.outcomes[rule as usize];
                (*priority, action)
            }
        }
    }
}

fn compile_conditions(rule: &Rule) -> Result<Vec<Test>, CompileError> {
    rule.conditions.iter().map(Test::compile).collect()
}
