//! `ModifyTargetGroup`: other health checks.

use control::Control;
use control::elb::ElbError;
use control::elb::modify_target_group::ModifyTargetGroup;

use super::shapes::target_group;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> ModifyTargetGroup {
    ModifyTargetGroup {
        target_group_arn: fields.required("TargetGroupArn", TEXT),
        health_check: target_group::read_health_check(fields),
    }
}

pub(super) async fn call(control: &Control, input: ModifyTargetGroup) -> Result<Xml, ElbError> {
    let description = control.modify_target_group(input).await?;
    let mut xml = Xml::new(Lists::Member);
    target_group::print_all(&mut xml, &[description]);
    Ok(xml)
}
