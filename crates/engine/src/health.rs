//! The health of one target, stepped by one check at a time.

use model::health_check::HealthCheck;

/// What the checks of one target have shown so far.
///
/// Source: ELB API, `TargetHealth`; ALB guide, "Target health status".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Not decided yet; `failures` checks in a row have failed.
    Initial {
        /// Below the unhealthy threshold.
        failures: u8,
    },
    /// Gets requests.
    Healthy {
        /// Failed checks in a row, below the unhealthy threshold.
        failures: u8,
    },
    /// Gets requests only when no target of the pool is healthy.
    Unhealthy {
        /// Passed checks in a row, below the healthy threshold.
        passes: u8,
    },
}

/// The outcome of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// The status code was one of the matcher's.
    Pass,
    /// Anything else.
    Fail,
}

/// Why a check failed; named as the reasons in the ELB API's `TargetHealth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The status code is not one of the matcher's.
    ResponseCodeMismatch(u16),
    /// No connection or no response head in time.
    Timeout,
    /// Connection refused, reset or closed, or a response that is not HTTP.
    FailedHealthChecks,
    /// This node could not make the check.
    InternalError,
}

impl Failure {
    /// Packs the reason into a number that is never 0, for an atomic.
    #[must_use]
    pub fn to_bits(self) -> u32 {
        match self {
            Self::ResponseCodeMismatch(status) => 0x1_0000 | u32::from(status),
            Self::Timeout => 0x2_0000,
            Self::FailedHealthChecks => 0x3_0000,
            Self::InternalError => 0x4_0000,
        }
    }

    /// The reverse of `to_bits`; 0 is no failure.
    #[must_use]
    pub fn from_bits(bits: u32) -> Option<Self> {
        match bits >> 16 {
            0 => None,
            1 => Some(Self::ResponseCodeMismatch(bits as u16)),
            2 => Some(Self::Timeout),
            3 => Some(Self::FailedHealthChecks),
            _ => Some(Self::InternalError),
        }
    }
}

impl Health {
    /// Just registered.
    pub const INITIAL: Self = Self::Initial { failures: 0 };

    /// Where the counters stop: the most that `to_bits` has room for, and far more than any threshold.
    const COUNTER_MAX: u8 = 0x3f;

    /// Whether the target is known to be well.
    #[must_use]
    pub fn is_healthy(self) -> bool {
        matches!(self, Self::Healthy { .. })
    }

    /// Packs the state and its counter (0 to 63, of which checks use 0 to 10) into one byte, for an atomic.
    #[must_use]
    pub fn to_bits(self) -> u8 {
        match self {
            Self::Initial { failures } => failures.min(Self::COUNTER_MAX),
            Self::Healthy { failures } => 0x40 | failures.min(Self::COUNTER_MAX),
            Self::Unhealthy { passes } => 0x80 | passes.min(Self::COUNTER_MAX),
        }
    }

    /// The reverse of `to_bits`.
    #[must_use]
    pub fn from_bits(bits: u8) -> Self {
        let counter = bits & Self::COUNTER_MAX;
        match bits & 0xc0 {
            0x00 => Self::Initial { failures: counter },
            0x40 => Self::Healthy { failures: counter },
            _ => Self::Unhealthy { passes: counter },
        }
    }
}

/// Steps one target's health after a check.
///
/// The first passed check makes a new target healthy; the thresholds count from then on.
/// Source: ELB API, `TargetGroup`, `HealthyThresholdCount` and `UnhealthyThresholdCount`; ALB guide,
/// "Health checks for your target groups".
#[must_use]
pub fn after_check(health: Health, check: Check, config: &HealthCheck) -> Health {
    match (health, check) {
        (Health::Initial { .. } | Health::Healthy { .. }, Check::Pass) => {
            Health::Healthy { failures: 0 }
        }
        (Health::Initial { failures }, Check::Fail) => match one_more(failures) {
            n if u32::from(n) < config.unhealthy_threshold => Health::Initial { failures: n },
            _ => Health::Unhealthy { passes: 0 },
        },
        (Health::Healthy { failures }, Check::Fail) => match one_more(failures) {
            n if u32::from(n) < config.unhealthy_threshold => Health::Healthy { failures: n },
            _ => Health::Unhealthy { passes: 0 },
        },
        (Health::Unhealthy { .. }, Check::Fail) => Health::Unhealthy { passes: 0 },
        (Health::Unhealthy { passes }, Check::Pass) => match one_more(passes) {
            n if u32::from(n) < config.healthy_threshold => Health::Unhealthy { passes: n },
            _ => Health::Healthy { failures: 0 },
        },
    }
}

fn one_more(counter: u8) -> u8 {
    counter.saturating_add(1).min(Health::COUNTER_MAX)
}
