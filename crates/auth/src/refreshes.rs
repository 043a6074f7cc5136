//! One refresh for all requests that need the same one.
//!
//! A page that is loaded after the access token has expired sends many requests with the same refresh token
//! at once. Providers that replace refresh tokens take the second use of one for theft and end the session
//! (RFC 9700 section 4.14.2), so the requests share one call and its result.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{self, SHA256};
use tokio::sync::OnceCell;

use crate::clock::is_within;
use crate::oidc::Grant;
use crate::outcome::Reason;

/// How long requests that still carry the old cookie get the result of the refresh.
pub const SHARED_FOR: Duration = Duration::from_secs(30);
/// Most results that are kept. Further refreshes are made for each request alone.
pub const SHARED_MAX: usize = 1024;

type Key = [u8; 32];
type Result = std::result::Result<Grant, Reason>;

/// The refreshes of the last half minute.
#[derive(Debug, Default)]
pub(crate) struct Refreshes(Mutex<HashMap<Key, Shared>>);

#[derive(Clone, Debug)]
struct Shared {
    began: SystemTime,
    result: Arc<OnceCell<Result>>,
}

/// What came of a refresh.
#[derive(Debug)]
pub(crate) struct Refreshed {
    pub(crate) result: Result,
    /// Whether it was made for this request rather than for one before.
    pub(crate) is_first: bool,
}

/// The key of a refresh: `identity` of the action, and the token.
pub(crate) fn key(identity: &[u8; 32], refresh_token: &str) -> Key {
    let mut context = digest::Context::new(&SHA256);
    context.update(identity);
    context.update(refresh_token.as_bytes());
    let digest = context.finish();
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

impl Refreshes {
    /// The result of the refresh `key`: of one that has begun within [`SHARED_FOR`], else of `refresh`.
    ///
    /// When a request that others wait for goes away, one of them goes on in its place.
    pub(crate) async fn share(
        &self,
        key: Key,
        now: SystemTime,
        refresh: impl Future<Output = Result>,
    ) -> Refreshed {
        let mut is_first = false;
        let cell = self.cell(key, now);
        let result = cell
            .get_or_init(async || {
                is_first = true;
                refresh.await
            })
            .await
            .clone();
        Refreshed { result, is_first }
    }

    fn cell(&self, key: Key, now: SystemTime) -> Arc<OnceCell<Result>> {
        let mut all = self.lock();
        all.retain(|_, shared| is_within(SHARED_FOR, shared.began, now));
        if let Some(shared) = all.get(&key) {
            return Arc::clone(&shared.result);
        }
        let result = Arc::default();
        if all.len() < SHARED_MAX {
            let shared = Shared {
                began: now,
                result: Arc::clone(&result),
            };
            all.insert(key, shared);
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Shared>> {
        // Nothing that is done under the lock can leave the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;
    const FAILED: Result = Err(Reason::AuthInvalidGrant);

    #[tokio::test]
    async fn a_result_is_shared_for_half_a_minute() {
        let refreshes = Refreshes::default();
        let key = key(&[0; 32], "token");
        for (at, is_first) in [(0, true), (29, false), (30, true), (31, false)] {
            let now = NOW + Duration::from_secs(at);
            let refreshed = refreshes.share(key, now, async { FAILED }).await;
            assert_eq!(refreshed.is_first, is_first, "after {at} s");
        }
    }

    #[tokio::test]
    async fn another_request_goes_on_in_place_of_one_that_went_away() {
        let refreshes = Refreshes::default();
        let key = key(&[0; 32], "token");
        let gone = refreshes.share(key, NOW, std::future::pending());
        let waits = refreshes.share(key, NOW, async { FAILED });
        tokio::select! {
            biased;
            _ = gone => unreachable!("it never ends"),
            () = std::future::ready(()) => {}
        }
        let refreshed = waits.await;
        assert!(refreshed.is_first);
        assert_eq!(refreshed.result, FAILED);
    }

    #[tokio::test]
    async fn beyond_the_bound_each_request_refreshes_alone() {
        let refreshes = Refreshes::default();
        for index in 0..SHARED_MAX {
            let key = key(&[0; 32], &index.to_string());
            refreshes.share(key, NOW, async { FAILED }).await;
        }
        let key = key(&[0; 32], "one too many");
        for _ in 0..2 {
            let refreshed = refreshes.share(key, NOW, async { FAILED }).await;
            assert!(refreshed.is_first);
        }
        assert_eq!(refreshes.lock().len(), SHARED_MAX);
        let later = NOW + SHARED_FOR;
        refreshes.share(key, later, async { FAILED }).await;
        assert_eq!(refreshes.lock().len(), 1, "old results make room");
    }

    #[test]
    fn two_actions_do_not_share() {
        assert_ne!(key(&[0; 32], "token"), key(&[1; 32], "token"));
        assert_ne!(key(&[0; 32], "token"), key(&[0; 32], "other"));
    }
}
