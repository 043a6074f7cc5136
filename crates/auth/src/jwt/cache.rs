//! The keys of issuers, shared by all workers.
//!
//! A set is taken for current for [`FRESH_FOR`]. After that, one request gets it anew, and meanwhile the
//! others go on with the old one; if it cannot be had, all go on with the old one, until it is older than
//! [`USABLE_FOR`]: an issuer that is down for a moment shall not take its users down, and a key that it has
//! withdrawn shall not stay good for long. A token with a key that is not in the set has it fetched as well,
//! as the issuer may have a new key. Whatever the cause, an endpoint is asked once in [`REFRESH_PAUSE`], so
//! that made-up key names and failures do not become a flood. Reading takes no lock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;

use super::keyset::KeySet;
use crate::clock::is_within;
use crate::outcome::Reason;

/// How long a key set is taken for current. AWS does not say; it is Envoy's `cache_duration`.
pub const FRESH_FOR: Duration = Duration::from_secs(5 * 60);
/// How long a key set is used when it cannot be had anew.
pub const USABLE_FOR: Duration = Duration::from_secs(60 * 60);
/// How long an endpoint is left alone after it has been asked.
pub const REFRESH_PAUSE: Duration = Duration::from_secs(10);
/// Most endpoints whose keys are kept. Beyond it, that which was asked longest ago is forgotten.
pub const SLOTS_MAX: usize = 1024;

/// Key sets by endpoint. One for the process.
#[derive(Debug, Default)]
pub struct JwksCache {
    slots: ArcSwap<HashMap<String, Arc<Slot>>>,
    adding: Mutex<()>,
}

/// What is known of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Slot {
    known: ArcSwap<Known>,
    /// Held while the endpoint is asked. Who has waited for it finds the answer in `known`.
    pub(super) asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    set: Option<Fetched>,
    /// When the endpoint was last asked.
    asked: Option<SystemTime>,
    /// What came of it, if it was not a key set.
    failure: Option<Reason>,
}

#[derive(Clone, Debug)]
struct Fetched {
    set: Arc<KeySet>,
    at: SystemTime,
}

/// What the cache has for a token.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// A set to decide with.
    Set(Arc<KeySet>),
    /// The endpoint failed a moment ago and is left alone.
    Failed(Reason),
    /// The endpoint has to be asked.
    Missing,
}

impl JwksCache {
    /// An empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn slot(&self, endpoint: &str) -> Arc<Slot> {
        match self.slots.load().get(endpoint) {
            Some(slot) => Arc::clone(slot),
            None => self.add(endpoint),
        }
    }

    fn add(&self, endpoint: &str) -> Arc<Slot> {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let mut slots = HashMap::clone(&self.slots.load());
        if let Some(slot) = slots.get(endpoint) {
            return Arc::clone(slot);
        }
        if slots.len() >= SLOTS_MAX {
            let oldest = slots
                .iter()
                .min_by_key(|(_, slot)| slot.known.load().asked)
                .map(|(endpoint, _)| endpoint.clone());
            oldest.and_then(|endpoint| slots.remove(&endpoint));
        }
        let slot = Arc::new(Slot::default());
        slots.insert(endpoint.to_owned(), Arc::clone(&slot));
        self.slots.store(Arc::new(slots));
        slot
    }
}

impl Slot {
    /// What there is for a token that names the key `key_id`. Without the key, and `is_asking`, the answer is
    /// worth waiting for: when an issuer changes its key, the first requests with it come at once.
    pub(super) fn find(&self, key_id: &str, is_asking: bool, now: SystemTime) -> Found {
        let known = self.known.load();
        let may_ask = known
            .asked
            .is_none_or(|asked| !is_within(REFRESH_PAUSE, asked, now));
        let usable = known
            .set
            .as_ref()
            .filter(|it| is_within(USABLE_FOR, it.at, now));
        match (usable, known.failure) {
            (Some(it), _) if is_within(FRESH_FOR, it.at, now) && it.set.has(key_id) => {
                Found::Set(Arc::clone(&it.set))
            }
            (Some(it), _) if !may_ask && (!is_asking || it.set.has(key_id)) => {
                Found::Set(Arc::clone(&it.set))
            }
            (None, Some(reason)) if !may_ask => Found::Failed(reason),
            _ => Found::Missing,
        }
    }

    /// Whether a request is asking the endpoint.
    pub(super) fn is_asking(&self) -> bool {
        self.asking.try_lock().is_err()
    }

    /// Says that the endpoint is being asked: others go on with what there is.
    pub(super) fn begin(&self, now: SystemTime) {
        self.known.rcu(|known| Known {
            asked: Some(now),
            ..Known::clone(known)
        });
    }

    /// Keeps the answer of the endpoint.
    pub(super) fn end(&self, answer: Result<KeySet, Reason>, now: SystemTime) {
        let answer = answer.map(Arc::new);
        self.known.rcu(|known| match &answer {
            Ok(set) => Known {
                set: Some(Fetched {
                    set: Arc::clone(set),
                    at: now,
                }),
                asked: Some(now),
                failure: None,
            },
            Err(reason) => Known {
                asked: Some(now),
                failure: Some(*reason),
                ..Known::clone(known)
            },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_that_was_asked_longest_ago_makes_room() {
        let cache = JwksCache::new();
        let name = |index: usize| format!("https://{index}.example.com/");
        for index in 0..SLOTS_MAX {
            let age = Duration::from_secs((SLOTS_MAX - index) as u64);
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000) - age;
            cache.slot(&name(index)).begin(now);
        }
        let kept = cache.slot(&name(1));
        cache.slot("https://new.example.com/");
        let slots = cache.slots.load();
        assert_eq!(slots.len(), SLOTS_MAX);
        assert!(!slots.contains_key(&name(0)));
        assert!(slots.contains_key("https://new.example.com/"));
        assert!(Arc::ptr_eq(&kept, &cache.slot(&name(1))), "the others stay");
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_keep_keys_for_ever() {
        let slot = Slot::default();
        let later = SystemTime::UNIX_EPOCH + USABLE_FOR;
        slot.end(Err(Reason::JwksRequestFailed), later);
        assert!(matches!(slot.find("k", false, later), Found::Failed(_)));
        let found = slot.find("k", false, SystemTime::UNIX_EPOCH);
        assert!(matches!(found, Found::Missing), "{found:?}");
    }
}
