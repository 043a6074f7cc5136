//! `DeregisterTargets`: no request begins on the targets once this has returned.

use control::Control;
use control::elb::ElbError;
use control::elb::deregister_targets::DeregisterTargets;

use super::shapes::target;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DeregisterTargets {
    DeregisterTargets {
        target_group_arn: fields.required("TargetGroupArn", TEXT),
        targets: fields.required_structures("Targets", target::read),
    }
}

pub(super) async fn call(control: &Control, input: DeregisterTargets) -> Result<Xml, ElbError> {
    control.deregister_targets(input).await?;
    Ok(Xml::new(Lists::Member))
}
