//! One whole configuration of the data plane, compiled and immutable.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use model::Cidr;

use crate::http::HttpOptions;
use crate::pool::Pool;
use crate::router::Router;
use crate::tls::Tls;

/// What every worker serves. A request uses one snapshot from its first byte to its end.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Rises with every change, so that a late snapshot is recognised and dropped.
    pub generation: u64,
    /// Every address that something listens on, or will: those of all load balancers.
    pub addresses: Arc<BTreeSet<IpAddr>>,
    /// The listeners, in order of their ids.
    pub frontends: Vec<Arc<Frontend>>,
    /// Every pool that some frontend uses; these, and no others, are health checked.
    pub pools: Vec<Arc<Pool>>,
}

impl Snapshot {
    /// The frontend with this id.
    #[must_use]
    pub fn frontend(&self, id: FrontendId) -> Option<&Arc<Frontend>> {
        let at = self
            .frontends
            .binary_search_by_key(&id, |frontend| frontend.id)
            .ok()?;
        Some(&self.frontends[at])
    }

    /// The zones whose addresses leave the DNS answer for this name: that from which traffic is shifted away,
    /// and those in which no pool of the load balancer has enough healthy targets. When these are all of them,
    /// none leaves.
    ///
    /// A load balancer that forwards to no pool is well everywhere.
    /// Source: ALB guide, "Target group health", "DNS failover", and "Zonal shift for your Application Load
    /// Balancer".
    #[must_use]
    pub fn zones_out_of_dns(&self, dns_name: &str) -> Vec<Arc<str>> {
        let is_its = |frontend: &&Arc<Frontend>| *frontend.dns_name == *dns_name;
        let frontends = || self.frontends.iter().filter(is_its);
        let zones: BTreeSet<_> = frontends().flat_map(|frontend| &frontend.zones).collect();
        let pools = || frontends().flat_map(|frontend| frontend.router.pools());
        let is_out = |zone: &&Arc<str>| {
            let is_shifted =
                |frontend: &Arc<Frontend>| frontend.shifted_zone.as_ref() == Some(zone);
            let is_met =
                |pool: &Arc<Pool>| pool.settings.dns_threshold.is_met(pool.health_in(zone));
            frontends().any(is_shifted) || (pools().next().is_some() && !pools().any(is_met))
        };
        let out: Vec<_> = zones.iter().copied().filter(is_out).cloned().collect();
        if out.len() == zones.len() {
            Vec::new()
        } else {
            out
        }
    }
}

/// Names a frontend over all snapshots: the id at the end of the listener's ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrontendId(pub u64);

/// One listener: where it listens, who may connect, and what happens to a request.
#[derive(Debug)]
pub struct Frontend {
    /// The same in every snapshot that has this listener.
    pub id: FrontendId,
    /// The sockets to listen on: one for each family of addresses in each enabled zone, all with the same port.
    pub addresses: Vec<SocketAddr>,
    /// The zone of each of `addresses`, such as `us-east-1a`, in the same order.
    pub zones: Vec<Arc<str>>,
    /// The one of `zones` that traffic is shifted away from: its addresses leave the DNS answer, and go on
    /// serving those who connect.
    pub shifted_zone: Option<Arc<str>>,
    /// Which peers may connect.
    pub admission: Admission,
    /// How long a connection may go without a byte in either direction, 1 to 4,000 s.
    pub idle_timeout: Duration,
    /// How long after its establishment a connection is told to close, 60 to 604,800 s.
    pub client_keep_alive: Duration,
    /// Sent as `Host` for requests of HTTP/1.0 that have none.
    pub dns_name: Box<str>,
    /// How clients are spoken to in TLS; `None`: in clear text.
    pub tls: Option<Arc<Tls>>,
    /// What is done to all messages.
    pub http: HttpOptions,
    /// The rules.
    pub router: Router,
}

impl Frontend {
    /// The port that all addresses share; 0 for a frontend without an address.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.addresses.first().map_or(0, SocketAddr::port)
    }

    /// The zone of the node that has accepted a connection at this local address.
    #[must_use]
    pub fn zone_of(&self, local: SocketAddr) -> Option<&Arc<str>> {
        let mut zoned = self.addresses.iter().zip(&self.zones);
        let found = zoned.find(|(address, _)| **address == local)?;
        Some(found.1)
    }
}

/// The sources from which connections to one listener port are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Every source.
    Anyone,
    /// The sources inside these blocks. None of them: nobody.
    Only(Vec<Cidr>),
}

impl Admission {
    /// Whether every peer with an address of the family of `local` may connect.
    #[must_use]
    pub fn is_open_to_family(&self, local: IpAddr) -> bool {
        let any = match local {
            IpAddr::V4(_) => Cidr::ANY_IPV4,
            IpAddr::V6(_) => Cidr::ANY_IPV6,
        };
        match self {
            Self::Anyone => true,
            Self::Only(blocks) => blocks.contains(&any),
        }
    }

    /// Whether a peer with this address may connect.
    #[must_use]
    pub fn admits(&self, peer: IpAddr) -> bool {
        match self {
            Self::Anyone => true,
            Self::Only(blocks) => blocks.iter().any(|block| block.contains(peer)),
        }
    }
}
