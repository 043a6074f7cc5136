//! ALB guide, "Sticky sessions for your Application Load Balancer", for clients that speak HTTP/2, with targets of
//! HTTP/1.1 and with those of HTTP/2: `alb_stickiness.rs` has what does not depend on the version.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::sync::Arc;
use std::time::Duration;

use engine::health::Health;
use engine::http::TargetProtocol;
use engine::{Endpoint, Forward, HttpVersion, Pool, PoolId, PoolSettings, Routing, Stickiness};
use frames::*;
use model::health_check::HealthCheck;
use support::{Fixture, Peer, Target, endpoint};

const HOUR: Duration = Duration::from_secs(3600);
const VERSIONS: [HttpVersion; 2] = [HttpVersion::Http1, HttpVersion::Http2];

fn by_load_balancer(duration: Duration) -> Stickiness {
    Stickiness::LoadBalancerCookie { duration }
}

fn pool(id: u64, version: HttpVersion, stickiness: Stickiness, targets: &[Target]) -> Arc<Pool> {
    let mut settings = PoolSettings::new(HealthCheck::default());
    settings.stickiness = stickiness;
    settings.protocol = TargetProtocol {
        is_tls: false,
        version,
    };
    let endpoints = targets.iter().map(|it| endpoint(it.address)).collect();
    Arc::new(Pool::new(PoolId(id), settings, endpoints, None))
}

/// One client, and two targets behind what keeps it with one of them.
struct Pair {
    version: HttpVersion,
    targets: [Target; 2],
    pools: Vec<Arc<Pool>>,
    fixture: Fixture,
    client: FramePeer,
    next_stream: u32,
}

impl Pair {
    /// Both targets in one pool.
    fn new(version: HttpVersion, stickiness: Stickiness) -> Self {
        let targets = [Target::listen(), Target::listen()];
        let pools = vec![pool(1, version, stickiness, &targets)];
        Self::start(version, targets, pools, None)
    }

    /// Each target in a pool of its own.
    fn of_two_pools(version: HttpVersion) -> Self {
        let targets = [Target::listen(), Target::listen()];
        let alone = targets.iter().map(std::slice::from_ref).zip(1..);
        let pools = alone.map(|(target, id)| pool(id, version, Stickiness::Off, target));
        let pools = pools.collect();
        Self::start(version, targets, pools, Some(HOUR))
    }

    fn start(
        version: HttpVersion,
        targets: [Target; 2],
        pools: Vec<Arc<Pool>>,
        with_pool_for: Option<Duration>,
    ) -> Self {
        let weighted = pools.iter().map(|pool| (Arc::clone(pool), 1));
        let mut forward = Forward::new(weighted.collect());
        forward.stickiness = with_pool_for;
        let fixture = Fixture::of_http2(Routing::Forward(forward).into());
        Self {
            version,
            targets,
            pools,
            client: FramePeer::connect(fixture.address),
            fixture,
            next_stream: 1,
        }
    }

    fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        let endpoints = self.pools.iter().flat_map(|pool| &pool.endpoints);
        endpoints.map(Arc::clone).collect()
    }

    fn set_health(&self, target: usize, health: Health) {
        self.endpoints()[target].state.set_health(health, None);
        for pool in &self.pools {
            pool.refresh(Duration::ZERO);
        }
    }

    /// Sends a request with these cookies, each in a field of its own, as clients of HTTP/2 may; which target
    /// answered, and the cookies that the client got.
    fn exchange(&mut self, cookies: &[&str]) -> (usize, Cookies) {
        self.exchange_setting(cookies, "own=1")
    }

    /// The same with a target that sets this cookie.
    fn exchange_setting(&mut self, cookies: &[&str], set: &str) -> (usize, Cookies) {
        let stream = self.next_stream;
        self.next_stream += 2;
        let cookies = cookies.iter().map(|&cookie| ("cookie", cookie));
        let fields: Vec<_> = GET.into_iter().chain(cookies).collect();
        self.client.request(stream, &fields, true);
        self.fixture.settle();
        let mut waiting = self.targets.iter().map(Target::accept_waiting).enumerate();
        let chosen = waiting.find_map(|(at, peer)| Some((at, peer?)));
        let (chosen, at_target) = chosen.expect("a target was chosen");
        match self.version {
            HttpVersion::Http1 => answer_http1(at_target, set),
            _ => answer_http2(at_target, set),
        }
        let response = self.client.response(stream);
        assert_eq!(response.status(), 200);
        // The connection to the target is gone before the next request.
        self.fixture.settle();
        (chosen, Cookies::of(&response))
    }

    fn counted(&self) -> (u64, u64) {
        let counters = self.fixture.counters();
        (
            counters.requests_not_sticky.value(),
            counters.requests_not_sticky_to_application.value(),
        )
    }
}

/// Answers the request that comes on a connection, which is then closed: so that each request opens one, and the
/// listener says which target was chosen.
fn answer_http1(mut at_target: Peer, set: &str) {
    at_target.head();
    at_target.send(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\nSet-Cookie: {set}\r\n\r\n"
    ));
}

fn answer_http2(at_target: Peer, set: &str) {
    let mut at_target = FramePeer::accept_on(at_target.stream);
    let (stream, _) = at_target.message();
    let fields = [(":status", "200"), ("set-cookie", set)];
    at_target.request(stream, &fields, true);
    let mut goaway = stream.to_be_bytes().to_vec();
    goaway.extend(NO_ERROR.to_be_bytes());
    at_target.send(GOAWAY, 0, 0, &goaway);
}

/// Names, values and attributes of the cookies that a response sets.
struct Cookies(Vec<(String, String, String)>);

impl Cookies {
    fn of(response: &Response) -> Self {
        let values = response
            .fields
            .iter()
            .filter(|(name, _)| name == "set-cookie");
        let parts = values.map(|(_, value)| {
            let (name, rest) = value.split_once('=').unwrap();
            let (value, attributes) = rest.split_once("; ").unwrap_or((rest, ""));
            (name.into(), value.into(), attributes.into())
        });
        Self(parts.collect())
    }

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, ..)| &**name).collect()
    }

    /// The cookie as the client sends it back.
    fn sent(&self, name: &str) -> String {
        let found = self.0.iter().find(|(found, ..)| found == name);
        let (name, value, _) = found.unwrap_or_else(|| panic!("no {name} in {:?}", self.0));
        format!("{name}={value}")
    }
}

#[test]
fn a_client_with_the_cookie_stays_and_gets_it_again() {
    for version in VERSIONS {
        let mut pair = Pair::new(version, by_load_balancer(HOUR));
        let (first, set) = pair.exchange(&[]);
        assert_eq!(set.names(), ["own", "AWSALB", "AWSALBCORS"]);
        assert!(set.0[1].2.starts_with("Expires=") && set.0[1].2.ends_with(" GMT; Path=/"));
        assert!(
            set.0[2].2.ends_with(" GMT; Path=/; SameSite=None"),
            "{:?}",
            set.0
        );
        let cookie = set.sent("AWSALB");
        for cookies in [
            &[&*cookie][..],
            &["a=b", &cookie, "c=d"],
            &[&format!("a=b; {cookie}")],
        ] {
            let (chosen, set) = pair.exchange(cookies);
            assert_eq!(chosen, first, "{version:?}");
            assert_ne!(set.sent("AWSALB"), cookie, "it is sealed anew");
        }
        assert_eq!(pair.counted(), (1, 0), "only the first was not sticky");
    }
}

#[test]
fn the_copy_for_other_sites_counts_if_both_are_there() {
    for version in VERSIONS {
        let mut pair = Pair::new(version, by_load_balancer(HOUR));
        let (first, set) = pair.exchange(&[]);
        let copy = set.sent("AWSALBCORS");
        let (chosen, _) = pair.exchange(&["AWSALB=x", &copy]);
        assert_eq!(chosen, first, "{version:?}");
        pair.exchange(&["AWSALBCORS=x", &set.sent("AWSALB")]);
        assert_eq!(pair.counted(), (2, 0), "a damaged copy is as none");
    }
}

#[test]
fn a_session_ends_after_its_duration_and_each_response_starts_it_again() {
    for version in VERSIONS {
        let mut pair = Pair::new(version, by_load_balancer(Duration::from_secs(10)));
        let (first, set) = pair.exchange(&[]);
        let cookie = set.sent("AWSALB");
        pair.fixture.advance(Duration::from_secs(8));
        let (chosen, again) = pair.exchange(&[&cookie]);
        assert_eq!(chosen, first, "{version:?}");
        pair.fixture.advance(Duration::from_secs(8));
        // 16 s after the first response, 8 s after the second.
        assert_eq!(
            pair.exchange(&[&again.sent("AWSALB")]).0,
            first,
            "{version:?}"
        );
        assert_eq!(pair.counted(), (1, 0));
        pair.exchange(&[&cookie]);
        assert_eq!(pair.counted(), (2, 0), "the first one has expired");
    }
}

#[test]
fn a_client_of_a_target_that_fails_its_checks_moves_and_stays_there() {
    for version in VERSIONS {
        let mut pair = Pair::new(version, by_load_balancer(HOUR));
        let healthy = Health::Healthy { failures: 0 };
        pair.set_health(0, healthy);
        pair.set_health(1, healthy);
        let (first, set) = pair.exchange(&[]);
        pair.set_health(first, Health::Unhealthy { passes: 0 });
        let (second, moved) = pair.exchange(&[&set.sent("AWSALB")]);
        assert_ne!(second, first, "{version:?}");
        pair.set_health(first, healthy);
        for _ in 0..3 {
            assert_eq!(
                pair.exchange(&[&moved.sent("AWSALB")]).0,
                second,
                "{version:?}"
            );
        }
        assert_eq!(pair.counted(), (2, 0));
    }
}

#[test]
fn a_client_of_a_target_that_leaves_moves_and_stays_there() {
    for version in VERSIONS {
        let mut pair = Pair::new(version, by_load_balancer(HOUR));
        let (first, set) = pair.exchange(&[]);
        pair.endpoints()[first].state.start_draining();
        let (second, moved) = pair.exchange(&[&set.sent("AWSALB")]);
        assert_ne!(second, first, "{version:?}");
        assert_eq!(
            pair.exchange(&[&moved.sent("AWSALB")]).0,
            second,
            "{version:?}"
        );
        assert_eq!(pair.counted(), (2, 0));
    }
}

#[test]
fn an_application_session_begins_when_the_target_sets_its_cookie() {
    for version in VERSIONS {
        let by_application = Stickiness::ApplicationCookie {
            name: "session".into(),
            duration: HOUR,
        };
        let mut pair = Pair::new(version, by_application);
        let removed = [0, 1, 2, 3].map(|shard| format!("AWSALBAPP-{shard}=_remove_"));
        let sent = |set: &Cookies, from: usize| {
            let names = set.names();
            let ours = names[1..].iter().map(|name| set.sent(name));
            ours.skip(from).collect::<Vec<_>>()
        };
        assert_eq!(sent(&pair.exchange(&[]).1, 0), removed);
        let (first, set) = pair.exchange_setting(&[], "session=s1; Path=/");
        assert_eq!(sent(&set, 1), removed[1..]);
        let ours = set.sent("AWSALBAPP-0");
        for _ in 0..3 {
            let (chosen, set) = pair.exchange(&["session=s1", &ours]);
            assert_eq!(chosen, first, "{version:?}");
            assert_eq!(sent(&set, 1), removed[1..]);
            assert_ne!(set.sent("AWSALBAPP-0"), ours, "it is sealed anew");
        }
        assert_eq!(pair.counted(), (0, 2));
        pair.exchange(&[&ours]);
        pair.exchange(&["session=s1"]);
        assert_eq!(pair.counted(), (0, 4), "both cookies are needed");
    }
}

#[test]
fn an_application_session_moves_with_its_cookie_when_its_target_fails() {
    for version in VERSIONS {
        let by_application = Stickiness::ApplicationCookie {
            name: "session".into(),
            duration: HOUR,
        };
        let mut pair = Pair::new(version, by_application);
        let healthy = Health::Healthy { failures: 0 };
        pair.set_health(0, healthy);
        pair.set_health(1, healthy);
        let (first, set) = pair.exchange_setting(&[], "session=s1");
        pair.set_health(first, Health::Unhealthy { passes: 0 });
        let ours = set.sent("AWSALBAPP-0");
        let (second, moved) = pair.exchange(&["session=s1", &ours]);
        assert_ne!(second, first, "{version:?}");
        pair.set_health(first, healthy);
        let ours = moved.sent("AWSALBAPP-0");
        for _ in 0..3 {
            let (chosen, _) = pair.exchange(&["session=s1", &ours]);
            assert_eq!(chosen, second, "{version:?}");
        }
    }
}

#[test]
fn a_client_stays_with_its_target_group() {
    for version in VERSIONS {
        let mut pair = Pair::of_two_pools(version);
        let (first, set) = pair.exchange(&[]);
        assert_eq!(set.names(), ["own", "AWSALBTG", "AWSALBTGCORS"]);
        let cookie = set.sent("AWSALBTG");
        for _ in 0..8 {
            assert_eq!(pair.exchange(&[&cookie]).0, first, "{version:?}");
        }
    }
}

#[test]
fn a_response_of_our_own_keeps_the_client_with_its_target_group() {
    for version in VERSIONS {
        let targets = [Target::listen(), Target::listen()];
        let pools = (1..3).map(|id| pool(id, version, Stickiness::Off, &[]));
        let mut pair = Pair::start(version, targets, pools.collect(), Some(HOUR));
        pair.client.request(1, &GET, true);
        let response = pair.client.response(1);
        assert_eq!(response.status(), 503);
        assert_eq!(Cookies::of(&response).names(), ["AWSALBTG", "AWSALBTGCORS"]);
    }
    // The version of the targets is looked at before there is one.
    let targets = [Target::listen(), Target::listen()];
    let pools = (1..3).map(|id| pool(id, HttpVersion::Grpc, Stickiness::Off, &[]));
    let mut pair = Pair::start(HttpVersion::Grpc, targets, pools.collect(), Some(HOUR));
    pair.client.request(1, &GET, true);
    let response = pair.client.response(1);
    assert_eq!(response.status(), 464);
    assert_eq!(Cookies::of(&response).names(), ["AWSALBTG", "AWSALBTGCORS"]);
}
