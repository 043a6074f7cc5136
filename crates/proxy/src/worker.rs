//! One worker: a thread with an event loop, its own listening sockets, connections, buffers and counters.
//! Workers share nothing that is written per request except the state of targets.

mod listening;

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use engine::{FrontendId, Snapshot};
use rustc_hash::FxHashMap;
use tls::{ClientConfig, ServerConfig};
use tokio::sync::{mpsc, oneshot};

use crate::buffer::BufferPool;
use crate::compressor::Compressors;
use crate::cookie_seal::CookieSeal;
use crate::counters::Counters;
use crate::date::HttpDate;
use crate::http2::TargetSessions;
use crate::linger::LINGERING_MAX;
use crate::logins::{CheckedActions, Logins};
use crate::mirror::Mirrors;
use crate::places::Places;
use crate::plane::{Clock, Config};
use crate::registry::{Registry, TICK, Tick, ticks};
use crate::sticky::COOKIE_AGE;
use crate::target_connections::TargetConnections;
use crate::tls_accept::HANDSHAKES_MAX;
use crate::tls_configs::TlsConfigs;

use listening::ListeningSocket;
pub(crate) use listening::{Listener, SharedFrontend};

/// What the data plane asks of a worker. Each answer comes after the effect.
#[derive(Debug)]
pub(crate) enum Command {
    /// Serve this snapshot; `sockets` are the worker's own for addresses it does not listen on yet.
    Publish {
        snapshot: Arc<Snapshot>,
        tls: Arc<TlsConfigs>,
        sockets: Vec<(SocketAddr, std::net::TcpListener)>,
        done: oneshot::Sender<()>,
    },
    /// Serve the same snapshot with these.
    RenewTls {
        tls: Arc<TlsConfigs>,
        done: oneshot::Sender<()>,
    },
    /// End the requests at these registrations.
    Cut {
        endpoints: Arc<[u64]>,
        done: oneshot::Sender<()>,
    },
    /// Come to a later moment; only for workers that do not follow the system's clock.
    Advance {
        by: Duration,
        done: oneshot::Sender<()>,
    },
    /// Accept nothing more, finish what is in progress, and end.
    Stop { grace: Duration },
}

/// Commands that may wait for a worker.
pub(crate) const COMMANDS_MAX: usize = 64;

/// How often idle target connections are looked at.
const SWEEP_TICKS: Tick = 10;

/// What clients speak that come without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClearText {
    Http1,
    /// Only in tests.
    Http2,
}

/// What the tasks of one worker share.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) buffers: Rc<BufferPool>,
    pub(crate) connections: Rc<Registry>,
    pub(crate) targets: TargetConnections,
    pub(crate) compressors: Compressors,
    pub(crate) mirrors: Mirrors,
    pub(crate) handshakes: Rc<Places>,
    pub(crate) lingering: Rc<Places>,
    tls: RefCell<Arc<TlsConfigs>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) cookie_seal: CookieSeal,
    pub(crate) logins: Arc<Logins>,
    pub(crate) checked_actions: CheckedActions,
    pub(crate) sessions: TargetSessions,
    pub(crate) clear_text: ClearText,
    date: Cell<HttpDate>,
    /// When cookies that are set now expire.
    cookie_expiry: Cell<HttpDate>,
    clock: Clock,
    /// How far commands have moved the time.
    ahead: Cell<Duration>,
    random: Cell<u64>,
    listeners: RefCell<FxHashMap<FrontendId, Rc<Listener>>>,
    sockets: RefCell<FxHashMap<SocketAddr, ListeningSocket>>,
}

impl Worker {
    pub(crate) fn new(
        counters: Arc<Counters>,
        seed: u64,
        config: &Config,
        clear_text: ClearText,
    ) -> Rc<Self> {
        let now = SystemTime::now();
        Rc::new(Self {
            buffers: Rc::default(),
            connections: Rc::default(),
            targets: TargetConnections::default(),
            compressors: Compressors::default(),
            mirrors: Mirrors::default(),
            handshakes: Places::new(HANDSHAKES_MAX),
            lingering: Places::new(LINGERING_MAX),
            tls: RefCell::default(),
            counters,
            cookie_seal: CookieSeal::new(config.cookie_key),
            logins: Arc::clone(&config.logins),
            checked_actions: CheckedActions::default(),
            sessions: TargetSessions::default(),
            clear_text,
            date: Cell::new(HttpDate::at(now)),
            cookie_expiry: Cell::new(HttpDate::at(now + COOKIE_AGE)),
            clock: config.clock,
            ahead: Cell::default(),
            random: Cell::new(seed | 1),
            listeners: RefCell::default(),
            sockets: RefCell::default(),
        })
    }

    /// Whether the listener is one of the latest snapshot, and no stop has begun.
    pub(crate) fn is_serving(&self, frontend: FrontendId) -> bool {
        self.listeners.borrow().contains_key(&frontend)
    }

    pub(crate) fn date(&self) -> HttpDate {
        self.date.get()
    }

    /// How the clients of a listener are spoken to in TLS, from the latest snapshot.
    pub(crate) fn tls_of_clients(&self, frontend: FrontendId) -> Option<Arc<ServerConfig>> {
        self.tls.borrow().clients_of(frontend)
    }

    /// How the targets of a listener are spoken to in TLS, from the latest snapshot.
    pub(crate) fn tls_of_targets(
        &self,
        frontend: FrontendId,
        is_http2: bool,
    ) -> Option<Arc<ClientConfig>> {
        self.tls.borrow().targets_of(frontend, is_http2)
    }

    /// When cookies that are set now expire.
    pub(crate) fn cookie_expiry(&self) -> HttpDate {
        self.cookie_expiry.get()
    }

    /// The time since a moment that is the same for all workers; for what is finer than a tick.
    pub(crate) fn elapsed(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        match self.clock {
            Clock::System => START.elapsed(),
            Clock::Manual => self.ahead.get(),
        }
    }

    /// A number for spreading and naming, not for secrets: xorshift64*.
    ///
    /// Source: S. Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled".
    pub(crate) fn random(&self) -> u32 {
        let mut x = self.random.get();
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.random.set(x);
        (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    /// Carries out commands until it is told to stop.
    pub(crate) async fn run(self: Rc<Self>, mut commands: mpsc::Receiver<Command>) {
        while let Some(command) = commands.recv().await {
            // An answer that nobody waits for any more is no fault of ours.
            match command {
                Command::Publish {
                    snapshot,
                    tls,
                    sockets,
                    done,
                } => {
                    self.tls.replace(tls);
                    self.publish(&snapshot, sockets).await;
                    let _ = done.send(());
                }
                Command::RenewTls { tls, done } => {
                    self.tls.replace(tls);
                    let _ = done.send(());
                }
                Command::Cut { endpoints, done } => {
                    self.connections.cut(&endpoints);
                    let _ = done.send(());
                }
                Command::Advance { by, done } => {
                    // The sockets are looked at before the time changes, whatever else is waiting.
                    tokio::task::yield_now().await;
                    self.ahead.set(self.ahead.get() + by);
                    self.advance(self.connections.now() + ticks(by));
                    let _ = done.send(());
                }
                Command::Stop { grace } => {
                    self.stop(grace).await;
                    return;
                }
            }
        }
    }

    /// Follows the system's clock.
    pub(crate) async fn follow_clock(self: Rc<Self>) {
        let start = tokio::time::Instant::now();
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            let elapsed = interval.tick().await - start;
            self.advance((elapsed.as_millis() / TICK.as_millis()) as Tick);
        }
    }

    fn set_date(&self, now: SystemTime) {
        let now = HttpDate::at(now);
        if now.seconds() != self.date.get().seconds() {
            self.date.set(now);
            let expiry = SystemTime::UNIX_EPOCH + Duration::from_secs(now.seconds()) + COOKIE_AGE;
            self.cookie_expiry.set(HttpDate::at(expiry));
        }
    }

    fn advance(&self, now: Tick) {
        let before = self.connections.now();
        self.connections.advance(now);
        self.set_date(SystemTime::now() + self.ahead.get());
        if now / SWEEP_TICKS != before / SWEEP_TICKS {
            self.targets.sweep(now);
            self.sessions.sweep(now);
        }
    }

    /// Serves `snapshot` from now on.
    async fn publish(
        self: &Rc<Self>,
        snapshot: &Snapshot,
        sockets: Vec<(SocketAddr, std::net::TcpListener)>,
    ) {
        self.listeners
            .borrow_mut()
            .retain(|id, _| snapshot.frontend(*id).is_some());
        let changed = self.take_over(snapshot);
        self.close_sockets_outside(snapshot).await;
        for frontend in changed {
            self.enforce_admission(frontend);
        }
        for (address, socket) in sockets {
            if let Err(error) = self.listen(snapshot, address, socket) {
                tracing::error!(%address, %error, "a bound socket cannot be accepted from");
            }
        }
        // RFC 9112 section 9.6: connections of a listener that is gone finish their response and close.
        self.connections
            .close(|frontend| !self.is_serving(frontend));
        self.targets.sweep(self.connections.now());
        self.sessions.sweep(self.connections.now());
        self.checked_actions.forget_unused();
    }

    /// Closes the listening sockets and waits for the connections, `grace` at the longest.
    async fn stop(&self, grace: Duration) {
        self.close_sockets_outside(&Snapshot::default()).await;
        self.listeners.borrow_mut().clear();
        self.connections.close(|_| true);
        let deadline = tokio::time::Instant::now() + grace;
        while self.connections.len() > 0 && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(TICK).await;
        }
    }
}
