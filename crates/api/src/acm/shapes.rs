//! Structures that several operations have in common.

use control::acm::describe_certificate::CertificateDescription;
use model::certificate::{CertificateFacts, ExtendedKeyUsage};
use serde_json::{Value, json};

use crate::input::shape::Text;
use crate::input::{Fields, TEXT};
use crate::json::timestamp;

/// Source: ACM API, `Arn`.
pub(super) const ARN: Text = TEXT.between(20, 2048);

const KEY: Text = TEXT.between(1, 128);
const VALUE: Text = TEXT.at_most(256);
const TAGS_MAX: usize = 50;

/// `Tags`: keys, and values where there are any.
pub(super) fn read_tags(fields: &Fields<'_>) -> Vec<(String, Option<String>)> {
    let tags = fields.structures("Tags", |tag| {
        (tag.required("Key", KEY), tag.optional("Value", VALUE))
    });
    fields.check_count("Tags", tags.len(), 1, TAGS_MAX);
    tags
}

/// `Tags` to set: a tag without a value has an empty one.
pub(super) fn read_pairs(fields: &Fields<'_>) -> Vec<(String, String)> {
    let tags = read_tags(fields).into_iter();
    tags.map(|(key, value)| (key, value.unwrap_or_default()))
        .collect()
}

/// `CertificateDetail`.
pub(super) fn detail(described: &CertificateDescription) -> Value {
    let certificate = &described.certificate;
    let facts = &certificate.facts;
    let mut value = json!({
        "CertificateArn": certificate.arn.to_string(),
        "SubjectAlternativeNames": facts.subject_alternative_names,
        "Serial": facts.serial,
        "Subject": facts.subject,
        "Issuer": facts.issuer,
        "CreatedAt": created_at(certificate.created_at_millis),
        "ImportedAt": created_at(certificate.imported_at_millis),
        "Status": described.status.as_str(),
        "NotBefore": timestamp(facts.not_before_millis),
        "NotAfter": timestamp(facts.not_after_millis),
        "KeyAlgorithm": facts.key_algorithm.as_str(),
        "SignatureAlgorithm": facts.signature_algorithm,
        "InUseBy": described.in_use_by.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "Type": "IMPORTED",
        "KeyUsages": facts.key_usages.iter().map(|usage| json!({ "Name": usage.as_str() })).collect::<Vec<_>>(),
        "ExtendedKeyUsages": facts.extended_key_usages.iter().map(extended).collect::<Vec<_>>(),
        "RenewalEligibility": "INELIGIBLE",
        "Options": {
            "CertificateTransparencyLoggingPreference": "DISABLED",
            "Export": "DISABLED",
        },
        "CertificateKeyPairOrigin": "CUSTOMER_PROVIDED",
    });
    set_domain(&mut value, facts);
    value
}

/// `CertificateSummary`.
pub(super) fn summary(described: &CertificateDescription) -> Value {
    /// Source: ACM API, `CertificateSummary`, `SubjectAlternativeNameSummaries`.
    const NAMES_MAX: usize = 100;
    let certificate = &described.certificate;
    let facts = &certificate.facts;
    let names = &facts.subject_alternative_names;
    let mut value = json!({
        "CertificateArn": certificate.arn.to_string(),
        "SubjectAlternativeNameSummaries": names.iter().take(NAMES_MAX).collect::<Vec<_>>(),
        "HasAdditionalSubjectAlternativeNames": names.len() > NAMES_MAX,
        "Status": described.status.as_str(),
        "Type": "IMPORTED",
        "KeyAlgorithm": facts.key_algorithm.as_str(),
        "KeyUsages": facts.key_usages.iter().map(|usage| usage.as_str()).collect::<Vec<_>>(),
        "ExtendedKeyUsages": extended_names(facts),
        "InUse": !described.in_use_by.is_empty(),
        "RenewalEligibility": "INELIGIBLE",
        "NotBefore": timestamp(facts.not_before_millis),
        "NotAfter": timestamp(facts.not_after_millis),
        "CreatedAt": created_at(certificate.created_at_millis),
        "ImportedAt": created_at(certificate.imported_at_millis),
        "CertificateKeyPairOrigin": "CUSTOMER_PROVIDED",
    });
    set_domain(&mut value, facts);
    value
}

fn set_domain(value: &mut Value, facts: &CertificateFacts) {
    if let Some(name) = &facts.domain_name {
        value["DomainName"] = json!(name);
    }
}

fn extended(usage: &ExtendedKeyUsage) -> Value {
    json!({ "Name": usage.name.as_str(), "OID": usage.oid })
}

fn extended_names(facts: &CertificateFacts) -> Vec<&'static str> {
    let usages = facts.extended_key_usages.iter();
    usages.map(|usage| usage.name.as_str()).collect()
}

fn created_at(millis: u64) -> Value {
    timestamp(i64::try_from(millis).unwrap_or(i64::MAX))
}
