//! `CreateTags`, `DeleteTags`, `DescribeTags`.

use control::ec2::tags::{CreateTags, DeleteTags, DescribeTags};
use control::ec2::{Ec2, Ec2Error};

use super::input::Fields;
use super::shapes::{print_return, read_filters, read_page, read_tags};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_create(fields: &Fields<'_>) -> Result<CreateTags, ApiError> {
    Ok(CreateTags {
        resources: fields.texts("ResourceId")?,
        tags: read_tags(fields)?,
    })
}

pub(super) async fn create(ec2: &Ec2<'_>, request: CreateTags) -> Result<Xml, Ec2Error> {
    ec2.create_tags(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

/// A tag without a value is removed whatever its value is; one with the empty value only if it has that.
pub(super) fn read_delete(fields: &Fields<'_>) -> Result<DeleteTags, ApiError> {
    let tags = fields.structures("Tag", |tag| {
        Ok((
            tag.text("Key")?.unwrap_or_default(),
            tag.text_or_empty("Value")?,
        ))
    })?;
    Ok(DeleteTags {
        resources: fields.texts("ResourceId")?,
        tags,
    })
}

pub(super) async fn delete(ec2: &Ec2<'_>, request: DeleteTags) -> Result<Xml, Ec2Error> {
    ec2.delete_tags(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

pub(super) fn read_describe(fields: &Fields<'_>) -> Result<DescribeTags, ApiError> {
    Ok(DescribeTags {
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe(ec2: &Ec2<'_>, request: DescribeTags) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_tags(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("tagSet", &page.items, |xml, tag| {
        xml.text("resourceId", &tag.resource_id);
        xml.text("resourceType", tag.resource_type);
        xml.text("key", &tag.key);
        xml.text("value", &tag.value);
    });
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}
