//! Access keys beside the root key: they are made, listed and revoked here, and found when a request is signed.
//!
//! | operation | input | answer |
//! |---|---|---|
//! | create_access_key | `CreateAccessKey` | `(Arc<AccessKey>, Secret)` |
//! | list_access_keys | | `Vec<Arc<AccessKey>>` |
//! | delete_access_key | the id | `()` |
//!
//! The errors have the names that IAM gives them.

use std::sync::Arc;

use model::access_key::{ACCESS_KEY_DRAWS, Access, AccessKey, InvalidUserName, UserName, spell};
use model::account::{Account, AccountId};
use model::secret::Secret;

use crate::record::{Record, Table};
use crate::state::State;
use crate::{CommitError, Control, Draft, SealedError};

/// Most keys beside the root key; each is looked at only by its id, so that this bounds the state alone.
pub const ACCESS_KEYS_MAX: usize = 1000;

/// Who may do something here.
#[derive(Clone, Debug, Default)]
pub struct AccessState {
    /// By id.
    pub keys: Table<String, AccessKey>,
    /// In the first account, the others by id; else none.
    pub accounts: Table<AccountId, Account>,
}

impl Record for AccessKey {
    const KIND: &'static str = "elbow/access-key";
    type Key = String;

    fn key(&self) -> String {
        self.id.clone()
    }

    fn table(state: &State) -> &Table<String, Self> {
        &state.access.keys
    }

    fn table_mut(state: &mut State) -> &mut Table<String, Self> {
        &mut state.access.keys
    }
}

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct CreateAccessKey {
    /// `UserName`; `None`: the id of the key.
    pub user_name: Option<String>,
    /// `Access`.
    pub access: Access,
}

/// Why an operation on access keys did nothing. Variants are named for the codes of IAM.
#[derive(Debug, thiserror::Error)]
pub enum AccessKeyError {
    /// The name cannot be that of a user. Status 400.
    #[error(transparent)]
    Validation(#[from] InvalidUserName),
    /// Another key has the name. Status 409.
    #[error(
        "The access key {holder} has the name {user_name}; choose another name or revoke that key."
    )]
    EntityAlreadyExists {
        /// The name.
        user_name: String,
        /// The id of the key that has it.
        holder: String,
    },
    /// There are as many keys as there can be. Status 409.
    #[error("There are {ACCESS_KEYS_MAX} access keys; revoke those that are not in use.")]
    LimitExceeded,
    /// There is no such key. Status 404.
    #[error("The Access Key with id {0} cannot be found.")]
    NoSuchEntity(String),
    /// `ServiceFailure`, status 500: the change could not be made; the cause belongs in the log.
    #[error("the change could not be saved and nothing was changed; the request may be repeated")]
    Internal(#[from] CommitError),
}

impl Control {
    /// Makes a key that is good as soon as this returns. Its secret is told this once.
    ///
    /// # Errors
    /// `Validation`, `EntityAlreadyExists`, `LimitExceeded`.
    pub async fn create_access_key(
        &self,
        input: CreateAccessKey,
    ) -> Result<(Arc<AccessKey>, Secret), AccessKeyError> {
        self.transact(move |draft| create(draft, &input)).await
    }

    /// The keys, in the order in which they were made.
    #[must_use]
    pub fn list_access_keys(&self) -> Vec<Arc<AccessKey>> {
        let mut keys: Vec<_> = self.read(|state| state.access.keys.values().cloned().collect());
        keys.sort_by_key(|key| key.created_at_millis);
        keys
    }

    /// Revokes a key: no request that comes after this returns is accepted with it.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn delete_access_key(&self, id: String) -> Result<(), AccessKeyError> {
        self.transact(move |draft| match draft.remove::<AccessKey>(&id) {
            Some(_) => Ok(()),
            None => Err(AccessKeyError::NoSuchEntity(id)),
        })
        .await
    }

    /// Whether there is a key with this id in this account.
    #[must_use]
    pub fn has_access_key(&self, id: &str) -> bool {
        self.read(|state| state.access.keys.contains_key(id))
    }

    /// The key with this id and its secret.
    ///
    /// # Errors
    /// The secret does not open: the data directory has another secret key.
    pub fn find_access_key(
        &self,
        id: &str,
    ) -> Result<Option<(Arc<AccessKey>, Secret)>, SealedError> {
        let key = self.read(|state| state.access.keys.get(id).cloned());
        key.map(|key| {
            let secret = self.secret_key().open(&key.id, &key.sealed_secret)?;
            Ok((key, secret.into()))
        })
        .transpose()
    }
}

fn create(
    draft: &mut Draft,
    input: &CreateAccessKey,
) -> Result<(Arc<AccessKey>, Secret), AccessKeyError> {
    let keys = &draft.state().access.keys;
    if keys.len() >= ACCESS_KEYS_MAX {
        return Err(AccessKeyError::LimitExceeded);
    }
    let (id, secret) = new_pair(keys);
    let user_name: UserName = input.user_name.as_deref().unwrap_or(&id).parse()?;
    if let Some(holder) = keys.values().find(|key| key.user_name == user_name) {
        return Err(AccessKeyError::EntityAlreadyExists {
            user_name: user_name.to_string(),
            holder: holder.id.clone(),
        });
    }
    let key = AccessKey {
        user_name,
        access: input.access,
        sealed_secret: draft.secret_key().seal(&id, &secret),
        created_at_millis: draft.now_millis(),
        id,
    };
    Ok((draft.put(key), secret.into()))
}

/// A key that nobody can guess. The ids of the draft need not be secret, so they will not do.
fn new_pair(keys: &Table<String, AccessKey>) -> (String, String) {
    loop {
        let mut draws = [0; ACCESS_KEY_DRAWS];
        aws_lc_rs::rand::fill(&mut draws).expect("there are random numbers");
        let (id, secret) = spell(&draws);
        if !keys.contains_key(&id) {
            return (id, secret);
        }
    }
}
