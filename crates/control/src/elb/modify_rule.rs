//! `ModifyRule`: other conditions or other actions at the same priority.

use std::sync::Arc;

use model::rule::Rule;

use super::actions::Scope;
use super::create_rule::refuse_transforms;
use super::input::{Action, RuleCondition};
use super::{ElbError, actions, conditions, find, forwarding};
use crate::{Control, Draft};

/// Source: ELB API, `ModifyRule`.
#[derive(Clone, Debug, Default)]
pub struct ModifyRule {
    /// `RuleArn`.
    pub rule_arn: String,
    /// `Conditions`; empty: unchanged.
    pub conditions: Vec<RuleCondition>,
    /// `Actions`; empty: unchanged.
    pub actions: Vec<Action>,
    /// The types in `Transforms`.
    pub transforms: Vec<String>,
    /// `ResetTransforms`.
    pub reset_transforms: Option<bool>,
}

impl Control {
    /// Changes a rule; what is absent stays.
    ///
    /// # Errors
    /// `RuleNotFound`, `OperationNotPermitted` for a default rule, and those of `create_listener` that
    /// concern actions and target groups.
    pub async fn modify_rule(&self, input: ModifyRule) -> Result<Arc<Rule>, ElbError> {
        self.transact(move |draft| modify(draft, &input)).await
    }
}

fn modify(draft: &mut Draft, input: &ModifyRule) -> Result<Arc<Rule>, ElbError> {
    let present = Arc::clone(find::numbered_rule(
        draft.state(),
        &input.rule_arn,
        "modified",
    )?);
    refuse_transforms(&input.transforms)?;
    // There are no transforms yet, so to reset them changes nothing.
    let resets = input.reset_transforms == Some(true);
    if input.conditions.is_empty() && input.actions.is_empty() && !resets {
        let message = "Either conditions or actions must be specified";
        return Err(ElbError::Validation(message.to_owned()));
    }
    let limits = draft.settings().limits.clone();
    let mut rule = Rule::clone(&present);
    if !input.conditions.is_empty() {
        rule.conditions = conditions::parse(&limits, &input.conditions)?;
    }
    let owner = rule.arn.listener.load_balancer.id;
    if !input.actions.is_empty() {
        let listener = &draft.state().elb.listeners[&rule.arn.listener.id];
        let scope = Scope {
            draft,
            load_balancer: &rule.arn.listener.load_balancer,
            protocol: listener.protocol,
            present: Some(&present.actions),
        };
        rule.actions = actions::parse(&scope, &input.actions)?;
        let load_balancer = &draft.state().elb.load_balancers[&owner];
        forwarding::check(draft.state(), load_balancer, &rule.actions)?;
    }
    if rule == *present {
        return Ok(present);
    }
    let rule = draft.put(rule);
    forwarding::check_limits(draft.state(), &limits, owner)?;
    Ok(rule)
}
