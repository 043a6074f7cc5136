//! The data plane alone: one listener that forwards everything to one target.
//!
//! `plain_proxy LISTEN TARGET [RULES]`; with RULES, that many path rules come before the default.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use engine::router::Rule;
use engine::{
    Action, Admission, Endpoint, EndpointState, Forward, Frontend, FrontendId, HttpOptions, Pool,
    PoolId, PoolSettings, Reach, Router, Routing, Snapshot,
};
use model::condition::{Condition, Patterns};
use model::health_check::HealthCheck;
use proxy::{Clock, Config, CookieKey, DataPlane, Logins};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, target, rest @ ..] = arguments.as_slice() else {
        return Err("usage: plain_proxy LISTEN TARGET [RULES]".into());
    };
    let (listen, target): (SocketAddr, SocketAddr) = (listen.parse()?, target.parse()?);
    let rules: u32 = rest.first().map_or(Ok(0), |rules| rules.parse())?;

    let endpoint = Endpoint {
        address: target,
        check_address: target,
        reach: Reach::FULL,
        zone: None,
        key: 1,
        state: Arc::new(EndpointState::new(1)),
    };
    let pool = Arc::new(Pool::new(
        PoolId(1),
        PoolSettings::new(HealthCheck::default()),
        vec![Arc::new(endpoint)],
        None,
    ));
    let forward = Action::from(Routing::Forward(Forward::new(vec![(Arc::clone(&pool), 1)])));
    let rules = (0..rules)
        .map(|n| Rule {
            priority: n + 1,
            conditions: vec![Condition::PathPattern(Patterns::Wildcards(vec![format!(
                "/service-{n}/*"
            )]))],
            action: forward.clone(),
        })
        .collect();
    let frontend = Frontend {
        id: FrontendId(1),
        addresses: vec![listen],
        zones: vec!["us-east-1a".into()],
        shifted_zone: None,
        admission: Admission::Anyone,
        idle_timeout: Duration::from_secs(60),
        client_keep_alive: Duration::from_secs(3600),
        dns_name: "plain.elb.internal".into(),
        tls: None,
        http: HttpOptions::default(),
        router: Router::compile(rules, forward)?,
    };
    let snapshot = Arc::new(Snapshot {
        generation: 1,
        frontends: vec![Arc::new(frontend)],
        pools: vec![pool],
        ..Snapshot::default()
    });

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let plane = DataPlane::start(Config {
            workers: NonZeroUsize::MIN,
            clock: Clock::System,
            cookie_key: CookieKey::new([0; CookieKey::BYTES]),
            ipv6_addresses: proxy::Ipv6Addresses::Given,
            logins: Arc::new(Logins::new(
                Arc::new(auth::Keys::generate()),
                auth::Client::new(&auth::Settings::default())?,
                model::authentication::Schemes::Https,
            )),
        })?;
        plane.prepare(&snapshot)?;
        plane.publish(snapshot).await;
        println!("listening on {listen}");
        std::future::pending().await
    })
}
