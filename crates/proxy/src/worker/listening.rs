//! The listeners of a worker: their present configuration, and the sockets it accepts from.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use engine::{Frontend, FrontendId, Snapshot};
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Worker;
use crate::accept::accept_connections;
use crate::admit::{self, Enforcement};

/// A listener's configuration for one request. A request clones the `Rc`, whose count is this worker's own;
/// the count of the `Arc` would be fought over by all workers (two cores: 130 ns a clone against 14 ns).
pub(crate) type SharedFrontend = Rc<Arc<Frontend>>;

/// A listener as the connections of this worker see it.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) id: FrontendId,
    frontend: RefCell<SharedFrontend>,
}

impl Listener {
    /// The listener's present configuration, for one request.
    pub(crate) fn for_request(&self) -> SharedFrontend {
        Rc::clone(&self.frontend.borrow())
    }
}

#[derive(Debug)]
pub(super) struct ListeningSocket {
    socket: Rc<TcpListener>,
    accepting: JoinHandle<()>,
    frontend: FrontendId,
    enforcement: Rc<Cell<Enforcement>>,
}

impl Worker {
    /// Gives each listener its present configuration, and gives back those whose was another.
    pub(super) fn take_over<'s>(&self, snapshot: &'s Snapshot) -> Vec<&'s Arc<Frontend>> {
        let mut listeners = self.listeners.borrow_mut();
        let mut changed = Vec::new();
        for frontend in &snapshot.frontends {
            match listeners.get(&frontend.id) {
                Some(listener) if Arc::ptr_eq(&listener.frontend.borrow(), frontend) => {}
                Some(listener) => {
                    listener.frontend.replace(Rc::new(Arc::clone(frontend)));
                    changed.push(frontend);
                }
                None => {
                    let current = RefCell::new(Rc::new(Arc::clone(frontend)));
                    let listener = Rc::new(Listener {
                        id: frontend.id,
                        frontend: current,
                    });
                    listeners.insert(frontend.id, listener);
                }
            }
        }
        changed
    }

    /// Closes the listening sockets that `snapshot` does not have; they are closed when this returns.
    pub(super) async fn close_sockets_outside(&self, snapshot: &Snapshot) {
        let stays = |address: &SocketAddr, socket: &ListeningSocket| {
            snapshot
                .frontend(socket.frontend)
                .is_some_and(|f| f.addresses.contains(address))
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

    /// Applies the present sources of a listener to its sockets.
    pub(super) fn enforce_admission(&self, frontend: &Frontend) {
        let sockets = self.sockets.borrow();
        for address in &frontend.addresses {
            if let Some(listening) = sockets.get(address) {
                let socket = SockRef::from(&*listening.socket);
                listening
                    .enforcement
                    .set(self.enforce(socket, *address, frontend));
            }
        }
    }

    fn enforce(
        &self,
        socket: SockRef<'_>,
        address: SocketAddr,
        frontend: &Frontend,
    ) -> Enforcement {
        let enforcement = admit::enforce(socket, address, &frontend.admission);
        if enforcement == Enforcement::Accept {
            self.counters.sockets_without_filter.increment();
        }
        enforcement
    }

    /// Accepts on a socket that was bound for `snapshot`.
    pub(super) fn listen(
        self: &Rc<Self>,
        snapshot: &Snapshot,
        address: SocketAddr,
        socket: std::net::TcpListener,
    ) -> io::Result<()> {
        let mut frontends = snapshot.frontends.iter();
        let Some(frontend) = frontends.find(|frontend| frontend.addresses.contains(&address))
        else {
            return Ok(());
        };
        let socket = Rc::new(TcpListener::from_std(socket)?);
        let enforced = self.enforce(SockRef::from(&*socket), address, frontend);
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
}
