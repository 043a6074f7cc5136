//! `DeleteCertificate`: one that no listener shows.

use model::certificate::Certificate;

use super::state::users;
use super::{AcmError, find};
use crate::Control;

/// Source: ACM API, `DeleteCertificate`.
#[derive(Clone, Debug, Default)]
pub struct DeleteCertificate {
    /// `CertificateArn`.
    pub certificate_arn: String,
}

impl Control {
    /// Deletes a certificate and its private key.
    ///
    /// # Errors
    /// `InvalidArn`, `ResourceInUse`, `ResourceNotFound`.
    pub async fn delete_certificate(&self, input: DeleteCertificate) -> Result<(), AcmError> {
        self.transact(move |draft| {
            let arn = find(draft.state(), &input.certificate_arn)?.arn.clone();
            let users = users(draft.state(), &arn);
            if !users.is_empty() {
                return Err(AcmError::in_use(&arn, &users));
            }
            draft.remove::<Certificate>(&arn.id);
            Ok(())
        })
        .await
    }
}
