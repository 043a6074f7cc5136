//! `DeleteTargetGroup`: its registrations go with it.

use control::Control;
use control::elb::ElbError;
use control::elb::delete_target_group::DeleteTargetGroup;

use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DeleteTargetGroup {
    DeleteTargetGroup {
        target_group_arn: fields.required("TargetGroupArn", TEXT),
    }
}

pub(super) async fn call(control: &Control, input: DeleteTargetGroup) -> Result<Xml, ElbError> {
    control.delete_target_group(input).await?;
    Ok(Xml::new(Lists::Member))
}
