//! `ListCertificateDomainValidations`: what would show who owns the domains of a certificate.

use control::Control;
use control::acm::AcmError;
use control::acm::describe_certificate::{CertificateDescription, DomainChallenge};
use control::acm::list_domain_validations::ListDomainValidations;
use model::certificate::ValidationMethod;
use serde_json::{Value, json};

use super::shapes::{ARN, read_paging, record};
use crate::input::Fields;

pub(super) fn read(fields: &Fields<'_>) -> ListDomainValidations {
    ListDomainValidations {
        certificate_arn: fields.required("CertificateArn", ARN),
        paging: read_paging(fields),
    }
}

pub(super) async fn call(
    control: &Control,
    input: ListDomainValidations,
) -> Result<Option<Value>, AcmError> {
    let page = control.list_domain_validations(input).await?;
    let items = page.items.iter();
    let items: Vec<_> = items.map(|it| summary(&page.described, it)).collect();
    let mut value = json!({ "DomainValidationSummaryList": items });
    if let Some(token) = page.next_token {
        value["NextToken"] = json!(token);
    }
    Ok(Some(value))
}

/// `DomainValidationSummary`. A change of the method is never pending, so that there is no requested one.
fn summary(described: &CertificateDescription, challenge: &DomainChallenge) -> Value {
    let request = described.certificate.request();
    let method = request.map(|request| request.validation_method);
    let shown = match method {
        Some(ValidationMethod::Email) => json!({
            "EmailValidationChallenge": {
                "ValidationEmails": challenge.mail_addresses,
                "ValidationDomain": challenge.domain.validation_domain,
            }
        }),
        _ => json!({ "DnsValidationChallenge": { "ResourceRecord": record(challenge) } }),
    };
    json!({
        "DomainName": challenge.domain.domain_name,
        "ActiveValidationConfiguration": {
            "ValidationMethod": method.map(ValidationMethod::as_str),
            "ValidationStatus": described.validation_status().as_str(),
            "ValidationChallenge": shown,
        },
    })
}
