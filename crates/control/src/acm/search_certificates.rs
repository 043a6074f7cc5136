//! `SearchCertificates`: the certificates for which a statement is true, sorted by what the caller likes, in pages.

use std::cmp::Reverse;
use std::sync::Arc;

use model::certificate::{Certificate, CertificateId, CertificateOrigin, RequestPhase};
use model::text_enum;
use serde::{Deserialize, Serialize};

use super::describe_certificate::{CertificateDescription, describe};
use super::list_certificates::{CertificateKeyPairOrigin, SortOrder};
use super::page::{Page, Paging};
use super::search_filter::{Candidate, CertificateType, FilterStatement, renewal_status};
use super::{AcmError, search_filter};
use crate::x509::names::Names;
use crate::{Control, State, blocking};

text_enum! {
    /// What found certificates are sorted by. Source: ACM API, `SearchCertificatesSortBy`.
    pub enum SearchSortBy {
        /// When it was first imported or was requested.
        CreatedAt = "CREATED_AT",
        /// The end of its validity.
        NotAfter = "NOT_AFTER",
        /// Its status, by name.
        Status = "STATUS",
        /// How far its renewal is, by name.
        RenewalStatus = "RENEWAL_STATUS",
        /// Whether its key has left elbow.
        Exported = "EXPORTED",
        /// Whether a listener shows it.
        InUse = "IN_USE",
        /// The begin of its validity.
        NotBefore = "NOT_BEFORE",
        /// The kind of its key, by name.
        KeyAlgorithm = "KEY_ALGORITHM",
        /// Whether it was imported.
        Type = "TYPE",
        /// Its ARN.
        CertificateArn = "CERTIFICATE_ARN",
        /// The common name of its subject.
        CommonName = "COMMON_NAME",
        /// When it was revoked.
        RevokedAt = "REVOKED_AT",
        /// Whether it can be renewed.
        RenewalEligibility = "RENEWAL_ELIGIBILITY",
        /// When it was issued.
        IssuedAt = "ISSUED_AT",
        /// Which service manages it; none does.
        ManagedBy = "MANAGED_BY",
        /// Whether its key may leave elbow.
        ExportOption = "EXPORT_OPTION",
        /// How its domains were validated.
        ValidationMethod = "VALIDATION_METHOD",
        /// When it was imported last.
        ImportedAt = "IMPORTED_AT",
        /// Where an ACME client asked for it; none did.
        AcmeEndpointArn = "ACME_ENDPOINT_ARN",
        /// Which ACME client asked for it; none did.
        AcmeAccountId = "ACME_ACCOUNT_ID",
        /// Where its key comes from.
        CertificateKeyPairOrigin = "CERTIFICATE_KEY_PAIR_ORIGIN",
    }
}

/// Source: ACM API, `SearchCertificates`.
#[derive(Clone, Debug, Default)]
pub struct SearchCertificates {
    /// `FilterStatement`; `None`: all.
    pub statement: Option<FilterStatement>,
    /// `NextToken` of the page before.
    pub next_token: Option<String>,
    /// `MaxResults`, 1 to 500. Default 100.
    pub max_results: Option<i32>,
    /// `SortBy`. Default `CREATED_AT`.
    pub sort_by: Option<SearchSortBy>,
    /// `SortOrder`. Default `ASCENDING`.
    pub sort_order: Option<SortOrder>,
}

/// A certificate with what is written in it.
#[derive(Clone, Debug)]
pub struct FoundCertificate {
    /// The certificate.
    pub described: CertificateDescription,
    /// The names in it; `None` before it is issued.
    pub names: Option<Names>,
}

/// Most filters in a statement, however deep they are in it.
const FILTERS_MAX: usize = 100;
/// Most certificates on a page.
const PAGE_MAX: usize = 500;
/// How many there are on it without `MaxResults`.
const PAGE_DEFAULT: i32 = 100;

impl Control {
    /// Searches certificates. Those that lack what is sorted by come last, or first in descending order.
    ///
    /// # Errors
    /// `Validation`.
    pub async fn search_certificates(
        &self,
        input: SearchCertificates,
    ) -> Result<Page<FoundCertificate>, AcmError> {
        let filters = input.statement.as_ref().map_or(0, FilterStatement::len);
        if filters > FILTERS_MAX {
            let message = format!("A statement has at most {FILTERS_MAX} filters, not {filters}.");
            return Err(AcmError::Validation(message));
        }
        let (live, now) = (self.live(), self.now_millis());
        // Looks at every certificate and every listener; other calls need not wait for that.
        blocking(move || search(&live.state, &input, now)).await
    }
}

fn search(
    state: &State,
    input: &SearchCertificates,
    now: u64,
) -> Result<Page<FoundCertificate>, AcmError> {
    let by = input.sort_by.unwrap_or(SearchSortBy::CreatedAt);
    let certificates = state.acm.certificates.values();
    let described = certificates.map(|certificate| describe(state, certificate, now));
    let wanted = described.filter(|it| {
        input
            .statement
            .as_ref()
            .is_none_or(|wanted| wanted.is_true_of(&Candidate::of(it)))
    });
    let mut wanted: Vec<_> = wanted.map(|it| (Position::of(&it, by), it)).collect();
    wanted.sort_by(|(a, _), (b, _)| a.cmp(b));
    let paging = Paging {
        next_token: input.next_token.clone(),
        max_items: input.max_results.or(Some(PAGE_DEFAULT)),
    };
    let page = match input.sort_order {
        Some(SortOrder::Descending) => paging.page(
            PAGE_MAX,
            "certificates found",
            wanted.into_iter().rev(),
            |(position, _)| Reverse(position.clone()),
            |Reverse(last)| last.token(),
            |token| Position::parse(token).map(Reverse),
        ),
        Some(SortOrder::Ascending) | None => paging.page(
            PAGE_MAX,
            "certificates found",
            wanted,
            |(position, _)| position.clone(),
            Position::token,
            Position::parse,
        ),
    };
    let page = page.map_err(|error| match error {
        AcmError::InvalidArgs(message) => AcmError::Validation(message),
        other => other,
    })?;
    let found = |(_, described): (Position, CertificateDescription)| FoundCertificate {
        names: search_filter::names(&described.certificate),
        described,
    };
    Ok(Page {
        items: page.items.into_iter().map(found).collect(),
        next_token: page.next_token,
    })
}

/// Where a certificate stands among others: by what is sorted by, then in the order of creation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Position {
    by: SortKey,
    created_at_millis: u64,
    id: CertificateId,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum SortKey {
    Number(i64),
    Text(String),
    Absent,
}

impl Position {
    fn of(described: &CertificateDescription, by: SearchSortBy) -> Self {
        Self {
            by: SortKey::of(described, by),
            created_at_millis: described.certificate.created_at_millis,
            id: described.certificate.arn.id,
        }
    }

    fn token(&self) -> String {
        serde_json::to_string(self).expect("its parts have a form in JSON")
    }

    fn parse(token: &str) -> Option<Self> {
        serde_json::from_str(token).ok()
    }
}

impl SortKey {
    fn of(described: &CertificateDescription, by: SearchSortBy) -> Self {
        let certificate: &Arc<Certificate> = &described.certificate;
        let (request, facts) = (certificate.request(), certificate.facts());
        match by {
            SearchSortBy::CreatedAt => Self::time(Some(certificate.created_at_millis)),
            SearchSortBy::NotAfter => Self::number(facts.map(|it| it.not_after_millis)),
            SearchSortBy::NotBefore => Self::number(facts.map(|it| it.not_before_millis)),
            SearchSortBy::IssuedAt => Self::time(request.and_then(|it| it.issued_at_millis())),
            SearchSortBy::RevokedAt => Self::time(request.and_then(|it| match it.phase {
                RequestPhase::Revoked { at_millis, .. } => Some(at_millis),
                _ => None,
            })),
            SearchSortBy::ImportedAt => Self::time(match certificate.origin {
                CertificateOrigin::Imported { at_millis, .. } => Some(at_millis),
                CertificateOrigin::Requested(_) => None,
            }),
            SearchSortBy::InUse => Self::number(Some(i64::from(!described.in_use_by.is_empty()))),
            SearchSortBy::Exported => Self::number(request.map(|it| i64::from(it.was_exported))),
            SearchSortBy::RenewalEligibility => {
                Self::number(Some(i64::from(!described.is_renewable)))
            }
            SearchSortBy::Status => Self::text(Some(described.status.as_str())),
            SearchSortBy::RenewalStatus => {
                Self::text(renewal_status(certificate).map(|it| it.as_str()))
            }
            SearchSortBy::KeyAlgorithm => Self::text(Some(certificate.key_algorithm().as_str())),
            SearchSortBy::Type => Self::text(Some(CertificateType::of(certificate).as_str())),
            SearchSortBy::CertificateArn => Self::text(Some(&certificate.arn.to_string())),
            SearchSortBy::CommonName => {
                let common_name = search_filter::common_name(certificate);
                Self::text(common_name.map(|it| it.to_lowercase()).as_deref())
            }
            SearchSortBy::ExportOption => Self::text(Some(certificate.export().as_str())),
            SearchSortBy::ValidationMethod => {
                Self::text(request.map(|it| it.validation_method.as_str()))
            }
            SearchSortBy::CertificateKeyPairOrigin => {
                Self::text(Some(CertificateKeyPairOrigin::of(certificate).as_str()))
            }
            SearchSortBy::ManagedBy
            | SearchSortBy::AcmeEndpointArn
            | SearchSortBy::AcmeAccountId => Self::Absent,
        }
    }

    fn number(number: Option<i64>) -> Self {
        number.map_or(Self::Absent, Self::Number)
    }

    fn time(millis: Option<u64>) -> Self {
        Self::number(millis.map(|it| i64::try_from(it).unwrap_or(i64::MAX)))
    }

    fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Absent, |text| Self::Text(text.to_owned()))
    }
}
