//! `RenewCertificate`: renews a certificate before it is time. The new one is issued after the call.

use model::certificate::{
    Certificate, CertificateOrigin, CertificateStatus, Renewal, RenewalStatus, RequestPhase,
};

use super::describe_certificate::issued;
use super::request_certificate::no_issuer;
use super::state::{is_in_use, is_renewable};
use super::{AcmError, find};
use crate::{Control, Draft};

/// Source: ACM API, `RenewCertificate`.
#[derive(Clone, Debug, Default)]
pub struct RenewCertificate {
    /// `CertificateArn`.
    pub certificate_arn: String,
}

impl Control {
    /// Has a certificate renewed. Only one that was exported can be, as on AWS: those that listeners show are
    /// renewed in time by themselves.
    ///
    /// # Errors
    /// `AccessDenied`, `InvalidArn`, `RequestInProgress`, `ResourceNotFound`, `Validation`.
    pub async fn renew_certificate(&self, input: RenewCertificate) -> Result<(), AcmError> {
        if self.inner.parts.issuer.is_none() {
            return Err(no_issuer());
        }
        self.transact(move |draft| renew(draft, &input.certificate_arn))
            .await
    }
}

/// Source: ACM guide, "Force certificate renewal".
fn renew(draft: &mut Draft, arn: &str) -> Result<(), AcmError> {
    let now = draft.now_millis();
    let present = Certificate::clone(find(draft.state(), arn)?);
    let refused = |why: &str| {
        Err(AcmError::Validation(format!(
            "Certificate {} cannot be renewed: {why}",
            present.arn
        )))
    };
    let Some(mut request) = present.request().cloned() else {
        return refused("it was imported. Import the new one in its place.");
    };
    issued(&present, now)?;
    let status = present.status(now);
    if status != CertificateStatus::Issued {
        return refused(&format!("its status is {status}."));
    }
    if !request.was_exported {
        return refused(
            "it was never exported. It is renewed by itself while a listener shows it.",
        );
    }
    let is_in_use = is_in_use(draft.state(), &present.arn);
    if !is_renewable(&present, is_in_use, now) {
        return refused("it was not exported since it was renewed last, and no listener shows it.");
    }
    if let RequestPhase::Issued { renewal, .. } = &mut request.phase {
        *renewal = Some(Renewal {
            status: RenewalStatus::PendingAutoRenewal,
            reason: None,
            updated_at_millis: now,
        });
    }
    request.retry_at_millis = None;
    draft.put(Certificate {
        origin: CertificateOrigin::Requested(request),
        ..present
    });
    Ok(())
}
