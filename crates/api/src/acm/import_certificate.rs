//! `ImportCertificate`: a new one, or one in place of another.

use control::Control;
use control::acm::AcmError;
use control::acm::import_certificate::ImportCertificate;
use serde_json::{Value, json};

use super::shapes::{ARN, read_pairs};
use crate::input::{Blob, Fields};

/// Source: ACM API, `CertificateBodyBlob` and `CertificateChainBlob`; ACM guide, "Certificate and key format
/// for importing" for the key, which the API's shape would allow to be larger.
const BODY: Blob = Blob {
    min: 1,
    max: 32_768,
};
const CHAIN: Blob = Blob {
    min: 1,
    max: 2_097_152,
};
const PRIVATE_KEY: Blob = Blob { min: 1, max: 5120 };

pub(super) fn read(fields: &Fields<'_>) -> ImportCertificate {
    ImportCertificate {
        certificate_arn: fields.optional("CertificateArn", ARN),
        certificate: fields.required("Certificate", BODY),
        private_key: fields.required("PrivateKey", PRIVATE_KEY),
        certificate_chain: fields.optional("CertificateChain", CHAIN),
        tags: read_pairs(fields),
    }
}

pub(super) async fn call(
    control: &Control,
    input: ImportCertificate,
) -> Result<Option<Value>, AcmError> {
    let arn = control.import_certificate(input).await?;
    Ok(Some(json!({ "CertificateArn": arn.to_string() })))
}
