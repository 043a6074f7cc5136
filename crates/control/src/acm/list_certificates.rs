//! `ListCertificates`: the certificates that filters let through, in pages.

use std::cmp::Reverse;
use std::sync::Arc;

use model::certificate::{
    Certificate, CertificateExport, CertificateId, CertificateManagedBy, CertificateOrigin,
    CertificateStatus, ExtendedKeyUsage, ExtendedKeyUsageName, KeyAlgorithm, KeyUsage,
};
use model::text_enum;

use super::AcmError;
use super::describe_certificate::{CertificateDescription, describe};
use super::page::{LIST_PAGE_MAX, Page, Paging};
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
    /// `NextToken` and `MaxItems`.
    pub paging: Paging,
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

impl Control {
    /// Lists certificates in the order of their creation.
    ///
    /// # Errors
    /// `InvalidArgs`, `Validation`.
    pub async fn list_certificates(
        &self,
        input: ListCertificates,
    ) -> Result<Page<CertificateDescription>, AcmError> {
        let now = self.now_millis();
        self.read(|state| list(state, &input, now))
    }
}

fn list(
    state: &State,
    input: &ListCertificates,
    now: u64,
) -> Result<Page<CertificateDescription>, AcmError> {
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
    let page = match input.sort_order {
        Some(SortOrder::Descending) => input.paging.page(
            LIST_PAGE_MAX,
            "certificates",
            wanted.into_iter().rev(),
            |certificate| Reverse(position(certificate)),
            |Reverse(last)| token(last),
            |token| parse(token).map(Reverse),
        ),
        Some(SortOrder::Ascending) | None => {
            let key = |certificate: &&Arc<Certificate>| position(certificate);
            input
                .paging
                .page(LIST_PAGE_MAX, "certificates", wanted, key, token, parse)
        }
    }?;
    let describe = |certificate: &Arc<Certificate>| describe(state, certificate, now);
    Ok(Page {
        items: page.items.into_iter().map(describe).collect(),
        next_token: page.next_token,
    })
}

/// What certificates are sorted by.
type Position = (u64, CertificateId);

fn position(certificate: &Certificate) -> Position {
    (certificate.created_at_millis, certificate.arn.id)
}

fn token((created_at, id): &Position) -> String {
    format!("{created_at}.{id}")
}

fn parse(token: &str) -> Option<Position> {
    let (created_at, id) = token.split_once('.')?;
    Some((created_at.parse().ok()?, id.parse().ok()?))
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

/// Whether these usages have the wanted one; to have none is one as well.
pub(super) fn has_extended_key_usage(
    usages: &[ExtendedKeyUsage],
    wanted: ExtendedKeyUsageName,
) -> bool {
    let says_nothing = usages.is_empty() && wanted == ExtendedKeyUsageName::None;
    says_nothing || usages.iter().any(|usage| usage.name == wanted)
}

impl Filters {
    fn let_through(&self, certificate: &Certificate) -> bool {
        let key_algorithm = certificate.key_algorithm();
        // A certificate that is not issued yet says nothing of usages.
        let facts = certificate.facts();
        let key_usages = facts.map_or(&[][..], |facts| &facts.key_usages);
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
            || facts.is_some_and(|facts| {
                let mut wanted = self.extended_key_usage.iter();
                wanted.any(|&wanted| has_extended_key_usage(&facts.extended_key_usages, wanted))
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
