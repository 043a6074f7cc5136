//! `SearchCertificates`: what each filter finds, what comes first, and how pages follow each other.

use control::acm::delete_certificate::DeleteCertificate;
use control::acm::list_certificates::{CertificateKeyPairOrigin, SortOrder};
use control::acm::search_certificates::{SearchCertificates, SearchSortBy};
use control::acm::search_filter::{
    CertificateFilter as Filter, CertificateType, ComparisonOperator, FilterStatement as Statement,
    TextFilter, TimeRange,
};
use control::{GeneralName, Names};
use model::certificate::{
    CertificateExport, CertificateManagedBy, CertificateStatus, ExtendedKeyUsageName, KeyAlgorithm,
    KeyUsage, RenewalStatus, ValidationMethod,
};

use crate::certificate_requests::request;
use crate::certificates::error;
use crate::support::{Fixture, fixture};
use crate::tls_listeners::{secure, tls};

/// Four imported certificates and a requested one, a second apart; the last is not issued. A listener shows the first.
async fn full() -> Fixture {
    let fixture = fixture().await;
    let shop = fixture.certificate("shop").await;
    for name in ["p256", "rsa3072", "nameless"] {
        fixture.advance(1);
        fixture.certificate(name).await;
    }
    fixture.advance(1);
    fixture.requested(request("pending.example.com")).await;
    let balancer = fixture.load_balancer("shop").await;
    let listener = secure(&balancer, 443, tls(&shop));
    fixture.control.create_listener(listener).await.unwrap();
    fixture
}

impl Fixture {
    /// The domain names of what is found.
    async fn searched(&self, input: SearchCertificates) -> Vec<String> {
        let page = self.control.search_certificates(input).await.unwrap();
        let names = page.items.iter().map(|it| {
            let name = it.described.certificate.domain_name();
            name.unwrap_or_default().to_owned()
        });
        names.collect()
    }
}

fn matching(statement: Statement) -> SearchCertificates {
    SearchCertificates {
        statement: Some(statement),
        ..SearchCertificates::default()
    }
}

fn text(value: &str, operator: ComparisonOperator) -> TextFilter {
    TextFilter {
        value: value.to_owned(),
        operator,
    }
}

const SHOP: &str = "shop.example.com";
const API: &str = "api.example.com";
const BIG: &str = "big.example.com";
const NAMELESS: &str = "";
const PENDING: &str = "pending.example.com";

#[tokio::test]
async fn each_filter_finds_what_it_names() {
    use ComparisonOperator::{Contains, Equals};
    let fixture = full().await;
    let certificates = fixture
        .control
        .search_certificates(SearchCertificates::default());
    let shop = certificates
        .await
        .unwrap()
        .items
        .swap_remove(0)
        .described
        .certificate;
    let facts = shop.facts().unwrap();
    let range = |start, end| TimeRange {
        start_millis: start,
        end_millis: end,
    };
    for (filter, expected) in [
        (Filter::CertificateArn(shop.arn.to_string()), &[SHOP][..]),
        (
            Filter::CommonName(text("EXAMPLE.com", Contains)),
            &[SHOP, API, BIG],
        ),
        (
            Filter::CommonName(text("Shop.example.com", Equals)),
            &[SHOP],
        ),
        (Filter::CommonName(text("example.com", Equals)), &[]),
        (Filter::DnsName(text("*.shop", Contains)), &[SHOP]),
        (Filter::DnsName(text(PENDING, Equals)), &[PENDING]),
        (Filter::ExtendedKeyUsage(ExtendedKeyUsageName::None), &[BIG]),
        (Filter::KeyUsage(KeyUsage::Any), &[BIG]),
        (Filter::KeyAlgorithm(KeyAlgorithm::Rsa3072), &[BIG]),
        (Filter::SerialNumber(facts.serial.clone()), &[SHOP]),
        (
            Filter::NotAfter(range(Some(facts.not_after_millis + 1), None)),
            &[],
        ),
        (
            Filter::NotBefore(range(None, Some(facts.not_before_millis - 1))),
            &[],
        ),
        (
            Filter::Status(CertificateStatus::PendingValidation),
            &[PENDING],
        ),
        (Filter::RenewalStatus(RenewalStatus::Success), &[]),
        (Filter::Type(CertificateType::AmazonIssued), &[PENDING]),
        (Filter::Type(CertificateType::Private), &[]),
        (Filter::InUse(true), &[SHOP]),
        (Filter::InUse(false), &[API, BIG, NAMELESS, PENDING]),
        (Filter::Exported(false), &[PENDING]),
        (Filter::Exported(true), &[]),
        (Filter::ExportOption(CertificateExport::Enabled), &[]),
        (Filter::ManagedBy(CertificateManagedBy::Cloudfront), &[]),
        (Filter::ValidationMethod(ValidationMethod::Dns), &[PENDING]),
        (
            Filter::CertificateKeyPairOrigin(CertificateKeyPairOrigin::AwsManaged),
            &[PENDING],
        ),
        (Filter::AcmeEndpointArn(shop.arn.to_string()), &[]),
        (Filter::AcmeAccountId("0".repeat(36)), &[]),
    ] {
        let found = fixture
            .searched(matching(Statement::Filter(filter.clone())))
            .await;
        assert_eq!(found, expected, "{filter:?}");
    }
    let exactly = range(Some(facts.not_after_millis), Some(facts.not_after_millis));
    let found = fixture.searched(matching(Statement::Filter(Filter::NotAfter(exactly))));
    assert!(
        found.await.contains(&SHOP.to_owned()),
        "both ends belong to it"
    );
}

#[tokio::test]
async fn statements_are_combined() {
    let fixture = full().await;
    let is = |algorithm| Statement::Filter(Filter::KeyAlgorithm(algorithm));
    let either = Statement::Or(vec![
        is(KeyAlgorithm::Rsa3072),
        is(KeyAlgorithm::EcPrime256v1),
    ]);
    let not_big = Statement::Not(Box::new(Statement::Filter(Filter::CommonName(text(
        "big",
        ComparisonOperator::Contains,
    )))));
    for (statement, expected) in [
        (either.clone(), &[API, BIG, NAMELESS][..]),
        (not_big.clone(), &[SHOP, API, NAMELESS, PENDING]),
        (Statement::And(vec![either, not_big]), &[API, NAMELESS]),
    ] {
        let found = fixture.searched(matching(statement.clone())).await;
        assert_eq!(found, expected, "{statement:?}");
    }
}

/// What lacks what is sorted by comes last; what is equal stands in the order of creation.
#[tokio::test]
async fn certificates_are_sorted_by_what_is_asked() {
    let fixture = full().await;
    let unsorted = [SHOP, API, BIG, NAMELESS, PENDING];
    for (sort_by, expected) in [
        (SearchSortBy::CreatedAt, unsorted),
        (SearchSortBy::ImportedAt, unsorted),
        (
            SearchSortBy::CommonName,
            [API, BIG, SHOP, NAMELESS, PENDING],
        ),
        (SearchSortBy::InUse, [API, BIG, NAMELESS, PENDING, SHOP]),
        (SearchSortBy::Type, [PENDING, SHOP, API, BIG, NAMELESS]),
        (
            SearchSortBy::ValidationMethod,
            [PENDING, SHOP, API, BIG, NAMELESS],
        ),
        (SearchSortBy::Status, unsorted),
        (SearchSortBy::ManagedBy, unsorted),
        (SearchSortBy::RevokedAt, unsorted),
    ] {
        let sorted = |sort_order| SearchCertificates {
            sort_by: Some(sort_by),
            sort_order,
            ..SearchCertificates::default()
        };
        assert_eq!(fixture.searched(sorted(None)).await, expected, "{sort_by}");
        let mut reversed = expected;
        reversed.reverse();
        let descending = fixture.searched(sorted(Some(SortOrder::Descending))).await;
        assert_eq!(descending, reversed, "{sort_by}");
    }
}

/// Each certificate is on one page, also when the last of a page is deleted in between.
#[tokio::test]
async fn pages_follow_each_other() {
    for sort_order in [SortOrder::Ascending, SortOrder::Descending] {
        let fixture = fixture().await;
        for name in ["shop", "p256", "p384", "p521", "rsa3072"] {
            fixture.certificate(name).await;
        }
        let (mut algorithms, mut next_token) = (Vec::new(), None);
        loop {
            let input = SearchCertificates {
                next_token,
                max_results: Some(2),
                sort_by: Some(SearchSortBy::KeyAlgorithm),
                sort_order: Some(sort_order),
                ..SearchCertificates::default()
            };
            let page = fixture.control.search_certificates(input).await.unwrap();
            let certificates = page.items.iter().map(|it| &it.described.certificate);
            algorithms.extend(certificates.map(|it| it.key_algorithm()));
            next_token = page.next_token;
            if next_token.is_none() {
                break;
            }
            let last = &page.items.last().unwrap().described.certificate;
            let delete = DeleteCertificate {
                certificate_arn: last.arn.to_string(),
            };
            fixture.control.delete_certificate(delete).await.unwrap();
        }
        let mut expected = vec![
            KeyAlgorithm::EcPrime256v1,
            KeyAlgorithm::EcSecp384r1,
            KeyAlgorithm::EcSecp521r1,
            KeyAlgorithm::Rsa2048,
            KeyAlgorithm::Rsa3072,
        ];
        if sort_order == SortOrder::Descending {
            expected.reverse();
        }
        assert_eq!(algorithms, expected);
        let wrong = SearchCertificates {
            next_token: Some("x".to_owned()),
            ..SearchCertificates::default()
        };
        assert_eq!(
            error(fixture.control.search_certificates(wrong).await),
            "Validation: The token 'x' is not valid; use the NextToken of an answer to the same request"
        );
    }
}

#[tokio::test]
async fn names_are_those_in_the_certificate() {
    let fixture = full().await;
    let page = fixture
        .control
        .search_certificates(SearchCertificates::default());
    let found = page.await.unwrap().items;
    let Some(Names {
        subject,
        issuer,
        alternative,
    }) = &found[0].names
    else {
        panic!("it is issued")
    };
    let attributes = subject.attributes.iter();
    let attributes: Vec<_> = attributes.map(|(oid, value)| (&**oid, &**value)).collect();
    let expected = [("2.5.4.3", SHOP), ("2.5.4.10", "Shop"), ("2.5.4.6", "US")];
    assert_eq!(attributes, expected);
    assert_eq!(issuer.common_name(), Some("Example Intermediate"));
    let dns = |name: &str| GeneralName::Dns(name.to_owned());
    assert_eq!(*alternative, [dns(SHOP), dns("*.shop.example.com")]);
    assert_eq!(found[3].names.as_ref().unwrap().subject.common_name(), None);
    assert_eq!(found[4].names, None, "there is no certificate yet");
}
