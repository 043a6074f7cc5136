//! Certificates: what can be imported, and what is kept of it.

use std::collections::BTreeMap;
use std::fmt::Debug;

use control::acm::AcmError;
use control::acm::Paging;
use control::acm::delete_certificate::DeleteCertificate;
use control::acm::describe_certificate::{
    CertificateDescription, CertificateDetail, DescribeCertificate, GetCertificate,
};
use control::acm::import_certificate::ImportCertificate;
use control::acm::list_certificates::{
    CertificateKeyPairOrigin, Filters, ListCertificates, SortBy, SortOrder,
};
use control::acm::tags::{AddTagsToCertificate, ListTagsForCertificate, RemoveTagsFromCertificate};
use model::certificate::{
    Certificate, CertificateExport, CertificateFacts, CertificateManagedBy, CertificateOrigin,
    CertificateStatus, ExtendedKeyUsageName, KeyAlgorithm, KeyUsage,
};

use crate::support::{Fixture, fixture, pairs};

/// A file of `tests/certificates`.
pub(crate) fn pem(name: &str) -> Vec<u8> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/certificates");
    std::fs::read(format!("{directory}/{name}.pem")).expect(name)
}

fn input(name: &str) -> ImportCertificate {
    ImportCertificate {
        certificate: pem(name),
        private_key: pem(&format!("{name}.key")),
        ..ImportCertificate::default()
    }
}

pub(crate) fn error<T: Debug>(outcome: Result<T, AcmError>) -> String {
    let error = outcome.expect_err("the request is refused");
    let debug = format!("{error:?}");
    let code = debug.split('(').next().unwrap_or_default();
    format!("{code}: {error}")
}

fn facts(certificate: &Certificate) -> &CertificateFacts {
    certificate.facts().expect("it is issued")
}

impl Fixture {
    /// The ARN of a newly imported certificate.
    pub(crate) async fn certificate(&self, name: &str) -> String {
        let arn = self.control.import_certificate(input(name)).await;
        arn.unwrap_or_else(|error| panic!("{name}: {error}"))
            .to_string()
    }

    pub(crate) async fn described(&self, arn: &str) -> CertificateDescription {
        self.detail(arn).await.described
    }

    pub(crate) async fn detail(&self, arn: &str) -> CertificateDetail {
        let input = DescribeCertificate {
            certificate_arn: arn.to_owned(),
        };
        self.control.describe_certificate(input).await.unwrap()
    }

    /// The domain names of the certificates that are listed.
    pub(crate) async fn listed(&self, input: ListCertificates) -> Vec<String> {
        let page = self.control.list_certificates(input).await.unwrap();
        let names = page
            .items
            .iter()
            .map(|it| it.certificate.domain_name().unwrap_or_default().to_owned());
        names.collect()
    }
}

fn of_types(key_types: &[KeyAlgorithm]) -> ListCertificates {
    ListCertificates {
        includes: Filters {
            key_types: key_types.to_vec(),
            ..Filters::default()
        },
        ..ListCertificates::default()
    }
}

#[tokio::test]
async fn every_kind_of_key_can_be_imported() {
    let fixture = fixture().await;
    for (name, algorithm, signature) in [
        ("shop", KeyAlgorithm::Rsa2048, "SHA256WITHRSA"),
        ("rsa3072", KeyAlgorithm::Rsa3072, "SHA256WITHRSA"),
        ("p256", KeyAlgorithm::EcPrime256v1, "SHA256WITHECDSA"),
        ("p384", KeyAlgorithm::EcSecp384r1, "SHA512WITHECDSA"),
        ("p521", KeyAlgorithm::EcSecp521r1, "SHA512WITHECDSA"),
    ] {
        let arn = fixture.certificate(name).await;
        let described = fixture.described(&arn).await;
        let facts = facts(&described.certificate);
        assert_eq!(facts.key_algorithm, algorithm, "{name}");
        assert_eq!(facts.signature_algorithm, signature, "{name}");
    }
    let pkcs1 = ImportCertificate {
        private_key: pem("shop.pkcs1.key"),
        ..input("shop")
    };
    assert!(fixture.control.import_certificate(pkcs1).await.is_ok());
}

#[tokio::test]
async fn what_is_written_in_a_certificate_is_described() {
    let fixture = fixture().await;
    let with_chain = ImportCertificate {
        certificate_chain: Some(pem("chain")),
        tags: pairs(&[("team", "blue")]),
        ..input("shop")
    };
    let arn = fixture.control.import_certificate(with_chain).await;
    let described = fixture.described(&arn.unwrap().to_string()).await;
    let certificate = &described.certificate;
    let facts = facts(certificate);
    assert_eq!(facts.domain_name.as_deref(), Some("shop.example.com"));
    assert_eq!(
        facts.subject_alternative_names,
        ["shop.example.com", "*.shop.example.com"]
    );
    assert_eq!(facts.subject, "CN=shop.example.com,O=Shop,C=US");
    assert_eq!(facts.issuer, "Example");
    assert_eq!(facts.not_before_millis, 1_577_836_800_000);
    assert_eq!(facts.not_after_millis, 2_840_140_800_000);
    let usages = [KeyUsage::DigitalSignature, KeyUsage::KeyEncipherment];
    assert_eq!(facts.key_usages, usages);
    let extended: Vec<_> = facts.extended_key_usages.iter().map(|it| it.name).collect();
    use ExtendedKeyUsageName as Name;
    assert_eq!(
        extended,
        [
            Name::TlsWebServerAuthentication,
            Name::TlsWebClientAuthentication
        ]
    );
    assert_eq!(described.status, CertificateStatus::Issued);
    assert!(described.in_use_by.is_empty());
    let got = fixture.control.get_certificate(GetCertificate {
        certificate_arn: certificate.arn.to_string(),
    });
    let got = got.await.unwrap();
    assert_eq!(got.body.as_bytes(), pem("shop"));
    assert_eq!(got.chain.as_ref().unwrap().as_bytes(), pem("chain"));
}

#[tokio::test]
async fn what_cannot_be_used_is_refused() {
    let fixture = fixture().await;
    let before = fixture.stored();
    let shop = || input("shop");
    let chain = |names: &[&str]| Some(names.iter().flat_map(|name| pem(name)).collect());
    let broken_chain = |index| {
        format!(
            "Validation: Unable to validate certificate chain. The certificate chain must start with the immediate \
             signing certificate, followed by any intermediaries in order. The index within the chain of the \
             invalid certificate is: {index}"
        )
    };
    let unparsable_chain =
        "Validation: Unable to parse certificate chain. Please ensure the certificates are in \
         PEM format."
            .to_owned();
    let encrypted =
        "Validation: The private key must be unencrypted: remove its passphrase.".to_owned();
    let unparsable =
        "Validation: Unable to parse certificate. Please ensure the certificate is in PEM format."
            .to_owned();
    let not_pem = "Validation: The private key is not PEM-encoded or is not valid.".to_owned();
    let unknown_key = "Validation: The private key is not supported.".to_owned();
    let mismatch = "Validation: The private key does not match the certificate.".to_owned();
    let with = |certificate: Vec<u8>, private_key: Vec<u8>, certificate_chain| ImportCertificate {
        certificate,
        private_key,
        certificate_chain,
        ..ImportCertificate::default()
    };
    let shop_with_key = |key: Vec<u8>| with(pem("shop"), key, None);
    let shop_with_chain = |chain| ImportCertificate {
        certificate_chain: chain,
        ..shop()
    };
    for (input, expected) in [
        (with(b"shop".to_vec(), pem("shop.key"), None), unparsable.clone()),
        (with(pem("shop.key"), pem("shop.key"), None), unparsable),
        (
            with([pem("shop"), pem("root")].concat(), pem("shop.key"), None),
            "Validation: The certificate field contains more than one certificate. You can specify only one \
             certificate in this field."
                .to_owned(),
        ),
        (
            with(
                b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(),
                pem("shop.key"),
                None,
            ),
            "Validation: The certificate is not a valid X.509 certificate.".to_owned(),
        ),
        (
            input("rsa1024"),
            "Validation: The key of the certificate is not supported. Use RSA with 2048, 3072 or 4096 bits, or \
             ECDSA with P-256, P-384 or P-521."
                .to_owned(),
        ),
        (
            input("expired"),
            "Validation: The certificate has expired: its Not After is in the past.".to_owned(),
        ),
        (
            input("future"),
            "Validation: The certificate is not valid yet: its Not Before is in the future.".to_owned(),
        ),
        (shop_with_key(pem("shop.encrypted.key")), encrypted.clone()),
        (shop_with_key(pem("shop.legacy-encrypted.key")), encrypted),
        (shop_with_key(pem("shop-renewed.key")), mismatch.clone()),
        (shop_with_key(pem("p256.key")), mismatch),
        (shop_with_key(pem("shop")), unknown_key.clone()),
        (
            shop_with_key(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_vec()),
            unknown_key,
        ),
        (shop_with_key(b"key".to_vec()), not_pem.clone()),
        (shop_with_key(b"-----BEGIN PRIVATE KEY-----".to_vec()), not_pem),
        (
            shop_with_key([pem("shop.key"), pem("p256.key")].concat()),
            "Validation: The private key field contains more than one private key.".to_owned(),
        ),
        (shop_with_chain(chain(&["root"])), broken_chain(0)),
        (shop_with_chain(chain(&["shop"])), broken_chain(0)),
        (shop_with_chain(chain(&["intermediate", "p256"])), broken_chain(1)),
        (shop_with_chain(chain(&["intermediate", "shop.key"])), unparsable_chain.clone()),
        (shop_with_chain(Some(b"chain".to_vec())), unparsable_chain),
    ] {
        assert_eq!(
            error(fixture.control.import_certificate(input).await),
            expected
        );
    }
    assert_eq!(fixture.stored(), before);
}

#[tokio::test]
async fn a_chain_of_any_digest_and_curve_is_verified() {
    let fixture = fixture().await;
    for (name, chain) in [("shop", "chain"), ("p384", "p521"), ("p256", "p256")] {
        let input = ImportCertificate {
            certificate_chain: Some(pem(chain)),
            ..input(name)
        };
        let outcome = fixture.control.import_certificate(input).await;
        assert!(outcome.is_ok(), "{name}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_private_key_is_not_readable_in_the_store() {
    let fixture = fixture().await;
    fixture.certificate("shop").await;
    let key = String::from_utf8(pem("shop.key")).unwrap();
    let line = key.lines().nth(1).unwrap();
    for (name, record) in fixture.stored() {
        assert!(!record.contains("PRIVATE KEY"), "{name}");
        assert!(!record.contains(line), "{name}");
    }
    let again = fixture.restart().await;
    assert_eq!(again.listed(ListCertificates::default()).await.len(), 1);
}

#[tokio::test]
async fn a_certificate_is_replaced_under_its_name() {
    let fixture = fixture().await;
    let tagged = ImportCertificate {
        tags: pairs(&[("team", "blue")]),
        ..input("shop")
    };
    let arn = fixture.control.import_certificate(tagged).await.unwrap();
    let arn = arn.to_string();
    fixture.advance(60);
    let over = |name: &str| ImportCertificate {
        certificate_arn: Some(arn.clone()),
        ..input(name)
    };
    for (input, expected) in [
        (
            over("p256"),
            "Validation: The key type and size of a certificate cannot be changed on re-import.",
        ),
        (
            over("shop-lesser"),
            "Validation: Key usages cannot be removed from a certificate on re-import.",
        ),
        (
            ImportCertificate {
                tags: pairs(&[("a", "b")]),
                ..over("shop-renewed")
            },
            "Validation: Tagging is not permitted on re-import.",
        ),
        (
            ImportCertificate {
                certificate_arn: Some("arn:aws:acm:us-east-1:123456789012:shop".to_owned()),
                ..over("shop-renewed")
            },
            "InvalidArn: The ARN 'arn:aws:acm:us-east-1:123456789012:shop' is not that of a certificate",
        ),
    ] {
        assert_eq!(
            error(fixture.control.import_certificate(input).await),
            expected
        );
    }
    let again = fixture
        .control
        .import_certificate(over("shop-renewed"))
        .await
        .unwrap();
    assert_eq!(again.to_string(), arn);
    let certificate = fixture.described(&arn).await.certificate;
    assert_eq!(facts(&certificate).subject_alternative_names.len(), 3);
    assert_eq!(certificate.tags.value("team"), Some("blue"), "tags stay");
    let CertificateOrigin::Imported {
        at_millis: imported_at,
        ..
    } = certificate.origin
    else {
        panic!("it was imported");
    };
    assert_eq!(imported_at - certificate.created_at_millis, 60_000);
}

#[tokio::test]
async fn certificates_are_listed_by_filters() {
    let fixture = fixture().await;
    for name in ["shop", "p256", "p384", "rsa3072", "nameless"] {
        fixture.certificate(name).await;
        fixture.advance(1);
    }
    let all_types = of_types(KeyAlgorithm::ALL);
    let with = |includes: Filters| ListCertificates {
        includes: Filters {
            key_types: KeyAlgorithm::ALL.to_vec(),
            ..includes
        },
        ..ListCertificates::default()
    };
    for (input, expected) in [
        (ListCertificates::default(), vec!["shop.example.com"]),
        (
            of_types(&[KeyAlgorithm::EcPrime256v1]),
            vec!["api.example.com", ""],
        ),
        (
            ListCertificates {
                certificate_statuses: vec![CertificateStatus::Expired],
                ..all_types.clone()
            },
            vec![],
        ),
        (
            ListCertificates {
                certificate_key_pair_origins: vec![CertificateKeyPairOrigin::AwsManaged],
                ..all_types.clone()
            },
            vec![],
        ),
        (
            with(Filters {
                key_usage: vec![KeyUsage::Any],
                ..Filters::default()
            }),
            vec!["big.example.com"],
        ),
        (
            with(Filters {
                extended_key_usage: vec![ExtendedKeyUsageName::None],
                ..Filters::default()
            }),
            vec!["big.example.com"],
        ),
        (
            with(Filters {
                extended_key_usage: vec![ExtendedKeyUsageName::TlsWebServerAuthentication],
                key_usage: vec![KeyUsage::KeyEncipherment],
                export_option: Some(CertificateExport::Disabled),
                ..Filters::default()
            }),
            vec![
                "shop.example.com",
                "api.example.com",
                "admin.example.com",
                "",
            ],
        ),
        (
            with(Filters {
                export_option: Some(CertificateExport::Enabled),
                ..Filters::default()
            }),
            vec![],
        ),
        (
            with(Filters {
                managed_by: Some(CertificateManagedBy::Cloudfront),
                ..Filters::default()
            }),
            vec![],
        ),
        (
            ListCertificates {
                sort_by: Some(SortBy::CreatedAt),
                sort_order: Some(SortOrder::Descending),
                paging: Paging {
                    max_items: Some(2),
                    next_token: None,
                },
                ..all_types.clone()
            },
            vec!["", "big.example.com"],
        ),
    ] {
        assert_eq!(fixture.listed(input.clone()).await, expected, "{input:?}");
    }
    let unsorted = ListCertificates {
        sort_by: Some(SortBy::CreatedAt),
        ..ListCertificates::default()
    };
    assert_eq!(
        error(fixture.control.list_certificates(unsorted).await),
        "Validation: SortBy and SortOrder must be specified together"
    );
    fixture.advance(3600 * 24 * 365 * 40);
    let expired = ListCertificates {
        certificate_statuses: vec![CertificateStatus::Expired],
        ..ListCertificates::default()
    };
    assert_eq!(fixture.listed(expired).await, ["shop.example.com"]);
}

/// In both orders each certificate is on one page, also when the last of a page is deleted in between.
#[tokio::test]
async fn pages_follow_each_other() {
    for order in [SortOrder::Ascending, SortOrder::Descending] {
        let fixture = fixture().await;
        for name in ["shop", "p256", "p384", "p521", "rsa3072"] {
            fixture.certificate(name).await;
            fixture.advance(1);
        }
        let mut names = Vec::new();
        let mut next_token = None;
        loop {
            let input = ListCertificates {
                paging: Paging {
                    max_items: Some(2),
                    next_token,
                },
                sort_by: Some(SortBy::CreatedAt),
                sort_order: Some(order),
                ..of_types(KeyAlgorithm::ALL)
            };
            let page = fixture.control.list_certificates(input).await.unwrap();
            let kinds = page.items.iter().map(|it| it.certificate.key_algorithm());
            names.extend(kinds);
            next_token = page.next_token;
            let Some(_) = &next_token else { break };
            let last = page.items.last().unwrap().certificate.arn.to_string();
            let delete = DeleteCertificate {
                certificate_arn: last,
            };
            fixture.control.delete_certificate(delete).await.unwrap();
        }
        let mut expected = vec![
            KeyAlgorithm::Rsa2048,
            KeyAlgorithm::EcPrime256v1,
            KeyAlgorithm::EcSecp384r1,
            KeyAlgorithm::EcSecp521r1,
            KeyAlgorithm::Rsa3072,
        ];
        if order == SortOrder::Descending {
            expected.reverse();
        }
        assert_eq!(names, expected);
        let wrong = ListCertificates {
            paging: Paging {
                next_token: Some("x".to_owned()),
                max_items: None,
            },
            ..ListCertificates::default()
        };
        assert_eq!(
            error(fixture.control.list_certificates(wrong).await),
            "InvalidArgs: The token 'x' is not valid; use the NextToken of an answer to the same request"
        );
    }
}

/// What is stored, but for how many certificates were added in a year, which stays after a deletion.
fn without_account(fixture: &Fixture) -> BTreeMap<String, String> {
    let mut stored = fixture.stored();
    stored
        .remove("acm/account/123456789012")
        .expect("it is there");
    stored
}

#[tokio::test]
async fn a_deleted_certificate_is_gone() {
    let fixture = fixture().await;
    let before = fixture.stored();
    let arn = fixture.certificate("shop").await;
    let delete = || DeleteCertificate {
        certificate_arn: arn.clone(),
    };
    fixture.control.delete_certificate(delete()).await.unwrap();
    assert_eq!(without_account(&fixture), before);
    assert_eq!(
        error(fixture.control.delete_certificate(delete()).await),
        format!("ResourceNotFound: Could not find certificate {arn}.")
    );
}

#[tokio::test]
async fn tags_are_added_replaced_and_removed() {
    let fixture = fixture().await;
    let arn = fixture.certificate("shop").await;
    let add = |tags: &[(&str, &str)]| AddTagsToCertificate {
        certificate_arn: arn.clone(),
        tags: pairs(tags),
    };
    let listed = || async {
        let input = ListTagsForCertificate {
            certificate_arn: arn.clone(),
        };
        let tags = fixture
            .control
            .list_tags_for_certificate(input)
            .await
            .unwrap();
        let text = |(key, value): (&str, &str)| format!("{key}={value}");
        tags.iter().map(text).collect::<Vec<_>>().join(" ")
    };
    let control = &fixture.control;
    control
        .add_tags_to_certificate(add(&[("a", "1"), ("b", "2"), ("c", "3")]))
        .await
        .unwrap();
    control
        .add_tags_to_certificate(add(&[("a", "4")]))
        .await
        .unwrap();
    assert_eq!(listed().await, "a=4 b=2 c=3");
    let remove = RemoveTagsFromCertificate {
        certificate_arn: arn.clone(),
        tags: vec![
            ("a".to_owned(), None),
            ("b".to_owned(), Some("other".to_owned())),
            ("c".to_owned(), Some("3".to_owned())),
        ],
    };
    control.remove_tags_from_certificate(remove).await.unwrap();
    assert_eq!(listed().await, "b=2", "a value that is given must match");
    assert!(
        error(control.add_tags_to_certificate(add(&[("aws:x", "")])).await)
            .starts_with("InvalidTag: ")
    );
    let many: Vec<_> = (0..50).map(|n| (format!("k{n}"), String::new())).collect();
    let many = AddTagsToCertificate {
        certificate_arn: arn.clone(),
        tags: many,
    };
    let refused = error(control.add_tags_to_certificate(many).await);
    assert!(refused.starts_with("TooManyTags: "), "{refused}");
}
