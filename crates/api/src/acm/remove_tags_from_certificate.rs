//! `RemoveTagsFromCertificate`: by key, or by key and value.

use control::Control;
use control::acm::AcmError;
use control::acm::tags::RemoveTagsFromCertificate;
use serde_json::Value;

use super::shapes::{ARN, read_tags};
use crate::input::Fields;

pub(super) fn read(fields: &Fields<'_>) -> RemoveTagsFromCertificate {
    fields.require("Tags");
    RemoveTagsFromCertificate {
        certificate_arn: fields.required("CertificateArn", ARN),
        tags: read_tags(fields),
    }
}

pub(super) async fn call(
    control: &Control,
    input: RemoveTagsFromCertificate,
) -> Result<Option<Value>, AcmError> {
    control.remove_tags_from_certificate(input).await?;
    Ok(None)
}
