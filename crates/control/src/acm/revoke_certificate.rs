//! `RevokeCertificate`: a certificate that was exported is not used any more.

use model::certificate::{
    Certificate, CertificateArn, CertificateOrigin, RequestPhase, RevocationReason,
};

use super::state::users;
use super::{AcmError, find};
use crate::{Control, Draft};

/// Source: ACM API, `RevokeCertificate`.
#[derive(Clone, Debug)]
pub struct RevokeCertificate {
    /// `CertificateArn`.
    pub certificate_arn: String,
    /// `RevocationReason`.
    pub revocation_reason: RevocationReason,
}

impl Control {
    /// Revokes a certificate for good: no listener can show it, and it is neither exported nor renewed.
    ///
    /// # Errors
    /// `Conflict`, `InvalidArn`, `ResourceInUse`, `ResourceNotFound`, `Validation`.
    pub async fn revoke_certificate(
        &self,
        input: RevokeCertificate,
    ) -> Result<CertificateArn, AcmError> {
        self.transact(move |draft| revoke(draft, &input)).await
    }
}

/// Source: ACM guide, "Revoke an AWS Certificate Manager public certificate".
fn revoke(draft: &mut Draft, input: &RevokeCertificate) -> Result<CertificateArn, AcmError> {
    let present = Certificate::clone(find(draft.state(), &input.certificate_arn)?);
    let arn = present.arn.clone();
    let refused = |why: &str| {
        Err(AcmError::Validation(format!(
            "Certificate {arn} cannot be revoked: {why}"
        )))
    };
    let Some(mut request) = present.request().cloned() else {
        return refused("it was imported. Ask the authority that has issued it.");
    };
    let (material, issued_at_millis) = match request.phase {
        RequestPhase::PendingValidation => {
            return Err(AcmError::Conflict(format!(
                "Certificate {arn} has not been issued yet. Delete it, or wait until its status is ISSUED."
            )));
        }
        RequestPhase::Failed { .. } => return refused("it was not issued."),
        RequestPhase::Revoked { .. } => return refused("it was revoked before."),
        RequestPhase::Issued {
            material,
            at_millis,
            ..
        } => (material, at_millis),
    };
    if !request.was_exported {
        return refused("it was never exported. Delete it instead.");
    }
    let users = users(draft.state(), &arn);
    if !users.is_empty() {
        return Err(AcmError::in_use(&arn, &users));
    }
    request.phase = RequestPhase::Revoked {
        material,
        issued_at_millis,
        at_millis: draft.now_millis(),
        reason: input.revocation_reason,
    };
    draft.put(Certificate {
        origin: CertificateOrigin::Requested(request),
        ..present
    });
    Ok(arn)
}
