//! Slow start: the share of a target that has become healthy grows until it is full.
//!
//! Source: ALB guide, "Slow start mode".

use std::time::Duration;

use crate::health::Health;
use crate::weight::Weight;

/// Where a target is on the way to its full share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlowStart {
    /// Not looked at yet.
    Unseen,
    /// Registered when no target had its full share: it gets its own as soon as it is healthy, as does
    /// every target that was registered with it.
    Founder,
    /// Not healthy; starts slowly when it is.
    Waiting,
    /// Healthy, with its full share.
    Done,
    /// Healthy, with a share that grows since this time of the prober.
    Since(Duration),
}

impl SlowStart {
    /// The next state of a target in this health.
    ///
    /// `has_full_peer`: whether a healthy target has its full share. `period` of 0: no slow start.
    pub(crate) fn step(
        self,
        health: Health,
        has_full_peer: bool,
        period: Duration,
        now: Duration,
    ) -> Self {
        let is_failed = matches!(health, Health::Unhealthy { .. });
        match (self, health.is_healthy()) {
            (Self::Unseen, false) if has_full_peer => Self::Waiting,
            (Self::Founder, false) if is_failed => Self::Waiting,
            (Self::Unseen | Self::Founder, false) => Self::Founder,
            (Self::Waiting | Self::Done | Self::Since(_), false) => Self::Waiting,
            (Self::Waiting, true) if has_full_peer && !period.is_zero() => Self::Since(now),
            (Self::Since(start), true) if now.saturating_sub(start) < period => self,
            (_, true) => Self::Done,
        }
    }

    /// The share at `now`: a straight line from nothing to all of it.
    pub(crate) fn weight(self, period: Duration, now: Duration) -> Weight {
        let Self::Since(start) = self else {
            return Weight::FULL;
        };
        let elapsed = now.saturating_sub(start).as_millis();
        let parts = elapsed * u128::from(Weight::PARTS) / period.as_millis().max(1);
        Weight::of_parts(u32::try_from(parts).unwrap_or(Weight::PARTS))
    }

    /// Packs the state into a number, for an atomic.
    pub(crate) fn to_bits(self) -> u64 {
        match self {
            Self::Unseen => 0,
            Self::Founder => 1,
            Self::Waiting => 2,
            Self::Done => 3,
            Self::Since(start) => 4 + start.as_millis() as u64,
        }
    }

    /// The reverse of `to_bits`, to the millisecond.
    pub(crate) fn from_bits(bits: u64) -> Self {
        match bits {
            0 => Self::Unseen,
            1 => Self::Founder,
            2 => Self::Waiting,
            3 => Self::Done,
            start => Self::Since(Duration::from_millis(start - 4)),
        }
    }
}
