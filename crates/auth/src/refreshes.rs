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
