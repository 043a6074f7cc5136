//! Everything the control plane intends, typed and in memory: what the store holds, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Cidr;
use model::arn::Place;

use crate::access::AccessState;
use crate::acm::AcmState;
use crate::control::Parts;
use crate::ec2::Ec2State;
use crate::elb::ElbState;
use crate::neighbours::BlocksOfOthers;
use crate::record::{self, Record};
use crate::seams::Ids;
use crate::secrets::SecretKey;
use crate::settings::Settings;
use crate::zonal_shift::ZonalShiftState;

/// The stored nouns. Tables and nouns are shared, so that two states differ in what changed and in nothing else.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Access keys.
    pub access: AccessState,
    /// Certificates.
    pub acm: AcmState,
    /// Load balancers and what belongs to them.
    pub elb: ElbState,
    /// The EC2 inventory.
    pub ec2: Ec2State,
    /// Zonal shifts.
    pub zonal_shift: ZonalShiftState,
    /// Rises by one with every stored change.
    pub generation: u64,
}

impl State {
    /// The noun with this key.
    #[must_use]
    pub fn find<R: Record>(&self, key: &R::Key) -> Option<&Arc<R>> {
        R::table(self).get(key)
    }
}

/// A state in the making: the nouns after a change, and the writes that lead there.
///
/// An operation reads `state`, which shows its own writes, and drops the draft when it fails.
pub struct Draft {
    state: State,
    /// By store key; `None` removes the record.
    writes: BTreeMap<String, Option<Vec<u8>>>,
    settings: Settings,
    now_millis: u64,
    ids: Arc<dyn Ids>,
    secret_key: Arc<SecretKey>,
    blocks_of_others: BlocksOfOthers,
}

impl Draft {
    /// A draft that changes nothing yet.
    pub(crate) fn new(state: State, parts: &Parts, blocks_of_others: BlocksOfOthers) -> Self {
        Self {
            state,
            writes: BTreeMap::new(),
            settings: parts.settings.clone(),
            now_millis: parts.clock.now_millis(),
            ids: Arc::clone(&parts.ids),
            secret_key: Arc::clone(&parts.secret_key),
            blocks_of_others,
        }
    }

    /// What the operator decides.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whose resources these are.
    #[must_use]
    pub fn place(&self) -> Place {
        self.settings.place.clone()
    }

    /// When the change is made, in milliseconds since 1970.
    #[must_use]
    pub fn now_millis(&self) -> u64 {
        self.now_millis
    }

    /// Whether an account other than this has an address of `block`.
    #[must_use]
    pub fn is_block_of_another_account(&self, block: &Cidr) -> bool {
        self.blocks_of_others.overlap(block)
    }

    /// 64 random bits.
    #[must_use]
    pub fn draw(&self) -> u64 {
        self.ids.draw()
    }

    /// What seals and opens the secrets in the state.
    #[must_use]
    pub fn secret_key(&self) -> &SecretKey {
        &self.secret_key
    }

    /// The nouns as they are after the writes so far.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Creates or replaces a noun. A noun that is equal to the present one should not be put.
    pub fn put<R: Record>(&mut self, noun: R) -> Arc<R> {
        let key = noun.key();
        let bytes = record::encode(&noun);
        self.writes
            .insert(record::store_key::<R>(&key), Some(bytes));
        let noun = Arc::new(noun);
        R::table_mut(&mut self.state).insert(key, Arc::clone(&noun));
        noun
    }

    /// Writes records again that were not stored as they would be now. The nouns stay what they are.
    pub(crate) fn rewrite(&mut self, records: Vec<(String, Vec<u8>)>) {
        let records = records.into_iter();
        self.writes
            .extend(records.map(|(key, bytes)| (key, Some(bytes))));
    }

    /// Removes a noun; does nothing if there is none with this key.
    pub fn remove<R: Record>(&mut self, key: &R::Key) -> Option<Arc<R>> {
        let removed = R::table_mut(&mut self.state).remove(key)?;
        self.writes.insert(record::store_key::<R>(key), None);
        Some(removed)
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.writes.is_empty()
    }

    /// The state and the writes, by store key.
    pub(crate) fn into_parts(self) -> (State, BTreeMap<String, Option<Vec<u8>>>) {
        (self.state, self.writes)
    }
}
