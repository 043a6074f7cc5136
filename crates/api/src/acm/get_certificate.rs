//! `GetCertificate`: the certificate and its chain, without the private key.

use control::Control;
use control::acm::AcmError;
use control::acm::describe_certificate::GetCertificate;
use serde_json::{Value, json};

use super::shapes::{ARN, set_chain};
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
    let mut value = json!({ "Certificate": certificate.body });
    set_chain(&mut value, certificate.chain.as_deref());
    Ok(Some(value))
}
