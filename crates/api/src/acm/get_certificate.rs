//! `GetCertificate`: the certificate and its chain, without the private key.

use control::Control;
use control::acm::AcmError;
use control::acm::describe_certificate::GetCertificate;
use serde_json::{Value, json};

use super::shapes::ARN;
use crate::input::Fields;

pub(super) fn read(fields: &Fields<'_>) -> GetCertificate {
    GetCertificate {
        certificate_arn: fields.required("CertificateArn", ARN),
    }
}

pub(super) async fn call(
    control: &Control,
    input: GetCertificate,
) -> Result<Option<Value>, AcmError> {
    let certificate = control.get_certificate(input).await?;
    // Of an import without a chain ACM shows the certificate as its own, and tools rely on the member.
    let chain = certificate.chain.as_ref().unwrap_or(&certificate.body);
    Ok(Some(
        json!({ "Certificate": certificate.body, "CertificateChain": chain }),
    ))
}
