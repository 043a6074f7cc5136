//! `RequestCertificate`: stores what is wanted; the certificate is issued after the call.

use model::certificate::{
    Certificate, CertificateArn, CertificateExport, CertificateManagedBy, CertificateOrigin,
    CertificateRequest, KeyAlgorithm, TransparencyLogging, ValidationMethod,
};
use model::tag::Tags;

use super::account::{self, Added};
use super::domains::{self, DomainValidationOption};
use super::import_certificate::new_id;
use super::{AcmError, tags};
use crate::elb::input::Pairs;
use crate::{Control, Draft};

/// How long an idempotency token is remembered, in milliseconds. Source: ACM API, `RequestCertificate`.
pub(super) const TOKEN_MILLIS: u64 = 3600 * 1000;

/// The kinds of keys that can be requested. Source: ACM API, `RequestCertificate`, `KeyAlgorithm`.
const KEY_ALGORITHMS: [KeyAlgorithm; 3] = [
    KeyAlgorithm::Rsa2048,
    KeyAlgorithm::EcPrime256v1,
    KeyAlgorithm::EcSecp384r1,
];

/// Source: ACM API, `RequestCertificate`.
#[derive(Clone, Debug, Default)]
pub struct RequestCertificate {
    /// `DomainName`.
    pub domain_name: String,
    /// `ValidationMethod`. Default `EMAIL`.
    pub validation_method: Option<ValidationMethod>,
    /// `SubjectAlternativeNames`.
    pub subject_alternative_names: Vec<String>,
    /// `IdempotencyToken`.
    pub idempotency_token: Option<String>,
    /// `DomainValidationOptions`.
    pub domain_validation_options: Vec<DomainValidationOption>,
    /// `Options`.
    pub options: CertificateOptions,
    /// `CertificateAuthorityArn`, which is refused.
    pub certificate_authority_arn: Option<String>,
    /// `Tags`.
    pub tags: Pairs,
    /// `KeyAlgorithm`. Default RSA with 2048 bits.
    pub key_algorithm: Option<KeyAlgorithm>,
    /// `ManagedBy`, which is refused.
    pub managed_by: Option<CertificateManagedBy>,
}

/// Source: ACM API, `CertificateOptions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CertificateOptions {
    /// `CertificateTransparencyLoggingPreference`.
    pub transparency_logging: Option<TransparencyLogging>,
    /// `Export`.
    pub export: Option<CertificateExport>,
    /// `ValidationMethod`, for updates only.
    pub validation_method: Option<ValidationMethod>,
}

impl Control {
    /// Requests a certificate. It is issued soon after, by `Control::run_background`.
    ///
    /// # Errors
    /// `AccessDenied`, `InvalidDomainValidationOptions`, `InvalidParameter`, `InvalidTag`, `LimitExceeded`,
    /// `TooManyTags`.
    pub async fn request_certificate(
        &self,
        input: RequestCertificate,
    ) -> Result<CertificateArn, AcmError> {
        if self.inner.parts.issuer.is_none() {
            return Err(no_issuer());
        }
        self.transact(move |draft| request(draft, &input)).await
    }
}

/// The error for what needs an issuer where there is none.
pub(super) fn no_issuer() -> AcmError {
    AcmError::AccessDenied(
        "This elbow issues no certificates: its configuration says issuer = \"import-only\" in the section \
         [certificates]. Import the certificate, or change the configuration."
            .to_owned(),
    )
}

fn request(draft: &mut Draft, input: &RequestCertificate) -> Result<CertificateArn, AcmError> {
    refuse_unsupported(input)?;
    if let Some(known) = requested_before(draft, input.idempotency_token.as_deref()) {
        return Ok(known);
    }
    let method = input.validation_method.unwrap_or(ValidationMethod::Email);
    let domains = domains::parse(
        &input.domain_name,
        &input.subject_alternative_names,
        method,
        &input.domain_validation_options,
    )?;
    let names_max = draft.settings().limits.domain_names_per_certificate;
    if domains.len() > names_max {
        return Err(AcmError::LimitExceeded(format!(
            "Error: a certificate can be requested for at most {names_max} domain names, and this request has {}.",
            domains.len()
        )));
    }
    let tags = tags::with(&Tags::default(), &input.tags)?;
    account::count(draft, Added::Requested)?;
    let key_algorithm = input.key_algorithm.unwrap_or(KeyAlgorithm::Rsa2048);
    let request = CertificateRequest::new(domains, method, key_algorithm);
    let mut request = request.expect("there is a domain name, and each name is there once");
    request.export = input.options.export.unwrap_or(request.export);
    let logging = input.options.transparency_logging;
    request.transparency_logging = logging.unwrap_or(request.transparency_logging);
    request.idempotency_token = input.idempotency_token.clone();
    let certificate = Certificate {
        arn: CertificateArn {
            place: draft.place(),
            id: new_id(draft),
        },
        origin: CertificateOrigin::Requested(request),
        created_at_millis: draft.now_millis(),
        tags,
    };
    Ok(draft.put(certificate).arn.clone())
}

/// Refuses what could only be honoured with other services of AWS, or only by an update.
fn refuse_unsupported(input: &RequestCertificate) -> Result<(), AcmError> {
    let refused = |message: &str| Err(AcmError::InvalidParameter(message.to_owned()));
    if input.certificate_authority_arn.is_some() {
        return refused(
            "CertificateAuthorityArn is not supported: elbow has no AWS Private Certificate Authority. Without it the \
             certificate is issued by the authority of this elbow.",
        );
    }
    if input.managed_by.is_some() {
        return refused("ManagedBy is not supported: elbow has no CloudFront.");
    }
    if input.validation_method == Some(ValidationMethod::Http) {
        return refused(
            "The validation method HTTP is only for CloudFront, which elbow does not have. Use DNS or EMAIL.",
        );
    }
    if input.options.validation_method.is_some() {
        return refused(
            "The option ValidationMethod is for UpdateCertificateOptions; use the parameter ValidationMethod.",
        );
    }
    match input.key_algorithm {
        Some(algorithm) if !KEY_ALGORITHMS.contains(&algorithm) => {
            let known = KEY_ALGORITHMS.map(KeyAlgorithm::as_str).join(", ");
            Err(AcmError::InvalidParameter(format!(
                "The key algorithm {algorithm} can be imported and not requested. Use one of {known}."
            )))
        }
        _ => Ok(()),
    }
}

/// What a request with the same token in the hour before has made.
fn requested_before(draft: &Draft, token: Option<&str>) -> Option<CertificateArn> {
    let token = token?;
    let is_it = |certificate: &Certificate| {
        let request = certificate.request();
        let same = request.and_then(|it| it.idempotency_token.as_deref()) == Some(token);
        same && draft.now_millis() < certificate.created_at_millis + TOKEN_MILLIS
    };
    let mut all = draft.state().acm.certificates.values();
    let found = all.find(|certificate| is_it(certificate))?;
    Some(found.arn.clone())
}
