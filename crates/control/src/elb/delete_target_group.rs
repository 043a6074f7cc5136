//! `DeleteTargetGroup`: once nothing is sent to it; its targets go with it.

use std::sync::Arc;

use model::action::Actions;
use model::arn::TargetGroupArn;
use model::id::TargetGroupId;
use model::listener::Listener;
use model::tag::Tags;
use model::target::Target;
use model::target_group::TargetGroup;

use super::mirroring::target_groups;
use super::{ElbError, ElbState};
use crate::{Control, Draft};

/// Source: ELB API, `DeleteTargetGroup`.
#[derive(Clone, Debug, Default)]
pub struct DeleteTargetGroup {
    /// `TargetGroupArn`.
    pub target_group_arn: String,
}

impl Control {
    /// Deletes a target group. One that does not exist is deleted already.
    ///
    /// # Errors
    /// `ResourceInUse` while a listener or a rule forwards, or sends copies, to it, `Validation`.
    pub async fn delete_target_group(&self, input: DeleteTargetGroup) -> Result<(), ElbError> {
        self.transact(move |draft| delete(draft, &input.target_group_arn))
            .await
    }
}

fn delete(draft: &mut Draft, text: &str) -> Result<(), ElbError> {
    let arn: TargetGroupArn = text.parse()?;
    let found = draft.state().find::<TargetGroup>(&arn.id);
    if found.is_none_or(|found| found.arn != arn) {
        return Ok(());
    }
    let users = users(&draft.state().elb, arn.id);
    if !users.is_empty() {
        // Clients look for the words before the colon.
        return Err(ElbError::ResourceInUse(format!(
            "Target group '{arn}' is currently in use by a listener or a rule: {}",
            users.join(", ")
        )));
    }
    let targets = draft.state().elb.targets_of(arn.id);
    let targets: Vec<_> = targets.map(|target| target.key.clone()).collect();
    for key in targets {
        draft.remove::<Target>(&key);
    }
    draft.remove::<TargetGroup>(&arn.id);
    Ok(())
}

/// The ARNs of the listeners whose default rules, and of the rules that, send requests or copies of them to a group.
fn users(state: &ElbState, target_group: TargetGroupId) -> Vec<String> {
    let uses = |actions: &Actions, tags: &Tags| {
        target_groups(actions, tags).any(|its| its == target_group)
    };
    let of_listener = |listener: &Arc<Listener>| {
        let by_default = uses(&listener.default_actions, &listener.default_rule_tags);
        let rules = state.rules_of(listener.arn.id).into_iter();
        let rules = rules.filter(|rule| uses(&rule.actions, &rule.tags));
        let listener = by_default.then(|| listener.arn.to_string());
        let all = listener
            .into_iter()
            .chain(rules.map(|rule| rule.arn.to_string()));
        all.collect::<Vec<_>>()
    };
    state.listeners.values().flat_map(of_listener).collect()
}
