//! ALB guide, "Sticky sessions for your Application Load Balancer", seen from both ends.

mod support;

use std::sync::Arc;
use std::time::Duration;

use engine::{Action, Endpoint, Forward, Pool, PoolId, PoolSettings, Routing, Stickiness};
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

/// Two targets behind one sticky pool.
struct Pair {
    targets: [Target; 2],
    endpoints: Vec<Arc<Endpoint>>,
    fixture: Fixture,
}

impl Pair {
    fn new(stickiness: Stickiness) -> Self {
        let targets = [Target::listen(), Target::listen()];
        let endpoints: Vec<_> = targets.iter().map(|it| endpoint(it.address)).collect();
        let pool = sticky_pool(1, stickiness, endpoints.clone());
        let action = Routing::Forward(Forward::new(vec![(pool, 1)]));
        Self {
            fixture: Fixture::with_action(action.into()),
            targets,
            endpoints,
        }
    }

    /// Sends a request with these fields; which target answered with `response`, and what the client got.
    fn exchange(&self, fields: &str, response: &str) -> (usize, String) {
        let mut client = self.fixture.client();
        client.send(format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n"
        ));
        self.fixture.settle();
        let (chosen, mut at_target) = chosen_of(&self.targets);
        at_target.head();
        at_target.send(closing(response));
        let response = client.rest();
        assert_eq!(status(&response), 200);
        (chosen, response)
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
    pair.endpoints[first].state.start_draining();
    let (second, response) = pair.exchange(&fields, OK);
    assert_ne!(second, first);
    let fields = format!("Cookie: AWSALB={}\r\n", value(&response, "AWSALB"));
    assert_eq!(pair.exchange(&fields, OK).0, second);
    assert_eq!(pair.counted().0, 2);
}

#[test]
fn a_target_that_cannot_be_reached_costs_its_clients_their_session() {
    let Pair {
        targets,
        fixture,
        endpoints: _,
    } = Pair::new(by_load_balancer(HOUR));
    let request =
        |fields: &str| format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n");
    let mut client = fixture.client();
    client.send(request(""));
    fixture.settle();
    let (gone, mut at_target) = chosen_of(&targets);
    at_target.head();
    at_target.send(closing(OK));
    let fields = format!("Cookie: AWSALB={}\r\n", value(&client.rest(), "AWSALB"));
    let mut targets = Vec::from(targets);
    drop(targets.remove(gone));
    let mut client = fixture.client();
    client.send(request(&fields));
    targets[0].answer(&closing(OK));
    assert_eq!(status(&client.rest()), 200);
}

#[test]
fn an_application_session_begins_when_the_target_sets_its_cookie() {
    let pair = Pair::new(by_application());
    let (_, response) = pair.exchange("", OK);
    assert!(!response.contains("AWSALB"), "{response}");
    let login = OK.replace("own=1", "session=s1; Path=/");
    let (first, response) = pair.exchange("", &login);
    let cookies = set_cookies(&response);
    let names: Vec<_> = cookies.iter().map(|(name, ..)| &**name).collect();
    assert_eq!(
        names,
        [
            "session",
            "AWSALBAPP-0",
            "AWSALBAPP-1",
            "AWSALBAPP-2",
            "AWSALBAPP-3"
        ]
    );
    assert!(cookies[2..].iter().all(|(_, value, _)| value == "_remove_"));
    let ours = &cookies[1].1;
    for _ in 0..3 {
        let fields = format!("Cookie: session=s1; AWSALBAPP-0={ours}\r\n");
        assert_eq!(pair.exchange(&fields, OK).0, first);
    }
    assert_eq!(pair.counted(), (0, 2));
    pair.exchange(&format!("Cookie: AWSALBAPP-0={ours}\r\n"), OK);
    pair.exchange("Cookie: session=s1\r\n", OK);
    assert_eq!(pair.counted(), (0, 4), "both cookies are needed");
}

#[test]
fn a_client_stays_with_its_target_group() {
    let targets = [Target::listen(), Target::listen()];
    let pools = targets.iter().zip(1..).map(|(target, id)| {
        (
            sticky_pool(id, Stickiness::Off, vec![endpoint(target.address)]),
            1,
        )
    });
    let mut forward = Forward::new(pools.collect());
    forward.stickiness = Some(HOUR);
    let action: Action = Routing::Forward(forward).into();
    let pair = Pair {
        fixture: Fixture::with_action(action),
        targets,
        endpoints: Vec::new(),
    };
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
    assert!(!switched.contains("AWSALB"), "{switched}");
    let (first, switched) = pair.upgrade("", "Set-Cookie: session=s1\r\n");
    let ours = value(&switched, "AWSALBAPP-0");
    let fields = format!("Cookie: session=s1; AWSALBAPP-0={ours}\r\n");
    for _ in 0..3 {
        assert_eq!(pair.exchange(&fields, OK).0, first);
    }
}

#[test]
fn a_response_of_our_own_sets_no_cookie() {
    let pair = Pair::new(by_load_balancer(HOUR));
    let mut client = pair.fixture.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    pair.fixture.settle();
    let (_, mut at_target) = chosen_of(&pair.targets);
    at_target.head();
    at_target.send("no HTTP\r\n\r\n");
    let response = client.rest();
    assert_eq!(status(&response), 502);
    assert_eq!(set_cookies(&response), []);
}
