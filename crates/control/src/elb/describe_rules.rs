//! `DescribeRules`: those of a listener by priority with the default last, or those that are named.

use std::sync::Arc;

use model::rule::{Priority, Rule, RulePriority};

use super::find::FoundRule;
use super::page::{Page, Paging};
use super::{ElbError, find};
use crate::{Control, State};

/// Source: ELB API, `DescribeRules`.
#[derive(Clone, Debug, Default)]
pub struct DescribeRules {
    /// `ListenerArn`.
    pub listener_arn: Option<String>,
    /// `RuleArns`.
    pub rule_arns: Vec<String>,
    /// `Marker` and `PageSize`.
    pub paging: Paging,
}

impl Control {
    /// Describes rules, by priority; the default rule comes last.
    ///
    /// # Errors
    /// `ListenerNotFound` or `RuleNotFound` if one that is named does not exist, `Validation`.
    pub async fn describe_rules(&self, input: DescribeRules) -> Result<Page<Arc<Rule>>, ElbError> {
        self.read(|state| select(state, &input))
    }
}

fn select(state: &State, input: &DescribeRules) -> Result<Page<Arc<Rule>>, ElbError> {
    match (&input.listener_arn, input.rule_arns.as_slice()) {
        (Some(arn), []) => {
            let listener = find::listener(state, arn)?;
            let rules = state.elb.rules_of(listener.arn.id).into_iter().cloned();
            let all = rules.chain([Arc::new(listener.default_rule())]);
            input
                .paging
                .page("rules", all, |rule: &Arc<Rule>| rule.priority, parse_marker)
        }
        (None, arns) if !arns.is_empty() => {
            let found = arns.iter().map(|arn| named(state, arn));
            Ok(Page {
                items: found.collect::<Result<_, _>>()?,
                next_marker: None,
            })
        }
        _ => Err(ElbError::Validation(
            "You must specify either listener rule ARNs or a listener ARN".to_owned(),
        )),
    }
}

fn named(state: &State, arn: &str) -> Result<Arc<Rule>, ElbError> {
    Ok(match find::rule(state, arn)? {
        FoundRule::Numbered(rule) => Arc::clone(rule),
        FoundRule::Default(listener) => Arc::new(listener.default_rule()),
    })
}

fn parse_marker(marker: &str) -> Option<RulePriority> {
    let priority = Priority::new(marker.parse().ok()?).ok()?;
    Some(RulePriority::Number(priority))
}
