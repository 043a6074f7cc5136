//! Tags: what they may be, and the operations that set, remove and show them.

use std::collections::BTreeSet;

use model::ec2::Tags;
use model::tag::is_reserved;

use crate::ec2::filter::{Column, Filters};
use crate::ec2::paging::require_at_most;
use crate::ec2::{Ec2Error, Filter, Page, PageRequest, Taggable, taggable};
use crate::state::{Draft, State};

/// Most tags a resource can have.
pub const TAGS_MAX: usize = 50;
/// How many resources a request may name.
///
/// Source: EC2 API, `CreateTags`, `Resources`.
pub const RESOURCES_MAX: usize = 1000;
/// How many tags a request may remove.
///
/// Source: EC2 API, `DeleteTags`, `Tags`.
pub const DELETED_TAGS_MAX: usize = 1000;
/// The longest key, in characters.
const KEY_CHARACTERS_MAX: usize = 128;
/// The longest value, in characters.
const VALUE_CHARACTERS_MAX: usize = 256;

/// The tags that a create operation gives to what it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagSpecification {
    /// Such as `instance`.
    pub resource_type: String,
    /// Keys and values.
    pub tags: Vec<(String, String)>,
}

/// Tags for several resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateTags {
    /// Identifiers of any kind that can be tagged.
    pub resources: Vec<String>,
    /// Keys and values; the value of a key that is there is replaced.
    pub tags: Vec<(String, String)>,
}

/// Tags to take from several resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteTags {
    /// Identifiers of any kind that can be tagged.
    pub resources: Vec<String>,
    /// Keys, with the value that the tag must have to be removed, if any. Without keys: all tags.
    pub tags: Vec<(String, Option<String>)>,
}

/// Which tags to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeTags {
    /// `key`, `value`, `resource-id`, `resource-type`, `tag:<key>`.
    pub filters: Vec<Filter>,
    /// Which part of the answer.
    pub page: PageRequest,
}

/// One tag of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagDescription {
    /// What carries it.
    pub resource_id: String,
    /// The kind of it, such as `instance`.
    pub resource_type: &'static str,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// The tag once more, for filters by `tag:<key>`.
    tags: Tags,
}

/// The tags that `specifications` give to a new `resource_type`.
///
/// # Errors
/// `InvalidValue` if they are for something else, and the errors of `with`.
pub(crate) fn specified(
    specifications: &[TagSpecification],
    resource_type: &'static str,
) -> Result<Tags, Ec2Error> {
    let mut tags = Vec::new();
    for specification in specifications {
        if specification.resource_type != resource_type {
            return Err(Ec2Error::InvalidValue {
                parameter: "TagSpecification.ResourceType",
                value: specification.resource_type.clone(),
                expectation: format!("This operation tags only what it makes: {resource_type}."),
            });
        }
        tags.extend(specification.tags.iter().cloned());
    }
    with(&Tags::new(), &tags)
}

/// `tags` with `new` added or replaced.
///
/// # Errors
/// `InvalidTag` for a key or a value that breaks a rule and for a key given twice, `TooManyTags` for more
/// than 50 in the end.
pub(crate) fn with(tags: &Tags, new: &[(String, String)]) -> Result<Tags, Ec2Error> {
    let mut seen = BTreeSet::new();
    let mut tags = tags.clone();
    for (key, value) in new {
        check(key, value)?;
        if !seen.insert(key) {
            return Err(Ec2Error::InvalidTag(format!(
                "Duplicate tag key '{key}' specified."
            )));
        }
        tags.insert(key.clone(), value.clone());
    }
    if tags.len() > TAGS_MAX {
        return Err(Ec2Error::TooManyTags(TAGS_MAX));
    }
    Ok(tags)
}

fn check(key: &str, value: &str) -> Result<(), Ec2Error> {
    let refused = |message: &str| Err(Ec2Error::InvalidTag(message.to_owned()));
    if key.is_empty() {
        refused("Tag key cannot be empty.")
    } else if key.chars().count() > KEY_CHARACTERS_MAX {
        refused("Tag key exceeds the maximum length of 128 characters.")
    } else if value.chars().count() > VALUE_CHARACTERS_MAX {
        refused("Tag value exceeds the maximum length of 256 characters.")
    } else if is_reserved(key) {
        refused("Tag keys starting with 'aws:' are reserved for internal use.")
    } else {
        Ok(())
    }
}

/// Sets tags on resources, on all of them or none.
///
/// # Errors
/// `MissingParameter`, `TooManyValues`, those of `taggable::not_found`, and the errors of `with`.
pub(crate) fn create(draft: &mut Draft, request: &CreateTags) -> Result<(), Ec2Error> {
    if request.resources.is_empty() {
        return Err(Ec2Error::MissingParameter("resourceIdSet"));
    }
    if request.tags.is_empty() {
        return Err(Ec2Error::MissingParameter("tagSet"));
    }
    require_at_most(RESOURCES_MAX, "Resources", request.resources.len())?;
    change(draft, &request.resources, |tags| with(tags, &request.tags))
}

/// Removes tags from resources; tags that are not there do not matter.
///
/// # Errors
/// `MissingParameter`, `TooManyValues`, those of `taggable::not_found`.
pub(crate) fn delete(draft: &mut Draft, request: &DeleteTags) -> Result<(), Ec2Error> {
    if request.resources.is_empty() {
        return Err(Ec2Error::MissingParameter("resourceIdSet"));
    }
    require_at_most(RESOURCES_MAX, "Resources", request.resources.len())?;
    require_at_most(DELETED_TAGS_MAX, "Tags", request.tags.len())?;
    let is_meant = |key: &String, value: &String| {
        let mut meant = request.tags.iter();
        request.tags.is_empty()
            || meant.any(|(k, v)| k == key && v.as_ref().is_none_or(|v| v == value))
    };
    change(draft, &request.resources, |tags| {
        let mut tags = tags.clone();
        tags.retain(|key, value| !is_meant(key, value));
        Ok(tags)
    })
}

fn change(
    draft: &mut Draft,
    resources: &[String],
    new_tags: impl Fn(&Tags) -> Result<Tags, Ec2Error>,
) -> Result<(), Ec2Error> {
    for id in resources {
        let resource = Taggable::find(draft.state(), id)
            .ok_or_else(|| taggable::not_found(draft.state(), id))?;
        let tags = new_tags(resource.tags())?;
        if tags != *resource.tags() {
            resource.with_tags(tags).put(draft);
        }
    }
    Ok(())
}

const FILTERS: Filters<TagDescription> = Filters {
    columns: &[
        Column {
            name: "key",
            texts: |tag| vec![tag.key.clone()],
        },
        Column {
            name: "value",
            texts: |tag| vec![tag.value.clone()],
        },
        Column {
            name: "resource-id",
            texts: |tag| vec![tag.resource_id.clone()],
        },
        Column {
            name: "resource-type",
            texts: |tag| vec![tag.resource_type.to_owned()],
        },
    ],
    absent: &[],
    tags: Some(|tag| &tag.tags),
};

/// The tags of everything in the inventory.
///
/// # Errors
/// Those of filters and pages.
pub(crate) fn describe(
    state: &State,
    request: &DescribeTags,
) -> Result<Page<TagDescription>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    let mut tags: Vec<TagDescription> = Taggable::all(state)
        .flat_map(|resource| descriptions(&resource))
        .filter(is_wanted)
        .collect();
    // No id and no key has this character, so that the order of the pages is that of the pairs.
    let order = |tag: &TagDescription| format!("{}\0{}", tag.resource_id, tag.key);
    tags.sort_by_key(order);
    request.page.cut("tags", tags, order)
}

fn descriptions(resource: &Taggable) -> Vec<TagDescription> {
    let describe = |(key, value): (&String, &String)| TagDescription {
        resource_id: resource.id(),
        resource_type: resource.resource_type(),
        key: key.clone(),
        value: value.clone(),
        tags: Tags::from([(key.clone(), value.clone())]),
    };
    resource.tags().iter().map(describe).collect()
}
