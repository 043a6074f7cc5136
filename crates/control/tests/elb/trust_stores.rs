//! Trust stores: their authorities, what they revoked, and who relies on them.

use std::sync::Arc;
use std::time::Duration;

use control::elb::delete_listener::DeleteListener;
use control::elb::input::{
    AdvertiseTrustStoreCaNames, MutualAuthenticationAttributes, TlsSettings,
};
use control::elb::tags::{AddTags, DescribeTags};
use control::elb::trust_store_downloads::{
    DownloadError, DownloadLeave, GetTrustStoreCaCertificatesBundle,
    GetTrustStoreRevocationContent, TrustStoreContent,
};
use control::elb::trust_store_revocations::{
    AddTrustStoreRevocations, DescribeTrustStoreRevocations, RemoveTrustStoreRevocations,
    RevocationContent,
};
use control::elb::trust_stores::{
    CreateTrustStore, DeleteTrustStore, DescribeTrustStoreAssociations, DescribeTrustStores,
    ModifyTrustStore,
};
use control::elb::{ElbError, Paging};
use control::{NoObjects, ObjectName, ObjectStore};
use engine::tls::ClientAuthentication;
use model::load_balancer::LoadBalancer;

use crate::certificates::pem;
use crate::support::{Fixture, error, fixture, fixture_with, pairs};
use crate::tls_listeners::{secure, tls};

fn file(name: &str) -> ObjectName {
    ObjectName {
        bucket: "certificates".to_owned(),
        key: format!("{name}.pem"),
        version: None,
    }
}

fn input(name: &str, bundle: &str) -> CreateTrustStore {
    CreateTrustStore {
        name: name.to_owned(),
        bundle: file(bundle),
        tags: Vec::new(),
    }
}

fn list(name: &str) -> RevocationContent {
    RevocationContent {
        s3_bucket: Some("certificates".to_owned()),
        s3_key: Some(format!("{name}.pem")),
        ..RevocationContent::default()
    }
}

fn verify(certificate: &str, trust_store: &str) -> TlsSettings {
    TlsSettings {
        mutual_authentication: Some(MutualAuthenticationAttributes {
            mode: Some("verify".to_owned()),
            trust_store_arn: Some(trust_store.to_owned()),
            ignore_client_certificate_expiry: Some(true),
            advertise_trust_store_ca_names: Some(AdvertiseTrustStoreCaNames::On),
            ..MutualAuthenticationAttributes::default()
        }),
        ..tls(certificate)
    }
}

impl Fixture {
    async fn trust_store(&self, name: &str) -> String {
        let created = self.control.create_trust_store(input(name, "root")).await;
        created.unwrap().trust_store.arn.to_string()
    }

    async fn revoke(&self, trust_store: &str, lists: &[&str]) -> Result<Vec<u64>, ElbError> {
        let input = AddTrustStoreRevocations {
            trust_store_arn: trust_store.to_owned(),
            revocation_contents: lists.iter().map(|name| list(name)).collect(),
        };
        let added = self.control.add_trust_store_revocations(input).await?;
        Ok(added.iter().map(|it| it.revocation.key.id).collect())
    }

    async fn verifying(&self, owner: &LoadBalancer, port: i32, settings: TlsSettings) -> String {
        let input = secure(owner, port, settings);
        let created = self.control.create_listener(input).await.unwrap();
        created.arn.to_string()
    }

    /// What the only listener verifies clients with.
    fn live_trust(&self) -> Arc<engine::tls::TrustStore> {
        let snapshot = self.plane.live();
        let tls = snapshot.frontends[0].tls.as_ref().expect("it speaks TLS");
        match &tls.client_authentication {
            ClientAuthentication::Verify {
                trust_store,
                ignores_expiry: true,
                advertises_names: true,
            } => Arc::clone(trust_store),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_trust_store_has_the_authorities_of_its_bundle() {
    let fixture = fixture().await;
    let created = fixture
        .control
        .create_trust_store(input("clients", "chain"))
        .await;
    let created = created.unwrap();
    assert_eq!(created.trust_store.authority_count, 2);
    assert_eq!(created.trust_store.authorities.as_bytes(), pem("chain"));
    assert_eq!(created.total_revoked_entries, 0);
    let again = fixture.restart().await;
    assert_eq!(again.stored(), fixture.stored());
}

#[tokio::test]
async fn what_is_no_trust_store_is_refused() {
    let fixture = fixture().await;
    fixture.trust_store("taken").await;
    let before = fixture.stored();
    let bundle = |what: &str| {
        format!(
            "InvalidCaCertificatesBundle: The specified CA certificates bundle is not valid: {what}"
        )
    };
    for (input, expected) in [
        (
            input("a--b", "root"),
            "Validation: 1 validation error detected: Value 'a--b' at 'name' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: ([a-zA-Z0-9]+-)*[a-zA-Z0-9]+"
                .to_owned(),
        ),
        (
            input("taken", "root"),
            "DuplicateTrustStoreName: A trust store with the name 'taken' already exists".to_owned(),
        ),
        (
            input("a", "gone"),
            "CaCertificatesBundleNotFound: The CA certificates bundle 'gone.pem' in the bucket 'certificates' cannot \
             be read: it does not exist"
                .to_owned(),
        ),
        (
            input("a", "shop"),
            bundle("certificate 1 is not that of an authority (X.509 version 3, basic constraint CA)"),
        ),
        (
            input("a", "shop.key"),
            bundle("certificate 1 is not a certificate"),
        ),
        (
            CreateTrustStore {
                bundle: ObjectName {
                    key: "make".to_owned(),
                    ..file("")
                },
                ..input("a", "")
            },
            bundle(
                "between certificates there may be nothing but comments, which begin with '#' and have no '-'",
            ),
        ),
    ] {
        assert_eq!(
            error(fixture.control.create_trust_store(input).await),
            expected
        );
    }
    assert_eq!(fixture.stored(), before);
    for number in 0..19 {
        fixture.trust_store(&format!("clients-{number}")).await;
    }
    let more = input("one-more", "root");
    assert_eq!(
        error(fixture.control.create_trust_store(more).await),
        "TooManyTrustStores: The maximum number of trust stores has been reached"
    );
}

#[tokio::test]
async fn a_listener_verifies_clients_with_the_latest_trust_store() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let certificate = fixture.certificate("shop").await;
    let store = fixture.trust_store("clients").await;
    let settings = verify(&certificate, &store);
    fixture.verifying(&shop, 443, settings).await;
    let live = fixture.live_trust();
    assert_eq!(live.authorities.as_bytes(), pem("root"));
    assert!(live.revocation_lists.is_empty());
    assert_eq!(fixture.revoke(&store, &["revoked.crl"]).await.unwrap(), [1]);
    let live = fixture.live_trust();
    assert_eq!(live.revocation_lists.len(), 1);
    assert_eq!(live.revocation_lists[0].as_bytes(), pem("revoked.crl"));
    fixture.trust_store("others").await;
    assert!(
        Arc::ptr_eq(&live, &fixture.live_trust()),
        "another trust store changes no listener"
    );
    let modify = ModifyTrustStore {
        trust_store_arn: store.clone(),
        bundle: file("chain"),
    };
    let modified = fixture.control.modify_trust_store(modify).await.unwrap();
    assert_eq!(modified.trust_store.authority_count, 2);
    assert_eq!(modified.total_revoked_entries, 1, "the lists stay");
    assert_eq!(fixture.live_trust().authorities.as_bytes(), pem("chain"));
}

#[tokio::test]
async fn a_trust_store_in_use_is_not_deleted() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let certificate = fixture.certificate("shop").await;
    let before = fixture.stored();
    let store = fixture.trust_store("clients").await;
    fixture.revoke(&store, &["revoked.crl"]).await.unwrap();
    let settings = verify(&certificate, &store);
    let listener = fixture.verifying(&shop, 443, settings).await;
    let associations = DescribeTrustStoreAssociations {
        trust_store_arn: store.clone(),
        ..DescribeTrustStoreAssociations::default()
    };
    let control = &fixture.control;
    let page = control
        .describe_trust_store_associations(associations)
        .await;
    let found: Vec<_> = page
        .unwrap()
        .items
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(found.as_slice(), std::slice::from_ref(&listener));
    let delete = || DeleteTrustStore {
        trust_store_arn: store.clone(),
    };
    assert_eq!(
        error(control.delete_trust_store(delete()).await),
        format!("TrustStoreInUse: Trust store '{store}' is currently in use by {listener}")
    );
    let gone = DeleteListener {
        listener_arn: listener,
    };
    control.delete_listener(gone).await.unwrap();
    control.delete_trust_store(delete()).await.unwrap();
    assert_eq!(fixture.stored(), before, "the lists go with it");
    assert_eq!(
        error(control.delete_trust_store(delete()).await),
        "TrustStoreNotFound: The specified trust store does not exist"
    );
}

#[tokio::test]
async fn two_listeners_of_a_load_balancer_can_verify() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let certificate = fixture.certificate("shop").await;
    let store = fixture.trust_store("clients").await;
    for port in [443, 444] {
        let settings = verify(&certificate, &store);
        fixture.verifying(&shop, port, settings).await;
    }
    let third = secure(&shop, 445, verify(&certificate, &store));
    assert_eq!(
        error(fixture.control.create_listener(third).await),
        "InvalidConfigurationRequest: A load balancer can have at most 2 listeners with Mutual Authentication mode \
         verify"
    );
}

#[tokio::test]
async fn lists_of_revoked_certificates_are_added_and_removed() {
    let fixture = fixture().await;
    let store = fixture.trust_store("clients").await;
    let twice = ["revoked.crl", "revoked.crl"];
    assert_eq!(fixture.revoke(&store, &twice).await.unwrap(), [1, 2]);
    let remove = |ids: &[i64]| RemoveTrustStoreRevocations {
        trust_store_arn: store.clone(),
        revocation_ids: ids.to_vec(),
    };
    let control = &fixture.control;
    let wrong = control
        .remove_trust_store_revocations(remove(&[1, 3]))
        .await;
    assert_eq!(
        error(wrong),
        format!("RevocationIdNotFound: Revocation '3' not found in trust store '{store}'")
    );
    let removed = control.remove_trust_store_revocations(remove(&[2])).await;
    removed.unwrap();
    let added = fixture.revoke(&store, &["revoked.crl"]).await.unwrap();
    assert_eq!(added, [3], "ids are not used again");
    let describe = |ids: &[i64], page_size| DescribeTrustStoreRevocations {
        trust_store_arn: store.clone(),
        revocation_ids: ids.to_vec(),
        paging: Paging {
            page_size,
            marker: None,
        },
    };
    let page = control.describe_trust_store_revocations(describe(&[], Some(1)));
    let page = page.await.unwrap();
    assert_eq!(page.items[0].revocation.key.id, 1);
    assert_eq!(page.items[0].revocation.entry_count, 1);
    assert!(page.next_marker.is_some());
    let named = control.describe_trust_store_revocations(describe(&[3, 1], None));
    let named = named.await.unwrap().items;
    let ids: Vec<_> = named.iter().map(|it| it.revocation.key.id).collect();
    assert_eq!(ids, [3, 1]);
    let unknown = control.describe_trust_store_revocations(describe(&[-1], None));
    let unknown = error(unknown.await.map(|_| ()));
    assert!(unknown.starts_with("RevocationIdNotFound: "), "{unknown}");
    let described = control.describe_trust_stores(DescribeTrustStores::default());
    let described = described.await.unwrap().items;
    assert_eq!(described[0].total_revoked_entries, 2);
}

#[tokio::test]
async fn what_is_no_list_of_the_trust_store_is_refused() {
    let fixture = fixture().await;
    let store = fixture.trust_store("clients").await;
    let other = input("others", "intermediate");
    let other = fixture.control.create_trust_store(other).await.unwrap();
    let other = other.trust_store.arn.to_string();
    let before = fixture.stored();
    let invalid = |what: &str| {
        format!("InvalidRevocationContent: The specified revocation content is not valid: {what}")
    };
    for (store, file, expected) in [
        (
            &store,
            "root",
            invalid("the file must have one certificate revocation list"),
        ),
        (
            &store,
            "revoked-v1.crl",
            invalid(
                "it has neither a CRL number nor an authority key identifier, which RFC 5280 section 5.2 requires; \
                 have the authority issue it with both",
            ),
        ),
        (
            &other,
            "revoked.crl",
            invalid("none of the authorities in the trust store signed it"),
        ),
        (
            &store,
            "gone",
            "RevocationContentNotFound: The revocation content 'gone.pem' in the bucket 'certificates' cannot be \
             read: it does not exist"
                .to_owned(),
        ),
    ] {
        let refused = fixture.revoke(store, &["revoked.crl", file]).await;
        assert_eq!(error(refused), expected);
    }
    assert_eq!(
        error(fixture.revoke(&store, &[]).await),
        "Validation: At least one revocation content must be specified"
    );
    assert_eq!(fixture.stored(), before, "all lists or none");
    let many: Vec<_> = std::iter::repeat_n("revoked.crl", 31).collect();
    assert_eq!(
        error(fixture.revoke(&store, &many).await),
        "TooManyTrustStoreRevocationEntries: A trust store can have at most 30 revocation lists with 500000 entries \
         in all"
    );
}

#[tokio::test]
async fn limits_are_settings() {
    let fixture = fixture_with(|settings| {
        settings.limits.trust_stores = 1;
        settings.limits.authorities_per_trust_store = 1;
        settings.limits.revocation_lists_per_trust_store = 1;
        settings.limits.verifying_listeners_per_load_balancer = 1;
    })
    .await;
    let create = async |name: &str, bundle: &str| {
        let created = fixture
            .control
            .create_trust_store(input(name, bundle))
            .await;
        created.map(|it| it.trust_store.arn.to_string())
    };
    assert_eq!(
        error(create("two", "chain").await),
        "InvalidCaCertificatesBundle: The specified CA certificates bundle is not valid: it must have between 1 and 1 \
         certificates and has 2"
    );
    let store = create("one", "root").await.unwrap();
    assert_eq!(
        error(create("two", "root").await),
        "TooManyTrustStores: The maximum number of trust stores has been reached"
    );
    fixture.revoke(&store, &["revoked.crl"]).await.unwrap();
    assert_eq!(
        error(fixture.revoke(&store, &["revoked.crl"]).await),
        "TooManyTrustStoreRevocationEntries: A trust store can have at most 1 revocation lists with 500000 entries in all"
    );
    let shop = fixture.load_balancer("shop").await;
    let certificate = fixture.certificate("shop").await;
    let settings = || verify(&certificate, &store);
    fixture.verifying(&shop, 443, settings()).await;
    let second = fixture
        .control
        .create_listener(secure(&shop, 444, settings()));
    assert_eq!(
        error(second.await),
        "InvalidConfigurationRequest: A load balancer can have at most 1 listeners with Mutual Authentication mode verify"
    );
}

#[tokio::test]
async fn a_trust_store_has_as_many_entries_and_bytes_of_names_as_the_settings_say() {
    let fixture = fixture_with(|settings| settings.limits.name_bytes_per_trust_store = 10).await;
    let created = fixture
        .control
        .create_trust_store(input("one", "root"))
        .await;
    assert_eq!(
        error(created.map(|_| ())),
        "InvalidCaCertificatesBundle: The specified CA certificates bundle is not valid: the names of its authorities \
         have more than 10 bytes"
    );
    let fixture = fixture_with(|settings| {
        settings.limits.revocation_entries_per_trust_store = 0;
    })
    .await;
    let store = fixture.trust_store("one").await;
    assert_eq!(
        error(fixture.revoke(&store, &["revoked.crl"]).await),
        "TooManyTrustStoreRevocationEntries: A trust store can have at most 30 revocation lists with 0 entries in all"
    );
}

#[tokio::test]
async fn trust_stores_are_described_by_name_and_arn_and_have_tags() {
    let fixture = fixture().await;
    let (one, two) = (
        fixture.trust_store("one").await,
        fixture.trust_store("two").await,
    );
    let described = |arns: &[&String], names: &[&str]| {
        let input = DescribeTrustStores {
            trust_store_arns: arns.iter().map(|arn| (*arn).clone()).collect(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            ..DescribeTrustStores::default()
        };
        let control = fixture.control.clone();
        async move {
            let page = control.describe_trust_stores(input).await?;
            let names = page.items.iter().map(|it| it.trust_store.arn.name.clone());
            Ok::<Vec<_>, ElbError>(names.collect())
        }
    };
    assert_eq!(described(&[&two, &one], &[]).await.unwrap(), ["two", "one"]);
    assert_eq!(described(&[], &["two"]).await.unwrap(), ["two"]);
    assert_eq!(described(&[], &[]).await.unwrap().len(), 2);
    assert_eq!(
        error(described(&[], &["three"]).await),
        "TrustStoreNotFound: Trust store 'three' not found"
    );
    let both = error(described(&[&one], &["two"]).await);
    assert!(both.starts_with("Validation: "), "{both}");
    let add = AddTags {
        resource_arns: vec![one.clone()],
        tags: pairs(&[("team", "blue")]),
    };
    fixture.control.add_tags(add).await.unwrap();
    let tags = DescribeTags {
        resource_arns: vec![one],
    };
    let tags = fixture.control.describe_tags(tags).await.unwrap();
    assert_eq!(tags[0].tags.value("team"), Some("blue"));
}

#[tokio::test]
async fn without_objects_the_error_says_what_to_configure() {
    let refused = NoObjects.read(file("root"), 1).await.unwrap_err();
    assert!(refused.to_string().contains("[s3]"), "{refused}");
}

#[tokio::test]
async fn contents_are_downloaded_for_ten_minutes_by_those_who_have_leave() {
    let fixture = fixture().await;
    let store = fixture.trust_store("clients").await;
    let other = fixture.trust_store("others").await;
    fixture.revoke(&store, &["revoked.crl"]).await.unwrap();
    let (bundle, list) = (fixture.bundle(&store).await, fixture.list(&store, 1).await);
    let (bundle, list) = (bundle.unwrap(), list.unwrap());
    let download = |leave: &DownloadLeave| fixture.control.download(leave);
    assert_eq!(download(&bundle).unwrap().trim(), text("root"));
    assert_eq!(download(&list).unwrap().trim(), text("revoked.crl"));

    let of_other = fixture.bundle(&other).await.unwrap();
    for changed in [
        DownloadLeave {
            content: of_other.content,
            ..bundle.clone()
        },
        DownloadLeave {
            content: list.content,
            ..bundle.clone()
        },
        DownloadLeave {
            expires_at: bundle.expires_at + 1,
            ..bundle.clone()
        },
        DownloadLeave {
            signature: String::new(),
            ..bundle.clone()
        },
    ] {
        assert_eq!(download(&changed), Err(DownloadError::NotSigned));
    }

    fixture.clock.0.advance(Duration::from_secs(599));
    let input = RemoveTrustStoreRevocations {
        trust_store_arn: store.clone(),
        revocation_ids: vec![1],
    };
    fixture
        .control
        .remove_trust_store_revocations(input)
        .await
        .unwrap();
    assert_eq!(download(&list), Err(DownloadError::Gone));
    assert!(download(&bundle).is_ok());
    fixture.clock.0.advance(Duration::from_secs(1));
    assert_eq!(download(&bundle), Err(DownloadError::Expired));
}

#[tokio::test]
async fn contents_that_are_not_there_have_no_download() {
    let fixture = fixture().await;
    let store = fixture.trust_store("clients").await;
    let gone = error(fixture.list(&store, 1).await);
    assert!(gone.contains("Revocation '1' not found"), "{gone}");
    let last = if store.ends_with('0') { "1" } else { "0" };
    let unknown = format!("{}{last}", &store[..store.len() - 1]);
    let unknown = error(fixture.bundle(&unknown).await);
    assert!(
        unknown.contains("The specified trust store does not exist"),
        "{unknown}"
    );
}

impl Fixture {
    async fn bundle(&self, trust_store: &str) -> Result<DownloadLeave, ElbError> {
        let input = GetTrustStoreCaCertificatesBundle {
            trust_store_arn: trust_store.to_owned(),
        };
        let leave = self
            .control
            .get_trust_store_ca_certificates_bundle(input)
            .await?;
        assert!(matches!(leave.content, TrustStoreContent::Bundle(_)));
        Ok(leave)
    }

    async fn list(&self, trust_store: &str, id: i64) -> Result<DownloadLeave, ElbError> {
        let input = GetTrustStoreRevocationContent {
            trust_store_arn: trust_store.to_owned(),
            revocation_id: id,
        };
        self.control.get_trust_store_revocation_content(input).await
    }
}

fn text(name: &str) -> String {
    String::from_utf8(pem(name)).unwrap().trim().to_owned()
}
