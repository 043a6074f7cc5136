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
            let changed = TargetGroup {
                health_check_protocol: health_check::protocol(
                    present.health_check_protocol,
                    &input.health_check,
                )?,
                health_check: health_check::change(
                    before,
                    &input.health_check,
                    present.target_type,
                    present.protocol_version,
                )?,
                ..TargetGroup::clone(&present)
            };
            let changed = match changed == *present {
                true => present,
                false => draft.put(changed),
            };
            Ok(TargetGroupDescription::of(draft.state(), changed))
        })
        .await
    }
}
