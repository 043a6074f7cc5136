//! `CreateRule`: conditions and actions at a free priority of a listener.

use std::sync::Arc;

use model::arn::RuleArn;
use model::id::ListenerId;
use model::rule::{Priority, Rule, RulePriority};
use model::tag::Tags;

use super::actions::Scope;
use super::create_listener::new_rule_id;
use super::input::{Action, Pairs, RuleCondition, RuleTransform};
use super::{ElbError, actions, check, conditions, find, forwarding, mirroring, transforms};
use crate::{Control, Draft, State};

/// Source: ELB API, `CreateRule`.
#[derive(Clone, Debug, Default)]
pub struct CreateRule {
    /// `ListenerArn`.
    pub listener_arn: String,
    /// `Conditions`.
    pub conditions: Vec<RuleCondition>,
    /// `Priority`.
    pub priority: i32,
    /// `Actions`.
    pub actions: Vec<Action>,
    /// `Tags`.
    pub tags: Pairs,
    /// `Transforms`.
    pub transforms: Vec<RuleTransform>,
}

impl Control {
    /// Creates a rule.
    ///
    /// # Errors
    /// `ListenerNotFound`, `PriorityInUse`, `TooManyRules` and those of `create_listener` that concern
    /// actions, target groups and tags.
    pub async fn create_rule(&self, input: CreateRule) -> Result<Arc<Rule>, ElbError> {
        self.transact(move |draft| create(draft, &input)).await
    }
}

fn create(draft: &mut Draft, input: &CreateRule) -> Result<Arc<Rule>, ElbError> {
    let listener = Arc::clone(find::listener(draft.state(), &input.listener_arn)?);
    let priority = priority(input.priority)?;
    let transforms = transforms::parse(&input.transforms)?;
    let tags = Tags::default().with_of_rule(&input.tags)?;
    let limits = draft.settings().limits.clone();
    let conditions = conditions::parse(&limits, &input.conditions)?;
    let owner = &listener.arn.load_balancer;
    let scope = Scope {
        draft,
        load_balancer: owner,
        protocol: listener.protocol,
        port: listener.port,
        present: None,
    };
    let actions = actions::parse(&scope, &input.actions)?;
    let load_balancer = &draft.state().elb.load_balancers[&owner.id];
    forwarding::check(draft.state(), load_balancer, actions.target_groups())?;
    mirroring::check(draft.state(), load_balancer, &actions, &tags)?;
    check_free(draft.state(), listener.arn.id, priority)?;
    let listeners = draft.state().elb.listeners_of(owner.id).into_iter();
    let count: usize = listeners
        .map(|it| draft.state().elb.rules_of(it.arn.id).len())
        .sum();
    if count >= limits.rules_per_load_balancer {
        return Err(ElbError::TooManyRules(format!(
            "The maximum number of rules on load balancer {} has been reached",
            listener.arn.load_balancer
        )));
    }
    let rule = draft.put(Rule {
        arn: RuleArn {
            listener: listener.arn.clone(),
            id: new_rule_id(draft, listener.arn.id),
        },
        priority: RulePriority::Number(priority),
        conditions,
        transforms,
        actions,
        tags,
    });
    forwarding::check_limits(draft.state(), &limits, owner.id)?;
    forwarding::check_protocols(draft.state(), &listener)?;
    Ok(rule)
}

/// The priority of a request.
pub(super) fn priority(number: i32) -> Result<Priority, ElbError> {
    check::between("priority", Some(number), 1, 50_000)?;
    Priority::new(number.unsigned_abs()).map_err(|error| ElbError::Validation(error.to_string()))
}

fn check_free(state: &State, listener: ListenerId, priority: Priority) -> Result<(), ElbError> {
    let mut rules = state.elb.rules_of(listener).into_iter();
    if rules.any(|rule| rule.priority == RulePriority::Number(priority)) {
        return Err(in_use(priority));
    }
    Ok(())
}

/// The error for a priority that another rule has.
pub(super) fn in_use(priority: Priority) -> ElbError {
    ElbError::PriorityInUse(format!("Priority '{priority}' is currently in use"))
}
