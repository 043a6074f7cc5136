//! `DescribeCertificate`: what is written in a certificate, and who uses it.

use control::Control;
use control::acm::AcmError;
use control::acm::describe_certificate::DescribeCertificate;
use serde_json::{Value, json};

use super::shapes::{self, ARN};
use crate::input::Fields;

pub(super) fn read(fields: &Fields<'_>) -> DescribeCertificate {
    DescribeCertificate {
        certificate_arn: fields.required("CertificateArn", ARN),
    }
}

pub(super) async fn call(
    control: &Control,
    input: DescribeCertificate,
) -> Result<Option<Value>, AcmError> {
    let detail = control.describe_certificate(input).await?;
    Ok(Some(json!({ "Certificate": shapes::detail(&detail) })))
}
