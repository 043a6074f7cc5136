//! `AddTrustStoreRevocations`, `DescribeTrustStoreRevocations` and `RemoveTrustStoreRevocations`: the
//! certificates that the authorities of a trust store have called back.

use std::sync::Arc;

use model::text_enum;
use model::trust_store::{RevocationKey, TrustStore, TrustStoreRevocation};

use super::trust_store_content::{REVOCATION_BYTES_MAX, revocation_list};
use super::{ElbError, Page, Paging, find};
use crate::objects::ObjectName;
use crate::{Control, Draft, State};

text_enum! {
    /// Source: ELB API, `RevocationType`.
    pub enum RevocationType {
        /// A certificate revocation list.
        Crl = "CRL",
    }
}

/// Source: ELB API, `RevocationContent`.
#[derive(Clone, Debug, Default)]
pub struct RevocationContent {
    /// `S3Bucket`.
    pub s3_bucket: Option<String>,
    /// `S3Key`.
    pub s3_key: Option<String>,
    /// `S3ObjectVersion`.
    pub s3_object_version: Option<String>,
    /// `RevocationType`; there is only one.
    pub revocation_type: Option<RevocationType>,
}

/// Source: ELB API, `AddTrustStoreRevocations`.
#[derive(Clone, Debug, Default)]
pub struct AddTrustStoreRevocations {
    /// `TrustStoreArn`.
    pub trust_store_arn: String,
    /// `RevocationContents`.
    pub revocation_contents: Vec<RevocationContent>,
}

/// Source: ELB API, `DescribeTrustStoreRevocations`.
#[derive(Clone, Debug, Default)]
pub struct DescribeTrustStoreRevocations {
    /// `TrustStoreArn`.
    pub trust_store_arn: String,
    /// `RevocationIds`; empty: all.
    pub revocation_ids: Vec<i64>,
    /// `Marker` and `PageSize`.
    pub paging: Paging,
}

/// Source: ELB API, `RemoveTrustStoreRevocations`.
#[derive(Clone, Debug, Default)]
pub struct RemoveTrustStoreRevocations {
    /// `TrustStoreArn`.
    pub trust_store_arn: String,
    /// `RevocationIds`.
    pub revocation_ids: Vec<i64>,
}

/// Some lists of one trust store.
#[derive(Clone, Debug)]
pub struct RevocationDescription {
    /// `TrustStoreArn`.
    pub trust_store: Arc<TrustStore>,
    /// The list.
    pub revocation: Arc<TrustStoreRevocation>,
}

impl Control {
    /// Adds lists of revoked certificates: all of them or none.
    ///
    /// # Errors
    /// `InvalidRevocationContent`, `RevocationContentNotFound`, `TooManyTrustStoreRevocationEntries`,
    /// `TrustStoreNotFound`, `Validation`.
    pub async fn add_trust_store_revocations(
        &self,
        input: AddTrustStoreRevocations,
    ) -> Result<Vec<RevocationDescription>, ElbError> {
        self.read(|state| find::trust_store(state, &input.trust_store_arn).map(|_| ()))?;
        if input.revocation_contents.is_empty() {
            return Err(ElbError::Validation(
                "At least one revocation content must be specified".to_owned(),
            ));
        }
        let mut files = Vec::new();
        for content in &input.revocation_contents {
            files.push(self.read_revocations(content).await?);
        }
        self.transact(move |draft| add(draft, &input.trust_store_arn, &files))
            .await
    }

    /// Describes lists of revoked certificates, by id.
    ///
    /// # Errors
    /// `RevocationIdNotFound`, `TrustStoreNotFound`, `Validation`.
    pub async fn describe_trust_store_revocations(
        &self,
        input: DescribeTrustStoreRevocations,
    ) -> Result<Page<RevocationDescription>, ElbError> {
        self.read(|state| describe(state, &input))
    }

    /// Removes lists of revoked certificates: all of them or none.
    ///
    /// # Errors
    /// `RevocationIdNotFound`, `TrustStoreNotFound`, `Validation`.
    pub async fn remove_trust_store_revocations(
        &self,
        input: RemoveTrustStoreRevocations,
    ) -> Result<(), ElbError> {
        self.transact(move |draft| {
            let trust_store = Arc::clone(find::trust_store(draft.state(), &input.trust_store_arn)?);
            for id in &input.revocation_ids {
                let key = found(draft.state(), &trust_store, *id)?.key;
                draft.remove::<TrustStoreRevocation>(&key);
            }
            Ok(())
        })
        .await
    }

    async fn read_revocations(&self, content: &RevocationContent) -> Result<Vec<u8>, ElbError> {
        let (Some(bucket), Some(key)) = (&content.s3_bucket, &content.s3_key) else {
            return Err(ElbError::Validation(
                "A revocation content must have an S3 bucket and an S3 key".to_owned(),
            ));
        };
        let name = ObjectName {
            bucket: bucket.clone(),
            key: key.clone(),
            version: content.s3_object_version.clone(),
        };
        let objects = &self.inner.parts.objects;
        let read = objects.read(name, REVOCATION_BYTES_MAX).await;
        read.map_err(|error| {
            ElbError::RevocationContentNotFound(format!(
                "The revocation content '{key}' in the bucket '{bucket}' cannot be read: {error}"
            ))
        })
    }
}

fn add(
    draft: &mut Draft,
    arn: &str,
    files: &[Vec<u8>],
) -> Result<Vec<RevocationDescription>, ElbError> {
    let mut trust_store = TrustStore::clone(find::trust_store(draft.state(), arn)?);
    let mut added = Vec::new();
    for file in files {
        let list = revocation_list(file, &trust_store.authorities)?;
        added.push(draft.put(TrustStoreRevocation {
            key: RevocationKey {
                trust_store: trust_store.arn.id,
                id: trust_store.next_revocation,
            },
            content: list.content,
            entry_count: list.entry_count,
        }));
        trust_store.next_revocation += 1;
    }
    let trust_store = draft.put(trust_store);
    let lists: Vec<_> = draft
        .state()
        .elb
        .revocations_of(trust_store.arn.id)
        .collect();
    let entries: usize = lists.iter().map(|list| list.entry_count).sum();
    let limits = &draft.settings().limits;
    let lists_max = limits.revocation_lists_per_trust_store;
    let entries_max = limits.revocation_entries_per_trust_store;
    if lists.len() > lists_max || entries > entries_max {
        return Err(ElbError::TooManyTrustStoreRevocationEntries(format!(
            "A trust store can have at most {lists_max} revocation lists with {entries_max} entries in all"
        )));
    }
    Ok(added
        .into_iter()
        .map(|revocation| RevocationDescription {
            trust_store: Arc::clone(&trust_store),
            revocation,
        })
        .collect())
}

fn describe(
    state: &State,
    input: &DescribeTrustStoreRevocations,
) -> Result<Page<RevocationDescription>, ElbError> {
    let trust_store = find::trust_store(state, &input.trust_store_arn)?;
    let described = |revocation: &Arc<TrustStoreRevocation>| RevocationDescription {
        trust_store: Arc::clone(trust_store),
        revocation: Arc::clone(revocation),
    };
    if input.revocation_ids.is_empty() {
        return input.paging.page(
            "revocations",
            state.elb.revocations_of(trust_store.arn.id).map(described),
            |it: &RevocationDescription| it.revocation.key.id,
            |marker| marker.parse().ok(),
        );
    }
    let ids = input.revocation_ids.iter();
    let named = ids.map(|id| Ok(described(found(state, trust_store, *id)?)));
    Ok(Page {
        items: named.collect::<Result<_, ElbError>>()?,
        next_marker: None,
    })
}

/// The list of this id.
pub(super) fn found<'a>(
    state: &'a State,
    trust_store: &TrustStore,
    id: i64,
) -> Result<&'a Arc<TrustStoreRevocation>, ElbError> {
    let key = u64::try_from(id).ok().map(|id| RevocationKey {
        trust_store: trust_store.arn.id,
        id,
    });
    let found = key.and_then(|key| state.elb.revocations.get(&key));
    found.ok_or_else(|| {
        ElbError::RevocationIdNotFound(format!(
            "Revocation '{id}' not found in trust store '{}'",
            trust_store.arn
        ))
    })
}
