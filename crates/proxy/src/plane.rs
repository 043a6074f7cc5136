//! The handle by which the rest of the program drives the workers.

mod threads;

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::Snapshot;
use tokio::sync::{mpsc, oneshot};

use crate::bind::bind;
use crate::cookie_seal::CookieKey;
use crate::counters::Counters;
use crate::local_addresses::{Ipv6Addresses, LocalAddresses};
use crate::logins::Logins;
use crate::probe;
use crate::tls_configs::{HealthCheckTls, TlsBuilder, TlsConfigs, TlsError};
use crate::worker::{COMMANDS_MAX, ClearText, Command};

use threads::{WorkerHandle, spawn_local_runtime, start_worker};

/// How the data plane is run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Worker threads.
    pub workers: NonZeroUsize,
    /// What moves the timeouts.
    pub clock: Clock,
    /// Seals the cookies by which clients stay with targets. Cookies of another key are ignored.
    pub cookie_key: CookieKey,
    /// Where the IPv6 addresses of listeners come from.
    pub ipv6_addresses: Ipv6Addresses,
    /// What users are known by.
    pub logins: Arc<Logins>,
}

#[cfg(test)]
impl Config {
    pub(crate) fn for_tests() -> Self {
        let client = auth::Client::new(&auth::Settings::default()).expect("no roots are given");
        let keys = Arc::new(auth::Keys::generate());
        Self {
            workers: NonZeroUsize::MIN,
            clock: Clock::Manual,
            cookie_key: CookieKey::new([0; CookieKey::BYTES]),
            ipv6_addresses: Ipv6Addresses::Given,
            logins: Arc::new(Logins::new(
                keys,
                client,
                model::authentication::Schemes::Https,
            )),
        }
    }
}

/// What moves the timeouts of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The system's clock.
    System,
    /// `DataPlane::advance`, so that a test of a timeout need not wait for it.
    Manual,
}

/// A socket could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    /// What was to be listened on.
    pub address: SocketAddr,
    /// Why not.
    #[source]
    pub source: io::Error,
}

/// A snapshot cannot be served. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A socket could not be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A TLS configuration could not be built.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The running data plane. Dropping it ends the workers without waiting for connections.
#[derive(Debug)]
pub struct DataPlane {
    workers: Vec<WorkerHandle>,
    prober: mpsc::Sender<probe::Command>,
    prober_counters: Arc<Counters>,
    bound: Mutex<Bound>,
    local_addresses: Arc<Mutex<LocalAddresses>>,
    tls: Mutex<Tls>,
    /// The one that was published last. Whoever tells the workers of a configuration holds it, so that none overtakes
    /// another.
    served: tokio::sync::Mutex<Option<Arc<Snapshot>>>,
}

/// The builder of TLS configurations, and what it has built for a snapshot that is to be published.
#[derive(Debug)]
struct Tls {
    builder: TlsBuilder,
    /// With the generation of the snapshot.
    prepared: Option<(u64, Arc<TlsConfigs>)>,
}

impl Tls {
    /// The configurations of a snapshot, if some of them are too old.
    fn renewed(&mut self, snapshot: &Snapshot, now: SystemTime) -> Option<Arc<TlsConfigs>> {
        if !self.builder.has_aged(now) {
            return None;
        }
        let built = self.builder.build(snapshot, now);
        // What can no longer be built is served as it is.
        let built = built.inspect_err(|error| {
            tracing::error!(%error, "the configurations of TLS cannot be renewed");
        });
        built.ok().map(Arc::new)
    }
}

/// The addresses the workers listen on, and the sockets that wait to be handed to them.
#[derive(Debug, Default)]
struct Bound {
    listening: HashSet<SocketAddr>,
    prepared: HashMap<SocketAddr, Vec<std::net::TcpListener>>,
}

impl DataPlane {
    /// Starts the workers and the prober. They serve nothing until a snapshot is published.
    ///
    /// # Errors
    /// If a thread or its event loop cannot be made.
    pub fn start(config: Config) -> io::Result<Self> {
        Self::start_speaking(config, ClearText::Http1)
    }

    /// A data plane that takes every client in clear text for one that speaks HTTP/2: for tests that write
    /// frames, which TLS would only hide. No Application Load Balancer does that.
    ///
    /// # Errors
    /// As `start`.
    #[doc(hidden)]
    pub fn start_with_prior_knowledge(config: Config) -> io::Result<Self> {
        Self::start_speaking(config, ClearText::Http2)
    }

    fn start_speaking(config: Config, clear_text: ClearText) -> io::Result<Self> {
        let seed = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_nanos() as u64);
        let workers = (0..config.workers.get() as u64)
            .map(|index| {
                let seed = seed.rotate_left(17 * (index as u32 + 1));
                start_worker(index, seed, config.clone(), clear_text)
            })
            .collect::<io::Result<Vec<_>>>()?;
        let (prober, commands) = mpsc::channel(COMMANDS_MAX);
        // Built here, so that a TLS library that is not the expected one is an error at the start.
        let tls = HealthCheckTls::new().map_err(io::Error::other)?;
        let prober_counters = Arc::new(Counters::default());
        let counters = Arc::clone(&prober_counters);
        spawn_local_runtime("elbow-prober".to_owned(), move || {
            probe::run(commands, tls, counters)
        })?;
        Ok(Self {
            workers,
            prober,
            prober_counters,
            bound: Mutex::default(),
            local_addresses: Arc::new(Mutex::new(LocalAddresses::new(config.ipv6_addresses))),
            tls: Mutex::new(Tls {
                builder: TlsBuilder::new(),
                prepared: None,
            }),
            served: tokio::sync::Mutex::default(),
        })
    }

    /// Builds the TLS configurations of `snapshot`, sees to it that its addresses are local to this machine, and
    /// binds those that nothing listens on yet, for every worker.
    ///
    /// # Errors
    /// `PrepareError` for the first listener that cannot be served; then no address that this call bound stays
    /// bound.
    pub fn prepare(&self, snapshot: &Snapshot) -> Result<(), PrepareError> {
        let mut tls = self.lock_tls();
        tls.prepared = None;
        let configs = Arc::new(tls.builder.build(snapshot, SystemTime::now())?);
        let listening = snapshot.frontends.iter().flat_map(|it| &it.addresses);
        let addresses = listening
            .map(SocketAddr::ip)
            .chain(snapshot.addresses.iter().copied());
        lock(&self.local_addresses).ensure(addresses)?;
        self.prepare_sockets(snapshot)?;
        tls.prepared = Some((snapshot.generation, configs));
        Ok(())
    }

    fn prepare_sockets(&self, snapshot: &Snapshot) -> Result<(), BindError> {
        let mut bound = self.lock_bound();
        bound.prepared.clear();
        let mut prepared = HashMap::new();
        for frontend in &snapshot.frontends {
            for address in &frontend.addresses {
                if !bound.listening.contains(address) && !prepared.contains_key(address) {
                    let sockets = bind(*address, self.workers.len(), &frontend.admission).map_err(
                        |source| BindError {
                            address: *address,
                            source,
                        },
                    )?;
                    prepared.insert(*address, sockets);
                }
            }
        }
        bound.prepared = prepared;
        Ok(())
    }

    /// Makes `snapshot` live. When this returns, every worker serves it and no request can start by an
    /// older one; sockets that it does not have are closed.
    pub async fn publish(&self, snapshot: Arc<Snapshot>) {
        let mut served = self.served.lock().await;
        *served = Some(Arc::clone(&snapshot));
        let mut sockets = self.take_prepared(&snapshot);
        let tls = self.take_prepared_tls(&snapshot);
        let mut barrier = Vec::with_capacity(self.workers.len() + 1);
        // The prober first: it refreshes the candidates of the pools that the workers are about to use.
        let (done, is_done) = oneshot::channel();
        let command = probe::Command::Publish {
            snapshot: Arc::clone(&snapshot),
            done,
        };
        if self.prober.send(command).await.is_ok() {
            barrier.push(is_done);
        }
        for worker in &self.workers {
            let (done, is_done) = oneshot::channel();
            let sockets = sockets
                .iter_mut()
                .filter_map(|(a, all)| Some((*a, all.pop()?)))
                .collect();
            let command = Command::Publish {
                snapshot: Arc::clone(&snapshot),
                tls: Arc::clone(&tls),
                sockets,
                done,
            };
            if worker.commands.send(command).await.is_ok() {
                barrier.push(is_done);
            }
        }
        wait_for(barrier).await;
        self.remove_unused_routes().await;
    }

    /// Builds the TLS configurations anew that are a day old at `now`, and hands them to the workers: a configuration
    /// makes session tickets for a week. Whether there were any.
    ///
    /// Call this every hour or so. Open connections keep what they have.
    pub async fn renew_tls(&self, now: SystemTime) -> bool {
        let served = self.served.lock().await;
        let Some(snapshot) = &*served else {
            return false;
        };
        let Some(configs) = self.lock_tls().renewed(snapshot, now) else {
            return false;
        };
        self.command_all(|done| Command::RenewTls {
            tls: Arc::clone(&configs),
            done,
        })
        .await;
        true
    }

    async fn remove_unused_routes(&self) {
        if !lock(&self.local_addresses).has_unwanted() {
            return;
        }
        let addresses = Arc::clone(&self.local_addresses);
        let removed = tokio::task::spawn_blocking(move || lock(&addresses).remove_unused());
        // A panic is logged; what it has left is looked at again with the next snapshot.
        let _ = removed.await;
    }

    /// Ends the requests that are still at these registrations (`EndpointState::id`).
    pub async fn cut(&self, endpoints: Vec<u64>) {
        let endpoints: Arc<[u64]> = endpoints.into();
        self.command_all(|done| Command::Cut {
            endpoints: Arc::clone(&endpoints),
            done,
        })
        .await;
    }

    /// Moves the clock of a data plane with `Clock::Manual`.
    pub async fn advance(&self, by: Duration) {
        self.command_all(|done| Command::Advance { by, done }).await;
    }

    /// The counters of each worker, and behind them those of the prober.
    #[must_use]
    pub fn counters(&self) -> Vec<Arc<Counters>> {
        let workers = self.workers.iter().map(|worker| &worker.counters);
        workers.chain([&self.prober_counters]).cloned().collect()
    }

    /// Accepts nothing more, lets the requests in progress finish for at most `grace`, and ends.
    pub async fn stop(mut self, grace: Duration) {
        for worker in &self.workers {
            // A worker that has ended needs no command.
            let _ = worker.commands.send(Command::Stop { grace }).await;
        }
        let threads: Vec<_> = self
            .workers
            .iter_mut()
            .filter_map(|w| w.thread.take())
            .collect();
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a worker has panicked");
                }
            }
        });
        // The blocking task only joins threads; it cannot fail.
        let _ = joined.await;
    }

    async fn command_all(&self, command: impl Fn(oneshot::Sender<()>) -> Command) {
        let mut barrier = Vec::with_capacity(self.workers.len());
        for worker in &self.workers {
            let (done, is_done) = oneshot::channel();
            if worker.commands.send(command(done)).await.is_ok() {
                barrier.push(is_done);
            }
        }
        wait_for(barrier).await;
    }

    fn take_prepared(
        &self,
        snapshot: &Snapshot,
    ) -> HashMap<SocketAddr, Vec<std::net::TcpListener>> {
        let mut bound = self.lock_bound();
        let mut prepared = std::mem::take(&mut bound.prepared);
        let addresses = snapshot
            .frontends
            .iter()
            .flat_map(|f| f.addresses.iter().copied());
        let wanted: HashSet<SocketAddr> = addresses.collect();
        prepared.retain(|address, _| wanted.contains(address));
        let is_served = |address: &SocketAddr| {
            bound.listening.contains(address) || prepared.contains_key(address)
        };
        let listening = wanted.into_iter().filter(is_served).collect();
        bound.listening = listening;
        prepared
    }

    /// Those that `prepare` has built for this snapshot.
    fn take_prepared_tls(&self, snapshot: &Snapshot) -> Arc<TlsConfigs> {
        let mut tls = self.lock_tls();
        match tls.prepared.take() {
            Some((generation, configs)) if generation == snapshot.generation => configs,
            // It was not prepared: what can be built is served, and of what cannot be, nothing.
            _ => tls
                .builder
                .build(snapshot, SystemTime::now())
                .map(Arc::new)
                .unwrap_or_else(|error| {
                    tracing::error!(%error, "a snapshot was published that cannot be served whole");
                    Arc::default()
                }),
        }
    }

    fn lock_tls(&self) -> std::sync::MutexGuard<'_, Tls> {
        // A configuration that was half built when its thread panicked is not in the cache.
        self.tls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_bound(&self) -> std::sync::MutexGuard<'_, Bound> {
        // Nothing in the critical sections can panic half way through a change.
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(addresses: &Mutex<LocalAddresses>) -> std::sync::MutexGuard<'_, LocalAddresses> {
    // What was made before a panic is in it.
    addresses.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until each one has answered or is gone.
async fn wait_for(barrier: Vec<oneshot::Receiver<()>>) {
    for done in barrier {
        let _ = done.await;
    }
}
