//! `ListCertificates`: the certificates that filters let through, in pages.

use std::sync::Arc;

use model::certificate::{
    Certificate, CertificateExport, CertificateId, CertificateManagedBy, CertificateOrigin,
    CertificateStatus, ExtendedKeyUsageName, KeyAlgorithm, KeyUsage,
};
use model::text_enum;

use super::AcmError;
use super::describe_certificate::{CertificateDescription, describe};
use crate::{Control, State};

text_enum! {
    /// What certificates are sorted by. Source: ACM API, `SortBy`.
    pub enum SortBy {
        /// The time of the first import.
        CreatedAt = "CREATED_AT",
    }
}

text_enum! {
    /// Source: ACM API, `SortOrder`.
    pub enum SortOrder {
        /// The oldest first.
        Ascending = "ASCENDING",
        /// The newest first.
        Descending = "DESCENDING",
    }
}

text_enum! {
    /// Where the key of a certificate comes from. Source: ACM API, `CertificateKeyPairOrigin`.
    pub enum CertificateKeyPairOrigin {
        /// ACM made it.
        AwsManaged = "AWS_MANAGED",
        /// An ACME client made it.
        Acme = "ACME",
        /// It was imported.
        CustomerProvided = "CUSTOMER_PROVIDED",
    }
}

/// Source: ACM API, `ListCertificates`.
#[derive(Clone, Debug, Default)]
pub struct ListCertificates {
    /// `CertificateStatuses`; empty: all.
    pub certificate_statuses: Vec<CertificateStatus>,
    /// `CertificateKeyPairOrigins`; empty: all.
    pub certificate_key_pair_origins: Vec<CertificateKeyPairOrigin>,
    /// `Includes`.
    pub includes: Filters,
    /// `NextToken` of the page before.
    pub next_token: Option<String>,
    /// `MaxItems`, 1 to 1,000. Default 1,000.
    pub max_items: Option<i32>,
    /// `SortBy`, together with `SortOrder` or not at all.
    pub sort_by: Option<SortBy>,
    /// `SortOrder`.
    pub sort_order: Option<SortOrder>,
}

/// Source: ACM API, `Filters`.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// `extendedKeyUsage`; empty: all.
    pub extended_key_usage: Vec<ExtendedKeyUsageName>,
    /// `keyUsage`; empty: all.
    pub key_usage: Vec<KeyUsage>,
    /// `keyTypes`; empty: RSA with 1024 and 2048 bits, for certificates with a domain.
    pub key_types: Vec<KeyAlgorithm>,
    /// `exportOption`.
    pub export_option: Option<CertificateExport>,
    /// `managedBy`.
    pub managed_by: Option<CertificateManagedBy>,
}

/// Some of the certificates.
#[derive(Clone, Debug)]
pub struct CertificatePage {
    /// `CertificateSummaryList`.
    pub items: Vec<CertificateDescription>,
    /// `NextToken`, if there are more.
    pub next_token: Option<String>,
}

/// Most certificates on a page, and the number without `MaxItems`.
const PAGE_MAX: usize = 1000;

impl Control {
    /// Lists certificates in the order of their creation.
    ///
    /// # Errors
    /// `InvalidArgs`, `Validation`.
    pub async fn list_certificates(
        &self,
        input: ListCertificates,
    ) -> Result<CertificatePage, AcmError> {
        let now = self.now_millis();
        self.read(|state| list(state, &input, now))
    }
}

fn list(state: &State, input: &ListCertificates, now: u64) -> Result<CertificatePage, AcmError> {
    if input.sort_by.is_some() != input.sort_order.is_some() {
        return Err(AcmError::Validation(
            "SortBy and SortOrder must be specified together".to_owned(),
        ));
    }
    let is_wanted = |certificate: &&Arc<Certificate>| {
        let mut origins = input.certificate_key_pair_origins.iter();
        let mut statuses = input.certificate_statuses.iter();
        (input.certificate_key_pair_origins.is_empty()
            || origins.any(|&wanted| wanted == CertificateKeyPairOrigin::of(certificate)))
            && (input.certificate_statuses.is_empty()
                || statuses.any(|&status| status == certificate.status(now)))
            && input.includes.let_through(certificate)
    };
    let mut wanted: Vec<_> = state.acm.certificates.values().filter(is_wanted).collect();
    wanted.sort_by_key(|certificate| position(certificate));
    if input.sort_order == Some(SortOrder::Descending) {
        wanted.reverse();
    }
    let start = match &input.next_token {
        None => 0,
        Some(token) => after(&wanted, token, input.sort_order)?,
    };
    let size = input.max_items.and_then(|size| usize::try_from(size).ok());
    let size = size.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let page = &wanted[start..wanted.len().min(start + size)];
    let has_more = start + page.len() < wanted.len();
    let last = page.last().filter(|_| has_more);
    Ok(CertificatePage {
        items: page
            .iter()
            .map(|certificate| describe(state, certificate, now))
            .collect(),
        next_token: last.map(|last| format!("{}.{}", last.created_at_millis, last.arn.id)),
    })
}

fn position(certificate: &Certificate) -> (u64, CertificateId) {
    (certificate.created_at_millis, certificate.arn.id)
}

/// Where the page begins that follows the certificate in the token, whether that still exists or not.
fn after(
    wanted: &[&Arc<Certificate>],
    token: &str,
    order: Option<SortOrder>,
) -> Result<usize, AcmError> {
    let parse = || {
        let (created_at, id) = token.split_once('.')?;
        Some((created_at.parse().ok()?, id.parse().ok()?))
    };
    let last: (u64, CertificateId) = parse().ok_or_else(|| {
        AcmError::InvalidArgs(format!(
            "The token '{token}' is not valid; use the NextToken of an answer to the same request"
        ))
    })?;
    Ok(wanted.partition_point(|certificate| match order {
        Some(SortOrder::Descending) => position(certificate) >= last,
        Some(SortOrder::Ascending) | None => position(certificate) <= last,
    }))
}

impl CertificateKeyPairOrigin {
    /// Where the key of this certificate comes from.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Self {
        match certificate.origin {
            CertificateOrigin::Imported { .. } => Self::CustomerProvided,
            CertificateOrigin::Requested(_) => Self::AwsManaged,
        }
    }
}

impl Filters {
    fn let_through(&self, certificate: &Certificate) -> bool {
        let key_algorithm = certificate.key_algorithm();
        // A certificate that is not issued yet says nothing of usages.
        let facts = certificate.facts();
        let key_usages = facts.map_or(&[][..], |facts| &facts.key_usages);
        let extended_key_usages = facts.map_or(&[][..], |facts| &facts.extended_key_usages);
        let has_key_type = match self.key_types.as_slice() {
            [] => {
                matches!(key_algorithm, KeyAlgorithm::Rsa1024 | KeyAlgorithm::Rsa2048)
                    && certificate.domain_name().is_some()
            }
            types => types.contains(&key_algorithm),
        };
        let has_usage = self.key_usage.is_empty()
            || self
                .key_usage
                .iter()
                .any(|usage| key_usages.contains(usage));
        let has_extended = self.extended_key_usage.is_empty()
            || self.extended_key_usage.iter().any(|&wanted| {
                let mut usages = extended_key_usages.iter();
                let has_it = usages.any(|usage| usage.name == wanted);
                let says_nothing =
                    extended_key_usages.is_empty() && wanted == ExtendedKeyUsageName::None;
                has_it || says_nothing
            });
        has_key_type
            && has_usage
            && has_extended
            && self
                .export_option
                .is_none_or(|wanted| wanted == certificate.export())
            && self.managed_by.is_none()
    }
}
