//! Listeners with TLS: their certificates, policies and authentication of clients.

use std::io::ErrorKind;

use control::acm::delete_certificate::DeleteCertificate;
use control::acm::import_certificate::ImportCertificate;
use control::elb::Paging;
use control::elb::create_listener::CreateListener;
use control::elb::delete_listener::DeleteListener;
use control::elb::describe_ssl_policies::DescribeSslPolicies;
use control::elb::input::{
    AdvertiseTrustStoreCaNames, CertificateSetting, MutualAuthenticationAttributes, TlsSettings,
    TrustStoreAssociationStatus,
};
use control::elb::listener_attributes::{DescribeListenerAttributes, ModifyListenerAttributes};
use control::elb::listener_certificates::{
    AddListenerCertificates, DescribeListenerCertificates, RemoveListenerCertificates,
};
use control::elb::modify_listener::ModifyListener;
use engine::tls::ClientAuthentication;
use model::listener::MutualAuthentication;
use model::load_balancer::{LoadBalancer, LoadBalancerType};
use model::protocol::Protocol;
use std::sync::Arc;

use crate::certificates::pem;
use crate::support::{Fixture, error, fixed, fixture, fixture_with, listener_input, pairs};

fn setting(arn: &str) -> CertificateSetting {
    CertificateSetting {
        certificate_arn: Some(arn.to_owned()),
        is_default: None,
    }
}

pub(crate) fn tls(arn: &str) -> TlsSettings {
    TlsSettings {
        certificates: vec![setting(arn)],
        ..TlsSettings::default()
    }
}

pub(crate) fn secure(owner: &LoadBalancer, port: i32, tls: TlsSettings) -> CreateListener {
    CreateListener {
        protocol: Some(Protocol::Https),
        tls,
        ..listener_input(owner, port, fixed("200"))
    }
}

fn mode(mode: &str) -> MutualAuthenticationAttributes {
    MutualAuthenticationAttributes {
        mode: Some(mode.to_owned()),
        ..MutualAuthenticationAttributes::default()
    }
}

impl Fixture {
    async fn secure_listener(&self, owner: &LoadBalancer, port: i32, certificate: &str) -> String {
        let input = secure(owner, port, tls(certificate));
        let created = self.control.create_listener(input).await.unwrap();
        created.arn.to_string()
    }

    async fn add(&self, listener: &str, certificate: &str) -> Result<(), String> {
        let input = AddListenerCertificates {
            listener_arn: listener.to_owned(),
            certificates: vec![setting(certificate)],
        };
        let added = self.control.add_listener_certificates(input).await;
        match added {
            Ok(added) => {
                assert_eq!(added[0].to_string(), certificate);
                Ok(())
            }
            failed => Err(error(failed)),
        }
    }

    async fn remove(&self, listener: &str, certificate: &str) -> Result<(), String> {
        let input = RemoveListenerCertificates {
            listener_arn: listener.to_owned(),
            certificates: vec![setting(certificate)],
        };
        let removed = self.control.remove_listener_certificates(input).await;
        removed.map_err(|failed| error::<()>(Err(failed)))
    }

    /// ARN and whether it is the default, of each certificate of a listener.
    async fn shown(&self, listener: &str) -> Vec<(String, bool)> {
        let input = DescribeListenerCertificates {
            listener_arn: listener.to_owned(),
            ..DescribeListenerCertificates::default()
        };
        let page = self.control.describe_listener_certificates(input).await;
        let items = page.unwrap().items.into_iter();
        items
            .map(|it| (it.arn.to_string(), it.is_default))
            .collect()
    }

    /// How the listener on port 443, or the only one, speaks TLS in the snapshot that is served.
    fn live_tls(&self) -> Arc<engine::Tls> {
        let snapshot = self.plane.live();
        let mut frontends = snapshot.frontends.iter();
        let frontend = frontends.find(|it| it.port() == 443);
        let frontend = frontend.unwrap_or(&snapshot.frontends[0]);
        Arc::clone(frontend.tls.as_ref().expect("it speaks TLS"))
    }
}

#[tokio::test]
async fn a_secure_listener_shows_its_certificate_under_the_default_policy() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let chained = ImportCertificate {
        certificate: pem("shop"),
        private_key: pem("shop.pkcs1.key"),
        certificate_chain: Some(pem("chain")),
        ..ImportCertificate::default()
    };
    let arn = fixture.control.import_certificate(chained).await.unwrap();
    let arn = arn.to_string();
    fixture.secure_listener(&shop, 443, &arn).await;
    let live = fixture.live_tls();
    assert_eq!(&*live.policy, "ELBSecurityPolicy-2016-08");
    let shown = &live.default_certificate;
    assert_eq!(&*shown.name, arn);
    let whole = [pem("shop"), pem("chain")].concat();
    assert_eq!(shown.chain.as_bytes(), whole, "the certificate comes first");
    assert_eq!(shown.private_key.as_bytes(), pem("shop.pkcs1.key"));
    assert!(live.additional_certificates.is_empty());
    assert!(matches!(
        live.client_authentication,
        ClientAuthentication::Off
    ));
    let again = fixture.restart().await;
    assert_eq!(again.live_tls().default_certificate.chain, shown.chain);
}

#[tokio::test]
async fn refused_tls_settings_leave_nothing() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let certificate = fixture.certificate("shop").await;
    let nameless = fixture.certificate("nameless").await;
    let gone = certificate.replace(|c: char| c.is_ascii_hexdigit() && c > '9', "0");
    let gone = gone.rsplit_once('/').unwrap().1.to_owned();
    let gone = format!("arn:aws:acm:us-east-1:123456789012:certificate/{gone}");
    let before = fixture.stored();
    let valid = || tls(&certificate);
    let authenticate = |attributes| TlsSettings {
        mutual_authentication: Some(attributes),
        ..valid()
    };
    let missing_store =
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:truststore/clients/73e2d6bc24d8a067";
    for (settings, expected) in [
        (
            TlsSettings::default(),
            "Validation: A certificate must be specified for HTTPS listeners".to_owned(),
        ),
        (
            TlsSettings {
                certificates: vec![setting(&certificate), setting(&nameless)],
                ..valid()
            },
            "Validation: Up to '1' certificate ARNs can be specified, but '2' were specified".to_owned(),
        ),
        (
            TlsSettings {
                certificates: vec![CertificateSetting {
                    is_default: Some(true),
                    ..setting(&certificate)
                }],
                ..valid()
            },
            "Validation: You cannot set the 'IsDefault' parameter for a certificate".to_owned(),
        ),
        (
            TlsSettings {
                certificates: vec![CertificateSetting::default()],
                ..valid()
            },
            "Validation: A certificate ARN must be specified".to_owned(),
        ),
        (
            tls("shop"),
            "Validation: Certificate ARN 'shop' is not valid".to_owned(),
        ),
        (
            tls(&gone),
            format!("CertificateNotFound: Certificate '{gone}' not found"),
        ),
        (
            tls("arn:aws:iam::123456789012:server-certificate/shop"),
            "CertificateNotFound: Certificate 'arn:aws:iam::123456789012:server-certificate/shop' not found: elbow has \
             no server certificates of IAM; import it with `aws acm import-certificate`"
                .to_owned(),
        ),
        (
            tls(&nameless),
            format!(
                "UnsupportedCertificate: The certificate '{nameless}' must have a fully-qualified domain name, a \
                 supported signature, and a supported key size."
            ),
        ),
        (
            TlsSettings {
                ssl_policy: Some("ELBSecurityPolicy-2099-01".to_owned()),
                ..valid()
            },
            "SslPolicyNotFound: SSL policy 'ELBSecurityPolicy-2099-01' not found".to_owned(),
        ),
        (
            TlsSettings {
                alpn_policy: vec!["HTTP2Only".to_owned()],
                ..valid()
            },
            "Validation: You cannot set ALPN policy on load balancers of type 'application'".to_owned(),
        ),
        (
            authenticate(mode("strict")),
            "Validation: Mutual Authentication mode 'strict' must be one of 'off, passthrough, verify'"
                .to_owned(),
        ),
        (
            authenticate(MutualAuthenticationAttributes::default()),
            "Validation: A Mutual Authentication mode must be specified".to_owned(),
        ),
        (
            authenticate(mode("verify")),
            "Validation: Mutual Authentication mode verify requires a trust store arn".to_owned(),
        ),
        (
            authenticate(MutualAuthenticationAttributes {
                trust_store_arn: Some(missing_store.to_owned()),
                ..mode("verify")
            }),
            "TrustStoreNotFound: The specified trust store does not exist".to_owned(),
        ),
        (
            authenticate(MutualAuthenticationAttributes {
                trust_store_arn: Some("clients".to_owned()),
                ..mode("verify")
            }),
            "Validation: 'clients' is not a valid trust store ARN".to_owned(),
        ),
        (
            authenticate(MutualAuthenticationAttributes {
                trust_store_arn: Some(missing_store.to_owned()),
                ..mode("passthrough")
            }),
            "Validation: 'TrustStoreArn' can only be specified with Mutual Authentication mode verify".to_owned(),
        ),
        (
            authenticate(MutualAuthenticationAttributes {
                ignore_client_certificate_expiry: Some(true),
                ..mode("off")
            }),
            "Validation: 'IgnoreClientCertificateExpiry' can only be specified with Mutual Authentication mode \
             verify"
                .to_owned(),
        ),
        (
            authenticate(MutualAuthenticationAttributes {
                advertise_trust_store_ca_names: Some(AdvertiseTrustStoreCaNames::On),
                ..mode("passthrough")
            }),
            "Validation: 'AdvertiseTrustStoreCaNames' can only be specified with Mutual Authentication mode verify"
                .to_owned(),
        ),
        (
            authenticate(MutualAuthenticationAttributes {
                trust_store_association_status: Some(TrustStoreAssociationStatus::Active),
                ..mode("off")
            }),
            "Validation: TrustStoreAssociationStatus is part of answers and cannot be specified".to_owned(),
        ),
    ] {
        let input = secure(&shop, 443, settings);
        assert_eq!(
            error(fixture.control.create_listener(input).await),
            expected
        );
    }
    assert_eq!(fixture.stored(), before);
}

#[tokio::test]
async fn a_listener_in_clear_text_has_nothing_of_tls() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let certificate = fixture.certificate("shop").await;
    for (settings, expected) in [
        (
            tls(&certificate),
            "Validation: A certificate cannot be specified for HTTP listeners",
        ),
        (
            TlsSettings {
                ssl_policy: Some("ELBSecurityPolicy-2016-08".to_owned()),
                ..TlsSettings::default()
            },
            "Validation: An SSL policy cannot be specified for HTTP listeners",
        ),
        (
            TlsSettings {
                mutual_authentication: Some(mode("passthrough")),
                ..TlsSettings::default()
            },
            "Validation: Mutual Authentication cannot be set for non secure listeners",
        ),
    ] {
        let input = CreateListener {
            tls: settings,
            ..listener_input(&shop, 80, fixed("200"))
        };
        assert_eq!(
            error(fixture.control.create_listener(input).await),
            expected
        );
    }
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let refused = fixture.add(&listener.arn.to_string(), &certificate).await;
    assert_eq!(
        refused.unwrap_err(),
        "Validation: A certificate cannot be specified for HTTP listeners"
    );
    assert!(fixture.shown(&listener.arn.to_string()).await.is_empty());
}

#[tokio::test]
async fn a_listener_that_gives_up_tls_loses_the_attributes_that_only_tls_has() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.https_listener(&shop, 443).await;
    let arn = listener.arn.to_string();
    let of_tls = (
        "routing.http.request.x_amzn_tls_version.header_name",
        "X-Tls",
    );
    let of_both = ("routing.http.response.server.enabled", "false");
    let attributes = ModifyListenerAttributes {
        listener_arn: arn.clone(),
        attributes: pairs(&[of_tls, of_both]),
    };
    let control = &fixture.control;
    control
        .modify_listener_attributes(attributes)
        .await
        .unwrap();
    let modify = |protocol, tls| ModifyListener {
        listener_arn: arn.clone(),
        protocol: Some(protocol),
        tls,
        ..ModifyListener::default()
    };
    let plain = modify(Protocol::Http, TlsSettings::default());
    control.modify_listener(plain).await.unwrap();
    let again = tls(&fixture.certificate("p256").await);
    let again = modify(Protocol::Https, again);
    control.modify_listener(again).await.unwrap();
    let described =
        control.describe_listener_attributes(DescribeListenerAttributes { listener_arn: arn });
    let described = described.await.unwrap();
    let value = |key| {
        described
            .iter()
            .find(|(its, _)| *its == key)
            .unwrap()
            .1
            .as_str()
    };
    assert_eq!(value(of_tls.0), "X-Amzn-Tls-Version");
    assert_eq!(value(of_both.0), "false");
}

#[tokio::test]
async fn the_same_listener_is_found_again_and_another_is_a_duplicate() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let (one, other) = (
        fixture.certificate("shop").await,
        fixture.certificate("p256").await,
    );
    let listener = fixture.secure_listener(&shop, 443, &one).await;
    fixture.add(&listener, &other).await.unwrap();
    let again = fixture.secure_listener(&shop, 443, &one).await;
    assert_eq!(again, listener, "added certificates are not settings");
    let input = secure(&shop, 443, tls(&other));
    assert!(error(fixture.control.create_listener(input).await).starts_with("DuplicateListener: "));
}

#[tokio::test]
async fn a_listener_changes_between_clear_text_and_tls() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let (one, other) = (
        fixture.certificate("shop").await,
        fixture.certificate("p256").await,
    );
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let modify = |protocol, tls| ModifyListener {
        listener_arn: listener.arn.to_string(),
        protocol,
        tls,
        ..ModifyListener::default()
    };
    let control = &fixture.control;
    assert_eq!(
        error(
            control
                .modify_listener(modify(Some(Protocol::Https), TlsSettings::default()))
                .await
        ),
        "Validation: A certificate must be specified for HTTPS listeners"
    );
    let modified = control
        .modify_listener(modify(Some(Protocol::Https), tls(&one)))
        .await;
    assert_eq!(modified.unwrap().protocol, Protocol::Https);
    assert_eq!(&*fixture.live_tls().default_certificate.name, one);
    fixture.add(&listener.arn.to_string(), &one).await.unwrap();
    let settings = TlsSettings {
        ssl_policy: Some("ELBSecurityPolicy-TLS13-1-2-2021-06".to_owned()),
        mutual_authentication: Some(mode("passthrough")),
        ..tls(&other)
    };
    let modified = control
        .modify_listener(modify(None, settings))
        .await
        .unwrap();
    let kept = modified.tls.as_ref().unwrap();
    assert_eq!(kept.certificates.len(), 1, "what was added stays");
    assert_eq!(
        kept.mutual_authentication,
        MutualAuthentication::Passthrough
    );
    let live = fixture.live_tls();
    assert_eq!(&*live.default_certificate.name, other);
    assert_eq!(&*live.policy, "ELBSecurityPolicy-TLS13-1-2-2021-06");
    assert!(matches!(
        live.client_authentication,
        ClientAuthentication::Passthrough
    ));
    let unchanged = control
        .modify_listener(modify(None, TlsSettings::default()))
        .await
        .unwrap();
    assert_eq!(unchanged.tls.as_ref(), Some(kept), "what is absent stays");
    let clear = control
        .modify_listener(modify(Some(Protocol::Http), TlsSettings::default()))
        .await;
    assert_eq!(clear.unwrap().tls, None);
    assert!(fixture.plane.live().frontends[0].tls.is_none());
}

#[tokio::test]
async fn certificates_are_added_and_removed() {
    let fixture = fixture_with(|settings| settings.limits.certificates_per_load_balancer = 2).await;
    let shop = fixture.load_balancer("shop").await;
    let one = fixture.certificate("shop").await;
    let two = fixture.certificate("p256").await;
    let three = fixture.certificate("p384").await;
    let listener = fixture.secure_listener(&shop, 443, &one).await;
    let other = fixture.secure_listener(&shop, 444, &one).await;
    fixture.add(&listener, &two).await.unwrap();
    fixture.add(&listener, &two).await.unwrap();
    assert_eq!(
        fixture.shown(&listener).await,
        [(one.clone(), true), (two.clone(), false)],
        "once"
    );
    fixture.add(&listener, &one).await.unwrap();
    let names: Vec<_> = fixture
        .live_tls()
        .additional_certificates
        .iter()
        .map(|it| it.name.to_string())
        .collect();
    assert_eq!(names, [two.clone(), one.clone()]);
    assert_eq!(
        fixture.add(&other, &three).await.unwrap_err(),
        "TooManyCertificates: A load balancer can have at most 2 certificates besides the default ones"
    );
    fixture.remove(&listener, &one).await.unwrap();
    assert_eq!(
        fixture.remove(&listener, &one).await.unwrap_err(),
        format!(
            "OperationNotPermitted: The default certificate '{one}' cannot be removed from the listener; replace it \
             with ModifyListener"
        )
    );
    fixture.remove(&listener, &three).await.unwrap();
    fixture.add(&other, &three).await.unwrap();
    let page = async |marker| {
        let input = DescribeListenerCertificates {
            listener_arn: listener.clone(),
            paging: Paging {
                marker,
                page_size: Some(1),
            },
        };
        let page = fixture.control.describe_listener_certificates(input).await;
        page.unwrap()
    };
    let page = page(page(None).await.next_marker).await;
    assert_eq!(page.items[0].arn.to_string(), two);
    assert_eq!(page.next_marker, None);
}

#[tokio::test]
async fn a_certificate_in_use_is_not_deleted() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let (one, two) = (
        fixture.certificate("shop").await,
        fixture.certificate("p256").await,
    );
    let listener = fixture.secure_listener(&shop, 443, &one).await;
    fixture.add(&listener, &two).await.unwrap();
    for arn in [&one, &two] {
        let described = fixture.described(arn).await;
        assert_eq!(
            described.in_use_by.as_slice(),
            std::slice::from_ref(&shop.arn)
        );
        let delete = DeleteCertificate {
            certificate_arn: arn.clone(),
        };
        let refused = fixture
            .control
            .delete_certificate(delete)
            .await
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "Certificate {arn} in account 123456789012 is in use. Remove it first from the listeners of {}.",
                shop.arn
            )
        );
    }
    let delete = DeleteListener {
        listener_arn: listener,
    };
    fixture.control.delete_listener(delete).await.unwrap();
    let delete = DeleteCertificate {
        certificate_arn: one,
    };
    fixture.control.delete_certificate(delete).await.unwrap();
}

/// A certificate that is imported again is shown at once; a change of something else touches no listener.
#[tokio::test]
async fn a_renewed_certificate_is_compiled_and_nothing_else_is() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let (one, two) = (
        fixture.certificate("shop").await,
        fixture.certificate("p256").await,
    );
    let listener = fixture.secure_listener(&shop, 443, &one).await;
    fixture.add(&listener, &two).await.unwrap();
    let before = fixture.live_tls();
    fixture.certificate("p384").await;
    let untouched = Arc::ptr_eq(&before, &fixture.live_tls());
    assert!(untouched, "the listener does not show the new certificate");
    let renewed = ImportCertificate {
        certificate_arn: Some(one),
        certificate: pem("shop-renewed"),
        private_key: pem("shop-renewed.key"),
        ..ImportCertificate::default()
    };
    fixture.control.import_certificate(renewed).await.unwrap();
    let after = fixture.live_tls();
    assert_eq!(
        after.default_certificate.chain.as_bytes(),
        pem("shop-renewed")
    );
    assert!(
        Arc::ptr_eq(
            &before.additional_certificates[0],
            &after.additional_certificates[0]
        ),
        "the other certificate is not opened again"
    );
}

#[tokio::test]
async fn what_the_data_plane_cannot_use_is_refused_with_its_reason() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let certificate = fixture.certificate("shop").await;
    let before = fixture.stored();
    fixture.plane.refuse(Some(ErrorKind::InvalidInput));
    let input = secure(&shop, 443, tls(&certificate));
    let refused = error(fixture.control.create_listener(input).await);
    assert_eq!(
        refused,
        "InvalidConfigurationRequest: elbow cannot serve TLS on 127.65.1.10:443: refused by the test"
    );
    assert_eq!(fixture.stored(), before);
}

#[tokio::test]
async fn policies_are_described() {
    let fixture = fixture().await;
    let describe = |input| fixture.control.describe_ssl_policies(input);
    let names = |names: &[&str]| DescribeSslPolicies {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        ..DescribeSslPolicies::default()
    };
    let found = describe(names(&["ELBSecurityPolicy-2016-08"]))
        .await
        .unwrap();
    assert_eq!(found.items.len(), 1);
    assert_eq!(found.items[0].ciphers[0], "ECDHE-ECDSA-AES128-GCM-SHA256");
    assert_eq!(
        error(describe(names(&["X"])).await.map(|_| ())),
        "SslPolicyNotFound: SSL policy 'X' not found"
    );
    let all = describe(DescribeSslPolicies::default())
        .await
        .unwrap()
        .items;
    assert_eq!(all.len(), model::ssl_policy::SSL_POLICIES.len());
    let mut paged: Vec<&'static model::ssl_policy::SslPolicy> = Vec::new();
    let mut marker = None;
    loop {
        let page = describe(DescribeSslPolicies {
            paging: Paging {
                marker,
                page_size: Some(7),
            },
            ..DescribeSslPolicies::default()
        });
        let page = page.await.unwrap();
        paged.extend(page.items);
        marker = page.next_marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(paged, all);
    let of_type = describe(DescribeSslPolicies {
        load_balancer_type: Some(LoadBalancerType::Gateway),
        ..DescribeSslPolicies::default()
    });
    assert!(of_type.await.unwrap().items.is_empty());
}
