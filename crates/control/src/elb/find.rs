//! From ARNs in requests to nouns, with the error of each kind.

use std::sync::Arc;

use model::arn::{ListenerArn, LoadBalancerArn, RuleArn, TargetGroupArn, TrustStoreArn};
use model::listener::Listener;
use model::load_balancer::LoadBalancer;
use model::rule::Rule;
use model::target_group::TargetGroup;
use model::trust_store::TrustStore;

use super::{ElbError, RuleKey};
use crate::state::State;

/// The load balancer with this ARN.
pub(crate) fn load_balancer<'a>(
    state: &'a State,
    text: &str,
) -> Result<&'a Arc<LoadBalancer>, ElbError> {
    let arn: LoadBalancerArn = text.parse()?;
    let found = state.elb.load_balancers.get(&arn.id);
    found
        .filter(|found| found.arn == arn)
        .ok_or_else(load_balancer_not_found)
}

/// The error for an unknown ARN.
pub(crate) fn load_balancer_not_found() -> ElbError {
    ElbError::LoadBalancerNotFound("One or more load balancers not found".to_owned())
}

/// The listener with this ARN.
pub(crate) fn listener<'a>(state: &'a State, text: &str) -> Result<&'a Arc<Listener>, ElbError> {
    let arn: ListenerArn = text.parse()?;
    let found = state.elb.listeners.get(&arn.id);
    let not_found = || ElbError::ListenerNotFound("One or more listeners not found".to_owned());
    found.filter(|found| found.arn == arn).ok_or_else(not_found)
}

/// A rule that an ARN names.
pub(crate) enum FoundRule<'a> {
    /// A rule with conditions.
    Numbered(&'a Arc<Rule>),
    /// The default rule of this listener.
    Default(&'a Arc<Listener>),
}

/// The rule with this ARN.
pub(crate) fn rule<'a>(state: &'a State, text: &str) -> Result<FoundRule<'a>, ElbError> {
    let arn: RuleArn = text.parse()?;
    let key = RuleKey {
        listener: arn.listener.id,
        id: arn.id,
    };
    let numbered = state.elb.rules.get(&key).filter(|rule| rule.arn == arn);
    let is_owner = |listener: &&Arc<Listener>| {
        listener.arn == arn.listener && listener.default_rule_id == arn.id
    };
    let default = state.elb.listeners.get(&arn.listener.id).filter(is_owner);
    match (numbered, default) {
        (Some(rule), _) => Ok(FoundRule::Numbered(rule)),
        (None, Some(listener)) => Ok(FoundRule::Default(listener)),
        (None, None) => Err(ElbError::RuleNotFound(
            "One or more rules not found".to_owned(),
        )),
    }
}

/// The rule with this ARN if it is not a default rule, which no operation on rules changes.
pub(crate) fn numbered_rule<'a>(
    state: &'a State,
    text: &str,
    what: &str,
) -> Result<&'a Arc<Rule>, ElbError> {
    match rule(state, text)? {
        FoundRule::Numbered(rule) => Ok(rule),
        FoundRule::Default(_) => Err(ElbError::OperationNotPermitted(format!(
            "Default rule '{text}' cannot be {what}"
        ))),
    }
}

/// The target group with this ARN.
pub(crate) fn target_group<'a>(
    state: &'a State,
    text: &str,
) -> Result<&'a Arc<TargetGroup>, ElbError> {
    let arn: TargetGroupArn = text.parse()?;
    let found = state.elb.target_groups.get(&arn.id);
    found
        .filter(|found| found.arn == arn)
        .ok_or_else(target_group_not_found)
}

/// The error for an unknown ARN.
pub(crate) fn target_group_not_found() -> ElbError {
    ElbError::TargetGroupNotFound("One or more target groups not found".to_owned())
}

/// The trust store with this ARN.
pub(crate) fn trust_store<'a>(
    state: &'a State,
    text: &str,
) -> Result<&'a Arc<TrustStore>, ElbError> {
    let arn: TrustStoreArn = text.parse()?;
    let found = state.elb.trust_stores.get(&arn.id);
    let not_found =
        || ElbError::TrustStoreNotFound("The specified trust store does not exist".to_owned());
    found.filter(|found| found.arn == arn).ok_or_else(not_found)
}
