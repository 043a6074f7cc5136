//! Which target of a pool gets a request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use engine::health::Health;
use engine::{Algorithm, Endpoint, EndpointState, Pool, PoolId, PoolSettings};
use model::health_check::HealthCheck;
use proptest::prelude::*;

/// A target in words: `h` healthy, `i` initial, `u` unhealthy; a capital is draining as well.
fn endpoint(id: u64, letter: char) -> Arc<Endpoint> {
    let state = EndpointState::new(id);
    state.set_health(health(letter), None);
    if letter.is_uppercase() {
        state.start_draining();
    }
    let address = SocketAddr::from(([127, 0, 0, 1], 80));
    Arc::new(Endpoint {
        address,
        check_address: address,
        state: Arc::new(state),
    })
}

fn health(letter: char) -> Health {
    match letter.to_ascii_lowercase() {
        'h' => Health::Healthy { failures: 0 },
        'i' => Health::INITIAL,
        'u' => Health::Unhealthy { passes: 0 },
        _ => panic!("{letter} is no health"),
    }
}

/// A pool of one target for each letter, with ids from 0.
fn pool(algorithm: Algorithm, letters: &str) -> Pool {
    let endpoints = (0..)
        .zip(letters.chars())
        .map(|(id, letter)| endpoint(id, letter));
    let endpoints = endpoints.collect();
    let position = Arc::new(AtomicUsize::new(0));
    Pool::new(
        PoolId(1),
        PoolSettings {
            algorithm,
            ..PoolSettings::new(HealthCheck::default())
        },
        endpoints,
        position,
    )
}

fn choose(pool: &Pool, tried: &[u64]) -> Option<u64> {
    pool.choose_target(tried)
        .map(|endpoint| endpoint.state.id())
}

/// Checks which targets `letters` get that many requests in a row.
fn check_turns(letters: &str, expected: &[u64]) {
    let pool = pool(Algorithm::RoundRobin, letters);
    let found: Vec<_> = expected.iter().map_while(|_| choose(&pool, &[])).collect();
    assert_eq!(found, expected, "turns of {letters}");
}

#[test]
fn round_robin_goes_in_turn_over_the_healthy() {
    check_turns("hhh", &[0, 1, 2, 0, 1, 2, 0]);
    check_turns("uhih", &[1, 3, 1, 3]);
    check_turns("h", &[0, 0]);
}

#[test]
fn when_none_is_healthy_all_are_candidates() {
    check_turns("uiu", &[0, 1, 2, 0]);
    check_turns("iUi", &[0, 2, 0]);
}

#[test]
fn a_pool_that_is_empty_or_draining_has_no_target() {
    for letters in ["", "H", "HUI"] {
        for algorithm in [Algorithm::RoundRobin, Algorithm::LeastOutstandingRequests] {
            assert_eq!(choose(&pool(algorithm, letters), &[]), None, "{letters:?}");
        }
    }
}

#[test]
fn the_round_goes_on_in_the_next_snapshot() {
    let first = pool(Algorithm::RoundRobin, "hhh");
    assert_eq!(
        (choose(&first, &[]), choose(&first, &[])),
        (Some(0), Some(1))
    );
    let next = Pool::new(
        first.id,
        first.settings.clone(),
        first.endpoints.clone(),
        Arc::clone(&first.position),
    );
    assert_eq!(choose(&next, &[]), Some(2));
}

#[test]
fn a_change_of_health_counts_from_the_refresh_on() {
    let pool = pool(Algorithm::RoundRobin, "hh");
    pool.endpoints[0].state.set_health(health('u'), None);
    pool.refresh();
    assert_eq!((choose(&pool, &[]), choose(&pool, &[])), (Some(1), Some(1)));
    pool.endpoints[1].state.set_health(health('u'), None);
    pool.refresh();
    let both = [choose(&pool, &[]), choose(&pool, &[])];
    assert!(
        both.contains(&Some(0)) && both.contains(&Some(1)),
        "fail open, not {both:?}"
    );
}

#[test]
fn draining_counts_at_once_without_a_refresh() {
    let pool = pool(Algorithm::RoundRobin, "hh");
    pool.endpoints[0].state.start_draining();
    assert_eq!((choose(&pool, &[]), choose(&pool, &[])), (Some(1), Some(1)));
}

#[test]
fn the_pool_fails_open_at_once_when_the_last_healthy_target_starts_draining() {
    for algorithm in [Algorithm::RoundRobin, Algorithm::LeastOutstandingRequests] {
        let pool = pool(algorithm, "hu");
        pool.endpoints[0].state.start_draining();
        assert_eq!(choose(&pool, &[]), Some(1));
        assert_eq!(choose(&pool, &[1]), None);
    }
}

#[test]
fn unhealthy_targets_are_no_second_choice_while_a_healthy_one_is_there() {
    assert_eq!(choose(&pool(Algorithm::RoundRobin, "hu"), &[0]), None);
}

#[test]
fn least_outstanding_requests_takes_the_least_busy() {
    let pool = pool(Algorithm::LeastOutstandingRequests, "hhh");
    let _busy = [
        pool.endpoints[0].state.begin_request(),
        pool.endpoints[2].state.begin_request(),
    ];
    for _ in 0..5 {
        assert_eq!(choose(&pool, &[]), Some(1));
    }
    assert!(
        matches!(choose(&pool, &[1]), Some(0 | 2)),
        "the next best when the best was tried"
    );
}

#[test]
fn least_outstanding_requests_spreads_ties() {
    let pool = pool(Algorithm::LeastOutstandingRequests, "hhh");
    let mut chosen: Vec<_> = (0..3).map(|_| choose(&pool, &[])).collect();
    chosen.sort();
    assert_eq!(chosen, [Some(0), Some(1), Some(2)]);
}

#[test]
fn a_request_in_flight_counts_until_its_guard_is_dropped() {
    let state = Arc::new(EndpointState::new(7));
    let guards = [state.begin_request(), state.begin_request()];
    assert_eq!(state.requests_in_flight(), 2);
    drop(guards);
    assert_eq!(state.requests_in_flight(), 0);
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop_oneof![
        Just(Algorithm::RoundRobin),
        Just(Algorithm::LeastOutstandingRequests)
    ]
}

proptest! {
    /// Whatever starts draining after the candidates were worked out, and whatever was tried.
    #[test]
    fn a_chosen_target_is_neither_draining_nor_tried(
        algorithm in algorithm(),
        letters in "[hiuHIU]{0,6}",
        leaving in proptest::collection::vec(0usize..6, 0..4),
        tried in proptest::collection::vec(0u64..6, 0..4),
        requests in 1usize..10,
    ) {
        let pool = pool(algorithm, &letters);
        for at in leaving {
            if let Some(endpoint) = pool.endpoints.get(at) {
                endpoint.state.start_draining();
            }
        }
        for _ in 0..requests {
            if let Some(id) = choose(&pool, &tried) {
                prop_assert!(!pool.endpoints[id as usize].state.is_draining());
                prop_assert!(!tried.contains(&id));
            }
        }
    }

    /// Unhealthy targets get requests only when no healthy one that may get any is left.
    #[test]
    fn targets_are_healthy_or_the_pool_fails_open(
        algorithm in algorithm(),
        letters in "[hiuHIU]{0,6}",
        leaving in proptest::collection::vec(0usize..6, 0..4),
    ) {
        let pool = pool(algorithm, &letters);
        for at in leaving {
            if let Some(endpoint) = pool.endpoints.get(at) {
                endpoint.state.start_draining();
            }
        }
        let serving = || pool.endpoints.iter().filter(|one| !one.state.is_draining());
        let is_healthy = |one: &Arc<Endpoint>| one.state.health().is_healthy();
        match choose(&pool, &[]) {
            None => prop_assert_eq!(serving().count(), 0),
            Some(id) => prop_assert!(
                is_healthy(&pool.endpoints[id as usize]) || !serving().any(is_healthy)
            ),
        }
    }

    #[test]
    fn round_robin_gives_each_candidate_its_turn(count in 1usize..8, rounds in 1usize..5) {
        let pool = pool(Algorithm::RoundRobin, &"h".repeat(count));
        let turns: Vec<_> = (0..count * rounds).map(|_| choose(&pool, &[])).collect();
        let expected: Vec<_> = (0..count * rounds).map(|turn| Some((turn % count) as u64)).collect();
        prop_assert_eq!(turns, expected);
    }
}
