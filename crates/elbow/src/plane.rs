//! The data plane as the control plane knows it, over the one of `proxy`.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use control::{BindError, DataPlane, PlaneFuture};
use engine::Snapshot;
use proxy::{Counters, PrepareError};
use tokio::sync::RwLock;

/// How often it is looked at whether TLS configurations have come of age.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(3600);

/// Hands the snapshots of `control` to the workers of `proxy`.
#[derive(Debug)]
pub(crate) struct Plane {
    /// `None` after the stop; what comes then has nobody to go to.
    workers: RwLock<Option<proxy::DataPlane>>,
    counters: Vec<Arc<Counters>>,
    /// The one that was published last.
    snapshot: Mutex<Arc<Snapshot>>,
}

impl Plane {
    /// Over workers that have been started.
    pub(crate) fn over(workers: proxy::DataPlane) -> Self {
        Self {
            counters: workers.counters(),
            workers: RwLock::new(Some(workers)),
            snapshot: Mutex::default(),
        }
    }

    /// The counters of each worker and of the prober.
    pub(crate) fn counters(&self) -> Vec<Arc<Counters>> {
        self.counters.clone()
    }

    /// What the workers serve.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.lock_snapshot())
    }

    fn lock_snapshot(&self) -> MutexGuard<'_, Arc<Snapshot>> {
        // Nothing can panic while it is locked.
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps TLS sessions resumable however long nothing changes; never returns.
    pub(crate) async fn renew_tls(&self) {
        loop {
            tokio::time::sleep(RENEWAL_INTERVAL).await;
            if let Some(workers) = &*self.workers.read().await {
                workers.renew_tls(SystemTime::now()).await;
            }
        }
    }

    /// Stops accepting, lets the requests in progress finish for at most `grace`, and ends the workers.
    pub(crate) async fn stop(&self, grace: Duration) {
        let workers = self.workers.write().await.take();
        if let Some(workers) = workers {
            workers.stop(grace).await;
        }
    }
}

impl DataPlane for Plane {
    fn prepare(&self, snapshot: Arc<Snapshot>) -> PlaneFuture<'_, Result<(), BindError>> {
        Box::pin(async move {
            let workers = self.workers.read().await;
            let prepared = workers
                .as_ref()
                .map_or(Ok(()), |workers| workers.prepare(&snapshot));
            prepared.map_err(|error| match error {
                PrepareError::Bind(error) => BindError {
                    address: error.address,
                    source: error.source,
                },
                PrepareError::Tls(error) => BindError {
                    address: error.address,
                    source: io::Error::new(
                        io::ErrorKind::InvalidInput,
                        crate::chain(&error.reason),
                    ),
                },
            })
        })
    }

    fn publish(&self, snapshot: Arc<Snapshot>) -> PlaneFuture<'_, ()> {
        Box::pin(async move {
            if let Some(workers) = &*self.workers.read().await {
                workers.publish(Arc::clone(&snapshot)).await;
                *self.lock_snapshot() = snapshot;
            }
        })
    }

    fn cut(&self, endpoint_ids: Vec<u64>) -> PlaneFuture<'_, ()> {
        Box::pin(async move {
            if let Some(workers) = &*self.workers.read().await {
                workers.cut(endpoint_ids).await;
            }
        })
    }
}
