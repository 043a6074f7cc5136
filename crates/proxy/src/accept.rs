//! The accept loop of one listening socket.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::admit::Enforcement;
use crate::connection::{Client, serve_connection};
use crate::stream::Stream;
use crate::tls_accept::accept_tls_connection;
use crate::worker::{Listener, Worker};

/// Client connections of one worker; more are closed at once and counted.
const CLIENT_CONNECTIONS_MAX: usize = 1_000_000;

/// Pause after a failed accept. It is nearly always a lack of file descriptors, which trying again at once
/// would only turn into a busy loop.
const ACCEPT_ERROR_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections until the task is aborted.
pub(crate) async fn accept_connections(
    worker: Rc<Worker>,
    listener: Rc<Listener>,
    socket: Rc<TcpListener>,
    enforcement: Rc<Cell<Enforcement>>,
) {
    // The address of a bound socket does not change, and is that of every connection accepted at it.
    let local = socket.local_addr().ok();
    loop {
        let (accepted, peer) = match socket.accept().await {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                worker.counters.accept_errors.increment();
                tokio::time::sleep(ACCEPT_ERROR_PAUSE).await;
                continue;
            }
        };
        if enforcement.get() == Enforcement::Accept
            && !listener.for_request().admission.admits(peer.ip())
        {
            worker
                .counters
                .connections_refused_by_security_group
                .increment();
            continue;
        }
        if worker.connections.len() >= CLIENT_CONNECTIONS_MAX {
            worker.counters.connections_over_limit.increment();
            continue;
        }
        let (worker, listener) = (Rc::clone(&worker), Rc::clone(&listener));
        if listener.for_request().tls.is_some() {
            worker.counters.connections_accepted.increment();
            tokio::task::spawn_local(accept_tls_connection(
                worker, listener, accepted, peer, local,
            ));
            continue;
        }
        // The option fails only on a connection that the client has reset already.
        let Ok(stream) = Stream::new(accepted) else {
            continue;
        };
        worker.counters.connections_accepted.increment();
        let entry = worker.connections.enter(listener.id);
        let client = Client::new(&listener, stream, peer, local, None, entry);
        tokio::task::spawn_local(serve_connection(worker, listener, client));
    }
}
