//! The stores behave alike: whatever is done to both, they answer the same.

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use store::{Condition, Embedded, Memory, Revision, Store, Transaction};
use support::Directory;

/// Few keys, so that transactions meet; some are prefixes of others.
const KEYS: [&str; 5] = ["", "a", "a/", "a/b", "ä"];

#[derive(Clone, Debug)]
enum Part {
    Put(&'static str, u8),
    Delete(&'static str),
    RequireAbsent(&'static str),
    RequireUnchangedSince(&'static str, u64),
}

fn part() -> impl Strategy<Value = Part> {
    let key = || proptest::sample::select(&KEYS[..]);
    prop_oneof![
        4 => (key(), any::<u8>()).prop_map(|(key, value)| Part::Put(key, value)),
        2 => key().prop_map(Part::Delete),
        1 => key().prop_map(Part::RequireAbsent),
        1 => (key(), 0..6_u64).prop_map(|(key, at)| Part::RequireUnchangedSince(key, at)),
    ]
}

fn transaction(parts: &[Part]) -> Transaction {
    parts
        .iter()
        .fold(Transaction::new(), |change, part| match *part {
            Part::Put(key, value) => change.put(key, vec![value; usize::from(value)]),
            Part::Delete(key) => change.delete(key),
            Part::RequireAbsent(key) => change.require(key, Condition::Absent),
            Part::RequireUnchangedSince(key, at) => {
                change.require(key, Condition::UnchangedSince(Revision(at)))
            }
        })
}

/// Everything that can be asked of a store, as one text.
fn answers(store: &dyn Store) -> String {
    let latest = store.revision().unwrap();
    let revisions = (0..=latest.0).map(|at| Some(Revision(at))).chain([None]);
    let ranges = revisions.flat_map(|at| KEYS.map(|prefix| store.range(prefix, at).unwrap()));
    let mut watch = store.watch(Revision::ZERO).unwrap();
    let changes = std::iter::from_fn(|| watch.try_next().unwrap());
    format!(
        "{latest} {:?} {:?}",
        ranges.collect::<Vec<_>>(),
        changes.collect::<Vec<_>>()
    )
}

proptest! {
    // Each transaction waits for the disk.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_one_store_answers_the_other_does(transactions in vec(vec(part(), 0..5), 0..8)) {
        let directory = Directory::new();
        let (memory, embedded) = (Memory::new(), Embedded::open(directory.path()).unwrap());
        for parts in &transactions {
            let outcomes = [memory.transact(transaction(parts)), embedded.transact(transaction(parts))];
            let [of_memory, of_embedded] = outcomes.map(|outcome| outcome.map_err(|error| error.to_string()));
            prop_assert_eq!(of_memory, of_embedded);
        }
        prop_assert_eq!(answers(&memory), answers(&embedded));
        let before = embedded.range("", None).unwrap();
        drop(embedded);
        prop_assert_eq!(Embedded::open(directory.path()).unwrap().range("", None).unwrap(), before);
    }
}
