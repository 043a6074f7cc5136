//! What is done for the requests of one rule beyond what AWS has.

use std::sync::Arc;

pub use model::extension::{FieldChanges, RateLimit, RateLimitKey};

use crate::pool::Pool;
use crate::rate_limiter::RateLimiter;

/// The extensions of one rule that has any.
#[derive(Debug, Default)]
pub struct Extensions {
    /// Fields of requests, after all that is written for the target.
    pub request_fields: FieldChanges,
    /// Fields of responses, whoever made them; those of the listener go before them.
    pub response_fields: FieldChanges,
    /// Lets so many requests of one client pass; `None`: all. Snapshots with the same limit share it.
    pub rate_limiter: Option<Arc<RateLimiter>>,
    /// Where copies of the requests go, if the rule forwards to pools of HTTP/1.1; `None`: nowhere.
    pub mirror: Option<Mirror>,
}

/// A second pool for the requests of one rule. Nobody waits for what it answers.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// Its targets speak HTTP/1.1.
    pub pool: Arc<Pool>,
    /// How many of a hundred requests are copied, 0 to 100.
    pub percentage: u8,
}

impl Mirror {
    /// Whether a request is copied; `draw` is uniform over all `u32`.
    #[must_use]
    pub fn takes(&self, draw: u32) -> bool {
        (u64::from(draw) * 100) >> 32 < u64::from(self.percentage)
    }
}

#[cfg(test)]
mod tests {
    use model::health_check::HealthCheck;

    use super::*;
    use crate::pool::{PoolId, PoolSettings};

    #[test]
    fn a_mirror_takes_its_share() {
        let settings = PoolSettings::new(HealthCheck::default());
        let pool = Arc::new(Pool::new(PoolId(1), settings, Vec::new(), None));
        for percentage in [0, 1, 50, 99, 100] {
            let mirror = Mirror {
                pool: Arc::clone(&pool),
                percentage,
            };
            let draws = (0..10_000_u32).map(|n| n * (u32::MAX / 9_999));
            let taken = draws.filter(|draw| mirror.takes(*draw)).count();
            assert!(
                taken.abs_diff(usize::from(percentage) * 100) <= 1,
                "{percentage}: {taken}"
            );
        }
    }
}
