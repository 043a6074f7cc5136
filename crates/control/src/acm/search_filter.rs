//! Statements about certificates, as `SearchCertificates` takes them.

use std::cell::OnceCell;

use model::certificate::{
    Certificate, CertificateExport, CertificateManagedBy, CertificateOrigin, CertificateStatus,
    ExtendedKeyUsageName, KeyAlgorithm, KeyUsage, RenewalStatus, RequestPhase, ValidationMethod,
};
use model::text_enum;

use super::describe_certificate::CertificateDescription;
use super::list_certificates::{CertificateKeyPairOrigin, has_extended_key_usage};
use crate::pem;
use crate::x509::names::{self, Names};
use crate::x509::parse;

text_enum! {
    /// How a text is compared. Source: ACM API, `ComparisonOperator`.
    pub enum ComparisonOperator {
        /// It is a part of the other one.
        Contains = "CONTAINS",
        /// It is all of the other one.
        Equals = "EQUALS",
    }
}

text_enum! {
    /// Who made a certificate. Source: ACM API, `CertificateType`.
    pub enum CertificateType {
        /// Its owner.
        Imported = "IMPORTED",
        /// ACM.
        AmazonIssued = "AMAZON_ISSUED",
        /// A private authority; there is none.
        Private = "PRIVATE",
    }
}

/// Source: ACM API, `CertificateFilterStatement`.
#[derive(Clone, Debug, PartialEq)]
pub enum FilterStatement {
    /// `And`: all of these.
    And(Vec<FilterStatement>),
    /// `Or`: at least one of these.
    Or(Vec<FilterStatement>),
    /// `Not`: the opposite.
    Not(Box<FilterStatement>),
    /// `Filter`.
    Filter(CertificateFilter),
}

/// Source: ACM API, `CertificateFilter`, `X509AttributeFilter` and `AcmCertificateMetadataFilter`.
#[derive(Clone, Debug, PartialEq)]
pub enum CertificateFilter {
    /// `CertificateArn`.
    CertificateArn(String),
    /// `Subject.CommonName`.
    CommonName(TextFilter),
    /// `SubjectAlternativeName.DnsName`: of any of the names.
    DnsName(TextFilter),
    /// `ExtendedKeyUsage`.
    ExtendedKeyUsage(ExtendedKeyUsageName),
    /// `KeyUsage`.
    KeyUsage(KeyUsage),
    /// `KeyAlgorithm`.
    KeyAlgorithm(KeyAlgorithm),
    /// `SerialNumber`, in hexadecimal digits with colons.
    SerialNumber(String),
    /// `NotAfter`.
    NotAfter(TimeRange),
    /// `NotBefore`.
    NotBefore(TimeRange),
    /// `Status`.
    Status(CertificateStatus),
    /// `RenewalStatus`.
    RenewalStatus(RenewalStatus),
    /// `Type`.
    Type(CertificateType),
    /// `InUse`.
    InUse(bool),
    /// `Exported`; of certificates that were requested.
    Exported(bool),
    /// `ExportOption`.
    ExportOption(CertificateExport),
    /// `ManagedBy`; no service manages certificates here.
    ManagedBy(CertificateManagedBy),
    /// `ValidationMethod`.
    ValidationMethod(ValidationMethod),
    /// `CertificateKeyPairOrigin`.
    CertificateKeyPairOrigin(CertificateKeyPairOrigin),
    /// `AcmeEndpointArn`; there is no ACME endpoint here.
    AcmeEndpointArn(String),
    /// `AcmeAccountId`; there is no ACME account here.
    AcmeAccountId(String),
}

/// A text and how it is compared, whatever the case: names of hosts and common names have none (RFC 4343,
/// RFC 5280 section 7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFilter {
    /// `Value`.
    pub value: String,
    /// `ComparisonOperator`.
    pub operator: ComparisonOperator,
}

/// Source: ACM API, `TimestampRange`. Both ends belong to it; one that is absent is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// `Start`, in milliseconds since 1970.
    pub start_millis: Option<i64>,
    /// `End`, in milliseconds since 1970.
    pub end_millis: Option<i64>,
}

/// A certificate that a statement may be true of.
pub(super) struct Candidate<'a> {
    described: &'a CertificateDescription,
    /// Read from the certificate once, by the first filter that asks.
    common_name: OnceCell<Option<String>>,
}

impl<'a> Candidate<'a> {
    pub(super) fn of(described: &'a CertificateDescription) -> Self {
        Self {
            described,
            common_name: OnceCell::new(),
        }
    }
}

impl FilterStatement {
    /// How many filters it has.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::And(all) | Self::Or(all) => all.iter().map(Self::len).sum(),
            Self::Not(other) => other.len(),
            Self::Filter(_) => 1,
        }
    }

    /// Whether it is true of a certificate.
    pub(super) fn is_true_of(&self, candidate: &Candidate<'_>) -> bool {
        match self {
            Self::And(all) => all.iter().all(|it| it.is_true_of(candidate)),
            Self::Or(any) => any.iter().any(|it| it.is_true_of(candidate)),
            Self::Not(other) => !other.is_true_of(candidate),
            Self::Filter(filter) => filter.is_true_of(candidate),
        }
    }
}

impl CertificateFilter {
    fn is_true_of(&self, candidate: &Candidate<'_>) -> bool {
        let described = candidate.described;
        let certificate = &*described.certificate;
        let (request, facts) = (certificate.request(), certificate.facts());
        match self {
            Self::CertificateArn(arn) => certificate.arn.to_string() == *arn,
            Self::CommonName(filter) => {
                let name = candidate
                    .common_name
                    .get_or_init(|| common_name(certificate));
                name.as_ref().is_some_and(|name| filter.is_true_of(name))
            }
            Self::DnsName(filter) => {
                let mut names = certificate.names().into_iter();
                names.any(|name| filter.is_true_of(name))
            }
            Self::ExtendedKeyUsage(usage) => facts
                .is_some_and(|facts| has_extended_key_usage(&facts.extended_key_usages, *usage)),
            Self::KeyUsage(usage) => facts.is_some_and(|it| it.key_usages.contains(usage)),
            Self::KeyAlgorithm(algorithm) => certificate.key_algorithm() == *algorithm,
            Self::SerialNumber(serial) => facts.is_some_and(|it| it.serial == *serial),
            Self::NotAfter(range) => facts.is_some_and(|it| range.has(it.not_after_millis)),
            Self::NotBefore(range) => facts.is_some_and(|it| range.has(it.not_before_millis)),
            Self::Status(status) => described.status == *status,
            Self::RenewalStatus(status) => renewal_status(certificate) == Some(*status),
            Self::Type(wanted) => CertificateType::of(certificate) == *wanted,
            Self::InUse(wanted) => described.in_use_by.is_empty() != *wanted,
            Self::Exported(wanted) => request.is_some_and(|it| it.was_exported == *wanted),
            Self::ExportOption(option) => certificate.export() == *option,
            Self::ValidationMethod(method) => {
                request.is_some_and(|it| it.validation_method == *method)
            }
            Self::CertificateKeyPairOrigin(origin) => {
                CertificateKeyPairOrigin::of(certificate) == *origin
            }
            Self::ManagedBy(_) | Self::AcmeEndpointArn(_) | Self::AcmeAccountId(_) => false,
        }
    }
}

impl TextFilter {
    fn is_true_of(&self, text: &str) -> bool {
        let (text, value) = (text.to_lowercase(), self.value.to_lowercase());
        match self.operator {
            ComparisonOperator::Contains => text.contains(&value),
            ComparisonOperator::Equals => text == value,
        }
    }
}

impl TimeRange {
    fn has(&self, millis: i64) -> bool {
        self.start_millis.is_none_or(|start| start <= millis)
            && self.end_millis.is_none_or(|end| millis <= end)
    }
}

impl CertificateType {
    /// Who made this certificate.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Self {
        match certificate.origin {
            CertificateOrigin::Imported { .. } => Self::Imported,
            CertificateOrigin::Requested(_) => Self::AmazonIssued,
        }
    }
}

/// How far the last renewal of a certificate is, if there was one or is to be one.
#[must_use]
pub fn renewal_status(certificate: &Certificate) -> Option<RenewalStatus> {
    match certificate.request().map(|request| &request.phase) {
        Some(RequestPhase::Issued {
            renewal: Some(renewal),
            ..
        }) => Some(renewal.status),
        _ => None,
    }
}

/// The names in a certificate that is issued.
pub(super) fn names(certificate: &Certificate) -> Option<Names> {
    let blocks = pem::blocks(certificate.material()?.body.as_bytes()).ok()?;
    let certificate = parse(&blocks.first()?.contents)?;
    Some(names::of_certificate(&certificate))
}

/// The common name of the subject of a certificate that is issued.
pub(super) fn common_name(certificate: &Certificate) -> Option<String> {
    let names = names(certificate)?;
    names.subject.common_name().map(str::to_owned)
}
