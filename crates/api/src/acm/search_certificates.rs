//! `SearchCertificates`: those for which a statement is true.

use control::acm::AcmError;
use control::acm::list_certificates::{CertificateKeyPairOrigin, SortOrder};
use control::acm::search_certificates::{FoundCertificate, SearchCertificates, SearchSortBy};
use control::acm::search_filter::{
    CertificateFilter, CertificateType, ComparisonOperator, FilterStatement, TextFilter, TimeRange,
    renewal_status,
};
use control::{Control, DistinguishedName, GeneralName, Names};
use model::certificate::{
    CertificateExport, CertificateManagedBy, CertificateStatus, ExtendedKeyUsageName, KeyAlgorithm,
    KeyUsage, RenewalStatus, ValidationMethod,
};
use serde_json::{Map, Value, json};

use super::shapes::{ARN, extended_usages, set_metadata, set_validity, usages};
use crate::input::shape::Text;
use crate::input::{BOOLEAN, Fields, INTEGER, OneOf, TEXT, TIMESTAMP};

/// Source: ACM API, `CertificateFilterStatementList`.
const STATEMENTS_MAX: usize = 15;
/// Source: ACM API, `SerialNumber`.
const SERIAL_NUMBER: Text = TEXT
    .between(2, 59)
    .matching("[0-9a-f]{2}(:[0-9a-f]{2}){1,19}", is_serial_number);
/// Source: ACM API, `AcmeAccountId`.
const ACME_ACCOUNT_ID: Text = TEXT.between(36, 36);

fn is_serial_number(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let mut bytes = text.split(':');
    (2..=20).contains(&bytes.clone().count())
        && bytes.all(|byte| byte.len() == 2 && byte.bytes().all(is_digit))
}

pub(super) fn read(fields: &Fields<'_>) -> SearchCertificates {
    SearchCertificates {
        statement: fields.structure("FilterStatement", read_statement),
        next_token: fields.optional("NextToken", TEXT.between(1, 10_000)),
        max_results: fields.optional("MaxResults", INTEGER.within(1, 500)),
        sort_by: fields.optional("SortBy", OneOf(SearchSortBy::ALL)),
        sort_order: fields.optional("SortOrder", OneOf(SortOrder::ALL)),
    }
}

fn read_statement(fields: &Fields<'_>) -> FilterStatement {
    let list = |name| {
        let statements = fields.structures(name, read_statement);
        fields.check_count(name, statements.len(), 1, STATEMENTS_MAX);
        fields.is_present(name).then_some(statements)
    };
    let not = fields.structure("Not", |other| Box::new(read_statement(other)));
    let filter = fields.structure("Filter", read_filter);
    fields
        .only_one([
            list("And").map(FilterStatement::And),
            list("Or").map(FilterStatement::Or),
            not.map(FilterStatement::Not),
            filter.flatten().map(FilterStatement::Filter),
        ])
        // It stands for one that is refused.
        .unwrap_or(FilterStatement::Or(Vec::new()))
}

/// `CertificateFilter`; `None` for one that is refused.
fn read_filter(fields: &Fields<'_>) -> Option<CertificateFilter> {
    let arn = fields.optional("CertificateArn", ARN);
    fields
        .only_one([
            arn.map(|arn| Some(CertificateFilter::CertificateArn(arn))),
            fields.structure("X509AttributeFilter", read_attribute),
            fields.structure("AcmCertificateMetadataFilter", read_metadata),
        ])
        .flatten()
}

/// `X509AttributeFilter`.
fn read_attribute(fields: &Fields<'_>) -> Option<CertificateFilter> {
    let subject = fields.structure("Subject", |subject| {
        subject.only_one([subject.structure("CommonName", read_text)])
    });
    let alternative = fields.structure("SubjectAlternativeName", |name| {
        name.only_one([name.structure("DnsName", read_text)])
    });
    let extended_usage = fields.optional("ExtendedKeyUsage", OneOf(ExtendedKeyUsageName::ALL));
    let algorithm = fields.optional("KeyAlgorithm", OneOf(KeyAlgorithm::ALL));
    fields.only_one([
        subject.flatten().map(CertificateFilter::CommonName),
        alternative.flatten().map(CertificateFilter::DnsName),
        extended_usage.map(CertificateFilter::ExtendedKeyUsage),
        fields
            .optional("KeyUsage", OneOf(KeyUsage::ALL))
            .map(CertificateFilter::KeyUsage),
        algorithm.map(CertificateFilter::KeyAlgorithm),
        fields
            .optional("SerialNumber", SERIAL_NUMBER)
            .map(CertificateFilter::SerialNumber),
        fields
            .structure("NotAfter", read_range)
            .map(CertificateFilter::NotAfter),
        fields
            .structure("NotBefore", read_range)
            .map(CertificateFilter::NotBefore),
    ])
}

/// `AcmCertificateMetadataFilter`.
fn read_metadata(fields: &Fields<'_>) -> Option<CertificateFilter> {
    let origin = OneOf(CertificateKeyPairOrigin::ALL);
    fields.only_one([
        fields
            .optional("Status", OneOf(CertificateStatus::ALL))
            .map(CertificateFilter::Status),
        fields
            .optional("RenewalStatus", OneOf(RenewalStatus::ALL))
            .map(CertificateFilter::RenewalStatus),
        fields
            .optional("Type", OneOf(CertificateType::ALL))
            .map(CertificateFilter::Type),
        fields
            .optional("InUse", BOOLEAN)
            .map(CertificateFilter::InUse),
        fields
            .optional("Exported", BOOLEAN)
            .map(CertificateFilter::Exported),
        fields
            .optional("ExportOption", OneOf(CertificateExport::ALL))
            .map(CertificateFilter::ExportOption),
        fields
            .optional("ManagedBy", OneOf(CertificateManagedBy::ALL))
            .map(CertificateFilter::ManagedBy),
        fields
            .optional("ValidationMethod", OneOf(ValidationMethod::ALL))
            .map(CertificateFilter::ValidationMethod),
        fields
            .optional("CertificateKeyPairOrigin", origin)
            .map(CertificateFilter::CertificateKeyPairOrigin),
        fields
            .optional("AcmeEndpointArn", ARN)
            .map(CertificateFilter::AcmeEndpointArn),
        fields
            .optional("AcmeAccountId", ACME_ACCOUNT_ID)
            .map(CertificateFilter::AcmeAccountId),
    ])
}

/// `CommonNameFilter` and `DnsNameFilter`.
fn read_text(fields: &Fields<'_>) -> TextFilter {
    TextFilter {
        value: fields.required("Value", TEXT.between(1, 256)),
        operator: fields.required("ComparisonOperator", OneOf(ComparisonOperator::ALL)),
    }
}

/// `TimestampRange`.
fn read_range(fields: &Fields<'_>) -> TimeRange {
    TimeRange {
        start_millis: fields.optional("Start", TIMESTAMP),
        end_millis: fields.optional("End", TIMESTAMP),
    }
}

pub(super) async fn call(
    control: &Control,
    input: SearchCertificates,
) -> Result<Option<Value>, AcmError> {
    let page = control.search_certificates(input).await?;
    let results: Vec<_> = page.items.iter().map(result).collect();
    let mut value = json!({ "Results": results });
    if let Some(token) = page.next_token {
        value["NextToken"] = json!(token);
    }
    Ok(Some(value))
}

/// `CertificateSearchResult`.
fn result(found: &FoundCertificate) -> Value {
    json!({
        "CertificateArn": found.described.certificate.arn.to_string(),
        "X509Attributes": attributes(found),
        "CertificateMetadata": { "AcmCertificateMetadata": metadata(found) },
    })
}

/// `X509Attributes`; before there is a certificate, what it is going to have.
fn attributes(found: &FoundCertificate) -> Value {
    let certificate = &found.described.certificate;
    let facts = certificate.facts();
    let mut value = json!({ "KeyAlgorithm": certificate.key_algorithm().as_str() });
    value["SubjectAlternativeNames"] = match &found.names {
        Some(Names { alternative, .. }) => alternative.iter().map(general_name).collect(),
        None => {
            let names = certificate.names().into_iter();
            names.map(|name| json!({ "DnsName": name })).collect()
        }
    };
    if let Some(names) = &found.names {
        value["Subject"] = distinguished_name(&names.subject);
        value["Issuer"] = distinguished_name(&names.issuer);
    }
    if let Some(facts) = facts {
        value["SerialNumber"] = json!(facts.serial);
        let usages = usages(Some(facts)).iter();
        value["KeyUsages"] = usages.map(|usage| usage.as_str()).collect();
        value["ExtendedKeyUsages"] = json!(extended_usages(Some(facts)));
        set_validity(&mut value, facts);
    }
    value
}

/// `AcmCertificateMetadata`.
fn metadata(found: &FoundCertificate) -> Value {
    let certificate = &found.described.certificate;
    let mut value = json!({
        "InUse": !found.described.in_use_by.is_empty(),
        "ExportOption": certificate.export().as_str(),
    });
    set_metadata(&mut value, &found.described);
    if let Some(request) = certificate.request() {
        value["Exported"] = json!(request.was_exported);
        value["ValidationMethod"] = json!(request.validation_method.as_str());
    }
    if let Some(status) = renewal_status(certificate) {
        value["RenewalStatus"] = json!(status.as_str());
    }
    value
}

/// The members of `DistinguishedName` that have one value, by object identifier.
///
/// Source: RFC 5280 appendix A.1; RFC 3039 section 3.1.2 for the pseudonym.
const PARTS: &[(&str, &str)] = &[
    ("2.5.4.3", "CommonName"),
    ("2.5.4.4", "Surname"),
    ("2.5.4.5", "SerialNumber"),
    ("2.5.4.6", "Country"),
    ("2.5.4.7", "Locality"),
    ("2.5.4.8", "State"),
    ("2.5.4.10", "Organization"),
    ("2.5.4.11", "OrganizationalUnit"),
    ("2.5.4.12", "Title"),
    ("2.5.4.42", "GivenName"),
    ("2.5.4.43", "Initials"),
    ("2.5.4.44", "GenerationQualifier"),
    ("2.5.4.46", "DistinguishedNameQualifier"),
    ("2.5.4.65", "Pseudonym"),
];
/// RFC 4519 section 2.4.
const DOMAIN_COMPONENT: &str = "0.9.2342.19200300.100.1.25";

/// `DistinguishedName`. A second value of a member that has one is a custom attribute.
fn distinguished_name(name: &DistinguishedName) -> Value {
    let mut members = Map::new();
    let (mut components, mut custom) = (Vec::new(), Vec::new());
    for (oid, value) in &name.attributes {
        let part = PARTS.iter().find(|(known, _)| known == oid);
        match part {
            Some((_, member)) if !members.contains_key(*member) => {
                members.insert((*member).to_owned(), json!(value));
            }
            None if oid == DOMAIN_COMPONENT => components.push(json!(value)),
            _ => custom.push(json!({ "ObjectIdentifier": oid, "Value": value })),
        }
    }
    for (member, values) in [
        ("DomainComponents", components),
        ("CustomAttributes", custom),
    ] {
        if !values.is_empty() {
            members.insert(member.to_owned(), json!(values));
        }
    }
    Value::Object(members)
}

/// `GeneralName`.
fn general_name(name: &GeneralName) -> Value {
    match name {
        GeneralName::Directory(name) => json!({ "DirectoryName": distinguished_name(name) }),
        GeneralName::Dns(name) => json!({ "DnsName": name }),
        GeneralName::Ip(address) => json!({ "IpAddress": address.to_string() }),
        GeneralName::Other(oid, value) => {
            let digits: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "OtherName": { "ObjectIdentifier": oid, "Value": digits } })
        }
        GeneralName::RegisteredId(oid) => json!({ "RegisteredId": oid }),
        GeneralName::Mail(name) => json!({ "Rfc822Name": name }),
        GeneralName::Uri(uri) => json!({ "UniformResourceIdentifier": uri }),
    }
}
