//! `ModifyTargetGroup`: other health checks; everything else of a target group is fixed.

use std::sync::Arc;

use model::target_group::TargetGroup;

use super::input::HealthCheckSettings;
use super::{ElbError, TargetGroupDescription, find, health_check};
use crate::Control;

/// Source: ELB API, `ModifyTargetGroup`.
#[derive(Clone, Debug, Default)]
pub struct ModifyTargetGroup {
    /// `TargetGroupArn`.
    pub target_group_arn: String,
    /// The members that begin with `HealthCheck`, the thresholds and `Matcher`; absent ones: unchanged.
    pub health_check: HealthCheckSettings,
}

impl Control {
    /// Changes the health checks; what is absent stays.
    ///
    /// # Errors
    /// `TargetGroupNotFound`, `InvalidConfigurationRequest`, `Validation`.
    pub async fn modify_target_group(
        &self,
        input: ModifyTargetGroup,
    ) -> Result<TargetGroupDescription, ElbError> {
        self.transact(move |draft| {
            let present = Arc::clone(find::target_group(draft.state(), &input.target_group_arn)?);
            let before = present.health_check.clone();
            let health_check =
                health_check::change(before, &input.health_check, present.target_type)?;
            let changed = match health_check == present.health_check {
                true => present,
                false => draft.put(TargetGroup {
                    health_check,
                    ..TargetGroup::clone(&present)
                }),
            };
            Ok(TargetGroupDescription::of(draft.state(), changed))
        })
        .await
    }
}
