//! `ModifyListenerAttributes`: all of the changes or none.

use control::Control;
use control::elb::ElbError;
use control::elb::listener_attributes::ModifyListenerAttributes;

use super::shapes::attribute;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> ModifyListenerAttributes {
    ModifyListenerAttributes {
        listener_arn: fields.required("ListenerArn", TEXT),
        attributes: attribute::read(fields, TEXT),
    }
}

pub(super) async fn call(
    control: &Control,
    input: ModifyListenerAttributes,
) -> Result<Xml, ElbError> {
    let attributes = control.modify_listener_attributes(input).await?;
    let mut xml = Xml::new(Lists::Member);
    attribute::print(&mut xml, &attributes);
    Ok(xml)
}
