//! `RevokeCertificate`: one that was exported and that nobody uses.

use control::Control;
use control::acm::AcmError;
use control::acm::revoke_certificate::RevokeCertificate;
use model::certificate::RevocationReason;
use serde_json::{Value, json};

use super::shapes::ARN;
use crate::input::{Fields, OneOf};

pub(super) fn read(fields: &Fields<'_>) -> RevokeCertificate {
    RevokeCertificate {
        certificate_arn: fields.required("CertificateArn", ARN),
        revocation_reason: fields.required("RevocationReason", OneOf(RevocationReason::ALL)),
    }
}

pub(super) async fn call(
    control: &Control,
    input: RevokeCertificate,
) -> Result<Option<Value>, AcmError> {
    let arn = control.revoke_certificate(input).await?;
    Ok(Some(json!({ "CertificateArn": arn.to_string() })))
}
