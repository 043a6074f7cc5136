//! A data plane whose clock stands still until it is moved, and the peers on both sides of it.

#![allow(dead_code, reason = "each test file uses its own part of this")]

mod peer;
pub(crate) mod recorder;
pub(crate) mod tls;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use engine::router::Rule;
use engine::{
    Action, Admission, Endpoint, EndpointState, Forward, Frontend, FrontendId, HttpOptions,
    HttpVersion, Pool, PoolId, PoolSettings, Reach, Router, Routing, Snapshot, TargetProtocol,
};
use model::health_check::HealthCheck;
use proxy::{Clock, Config, CookieKey, Counters, DataPlane, Ipv6Addresses, Logins};

pub(crate) use peer::{PATIENCE, Peer, Target};

/// The idle timeout of every listener here.
pub(crate) const IDLE: Duration = Duration::from_secs(60);

/// A data plane with one listener.
pub(crate) struct Fixture {
    pub(crate) address: SocketAddr,
    pub(crate) plane: DataPlane,
    runtime: tokio::runtime::Runtime,
    generation: u64,
    http: HttpOptions,
}

/// The same for all tests of a file, because reading the certificates of the system takes a while.
fn logins() -> Arc<Logins> {
    static LOGINS: LazyLock<Arc<Logins>> = LazyLock::new(|| {
        let client = auth::Client::new(&auth::Settings::default()).expect("no roots are given");
        let keys = Arc::new(auth::Keys::generate());
        Arc::new(Logins::new(
            keys,
            client,
            model::authentication::Schemes::HttpsAndHttp,
        ))
    });
    Arc::clone(&LOGINS)
}

/// A registration of a target.
pub(crate) fn endpoint(address: SocketAddr) -> Arc<Endpoint> {
    static IDS: AtomicU64 = AtomicU64::new(1);
    let state = Arc::new(EndpointState::new(IDS.fetch_add(1, Ordering::Relaxed)));
    Arc::new(Endpoint {
        address,
        check_address: address,
        reach: Reach::FULL,
        zone: None,
        key: state.id(),
        state,
    })
}

pub(crate) fn pool(endpoints: &[Arc<Endpoint>]) -> Arc<Pool> {
    pool_of(HttpVersion::Http1, endpoints)
}

/// Targets that speak this version in clear text.
fn pool_of(version: HttpVersion, endpoints: &[Arc<Endpoint>]) -> Arc<Pool> {
    let settings = PoolSettings {
        protocol: TargetProtocol {
            is_tls: false,
            version,
        },
        ..PoolSettings::new(HealthCheck::default())
    };
    Arc::new(Pool::new(PoolId(1), settings, endpoints.to_vec(), None))
}

pub(crate) fn forward_to(endpoints: &[Arc<Endpoint>]) -> Action {
    forward_by(HttpVersion::Http1, endpoints)
}

/// Forwards to targets that speak this version.
pub(crate) fn forward_by(version: HttpVersion, endpoints: &[Arc<Endpoint>]) -> Action {
    let pool = pool_of(version, endpoints);
    Routing::Forward(Forward::new(vec![(pool, 1)])).into()
}

impl Fixture {
    /// A listener that forwards everything to these targets.
    pub(crate) fn forwarding_to(targets: &[&Target]) -> Self {
        let endpoints: Vec<_> = targets
            .iter()
            .map(|target| endpoint(target.address))
            .collect();
        Self::with_action(forward_to(&endpoints))
    }

    pub(crate) fn with_action(action: Action) -> Self {
        Self::start(Admission::Anyone, Vec::new(), action)
    }

    pub(crate) fn start(admission: Admission, rules: Vec<Rule>, default: Action) -> Self {
        Self::start_with(HttpOptions::default(), admission, rules, default)
    }

    /// A listener with these options that forwards everything to these targets.
    pub(crate) fn with_options(http: HttpOptions, targets: &[&Target]) -> Self {
        let endpoints: Vec<_> = targets
            .iter()
            .map(|target| endpoint(target.address))
            .collect();
        Self::start_with(http, Admission::Anyone, Vec::new(), forward_to(&endpoints))
    }

    pub(crate) fn start_with(
        http: HttpOptions,
        admission: Admission,
        rules: Vec<Rule>,
        default: Action,
    ) -> Self {
        let plane = DataPlane::start(Self::config()).expect("the workers start");
        Self::start_on(plane, http, admission, rules, default)
    }

    /// A listener on `::1`.
    pub(crate) fn over_ipv6(http: HttpOptions, rules: Vec<Rule>, default: Action) -> Self {
        let plane = DataPlane::start(Self::config()).expect("the workers start");
        let mut fixture = Self::unpublished(plane, http);
        fixture.address = free_ipv6_address();
        fixture.publish(Admission::Anyone, rules, default);
        fixture
    }

    /// A listener whose clients speak HTTP/2 in clear text.
    pub(crate) fn of_http2(default: Action) -> Self {
        Self::of_http2_with(HttpOptions::default(), default)
    }

    /// A listener whose clients speak HTTP/2 in clear text, with this target for gRPC.
    pub(crate) fn of_grpc(target: &Target) -> Self {
        Self::of_http2(forward_by(HttpVersion::Grpc, &[endpoint(target.address)]))
    }

    pub(crate) fn of_http2_with(http: HttpOptions, default: Action) -> Self {
        let plane = DataPlane::start_with_prior_knowledge(Self::config());
        let plane = plane.expect("the workers start");
        Self::start_on(plane, http, Admission::Anyone, Vec::new(), default)
    }

    fn config() -> Config {
        Config {
            workers: NonZeroUsize::MIN,
            clock: Clock::Manual,
            cookie_key: CookieKey::new([1; CookieKey::BYTES]),
            ipv6_addresses: Ipv6Addresses::Given,
            logins: logins(),
        }
    }

    fn start_on(
        plane: DataPlane,
        http: HttpOptions,
        admission: Admission,
        rules: Vec<Rule>,
        default: Action,
    ) -> Self {
        let mut fixture = Self::unpublished(plane, http);
        fixture.publish(admission, rules, default);
        fixture
    }

    fn unpublished(plane: DataPlane, http: HttpOptions) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Self {
            address: free_address(),
            plane,
            runtime,
            generation: 0,
            http,
        }
    }

    /// Whether configurations of TLS were renewed that are too old at `now`.
    pub(crate) fn renew_tls(&self, now: SystemTime) -> bool {
        self.runtime.block_on(self.plane.renew_tls(now))
    }

    /// Replaces the listener's configuration.
    pub(crate) fn publish(&mut self, admission: Admission, rules: Vec<Rule>, default: Action) {
        let router = Router::compile(rules, default).expect("the rules compile");
        let frontend = Frontend {
            id: FrontendId(1),
            addresses: vec![self.address],
            zones: vec!["us-east-1a".into()],
            shifted_zone: None,
            admission,
            idle_timeout: IDLE,
            client_keep_alive: Duration::from_secs(3600),
            dns_name: "test-1.us-east-1.elb.internal".into(),
            tls: None,
            http: self.http.clone(),
            router,
        };
        self.publish_frontends(vec![Arc::new(frontend)]);
    }

    /// Without the pools, which only the prober reads: no check disturbs a scripted target, and all targets stay as
    /// healthy as they were, which means that all of them serve.
    pub(crate) fn publish_frontends(&mut self, frontends: Vec<Arc<Frontend>>) {
        self.generation += 1;
        self.publish_snapshot(Snapshot {
            generation: self.generation,
            frontends,
            ..Snapshot::default()
        });
    }

    pub(crate) fn publish_snapshot(&mut self, snapshot: Snapshot) {
        let snapshot = Arc::new(snapshot);
        self.plane.prepare(&snapshot).expect("the address is free");
        self.runtime.block_on(self.plane.publish(snapshot));
    }

    /// Lets time pass. What the peers have sent before is taken in first.
    pub(crate) fn advance(&self, by: Duration) {
        self.settle();
        self.runtime.block_on(self.plane.advance(by));
    }

    /// Returns when the worker has seen everything that was sent before the call: bytes on a loopback
    /// socket are there when `send` returns, and with each of these commands the worker looks at its
    /// sockets once. Several, because what one connection receives another has to send on.
    pub(crate) fn settle(&self) {
        for _ in 0..8 {
            self.runtime.block_on(self.plane.advance(Duration::ZERO));
        }
    }

    pub(crate) fn cut(&self, endpoint: &Endpoint) {
        self.runtime
            .block_on(self.plane.cut(vec![endpoint.state.id()]));
    }

    pub(crate) fn client(&self) -> Peer {
        Peer::new(TcpStream::connect(self.address).expect("the listener accepts"))
    }

    pub(crate) fn counters(&self) -> Arc<Counters> {
        self.settle();
        Arc::clone(&self.plane.counters()[0])
    }

    /// Sends `request` on a connection of its own and gives back everything until the close.
    pub(crate) fn exchange(&self, request: &str) -> String {
        let mut client = self.client();
        client.send(request);
        client.rest()
    }
}

/// An address of this machine with a free port. Every test has an address of its own, so that ports cannot
/// be taken by another test between the choice and the use.
fn free_address() -> SocketAddr {
    static LAST: AtomicU8 = AtomicU8::new(1);
    let [high, low, ..] = std::process::id().to_le_bytes();
    let ip = Ipv4Addr::new(
        127,
        100 + high % 100,
        low,
        LAST.fetch_add(1, Ordering::Relaxed),
    );
    TcpListener::bind((ip, 0))
        .and_then(|socket| socket.local_addr())
        .expect("a free port")
}

/// `::1`, which all tests share, with a free port that the system hands to nobody by itself.
fn free_ipv6_address() -> SocketAddr {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let first = u64::from(std::process::id()) * 64;
    loop {
        let port = 10_000 + (first + LAST.fetch_add(1, Ordering::Relaxed)) % 20_000;
        let address = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port as u16);
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// The value of a field in a head; fails if it stands there twice.
pub(crate) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut values = head.lines().skip(1).filter_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.eq_ignore_ascii_case(name).then(|| value.trim())
    });
    let first = values.next();
    assert_eq!(values.next(), None, "{name} stands twice in {head:?}");
    first
}

/// The status code of a response.
pub(crate) fn status(response: &str) -> u16 {
    let code = response
        .split(' ')
        .nth(1)
        .unwrap_or_else(|| panic!("no status in {response:?}"));
    code.parse().expect("a status code")
}
