//! `DeleteCertificate`: one that nobody uses.

use control::Control;
use control::acm::AcmError;
use control::acm::delete_certificate::DeleteCertificate;
use serde_json::Value;

use super::shapes::ARN;
use crate::input::Fields;

pub(super) fn read(fields: &Fields<'_>) -> DeleteCertificate {
    DeleteCertificate {
        certificate_arn: fields.required("CertificateArn", ARN),
    }
}

pub(super) async fn call(
    control: &Control,
    input: DeleteCertificate,
) -> Result<Option<Value>, AcmError> {
    control.delete_certificate(input).await?;
    Ok(None)
}
