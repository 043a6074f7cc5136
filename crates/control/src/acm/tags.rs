//! `AddTagsToCertificate`, `RemoveTagsFromCertificate` and `ListTagsForCertificate`.

use model::certificate::Certificate;
use model::tag::{Tags, is_reserved};

use super::{AcmError, find};
use crate::elb::input::Pairs;
use crate::{Control, Draft};

/// Source: ACM API, `AddTagsToCertificate`.
#[derive(Clone, Debug, Default)]
pub struct AddTagsToCertificate {
    /// `CertificateArn`.
    pub certificate_arn: String,
    /// `Tags`; a tag without a value has an empty one.
    pub tags: Pairs,
}

/// Source: ACM API, `RemoveTagsFromCertificate`.
#[derive(Clone, Debug, Default)]
pub struct RemoveTagsFromCertificate {
    /// `CertificateArn`.
    pub certificate_arn: String,
    /// `Tags`: a key, and the value it must have to be removed, if one is given.
    pub tags: Vec<(String, Option<String>)>,
}

/// Source: ACM API, `ListTagsForCertificate`.
#[derive(Clone, Debug, Default)]
pub struct ListTagsForCertificate {
    /// `CertificateArn`.
    pub certificate_arn: String,
}

impl Control {
    /// Adds tags to a certificate, or replaces them by key.
    ///
    /// # Errors
    /// `InvalidArn`, `InvalidTag`, `ResourceNotFound`, `TooManyTags`.
    pub async fn add_tags_to_certificate(
        &self,
        input: AddTagsToCertificate,
    ) -> Result<(), AcmError> {
        self.transact(move |draft| {
            let arn = &input.certificate_arn;
            change(draft, arn, |tags| with(tags, &input.tags))
        })
        .await
    }

    /// Removes tags by key, or by key and value; tags that are not there do not matter.
    ///
    /// # Errors
    /// `InvalidArn`, `InvalidTag`, `ResourceNotFound`.
    pub async fn remove_tags_from_certificate(
        &self,
        input: RemoveTagsFromCertificate,
    ) -> Result<(), AcmError> {
        self.transact(move |draft| {
            change(draft, &input.certificate_arn, |tags| {
                let is_there = |(key, value): &&(String, Option<String>)| {
                    let there = tags.value(key);
                    there.is_some() && (value.is_none() || there == value.as_deref())
                };
                let (present, absent): (Vec<_>, Vec<_>) = input.tags.iter().partition(is_there);
                // A reserved one that is there was set by an older elbow, and may go.
                for (key, value) in absent {
                    refuse_reserved(key, value.as_deref().unwrap_or_default())?;
                }
                let keys: Vec<_> = present.into_iter().map(|(key, _)| key.clone()).collect();
                Ok(tags.without(&keys))
            })
        })
        .await
    }

    /// The tags of a certificate, by key.
    ///
    /// # Errors
    /// `InvalidArn`, `ResourceNotFound`.
    pub async fn list_tags_for_certificate(
        &self,
        input: ListTagsForCertificate,
    ) -> Result<Tags, AcmError> {
        self.read(|state| Ok(find(state, &input.certificate_arn)?.tags.clone()))
    }
}

/// The tags with `new` added or replaced.
///
/// # Errors
/// `InvalidTag`, `TooManyTags`.
pub(super) fn with(tags: &Tags, new: &[(String, String)]) -> Result<Tags, AcmError> {
    for (key, value) in new {
        refuse_reserved(key, value)?;
    }
    Ok(tags.with(new)?)
}

/// Refuses a tag whose key or value is kept for AWS: nobody else can set it or remove it.
///
/// Source: ACM API, `InvalidTagException`.
fn refuse_reserved(key: &str, value: &str) -> Result<(), AcmError> {
    let refused = |what: &str, text: &str| {
        Err(AcmError::InvalidTag(format!(
            "The tag {what} '{text}' begins with 'aws:', which is reserved; choose another {what}"
        )))
    };
    match (is_reserved(key), is_reserved(value)) {
        (true, _) => refused("key", key),
        (false, true) => refused("value", value),
        (false, false) => Ok(()),
    }
}

fn change(
    draft: &mut Draft,
    arn: &str,
    change: impl FnOnce(&Tags) -> Result<Tags, AcmError>,
) -> Result<(), AcmError> {
    let present = Certificate::clone(find(draft.state(), arn)?);
    let tags = change(&present.tags)?;
    if tags != present.tags {
        draft.put(Certificate { tags, ..present });
    }
    Ok(())
}
