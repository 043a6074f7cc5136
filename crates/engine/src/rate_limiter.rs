//! Whether one more request of a client passes: a token bucket for each key, in a table of fixed size that all
//! workers share without a lock.
//!
//! A bucket is one number, the time at which it will be full again (the generic cell rate algorithm, ITU-T
//! I.371 appendix I). A bucket that is full says no more than none at all, so its place is free for another key.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use model::extension::RateLimit;

/// Keys whose buckets are not full, at most; in 256 KiB.
///
/// With more of them, the one that is nearest to being full is forgotten, which does its client a favour.
pub const KEYS_MAX: usize = SETS * WAYS;

/// Places in which a key may stand: 128 bytes, two cache lines.
const WAYS: usize = 8;

const SETS: usize = 2048;

/// The buckets of one rule. They survive changes of configuration as long as the limit stays the same.
///
/// Every worker sees the requests of all, so a limit holds for the whole process. Two workers that take a
/// place for different keys in the same instant may each let one request too many pass.
pub struct RateLimiter {
    limit: RateLimit,
    /// How long a bucket takes to get one token, in ns.
    interval: u64,
    /// How long an empty bucket takes to be full, in ns.
    capacity: u64,
    sets: Box<[[Slot; WAYS]]>,
    hasher: RandomState,
}

/// The bucket of one key.
#[derive(Default)]
struct Slot {
    /// The hash of the key; 0: nobody's.
    key: AtomicU64,
    /// When the bucket is full, in ns.
    full_at: AtomicU64,
}

/// What a request has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// `None`: it passes. Else the time until one passes, over 0.
    pub retry_after: Option<Duration>,
    /// Whether another key was forgotten although its bucket was not full.
    pub has_evicted: bool,
}

impl RateLimiter {
    /// With nobody's requests seen. `hasher` keeps clients from choosing which keys share a place.
    #[must_use]
    pub fn new(limit: RateLimit, hasher: RandomState) -> Self {
        let period = u64::from(limit.period_seconds) * 1_000_000_000;
        let interval = period / u64::from(limit.requests);
        Self {
            interval,
            capacity: interval * u64::from(limit.burst),
            sets: (0..SETS).map(|_| Default::default()).collect(),
            hasher,
            limit,
        }
    }

    /// What it was made for.
    #[must_use]
    pub fn limit(&self) -> &RateLimit {
        &self.limit
    }

    /// Takes a token for a request of `key`, if there is one. `now` counts from any moment that is the same
    /// for all workers.
    pub fn check(&self, key: &[u8], now: Duration) -> Checked {
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let hash = self.hasher.hash_one(key).max(1);
        let set = &self.sets[hash as usize % SETS];
        let (slot, has_evicted) = match set.iter().find(|slot| slot.key.load(Relaxed) == hash) {
            Some(slot) => (slot, false),
            None => claim(set, hash, now),
        };
        let taken = slot.full_at.fetch_update(Relaxed, Relaxed, |full_at| {
            let full_at = full_at.max(now).saturating_add(self.interval);
            (full_at - now <= self.capacity).then_some(full_at)
        });
        let wait = |full_at: u64| {
            let full_at = full_at.max(now).saturating_add(self.interval);
            Duration::from_nanos(full_at - now - self.capacity)
        };
        Checked {
            retry_after: taken.err().map(wait),
            has_evicted,
        }
    }
}

/// Gives the place whose bucket is, or will be, full first to another key. Whether its own key loses by that.
fn claim(set: &[Slot; WAYS], hash: u64, now: u64) -> (&Slot, bool) {
    let first = set.iter().min_by_key(|slot| slot.full_at.load(Relaxed));
    let slot = first.expect("a set has ways");
    let has_evicted = slot.full_at.load(Relaxed) > now;
    slot.key.store(hash, Relaxed);
    if has_evicted {
        slot.full_at.store(now, Relaxed);
    }
    (slot, has_evicted)
}

/// The table is left out.
impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::extension::RateLimitKey;
    use proptest::prelude::*;

    fn limiter(requests: u32, period_seconds: u32, burst: u32) -> RateLimiter {
        let limit = RateLimit {
            requests,
            period_seconds,
            burst,
            key: RateLimitKey::SourceIp,
        };
        RateLimiter::new(limit, RandomState::new())
    }

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn passes(limiter: &RateLimiter, key: &[u8], now: Duration) -> bool {
        limiter.check(key, now).retry_after.is_none()
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let limiter = limiter(10, 1, 3);
        for _ in 0..3 {
            assert!(passes(&limiter, b"a", millis(0)));
        }
        let refused = limiter.check(b"a", millis(0));
        assert_eq!(refused.retry_after, Some(millis(100)));
        assert_eq!(
            limiter.check(b"a", millis(60)).retry_after,
            Some(millis(40))
        );
        assert!(passes(&limiter, b"b", millis(60)), "keys are apart");
        assert!(passes(&limiter, b"a", millis(100)), "refusals cost nothing");
        assert!(!passes(&limiter, b"a", millis(199)));
        assert!(passes(&limiter, b"a", millis(200)));
        for at in [900, 900, 900] {
            assert!(passes(&limiter, b"a", millis(at)), "it is full again");
        }
        assert!(!passes(&limiter, b"a", millis(900)));
    }

    #[test]
    fn the_longest_and_the_fastest_limits_are_exact() {
        let slow = limiter(1, 3600, 1_000_000);
        for _ in 0..1_000_000 {
            assert!(passes(&slow, b"a", millis(0)));
        }
        let hour = Duration::from_secs(3600);
        assert_eq!(slow.check(b"a", millis(0)).retry_after, Some(hour));
        let fast = limiter(1_000_000, 1, 1);
        for micros in 0..1000 {
            let now = Duration::from_micros(micros);
            assert!(passes(&fast, b"a", now));
            assert!(!passes(&fast, b"a", now));
        }
    }

    #[test]
    fn keys_that_are_too_many_are_forgotten_only_when_they_have_to_be() {
        let limiter = limiter(1, 1, 1);
        let mut evictions = 0;
        for key in 0..KEYS_MAX as u32 * 2 {
            let checked = limiter.check(&key.to_be_bytes(), millis(0));
            assert_eq!(checked.retry_after, None, "a new key passes");
            evictions += usize::from(checked.has_evicted);
        }
        assert!(evictions >= KEYS_MAX, "{evictions} of twice as many as fit");
        let later =
            (0..KEYS_MAX as u32 / 8).map(|key| limiter.check(&key.to_le_bytes(), millis(1000)));
        assert!(
            later.into_iter().all(|checked| !checked.has_evicted),
            "full buckets are nobody's loss"
        );
    }

    #[test]
    fn what_all_workers_let_pass_is_the_limit() {
        let limiter = limiter(1, 3600, 1000);
        let worker = || {
            let passed = (0..1000).filter(|_| passes(&limiter, b"a", millis(0)));
            passed.count()
        };
        // The key has its place before they begin.
        assert!(passes(&limiter, b"a", millis(0)));
        let passed: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4).map(|_| scope.spawn(worker)).collect();
            workers.into_iter().map(|it| it.join().unwrap()).sum()
        });
        assert_eq!(passed, 999);
    }

    proptest! {
        /// A bucket with a number of tokens, as a reference.
        #[test]
        fn it_is_a_token_bucket(
            steps in proptest::collection::vec(0_u64..400, 1..200),
            requests in 1_u32..50,
            burst in 1_u32..20,
        ) {
            let limiter = limiter(requests, 1, burst);
            let interval = 1_000_000_000 / u64::from(requests);
            let capacity = interval * u64::from(burst);
            let (mut now, mut tokens) = (0, capacity);
            for step in steps {
                let nanos = step * 1_000_000;
                now += nanos;
                tokens = (tokens + nanos).min(capacity);
                let expected = tokens >= interval;
                if expected {
                    tokens -= interval;
                }
                prop_assert_eq!(passes(&limiter, b"a", Duration::from_nanos(now)), expected);
            }
        }
    }
}
