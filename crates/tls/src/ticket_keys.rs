//! The keys of session tickets, which outlive the configurations that use them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::{hmac, rand};

/// How long one key encrypts new tickets; it decrypts for as long again, and is then gone.
///
/// A session can so be resumed for 6 to 12 hours. RFC 8446 section 4.6.1 allows seven days, but whoever learns a
/// key can read the sessions of TLS 1.2 whose tickets were made with it.
pub const TICKET_KEY_PERIOD: Duration = Duration::from_secs(6 * 60 * 60);

/// How long a configuration makes tickets. Whoever uses one for longer costs its clients full handshakes and
/// nothing else; one that is built anew makes them for as long again.
pub const CONFIG_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Keys of coming periods that a configuration is given, so that it need not be rebuilt to change keys. With those of
/// the past and of the present they stay below the 48 that the library holds.
const KEYS_AHEAD: u64 = CONFIG_LIFE.as_secs() / TICKET_KEY_PERIOD.as_secs();

/// A secret that changes by itself: what is derived for one period cannot be derived any more once the next
/// but one has begun.
///
/// Configurations that share it accept each other's tickets if they have the same policy and certificate.
/// Several nodes may share the same secret and beginning.
pub struct TicketKeys(Mutex<Ratchet>);

struct Ratchet {
    /// Periods since 1970.
    period: u64,
    /// Of `period`.
    secret: [u8; 32],
    /// Of the periods before, the last one first; one is enough to decrypt what they have encrypted.
    past: VecDeque<(u64, [u8; 32])>,
}

/// One key for the library.
pub(crate) struct TicketKey {
    pub(crate) name: [u8; 16],
    pub(crate) secret: [u8; 32],
    pub(crate) begins_at: SystemTime,
}

impl TicketKeys {
    /// Keys that only this process knows.
    ///
    /// # Panics
    /// If the operating system gives no random bytes; nothing can be encrypted then.
    #[must_use]
    pub fn random() -> Self {
        let mut secret = [0; 32];
        rand::fill(&mut secret).expect("the operating system gives random bytes");
        Self::from_secret(secret, SystemTime::now())
    }

    /// Keys that everyone derives who has the same secret for the period of `beginning`.
    #[must_use]
    pub fn from_secret(secret: [u8; 32], beginning: SystemTime) -> Self {
        Self(Mutex::new(Ratchet {
            period: period_of(beginning),
            secret,
            past: VecDeque::new(),
        }))
    }

    /// The keys that a configuration built now needs. `scope` sets them apart from those of other
    /// configurations.
    pub(crate) fn derive(&self, scope: &[u8], now: SystemTime) -> Vec<TicketKey> {
        let mut ratchet = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ratchet.advance(period_of(now));
        let mut keys: Vec<TicketKey> = ratchet
            .past
            .iter()
            .map(|(period, secret)| key(*period, secret, scope))
            .collect();
        let mut secret = ratchet.secret;
        for period in ratchet.period..=ratchet.period + KEYS_AHEAD {
            keys.push(key(period, &secret, scope));
            secret = next(&secret);
        }
        keys
    }
}

impl std::fmt::Debug for TicketKeys {
    // The keys stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TicketKeys")
    }
}

impl Ratchet {
    fn advance(&mut self, period: u64) {
        // A clock that went back changes nothing: what is gone is gone.
        while self.period < period {
            self.past.push_front((self.period, self.secret));
            self.past.truncate(1);
            self.secret = next(&self.secret);
            self.period += 1;
        }
    }
}

fn period_of(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
        / TICKET_KEY_PERIOD.as_secs()
}

fn next(secret: &[u8; 32]) -> [u8; 32] {
    derive(secret, &[b"next"])
}

fn key(period: u64, secret: &[u8; 32], scope: &[u8]) -> TicketKey {
    let name = derive(secret, &[b"name", scope]);
    TicketKey {
        name: *name.first_chunk().expect("32 bytes begin with 16"),
        secret: derive(secret, &[b"key", scope]),
        begins_at: UNIX_EPOCH + Duration::from_secs(period * TICKET_KEY_PERIOD.as_secs()),
    }
}

fn derive(secret: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut context = hmac::Context::with_key(&key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    *context
        .sign()
        .as_ref()
        .first_chunk()
        .expect("the tag of HMAC-SHA256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(period: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(period * TICKET_KEY_PERIOD.as_secs() + 1)
    }

    fn names(keys: &TicketKeys, scope: &[u8], period: u64) -> Vec<[u8; 16]> {
        keys.derive(scope, at(period))
            .into_iter()
            .map(|key| key.name)
            .collect()
    }

    #[test]
    fn keys_move_on_by_period_and_keep_one_of_the_past() {
        let keys = TicketKeys::from_secret([1; 32], at(100));
        let first = names(&keys, b"a", 100);
        assert_eq!(
            first.len() as u64,
            KEYS_AHEAD + 1,
            "no past at the beginning"
        );
        let second = names(&keys, b"a", 101);
        assert_eq!(
            second[..],
            [&first[..], &second[second.len() - 1..]].concat()
        );
        let later = names(&keys, b"a", 110);
        assert_eq!(later[0], first[9], "the period before is still decrypted");
        assert_eq!(later.len() as u64, KEYS_AHEAD + 2);
        assert_eq!(
            names(&keys, b"a", 100),
            later,
            "a clock that goes back brings nothing back"
        );
    }

    #[test]
    fn keys_differ_by_scope_and_secret_only() {
        let keys = TicketKeys::from_secret([1; 32], at(100));
        let twin = TicketKeys::from_secret([1; 32], at(100));
        let other = TicketKeys::from_secret([2; 32], at(100));
        assert_eq!(names(&keys, b"a", 103), names(&twin, b"a", 103));
        assert_ne!(names(&keys, b"a", 103), names(&keys, b"b", 103));
        assert_ne!(names(&keys, b"a", 103), names(&other, b"a", 103));
    }
}
