//! `DescribeListenerAttributes`: all attributes, those that were never set included.

use control::Control;
use control::elb::ElbError;
use control::elb::listener_attributes::DescribeListenerAttributes;

use super::shapes::attribute;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeListenerAttributes {
    DescribeListenerAttributes {
        listener_arn: fields.required("ListenerArn", TEXT),
    }
}

pub(super) async fn call(
    control: &Control,
    input: DescribeListenerAttributes,
) -> Result<Xml, ElbError> {
    let attributes = control.describe_listener_attributes(input).await?;
    let mut xml = Xml::new(Lists::Member);
    attribute::print(&mut xml, &attributes);
    Ok(xml)
}
