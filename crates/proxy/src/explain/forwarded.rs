//! A request that goes to a target: to which pools it may go, and with whom its cookies have it stay.

use std::sync::Arc;

use engine::{Forward, Pool, PoolId};

use crate::decide::goes_with;
use crate::http1::request::RequestHead;
use crate::stickiness_cookie::{Opener, StickinessCookie};

/// A request that a target gets.
#[derive(Clone, Debug, Default)]
pub struct Forwarded<'q> {
    /// `Host`, if the transforms make another one of it.
    pub host: Option<Vec<u8>>,
    /// The path with the query, if the transforms make another one of it.
    pub url: Option<Vec<u8>>,
    /// The pools of the action whose targets speak a version of HTTP that the request does not go with: for these
    /// the answer is 464.
    pub unsuited: Vec<PoolId>,
    /// The cookie of the request about the pool, if the action keeps clients with pools.
    pub pool_cookie: Option<StickinessCookie<&'q Arc<Pool>>>,
    /// The cookie of the request about the target (it names an `Endpoint::key`), for each pool of the action that
    /// keeps clients with targets.
    pub endpoint_cookies: Vec<(PoolId, StickinessCookie<u64>)>,
}

impl<'q> Forwarded<'q> {
    /// What is known before the transforms.
    pub(super) fn of(forward: &'q Forward, head: &RequestHead<'_, '_>, opener: Opener<'_>) -> Self {
        let is_unsuited = |pool: &&Arc<Pool>| !goes_with(head, pool.settings.protocol.version);
        let unsuited = forward.pools().filter(is_unsuited).map(|it| it.id);
        let endpoint_cookie = |pool: &Arc<Pool>| {
            let cookie = opener.endpoint_cookie(pool, head.fields);
            Some((pool.id, cookie.sent?))
        };
        Self {
            unsuited: unsuited.collect(),
            pool_cookie: opener.pool_cookie(forward, head.fields),
            endpoint_cookies: forward.pools().filter_map(endpoint_cookie).collect(),
            ..Self::default()
        }
    }

    /// The pool that the cookie names, which may have the weight 0.
    #[must_use]
    pub fn stays_with(&self) -> Option<&'q Arc<Pool>> {
        self.pool_cookie?.named.ok()
    }

    /// Those that the request may go to.
    pub(super) fn possible_pools(&self, forward: &'q Forward) -> Vec<&'q Arc<Pool>> {
        match self.stays_with() {
            Some(pool) => vec![pool],
            None => {
                let weighted = forward.weighted_pools().filter(|(_, weight)| *weight > 0);
                weighted.map(|(pool, _)| pool).collect()
            }
        }
    }
}
