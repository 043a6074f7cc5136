//! `CreateTrustStore`, `DescribeTrustStores`, `ModifyTrustStore`, `DeleteTrustStore` and
//! `DescribeTrustStoreAssociations`: the authorities that may vouch for clients, and who relies on them.

use std::sync::Arc;

use model::arn::{ListenerArn, TrustStoreArn};
use model::id::{ListenerId, TrustStoreId};
use model::tag::Tags;
use model::trust_store::{TrustStore, TrustStoreRevocation, is_name};

use super::input::Pairs;
use super::trust_store_content::{Bundle, bundle, bundle_bytes_max};
use super::{ElbError, Page, Paging, check, find};
use crate::objects::ObjectName;
use crate::{Control, Draft, State};

/// Source: ELB API, `CreateTrustStore`.
#[derive(Clone, Debug)]
pub struct CreateTrustStore {
    /// `Name`.
    pub name: String,
    /// `CaCertificatesBundleS3Bucket`, `…Key` and `…ObjectVersion`.
    pub bundle: ObjectName,
    /// `Tags`.
    pub tags: Pairs,
}

/// Source: ELB API, `DescribeTrustStores`.
#[derive(Clone, Debug, Default)]
pub struct DescribeTrustStores {
    /// `TrustStoreArns`.
    pub trust_store_arns: Vec<String>,
    /// `Names`.
    pub names: Vec<String>,
    /// `Marker` and `PageSize`.
    pub paging: Paging,
}

/// Source: ELB API, `ModifyTrustStore`.
#[derive(Clone, Debug)]
pub struct ModifyTrustStore {
    /// `TrustStoreArn`.
    pub trust_store_arn: String,
    /// `CaCertificatesBundleS3Bucket`, `…Key` and `…ObjectVersion`.
    pub bundle: ObjectName,
}

/// Source: ELB API, `DeleteTrustStore`.
#[derive(Clone, Debug, Default)]
pub struct DeleteTrustStore {
    /// `TrustStoreArn`.
    pub trust_store_arn: String,
}

/// Source: ELB API, `DescribeTrustStoreAssociations`.
#[derive(Clone, Debug, Default)]
pub struct DescribeTrustStoreAssociations {
    /// `TrustStoreArn`.
    pub trust_store_arn: String,
    /// `Marker` and `PageSize`.
    pub paging: Paging,
}

/// A trust store with what its lists add up to.
#[derive(Clone, Debug)]
pub struct TrustStoreDescription {
    /// The trust store.
    pub trust_store: Arc<TrustStore>,
    /// `TotalRevokedEntries`.
    pub total_revoked_entries: usize,
}

impl Control {
    /// Creates a trust store from a bundle of authorities.
    ///
    /// # Errors
    /// `CaCertificatesBundleNotFound`, `DuplicateTagKeys`, `DuplicateTrustStoreName`,
    /// `InvalidCaCertificatesBundle`, `TooManyTags`, `TooManyTrustStores`, `Validation`.
    pub async fn create_trust_store(
        &self,
        input: CreateTrustStore,
    ) -> Result<TrustStoreDescription, ElbError> {
        if !is_name(&input.name) {
            let pattern = "satisfy regular expression pattern: ([a-zA-Z0-9]+-)*[a-zA-Z0-9]+";
            return Err(check::violation("name", &input.name, pattern));
        }
        let bundle = self.read_bundle(input.bundle.clone()).await?;
        self.transact(move |draft| create(draft, &input, bundle))
            .await
    }

    /// Describes trust stores.
    ///
    /// # Errors
    /// `TrustStoreNotFound` if one that is named does not exist, `Validation`.
    pub async fn describe_trust_stores(
        &self,
        input: DescribeTrustStores,
    ) -> Result<Page<TrustStoreDescription>, ElbError> {
        self.read(|state| describe(state, &input))
    }

    /// Replaces the authorities of a trust store.
    ///
    /// # Errors
    /// `CaCertificatesBundleNotFound`, `InvalidCaCertificatesBundle`, `TrustStoreNotFound`, `Validation`.
    pub async fn modify_trust_store(
        &self,
        input: ModifyTrustStore,
    ) -> Result<TrustStoreDescription, ElbError> {
        self.read(|state| find::trust_store(state, &input.trust_store_arn).map(|_| ()))?;
        let bundle = self.read_bundle(input.bundle.clone()).await?;
        self.transact(move |draft| {
            let present =
                TrustStore::clone(find::trust_store(draft.state(), &input.trust_store_arn)?);
            let modified = draft.put(TrustStore {
                authorities: bundle.authorities,
                authority_count: bundle.count,
                ..present
            });
            Ok(TrustStoreDescription::of(draft.state(), &modified))
        })
        .await
    }

    /// Deletes a trust store that no listener relies on, with its lists.
    ///
    /// # Errors
    /// `TrustStoreInUse`, `TrustStoreNotFound`, `Validation`.
    pub async fn delete_trust_store(&self, input: DeleteTrustStore) -> Result<(), ElbError> {
        self.transact(move |draft| delete(draft, &input.trust_store_arn))
            .await
    }

    /// The listeners that rely on a trust store.
    ///
    /// # Errors
    /// `TrustStoreNotFound`, `Validation`.
    pub async fn describe_trust_store_associations(
        &self,
        input: DescribeTrustStoreAssociations,
    ) -> Result<Page<ListenerArn>, ElbError> {
        self.read(|state| {
            let arn = &find::trust_store(state, &input.trust_store_arn)?.arn;
            let listeners = users(state, arn).into_iter();
            input.paging.page(
                "trust-store-associations",
                listeners,
                |listener: &ListenerArn| listener.id,
                |marker| marker.parse::<ListenerId>().ok(),
            )
        })
    }

    async fn read_bundle(&self, name: ObjectName) -> Result<Bundle, ElbError> {
        let (bucket, key) = (name.bucket.clone(), name.key.clone());
        let limits = &self.settings().limits;
        let objects = &self.inner.parts.objects;
        let read = objects.read(name, bundle_bytes_max(limits)).await;
        let text = read.map_err(|error| {
            ElbError::CaCertificatesBundleNotFound(format!(
                "The CA certificates bundle '{key}' in the bucket '{bucket}' cannot be read: {error}"
            ))
        })?;
        bundle(&text, limits)
    }
}

impl TrustStoreDescription {
    fn of(state: &State, trust_store: &Arc<TrustStore>) -> Self {
        let lists = state.elb.revocations_of(trust_store.arn.id);
        Self {
            total_revoked_entries: lists.map(|list| list.entry_count).sum(),
            trust_store: Arc::clone(trust_store),
        }
    }
}

fn create(
    draft: &mut Draft,
    input: &CreateTrustStore,
    bundle: Bundle,
) -> Result<TrustStoreDescription, ElbError> {
    let tags = Tags::default().with(&input.tags)?;
    let present = &draft.state().elb.trust_stores;
    if present.values().any(|it| it.arn.name == input.name) {
        return Err(ElbError::DuplicateTrustStoreName(format!(
            "A trust store with the name '{}' already exists",
            input.name
        )));
    }
    let limit = draft.settings().limits.trust_stores;
    if present.len() >= limit {
        return Err(ElbError::TooManyTrustStores(
            "The maximum number of trust stores has been reached".to_owned(),
        ));
    }
    let created = TrustStore {
        arn: TrustStoreArn {
            place: draft.place(),
            name: input.name.clone(),
            id: new_id(draft),
        },
        authorities: bundle.authorities,
        authority_count: bundle.count,
        next_revocation: 1,
        tags,
    };
    let created = draft.put(created);
    Ok(TrustStoreDescription::of(draft.state(), &created))
}

fn describe(
    state: &State,
    input: &DescribeTrustStores,
) -> Result<Page<TrustStoreDescription>, ElbError> {
    let named = |name: &String| {
        let mut all = state.elb.trust_stores.values();
        all.find(|it| it.arn.name == *name)
            .ok_or_else(|| ElbError::TrustStoreNotFound(format!("Trust store '{name}' not found")))
    };
    let described = |found: &Arc<TrustStore>| TrustStoreDescription::of(state, found);
    let found: Result<Vec<_>, _> = match (input.trust_store_arns.as_slice(), input.names.as_slice())
    {
        ([], []) => {
            return input.paging.page(
                "trust-stores",
                state.elb.trust_stores.values().map(described),
                |it: &TrustStoreDescription| it.trust_store.arn.id,
                |marker| marker.parse().ok(),
            );
        }
        (arns, []) => arns
            .iter()
            .map(|arn| find::trust_store(state, arn))
            .collect(),
        ([], names) => names.iter().map(named).collect(),
        _ => Err(ElbError::Validation(
            "Trust store names and trust store ARNs cannot be specified at the same time"
                .to_owned(),
        )),
    };
    Ok(Page {
        items: found?.into_iter().map(described).collect(),
        next_marker: None,
    })
}

fn delete(draft: &mut Draft, arn: &str) -> Result<(), ElbError> {
    let arn = find::trust_store(draft.state(), arn)?.arn.clone();
    let users = users(draft.state(), &arn);
    if !users.is_empty() {
        let users: Vec<_> = users.iter().map(ToString::to_string).collect();
        return Err(ElbError::TrustStoreInUse(format!(
            "Trust store '{arn}' is currently in use by {}",
            users.join(", ")
        )));
    }
    let lists = draft.state().elb.revocations_of(arn.id);
    let keys: Vec<_> = lists.map(|list| list.key).collect();
    for key in keys {
        draft.remove::<TrustStoreRevocation>(&key);
    }
    draft.remove::<TrustStore>(&arn.id);
    Ok(())
}

/// The listeners that rely on a trust store, by id.
pub(super) fn users(state: &State, trust_store: &TrustStoreArn) -> Vec<ListenerArn> {
    let listeners = state.elb.listeners.values();
    let relies = listeners.filter(|listener| {
        let tls = listener.tls.as_ref();
        tls.and_then(|tls| tls.trust_store()) == Some(trust_store)
    });
    relies.map(|listener| listener.arn.clone()).collect()
}

fn new_id(draft: &Draft) -> TrustStoreId {
    loop {
        let id = TrustStoreId(draft.draw());
        if draft.state().find::<TrustStore>(&id).is_none() {
            return id;
        }
    }
}
