//! What the accounts of one process have to agree on: changes are made one after the other, no two have a subnet
//! with the same address, and one data plane serves the snapshots of all.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::Snapshot;
use model::Cidr;
use model::ec2::{Subnet, SubnetId};

use crate::ec2::Topology;
use crate::plane::{BindError, DataPlane, PlaneFuture};
use crate::record::Table;

/// The accounts of one process, as each of them knows the others.
pub(crate) struct Neighbours {
    /// Held by the one change that is being made.
    pub(crate) changing: tokio::sync::Mutex<()>,
    plane: Arc<dyn DataPlane>,
    /// By account.
    parts: Mutex<BTreeMap<String, Part>>,
    accounts_opened: AtomicU64,
}

/// What one account contributes.
#[derive(Clone, Default)]
struct Part {
    /// What is published of it.
    snapshot: Arc<Snapshot>,
    blocks: Blocks,
}

/// The addresses of an account: all its subnets, and what its settings set aside for it.
#[derive(Clone, Default)]
struct Blocks {
    subnets: Table<SubnetId, Subnet>,
    vpc: Option<Cidr>,
    elastic: Option<Cidr>,
}

impl Neighbours {
    /// Nobody yet, over the data plane that serves them all.
    pub(crate) fn over(plane: Arc<dyn DataPlane>) -> Arc<Self> {
        Arc::new(Self {
            changing: tokio::sync::Mutex::default(),
            plane,
            parts: Mutex::default(),
            accounts_opened: AtomicU64::new(0),
        })
    }

    /// What the ids of endpoint states of one more account follow: no account registers as many targets as lie
    /// between two of these numbers.
    pub(crate) fn first_endpoint(&self) -> u64 {
        self.accounts_opened.fetch_add(1, Ordering::Relaxed) << 40
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<String, Part>> {
        // Nothing can panic while it is locked.
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets an account that could not be made.
    pub(crate) fn forget(&self, account: &str) {
        self.parts().remove(account);
    }

    /// Tells the others which blocks `account` has.
    pub(crate) fn occupy(
        &self,
        account: &str,
        subnets: &Table<SubnetId, Subnet>,
        topology: &Topology,
    ) {
        let mut parts = self.parts();
        let part = parts.entry(account.to_owned()).or_default();
        part.blocks = Blocks {
            subnets: subnets.clone(),
            vpc: Some(topology.vpc),
            elastic: topology.elastic,
        };
    }

    /// The blocks that are of no use to `account`, because others have them.
    pub(crate) fn blocks_of_others(&self, account: &str) -> BlocksOfOthers {
        let parts = self.parts();
        let others = parts.iter().filter(|(id, _)| *id != account);
        BlocksOfOthers(others.map(|(_, part)| part.blocks.clone()).collect())
    }

    /// What is served when `snapshot` is what `account` contributes.
    fn joined(&self, account: &str, snapshot: &Arc<Snapshot>) -> Arc<Snapshot> {
        let parts = self.parts();
        let others = parts.iter().filter(|(id, _)| *id != account);
        let others: Vec<_> = others.map(|(_, part)| &part.snapshot).collect();
        if others.is_empty() {
            return Arc::clone(snapshot);
        }
        join(others.into_iter().chain([snapshot]))
    }
}

/// All that these snapshots have. Their generations only rise, and so does the sum.
fn join<'a>(snapshots: impl Iterator<Item = &'a Arc<Snapshot>> + Clone) -> Arc<Snapshot> {
    let addresses = snapshots.clone().flat_map(|it| it.addresses.iter());
    let mut frontends: Vec<_> = snapshots
        .clone()
        .flat_map(|it| &it.frontends)
        .cloned()
        .collect();
    frontends.sort_by_key(|frontend| frontend.id);
    Arc::new(Snapshot {
        generation: snapshots.clone().map(|it| it.generation).sum(),
        addresses: Arc::new(addresses.copied().collect::<BTreeSet<IpAddr>>()),
        frontends,
        pools: snapshots.flat_map(|it| &it.pools).cloned().collect(),
    })
}

/// The blocks that an account may not use.
#[derive(Default)]
pub(crate) struct BlocksOfOthers(Vec<Blocks>);

impl BlocksOfOthers {
    /// Whether another account has an address of `block`.
    pub(crate) fn overlap(&self, block: &Cidr) -> bool {
        self.0.iter().any(|others| {
            let subnets = others.subnets.values().flat_map(|subnet| subnet.blocks());
            let mut blocks = subnets.chain(&others.vpc).chain(&others.elastic);
            blocks.any(|other| other.overlaps(block))
        })
    }
}

/// The data plane as one account knows it: it serves the account's snapshots beside those of the others.
pub(crate) struct AccountPlane {
    pub(crate) neighbours: Arc<Neighbours>,
    pub(crate) account: String,
}

impl DataPlane for AccountPlane {
    fn prepare(&self, snapshot: Arc<Snapshot>) -> PlaneFuture<'_, Result<(), BindError>> {
        let joined = self.neighbours.joined(&self.account, &snapshot);
        self.neighbours.plane.prepare(joined)
    }

    fn publish(&self, snapshot: Arc<Snapshot>) -> PlaneFuture<'_, ()> {
        let joined = self.neighbours.joined(&self.account, &snapshot);
        self.neighbours
            .parts()
            .entry(self.account.clone())
            .or_default()
            .snapshot = snapshot;
        self.neighbours.plane.publish(joined)
    }

    fn cut(&self, endpoint_ids: Vec<u64>) -> PlaneFuture<'_, ()> {
        self.neighbours.plane.cut(endpoint_ids)
    }
}
