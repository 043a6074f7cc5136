//! One worker: a thread with an event loop, its own listening sockets, connections, buffers and counters.
//! Workers share nothing that is written per request except the state of targets.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use engine::{Frontend, FrontendId, Snapshot};
use rustc_hash::FxHashMap;
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::accept::accept_connections;
use crate::admit::{self, Enforcement};
use crate::buffer::BufferPool;
use crate::counters::Counters;
use crate::date::HttpDate;
use crate::registry::{Registry, TICK, Tick, ticks};
use crate::target_connections::TargetConnections;

/// What the data plane asks of a worker. Each answer comes after the effect.
#[derive(Debug)]
pub(crate) enum Command {
    /// Serve this snapshot; `sockets` are the worker's own for addresses it does not listen on yet.
    Publish {
        snapshot: Arc<Snapshot>,
        sockets: Vec<(SocketAddr, std::net::TcpListener)>,
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

/// What the tasks of one worker share.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) buffers: Rc<BufferPool>,
    pub(crate) connections: Rc<Registry>,
    pub(crate) targets: TargetConnections,
    pub(crate) counters: Arc<Counters>,
    date: Cell<HttpDate>,
    random: Cell<u64>,
    listeners: RefCell<FxHashMap<FrontendId, Rc<Listener>>>,
    sockets: RefCell<FxHashMap<SocketAddr, ListeningSocket>>,
}

/// A listener as the connections of this worker see it.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) id: FrontendId,
    /// A request clones the `Rc` and keeps it to its end; the count of the `Arc` would be fought over by
    /// all workers.
    frontend: RefCell<Rc<Arc<Frontend>>>,
}

impl Listener {
    /// The listener's present configuration, for one request.
    pub(crate) fn for_request(&self) -> Rc<Arc<Frontend>> {
        Rc::clone(&self.frontend.borrow())
    }
}

#[derive(Debug)]
struct ListeningSocket {
    socket: Rc<TcpListener>,
    accepting: JoinHandle<()>,
    frontend: FrontendId,
    enforcement: Rc<Cell<Enforcement>>,
}

impl Worker {
    pub(crate) fn new(counters: Arc<Counters>, seed: u64) -> Rc<Self> {
        Rc::new(Self {
            buffers: Rc::default(),
            connections: Rc::default(),
            targets: TargetConnections::default(),
            counters,
            date: Cell::new(HttpDate::at(SystemTime::now())),
            random: Cell::new(seed | 1),
            listeners: RefCell::default(),
            sockets: RefCell::default(),
        })
    }

    pub(crate) fn date(&self) -> HttpDate {
        self.date.get()
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
                    sockets,
                    done,
                } => {
                    self.publish(&snapshot, sockets).await;
                    let _ = done.send(());
                }
                Command::Cut { endpoints, done } => {
                    self.connections.cut(&endpoints);
                    let _ = done.send(());
                }
                Command::Advance { by, done } => {
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

    fn advance(&self, now: Tick) {
        let before = self.connections.now();
        self.connections.advance(now);
        self.date.set(HttpDate::at(SystemTime::now()));
        if now / SWEEP_TICKS != before / SWEEP_TICKS {
            self.targets.sweep(now);
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
            .retain(|id, _| snapshot.frontends.iter().any(|f| f.id == *id));
        for frontend in &snapshot.frontends {
            let mut listeners = self.listeners.borrow_mut();
            let current = listeners.entry(frontend.id).or_insert_with(|| {
                let current = RefCell::new(Rc::new(Arc::clone(frontend)));
                Rc::new(Listener {
                    id: frontend.id,
                    frontend: current,
                })
            });
            if !Arc::ptr_eq(&current.frontend.borrow(), frontend) {
                current.frontend.replace(Rc::new(Arc::clone(frontend)));
            }
        }
        self.close_sockets_outside(snapshot).await;
        let mut sockets: FxHashMap<_, _> = sockets.into_iter().collect();
        for frontend in &snapshot.frontends {
            for address in &frontend.addresses {
                let added = sockets.remove(address);
                if let Err(error) = self.listen(frontend, *address, added) {
                    tracing::error!(%address, %error, "a bound socket cannot be accepted from");
                }
            }
        }
        // RFC 9112 section 9.6: connections of a listener that is gone finish their response and close.
        let listeners = self.listeners.borrow();
        self.connections
            .close(|frontend| !listeners.contains_key(&frontend));
        self.targets.sweep(self.connections.now());
    }

    /// Closes the listening sockets that `snapshot` does not have; they are closed when this returns.
    async fn close_sockets_outside(&self, snapshot: &Snapshot) {
        let stays = |address: &SocketAddr, socket: &ListeningSocket| {
            snapshot
                .frontends
                .iter()
                .any(|f| f.id == socket.frontend && f.addresses.contains(address))
        };
        let closed: Vec<_> = self
            .sockets
            .borrow_mut()
            .extract_if(|address, socket| !stays(address, socket))
            .map(|(_, socket)| socket)
            .collect();
        for socket in closed {
            socket.accepting.abort();
            // It ends as cancelled, which is what was asked for.
            let _ = socket.accepting.await;
        }
    }

    /// Accepts on `address` for `frontend`; an address that is listened on already gets its new sources.
    fn listen(
        self: &Rc<Self>,
        frontend: &Arc<Frontend>,
        address: SocketAddr,
        added: Option<std::net::TcpListener>,
    ) -> io::Result<()> {
        if let Some(listening) = self.sockets.borrow().get(&address) {
            let socket = SockRef::from(&*listening.socket);
            listening
                .enforcement
                .set(admit::enforce(socket, address, &frontend.admission));
            return Ok(());
        }
        let Some(added) = added else { return Ok(()) };
        let socket = Rc::new(TcpListener::from_std(added)?);
        let enforced = admit::enforce(SockRef::from(&*socket), address, &frontend.admission);
        let enforcement = Rc::new(Cell::new(enforced));
        let listeners = self.listeners.borrow();
        let listener = listeners
            .get(&frontend.id)
            .expect("publish has entered every listener");
        let accepting = tokio::task::spawn_local(accept_connections(
            Rc::clone(self),
            Rc::clone(listener),
            Rc::clone(&socket),
            Rc::clone(&enforcement),
        ));
        let listening = ListeningSocket {
            socket,
            accepting,
            frontend: frontend.id,
            enforcement,
        };
        self.sockets.borrow_mut().insert(address, listening);
        Ok(())
    }

    /// Closes the listening sockets and waits for the connections, `grace` at the longest.
    async fn stop(&self, grace: Duration) {
        self.close_sockets_outside(&Snapshot::default()).await;
        self.connections.close(|_| true);
        let deadline = tokio::time::Instant::now() + grace;
        while self.connections.len() > 0 && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(TICK).await;
        }
    }
}
