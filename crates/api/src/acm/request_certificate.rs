//! `RequestCertificate`: one that is issued after the call.

use control::Control;
use control::acm::request_certificate::RequestCertificate;
use control::acm::{AcmError, DomainValidationOption};
use model::certificate::{CertificateManagedBy, KeyAlgorithm, ValidationMethod};
use serde_json::{Value, json};

use super::shapes::{ARN, DOMAIN_NAME, IDEMPOTENCY_TOKEN, read_options, read_pairs};
use crate::input::{Fields, OneOf};

/// Source: ACM API, `DomainList` and `DomainValidationOptionList`.
const DOMAINS_MAX: usize = 100;

pub(super) fn read(fields: &Fields<'_>) -> RequestCertificate {
    let names = fields.list("SubjectAlternativeNames", DOMAIN_NAME);
    fields.check_count("SubjectAlternativeNames", names.len(), 1, DOMAINS_MAX);
    let options = fields.structures("DomainValidationOptions", |option| DomainValidationOption {
        domain_name: option.required("DomainName", DOMAIN_NAME),
        validation_domain: option.required("ValidationDomain", DOMAIN_NAME),
    });
    fields.check_count("DomainValidationOptions", options.len(), 1, DOMAINS_MAX);
    RequestCertificate {
        domain_name: fields.required("DomainName", DOMAIN_NAME),
        validation_method: fields.optional("ValidationMethod", OneOf(ValidationMethod::ALL)),
        subject_alternative_names: names,
        idempotency_token: fields.optional("IdempotencyToken", IDEMPOTENCY_TOKEN),
        domain_validation_options: options,
        options: read_options(fields).unwrap_or_default(),
        certificate_authority_arn: fields.optional("CertificateAuthorityArn", ARN),
        tags: read_pairs(fields),
        key_algorithm: fields.optional("KeyAlgorithm", OneOf(KeyAlgorithm::ALL)),
        managed_by: fields.optional("ManagedBy", OneOf(CertificateManagedBy::ALL)),
    }
}

pub(super) async fn call(
    control: &Control,
    input: RequestCertificate,
) -> Result<Option<Value>, AcmError> {
    let arn = control.request_certificate(input).await?;
    Ok(Some(json!({ "CertificateArn": arn.to_string() })))
}
