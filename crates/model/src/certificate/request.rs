//! A certificate that was requested: for which names, how their ownership is shown, and how far it has come.
//!
//! Source: ACM API, `RequestCertificate`, `DomainValidation`, `RenewalSummary` and `UpdateSummary`; ACM guide,
//! "Managed certificate renewal".

use serde::{Deserialize, Serialize};

use super::{CertificateMaterial, KeyAlgorithm};
use crate::text_enum;

/// How long a request waits to be issued, in milliseconds: 72 hours.
///
/// Source: ACM API, `CertificateDetail`, `Status`.
pub const VALIDATION_TIMEOUT_MILLIS: u64 = 72 * 3600 * 1000;

text_enum! {
    /// How the ownership of a domain is shown. Source: ACM API, `ValidationMethod`.
    pub enum ValidationMethod {
        /// Somebody who gets mail of the domain agrees.
        Email = "EMAIL",
        /// A record in the domain.
        Dns = "DNS",
        /// A file on the domain's web server; only for CloudFront.
        Http = "HTTP",
    }
}

text_enum! {
    /// How far the validation of a domain is. Source: ACM API, `DomainStatus`.
    pub enum DomainStatus {
        /// It goes on.
        PendingValidation = "PENDING_VALIDATION",
        /// The domain is validated.
        Success = "SUCCESS",
        /// It is not, and will not be.
        Failed = "FAILED",
    }
}

text_enum! {
    /// Whether a private key may leave ACM. Source: ACM API, `CertificateExport`.
    pub enum CertificateExport {
        /// It may.
        Enabled = "ENABLED",
        /// It may not: so it is with all that are imported.
        Disabled = "DISABLED",
    }
}

text_enum! {
    /// Which service looks after a certificate. Source: ACM API, `CertificateManagedBy`.
    pub enum CertificateManagedBy {
        /// CloudFront.
        Cloudfront = "CLOUDFRONT",
    }
}

text_enum! {
    /// Whether a public authority should log the certificate.
    ///
    /// Source: ACM API, `CertificateTransparencyLoggingPreference`.
    pub enum TransparencyLogging {
        /// It should.
        Enabled = "ENABLED",
        /// It should not.
        Disabled = "DISABLED",
    }
}

text_enum! {
    /// Why a certificate was not issued. Source: ACM API, `FailureReason`, without those of private authorities.
    pub enum FailureReason {
        /// Nobody could be asked.
        NoAvailableContacts = "NO_AVAILABLE_CONTACTS",
        /// The authority wants to know more.
        AdditionalVerificationRequired = "ADDITIONAL_VERIFICATION_REQUIRED",
        /// The authority does not issue for the domain.
        DomainNotAllowed = "DOMAIN_NOT_ALLOWED",
        /// The domain is not a public one.
        InvalidPublicDomain = "INVALID_PUBLIC_DOMAIN",
        /// The owner has said no.
        DomainValidationDenied = "DOMAIN_VALIDATION_DENIED",
        /// A record of the domain names other authorities.
        CaaError = "CAA_ERROR",
        /// Anything else.
        Other = "OTHER",
    }
}

text_enum! {
    /// How far the renewal of a certificate is. Source: ACM API, `RenewalStatus`.
    pub enum RenewalStatus {
        /// It is going to be renewed.
        PendingAutoRenewal = "PENDING_AUTO_RENEWAL",
        /// Its domains have to be validated first.
        PendingValidation = "PENDING_VALIDATION",
        /// It was renewed.
        Success = "SUCCESS",
        /// It could not be renewed.
        Failed = "FAILED",
    }
}

text_enum! {
    /// Why a certificate was revoked. Source: ACM API, `RevocationReason`; RFC 5280 section 5.3.1.
    pub enum RevocationReason {
        /// No reason is given.
        Unspecified = "UNSPECIFIED",
        /// Somebody else may have the key.
        KeyCompromise = "KEY_COMPROMISE",
        /// Somebody else may have the key of the authority.
        CaCompromise = "CA_COMPROMISE",
        /// The owner is another one.
        AffiliationChanged = "AFFILIATION_CHANGED",
        /// Another certificate has taken its place, as the API spelt it first.
        Superceded = "SUPERCEDED",
        /// Another certificate has taken its place.
        Superseded = "SUPERSEDED",
        /// It is not needed any more.
        CessationOfOperation = "CESSATION_OF_OPERATION",
        /// It is on hold.
        CertificateHold = "CERTIFICATE_HOLD",
        /// It is taken off a list.
        RemoveFromCrl = "REMOVE_FROM_CRL",
        /// The owner has lost a privilege.
        PrivilegeWithdrawn = "PRIVILEGE_WITHDRAWN",
        /// Somebody else may have the key of an attribute authority.
        AaCompromise = "A_A_COMPROMISE",
    }
}

/// A name of a certificate, and where those are asked who own it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainValidation {
    /// The name, in lower case; it may begin with `*.`.
    pub domain_name: String,
    /// The domain of the mail addresses: `domain_name` or one above it.
    pub validation_domain: String,
}

/// A change of the validation method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidationMigration {
    /// The method before.
    pub from: ValidationMethod,
    /// When it was changed, in milliseconds since 1970.
    pub at_millis: u64,
}

/// The last renewal, done or to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// How far it is.
    pub status: RenewalStatus,
    /// Why it failed, if it did.
    pub reason: Option<FailureReason>,
    /// When `status` changed, in milliseconds since 1970.
    pub updated_at_millis: u64,
}

/// How far a request is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestPhase {
    /// No certificate yet.
    PendingValidation,
    /// There will be none.
    Failed {
        /// Why.
        reason: FailureReason,
    },
    /// There is a certificate.
    Issued {
        /// The one that was issued last.
        material: CertificateMaterial,
        /// When it was issued, in milliseconds since 1970.
        at_millis: u64,
        /// `None` before the first renewal.
        renewal: Option<Renewal>,
        /// Whether the private key of this certificate has left elbow.
        is_exported: bool,
    },
    /// The certificate was revoked, for good.
    Revoked {
        /// The certificate.
        material: CertificateMaterial,
        /// When it was issued, in milliseconds since 1970.
        issued_at_millis: u64,
        /// When it was revoked, in milliseconds since 1970.
        at_millis: u64,
        /// Why.
        reason: RevocationReason,
    },
}

/// What was requested, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRequest {
    /// Its names, each once, the domain name first.
    domains: Vec<DomainValidation>,
    /// How it is shown who owns them.
    pub validation_method: ValidationMethod,
    /// What kind of key the certificate is for.
    pub key_algorithm: KeyAlgorithm,
    /// Whether the private key may leave elbow; never changed.
    pub export: CertificateExport,
    /// What a public authority should do. One that is not public logs nothing.
    pub transparency_logging: TransparencyLogging,
    /// What tells this request from others in the hour after it, if the caller said something.
    pub idempotency_token: Option<String>,
    /// How far it is.
    pub phase: RequestPhase,
    /// When the next attempt may be made after one that failed, in milliseconds since 1970.
    pub retry_at_millis: Option<u64>,
    /// Whether the private key of this certificate, or of one before it, has left elbow.
    pub was_exported: bool,
    /// The last change of the validation method.
    pub migration: Option<ValidationMigration>,
}

/// A request names no domain, or one of them twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request has at least one domain and none of them twice")]
pub struct InvalidDomains;

impl CertificateRequest {
    /// A request that nobody has looked at yet; `domains` has the domain name first.
    ///
    /// # Errors
    /// `InvalidDomains` if there is none, or one of them twice.
    pub fn new(
        domains: Vec<DomainValidation>,
        validation_method: ValidationMethod,
        key_algorithm: KeyAlgorithm,
    ) -> Result<Self, InvalidDomains> {
        let is_new = |(at, domain): (usize, &DomainValidation)| {
            let before = &domains[..at];
            before.iter().all(|it| it.domain_name != domain.domain_name)
        };
        if domains.is_empty() || !domains.iter().enumerate().all(is_new) {
            return Err(InvalidDomains);
        }
        Ok(Self {
            domains,
            validation_method,
            key_algorithm,
            export: CertificateExport::Disabled,
            transparency_logging: TransparencyLogging::Enabled,
            idempotency_token: None,
            phase: RequestPhase::PendingValidation,
            retry_at_millis: None,
            was_exported: false,
            migration: None,
        })
    }

    /// The first name.
    #[must_use]
    pub fn domain_name(&self) -> &str {
        &self.domains[0].domain_name
    }

    /// All names, the domain name first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.domains.iter().map(|domain| &*domain.domain_name)
    }

    /// All names with where their owners are asked, the domain name first.
    #[must_use]
    pub fn domains(&self) -> &[DomainValidation] {
        &self.domains
    }

    /// The certificate, if it has been issued.
    #[must_use]
    pub fn material(&self) -> Option<&CertificateMaterial> {
        match &self.phase {
            RequestPhase::PendingValidation | RequestPhase::Failed { .. } => None,
            RequestPhase::Issued { material, .. } | RequestPhase::Revoked { material, .. } => {
                Some(material)
            }
        }
    }

    /// When the certificate was issued last, in milliseconds since 1970.
    #[must_use]
    pub fn issued_at_millis(&self) -> Option<u64> {
        match self.phase {
            RequestPhase::PendingValidation | RequestPhase::Failed { .. } => None,
            RequestPhase::Issued { at_millis, .. } => Some(at_millis),
            RequestPhase::Revoked {
                issued_at_millis, ..
            } => Some(issued_at_millis),
        }
    }

    /// Whether it was revoked.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        matches!(self.phase, RequestPhase::Revoked { .. })
    }
}
