//! From ARNs in requests to nouns, with the error of each kind.

use std::sync::Arc;

use model::arn::{
    InvalidArn, ListenerArn, LoadBalancerArn, ResourceArn, RuleArn, TargetGroupArn, TrustStoreArn,
};
use model::listener::Listener;
use model::load_balancer::LoadBalancer;
use model::rule::Rule;
use model::target_group::TargetGroup;
use model::trust_store::TrustStore;

use super::tags::tags_of;
use super::{ElbError, RuleKey};
use crate::Control;
use crate::state::State;

impl Control {
    /// Refuses the ARN of a resource of another account, Region or partition. What is not such an ARN is the
    /// operation's to judge.
    ///
    /// # Errors
    /// `Validation`, as AWS answers it: to a caller it makes no difference whether the resource is there.
    pub fn check_place(&self, text: &str) -> Result<(), ElbError> {
        let Ok(arn) = text.parse::<ResourceArn>() else {
            return Ok(());
        };
        // What was made before the operator gave the account another number keeps its ARN.
        let is_here = *arn.place() == self.settings().place
            || self.read(|state| tags_of(state, &arn).is_ok());
        match is_here {
            true => Ok(()),
            false => Err(InvalidArn {
                text: text.to_owned(),
                kind: arn.kind(),
            }
            .into()),
        }
    }
}

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
