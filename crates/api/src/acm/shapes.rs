//! Structures that several operations have in common.

use control::acm::Paging;
use control::acm::describe_certificate::{
    CertificateDescription, CertificateDetail, DomainChallenge,
};
use control::acm::list_certificates::CertificateKeyPairOrigin;
use control::acm::request_certificate::CertificateOptions;
use control::acm::search_filter::CertificateType;
use model::certificate::{
    CertificateExport, CertificateFacts, CertificateOrigin, CertificateRequest, DomainStatus,
    KeyAlgorithm, KeyUsage, Renewal, RenewalStatus, RequestPhase, TransparencyLogging,
    ValidationMethod,
};
use serde_json::{Value, json};

use crate::input::shape::{Text, is_tag_text};
use crate::input::{Fields, INTEGER, OneOf, TEXT};
use crate::json::timestamp;

/// Source: ACM API, `Arn`.
pub(super) const ARN: Text = TEXT.between(20, 2048);

/// Source: ACM API, `DomainNameString`.
pub(super) const DOMAIN_NAME: Text = TEXT.between(1, 253).matching(
    r"(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])",
    is_domain_name,
);

/// Source: ACM API, `IdempotencyToken`.
pub(super) const IDEMPOTENCY_TOKEN: Text = TEXT
    .between(1, 32)
    .matching(r"\w+", |text| text.bytes().all(is_word_byte));

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// At least two labels of letters, digits and inner hyphens, the last of at least two; the first may be `*`.
fn is_domain_name(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit_once('.').map(|(_, last)| last);
    last.is_some_and(|last| last.len() > 1) && name.split('.').all(is_label)
}

const KEY: Text = TEXT.between(1, 128).matching(TAG_EXPRESSION, is_tag_text);
const VALUE: Text = TEXT.at_most(256).matching(TAG_EXPRESSION, is_tag_text);
/// Source: ACM API, `Tag`.
const TAG_EXPRESSION: &str = r"[\p{L}\p{Z}\p{N}_.:\/=+\-@]*";
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

/// `NextToken` and `MaxItems`.
pub(super) fn read_paging(fields: &Fields<'_>) -> Paging {
    Paging {
        next_token: fields.optional("NextToken", TEXT.between(1, 10_000)),
        max_items: fields.optional("MaxItems", INTEGER.within(1, 1000)),
    }
}

/// `Options`.
pub(super) fn read_options(fields: &Fields<'_>) -> Option<CertificateOptions> {
    fields.structure("Options", |options| CertificateOptions {
        transparency_logging: options.optional(
            "CertificateTransparencyLoggingPreference",
            OneOf(TransparencyLogging::ALL),
        ),
        export: options.optional("Export", OneOf(CertificateExport::ALL)),
        validation_method: options.optional("ValidationMethod", OneOf(ValidationMethod::ALL)),
    })
}

/// `CertificateDetail`.
pub(super) fn detail(detail: &CertificateDetail) -> Value {
    let described = &detail.described;
    let certificate = &described.certificate;
    let request = certificate.request();
    let logging = request.map_or(TransparencyLogging::Disabled, |it| it.transparency_logging);
    let mut value = json!({
        "CertificateArn": certificate.arn.to_string(),
        "SubjectAlternativeNames": certificate.names(),
        "Subject": detail.subject,
        "KeyAlgorithm": hyphenated(certificate.key_algorithm()),
        "InUseBy": described.in_use_by.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "Options": {
            "CertificateTransparencyLoggingPreference": logging.as_str(),
            "Export": certificate.export().as_str(),
        },
    });
    set_life(&mut value, described);
    if let Some(facts) = certificate.facts() {
        value["Serial"] = json!(facts.serial);
    }
    if let Some(signature) = &detail.signature {
        value["Issuer"] = json!(signature.issuer);
        value["SignatureAlgorithm"] = json!(signature.algorithm);
    }
    let usages = usages(certificate.facts()).iter();
    value["KeyUsages"] = usages
        .map(|usage| json!({ "Name": usage.as_str() }))
        .collect();
    value["ExtendedKeyUsages"] = match certificate.facts() {
        Some(facts) if facts.extended_key_usages.is_empty() => {
            json!([{ "Name": NO_EXTENDED_USAGE }])
        }
        Some(facts) => {
            let extended = facts.extended_key_usages.iter();
            extended
                .map(|usage| json!({ "Name": usage.name.as_str(), "OID": usage.oid }))
                .collect()
        }
        None => json!([]),
    };
    if let Some(request) = request {
        let status = described.validation_status();
        value["DomainValidationOptions"] = validations(request, &described.challenges, status);
        set_phase(&mut value, request, &described.challenges);
    }
    value
}

/// `CertificateSummary`.
pub(super) fn summary(described: &CertificateDescription) -> Value {
    /// Source: ACM API, `CertificateSummary`, `SubjectAlternativeNameSummaries`.
    const NAMES_MAX: usize = 100;
    let certificate = &described.certificate;
    let names = certificate.names();
    let mut value = json!({
        "CertificateArn": certificate.arn.to_string(),
        "SubjectAlternativeNameSummaries": names.iter().take(NAMES_MAX).collect::<Vec<_>>(),
        "HasAdditionalSubjectAlternativeNames": names.len() > NAMES_MAX,
        "KeyAlgorithm": hyphenated(certificate.key_algorithm()),
        "KeyUsages": usages(certificate.facts()).iter().map(|it| it.as_str()).collect::<Vec<_>>(),
        "ExtendedKeyUsages": extended_usages(certificate.facts()),
        "InUse": !described.in_use_by.is_empty(),
        "ExportOption": certificate.export().as_str(),
    });
    set_life(&mut value, described);
    if let Some(request) = certificate.request() {
        value["Exported"] = json!(request.was_exported);
    }
    value
}

/// A kind of key as `DescribeCertificate` and `ListCertificates` answer with it on AWS: `RSA-2048`, `EC-prime256v1`. It
/// is not in the model's enumeration; requests and `SearchCertificates` have the underscore of the model.
fn hyphenated(algorithm: KeyAlgorithm) -> String {
    algorithm.as_str().replace('_', "-")
}

/// What the detail and the summary say of what a certificate is and when.
fn set_life(value: &mut Value, described: &CertificateDescription) {
    let certificate = &described.certificate;
    if let Some(name) = certificate.domain_name() {
        value["DomainName"] = json!(name);
    }
    set_metadata(value, described);
    if let Some(facts) = certificate.facts() {
        set_validity(value, facts);
    }
}

/// `NotBefore` and `NotAfter`.
pub(super) fn set_validity(value: &mut Value, facts: &CertificateFacts) {
    value["NotBefore"] = timestamp(facts.not_before_millis);
    value["NotAfter"] = timestamp(facts.not_after_millis);
}

/// What a certificate is apart from what is written in it.
pub(super) fn set_metadata(value: &mut Value, described: &CertificateDescription) {
    let certificate = &described.certificate;
    value["Status"] = json!(described.status.as_str());
    value["CertificateKeyPairOrigin"] = json!(CertificateKeyPairOrigin::of(certificate).as_str());
    value["RenewalEligibility"] = json!(match described.is_renewable {
        true => "ELIGIBLE",
        false => "INELIGIBLE",
    });
    value["Type"] = json!(CertificateType::of(certificate).as_str());
    value["CreatedAt"] = at(certificate.created_at_millis);
    match &certificate.origin {
        CertificateOrigin::Imported { at_millis, .. } => value["ImportedAt"] = at(*at_millis),
        CertificateOrigin::Requested(request) => {
            if let Some(issued_at) = request.issued_at_millis() {
                value["IssuedAt"] = at(issued_at);
            }
            if let RequestPhase::Revoked { at_millis, .. } = request.phase {
                value["RevokedAt"] = at(at_millis);
            }
        }
    }
}

/// What only the detail of a requested certificate has.
fn set_phase(value: &mut Value, request: &CertificateRequest, challenges: &[DomainChallenge]) {
    match &request.phase {
        RequestPhase::PendingValidation => {}
        RequestPhase::Failed { reason } => value["FailureReason"] = json!(reason.as_str()),
        RequestPhase::Issued {
            renewal: Some(renewal),
            ..
        } => value["RenewalSummary"] = renewal_summary(request, renewal, challenges),
        RequestPhase::Issued { renewal: None, .. } => {}
        RequestPhase::Revoked { reason, .. } => value["RevocationReason"] = json!(reason.as_str()),
    }
    if let Some(migration) = request.migration {
        // The local authority needs no record, so that a change of the method has succeeded at once.
        value["UpdateSummary"] = json!({
            "Status": "SUCCESS",
            "Type": "DOMAIN_VALIDATION_METHOD",
            "DomainValidationMethodUpdateSummary": {
                "From": migration.from.as_str(),
                "To": request.validation_method.as_str(),
            },
            "RequestedAt": at(migration.at_millis),
            "UpdatedAt": at(migration.at_millis),
        });
    }
}

fn renewal_summary(
    request: &CertificateRequest,
    renewal: &Renewal,
    challenges: &[DomainChallenge],
) -> Value {
    let status = match renewal.status {
        RenewalStatus::Success => DomainStatus::Success,
        RenewalStatus::PendingAutoRenewal | RenewalStatus::PendingValidation => {
            DomainStatus::PendingValidation
        }
        RenewalStatus::Failed => DomainStatus::Failed,
    };
    let mut value = json!({
        "RenewalStatus": renewal.status.as_str(),
        "DomainValidationOptions": validations(request, challenges, status),
        "UpdatedAt": at(renewal.updated_at_millis),
    });
    if let Some(reason) = renewal.reason {
        value["RenewalStatusReason"] = json!(reason.as_str());
    }
    value
}

/// A `DomainValidation` for each domain.
fn validations(
    request: &CertificateRequest,
    challenges: &[DomainChallenge],
    status: DomainStatus,
) -> Value {
    let validation = |challenge: &DomainChallenge| {
        let mut value = json!({
            "DomainName": challenge.domain.domain_name,
            "ValidationDomain": challenge.domain.validation_domain,
            "ValidationStatus": status.as_str(),
            "ValidationMethod": request.validation_method.as_str(),
        });
        match request.validation_method {
            ValidationMethod::Email => value["ValidationEmails"] = json!(challenge.mail_addresses),
            ValidationMethod::Dns | ValidationMethod::Http => {
                value["ResourceRecord"] = record(challenge);
            }
        }
        value
    };
    challenges.iter().map(validation).collect()
}

/// `CertificateChain`, if there is one.
pub(super) fn set_chain(value: &mut Value, chain: Option<&str>) {
    if let Some(chain) = chain {
        value["CertificateChain"] = json!(chain);
    }
}

/// `ResourceRecord`.
pub(super) fn record(challenge: &DomainChallenge) -> Value {
    json!({ "Name": challenge.record.name, "Type": "CNAME", "Value": challenge.record.value })
}

pub(super) fn usages(facts: Option<&CertificateFacts>) -> &[KeyUsage] {
    facts.map_or(&[], |facts| &facts.key_usages)
}

/// The names of extended key usages: none before there is a certificate, and `NONE` of a certificate without any.
pub(super) fn extended_usages(facts: Option<&CertificateFacts>) -> Vec<&'static str> {
    let Some(facts) = facts else {
        return Vec::new();
    };
    match facts.extended_key_usages.as_slice() {
        [] => vec![NO_EXTENDED_USAGE],
        usages => usages.iter().map(|usage| usage.name.as_str()).collect(),
    }
}

/// What ACM answers of a certificate that does not say what it may be used for.
const NO_EXTENDED_USAGE: &str = "NONE";

/// A time that is not before 1970.
pub(super) fn at(millis: u64) -> Value {
    timestamp(i64::try_from(millis).unwrap_or(i64::MAX))
}
