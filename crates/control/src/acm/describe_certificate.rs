//! `DescribeCertificate` and `GetCertificate`: one certificate, without its private key.

use std::sync::Arc;

use model::arn::LoadBalancerArn;
use model::certificate::{Certificate, CertificateStatus};

use super::state::users;
use super::{AcmError, find};
use crate::Control;

/// Source: ACM API, `DescribeCertificate`.
#[derive(Clone, Debug, Default)]
pub struct DescribeCertificate {
    /// `CertificateArn`.
    pub certificate_arn: String,
}

/// Source: ACM API, `GetCertificate`.
#[derive(Clone, Debug, Default)]
pub struct GetCertificate {
    /// `CertificateArn`.
    pub certificate_arn: String,
}

/// A certificate with what follows from the time and from the listeners.
#[derive(Clone, Debug)]
pub struct CertificateDescription {
    /// The certificate.
    pub certificate: Arc<Certificate>,
    /// `Status`.
    pub status: CertificateStatus,
    /// `InUseBy`: the load balancers that show it.
    pub in_use_by: Vec<LoadBalancerArn>,
}

impl Control {
    /// Describes a certificate.
    ///
    /// # Errors
    /// `InvalidArn`, `ResourceNotFound`.
    pub async fn describe_certificate(
        &self,
        input: DescribeCertificate,
    ) -> Result<CertificateDescription, AcmError> {
        let now = self.now_millis();
        self.read(|state| {
            let certificate = find(state, &input.certificate_arn)?;
            Ok(CertificateDescription {
                status: certificate.status(now),
                in_use_by: users(state, &certificate.arn),
                certificate: Arc::clone(certificate),
            })
        })
    }

    /// The certificate and its chain.
    ///
    /// # Errors
    /// `InvalidArn`, `ResourceNotFound`.
    pub async fn get_certificate(
        &self,
        input: GetCertificate,
    ) -> Result<Arc<Certificate>, AcmError> {
        self.read(|state| find(state, &input.certificate_arn).cloned())
    }
}
