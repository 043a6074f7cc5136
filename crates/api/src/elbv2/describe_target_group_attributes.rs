//! `DescribeTargetGroupAttributes`: all attributes, those that were never set included.

use control::Control;
use control::elb::ElbError;
use control::elb::target_group_attributes::DescribeTargetGroupAttributes;

use super::shapes::attribute;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeTargetGroupAttributes {
    DescribeTargetGroupAttributes {
        target_group_arn: fields.required("TargetGroupArn", TEXT),
    }
}

pub(super) async fn call(
    control: &Control,
    input: DescribeTargetGroupAttributes,
) -> Result<Xml, ElbError> {
    let attributes = control.describe_target_group_attributes(input).await?;
    let mut xml = Xml::new(Lists::Member);
    attribute::print(&mut xml, &attributes);
    Ok(xml)
}
