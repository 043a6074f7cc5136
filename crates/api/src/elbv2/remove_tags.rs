//! `RemoveTags`: takes tags from resources; keys that are not there do not matter.

use control::Control;
use control::elb::ElbError;
use control::elb::tags::RemoveTags;

use super::shapes::tag;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> RemoveTags {
    RemoveTags {
        resource_arns: fields.required_list("ResourceArns", TEXT),
        tag_keys: fields.required_list("TagKeys", tag::KEY),
    }
}

pub(super) async fn call(control: &Control, input: RemoveTags) -> Result<Xml, ElbError> {
    control.remove_tags(input).await?;
    Ok(Xml::new(Lists::Member))
}
