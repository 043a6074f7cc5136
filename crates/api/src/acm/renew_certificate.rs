//! `RenewCertificate`: one that was exported.

use control::Control;
use control::acm::AcmError;
use control::acm::renew_certificate::RenewCertificate;
use serde_json::Value;

use super::shapes::ARN;
use crate::input::Fields;

pub(super) fn read(fields: &Fields<'_>) -> RenewCertificate {
    RenewCertificate {
        certificate_arn: fields.required("CertificateArn", ARN),
    }
}

pub(super) async fn call(
    control: &Control,
    input: RenewCertificate,
) -> Result<Option<Value>, AcmError> {
    control.renew_certificate(input).await?;
    Ok(None)
}
