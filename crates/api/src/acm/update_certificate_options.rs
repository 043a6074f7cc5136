//! `UpdateCertificateOptions`: the preference about logs, and the validation method.

use control::Control;
use control::acm::AcmError;
use control::acm::update_certificate_options::UpdateCertificateOptions;
use serde_json::Value;

use super::shapes::{ARN, read_options};
use crate::input::Fields;

pub(super) fn read(fields: &Fields<'_>) -> UpdateCertificateOptions {
    fields.require("Options");
    UpdateCertificateOptions {
        certificate_arn: fields.required("CertificateArn", ARN),
        options: read_options(fields).unwrap_or_default(),
    }
}

pub(super) async fn call(
    control: &Control,
    input: UpdateCertificateOptions,
) -> Result<Option<Value>, AcmError> {
    control.update_certificate_options(input).await?;
    Ok(None)
}
