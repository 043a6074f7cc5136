//! `ExportCertificate`: a certificate with its private key, which a passphrase protects.

use model::certificate::{
    Certificate, CertificateExport, CertificateMaterial, CertificateOrigin, CertificateStatus,
    RequestPhase,
};

use super::describe_certificate::issued;
use super::{AcmError, find};
use crate::{CommitError, Control, Draft, blocking, pem, pkcs8};

/// Source: ACM API, `ExportCertificate`.
#[derive(Clone, Default)]
pub struct ExportCertificate {
    /// `CertificateArn`.
    pub certificate_arn: String,
    /// `Passphrase`: ASCII without `#`, `$` and `%`.
    pub passphrase: Vec<u8>,
}

/// What is exported, each in PEM.
#[derive(Clone)]
pub struct ExportedCertificate {
    /// `Certificate`.
    pub body: String,
    /// `CertificateChain`.
    pub chain: Option<String>,
    /// `PrivateKey`: PKCS#8, encrypted.
    pub private_key: String,
}

impl Control {
    /// Exports a certificate that was requested to be exportable.
    ///
    /// # Errors
    /// `InvalidArn`, `RequestInProgress`, `ResourceNotFound`, `Validation`.
    pub async fn export_certificate(
        &self,
        input: ExportCertificate,
    ) -> Result<ExportedCertificate, AcmError> {
        let is_allowed = |byte: &u8| byte.is_ascii() && !b"#$%".contains(byte);
        if !input.passphrase.iter().all(is_allowed) {
            return Err(AcmError::Validation(
                "The passphrase can have any ASCII characters but '#', '$' and '%'.".to_owned(),
            ));
        }
        let arn = input.certificate_arn;
        let (material, private_key) = self.transact(move |draft| export(draft, &arn)).await?;
        let private_key = blocking(move || {
            let blocks = pem::blocks(private_key.as_bytes()).expect("what is stored is PEM");
            let encrypted = pkcs8::encrypt(&blocks[0].contents, &input.passphrase);
            pem::encode(pkcs8::LABEL, &encrypted)
        });
        Ok(ExportedCertificate {
            private_key: private_key.await,
            body: material.body,
            chain: material.chain,
        })
    }
}

/// Notes that the key leaves elbow; the certificate and the key in the clear.
fn export(draft: &mut Draft, arn: &str) -> Result<(CertificateMaterial, String), AcmError> {
    let present = Certificate::clone(find(draft.state(), arn)?);
    let refused = |why: &str| {
        Err(AcmError::Validation(format!(
            "Certificate {} cannot be exported: {why}",
            present.arn
        )))
    };
    let Some(request) = present.request() else {
        return refused("it was imported.");
    };
    if request.export != CertificateExport::Enabled {
        return refused("it was requested without the option Export=ENABLED.");
    }
    let material = issued(&present, draft.now_millis())?.clone();
    if present.status(draft.now_millis()) == CertificateStatus::Revoked {
        return refused("it was revoked.");
    }
    let private_key = draft
        .secret_key()
        .open(&present.arn.to_string(), &material.sealed_private_key)
        .map_err(CommitError::from)?;
    let mut request = request.clone();
    request.was_exported = true;
    if let RequestPhase::Issued { is_exported, .. } = &mut request.phase {
        *is_exported = true;
    }
    draft.put(Certificate {
        origin: CertificateOrigin::Requested(request),
        ..present
    });
    Ok((material, private_key))
}
