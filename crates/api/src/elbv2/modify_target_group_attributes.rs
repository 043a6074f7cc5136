//! `ModifyTargetGroupAttributes`: all of the changes or none.

use control::Control;
use control::elb::ElbError;
use control::elb::target_group_attributes::ModifyTargetGroupAttributes;

use super::shapes::attribute;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> ModifyTargetGroupAttributes {
    ModifyTargetGroupAttributes {
        target_group_arn: fields.required("TargetGroupArn", TEXT),
        attributes: attribute::read(fields, TEXT),
    }
}

pub(super) async fn call(
    control: &Control,
    input: ModifyTargetGroupAttributes,
) -> Result<Xml, ElbError> {
    let attributes = control.modify_target_group_attributes(input).await?;
    let mut xml = Xml::new(Lists::Member);
    attribute::print(&mut xml, &attributes);
    Ok(xml)
}
