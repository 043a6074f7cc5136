//! `DeleteTargetGroup`: once nothing is sent to it; its targets go with it.

use model::arn::TargetGroupArn;
use model::target::Target;
use model::target_group::TargetGroup;

use super::ElbError;
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
    if draft.state().elb.user_of(arn.id).is_some() {
        return Err(ElbError::ResourceInUse(format!(
            "Target group '{arn}' is currently in use by a listener or a rule"
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
