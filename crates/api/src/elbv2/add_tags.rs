//! `AddTags`: adds tags to resources, or replaces them by key.

use control::Control;
use control::elb::ElbError;
use control::elb::tags::AddTags;

use super::shapes::tag;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> AddTags {
    AddTags {
        resource_arns: fields.required_list("ResourceArns", TEXT),
        tags: tag::read_required(fields),
    }
}

pub(super) async fn call(control: &Control, input: AddTags) -> Result<Xml, ElbError> {
    control.add_tags(input).await?;
    Ok(Xml::new(Lists::Member))
}
