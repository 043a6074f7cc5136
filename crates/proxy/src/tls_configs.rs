//! The TLS configurations of a snapshot. They are built before anything of the snapshot is live, once, and shared by
//! all workers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use engine::tls::{Certificate, ClientAuthentication};
use engine::{Frontend, FrontendId, HttpVersion, Snapshot, Tls};
use model::ssl_policy::{SslPolicy, target_ssl_policy};
use tls::{
    ClientConfig, ConfigError, Identity, IdentityError, ServerConfig, ServerOptions, TicketKeys,
    TrustStore, TrustStoreError,
};

/// The policy of health checks through TLS. They belong to a target group, which load balancers with different
/// policies may use: this one has the protocols and the ciphers of nearly all of them.
const HEALTH_CHECK_POLICY: &str = "ELBSecurityPolicy-TLS13-1-0-2021-06";

/// A configuration that is older is built again, long before it makes no more session tickets.
const CONFIG_AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
const _: () = assert!(CONFIG_AGE_MAX.as_secs() < tls::CONFIG_LIFE.as_secs());

/// What listeners offer clients, best first.
///
/// Source: ALB guide, "Listeners for your Application Load Balancers"; ELB API, `LoadBalancerAttribute`,
/// `routing.http2.enabled`.
const fn application_protocols(offers_http2: bool) -> &'static [&'static str] {
    if offers_http2 {
        &["h2", "http/1.1"]
    } else {
        &["http/1.1"]
    }
}

/// The configuration of a listener cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the listener at {address} cannot speak TLS")]
pub struct TlsError {
    /// The first address of the listener.
    pub address: SocketAddr,
    /// Why not.
    #[source]
    pub reason: TlsErrorReason,
}

/// Why the configuration of a listener cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsErrorReason {
    /// A certificate.
    #[error("the certificate {name} cannot be used")]
    Certificate {
        /// Its name.
        name: String,
        /// Why not.
        #[source]
        source: IdentityError,
    },
    /// The trust store.
    #[error("the trust store cannot be used")]
    TrustStore(#[source] TrustStoreError),
    /// Anything else.
    #[error(transparent)]
    Config(ConfigError),
}

/// The TLS of one snapshot.
#[derive(Debug, Default)]
pub(crate) struct TlsConfigs {
    frontends: HashMap<FrontendId, FrontendTls>,
}

/// The TLS of one listener.
#[derive(Debug)]
struct FrontendTls {
    /// `None`: its clients speak in clear text.
    clients: Option<Arc<ServerConfig>>,
    targets: Arc<ClientConfig>,
    /// As `targets`, with the offer of HTTP/2.
    http2_targets: Arc<ClientConfig>,
}

impl TlsConfigs {
    /// How the clients of a listener are spoken to.
    pub(crate) fn clients_of(&self, frontend: FrontendId) -> Option<Arc<ServerConfig>> {
        self.frontends.get(&frontend)?.clients.clone()
    }

    /// How the targets of a listener are spoken to, those that speak TLS.
    pub(crate) fn targets_of(
        &self,
        frontend: FrontendId,
        is_http2: bool,
    ) -> Option<Arc<ClientConfig>> {
        let tls = self.frontends.get(&frontend)?;
        let config = if is_http2 {
            &tls.http2_targets
        } else {
            &tls.targets
        };
        Some(Arc::clone(config))
    }
}

/// How targets are spoken to by health checks through TLS.
#[derive(Debug)]
pub(crate) struct HealthCheckTls {
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
}

impl HealthCheckTls {
    pub(crate) fn new() -> Result<Self, ConfigError> {
        Ok(Self {
            http1: Arc::new(ClientConfig::new(HEALTH_CHECK_POLICY, &[])?),
            http2: Arc::new(ClientConfig::new(HEALTH_CHECK_POLICY, &["h2"])?),
        })
    }

    /// For targets that speak this version.
    pub(crate) fn for_version(&self, version: HttpVersion) -> Arc<ClientConfig> {
        Arc::clone(match version {
            HttpVersion::Http1 => &self.http1,
            HttpVersion::Http2 | HttpVersion::Grpc => &self.http2,
        })
    }
}

/// Builds configurations, and remembers them for the next snapshot.
#[derive(Debug)]
pub(crate) struct TlsBuilder {
    ticket_keys: TicketKeys,
    /// By the address of the settings, and by whether HTTP/2 is offered.
    clients: HashMap<(usize, bool), Built>,
    targets: HashMap<(&'static str, bool), Arc<ClientConfig>>,
}

#[derive(Debug)]
struct Built {
    /// Not counted among those who use the settings, and yet no others take their address.
    tls: Weak<Tls>,
    config: Arc<ServerConfig>,
    at: SystemTime,
}

impl Built {
    fn is_aged(&self, now: SystemTime) -> bool {
        // The keys of its tickets are for times of the same clock, whichever way that is set.
        let age = now.duration_since(self.at).unwrap_or_default();
        age >= CONFIG_AGE_MAX
    }
}

impl TlsBuilder {
    pub(crate) fn new() -> Self {
        Self {
            ticket_keys: TicketKeys::random(),
            clients: HashMap::new(),
            targets: HashMap::new(),
        }
    }

    /// Whether `build` would make another configuration than before of what has not changed.
    pub(crate) fn has_aged(&self, now: SystemTime) -> bool {
        let mut used = self.clients.values();
        used.any(|built| built.tls.strong_count() > 0 && built.is_aged(now))
    }

    /// Everything that `snapshot` needs.
    ///
    /// # Errors
    /// `TlsError` for the first listener that cannot be served.
    pub(crate) fn build(
        &mut self,
        snapshot: &Snapshot,
        now: SystemTime,
    ) -> Result<TlsConfigs, TlsError> {
        // What no snapshot holds any more but this cache is of no use.
        self.clients.retain(|_, built| built.tls.strong_count() > 0);
        // The listeners of one load balancer have its name in common.
        let mut policies: HashMap<&str, Vec<&SslPolicy>> = HashMap::new();
        for frontend in &snapshot.frontends {
            let policy = frontend.tls.as_ref().map(|tls| &*tls.policy);
            let of_load_balancer = policies.entry(&frontend.dns_name).or_default();
            of_load_balancer.extend(policy.and_then(SslPolicy::named));
        }
        let mut frontends = HashMap::new();
        for frontend in &snapshot.frontends {
            let built = self
                .build_one(frontend, &policies[&*frontend.dns_name], now)
                .map_err(|reason| TlsError {
                    address: frontend.addresses.first().copied().unwrap_or(UNSPECIFIED),
                    reason,
                })?;
            frontends.insert(frontend.id, built);
        }
        Ok(TlsConfigs { frontends })
    }

    fn build_one(
        &mut self,
        frontend: &Frontend,
        policies: &[&SslPolicy],
        now: SystemTime,
    ) -> Result<FrontendTls, TlsErrorReason> {
        let clients = frontend
            .tls
            .as_ref()
            .map(|tls| self.for_clients(tls, frontend.http.offers_http2, now))
            .transpose()?;
        let policy = target_ssl_policy(policies).name;
        Ok(FrontendTls {
            clients,
            targets: self.for_targets(policy, false)?,
            http2_targets: self.for_targets(policy, true)?,
        })
    }

    fn for_clients(
        &mut self,
        tls: &Arc<Tls>,
        offers_http2: bool,
        now: SystemTime,
    ) -> Result<Arc<ServerConfig>, TlsErrorReason> {
        let key = (Arc::as_ptr(tls).addr(), offers_http2);
        let known = self.clients.get(&key);
        if let Some(built) = known.filter(|built| !built.is_aged(now)) {
            return Ok(Arc::clone(&built.config));
        }
        let config = Arc::new(server_config(tls, offers_http2, &self.ticket_keys, now)?);
        let built = Built {
            tls: Arc::downgrade(tls),
            config: Arc::clone(&config),
            at: now,
        };
        self.clients.insert(key, built);
        Ok(config)
    }

    fn for_targets(
        &mut self,
        policy: &'static str,
        is_http2: bool,
    ) -> Result<Arc<ClientConfig>, TlsErrorReason> {
        if let Some(config) = self.targets.get(&(policy, is_http2)) {
            return Ok(Arc::clone(config));
        }
        let protocols: &[&str] = if is_http2 { &["h2"] } else { &[] };
        let config = ClientConfig::new(policy, protocols).map_err(TlsErrorReason::Config)?;
        let config = Arc::new(config);
        self.targets.insert((policy, is_http2), Arc::clone(&config));
        Ok(config)
    }
}

/// Of a listener without an address, which nobody can connect to.
const UNSPECIFIED: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);

fn server_config(
    tls: &Tls,
    offers_http2: bool,
    ticket_keys: &TicketKeys,
    now: SystemTime,
) -> Result<ServerConfig, TlsErrorReason> {
    let default_identity = identity(&tls.default_certificate)?;
    let additional = tls
        .additional_certificates
        .iter()
        .map(|certificate| identity(certificate));
    let additional_identities = additional.collect::<Result<Vec<_>, _>>()?;
    ServerConfig::new(&ServerOptions {
        policy: &tls.policy,
        default_identity: &default_identity,
        additional_identities: &additional_identities,
        application_protocols: application_protocols(offers_http2),
        client_authentication: client_authentication(&tls.client_authentication)?,
        ticket_keys,
        now,
    })
    .map_err(TlsErrorReason::Config)
}

pub(crate) fn identity(certificate: &Certificate) -> Result<Identity, TlsErrorReason> {
    Identity::from_pem(&certificate.chain, &certificate.private_key).map_err(|source| {
        TlsErrorReason::Certificate {
            name: certificate.name.to_string(),
            source,
        }
    })
}

pub(crate) fn client_authentication(
    wanted: &ClientAuthentication,
) -> Result<tls::ClientAuthentication, TlsErrorReason> {
    Ok(match wanted {
        ClientAuthentication::Off => tls::ClientAuthentication::Off,
        ClientAuthentication::Passthrough => tls::ClientAuthentication::Passthrough,
        ClientAuthentication::Verify {
            trust_store,
            ignores_expiry,
            advertises_names,
        } => {
            let read =
                TrustStore::from_pem(&trust_store.authorities, &trust_store.revocation_lists);
            tls::ClientAuthentication::Verify {
                trust_store: Arc::new(read.map_err(TlsErrorReason::TrustStore)?),
                ignores_expiry: *ignores_expiry,
                advertises_names: *advertises_names,
            }
        }
    })
}
