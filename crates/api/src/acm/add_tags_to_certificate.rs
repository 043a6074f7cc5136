//! `AddTagsToCertificate`: a tag replaces the one with its key.

use control::Control;
use control::acm::AcmError;
use control::acm::tags::AddTagsToCertificate;
use serde_json::Value;

use super::shapes::{ARN, read_pairs};
use crate::input::Fields;

pub(super) fn read(fields: &Fields<'_>) -> AddTagsToCertificate {
    fields.require("Tags");
    AddTagsToCertificate {
        certificate_arn: fields.required("CertificateArn", ARN),
        tags: read_pairs(fields),
    }
}

pub(super) async fn call(
    control: &Control,
    input: AddTagsToCertificate,
) -> Result<Option<Value>, AcmError> {
    control.add_tags_to_certificate(input).await?;
    Ok(None)
}
