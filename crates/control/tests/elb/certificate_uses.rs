//! What is done with certificates that are issued: export, renewal on request, revocation, options, and the
//! announcement of their ends.

use control::acm::AcmError;
use control::acm::account_configuration::PutAccountConfiguration;
use control::acm::export_certificate::{ExportCertificate, ExportedCertificate};
use control::acm::renew_certificate::RenewCertificate;
use control::acm::request_certificate::{CertificateOptions, RequestCertificate};
use control::acm::revoke_certificate::RevokeCertificate;
use control::acm::update_certificate_options::UpdateCertificateOptions;
use control::elb::delete_listener::DeleteListener;
use model::certificate::{CertificateStatus, RenewalStatus, RevocationReason, ValidationMethod};

use crate::certificate_requests::{DAY, exportable, renewal_status, request, serial};
use crate::certificates::error;
use crate::support::{self, Fixture, fixture};
use crate::tls_listeners::{secure, tls};

impl Fixture {
    async fn export_certificate(&self, arn: &str) -> Result<ExportedCertificate, AcmError> {
        let input = ExportCertificate {
            certificate_arn: arn.to_owned(),
            passphrase: b"hush hush".to_vec(),
        };
        self.control.export_certificate(input).await
    }

    async fn renew_certificate(&self, arn: &str) -> Result<(), AcmError> {
        let input = RenewCertificate {
            certificate_arn: arn.to_owned(),
        };
        self.control.renew_certificate(input).await
    }

    async fn revoke_certificate(&self, arn: &str) -> Result<String, AcmError> {
        let input = RevokeCertificate {
            certificate_arn: arn.to_owned(),
            revocation_reason: RevocationReason::Superseded,
        };
        let revoked = self.control.revoke_certificate(input).await;
        revoked.map(|arn| arn.to_string())
    }
}

#[tokio::test]
async fn an_exported_certificate_is_renewed_on_request_and_in_time() {
    let fixture = fixture().await;
    let arn = fixture.issued(exportable("shop.example.com")).await;
    assert!(!fixture.described(&arn).await.is_renewable);
    assert!(error(fixture.renew_certificate(&arn).await).contains("it was never exported"));
    let exported = fixture
        .export_certificate(&arn)
        .await
        .expect("it is exportable");
    let described = fixture.described(&arn).await;
    assert_eq!(
        exported.body,
        described.certificate.material().unwrap().body
    );
    assert!(exported.chain.is_some());
    let label = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n";
    assert!(exported.private_key.starts_with(label));
    assert!(described.is_renewable);

    fixture.advance(60);
    fixture.renew_certificate(&arn).await.unwrap();
    let pending = fixture.described(&arn).await;
    assert_eq!(
        renewal_status(&pending),
        Some(RenewalStatus::PendingAutoRenewal)
    );
    assert_eq!(
        serial(&pending),
        serial(&described),
        "the old one until then"
    );
    fixture.issue().await;
    let renewed = fixture.described(&arn).await;
    assert_eq!(renewal_status(&renewed), Some(RenewalStatus::Success));
    assert_ne!(serial(&renewed), serial(&described));
    assert!(!renewed.is_renewable, "the new one was not exported");
    assert!(error(fixture.renew_certificate(&arn).await).contains("it was not exported since"));

    fixture.export_certificate(&arn).await.unwrap();
    fixture.advance(154 * DAY);
    fixture.issue().await;
    assert_ne!(
        serial(&fixture.described(&arn).await),
        serial(&renewed),
        "in time"
    );
}

#[tokio::test]
async fn only_what_was_requested_for_it_is_exported() {
    let fixture = fixture().await;
    let imported = fixture.certificate("shop").await;
    let plain = fixture.issued(request("shop.example.com")).await;
    let pending = fixture.requested(exportable("shop.example.com")).await;
    let before = fixture.stored();
    for (arn, expected) in [
        (&imported, "Validation: "),
        (&plain, "Validation: "),
        (&pending, "RequestInProgress: "),
    ] {
        let refused = error(fixture.export_certificate(arn).await.map(|_| ()));
        assert!(refused.starts_with(expected), "{refused}");
    }
    for passphrase in ["hush#", "hush$", "hush%", "husch\u{fc}"] {
        let input = ExportCertificate {
            certificate_arn: plain.clone(),
            passphrase: passphrase.into(),
        };
        let refused = error(fixture.control.export_certificate(input).await.map(|_| ()));
        assert!(
            refused.starts_with("Validation: The passphrase"),
            "{refused}"
        );
    }
    assert_eq!(fixture.stored(), before);
}

#[tokio::test]
async fn a_revoked_certificate_is_not_used_again() {
    let fixture = fixture().await;
    let arn = fixture.issued(exportable("shop.example.com")).await;
    assert!(error(fixture.revoke_certificate(&arn).await).contains("it was never exported"));
    fixture.export_certificate(&arn).await.unwrap();
    let balancer = fixture.load_balancer("shop").await;
    let listener = || secure(&balancer, 443, tls(&arn));
    let made = fixture.control.create_listener(listener()).await.unwrap();
    let refused = error(fixture.revoke_certificate(&arn).await);
    assert!(refused.starts_with("ResourceInUse: "), "{refused}");
    let delete = DeleteListener {
        listener_arn: made.arn.to_string(),
    };
    fixture.control.delete_listener(delete).await.unwrap();
    assert_eq!(fixture.revoke_certificate(&arn).await.unwrap(), arn);

    let described = fixture.described(&arn).await;
    assert_eq!(described.status, CertificateStatus::Revoked);
    assert!(!described.is_renewable);
    let refused = support::error(fixture.control.create_listener(listener()).await);
    assert!(refused.starts_with("UnsupportedCertificate: "), "{refused}");
    assert!(error(fixture.revoke_certificate(&arn).await).contains("it was revoked before"));
    assert!(error(fixture.renew_certificate(&arn).await).contains("its status is REVOKED"));
    assert!(error(fixture.export_certificate(&arn).await.map(|_| ())).contains("it was revoked"));
    fixture.advance(400 * DAY);
    fixture.issue().await;
    assert_eq!(
        fixture.described(&arn).await.status,
        CertificateStatus::Revoked
    );
}

#[tokio::test]
async fn the_validation_method_can_become_dns() {
    let fixture = fixture().await;
    let by_mail = RequestCertificate {
        validation_method: Some(ValidationMethod::Email),
        ..request("shop.example.com")
    };
    let arn = fixture.requested(by_mail).await;
    let update = |validation_method| UpdateCertificateOptions {
        certificate_arn: arn.clone(),
        options: CertificateOptions {
            validation_method: Some(validation_method),
            ..CertificateOptions::default()
        },
    };
    let control = &fixture.control;
    let refused = error(
        control
            .update_certificate_options(update(ValidationMethod::Dns))
            .await,
    );
    assert!(refused.starts_with("InvalidState: "), "{refused}");
    fixture.issue().await;
    for method in [
        ValidationMethod::Email,
        ValidationMethod::Dns,
        ValidationMethod::Dns,
    ] {
        fixture.advance(1);
        control
            .update_certificate_options(update(method))
            .await
            .unwrap();
    }
    let described = fixture.described(&arn).await;
    let request = described.certificate.request().unwrap();
    assert_eq!(request.validation_method, ValidationMethod::Dns);
    let migration = request.migration.expect("it was changed");
    assert_eq!(migration.from, ValidationMethod::Email);
    assert_eq!(
        migration.at_millis, 1_700_000_002_000,
        "a change to the same is none"
    );
    for method in [ValidationMethod::Email, ValidationMethod::Http] {
        let refused = error(control.update_certificate_options(update(method)).await);
        assert!(
            refused.starts_with("Validation: The validation method"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn ends_are_announced_from_the_configured_day_on() {
    let fixture = fixture().await;
    let arn = fixture.issued(request("shop.example.com")).await;
    fixture.requested(request("pending.example.com")).await;
    let control = &fixture.control;
    let put = |days, token: &str| PutAccountConfiguration {
        days_before_expiry: days,
        idempotency_token: token.to_owned(),
    };
    let announced = || {
        let all = control.expiring_certificates();
        let all = all.iter().map(|(arn, days)| (arn.to_string(), *days));
        all.collect::<Vec<_>>()
    };
    assert_eq!(control.days_before_expiry(), 45, "the default");
    fixture.advance(152 * DAY);
    assert_eq!(announced(), []);
    fixture.advance(DAY);
    assert_eq!(announced(), [(arn.clone(), 44)]);
    control
        .put_account_configuration(put(Some(10), "a"))
        .await
        .unwrap();
    assert_eq!(announced(), []);
    control
        .put_account_configuration(put(Some(50), "a"))
        .await
        .unwrap();
    assert_eq!(control.days_before_expiry(), 10, "the same request");
    control
        .put_account_configuration(put(None, "b"))
        .await
        .unwrap();
    assert_eq!(control.days_before_expiry(), 10, "nothing was given");
    fixture.advance(3600);
    control
        .put_account_configuration(put(Some(50), "b"))
        .await
        .unwrap();
    assert_eq!(control.days_before_expiry(), 50, "an hour later");
    assert_eq!(announced(), [(arn, 44)]);
    let again = fixture.restart().await;
    assert_eq!(again.control.days_before_expiry(), 50);
    fixture.advance(60 * DAY);
    assert_eq!(announced(), [], "it is over");
}
