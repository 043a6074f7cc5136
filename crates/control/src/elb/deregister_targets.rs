//! `DeregisterTargets`: when it returns, no worker starts a new request at these targets.

use std::sync::Arc;

use model::target::{Target, TargetPhase};
use model::target_group::TargetType;
use model::target_group_attributes::DEREGISTRATION_DELAY;

use super::input::TargetDescription;
use super::{ElbError, find, target_ids};
use crate::{Control, Draft};

/// Source: ELB API, `DeregisterTargets`.
#[derive(Clone, Debug, Default)]
pub struct DeregisterTargets {
    /// `TargetGroupArn`.
    pub target_group_arn: String,
    /// `Targets`.
    pub targets: Vec<TargetDescription>,
}

impl Control {
    /// Deregisters targets: they drain for the deregistration delay. Those that are not registered, and
    /// those that drain already, stay as they are.
    ///
    /// # Errors
    /// `TargetGroupNotFound`, `InvalidTarget` for what can name no instance, `Validation`.
    pub async fn deregister_targets(&self, input: DeregisterTargets) -> Result<(), ElbError> {
        self.transact(move |draft| deregister(draft, &input))
            .await?;
        // Without a delay the end of the drain is due now. The targets drain whatever becomes of this: what
        // fails here is repeated in the background.
        if let Err(error) = self.finish_drains().await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "drained targets could not be removed yet");
        }
        Ok(())
    }
}

fn deregister(draft: &mut Draft, input: &DeregisterTargets) -> Result<(), ElbError> {
    let group = Arc::clone(find::target_group(draft.state(), &input.target_group_arn)?);
    if input.targets.is_empty() {
        return Err(ElbError::Validation(
            "At least one target must be specified".to_owned(),
        ));
    }
    let delay_millis = group.attributes.number(&DEREGISTRATION_DELAY) * 1000;
    let until_millis = draft.now_millis() + delay_millis;
    let is_in_use = draft.state().elb.user_of(group.arn.id).is_some();
    for target in &input.targets {
        let key = target_ids::key(&group, target)?;
        match target_ids::registered(draft.state(), &key, target).cloned() {
            None if group.target_type == TargetType::Instance => {
                target_ids::check_instance_id(&target.id)?;
            }
            None => {}
            Some(present) if present.is_draining() => {}
            // Nothing was sent to it, so there is nothing to finish.
            Some(_) if !is_in_use => {
                draft.remove::<Target>(&key);
            }
            Some(present) => {
                let phase = TargetPhase::Draining { until_millis };
                draft.put(Target {
                    phase,
                    ..Target::clone(&present)
                });
            }
        }
    }
    Ok(())
}
