//! Which zones of a load balancer are well enough for the DNS answer, and which node is in which zone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::health::Health;
use engine::router::Rule;
use engine::{
    Admission, Endpoint, EndpointState, Forward, Frontend, FrontendId, HealthThreshold,
    HttpOptions, Pool, PoolId, PoolSettings, Reach, Router, Routing, Snapshot,
};
use model::condition::{Condition, Patterns};
use model::health_check::HealthCheck;

const NAME: &str = "shop-1.us-east-1.elb.internal";

/// Targets in words: `a:hu` has a healthy and an unhealthy one in zone `a`.
fn pool(id: u64, zones: &str, change: impl Fn(&mut PoolSettings)) -> Arc<Pool> {
    let mut endpoints = Vec::new();
    for part in zones.split_whitespace() {
        let (zone, letters) = part.split_once(':').expect("zone:letters");
        for letter in letters.chars() {
            let state = EndpointState::new(endpoints.len() as u64 + 1);
            if letter == 'h' {
                state.set_health(Health::Healthy { failures: 0 }, None);
            }
            let address = SocketAddr::from(([127, 0, 0, 1], 80));
            endpoints.push(Arc::new(Endpoint {
                address,
                check_address: address,
                reach: Reach::FULL,
                zone: Some(zone.into()),
                key: state.id(),
                state: Arc::new(state),
            }));
        }
    }
    let mut settings = PoolSettings::new(HealthCheck::default());
    settings.is_cross_zone = false;
    change(&mut settings);
    Arc::new(Pool::new(PoolId(id), settings, endpoints, None))
}

/// A listener in the zones `a` and `b` that forwards to these pools: the last by default, the others by rules.
fn frontend(id: u64, dns_name: &str, pools: &[Arc<Pool>]) -> Arc<Frontend> {
    shifted_frontend(id, dns_name, pools, None)
}

/// The same while traffic is shifted away from a zone.
fn shifted_frontend(
    id: u64,
    dns_name: &str,
    pools: &[Arc<Pool>],
    shifted_zone: Option<&str>,
) -> Arc<Frontend> {
    let forward = |pool: &Arc<Pool>| Routing::Forward(Forward::new(vec![(Arc::clone(pool), 1)]));
    let redirect = engine::FixedResponse {
        status: 404,
        content_type: None,
        body: Box::default(),
    };
    let (default, others) = match pools.split_last() {
        Some((last, others)) => (forward(last), others),
        None => (Routing::FixedResponse(redirect), pools),
    };
    let rule = |(priority, pool): (u32, &Arc<Pool>)| Rule {
        priority,
        conditions: vec![Condition::PathPattern(Patterns::Wildcards(vec![
            "/x".to_owned(),
        ]))],
        action: forward(pool).into(),
    };
    let rules = (1..).zip(others).map(rule).collect();
    Arc::new(Frontend {
        id: FrontendId(id),
        addresses: vec![
            SocketAddr::from(([127, 0, 0, 1], 80)),
            SocketAddr::from(([127, 0, 0, 2], 80)),
        ],
        zones: vec!["a".into(), "b".into()],
        shifted_zone: shifted_zone.map(Arc::from),
        admission: Admission::Anyone,
        idle_timeout: Duration::from_secs(60),
        client_keep_alive: Duration::from_secs(3600),
        dns_name: dns_name.into(),
        tls: None,
        http: HttpOptions::default(),
        router: Router::compile(rules, default.into()).expect("the rules compile"),
    })
}

fn zones_out(frontends: Vec<Arc<Frontend>>) -> Vec<String> {
    let snapshot = Snapshot {
        frontends,
        ..Snapshot::default()
    };
    let zones = snapshot.zones_out_of_dns(NAME);
    zones.iter().map(ToString::to_string).collect()
}

/// Checks which zones leave the DNS answer because of one pool.
fn check(zones: &str, change: impl Fn(&mut PoolSettings), expected: &[&str]) {
    let pools = [pool(1, zones, change)];
    assert_eq!(
        zones_out(vec![frontend(1, NAME, &pools)]),
        expected,
        "{zones}"
    );
}

#[test]
fn a_zone_without_a_healthy_target_leaves() {
    check("a:h b:h", |_| {}, &[]);
    check("a:h b:u", |_| {}, &["b"]);
    check("a:h", |_| {}, &["b"]);
    check("a:h b:u", |settings| settings.is_cross_zone = true, &[]);
}

#[test]
fn when_every_zone_would_leave_none_does() {
    check("a:u b:u", |_| {}, &[]);
    check("", |_| {}, &[]);
}

#[test]
fn the_shifted_zone_leaves() {
    for (zones, is_cross_zone, expected) in [
        ("a:h b:h", false, vec!["a"]),
        ("a:h b:h", true, vec!["a"]),
        ("a:u b:h", false, vec!["a"]),
        // What is left would be nobody, or nobody who is well: the shift has no effect.
        ("a:h b:u", false, vec![]),
        ("a:h b:u", true, vec![]),
        ("a:h", true, vec![]),
    ] {
        let shift = |settings: &mut PoolSettings| {
            settings.is_cross_zone = is_cross_zone;
            settings.shifted_zone = Some("a".into());
        };
        let pools = [pool(1, zones, shift)];
        let frontend = shifted_frontend(1, NAME, &pools, Some("a"));
        assert_eq!(
            zones_out(vec![frontend]),
            expected,
            "{zones} {is_cross_zone}"
        );
    }
    let forwards_nothing = shifted_frontend(1, NAME, &[], Some("b"));
    assert_eq!(zones_out(vec![forwards_nothing]), ["b"]);
}

#[test]
fn the_threshold_of_the_pool_decides() {
    let threshold = |count, percentage| {
        move |settings: &mut PoolSettings| {
            settings.dns_threshold = HealthThreshold { count, percentage };
        }
    };
    check("a:hhh b:hh", threshold(Some(3), None), &["b"]);
    check("a:hu b:huu", threshold(None, Some(50)), &["b"]);
    check("a:h b:u", threshold(None, None), &[]);
}

#[test]
fn a_zone_stays_while_one_pool_of_the_load_balancer_is_well_there() {
    let (all, only_a) = (pool(1, "a:h b:h", |_| {}), pool(2, "a:h b:u", |_| {}));
    let rules = vec![frontend(1, NAME, &[only_a.clone(), all.clone()])];
    assert!(zones_out(rules).is_empty(), "by another rule");
    let listeners = vec![
        frontend(1, NAME, std::slice::from_ref(&only_a)),
        frontend(2, NAME, std::slice::from_ref(&all)),
    ];
    assert!(zones_out(listeners).is_empty(), "by another listener");
    let others = vec![
        frontend(1, NAME, &[only_a]),
        frontend(2, "blog-1.us-east-1.elb.internal", &[all]),
    ];
    assert_eq!(zones_out(others), ["b"], "not by another load balancer");
}

#[test]
fn a_load_balancer_that_forwards_nothing_is_well_everywhere() {
    assert!(zones_out(vec![frontend(1, NAME, &[])]).is_empty());
    assert!(zones_out(Vec::new()).is_empty());
}

#[test]
fn the_address_of_a_connection_tells_the_zone_of_its_node() {
    let frontend = frontend(1, NAME, &[]);
    let zone = |address: &str| frontend.zone_of(address.parse().unwrap()).map(|it| &**it);
    assert_eq!(zone("127.0.0.1:80"), Some("a"));
    assert_eq!(zone("127.0.0.2:80"), Some("b"));
    assert_eq!(zone("127.0.0.3:80"), None);
}
