//! The data plane as the control plane sees it: something that serves snapshots.
//!
//! The binary implements this over `proxy`; `NoPlane` stands in where nothing has to be served.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use engine::Snapshot;

/// A future of a data plane call.
pub type PlaneFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Serves snapshots.
///
/// Calls come one at a time and in order: `prepare`, then `publish` of the same snapshot if the change
/// was stored. A prepared snapshot that is never published is replaced by the next one.
pub trait DataPlane: Send + Sync + 'static {
    /// Binds the sockets of `snapshot` that are not bound yet.
    ///
    /// A listener whose TLS configuration cannot be used is a `BindError` with a source of the kind
    /// `InvalidInput` that holds a text which says what is wrong.
    ///
    /// On an error nothing stays bound that was not bound before.
    fn prepare(&self, snapshot: Arc<Snapshot>) -> PlaneFuture<'_, Result<(), BindError>>;

    /// Makes `snapshot` live and closes the sockets that are not in it.
    ///
    /// Returns when every worker serves it and none can start a request by an older one.
    fn publish(&self, snapshot: Arc<Snapshot>) -> PlaneFuture<'_, ()>;

    /// Closes the connections of requests still in flight at these registrations
    /// (`EndpointState::id`): their deregistration delay is over.
    fn cut(&self, endpoint_ids: Vec<u64>) -> PlaneFuture<'_, ()>;
}

/// A socket of a snapshot could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    /// The address and port of the listener.
    pub address: SocketAddr,
    /// What the operating system says.
    #[source]
    pub source: std::io::Error,
}

/// A data plane that serves nothing and agrees to everything, for tests of the control plane.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPlane;

impl DataPlane for NoPlane {
    fn prepare(&self, _snapshot: Arc<Snapshot>) -> PlaneFuture<'_, Result<(), BindError>> {
        Box::pin(async { Ok(()) })
    }

    fn publish(&self, _snapshot: Arc<Snapshot>) -> PlaneFuture<'_, ()> {
        Box::pin(async {})
    }

    fn cut(&self, _endpoint_ids: Vec<u64>) -> PlaneFuture<'_, ()> {
        Box::pin(async {})
    }
}
