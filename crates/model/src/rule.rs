//! A rule of a listener: when all its conditions match, its actions happen.
//!
//! Source: ELB API, `Rule` and `CreateRule`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::action::Actions;
use crate::arn::RuleArn;
use crate::condition::Condition;
use crate::tag::Tags;
use crate::transform::Transforms;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Holds the listener and the id.
    pub arn: RuleArn,
    /// Where the rule stands among those of its listener.
    pub priority: RulePriority,
    /// All of them must match; none for the default rule.
    pub conditions: Vec<Condition>,
    /// How the request is rewritten for the target; the default rule has none.
    #[serde(default, skip_serializing_if = "Transforms::is_empty")]
    pub transforms: Transforms,
    /// What happens to a request that matches.
    pub actions: Actions,
    /// Its tags.
    pub tags: Tags,
}

/// Where a rule stands. The lowest that matches wins, the default comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RulePriority {
    /// A number, once in a listener.
    Number(Priority),
    /// The rule that always matches.
    Default,
}

impl fmt::Display for RulePriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(priority) => priority.fmt(f),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The priority of a rule that is not the default, 1 to 50,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Priority(u32);

/// The number is not from 1 to 50,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the priority {0} is not between 1 and 50000")]
pub struct InvalidPriority(pub u32);

impl Priority {
    /// The highest number, which loses against all others.
    pub const MAX: u32 = 50_000;

    /// # Errors
    /// `InvalidPriority` if `number` is 0 or over `MAX`.
    pub fn new(number: u32) -> Result<Self, InvalidPriority> {
        match number {
            1..=Self::MAX => Ok(Self(number)),
            _ => Err(InvalidPriority(number)),
        }
    }

    /// The number, 1 to 50,000.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Priority {
    type Error = InvalidPriority;

    fn try_from(number: u32) -> Result<Self, InvalidPriority> {
        Self::new(number)
    }
}

impl From<Priority> for u32 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
