//! ALB guide, "Sticky sessions for your Application Load Balancer", seen from both ends.

mod support;

use std::sync::Arc;
use std::time::Duration;

use engine::health::Health;
use engine::{
    Action, Admission, Endpoint, EndpointState, Forward, Pool, PoolId, PoolSettings, Routing,
    Stickiness,
};
use model::health_check::HealthCheck;
use support::{Fixture, Peer, Target, endpoint, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: own=1\r\n\r\nok";
const HOUR: Duration = Duration::from_secs(3600);

fn by_load_balancer(duration: Duration) -> Stickiness {
    Stickiness::LoadBalancerCookie { duration }
}

fn by_application() -> Stickiness {
    Stickiness::ApplicationCookie {
        name: "session".into(),
        duration: HOUR,
    }
}

fn sticky_pool(id: u64, stickiness: Stickiness, endpoints: Vec<Arc<Endpoint>>) -> Arc<Pool> {
    let settings = PoolSettings {
        stickiness,
        ..PoolSettings::new(HealthCheck::default())
    };
    Arc::new(Pool::new(PoolId(id), settings, endpoints, None))
}

/// Two targets behind what keeps clients with one of them.
struct Pair {
    targets: [Target; 2],
    pools: Vec<Arc<Pool>>,
    fixture: Fixture,
}

impl Pair {
    /// Both targets in one pool.
    fn new(stickiness: Stickiness) -> Self {
        let targets = [Target::listen(), Target::listen()];
        let endpoints = targets.iter().map(|it| endpoint(it.address)).collect();
        Self::start(targets, vec![sticky_pool(1, stickiness, endpoints)], None)
    }

    /// Each target in a pool of its own.
    fn of_two_pools() -> Self {
        let targets = [Target::listen(), Target::listen()];
        let endpoints = targets.iter().map(|it| vec![endpoint(it.address)]);
        let pools = (1..).zip(endpoints);
        let pools = pools.map(|(id, endpoints)| sticky_pool(id, Stickiness::Off, endpoints));
        let pools = pools.collect();
        Self::start(targets, pools, Some(HOUR))
    }

    fn start(targets: [Target; 2], pools: Vec<Arc<Pool>>, with_pool_for: Option<Duration>) -> Self {
        Self {
            fixture: Fixture::with_action(forward(&pools, with_pool_for)),
            targets,
            pools,
        }
    }

    /// Serves the pools as they are now.
    fn publish(&mut self, with_pool_for: Option<Duration>) {
        let action = forward(&self.pools, with_pool_for);
        self.fixture.publish(Admission::Anyone, Vec::new(), action);
    }

    fn state(&self, target: usize) -> &EndpointState {
        &self.pools[0].endpoints[target].state
    }

    fn set_health(&self, target: usize, health: Health) {
        self.state(target).set_health(health, None);
        self.pools[0].refresh(Duration::ZERO);
    }

    /// Sends a request with these fields; which target answered with `response`, and what the client got.
    fn exchange(&self, fields: &str, response: &str) -> (usize, String) {
        let (chosen, response) = self.relay(fields, &closing(response));
        assert_eq!(status(&response), 200);
        (chosen, response)
    }

    /// The same with a target whose answer is none.
    fn fail(&self, fields: &str, answer: &str) -> String {
        self.relay(fields, answer).1
    }

    fn relay(&self, fields: &str, answer: &str) -> (usize, String) {
        let mut client = self.fixture.client();
        client.send(closing_get(fields));
        self.fixture.settle();
        let (chosen, mut at_target) = chosen_of(&self.targets);
        at_target.head();
        at_target.send(answer);
        (chosen, client.rest())
    }

    /// Asks for a tunnel with these fields; which target switched, with those, and the head of its response.
    fn upgrade(&self, fields: &str, answered: &str) -> (usize, String) {
        let mut client = self.fixture.client();
        client.send(format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{fields}\r\n"
        ));
        self.fixture.settle();
        let (chosen, mut at_target) = chosen_of(&self.targets);
        at_target.head();
        at_target.send(format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{answered}\r\n"
        ));
        let response = client.head();
        assert_eq!(status(&response), 101);
        (chosen, response)
    }

    fn counted(&self) -> (u64, u64) {
        let counters = self.fixture.counters();
        (
            counters.requests_not_sticky.value(),
            counters.requests_not_sticky_to_application.value(),
        )
    }
}

fn forward(pools: &[Arc<Pool>], with_pool_for: Option<Duration>) -> Action {
    let weighted = pools.iter().map(|pool| (Arc::clone(pool), 1));
    let mut forward = Forward::new(weighted.collect());
    forward.stickiness = with_pool_for;
    Routing::Forward(forward).into()
}

fn closing_get(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n")
}

/// The target that a request has come to, and the connection it came on.
fn chosen_of(targets: &[Target]) -> (usize, Peer) {
    let mut waiting = targets.iter().map(Target::accept_waiting).enumerate();
    let chosen = waiting.find_map(|(at, peer)| Some((at, peer?)));
    chosen.expect("a target was chosen")
}

fn closing(response: &str) -> String {
    response.replacen("\r\n", "\r\nConnection: close\r\n", 1)
}

/// The `Set-Cookie` values of a response: names, values and attributes.
fn set_cookies(response: &str) -> Vec<(String, String, String)> {
    let values = response
        .lines()
        .filter_map(|line| line.strip_prefix("Set-Cookie: "));
    let parts = values.map(|value| {
        let (name, rest) = value.split_once('=').unwrap();
        let (value, attributes) = rest.split_once("; ").unwrap_or((rest, ""));
        (name.into(), value.into(), attributes.into())
    });
    parts.collect()
}

fn value(response: &str, name: &str) -> String {
    let cookies = set_cookies(response);
    let found = cookies.into_iter().find(|(found, ..)| found == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {response:?}"))
        .1
}

#[test]
fn both_cookies_stand_behind_those_of_the_target() {
    let pair = Pair::new(by_load_balancer(HOUR));
    let (_, response) = pair.exchange("", OK);
    let cookies = set_cookies(&response);
    let names: Vec<_> = cookies.iter().map(|(name, ..)| &**name).collect();
    assert_eq!(names, ["own", "AWSALB", "AWSALBCORS"]);
    assert_eq!(cookies[1].1, cookies[2].1);
    let (expires, rest) = cookies[1].2.split_once("; ").unwrap();
    assert!(
        expires.starts_with("Expires=") && expires.ends_with(" GMT"),
        "{expires}"
    );
    assert_eq!(rest, "Path=/");
    // On a listener in clear text there is no `Secure`.
    assert!(
        cookies[2].2.ends_with("; Path=/; SameSite=None"),
        "{}",
        cookies[2].2
    );
    assert_eq!(pair.counted(), (1, 0));
}

#[test]
fn a_client_with_the_cookie_stays_and_gets_it_again() {
    let pair = Pair::new(by_load_balancer(HOUR));
    let (first, response) = pair.exchange("", OK);
    let cookie = value(&response, "AWSALB");
    for fields in [
        format!("Cookie: AWSALB={cookie}\r\n"),
        format!("Cookie: a=b; AWSALB=x; AWSALBCORS={cookie}\r\n"),
    ] {
        for _ in 0..3 {
            let (chosen, response) = pair.exchange(&fields, OK);
            assert_eq!(chosen, first);
            assert_ne!(value(&response, "AWSALB"), cookie, "it is sealed anew");
        }
    }
    assert_eq!(
        pair.counted(),
        (1, 0),
        "only the first request was not sticky"
    );
}

#[test]
fn cookies_that_mean_nothing_are_as_none() {
    let pair = Pair::new(by_load_balancer(HOUR));
    let (_, response) = pair.exchange("", OK);
    let cookie = value(&response, "AWSALB");
    let chosen: Vec<_> = [
        "AWSALB=garbage".to_owned(),
        format!("AWSALB={cookie}x"),
        format!("AWSALB={}", cookie.replace('=', "%3D")),
        // The copy for other sites counts, and it is damaged.
        format!("AWSALB={cookie}; AWSALBCORS=garbage"),
        // A cookie for another purpose.
        format!("AWSALBTG={cookie}"),
    ]
    .iter()
    .map(|cookies| pair.exchange(&format!("Cookie: {cookies}\r\n"), OK).0)
    .collect();
    assert_ne!(chosen[0], chosen[1], "the targets take turns: {chosen:?}");
    assert!(pair.counted().0 >= 5);
}

#[test]
fn a_session_ends_after_its_duration_although_the_cookie_is_kept() {
    let pair = Pair::new(by_load_balancer(Duration::from_secs(10)));
    let (first, response) = pair.exchange("", OK);
    let fields = format!("Cookie: AWSALB={}\r\n", value(&response, "AWSALB"));
    assert_eq!(pair.exchange(&fields, OK).0, first);
    assert_eq!(pair.counted().0, 1);
    pair.fixture.advance(Duration::from_secs(11));
    pair.exchange(&fields, OK);
    assert_eq!(pair.counted().0, 2);
}

#[test]
fn a_client_of_a_target_that_leaves_moves_and_stays_there() {
    let pair = Pair::new(by_load_balancer(HOUR));
    let (first, response) = pair.exchange("", OK);
    let fields = format!("Cookie: AWSALB={}\r\n", value(&response, "AWSALB"));
    pair.state(first).start_draining();
    let (second, response) = pair.exchange(&fields, OK);
    assert_ne!(second, first);
    let fields = format!("Cookie: AWSALB={}\r\n", value(&response, "AWSALB"));
    assert_eq!(pair.exchange(&fields, OK).0, second);
    assert_eq!(pair.counted().0, 2);
}

#[test]
fn a_target_that_cannot_be_reached_costs_its_clients_their_session() {
    let Pair {
        targets, fixture, ..
    } = Pair::new(by_load_balancer(HOUR));
    let mut client = fixture.client();
    client.send(closing_get(""));
    fixture.settle();
    let (gone, mut at_target) = chosen_of(&targets);
    at_target.head();
    at_target.send(closing(OK));
    let fields = format!("Cookie: AWSALB={}\r\n", value(&client.rest(), "AWSALB"));
    let mut targets = Vec::from(targets);
    drop(targets.remove(gone));
    let mut client = fixture.client();
    client.send(closing_get(&fields));
    targets[0].answer(&closing(OK));
    assert_eq!(status(&client.rest()), 200);
}

/// The values of all four cookies of an application's session; they stand behind those of the target.
fn shards(response: &str) -> [String; 4] {
    let cookies = set_cookies(response);
    let first = cookies.len() - 4;
    std::array::from_fn(|shard| {
        let (name, value, attributes) = &cookies[first + shard];
        assert_eq!(*name, format!("AWSALBAPP-{shard}"), "{response}");
        assert!(attributes.ends_with(" GMT; Path=/"), "{response}");
        value.clone()
    })
}

/// What the client sends in a session with the target that `response` came from.
fn in_session(response: &str) -> String {
    let [ours, rest @ ..] = shards(response);
    assert_ne!(ours, "_remove_", "{response}");
    assert_eq!(rest, ["_remove_"; 3], "one is enough");
    format!("Cookie: session=s1; AWSALBAPP-0={ours}\r\n")
}

fn login() -> String {
    OK.replace("own=1", "session=s1; Path=/")
}

#[test]
fn an_application_session_begins_when_the_target_sets_its_cookie() {
    let pair = Pair::new(by_application());
    let (_, response) = pair.exchange("", OK);
    assert_eq!(shards(&response), ["_remove_"; 4], "no session has begun");
    let (first, response) = pair.exchange("", &login());
    let mut fields = in_session(&response);
    for _ in 0..3 {
        let (chosen, response) = pair.exchange(&fields, OK);
        assert_eq!(chosen, first);
        let again = in_session(&response);
        assert_ne!(again, fields, "it is sealed anew");
        fields = again;
    }
    assert_eq!(pair.counted(), (0, 2));
}

#[test]
fn an_application_session_ends_with_the_cookie_of_the_application() {
    let pair = Pair::new(by_application());
    let (_, response) = pair.exchange("", &login());
    let ours = in_session(&response).replace("session=s1; ", "");
    let (_, response) = pair.exchange(&ours, OK);
    assert_eq!(pair.counted(), (0, 2), "both cookies are needed");
    assert_eq!(shards(&response), ["_remove_"; 4]);
    // What the client still has then means nothing, and its next session is with whom it comes to.
    for remains in ["", "; AWSALBAPP-0=_remove_", "; AWSALBAPP-0=garbage"] {
        let counted = pair.counted().1;
        let (first, response) = pair.exchange(&format!("Cookie: session=s2{remains}\r\n"), OK);
        assert_eq!(pair.counted().1, counted + 1, "{remains:?}");
        for _ in 0..3 {
            assert_eq!(pair.exchange(&in_session(&response), OK).0, first);
        }
    }
}

#[test]
fn an_application_session_moves_once_with_its_client() {
    let pair = Pair::new(by_application());
    let healthy = Health::Healthy { failures: 0 };
    let (first, response) = pair.exchange("", &login());
    pair.set_health(1 - first, healthy);
    pair.set_health(first, Health::Unhealthy { passes: 0 });
    let (second, response) = pair.exchange(&in_session(&response), OK);
    assert_ne!(second, first);
    pair.set_health(first, healthy);
    for _ in 0..3 {
        assert_eq!(pair.exchange(&in_session(&response), OK).0, second);
    }
    assert_eq!(pair.counted(), (0, 2));
    // The same for a target that is deregistered.
    pair.state(second).start_draining();
    let (third, response) = pair.exchange(&in_session(&response), OK);
    assert_eq!(third, first);
    assert_eq!(pair.exchange(&in_session(&response), OK).0, first);
    assert_eq!(pair.counted(), (0, 3));
}

#[test]
fn an_application_session_lasts_for_its_duration_from_the_last_response() {
    let pair = Pair::new(by_application());
    let (first, response) = pair.exchange("", &login());
    let began = in_session(&response);
    pair.fixture.advance(HOUR - Duration::from_secs(10));
    let (chosen, response) = pair.exchange(&began, OK);
    assert_eq!(chosen, first);
    pair.fixture.advance(HOUR - Duration::from_secs(10));
    assert_eq!(pair.exchange(&in_session(&response), OK).0, first);
    assert_eq!(pair.counted(), (0, 1));
    pair.exchange(&began, OK);
    assert_eq!(pair.counted(), (0, 2), "the first one has expired");
}

#[test]
fn a_client_stays_with_its_target_group() {
    let pair = Pair::of_two_pools();
    let (first, response) = pair.exchange("", OK);
    let cookies = set_cookies(&response);
    let names: Vec<_> = cookies.iter().map(|(name, ..)| &**name).collect();
    assert_eq!(names, ["own", "AWSALBTG", "AWSALBTGCORS"]);
    let fields = format!("Cookie: AWSALBTG={}\r\n", cookies[1].1);
    for _ in 0..8 {
        assert_eq!(pair.exchange(&fields, OK).0, first);
    }
}

#[test]
fn a_pool_without_stickiness_sets_no_cookie() {
    let pair = Pair::new(Stickiness::Off);
    let (_, response) = pair.exchange("Cookie: AWSALB=x\r\n", OK);
    assert!(!response.contains("AWSALB"));
    assert_eq!(pair.counted(), (0, 0));
}

/// No other response follows 101, so what keeps the client with the target of its tunnel is in it.
#[test]
fn the_response_that_begins_a_tunnel_sets_the_cookies() {
    let pair = Pair::new(by_load_balancer(HOUR));
    let (first, switched) = pair.upgrade("", "");
    let names = set_cookies(&switched).into_iter().map(|(name, ..)| name);
    assert_eq!(names.collect::<Vec<_>>(), ["AWSALB", "AWSALBCORS"]);
    let fields = format!("Cookie: AWSALB={}\r\n", value(&switched, "AWSALB"));
    for _ in 0..3 {
        assert_eq!(pair.upgrade(&fields, "").0, first);
        assert_eq!(pair.exchange(&fields, OK).0, first);
    }
    assert_eq!(pair.counted(), (1, 0));
}

#[test]
fn an_application_session_can_begin_with_a_tunnel() {
    let pair = Pair::new(by_application());
    let (_, switched) = pair.upgrade("", "");
    assert_eq!(shards(&switched), ["_remove_"; 4]);
    let (first, switched) = pair.upgrade("", "Set-Cookie: session=s1\r\n");
    for _ in 0..3 {
        assert_eq!(pair.exchange(&in_session(&switched), OK).0, first);
    }
}

/// A target may be another with the next request, so only its own responses say to stay with it.
#[test]
fn a_response_of_our_own_names_no_target() {
    let pair = Pair::new(by_load_balancer(HOUR));
    let response = pair.fail("", "no HTTP\r\n\r\n");
    assert_eq!(status(&response), 502);
    assert_eq!(set_cookies(&response), []);
}

/// Source: ALB guide, "Target group stickiness": the cookie comes with every response of the action.
#[test]
fn a_response_of_our_own_keeps_the_client_with_its_target_group() {
    let mut pair = Pair::of_two_pools();
    let names_the_group = |response: &str| {
        let cookies = set_cookies(response);
        let names: Vec<_> = cookies.iter().map(|(name, ..)| &**name).collect();
        assert_eq!(names, ["AWSALBTG", "AWSALBTGCORS"], "{response}");
        assert_eq!(cookies[0].1, cookies[1].1);
        assert!(cookies[0].2.ends_with(" GMT; Path=/"));
        assert!(cookies[1].2.ends_with(" GMT; Path=/; SameSite=None"));
        format!("Cookie: AWSALBTG={}\r\n", cookies[0].1)
    };
    let response = pair.fail("", "no HTTP\r\n\r\n");
    assert_eq!(status(&response), 502);
    let fields = names_the_group(&response);
    let first = pair.exchange(&fields, OK).0;
    for _ in 0..3 {
        assert_eq!(pair.exchange(&fields, OK).0, first);
    }

    // A target that does not answer, and a request that no target may have.
    let mut client = pair.fixture.client();
    client.send(closing_get(&fields));
    pair.fixture.settle();
    let (_, mut at_target) = chosen_of(&pair.targets);
    at_target.head();
    pair.fixture.advance(support::IDLE + Duration::from_secs(1));
    let response = client.rest();
    assert_eq!(status(&response), 504);
    names_the_group(&response);
    let addresses = vec!["192.0.2.1"; 31].join(", ");
    let forwarded = format!("{fields}X-Forwarded-For: {addresses}\r\n");
    let response = pair.fixture.exchange(&closing_get(&forwarded));
    assert_eq!(status(&response), 463);
    names_the_group(&response);

    // An empty group keeps its clients.
    for pool in &mut pair.pools {
        *pool = sticky_pool(pool.id.0, Stickiness::Off, Vec::new());
    }
    pair.publish(Some(HOUR));
    let response = pair.fixture.exchange(&closing_get(&fields));
    assert_eq!(status(&response), 503);
    names_the_group(&response);
    pair.publish(None);
    let response = pair.fixture.exchange(&closing_get(&fields));
    assert_eq!(status(&response), 503);
    assert_eq!(set_cookies(&response), []);
}
