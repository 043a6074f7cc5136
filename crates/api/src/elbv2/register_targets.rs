//! `RegisterTargets`.

use control::Control;
use control::elb::ElbError;
use control::elb::register_targets::RegisterTargets;

use super::shapes::target;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> RegisterTargets {
    RegisterTargets {
        target_group_arn: fields.required("TargetGroupArn", TEXT),
        targets: fields.required_structures("Targets", target::read),
    }
}

pub(super) async fn call(control: &Control, input: RegisterTargets) -> Result<Xml, ElbError> {
    control.register_targets(input).await?;
    Ok(Xml::new(Lists::Member))
}
