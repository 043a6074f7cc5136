//! `SetRulePriorities`: reorders rules in one step, so that two rules can change places.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::arn::{ListenerArn, RuleArn};
use model::rule::{Priority, Rule, RulePriority};

use super::create_rule::{in_use, priority};
use super::{ElbError, find};
use crate::{Control, Draft};

/// Source: ELB API, `SetRulePriorities`.
#[derive(Clone, Debug, Default)]
pub struct SetRulePriorities {
    /// `RulePriorities`: ARN and priority of each.
    pub rule_priorities: Vec<(String, i32)>,
}

impl Control {
    /// Gives rules of one listener other priorities; the answer has these rules.
    ///
    /// # Errors
    /// `RuleNotFound`, `OperationNotPermitted` for a default rule, `PriorityInUse` if a rule that is not
    /// listed has one of the priorities, `Validation`.
    pub async fn set_rule_priorities(
        &self,
        input: SetRulePriorities,
    ) -> Result<Vec<Arc<Rule>>, ElbError> {
        self.transact(move |draft| set(draft, &input)).await
    }
}

fn set(draft: &mut Draft, input: &SetRulePriorities) -> Result<Vec<Arc<Rule>>, ElbError> {
    let invalid = |message: String| Err(ElbError::Validation(message));
    if input.rule_priorities.is_empty() {
        return invalid("At least one rule priority must be specified".to_owned());
    }
    let mut wanted: BTreeMap<RuleArn, (Arc<Rule>, Priority)> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut listener: Option<ListenerArn> = None;
    for (arn, number) in &input.rule_priorities {
        let rule = Arc::clone(find::numbered_rule(draft.state(), arn, "given a priority")?);
        let priority = priority(*number)?;
        if !seen.insert(priority) {
            return invalid(format!("Priority '{priority}' was provided multiple times"));
        }
        let owner = listener.get_or_insert_with(|| rule.arn.listener.clone());
        if *owner != rule.arn.listener {
            return invalid("All rules must belong to the same listener".to_owned());
        }
        if wanted.insert(rule.arn.clone(), (rule, priority)).is_some() {
            return invalid(format!("Rule '{arn}' was provided multiple times"));
        }
    }
    check_others(draft, listener.as_ref(), &wanted)?;
    let change = |(rule, priority): (Arc<Rule>, Priority)| {
        let priority = RulePriority::Number(priority);
        if rule.priority == priority {
            return rule;
        }
        draft.put(Rule {
            priority,
            ..Rule::clone(&rule)
        })
    };
    Ok(wanted.into_values().map(change).collect())
}

/// Whether the rules that keep their priorities leave the wanted ones free.
fn check_others(
    draft: &Draft,
    listener: Option<&ListenerArn>,
    wanted: &BTreeMap<RuleArn, (Arc<Rule>, Priority)>,
) -> Result<(), ElbError> {
    let rules = listener
        .map(|arn| draft.state().elb.rules_of(arn.id))
        .unwrap_or_default();
    for rule in rules
        .into_iter()
        .filter(|rule| !wanted.contains_key(&rule.arn))
    {
        let mut priorities = wanted.values().map(|(_, priority)| *priority);
        if let Some(taken) = priorities.find(|it| RulePriority::Number(*it) == rule.priority) {
            return Err(in_use(taken));
        }
    }
    Ok(())
}
