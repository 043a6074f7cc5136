//! Certificates that are requested: issued in the background, shown by listeners, and renewed in time.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use control::acm::DomainValidationOption;
use control::acm::delete_certificate::DeleteCertificate;
use control::acm::describe_certificate::{CertificateDescription, GetCertificate};
use control::acm::list_certificates::{CertificateKeyPairOrigin, Filters, ListCertificates};
use control::acm::request_certificate::{CertificateOptions, RequestCertificate};
use control::{CommitError, IssueError};
use model::certificate::{
    CertificateExport, CertificateManagedBy, CertificateStatus, DomainStatus, ExtendedKeyUsageName,
    FailureReason, KeyAlgorithm, KeyUsage, RenewalStatus, RequestPhase, ValidationMethod,
};

use crate::certificates::error;
use crate::support::{self, Fixture, fixture, fixture_with, pairs};
use crate::tls_listeners::{secure, tls};

pub(crate) const DAY: u64 = 24 * 3600;

pub(crate) fn request(domain_name: &str) -> RequestCertificate {
    RequestCertificate {
        domain_name: domain_name.to_owned(),
        validation_method: Some(ValidationMethod::Dns),
        ..RequestCertificate::default()
    }
}

impl Fixture {
    /// The ARN of a newly requested certificate.
    pub(crate) async fn requested(&self, input: RequestCertificate) -> String {
        let arn = self.control.request_certificate(input).await;
        arn.expect("it can be requested").to_string()
    }

    /// Does what the background would do now.
    pub(crate) async fn issue(&self) {
        self.control.issue_certificates().await.unwrap();
    }

    /// The ARN of a newly requested certificate that is issued.
    pub(crate) async fn issued(&self, input: RequestCertificate) -> String {
        let arn = self.requested(input).await;
        self.issue().await;
        assert_eq!(self.described(&arn).await.status, CertificateStatus::Issued);
        arn
    }

    fn fail(&self, failure: Option<IssueError>) {
        self.issuer.as_ref().unwrap().fail(failure);
    }
}

pub(crate) fn renewal_status(described: &CertificateDescription) -> Option<RenewalStatus> {
    match &described.certificate.request()?.phase {
        RequestPhase::Issued { renewal, .. } => Some((*renewal)?.status),
        _ => None,
    }
}

pub(crate) fn serial(described: &CertificateDescription) -> String {
    described.certificate.facts().unwrap().serial.clone()
}

#[tokio::test]
async fn a_request_waits_until_it_is_issued() {
    let fixture = fixture().await;
    let input = RequestCertificate {
        subject_alternative_names: vec![
            "*.Shop.example.com".to_owned(),
            "shop.example.com".to_owned(),
        ],
        tags: pairs(&[("team", "blue")]),
        ..request("shop.example.com")
    };
    let arn = fixture.requested(input).await;
    let described = fixture.described(&arn).await;
    assert_eq!(described.status, CertificateStatus::PendingValidation);
    assert_eq!(
        described.validation_status(),
        DomainStatus::PendingValidation
    );
    assert!(described.certificate.facts().is_none());
    let names = ["shop.example.com", "*.shop.example.com"];
    assert_eq!(
        described.certificate.names(),
        names,
        "each once and in lower case"
    );
    assert_eq!(described.challenges.len(), 2);
    assert_eq!(
        described.challenges[0].record,
        described.challenges[1].record
    );
    let get = || GetCertificate {
        certificate_arn: arn.clone(),
    };
    assert_eq!(
        error(fixture.control.get_certificate(get()).await),
        format!(
            "RequestInProgress: Certificate {arn} has not been issued yet. Wait until its status is ISSUED."
        )
    );

    fixture.advance(5);
    fixture.issue().await;
    let described = fixture.described(&arn).await;
    assert_eq!(described.status, CertificateStatus::Issued);
    assert_eq!(described.validation_status(), DomainStatus::Success);
    let request = described.certificate.request().unwrap();
    let issued_at = request.issued_at_millis().unwrap();
    assert_eq!(issued_at - described.certificate.created_at_millis, 5000);
    let facts = described.certificate.facts().unwrap();
    assert_eq!(facts.domain_name.as_deref(), Some("shop.example.com"));
    assert_eq!(facts.subject_alternative_names, names);
    assert_eq!(facts.subject, "CN=shop.example.com");
    assert_eq!(facts.issuer, "elbow");
    assert_eq!(
        facts.key_usages,
        [KeyUsage::DigitalSignature, KeyUsage::KeyEncipherment]
    );
    let extended: Vec<_> = facts.extended_key_usages.iter().map(|it| it.name).collect();
    assert_eq!(extended, [ExtendedKeyUsageName::TlsWebServerAuthentication]);
    let length = facts.not_after_millis - facts.not_before_millis + 1000;
    assert_eq!(
        length,
        198 * 24 * 3600 * 1000,
        "198 days, the last second included"
    );
    assert!(facts.not_before_millis <= 1_700_000_000_000);
    assert!(described.certificate.tags.value("team").is_some());
    let got = fixture.control.get_certificate(get()).await.unwrap();
    assert!(got.body.starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(got.chain.is_some_and(|chain| chain != got.body));

    fixture.issue().await;
    assert_eq!(
        fixture.issuer.as_ref().unwrap().order_count(),
        1,
        "it is issued once"
    );
    let again = fixture.restart().await;
    assert_eq!(
        again.described(&arn).await.certificate,
        described.certificate
    );
}

#[tokio::test]
async fn a_request_says_how_its_certificate_is_going_to_be_signed() {
    let fixture = fixture().await;
    let issued = fixture.issued(request("shop.example.com")).await;
    let issued = fixture.detail(&issued).await;
    fixture.fail(Some(IssueError::Refused(FailureReason::CaaError)));
    let failed = fixture.requested(request("shop.example.com")).await;
    fixture.issue().await;
    let pending = fixture.requested(request("shop.example.com")).await;
    for (arn, status) in [
        (failed, CertificateStatus::Failed),
        (pending, CertificateStatus::PendingValidation),
    ] {
        let detail = fixture.detail(&arn).await;
        assert_eq!(detail.described.status, status);
        assert_eq!(detail.subject, issued.subject, "{status}");
        assert_eq!(detail.signature, issued.signature, "{status}");
    }
}

#[tokio::test]
async fn keys_of_each_kind_are_issued() {
    let fixture = fixture().await;
    for key_algorithm in [
        KeyAlgorithm::Rsa2048,
        KeyAlgorithm::EcPrime256v1,
        KeyAlgorithm::EcSecp384r1,
    ] {
        let input = RequestCertificate {
            key_algorithm: Some(key_algorithm),
            ..request("shop.example.com")
        };
        let arn = fixture.issued(input).await;
        let described = fixture.described(&arn).await;
        let facts = described.certificate.facts().unwrap();
        assert_eq!(facts.key_algorithm, key_algorithm);
        assert_eq!(
            facts.signature_algorithm, "SHA256WITHECDSA",
            "that of the root"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_honoured_is_refused() {
    let fixture = fixture_with(|settings| settings.limits.domain_names_per_certificate = 2).await;
    let before = fixture.stored();
    let long = format!("{}.example.com", "a".repeat(60));
    let option = |domain: &str, validation: &str| DomainValidationOption {
        domain_name: domain.to_owned(),
        validation_domain: validation.to_owned(),
    };
    let asking = |option| RequestCertificate {
        domain_validation_options: vec![option],
        validation_method: Some(ValidationMethod::Email),
        ..request("shop.example.com")
    };
    for (input, expected) in [
        (
            RequestCertificate {
                certificate_authority_arn: Some(
                    "arn:aws:acm-pca:us-east-1:1:certificate-authority/a".into(),
                ),
                ..request("shop.example.com")
            },
            "InvalidParameter: CertificateAuthorityArn is not supported: ",
        ),
        (
            RequestCertificate {
                managed_by: Some(CertificateManagedBy::Cloudfront),
                ..request("shop.example.com")
            },
            "InvalidParameter: ManagedBy is not supported: ",
        ),
        (
            RequestCertificate {
                validation_method: Some(ValidationMethod::Http),
                ..request("shop.example.com")
            },
            "InvalidParameter: The validation method HTTP is only for CloudFront",
        ),
        (
            RequestCertificate {
                options: CertificateOptions {
                    validation_method: Some(ValidationMethod::Dns),
                    ..CertificateOptions::default()
                },
                ..request("shop.example.com")
            },
            "InvalidParameter: The option ValidationMethod is for UpdateCertificateOptions",
        ),
        (
            RequestCertificate {
                key_algorithm: Some(KeyAlgorithm::Rsa4096),
                ..request("shop.example.com")
            },
            "InvalidParameter: The key algorithm RSA_4096 can be imported and not requested. Use one of RSA_2048, \
             EC_prime256v1, EC_secp384r1.",
        ),
        (request(&long), "InvalidParameter: The domain name 'aaaa"),
        (
            request("ab--c.example.com"),
            "InvalidParameter: The label 'ab--c' of the domain",
        ),
        (
            RequestCertificate {
                subject_alternative_names: vec!["a.example.com".into(), "b.example.com".into()],
                ..request("shop.example.com")
            },
            "LimitExceeded: Error: a certificate can be requested for at most 2 domain names, and this request has 3.",
        ),
        (
            RequestCertificate {
                tags: pairs(&[("aws:a", "")]),
                ..request("shop.example.com")
            },
            "InvalidTag: ",
        ),
        (
            asking(option("other.example.com", "example.com")),
            "InvalidDomainValidationOptions: The domain 'other.example.com' of the domain validation options is not one",
        ),
        (
            asking(option("shop.example.com", "a.shop.example.com")),
            "InvalidDomainValidationOptions: The validation domain 'a.shop.example.com' is neither",
        ),
    ] {
        let refused = error(fixture.control.request_certificate(input).await);
        assert!(refused.starts_with(expected), "{refused}");
    }
    assert_eq!(fixture.stored(), before);
    let many = (0..50).map(|n| (format!("k{n}"), String::new()));
    let many = RequestCertificate {
        tags: many.chain([("more".to_owned(), String::new())]).collect(),
        ..request("shop.example.com")
    };
    let refused = error(fixture.control.request_certificate(many).await);
    assert!(refused.starts_with("TooManyTags: "), "{refused}");
}

#[tokio::test]
async fn owners_are_asked_where_the_caller_says() {
    let fixture = fixture().await;
    let input = RequestCertificate {
        validation_method: None,
        subject_alternative_names: vec!["a.b.example.com".to_owned()],
        domain_validation_options: vec![DomainValidationOption {
            domain_name: "A.b.example.com".to_owned(),
            validation_domain: "example.com".to_owned(),
        }],
        ..request("www.example.com")
    };
    let arn = fixture.requested(input).await;
    let described = fixture.described(&arn).await;
    let request = described.certificate.request().unwrap();
    assert_eq!(
        request.validation_method,
        ValidationMethod::Email,
        "the default"
    );
    for challenge in &described.challenges {
        assert_eq!(challenge.domain.validation_domain, "example.com");
        assert_eq!(challenge.mail_addresses.len(), 5);
        assert_eq!(challenge.mail_addresses[0], "admin@example.com");
    }
    fixture.issue().await;
    assert_eq!(
        fixture.described(&arn).await.status,
        CertificateStatus::Issued
    );
}

#[tokio::test]
async fn a_token_is_remembered_for_an_hour() {
    let fixture = fixture().await;
    let with = |token: &str| RequestCertificate {
        idempotency_token: Some(token.to_owned()),
        ..request("shop.example.com")
    };
    let first = fixture.requested(with("one")).await;
    assert_ne!(fixture.requested(with("two")).await, first);
    fixture.advance(3599);
    assert_eq!(fixture.requested(with("one")).await, first);
    fixture.advance(1);
    assert_ne!(fixture.requested(with("one")).await, first);
}

#[tokio::test]
async fn certificates_are_limited_at_once_and_in_a_year() {
    let fixture = fixture_with(|settings| {
        settings.limits.certificates = 2;
        settings.limits.certificates_per_year = 3;
        settings.limits.imported_certificates = 1;
        settings.limits.imported_certificates_per_year = 1;
    })
    .await;
    let imported = fixture.certificate("shop").await;
    let delete = |arn: &str| DeleteCertificate {
        certificate_arn: arn.to_owned(),
    };
    let again = || {
        fixture
            .control
            .request_certificate(request("shop.example.com"))
    };
    let first = fixture.requested(request("shop.example.com")).await;
    fixture.requested(request("shop.example.com")).await;
    assert_eq!(
        error(again().await),
        "LimitExceeded: Error: you have reached your limit of 2 certificates. Delete certificates that are not in use."
    );
    fixture
        .control
        .delete_certificate(delete(&first))
        .await
        .unwrap();
    fixture.advance(100 * DAY);
    let third = fixture.requested(request("shop.example.com")).await;
    fixture
        .control
        .delete_certificate(delete(&third))
        .await
        .unwrap();
    let of_the_year =
        "LimitExceeded: Error: you have reached your limit of 3 certificates in the last 365 days.";
    assert_eq!(error(again().await), of_the_year, "deleted ones count");
    fixture.advance(264 * DAY);
    assert_eq!(error(again().await), of_the_year);
    fixture.advance(DAY);
    fixture.requested(request("shop.example.com")).await;

    let import = || control::acm::import_certificate::ImportCertificate {
        certificate: crate::certificates::pem("shop"),
        private_key: crate::certificates::pem("shop.key"),
        ..Default::default()
    };
    assert_eq!(
        error(fixture.control.import_certificate(import()).await),
        "LimitExceeded: Error: you have reached your limit of 1 imported certificates. Delete certificates that are \
         not in use."
    );
    fixture
        .control
        .delete_certificate(delete(&imported))
        .await
        .unwrap();
    fixture
        .control
        .import_certificate(import())
        .await
        .expect("a year has passed");
}

#[tokio::test]
async fn what_the_authority_refuses_has_failed() {
    let fixture = fixture().await;
    fixture.fail(Some(IssueError::Refused(FailureReason::DomainNotAllowed)));
    let arn = fixture.requested(request("shop.example.com")).await;
    fixture.issue().await;
    let described = fixture.described(&arn).await;
    assert_eq!(described.status, CertificateStatus::Failed);
    assert_eq!(described.validation_status(), DomainStatus::Failed);
    let reason = FailureReason::DomainNotAllowed;
    assert_eq!(
        described.certificate.request().unwrap().phase,
        RequestPhase::Failed { reason }
    );
    fixture.fail(None);
    fixture.advance(DAY);
    fixture.issue().await;
    assert_eq!(
        fixture.described(&arn).await.status,
        CertificateStatus::Failed,
        "for good"
    );
    let get = GetCertificate {
        certificate_arn: arn.clone(),
    };
    assert_eq!(
        error(fixture.control.get_certificate(get).await),
        format!(
            "Validation: Certificate {arn} was not issued: its status is FAILED. Delete it and request another one."
        )
    );
}

#[tokio::test]
async fn an_authority_that_is_away_is_asked_again_for_72_hours() {
    let fixture = fixture().await;
    let authority = Arc::clone(fixture.issuer.as_ref().unwrap());
    fixture.fail(Some(IssueError::Unavailable("it is away".to_owned())));
    let arn = fixture.requested(request("shop.example.com")).await;
    fixture.issue().await;
    fixture.advance(59);
    fixture.issue().await;
    assert_eq!(authority.order_count(), 1);
    fixture.advance(1);
    fixture.issue().await;
    assert_eq!(authority.order_count(), 2, "after a minute");
    fixture.advance(3 * DAY - 61);
    assert_eq!(
        fixture.described(&arn).await.status,
        CertificateStatus::PendingValidation
    );
    fixture.advance(1);
    assert_eq!(
        fixture.described(&arn).await.status,
        CertificateStatus::ValidationTimedOut
    );
    fixture.fail(None);
    fixture.issue().await;
    assert_eq!(authority.order_count(), 2, "it is too late");
    let other = fixture.issued(request("shop.example.com")).await;
    assert_ne!(other, arn);
}

#[tokio::test]
async fn what_could_not_be_stored_is_not_ordered_again() {
    let fixture = fixture().await;
    let authority = Arc::clone(fixture.issuer.as_ref().unwrap());
    let arn = fixture.requested(request("shop.example.com")).await;
    fixture.store.fails.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let outcome = fixture.control.issue_certificates().await;
        assert!(matches!(outcome, Err(CommitError::Store(_))));
    }
    assert_eq!(authority.order_count(), 1);
    fixture.store.fails.store(false, Ordering::SeqCst);
    fixture.issue().await;
    assert_eq!(
        fixture.described(&arn).await.status,
        CertificateStatus::Issued
    );
    assert_eq!(authority.order_count(), 1, "the first one is stored");
}

#[tokio::test]
async fn nothing_is_issued_where_certificates_are_only_imported() {
    let fixture = fixture().await;
    let arn = fixture.requested(request("shop.example.com")).await;
    let fixture = fixture.restart_with(None).await;
    fixture.control.issue_certificates().await.unwrap();
    assert_eq!(
        fixture.described(&arn).await.status,
        CertificateStatus::PendingValidation
    );
    let refused = error(
        fixture
            .control
            .request_certificate(request("a.example.com"))
            .await,
    );
    assert!(
        refused.starts_with("AccessDenied: This elbow issues no certificates"),
        "{refused}"
    );
    fixture.certificate("shop").await;
}

#[tokio::test]
async fn a_certificate_deleted_while_it_is_ordered_stays_deleted() {
    let fixture = fixture().await;
    let arn = fixture.requested(request("shop.example.com")).await;
    let delete = DeleteCertificate {
        certificate_arn: arn.clone(),
    };
    let (issued, deleted) = tokio::join!(
        fixture.control.issue_certificates(),
        fixture.control.delete_certificate(delete)
    );
    issued.unwrap();
    deleted.unwrap();
    assert!(fixture.listed(ListCertificates::default()).await.is_empty());
}

#[tokio::test]
async fn a_listener_shows_only_what_is_issued() {
    let fixture = fixture().await;
    let arn = fixture.requested(request("shop.example.com")).await;
    let balancer = fixture.load_balancer("shop").await;
    let listener = || secure(&balancer, 443, tls(&arn));
    assert_eq!(
        support::error(fixture.control.create_listener(listener()).await),
        format!(
            "UnsupportedCertificate: The certificate '{arn}' must have a fully-qualified domain name, a supported \
             signature, and a supported key size."
        )
    );
    fixture.issue().await;
    fixture.control.create_listener(listener()).await.unwrap();
    let described = fixture.described(&arn).await;
    assert_eq!(described.in_use_by, std::slice::from_ref(&balancer.arn));
    assert!(described.is_renewable, "because it is in use");
    let delete = DeleteCertificate {
        certificate_arn: arn.clone(),
    };
    let refused = error(fixture.control.delete_certificate(delete).await);
    assert!(refused.starts_with("ResourceInUse: "), "{refused}");
}

#[tokio::test]
async fn a_certificate_in_use_is_renewed_45_days_before_its_end() {
    let fixture = fixture().await;
    let arn = fixture.issued(request("shop.example.com")).await;
    let unused = fixture.issued(request("unused.example.com")).await;
    let balancer = fixture.load_balancer("shop").await;
    let listener = secure(&balancer, 443, tls(&arn));
    fixture.control.create_listener(listener).await.unwrap();
    let shown = || {
        let snapshot = fixture.plane.live();
        let tls = snapshot.frontends[0]
            .tls
            .clone()
            .expect("it is an HTTPS listener");
        tls.default_certificate.chain.to_string()
    };
    let before = (serial(&fixture.described(&arn).await), shown());
    // Issued at 22:13:20; the last day of the certificate ends at midnight.
    fixture.advance(153 * DAY - 22 * 3600 - 13 * 60 - 21 - 1);
    fixture.issue().await;
    let described = fixture.described(&arn).await;
    assert_eq!(serial(&described), before.0, "a second too early");
    assert_eq!(renewal_status(&described), None);

    fixture.advance(1);
    fixture.issue().await;
    let described = fixture.described(&arn).await;
    assert_ne!(serial(&described), before.0);
    assert_eq!(renewal_status(&described), Some(RenewalStatus::Success));
    assert_eq!(described.status, CertificateStatus::Issued);
    assert_ne!(shown(), before.1, "the listener shows the new one");
    let request = described.certificate.request().unwrap();
    assert_eq!(
        request.issued_at_millis(),
        Some(1_700_000_000_000 + (153 * DAY - 22 * 3600 - 13 * 60 - 21) * 1000)
    );

    fixture.advance(46 * DAY);
    assert_eq!(
        fixture.described(&arn).await.status,
        CertificateStatus::Issued
    );
    let described = fixture.described(&unused).await;
    assert_eq!(
        described.status,
        CertificateStatus::Expired,
        "nobody uses it"
    );
    assert!(!described.is_renewable);
}

#[tokio::test]
async fn a_renewal_that_fails_is_tried_every_hour() {
    let fixture = fixture().await;
    let arn = fixture.issued(request("shop.example.com")).await;
    let balancer = fixture.load_balancer("shop").await;
    let listener = secure(&balancer, 443, tls(&arn));
    fixture.control.create_listener(listener).await.unwrap();
    let authority = Arc::clone(fixture.issuer.as_ref().unwrap());
    fixture.advance(160 * DAY);
    fixture.fail(Some(IssueError::Refused(FailureReason::CaaError)));
    fixture.issue().await;
    let described = fixture.described(&arn).await;
    assert_eq!(renewal_status(&described), Some(RenewalStatus::Failed));
    assert_eq!(
        described.status,
        CertificateStatus::Issued,
        "the one that is there is used on"
    );
    fixture.fail(Some(IssueError::Unavailable("it is away".to_owned())));
    fixture.advance(3599);
    fixture.issue().await;
    assert_eq!(authority.order_count(), 2);
    fixture.advance(1);
    fixture.issue().await;
    assert_eq!(authority.order_count(), 3);
    let described = fixture.described(&arn).await;
    assert_eq!(
        renewal_status(&described),
        Some(RenewalStatus::PendingAutoRenewal)
    );
    fixture.fail(None);
    fixture.advance(3600);
    fixture.issue().await;
    let described = fixture.described(&arn).await;
    assert_eq!(renewal_status(&described), Some(RenewalStatus::Success));
}

#[tokio::test]
async fn a_certificate_that_listeners_cannot_show_is_left_for_an_hour() {
    let fixture = fixture().await;
    let arn = fixture.issued(request("shop.example.com")).await;
    let balancer = fixture.load_balancer("shop").await;
    let listener = secure(&balancer, 443, tls(&arn));
    fixture.control.create_listener(listener).await.unwrap();
    let before = fixture.described(&arn).await;
    fixture.advance(160 * DAY);
    fixture.plane.refuse_once(std::io::ErrorKind::InvalidInput);
    fixture.issue().await;
    let described = fixture.described(&arn).await;
    assert_eq!(serial(&described), serial(&before));
    let pending = Some(RenewalStatus::PendingAutoRenewal);
    assert_eq!(renewal_status(&described), pending);
    fixture.issue().await;
    assert_eq!(fixture.issuer.as_ref().unwrap().order_count(), 2);
    fixture.advance(3600);
    fixture.issue().await;
    assert_ne!(serial(&fixture.described(&arn).await), serial(&before));
}

#[tokio::test]
async fn requests_are_listed_with_imports() {
    let fixture = fixture().await;
    fixture.certificate("shop").await;
    fixture.issued(exportable("a.example.com")).await;
    fixture.advance(1);
    fixture.requested(request("b.example.com")).await;
    for (input, expected) in [
        (
            ListCertificates::default(),
            vec!["shop.example.com", "a.example.com", "b.example.com"],
        ),
        (
            ListCertificates {
                certificate_key_pair_origins: vec![CertificateKeyPairOrigin::AwsManaged],
                ..ListCertificates::default()
            },
            vec!["a.example.com", "b.example.com"],
        ),
        (
            ListCertificates {
                certificate_statuses: vec![CertificateStatus::PendingValidation],
                ..ListCertificates::default()
            },
            vec!["b.example.com"],
        ),
        (
            ListCertificates {
                includes: Filters {
                    export_option: Some(CertificateExport::Enabled),
                    ..Filters::default()
                },
                ..ListCertificates::default()
            },
            vec!["a.example.com"],
        ),
        (
            ListCertificates {
                includes: Filters {
                    key_usage: vec![KeyUsage::DigitalSignature],
                    ..Filters::default()
                },
                ..ListCertificates::default()
            },
            vec!["shop.example.com", "a.example.com"],
        ),
    ] {
        let mut listed = fixture.listed(input.clone()).await;
        listed.sort_by_key(|name| !name.starts_with("shop"));
        assert_eq!(listed, expected, "{input:?}");
    }
}

pub(crate) fn exportable(domain_name: &str) -> RequestCertificate {
    RequestCertificate {
        options: CertificateOptions {
            export: Some(CertificateExport::Enabled),
            ..CertificateOptions::default()
        },
        ..request(domain_name)
    }
}
