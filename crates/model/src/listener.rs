//! A listener: a port of a load balancer with the action for what no rule matches.
//!
//! Source: ELB API, `Listener` and `CreateListener`.

use serde::{Deserialize, Serialize};

use crate::action::Actions;
use crate::arn::{ListenerArn, RuleArn};
use crate::attributes::Attributes;
use crate::id::RuleId;
use crate::protocol::Protocol;
use crate::rule::{Rule, RulePriority};
use crate::tag::Tags;
use crate::transform::Transforms;

/// A listener together with its default rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Holds the load balancer and the id.
    pub arn: ListenerArn,
    /// What clients speak.
    pub protocol: Protocol,
    /// 1 to 65535, once in a load balancer.
    pub port: u16,
    /// What happens to a request that no rule matches.
    pub default_actions: Actions,
    /// Names the default rule, which is changed through the listener only.
    pub default_rule_id: RuleId,
    /// The tags of the default rule.
    pub default_rule_tags: Tags,
    /// What differs from the defaults of `listener_attributes`.
    pub attributes: Attributes,
    /// Its tags.
    pub tags: Tags,
}

impl Listener {
    /// The rule that always matches, as it is described among the others.
    #[must_use]
    pub fn default_rule(&self) -> Rule {
        Rule {
            arn: RuleArn {
                listener: self.arn.clone(),
                id: self.default_rule_id,
            },
            priority: RulePriority::Default,
            conditions: Vec::new(),
            transforms: Transforms::default(),
            actions: self.default_actions.clone(),
            tags: self.default_rule_tags.clone(),
        }
    }
}
