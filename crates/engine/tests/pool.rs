//! Which target of a pool gets a request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::health::Health;
use engine::{
    Algorithm, Choice, Endpoint, EndpointState, HealthThreshold, Outcome, Pool, PoolId,
    PoolSettings, Reach, Weight,
};
use model::health_check::HealthCheck;
use proptest::prelude::*;

const ROUND_ROBIN: Algorithm = Algorithm::RoundRobin {
    slow_start: Duration::ZERO,
};
const WEIGHTED: Algorithm = Algorithm::WeightedRandom {
    mitigates_anomalies: true,
};
const ALGORITHMS: [Algorithm; 3] = [ROUND_ROBIN, Algorithm::LeastOutstandingRequests, WEIGHTED];

/// A target in words: `h` healthy, `i` initial, `u` unhealthy; a capital is draining as well.
fn endpoint(id: u64, letter: char) -> Arc<Endpoint> {
    endpoint_in(None, id, letter)
}

fn endpoint_in(zone: Option<&str>, id: u64, letter: char) -> Arc<Endpoint> {
    let state = EndpointState::new(id);
    state.set_health(health(letter), None);
    if letter.is_uppercase() {
        state.start_draining();
    }
    let address = SocketAddr::from(([127, 0, 0, 1], 80));
    Arc::new(Endpoint {
        address,
        check_address: address,
        reach: Reach::FULL,
        zone: zone.map(Arc::from),
        key: key(id),
        state: Arc::new(state),
    })
}

/// Keys are in another order than ids.
fn key(id: u64) -> u64 {
    1000 - id
}

fn health(letter: char) -> Health {
    match letter.to_ascii_lowercase() {
        'h' => Health::Healthy { failures: 0 },
        'i' => Health::INITIAL,
        'u' => Health::Unhealthy { passes: 0 },
        _ => panic!("{letter} is no health"),
    }
}

fn settings(algorithm: Algorithm) -> PoolSettings {
    PoolSettings {
        algorithm,
        ..PoolSettings::new(HealthCheck::default())
    }
}

/// A pool of one target for each letter, with ids from 0.
fn pool(algorithm: Algorithm, letters: &str) -> Pool {
    let endpoints = (0..)
        .zip(letters.chars())
        .map(|(id, letter)| endpoint(id, letter));
    Pool::new(PoolId(1), settings(algorithm), endpoints.collect(), None)
}

fn choose(pool: &Pool, tried: &[u64]) -> Option<u64> {
    choose_by(
        pool,
        Choice {
            tried,
            ..Choice::default()
        },
    )
}

fn choose_by(pool: &Pool, choice: Choice<'_>) -> Option<u64> {
    pool.choose_target(choice)
        .map(|endpoint| endpoint.state.id())
}

fn set_health(pool: &Pool, at: usize, letter: char, now_seconds: u64) {
    pool.endpoints[at].state.set_health(health(letter), None);
    pool.refresh(Duration::from_secs(now_seconds));
}

/// The draw of a request: any number, the same at each run. SplitMix64 by S. Vigna, public domain.
fn draw(request: u32) -> u32 {
    let mut z = u64::from(request + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 32) as u32
}

/// How many of so many requests each target gets.
fn shares(pool: &Pool, requests: u32) -> Vec<u32> {
    let mut shares = vec![0; pool.endpoints.len()];
    for request in 0..requests {
        let choice = Choice {
            draw: draw(request),
            ..Choice::default()
        };
        if let Some(id) = choose_by(pool, choice) {
            shares[id as usize] += 1;
        }
    }
    shares
}

/// Checks which targets `letters` get that many requests in a row.
fn check_turns(letters: &str, expected: &[u64]) {
    let pool = pool(ROUND_ROBIN, letters);
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
        for algorithm in ALGORITHMS {
            assert_eq!(choose(&pool(algorithm, letters), &[]), None, "{letters:?}");
        }
    }
}

#[test]
fn the_round_goes_on_in_the_next_snapshot() {
    let first = pool(ROUND_ROBIN, "hhh");
    assert_eq!(
        (choose(&first, &[]), choose(&first, &[])),
        (Some(0), Some(1))
    );
    let next = Pool::new(
        first.id,
        first.settings.clone(),
        first.endpoints.clone(),
        Some(&first),
    );
    assert_eq!(choose(&next, &[]), Some(2));
}

#[test]
fn a_change_of_health_counts_from_the_refresh_on() {
    let pool = pool(ROUND_ROBIN, "hh");
    set_health(&pool, 0, 'u', 0);
    assert_eq!((choose(&pool, &[]), choose(&pool, &[])), (Some(1), Some(1)));
    set_health(&pool, 1, 'u', 0);
    let both = [choose(&pool, &[]), choose(&pool, &[])];
    assert!(
        both.contains(&Some(0)) && both.contains(&Some(1)),
        "fail open, not {both:?}"
    );
}

#[test]
fn draining_counts_at_once_without_a_refresh() {
    let pool = pool(ROUND_ROBIN, "hh");
    pool.endpoints[0].state.start_draining();
    assert_eq!((choose(&pool, &[]), choose(&pool, &[])), (Some(1), Some(1)));
}

#[test]
fn the_pool_fails_open_at_once_when_the_last_healthy_target_starts_draining() {
    for algorithm in ALGORITHMS {
        let pool = pool(algorithm, "hu");
        pool.endpoints[0].state.start_draining();
        assert_eq!(choose(&pool, &[]), Some(1));
        assert_eq!(choose(&pool, &[1]), None);
    }
}

#[test]
fn unhealthy_targets_are_no_second_choice_while_a_healthy_one_is_there() {
    assert_eq!(choose(&pool(ROUND_ROBIN, "hu"), &[0]), None);
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
    proptest::sample::select(&ALGORITHMS[..])
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
        draw: u32,
    ) {
        let pool = pool(algorithm, &letters);
        for at in leaving {
            if let Some(endpoint) = pool.endpoints.get(at) {
                endpoint.state.start_draining();
            }
        }
        for _ in 0..requests {
            let choice = Choice { tried: &tried, draw, ..Choice::default() };
            if let Some(id) = choose_by(&pool, choice) {
                prop_assert!(!pool.endpoints[id as usize].state.is_draining());
                prop_assert!(!tried.contains(&id));
            }
        }
    }

    #[test]
    fn who_looks_sees_the_next_choice_and_takes_no_turn(
        algorithm in algorithm(),
        letters in "[hiuHIU]{0,6}",
        leaving in proptest::collection::vec(0usize..6, 0..4),
        turns in 0u32..7,
    ) {
        let pool = pool(algorithm, &letters);
        for at in leaving.into_iter().filter(|at| *at < letters.len()) {
            pool.endpoints[at].state.start_draining();
        }
        for turn in 0..turns {
            let _ = pool.choose_target(Choice { draw: draw(turn), ..Choice::default() });
        }
        let seen = pool.peek_target(None).map(|it| it.state.id());
        prop_assert_eq!(pool.peek_target(None).map(|it| it.state.id()), seen, "looking changes nothing");
        if pool.is_drawn() {
            prop_assert_eq!(seen, None);
        } else {
            prop_assert_eq!(choose(&pool, &[]), seen);
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
        let pool = pool(ROUND_ROBIN, &"h".repeat(count));
        let turns: Vec<_> = (0..count * rounds).map(|_| choose(&pool, &[])).collect();
        let expected: Vec<_> = (0..count * rounds).map(|turn| Some((turn % count) as u64)).collect();
        prop_assert_eq!(turns, expected);
    }
}

/// A pool whose targets are in zones: `a:hh b:u` has two healthy ones in `a` and an unhealthy one in `b`;
/// those in `*` belong to every zone.
fn zoned(zones: &str, change: impl Fn(&mut PoolSettings)) -> Pool {
    let mut endpoints = Vec::new();
    for part in zones.split_whitespace() {
        let (zone, letters) = part.split_once(':').expect("zone:letters");
        let zone = Some(zone).filter(|zone| *zone != "*");
        for letter in letters.chars() {
            endpoints.push(endpoint_in(zone, endpoints.len() as u64, letter));
        }
    }
    let mut settings = settings(ROUND_ROBIN);
    change(&mut settings);
    Pool::new(PoolId(1), settings, endpoints, None)
}

/// The targets that a node in `zone` chooses in as many turns.
fn turns_in(pool: &Pool, zone: &str, turns: usize) -> Vec<u64> {
    let choice = Choice {
        zone: Some(zone),
        ..Choice::default()
    };
    (0..turns).map_while(|_| choose_by(pool, choice)).collect()
}

#[test]
fn a_node_sends_requests_to_every_zone() {
    let pool = zoned("a:h b:h c:h", |_| {});
    assert_eq!(turns_in(&pool, "a", 6), [0, 1, 2, 0, 1, 2]);
}

#[test]
fn with_cross_zone_off_a_node_sends_requests_to_its_own_zone() {
    let pool = zoned("a:hh b:h b:u", |settings| settings.is_cross_zone = false);
    assert_eq!(turns_in(&pool, "a", 4), [0, 1, 0, 1]);
    assert_eq!(turns_in(&pool, "b", 4), [2, 2, 2, 2]);
    assert_eq!(turns_in(&pool, "c", 4), [], "an empty zone has no target");
    assert_eq!(choose(&pool, &[]), None, "a node in no zone has no target");
}

#[test]
fn targets_of_every_zone_are_everywhere() {
    let pool = zoned("a:h *:h", |settings| settings.is_cross_zone = false);
    assert_eq!(turns_in(&pool, "a", 4), [0, 1, 0, 1]);
    assert_eq!(turns_in(&pool, "b", 2), [1, 1]);
}

#[test]
fn each_zone_takes_turns_and_fails_open_by_itself() {
    let pool = zoned("a:hh b:uu", |settings| settings.is_cross_zone = false);
    let turns: Vec<_> = (0..4)
        .map(|_| (turns_in(&pool, "a", 1), turns_in(&pool, "b", 1)))
        .collect();
    let expected: Vec<_> = [(0, 2), (1, 3), (0, 2), (1, 3)]
        .map(|(a, b)| (vec![a], vec![b]))
        .into();
    assert_eq!(turns, expected);
    pool.refresh(Duration::ZERO);
    assert_eq!(turns_in(&pool, "a", 2), [0, 1]);
}

/// The targets that nodes in `a` and in `b` choose while traffic is shifted away from `a`.
fn chosen_during_shift(zones: &str, change: impl Fn(&mut PoolSettings)) -> [Vec<u64>; 2] {
    let pool = zoned(zones, |settings| {
        settings.shifted_zone = Some("a".into());
        change(settings);
    });
    ["a", "b"].map(|zone| {
        let mut chosen = turns_in(&pool, zone, 20);
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    })
}

/// Source: ALB guide, "Zonal shift for your Application Load Balancer"; ARC guide, "Supported resources".
#[test]
fn no_node_sends_requests_to_the_shifted_zone() {
    for (zones, expected) in [
        ("a:hh b:hh", vec![2, 3]),
        ("a:h b:hu", vec![1]),
        ("a:h b:h c:h *:h", vec![1, 2, 3]),
    ] {
        let chosen = chosen_during_shift(zones, |_| {});
        assert_eq!(chosen, [expected.clone(), expected], "{zones}");
    }
}

#[test]
fn a_shift_has_no_effect_while_the_other_zones_are_not_well_enough() {
    for (zones, count, expected) in [
        ("a:hu b:u", 1, vec![0]),
        ("a:h", 1, vec![0]),
        ("a:u b:u", 1, vec![0, 1]),
        ("a:hh b:h", 2, vec![0, 1, 2]),
        ("a:h b:U", 1, vec![0]),
        ("", 1, vec![]),
    ] {
        let chosen = chosen_during_shift(zones, |settings| {
            settings.routing_threshold = threshold(count, None);
        });
        assert_eq!(chosen, [expected.clone(), expected], "{zones} {count}");
    }
    let off = |settings: &mut PoolSettings| {
        settings.routing_threshold.count = None;
        settings.is_cross_zone = false;
    };
    assert_eq!(chosen_during_shift("a:h b:u", off), [vec![0], vec![1]]);
}

/// A client that comes to the shifted zone's node anyway has nobody else to serve it.
#[test]
fn with_cross_zone_off_the_node_of_the_shifted_zone_serves_on() {
    let zonal = |settings: &mut PoolSettings| settings.is_cross_zone = false;
    assert_eq!(chosen_during_shift("a:hu b:h", zonal), [vec![0], vec![2]]);
    let everywhere = chosen_during_shift("a:h b:h *:h", zonal);
    assert_eq!(everywhere, [vec![2], vec![1, 2]]);
}

#[test]
fn a_client_does_not_stay_with_a_target_in_the_shifted_zone() {
    let pool = zoned("a:h b:h", |settings| {
        settings.shifted_zone = Some("a".into())
    });
    let choice = Choice {
        zone: Some("a"),
        ..Choice::default()
    };
    assert!(
        pool.endpoint_by_key(pool.endpoints[0].key, choice)
            .is_none()
    );
    assert!(
        pool.endpoint_by_key(pool.endpoints[1].key, choice)
            .is_some()
    );
}

fn threshold(count: u32, percentage: Option<u32>) -> HealthThreshold {
    HealthThreshold {
        count: Some(count),
        percentage,
    }
}

#[test]
fn below_the_threshold_requests_go_to_all_targets() {
    for (letters, count, percentage, all_get_requests) in [
        ("hhuuu", 2, None, false),
        ("hhuuu", 3, None, true),
        ("hhuuu", 1, Some(40), false),
        ("hhuuu", 1, Some(41), true),
        ("hhuuu", 3, Some(40), true),
        ("hhuuuUUU", 1, Some(40), false),
        ("hh", 3, None, true),
    ] {
        let pool = zoned(&format!("a:{letters}"), |settings| {
            settings.routing_threshold = threshold(count, percentage);
        });
        let mut chosen = turns_in(&pool, "a", 20);
        chosen.sort_unstable();
        chosen.dedup();
        let serving = letters.chars().filter(|letter| letter.is_lowercase());
        let expected = if all_get_requests { serving.count() } else { 2 };
        assert_eq!(chosen.len(), expected, "{letters} {count} {percentage:?}");
    }
}

/// The example of the guide: two zones of ten targets, half of them must be healthy, six fail in `b`.
#[test]
fn the_threshold_counts_per_zone_with_cross_zone_off_and_over_all_with_it_on() {
    let half = threshold(1, Some(50));
    for (is_cross_zone, b_is_met, chosen_in_b) in [(false, false, 10), (true, true, 14)] {
        let pool = zoned("a:hhhhhhhhhh b:hhhhuuuuuu", |settings| {
            settings.is_cross_zone = is_cross_zone;
            settings.routing_threshold = half;
        });
        assert!(half.is_met(pool.health_in("a")));
        assert_eq!(half.is_met(pool.health_in("b")), b_is_met);
        let mut chosen = turns_in(&pool, "b", 100);
        chosen.sort_unstable();
        chosen.dedup();
        assert_eq!(chosen.len(), chosen_in_b, "cross-zone {is_cross_zone}");
    }
}

#[test]
fn a_threshold_that_is_off_is_always_met() {
    let off = HealthThreshold {
        count: None,
        percentage: None,
    };
    assert!(off.is_met(zoned("a:u", |_| {}).health_in("a")));
    assert!(!HealthThreshold::default().is_met(zoned("a:u", |_| {}).health_in("a")));
    assert!(!HealthThreshold::default().is_met(zoned("", |_| {}).health_in("a")));
}

const SLOWLY: Algorithm = Algorithm::RoundRobin {
    slow_start: Duration::from_secs(100),
};

/// Draws for a share: one for each part of a full weight.
const DRAWS: u32 = 4096;

/// A pool in slow start mode with healthy targets, and one more that was registered later and becomes
/// healthy at 10 s.
fn slow_pool(healthy: usize) -> Pool {
    let first = pool(SLOWLY, &"h".repeat(healthy));
    first.refresh(Duration::ZERO);
    let mut endpoints = first.endpoints.clone();
    endpoints.push(endpoint(healthy as u64, 'i'));
    let pool = Pool::new(PoolId(1), settings(SLOWLY), endpoints, Some(&first));
    pool.refresh(Duration::from_secs(5));
    set_health(&pool, healthy, 'h', 10);
    pool
}

#[test]
fn the_share_of_a_new_target_grows_in_a_straight_line() {
    let pool = slow_pool(1);
    for (now, weight_percent) in [
        (10, 0),
        (35, 25),
        (60, 50),
        (109, 99),
        (110, 100),
        (200, 100),
    ] {
        pool.step_slow_start(Duration::from_secs(now));
        let shares = shares(&pool, DRAWS);
        let total = shares[0] + shares[1];
        assert_eq!(total, DRAWS, "every request has a target");
        let expected = f64::from(weight_percent) / f64::from(100 + weight_percent);
        let found = f64::from(shares[1]) / f64::from(total);
        assert!(
            (found - expected).abs() < 0.03,
            "{now} s: {found}, not {expected}"
        );
    }
}

#[test]
fn a_target_in_slow_start_leaves_its_turn_to_all_others_alike() {
    let pool = slow_pool(3);
    let shares = shares(&pool, 3 * DRAWS);
    assert_eq!(shares, [DRAWS, DRAWS, DRAWS, 0]);
}

#[test]
fn the_first_targets_of_a_group_have_full_shares() {
    let pool = pool(SLOWLY, "iii");
    pool.refresh(Duration::ZERO);
    for at in 0..3 {
        set_health(&pool, at, 'h', 1 + at as u64);
    }
    for endpoint in &pool.endpoints {
        assert_eq!(endpoint.state.weight(), Weight::FULL);
    }
}

#[test]
fn slow_start_is_for_those_who_find_a_target_with_a_full_share() {
    let weight = |pool: &Pool, at: usize| pool.endpoints[at].state.weight();
    let is_slow = |pool: &Pool, at| weight(pool, at) < Weight::FULL;
    // Registered later: slow.
    let pool = slow_pool(1);
    assert!(is_slow(&pool, 1));
    // The other one fails and recovers while nobody has a full share: full.
    set_health(&pool, 0, 'u', 11);
    set_health(&pool, 0, 'h', 12);
    assert_eq!(weight(&pool, 0), Weight::FULL);
    // Unhealthy in slow start: it starts again from nothing.
    set_health(&pool, 1, 'u', 60);
    set_health(&pool, 1, 'h', 61);
    assert!(is_slow(&pool, 1));
}

#[test]
fn slow_start_that_is_switched_on_does_not_touch_healthy_targets() {
    let before = pool(ROUND_ROBIN, "hh");
    before.refresh(Duration::ZERO);
    let endpoints = before.endpoints.clone();
    let after = Pool::new(PoolId(1), settings(SLOWLY), endpoints, Some(&before));
    after.refresh(Duration::from_secs(5));
    assert_eq!(shares(&after, 100), [50, 50]);
    // And switched off it is over.
    let slow = slow_pool(1);
    let endpoints = slow.endpoints.clone();
    let off = Pool::new(PoolId(1), settings(ROUND_ROBIN), endpoints, Some(&slow));
    off.refresh(Duration::from_secs(11));
    assert_eq!(shares(&off, 100), [50, 50]);
}

#[test]
fn targets_in_slow_start_get_everything_when_there_are_no_others() {
    let pool = slow_pool(1);
    set_health(&pool, 0, 'u', 10);
    assert_eq!(shares(&pool, 100), [0, 100]);
}

#[test]
fn weighted_random_spreads_evenly() {
    for share in shares(&pool(WEIGHTED, "hhhhh"), 5 * DRAWS) {
        assert!(share.abs_diff(DRAWS) < DRAWS / 20, "{share} of {DRAWS}");
    }
}

/// Every target answers so many requests, of which the first one fails half.
fn answer(pool: &Pool, requests: u32) {
    for (at, endpoint) in pool.endpoints.iter().enumerate() {
        for request in 0..requests {
            let is_bad = at == 0 && request % 2 == 0;
            endpoint.state.record_outcome(if is_bad {
                Outcome::ServerError
            } else {
                Outcome::Success
            });
        }
    }
}

#[test]
fn an_anomalous_target_gets_fewer_requests_until_it_has_recovered() {
    let pool = pool(WEIGHTED, "hhhh");
    let first = &pool.endpoints[0];
    for _ in 0..10 {
        answer(&pool, 100);
        pool.evaluate_outcomes();
    }
    assert!(first.state.is_anomalous() && pool.is_mitigating(&first.state));
    assert!(
        !pool.endpoints[1].state.is_anomalous() && !pool.is_mitigating(&pool.endpoints[1].state)
    );
    let share = shares(&pool, DRAWS)[0];
    assert!((1..DRAWS / 32).contains(&share), "{share} of {DRAWS}");
    let mut evaluations = 0;
    while pool.is_mitigating(&first.state) {
        for endpoint in &pool.endpoints {
            (0..100).for_each(|_| endpoint.state.record_outcome(Outcome::Success));
        }
        pool.evaluate_outcomes();
        evaluations += 1;
    }
    assert!(!first.state.is_anomalous());
    assert!((8..=20).contains(&evaluations), "{evaluations} of 5 s");
}

#[test]
fn anomalies_are_detected_whatever_the_algorithm_and_mitigated_only_where_asked_for() {
    let unmitigated = Algorithm::WeightedRandom {
        mitigates_anomalies: false,
    };
    for algorithm in [
        ROUND_ROBIN,
        Algorithm::LeastOutstandingRequests,
        unmitigated,
    ] {
        let pool = pool(algorithm, "hhh");
        answer(&pool, 100);
        pool.evaluate_outcomes();
        let first = &pool.endpoints[0];
        assert!(first.state.is_anomalous(), "{algorithm:?}");
        assert!(!pool.is_mitigating(&first.state), "{algorithm:?}");
        assert_eq!(first.state.weight(), Weight::FULL, "{algorithm:?}");
    }
}

#[test]
fn anomalies_are_looked_for_among_three_healthy_targets_and_more() {
    for (letters, is_found) in [
        ("hhh", true),
        ("hhu", false),
        ("hh", false),
        ("uhhh", false),
    ] {
        let pool = pool(WEIGHTED, letters);
        answer(&pool, 100);
        pool.evaluate_outcomes();
        assert_eq!(
            pool.endpoints[0].state.is_anomalous(),
            is_found,
            "{letters}"
        );
    }
}

#[test]
fn a_target_that_becomes_unhealthy_is_not_anomalous_any_more() {
    let pool = pool(WEIGHTED, "hhhh");
    answer(&pool, 100);
    pool.evaluate_outcomes();
    set_health(&pool, 0, 'u', 1);
    pool.evaluate_outcomes();
    assert!(!pool.endpoints[0].state.is_anomalous());
}

#[test]
fn a_client_stays_with_a_target_that_gets_requests() {
    let find = |pool: &Pool, id: u64, tried: &[u64]| {
        let choice = Choice {
            tried,
            ..Choice::default()
        };
        let found = pool.endpoint_by_key(key(id), choice);
        found.map(|endpoint| endpoint.state.id())
    };
    let some = pool(ROUND_ROBIN, "huhHi");
    assert_eq!(find(&some, 0, &[]), Some(0));
    assert_eq!(find(&some, 2, &[]), Some(2));
    assert_eq!(find(&some, 2, &[2]), None, "it could not be reached");
    for (id, why) in [
        (1, "unhealthy"),
        (3, "draining"),
        (4, "initial"),
        (9, "gone"),
    ] {
        assert_eq!(find(&some, id, &[]), None, "{why}");
    }
    some.endpoints[2].state.start_draining();
    assert_eq!(find(&some, 2, &[]), None, "draining counts at once");
    let failing_open = pool(ROUND_ROBIN, "uu");
    assert_eq!(find(&failing_open, 1, &[]), Some(1), "fail open keeps it");
}

#[test]
fn a_client_stays_in_the_zone_of_its_node() {
    let pool = zoned("a:h b:h", |settings| settings.is_cross_zone = false);
    let choice = |zone| Choice {
        zone: Some(zone),
        ..Choice::default()
    };
    assert!(pool.endpoint_by_key(key(1), choice("b")).is_some());
    assert!(pool.endpoint_by_key(key(1), choice("a")).is_none());
}
