//! `DescribeTags`: an entry for each resource, with or without tags.

use control::Control;
use control::elb::ElbError;
use control::elb::tags::DescribeTags;

use super::shapes::tag;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeTags {
    DescribeTags {
        resource_arns: fields.required_list("ResourceArns", TEXT),
    }
}

pub(super) async fn call(control: &Control, input: DescribeTags) -> Result<Xml, ElbError> {
    let descriptions = control.describe_tags(input).await?;
    let mut xml = Xml::new(Lists::Member);
    xml.list("TagDescriptions", &descriptions, |xml, description| {
        xml.text("ResourceArn", &description.resource_arn);
        tag::print(xml, description.tags.iter());
    });
    Ok(xml)
}
