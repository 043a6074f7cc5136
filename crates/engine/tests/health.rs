//! How checks step the health of a target, and how health is packed for an atomic.

use engine::health::{Check, Failure, Health, after_check};
use model::health_check::HealthCheck;
use proptest::prelude::*;

fn health_check(healthy_threshold: u32, unhealthy_threshold: u32) -> HealthCheck {
    HealthCheck {
        healthy_threshold,
        unhealthy_threshold,
        ..HealthCheck::default()
    }
}

/// The states after each check of `checks` (`+` passes, `-` fails), starting with a new target: `i` initial,
/// `h` healthy, `u` unhealthy. Thresholds: 3 passes, 2 failures.
fn check(checks: &str, expected: &str) {
    let config = health_check(3, 2);
    let mut health = Health::INITIAL;
    let mut found = String::new();
    for sign in checks.chars() {
        let check = if sign == '+' {
            Check::Pass
        } else {
            Check::Fail
        };
        health = after_check(health, check, &config);
        found.push(match health {
            Health::Initial { .. } => 'i',
            Health::Healthy { .. } => 'h',
            Health::Unhealthy { .. } => 'u',
        });
    }
    assert_eq!(found, expected, "after {checks}");
}

#[test]
fn the_first_pass_makes_a_new_target_healthy() {
    check("+", "h");
    check("-+", "ih");
}

#[test]
fn failures_in_a_row_make_a_target_unhealthy() {
    check("--", "iu");
    check("+--", "hhu");
    check("+-+-+-", "hhhhhh"); // Not in a row.
}

#[test]
fn passes_in_a_row_make_an_unhealthy_target_healthy() {
    check("--+++", "iuuuh");
    check("--++-+++", "iuuuuuuh"); // The failure starts the count again.
    check("--+++-+--", "iuuuhhhhu"); // A recovered target has all its failures before it.
}

#[test]
fn a_threshold_beyond_the_counter_is_never_reached_and_does_no_harm() {
    let config = health_check(u32::MAX, u32::MAX);
    let mut health = Health::Healthy { failures: 0 };
    for _ in 0..1_000 {
        health = Health::from_bits(after_check(health, Check::Fail, &config).to_bits());
    }
    assert!(health.is_healthy());
}

#[test]
fn every_failure_survives_packing() {
    let others = [
        Failure::Timeout,
        Failure::FailedHealthChecks,
        Failure::InternalError,
    ];
    let codes = (0..=u16::MAX).map(Failure::ResponseCodeMismatch);
    for failure in codes.chain(others) {
        assert_ne!(failure.to_bits(), 0, "0 means no failure");
        assert_eq!(Failure::from_bits(failure.to_bits()), Some(failure));
    }
    assert_eq!(Failure::from_bits(0), None);
}

#[test]
fn every_health_survives_packing() {
    for counter in 0..=63 {
        for health in [
            Health::Initial { failures: counter },
            Health::Healthy { failures: counter },
            Health::Unhealthy { passes: counter },
        ] {
            assert_eq!(Health::from_bits(health.to_bits()), health);
        }
    }
}

proptest! {
    /// The thresholds say the same as a look at the whole history.
    #[test]
    fn health_is_what_the_latest_checks_say(
        healthy in 2usize..=10,
        unhealthy in 2usize..=10,
        passes in proptest::collection::vec(proptest::bool::weighted(0.6), 0..200),
    ) {
        let config = health_check(healthy as u32, unhealthy as u32);
        let mut health = Health::INITIAL;
        for upto in 1..=passes.len() {
            let before = health;
            let history = &passes[..upto];
            let check = if history[upto - 1] { Check::Pass } else { Check::Fail };
            health = after_check(before, check, &config);
            let all_latest = |count: usize, pass: bool| {
                upto >= count && history[upto - count..].iter().all(|one| *one == pass)
            };
            match (before, health) {
                (Health::Healthy { .. }, Health::Unhealthy { .. }) => {
                    prop_assert!(all_latest(unhealthy, false));
                }
                (Health::Healthy { .. }, _) => prop_assert!(!all_latest(unhealthy, false)),
                (Health::Unhealthy { .. }, Health::Healthy { .. }) => {
                    prop_assert!(all_latest(healthy, true));
                }
                (Health::Unhealthy { .. }, _) => prop_assert!(!all_latest(healthy, true)),
                (Health::Initial { .. }, Health::Healthy { .. }) => prop_assert!(history[upto - 1]),
                (Health::Initial { .. }, Health::Unhealthy { .. }) => {
                    prop_assert!(all_latest(unhealthy, false));
                }
                (Health::Initial { .. }, Health::Initial { .. }) => {
                    prop_assert!(!history[upto - 1] && upto < unhealthy);
                }
            }
            prop_assert_eq!(Health::from_bits(health.to_bits()), health);
        }
    }
}
