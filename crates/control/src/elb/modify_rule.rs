//! `ModifyRule`: other conditions, actions or transforms at the same priority.

use std::sync::Arc;

use model::rule::Rule;

use super::actions::Scope;
use super::input::{Action, RuleCondition, RuleTransform};
use super::{ElbError, actions, conditions, find, forwarding, mirroring, transforms};
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
    /// `Transforms`; empty: unchanged.
    pub transforms: Vec<RuleTransform>,
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
    let resets = input.reset_transforms == Some(true);
    let has_transforms = !input.transforms.is_empty();
    if resets && has_transforms {
        let message = "You cannot both specify transforms and set ResetTransforms to true";
        return Err(ElbError::Validation(message.to_owned()));
    }
    if input.conditions.is_empty() && input.actions.is_empty() && !has_transforms && !resets {
        let message = "Either conditions or actions must be specified";
        return Err(ElbError::Validation(message.to_owned()));
    }
    let limits = draft.settings().limits.clone();
    let mut rule = Rule::clone(&present);
    if !input.conditions.is_empty() {
        rule.conditions = conditions::parse(&limits, &input.conditions)?;
    }
    if has_transforms || resets {
        rule.transforms = transforms::parse(&input.transforms)?;
    }
    let owner = rule.arn.listener.load_balancer.id;
    if !input.actions.is_empty() {
        let listener = &draft.state().elb.listeners[&rule.arn.listener.id];
        let scope = Scope {
            draft,
            load_balancer: &rule.arn.listener.load_balancer,
            protocol: listener.protocol,
            port: listener.port,
            present: Some(&present.actions),
        };
        rule.actions = actions::parse(&scope, &input.actions)?;
        let load_balancer = &draft.state().elb.load_balancers[&owner];
        forwarding::check(draft.state(), load_balancer, rule.actions.target_groups())?;
        mirroring::check(draft.state(), load_balancer, &rule.actions, &rule.tags)?;
    }
    if rule == *present {
        return Ok(present);
    }
    let rule = draft.put(rule);
    forwarding::check_limits(draft.state(), &limits, owner)?;
    let listener = &draft.state().elb.listeners[&rule.arn.listener.id];
    forwarding::check_protocols(draft.state(), listener)?;
    Ok(rule)
}
