//! Targets whose requests fail more often than those of their peers, and the weight they get.
//!
//! AWS says what is compared (5xx responses and failed connections, with those of the other targets) and not
//! how. Here a target is anomalous when its share of failures is above the median of all targets by more
//! than chance explains. By the median at most half of the targets can be anomalous, so that mitigation
//! never sends everything to a minority.
//!
//! Source: ALB guide, "Automatic Target Weights (ATW)".

use crate::endpoint::Outcome;
use crate::weight::Weight;

/// Healthy targets below which nothing is compared.
const TARGETS_MIN: usize = 3;
/// Requests below which a target is not judged.
const REQUESTS_MIN: u32 = 10;
/// Failures below which a target is normal.
const FAILURES_MIN: u32 = 3;
/// How far above the median an anomalous share of failures is at least.
const DIFFERENCE_MIN: f64 = 0.1;
/// How many standard deviations above the median it is at least: chance gets there once in 700 times.
const DEVIATIONS_MIN: f64 = 3.0;

/// The least weight, enough to see when the target has recovered: a 32nd of a full share.
const WEIGHT_MIN: u32 = Weight::PARTS / 32;
/// What a recovered target gets back at a time: parity after eight steps at the latest.
const WEIGHT_STEP: u32 = Weight::PARTS / 8;

/// What has become of the requests of one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcomes {
    pub(crate) requests: u32,
    /// Among `requests`.
    pub(crate) failures: u32,
}

impl Outcomes {
    pub(crate) fn of(outcome: Outcome) -> Self {
        let failures = match outcome {
            Outcome::Success => 0,
            Outcome::ServerError | Outcome::ConnectionError => 1,
        };
        Self {
            requests: 1,
            failures,
        }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            failures: self.failures.saturating_add(other.failures),
        }
    }

    /// What is left at the next evaluation: three quarters, which is half of it after 12 seconds.
    pub(crate) fn faded(self) -> Self {
        let fade = |count: u32| count - count.div_ceil(4);
        Self {
            requests: fade(self.requests),
            failures: fade(self.failures),
        }
    }

    /// Packs both numbers into one, which adds up as they do.
    pub(crate) fn to_bits(self) -> u64 {
        u64::from(self.failures) << 32 | u64::from(self.requests)
    }

    /// The reverse of `to_bits`.
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self {
            requests: bits as u32,
            failures: (bits >> 32) as u32,
        }
    }

    fn failure_share(self) -> f64 {
        f64::from(self.failures) / f64::from(self.requests)
    }
}

/// Which of these healthy targets are anomalous, in the same order.
pub(crate) fn find_anomalous(targets: &[Outcomes]) -> Vec<bool> {
    let judged = |outcomes: &&Outcomes| outcomes.requests >= REQUESTS_MIN;
    let mut shares: Vec<f64> = targets
        .iter()
        .filter(judged)
        .map(|outcomes| outcomes.failure_share())
        .collect();
    if targets.len() < TARGETS_MIN || shares.len() < TARGETS_MIN {
        return vec![false; targets.len()];
    }
    shares.sort_by(f64::total_cmp);
    // The lower one of two in the middle: half of the targets may be above it.
    let median = shares[(shares.len() - 1) / 2];
    let is_anomalous = |outcomes: &Outcomes| judged(&outcomes) && stands_out(*outcomes, median);
    targets.iter().map(is_anomalous).collect()
}

fn stands_out(outcomes: Outcomes, median: f64) -> bool {
    // A share of exactly 0 or 1 would leave nothing to chance.
    let chance = median.clamp(0.01, 0.99);
    let requests = f64::from(outcomes.requests);
    let deviation = (requests * chance * (1.0 - chance)).sqrt();
    let excess = f64::from(outcomes.failures) - requests * median;
    outcomes.failures >= FAILURES_MIN
        && excess >= DEVIATIONS_MIN * deviation
        && outcomes.failure_share() >= median + DIFFERENCE_MIN
}

/// The next weight of a target: half while it is anomalous, step by step back when it is normal.
pub(crate) fn step_weight(weight: Weight, is_anomalous: bool) -> Weight {
    Weight::of_parts(if is_anomalous {
        (weight.parts() / 2).max(WEIGHT_MIN)
    } else {
        weight.parts() + WEIGHT_STEP
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks which targets with these failures of these requests are anomalous.
    fn check(targets: &[(u32, u32)], expected: &[bool]) {
        let outcomes = |&(failures, requests): &(u32, u32)| Outcomes { requests, failures };
        let outcomes: Vec<_> = targets.iter().map(outcomes).collect();
        assert_eq!(find_anomalous(&outcomes), expected, "{targets:?}");
    }

    #[test]
    fn a_target_is_compared_with_its_peers() {
        check(&[(50, 100), (0, 100), (0, 100)], &[true, false, false]);
        check(&[(50, 100), (50, 100), (50, 100)], &[false; 3]);
        check(&[(90, 100), (50, 100), (45, 100)], &[true, false, false]);
        check(&[(0, 100), (50, 100), (50, 100)], &[false; 3]);
    }

    #[test]
    fn at_most_half_of_the_targets_are_anomalous() {
        check(
            &[(9, 10), (9, 10), (0, 10), (0, 10)],
            &[true, true, false, false],
        );
        check(&[(9, 10), (9, 10), (9, 10), (0, 10)], &[false; 4]);
    }

    #[test]
    fn nothing_is_compared_with_too_little() {
        check(&[], &[]);
        check(&[(100, 100), (0, 100)], &[false; 2]);
        check(&[(9, 9), (0, 100), (0, 100)], &[false; 3]);
        check(&[(9, 10), (0, 100), (0, 9)], &[false; 3]);
        check(&[(2, 10), (0, 10), (0, 10)], &[false; 3]);
        check(&[(3, 10), (0, 10), (0, 10)], &[true, false, false]);
    }

    #[test]
    fn what_chance_explains_is_normal() {
        check(&[(16, 100), (10, 100), (10, 100)], &[false; 3]);
        check(&[(9, 100), (0, 100), (0, 100)], &[false; 3]);
        check(&[(10, 100), (0, 100), (0, 100)], &[true, false, false]);
    }

    #[test]
    fn the_weight_falls_to_the_minimum_and_returns_to_parity() {
        let mut weight = Weight::FULL;
        let mut falling = Vec::new();
        for _ in 0..7 {
            weight = step_weight(weight, true);
            falling.push(weight.parts());
        }
        assert_eq!(falling, [2048, 1024, 512, 256, 128, 128, 128]);
        let steps = (1..).find(|_| {
            weight = step_weight(weight, false);
            weight == Weight::FULL
        });
        assert_eq!(steps, Some(8));
        assert_eq!(step_weight(weight, false), Weight::FULL);
    }

    #[test]
    fn outcomes_add_up_in_bits_and_fade_to_nothing() {
        let all = [
            Outcome::of_status(200),
            Outcome::of_status(404),
            Outcome::of_status(503),
            Outcome::ConnectionError,
        ];
        let bits = all.map(|one| Outcomes::of(one).to_bits()).iter().sum();
        let mut outcomes = Outcomes::from_bits(bits);
        let expected = Outcomes {
            requests: 4,
            failures: 2,
        };
        assert_eq!(outcomes, expected);
        for _ in 0..4 {
            outcomes = outcomes.faded();
        }
        assert_eq!(outcomes, Outcomes::default());
    }
}
