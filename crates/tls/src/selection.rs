//! Which certificate a client is shown.
//!
//! Source: ALB guide, "SSL certificates for your Application Load Balancer", "Certificate list".

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::SystemTime;

use crate::client_hello::EcdsaSupport;
use crate::identity::{Identity, KeyType};

/// The names of all identities, and which identities each of them has.
#[derive(Debug)]
pub(crate) struct Selection {
    exact: HashMap<Box<str>, Vec<usize>>,
    /// By what follows `*.`.
    wildcard: HashMap<Box<str>, Vec<usize>>,
    candidates: Vec<Candidate>,
}

/// What counts in the choice among identities.
#[derive(Debug)]
struct Candidate {
    key_type: KeyType,
    not_after: SystemTime,
    /// Smaller is better, among those of one key type that are valid, or of those that are not.
    rank: (
        Reverse<crate::identity::SignatureHash>,
        Reverse<u32>,
        Reverse<SystemTime>,
    ),
}

/// The place of the identity that a client which asks for `name`, and can verify every kind of key, is shown. `None`
/// if no name of them fits: the first, the default, is shown then.
#[must_use]
pub fn identity_for(identities: &[Identity], name: &str, now: SystemTime) -> Option<usize> {
    Selection::new(identities).choose(name, || EcdsaSupport::ALL, now)
}

impl Selection {
    /// Of `identities`, of which the first is the default.
    pub(crate) fn new(identities: &[Identity]) -> Self {
        let mut selection = Self {
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            candidates: Vec::new(),
        };
        for (index, identity) in identities.iter().enumerate() {
            let not_after = identity.facts().not_after;
            selection.candidates.push(Candidate {
                key_type: identity.key_type(),
                not_after,
                rank: (
                    Reverse(identity.signature_hash()),
                    Reverse(identity.key_type().bits()),
                    Reverse(not_after),
                ),
            });
            for name in identity.names() {
                let (map, key) = match name.strip_prefix("*.") {
                    Some(parent) => (&mut selection.wildcard, parent),
                    None => (&mut selection.exact, name.as_str()),
                };
                map.entry(key.into()).or_default().push(index);
            }
        }
        selection
    }

    /// The identity for a client that asks for `name`: the best of those that are for it, exactly or by a
    /// wildcard in the place of the first label. `None` if there is none: the default is shown then.
    ///
    /// ECDSA goes before RSA if the client can verify it, valid before expired, a strong hash before a weak one,
    /// a long key before a short one, and then the one that is valid for longest.
    pub(crate) fn choose(
        &self,
        name: &str,
        support: impl FnOnce() -> EcdsaSupport,
        now: SystemTime,
    ) -> Option<usize> {
        let name = name.to_ascii_lowercase();
        let parent = name.split_once('.').map(|(_, parent)| parent);
        let exact = self.exact.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        let wildcard = parent.and_then(|parent| self.wildcard.get(parent));
        let wildcard = wildcard.map_or(&[][..], Vec::as_slice);
        match (exact, wildcard) {
            ([], []) => return None,
            // Nothing to choose from, and so no need to know what the client supports.
            ([only], []) | ([], [only]) => return Some(*only),
            _ => {}
        }
        let support = support();
        exact.iter().chain(wildcard).copied().min_by_key(|index| {
            let candidate = &self.candidates[*index];
            let preference = match candidate.key_type {
                KeyType::Ecdsa(_) if support.allows(candidate.key_type) => 0,
                KeyType::Rsa(_) => 1,
                KeyType::Ecdsa(_) => 2,
            };
            (preference, now > candidate.not_after, candidate.rank)
        })
    }
}
