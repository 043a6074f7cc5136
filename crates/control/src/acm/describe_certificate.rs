//! `DescribeCertificate` and `GetCertificate`: one certificate, without its private key.

use std::sync::Arc;

use model::arn::LoadBalancerArn;
use model::certificate::{
    Certificate, CertificateMaterial, CertificateRequest, CertificateStatus, DomainStatus,
    DomainValidation,
};

use super::domains::{self, ResourceRecord};
use super::state::{is_renewable, users};
use super::{AcmError, find};
use crate::{Control, Signature, State};

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

/// What would show who owns a domain of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainChallenge {
    /// `DomainName` and `ValidationDomain`.
    pub domain: DomainValidation,
    /// `ResourceRecord`, for validation by DNS.
    pub record: ResourceRecord,
    /// `ValidationEmails`, for validation by mail.
    pub mail_addresses: Vec<String>,
}

/// A certificate with what follows from the time and from the listeners.
#[derive(Clone, Debug)]
pub struct CertificateDescription {
    /// The certificate.
    pub certificate: Arc<Certificate>,
    /// `Status`.
    pub status: CertificateStatus,
    /// Of each domain that was requested; none for an imported certificate.
    pub challenges: Vec<DomainChallenge>,
    /// `RenewalEligibility`.
    pub is_renewable: bool,
    /// `InUseBy`: the load balancers that show it.
    pub in_use_by: Vec<LoadBalancerArn>,
}

/// A certificate with who issues it.
#[derive(Clone, Debug)]
pub struct CertificateDetail {
    /// The certificate.
    pub described: CertificateDescription,
    /// `Subject`: what is written in the certificate, or what is going to be.
    pub subject: String,
    /// `Issuer` and `SignatureAlgorithm`; `None` for a request of which nobody makes a certificate.
    pub signature: Option<Signature>,
}

impl CertificateDescription {
    /// `ValidationStatus` of all its domains, which are validated together.
    #[must_use]
    pub fn validation_status(&self) -> DomainStatus {
        match self.status {
            CertificateStatus::PendingValidation => DomainStatus::PendingValidation,
            CertificateStatus::Issued
            | CertificateStatus::Inactive
            | CertificateStatus::Expired
            | CertificateStatus::Revoked => DomainStatus::Success,
            CertificateStatus::ValidationTimedOut | CertificateStatus::Failed => {
                DomainStatus::Failed
            }
        }
    }
}

impl Control {
    /// Describes a certificate.
    ///
    /// # Errors
    /// `InvalidArn`, `ResourceNotFound`.
    pub async fn describe_certificate(
        &self,
        input: DescribeCertificate,
    ) -> Result<CertificateDetail, AcmError> {
        let now = self.now_millis();
        let described = self.read(|state| {
            let certificate = find(state, &input.certificate_arn)?;
            Ok::<_, AcmError>(describe(state, certificate, now))
        })?;
        let certificate = &described.certificate;
        let (subject, signature) = match certificate.facts() {
            Some(facts) => {
                let signature = Signature {
                    issuer: facts.issuer.clone(),
                    algorithm: facts.signature_algorithm.clone(),
                };
                (facts.subject.clone(), Some(signature))
            }
            // AWS, too, says of what is not issued yet how it is going to be.
            None => {
                let issuer = self.inner.parts.issuer.as_ref();
                let name = certificate.domain_name().unwrap_or_default();
                let signature = issuer.map(|issuer| issuer.signature().clone());
                (format!("CN={name}"), signature)
            }
        };
        Ok(CertificateDetail {
            subject,
            signature,
            described,
        })
    }

    /// The certificate and its chain.
    ///
    /// # Errors
    /// `InvalidArn`, `RequestInProgress`, `ResourceNotFound`, `Validation`.
    pub async fn get_certificate(
        &self,
        input: GetCertificate,
    ) -> Result<CertificateMaterial, AcmError> {
        let now = self.now_millis();
        self.read(|state| {
            let certificate = find(state, &input.certificate_arn)?;
            Ok(issued(certificate, now)?.clone())
        })
    }
}

/// The certificate with what follows from the time and from the listeners.
pub(super) fn describe(
    state: &State,
    certificate: &Arc<Certificate>,
    now_millis: u64,
) -> CertificateDescription {
    let in_use_by = users(state, &certificate.arn);
    let domains = certificate.request().map(CertificateRequest::domains);
    let account = &certificate.arn.place.account;
    let challenge = |domain: &DomainValidation| DomainChallenge {
        domain: domain.clone(),
        record: domains::resource_record(account, &domain.domain_name),
        mail_addresses: domains::mail_addresses(&domain.validation_domain),
    };
    CertificateDescription {
        status: certificate.status(now_millis),
        is_renewable: is_renewable(certificate, !in_use_by.is_empty(), now_millis),
        challenges: domains.unwrap_or_default().iter().map(challenge).collect(),
        in_use_by,
        certificate: Arc::clone(certificate),
    }
}

/// What there is of a certificate that is issued.
pub(super) fn issued(
    certificate: &Certificate,
    now_millis: u64,
) -> Result<&CertificateMaterial, AcmError> {
    let arn = &certificate.arn;
    certificate.material().ok_or_else(|| match certificate.status(now_millis) {
        CertificateStatus::PendingValidation => AcmError::RequestInProgress(format!(
            "Certificate {arn} has not been issued yet. Wait until its status is ISSUED."
        )),
        other => AcmError::Validation(format!(
            "Certificate {arn} was not issued: its status is {other}. Delete it and request another one."
        )),
    })
}
