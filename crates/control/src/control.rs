//! The one value through which the intended state is read and changed.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use engine::router::CompileError;
use model::Cidr;
use model::account::AccountId;
use model::arn::ListenerArn;
use store::record::RecordError;
use store::{Revision, Store, Transaction};
use tokio::sync::watch;

use crate::acm::issuing::Unsettled;
use crate::ec2::network_interfaces::forget_tags;
use crate::ec2::{InventoryError, ensure_inventory, lookups};
use crate::issuer::Issuer;
use crate::lower::{LowerError, Lowered, lower};
use crate::neighbours::{AccountPlane, Neighbours};
use crate::objects::ObjectStore;
use crate::plane::{BindError, DataPlane};
use crate::record::{self, Decoded, Record, Table};
use crate::seams::{Clock, Ids};
use crate::secrets::{SealedError, SecretKey};
use crate::settings::Settings;
use crate::state::{Draft, State};

/// The control plane. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Control {
    pub(crate) inner: Arc<Inner>,
}

/// What a control plane is made of.
#[derive(Clone)]
pub struct Parts {
    /// Where the state is kept.
    pub store: Arc<dyn Store>,
    /// What serves the snapshots.
    pub plane: Arc<dyn DataPlane>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws identifiers.
    pub ids: Arc<dyn Ids>,
    /// Seals the secrets in the store.
    pub secret_key: Arc<SecretKey>,
    /// Reads the objects that operations are told to read from S3.
    pub objects: Arc<dyn ObjectStore>,
    /// Issues the certificates that are requested; `None`: none can be requested.
    pub issuer: Option<Arc<dyn Issuer>>,
    /// What the operator decides.
    pub settings: Settings,
}

pub(crate) struct Inner {
    pub(crate) parts: Parts,
    /// What is in force: replaced as a whole, so that a reader sees one moment.
    live: RwLock<Arc<Live>>,
    /// What the keys of the account's records in the store begin with.
    prefix: String,
    /// Serves the account's snapshots.
    pub(crate) plane: AccountPlane,
    /// Told after every change, for what waits for the time at which something is due.
    pub(crate) changed: watch::Sender<()>,
    /// Certificates that were issued and could not be stored yet.
    pub(crate) unsettled: Unsettled,
}

/// The state with what was compiled from it.
pub(crate) struct Live {
    pub(crate) state: State,
    pub(crate) lowered: Lowered,
    /// How long it took to compile.
    compile_time: Duration,
}

/// The stored state cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store cannot be read.
    #[error("the stored state cannot be read")]
    Read(#[from] store::ReadError),
    /// A record is not what this elbow writes.
    #[error("the record '{key}' cannot be read")]
    Record {
        /// Its key in the store.
        key: String,
        /// What is wrong with it.
        #[source]
        source: RecordError,
    },
    /// A stored rule cannot be compiled any more.
    #[error("a stored rule cannot be compiled")]
    Rules(#[from] CompileError),
    /// A stored secret does not open.
    #[error(transparent)]
    Secret(#[from] SealedError),
    /// A stored listener cannot listen.
    #[error(transparent)]
    Bind(#[from] ListenError),
    /// The configuration and the stored inventory contradict each other.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// The account of the configuration is one of the others too.
    #[error(
        "the account {0} of the configuration is one of those made with 'elbow account create'; configure the one \
         that the data directory began with"
    )]
    AccountTwice(AccountId),
    /// One of several accounts cannot be opened.
    #[error("the account {id} cannot be opened")]
    Account {
        /// Which one.
        id: AccountId,
        /// Why not.
        #[source]
        source: Box<OpenError>,
    },
    /// The inventory of the first start cannot be stored.
    #[error("the inventory cannot be saved")]
    Store(#[from] store::TransactError),
}

impl From<CommitError> for OpenError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Rules(error) => Self::Rules(error),
            CommitError::Secret(error) => Self::Secret(error),
            CommitError::Bind(error) => Self::Bind(error),
            CommitError::Store(error) => Self::Store(error),
        }
    }
}

/// A change was valid and yet could not be made; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A rule has a regular expression that cannot be compiled.
    #[error(transparent)]
    Rules(#[from] CompileError),
    /// A stored secret does not open.
    #[error(transparent)]
    Secret(#[from] SealedError),
    /// A listener cannot listen.
    #[error(transparent)]
    Bind(#[from] ListenError),
    /// The store has not taken it.
    #[error("the change could not be saved")]
    Store(#[from] store::TransactError),
}

impl From<LowerError> for CommitError {
    fn from(error: LowerError) -> Self {
        match error {
            LowerError::Rules(error) => Self::Rules(error),
            LowerError::Secret(error) => Self::Secret(error),
        }
    }
}

/// A listener's address cannot be listened on; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The port is privileged.
    #[error(
        "elbow may not listen on {address}: permission denied. Ports below 1024 need a privilege: run elbow \
         as root, or allow it with 'setcap cap_net_bind_service=+ep' on its binary or with 'sysctl \
         net.ipv4.ip_unprivileged_port_start=0', or choose a port from 1024 on"
    )]
    Permission {
        /// The address and port.
        address: SocketAddr,
    },
    /// Another listener of elbow has the address and port.
    #[error("elbow cannot listen on {address}: listener {holder} has it; choose another port")]
    Held {
        /// The address and port.
        address: SocketAddr,
        /// Who has it.
        holder: Box<ListenerArn>,
    },
    /// Another process has the address and port.
    #[error(
        "elbow cannot listen on {address}: another process has it; stop that process or choose another port"
    )]
    InUse {
        /// The address and port.
        address: SocketAddr,
    },
    /// The machine does not have the address.
    #[error(
        "elbow cannot listen on {address}: this machine does not have the address; give it to one of its \
         interfaces or choose another subnet"
    )]
    NoAddress {
        /// The address and port.
        address: SocketAddr,
    },
    /// The machine does not have the address of IPv6, which loopback does not have by itself either.
    #[error(
        "elbow cannot use the address {address}: it is not local to this machine. Make its subnet local with 'ip -6 \
         route add local {subnet} dev lo src ::1', or run elbow as root or with the capability CAP_NET_ADMIN and \
         with addresses = \"loopback\", so that it makes the addresses of its load balancers local by itself"
    )]
    NoIpv6Address {
        /// The address.
        address: IpAddr,
        /// The block that it is from.
        subnet: Cidr,
    },
    /// What the listener says about TLS cannot be honoured.
    #[error("elbow cannot serve TLS on {address}: {reason}")]
    Tls {
        /// The address and port.
        address: SocketAddr,
        /// What is wrong with it.
        reason: String,
    },
    /// Anything else.
    #[error("elbow cannot listen on {0}: {source}", source = .0.source)]
    Other(BindError),
}

impl Control {
    /// Reads the stored state, compiles it and makes it live. Makes what is missing of the inventory:
    /// all of it at the first start.
    ///
    /// # Errors
    /// `OpenError` if the store cannot be read, or what it holds cannot be served as it is.
    pub async fn open(parts: Parts) -> Result<Self, OpenError> {
        let neighbours = Neighbours::over(Arc::clone(&parts.plane));
        Self::open_beside(neighbours, parts, String::new()).await
    }

    /// As `open`, for one account of several: the keys of its records in the store begin with `prefix`.
    ///
    /// # Errors
    /// Those of `open`.
    pub(crate) async fn open_beside(
        neighbours: Arc<Neighbours>,
        parts: Parts,
        prefix: String,
    ) -> Result<Self, OpenError> {
        let store = Arc::clone(&parts.store);
        let secret_key = Arc::clone(&parts.secret_key);
        let of_account = prefix.clone();
        let loading = move || load((&*store, &secret_key), &of_account);
        let Stored { state, outdated } = blocking(loading).await?;
        let plane = AccountPlane {
            neighbours,
            account: parts.settings.place.account.clone(),
        };
        let nothing = Lowered::numbered_from(plane.neighbours.first_endpoint());
        let began_at = Instant::now();
        let lowered = lower(&state, (&State::default(), &nothing), &parts.secret_key);
        let lowered = lowered.map_err(CommitError::from)?;
        let compile_time = began_at.elapsed();
        let changing = plane.neighbours.changing.lock().await;
        let prepared = plane.prepare(Arc::clone(&lowered.snapshot)).await;
        // Nothing listens yet, so that no listener of elbow can be in the way.
        let before = State {
            ec2: state.ec2.clone(),
            ..State::default()
        };
        prepared.map_err(|error| ListenError::explain(error, &before))?;
        plane.publish(Arc::clone(&lowered.snapshot)).await;
        drop(changing);
        let inner = Inner {
            parts,
            prefix,
            plane,
            live: RwLock::new(Arc::new(Live {
                state,
                lowered,
                compile_time,
            })),
            changed: watch::Sender::new(()),
            unsettled: Unsettled::default(),
        };
        let control = Self {
            inner: Arc::new(inner),
        };
        control.read(|state| control.inner.occupy(state));
        control
            .transact(|draft| {
                draft.rewrite(outdated);
                Ok::<_, OpenError>(ensure_inventory(draft)?)
            })
            .await?;
        Ok(control)
    }

    /// What the operator decided.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.parts.settings
    }

    /// How long the last change took to compile; after the start, how long the whole state took.
    #[must_use]
    pub fn compile_time(&self) -> Duration {
        self.live().compile_time
    }

    /// The time, in milliseconds since 1970.
    #[must_use]
    pub(crate) fn now_millis(&self) -> u64 {
        self.inner.parts.clock.now_millis()
    }

    /// What seals and opens the secrets in the state.
    #[must_use]
    pub(crate) fn secret_key(&self) -> &SecretKey {
        &self.inner.parts.secret_key
    }

    /// The state at this moment.
    #[must_use]
    pub(crate) fn live(&self) -> Arc<Live> {
        let live = self
            .inner
            .live
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&live)
    }

    /// Calls `read` with the state at this moment.
    pub fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.live().state)
    }

    /// Makes the change that `change` writes into a draft. When this returns, the change is stored and
    /// live; after an error nothing is different from before.
    ///
    /// Changes are made one after the other. A caller that goes away does not stop a change half way.
    ///
    /// # Errors
    /// What `change` returns, or a `CommitError` in its words.
    pub async fn transact<T, E>(
        &self,
        change: impl FnOnce(&mut Draft) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<CommitError> + Send + 'static,
    {
        let control = self.clone();
        let task = tokio::spawn(async move {
            let neighbours = &control.inner.plane.neighbours;
            let _changing = neighbours.changing.lock().await;
            let parts = &control.inner.parts;
            let state = control.live().state.clone();
            let others = neighbours.blocks_of_others(&parts.settings.place.account);
            let mut draft = Draft::new(state, parts, others);
            let outcome = change(&mut draft)?;
            control.commit(draft).await?;
            Ok(outcome)
        });
        match task.await {
            Ok(outcome) => outcome,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Compiles, binds, stores and publishes; the order is what leaves no trace of a failure.
    async fn commit(&self, mut draft: Draft) -> Result<(), CommitError> {
        if draft.is_unchanged() {
            return Ok(());
        }
        let before = self.live();
        forget_tags(&mut draft, &before.state);
        let (mut state, writes) = draft.into_parts();
        state.generation += 1;
        let parts = &self.inner.parts;
        let known = (&before.state, &before.lowered);
        let began_at = Instant::now();
        let lowered = lower(&state, known, &parts.secret_key)?;
        let compile_time = began_at.elapsed();
        let plane = &self.inner.plane;
        let snapshot = Arc::clone(&lowered.snapshot);
        let prepared = plane.prepare(Arc::clone(&snapshot)).await;
        prepared.map_err(|error| ListenError::explain(error, &before.state))?;
        if let Err(error) = self.write(writes).await {
            // Closes what was bound for this change alone.
            plane.publish(Arc::clone(&before.lowered.snapshot)).await;
            return Err(error.into());
        }
        self.inner.occupy(&state);
        // From here on a worker that still serves the old snapshot sees the flag before its first byte.
        lowered.start_draining(&before.lowered);
        let live = Arc::new(Live {
            state,
            lowered,
            compile_time,
        });
        *self
            .inner
            .live
            .write()
            .unwrap_or_else(PoisonError::into_inner) = live;
        plane.publish(snapshot).await;
        self.inner.changed.send_replace(());
        Ok(())
    }

    async fn write(
        &self,
        writes: std::collections::BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<Revision, store::TransactError> {
        let prefix = &self.inner.prefix;
        let add = |transaction: Transaction, (key, value): (String, Option<Vec<u8>>)| match value {
            Some(value) => transaction.put(format!("{prefix}{key}"), value),
            None => transaction.delete(format!("{prefix}{key}")),
        };
        let transaction = writes.into_iter().fold(Transaction::new(), add);
        let store = Arc::clone(&self.inner.parts.store);
        blocking(move || store.transact(transaction)).await
    }
}

impl Inner {
    /// Tells the other accounts which blocks this one has.
    fn occupy(&self, state: &State) {
        let Settings {
            place, topology, ..
        } = &self.parts.settings;
        let neighbours = &self.plane.neighbours;
        neighbours.occupy(&place.account, &state.ec2.subnets, topology);
    }
}

/// Runs what waits for the disk where waiting is allowed.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// What a store holds.
struct Stored {
    state: State,
    /// The keys and the new bytes of records that have to be written again, because they have a secret in the clear.
    outdated: Vec<(String, Vec<u8>)>,
}

/// The whole stored state under `prefix`; `key` seals what is in the clear.
fn load((store, key): (&dyn Store, &SecretKey), prefix: &str) -> Result<Stored, OpenError> {
    let state = State {
        generation: store.revision()?.0,
        ..State::default()
    };
    let mut stored = Stored {
        state,
        outdated: Vec::new(),
    };
    load_kind::<model::account::Account>((store, key), prefix, &mut stored)?;
    load_kind::<model::access_key::AccessKey>((store, key), prefix, &mut stored)?;
    load_kind::<model::ec2::Vpc>((store, key), prefix, &mut stored)?;
    load_kind::<model::ec2::InternetGateway>((store, key), prefix, &mut stored)?;
    load_kind::<model::ec2::RouteTable>((store, key), prefix, &mut stored)?;
    load_kind::<model::ec2::Subnet>((store, key), prefix, &mut stored)?;
    load_kind::<model::ec2::ElasticAddress>((store, key), prefix, &mut stored)?;
    load_kind::<model::ec2::PrefixList>((store, key), prefix, &mut stored)?;
    load_kind::<model::ec2::SecurityGroup>((store, key), prefix, &mut stored)?;
    load_kind::<model::ec2::Instance>((store, key), prefix, &mut stored)?;
    load_kind::<model::ec2::NetworkInterfaceTags>((store, key), prefix, &mut stored)?;
    load_kind::<model::certificate::Certificate>((store, key), prefix, &mut stored)?;
    load_kind::<model::certificate::AcmAccount>((store, key), prefix, &mut stored)?;
    load_kind::<model::trust_store::TrustStore>((store, key), prefix, &mut stored)?;
    load_kind::<model::trust_store::TrustStoreRevocation>((store, key), prefix, &mut stored)?;
    load_kind::<model::load_balancer::LoadBalancer>((store, key), prefix, &mut stored)?;
    load_kind::<model::target_group::TargetGroup>((store, key), prefix, &mut stored)?;
    load_kind::<model::listener::Listener>((store, key), prefix, &mut stored)?;
    load_kind::<model::rule::Rule>((store, key), prefix, &mut stored)?;
    load_kind::<model::target::Target>((store, key), prefix, &mut stored)?;
    load_kind::<model::zonal_shift::ZonalShift>((store, key), prefix, &mut stored)?;
    Ok(stored)
}

/// The nouns of one kind that the store of `parts` has under `prefix`.
pub(crate) async fn load_table<R: Record>(
    parts: &Parts,
    prefix: String,
) -> Result<Table<R::Key, R>, OpenError>
where
    R::Key: Send + Sync,
{
    let (store, key) = (Arc::clone(&parts.store), Arc::clone(&parts.secret_key));
    blocking(move || {
        let mut stored = Stored {
            state: State::default(),
            outdated: Vec::new(),
        };
        load_kind::<R>((&*store, &key), &prefix, &mut stored)?;
        Ok(R::table(&stored.state).clone())
    })
    .await
}

fn load_kind<R: Record>(
    (store, secret_key): (&dyn Store, &SecretKey),
    prefix: &str,
    stored: &mut Stored,
) -> Result<(), OpenError> {
    let range = store.range(&format!("{prefix}{}/", R::KIND), None)?;
    for record in range.records {
        let key = record.key;
        let decoded = record::decode::<R>(&record.value, secret_key);
        let Decoded {
            noun,
            has_clear_secret,
        } = match decoded {
            Ok(decoded) => decoded,
            Err(source) => return Err(OpenError::Record { key, source }),
        };
        if has_clear_secret {
            let key = record::store_key::<R>(&noun.key());
            stored.outdated.push((key, record::encode(&noun)));
        }
        R::table_mut(&mut stored.state).insert(noun.key(), Arc::new(noun));
    }
    Ok(())
}

impl ListenError {
    /// Says what to do about `error`; `state` is what was in force before.
    fn explain(error: BindError, state: &State) -> Self {
        use std::io::ErrorKind;
        let address = error.address;
        match error.source.kind() {
            ErrorKind::AddrNotAvailable if address.is_ipv6() => {
                let subnet = lookups::subnet_of(&state.ec2, address.ip());
                let block = subnet.and_then(|subnet| subnet.block_of(address.ip()));
                Self::NoIpv6Address {
                    address: address.ip(),
                    subnet: block.copied().unwrap_or(Cidr::host(address.ip())),
                }
            }
            ErrorKind::PermissionDenied => Self::Permission { address },
            ErrorKind::AddrNotAvailable => Self::NoAddress { address },
            // The operating system's error of this kind has nothing inside.
            ErrorKind::InvalidInput if error.source.get_ref().is_some() => Self::Tls {
                address,
                reason: error.source.to_string(),
            },
            ErrorKind::AddrInUse => match state.elb.holder_of(address) {
                Some(holder) => Self::Held {
                    address,
                    holder: Box::new(holder),
                },
                None => Self::InUse { address },
            },
            _ => Self::Other(error),
        }
    }
}
