//! `ExportCertificate`: the certificate, its chain and its encrypted private key.

use control::Control;
use control::acm::AcmError;
use control::acm::export_certificate::ExportCertificate;
use serde_json::{Value, json};

use super::shapes::{ARN, set_chain};
use crate::input::{Blob, Fields};

/// Source: ACM API, `PassphraseBlob`.
const PASSPHRASE: Blob = Blob { min: 4, max: 128 };

pub(super) fn read(fields: &Fields<'_>) -> ExportCertificate {
    ExportCertificate {
        certificate_arn: fields.required("CertificateArn", ARN),
        passphrase: fields.required("Passphrase", PASSPHRASE),
    }
}

pub(super) async fn call(
    control: &Control,
    input: ExportCertificate,
) -> Result<Option<Value>, AcmError> {
    let exported = control.export_certificate(input).await?;
    let mut value = json!({ "Certificate": exported.body, "PrivateKey": exported.private_key });
    set_chain(&mut value, exported.chain.as_deref());
    Ok(Some(value))
}
