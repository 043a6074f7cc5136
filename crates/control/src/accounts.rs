//! Several accounts in one process: each has a control plane of its own, and with it resources, limits and access
//! keys of its own. What they have to agree on is in `neighbours`.
//!
//! The account of the configuration is the first one. It keeps the list of the others, and its root key may act in
//! all of them.
//!
//! | operation | input | answer |
//! |---|---|---|
//! | create | `CreateAccount` | `Arc<Account>` |
//! | list | | `Vec<Arc<Account>>` |
//! | find_access_key | the id | the account's `Control`, `Arc<AccessKey>`, `Secret` |

mod blocks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use model::access_key::AccessKey;
use model::account::{Account, AccountId, InvalidAccountId};
use model::secret::Secret;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;

use crate::control::load_table;
use crate::ec2::{Topology, ZoneTopology};
use crate::neighbours::Neighbours;
use crate::record::{Record, Table};
use crate::state::State;
use crate::{CommitError, Control, Draft, OpenError, Parts, SealedError, Settings};
use blocks::UnusableBlock;

/// Most accounts beside the first. Each has networks of its own, of which loopback has no more.
pub const ACCOUNTS_MAX: usize = 100;

/// The control planes of all accounts. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Accounts {
    inner: Arc<Inner>,
}

struct Inner {
    first: Control,
    others: RwLock<BTreeMap<AccountId, Control>>,
    /// Told when there is one more.
    added: watch::Sender<()>,
    /// Held while an account is made, so that no two choose the same blocks.
    making: Mutex<()>,
}

/// A new account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateAccount {
    /// Its id: 12 digits.
    pub account_id: String,
    /// The block of its default VPC; `None`: one that is free, if the first account's VPC is on loopback.
    pub vpc_cidr: Option<String>,
    /// The block of its Elastic IP addresses; `None`: one that is free on loopback, if the first account's VPC is
    /// there and has Elastic IP addresses; else none.
    pub elastic_cidr: Option<String>,
}

/// Why an account was not made or not found. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The id is none. Status 400.
    #[error(transparent)]
    Id(#[from] InvalidAccountId),
    /// A block cannot be that of an account. Status 400.
    #[error(transparent)]
    Block(#[from] UnusableBlock),
    /// There is an account with the id. Status 409.
    #[error("There is an account {0} already.")]
    EntityAlreadyExists(AccountId),
    /// There are as many accounts as there can be. Status 409.
    #[error(
        "There are {ACCOUNTS_MAX} accounts beside the first one, which are as many as there can be."
    )]
    LimitExceeded,
    /// There is no account with the id. Status 404.
    #[error("There is no account {0}; make it with 'elbow account create {0}'.")]
    NoSuchEntity(String),
    /// `ServiceFailure`, status 500: the change could not be made; the cause belongs in the log.
    #[error("the change could not be saved and nothing was changed; the request may be repeated")]
    Internal(#[from] OpenError),
}

impl From<CommitError> for AccountError {
    fn from(error: CommitError) -> Self {
        Self::Internal(error.into())
    }
}

impl Record for Account {
    const KIND: &'static str = "elbow/account";
    type Key = AccountId;

    fn key(&self) -> AccountId {
        self.id.clone()
    }

    fn table(state: &State) -> &Table<AccountId, Self> {
        &state.access.accounts
    }

    fn table_mut(state: &mut State) -> &mut Table<AccountId, Self> {
        &mut state.access.accounts
    }
}

impl From<Control> for Accounts {
    /// The first account alone; those that its state names are not opened.
    fn from(first: Control) -> Self {
        Self {
            inner: Arc::new(Inner {
                first,
                others: RwLock::default(),
                added: watch::Sender::new(()),
                making: Mutex::default(),
            }),
        }
    }
}

impl Accounts {
    /// Opens the account of the settings in `parts`, and then every other there is, as `Control::open` does it.
    ///
    /// # Errors
    /// Those of `Control::open`, `OpenError::AccountTwice` and `OpenError::Account`.
    pub async fn open(parts: Parts) -> Result<Self, OpenError> {
        let neighbours = Neighbours::over(Arc::clone(&parts.plane));
        // Before anything is opened that could take an address of theirs.
        for account in load_table::<Account>(&parts, String::new()).await?.values() {
            if parts.settings.place.account == account.id.as_str() {
                return Err(OpenError::AccountTwice(account.id.clone()));
            }
            let subnets = load_table(&parts, prefix_of(account)).await?;
            let settings = settings_of(account, &parts.settings);
            neighbours.occupy(account.id.as_str(), &subnets, &settings.topology);
        }
        let first = Control::open_beside(neighbours, parts, String::new()).await?;
        let accounts = Self::from(first);
        for account in accounts.list() {
            let opened = accounts.open_one(&account).await;
            opened.map_err(|source| OpenError::Account {
                id: account.id.clone(),
                source: Box::new(source),
            })?;
        }
        Ok(accounts)
    }

    async fn open_one(&self, account: &Account) -> Result<(), OpenError> {
        let first = &self.inner.first.inner;
        let mut parts = first.parts.clone();
        parts.settings = settings_of(account, &parts.settings);
        let neighbours = Arc::clone(&first.plane.neighbours);
        let control = Control::open_beside(neighbours, parts, prefix_of(account)).await?;
        let mut others = self
            .inner
            .others
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        others.insert(account.id.clone(), control);
        self.inner.added.send_replace(());
        Ok(())
    }

    fn others(&self) -> RwLockReadGuard<'_, BTreeMap<AccountId, Control>> {
        // Nothing can panic while it is locked.
        self.inner
            .others
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Accounts {
    /// The account of the configuration.
    #[must_use]
    pub fn first(&self) -> &Control {
        &self.inner.first
    }

    /// Every account, the first one first and the others by their ids.
    #[must_use]
    pub fn all(&self) -> Vec<Control> {
        let others = self.others();
        let first = std::iter::once(&self.inner.first);
        first.chain(others.values()).cloned().collect()
    }

    /// The account with this id.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub fn of(&self, id: &str) -> Result<Control, AccountError> {
        let mut all = self.all().into_iter();
        all.find(|control| control.settings().place.account == id)
            .ok_or_else(|| AccountError::NoSuchEntity(id.to_owned()))
    }

    /// The accounts beside the first, by their ids.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<Account>> {
        let first = &self.inner.first;
        first.read(|state| state.access.accounts.values().cloned().collect())
    }

    /// Makes an account with the inventory that each begins with. It has no access key yet.
    ///
    /// # Errors
    /// `Id`, `Block`, `EntityAlreadyExists`, `LimitExceeded`.
    pub async fn create(&self, input: CreateAccount) -> Result<Arc<Account>, AccountError> {
        let _making = self.inner.making.lock().await;
        let id: AccountId = input.account_id.parse()?;
        let first = &self.inner.first;
        if first.settings().place.account == id.as_str() || self.others().contains_key(&id) {
            return Err(AccountError::EntityAlreadyExists(id));
        }
        let made = self.make(id.clone(), input).await;
        if made.is_err() {
            first.inner.plane.neighbours.forget(id.as_str());
        }
        made
    }

    /// Records an account and opens it. One that was recorded and could not be opened is opened as it is.
    async fn make(
        &self,
        id: AccountId,
        input: CreateAccount,
    ) -> Result<Arc<Account>, AccountError> {
        let first = &self.inner.first;
        let neighbours = Arc::clone(&first.inner.plane.neighbours);
        let record = move |draft: &mut Draft| {
            let account = match draft.state().find::<Account>(&id) {
                Some(recorded) => Arc::clone(recorded),
                None => create(draft, id, &input)?,
            };
            // From now on nobody else takes them.
            let topology = settings_of(&account, draft.settings()).topology;
            neighbours.occupy(account.id.as_str(), &Table::new(), &topology);
            Ok::<_, AccountError>(account)
        };
        let account = first.transact(record).await?;
        if let Err(error) = self.open_one(&account).await {
            let id = account.id.clone();
            let removed = first.transact(move |draft| {
                draft.remove::<Account>(&id);
                Ok::<_, CommitError>(())
            });
            removed.await?;
            return Err(error.into());
        }
        Ok(account)
    }

    /// The access key with this id, its secret, and the account that it is a key of.
    ///
    /// # Errors
    /// The secret does not open: the data directory has another secret key.
    pub fn find_access_key(
        &self,
        id: &str,
    ) -> Result<Option<(Control, Arc<AccessKey>, Secret)>, SealedError> {
        for control in self.all() {
            if let Some((key, secret)) = control.find_access_key(id)? {
                return Ok(Some((control, key, secret)));
            }
        }
        Ok(None)
    }

    /// Does for every account what is due at its time, also for those that are still to come; never returns.
    pub async fn run_background(&self) {
        let mut added = self.inner.added.subscribe();
        let mut running = JoinSet::new();
        let mut served = BTreeSet::new();
        loop {
            added.mark_unchanged();
            for control in self.all() {
                if served.insert(control.settings().place.account.clone()) {
                    running.spawn(async move { control.run_background().await });
                }
            }
            // The sender lives as long as this.
            let _ = added.changed().await;
        }
    }
}

/// What the keys of its records in the store begin with.
fn prefix_of(account: &Account) -> String {
    format!("account/{}/", account.id)
}

fn create(
    draft: &mut Draft,
    id: AccountId,
    input: &CreateAccount,
) -> Result<Arc<Account>, AccountError> {
    if draft.state().access.accounts.len() >= ACCOUNTS_MAX {
        return Err(AccountError::LimitExceeded);
    }
    let blocks = blocks::choose(draft, input)?;
    let account = Account {
        id,
        vpc_cidr: blocks.vpc,
        elastic_cidr: blocks.elastic,
        subnets: blocks.subnets,
        created_at_millis: draft.now_millis(),
    };
    Ok(draft.put(account))
}

/// What the operator decides, for another account than the first.
fn settings_of(account: &Account, first: &Settings) -> Settings {
    let mut settings = first.clone();
    settings.place.account = account.id.to_string();
    let zone = |of_first: &ZoneTopology| {
        let mut subnets = account.subnets.iter();
        ZoneTopology {
            name: of_first.name.clone(),
            // None in a zone that the configuration has got since.
            subnet: subnets
                .find(|subnet| subnet.zone == of_first.name)
                .map(|subnet| subnet.cidr),
            subnet_ipv6: None,
        }
    };
    settings.topology = Topology {
        vpc: account.vpc_cidr,
        vpc_ipv6: None,
        elastic: account.elastic_cidr,
        zones: first.topology.zones.iter().map(zone).collect(),
    };
    settings
        .cognito_user_pools
        .retain(|pool| pool.arn.split(':').nth(4) == Some(account.id.as_str()));
    settings
}
