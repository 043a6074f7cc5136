//! What every store promises, checked on each of them.

mod support;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};

use store::{
    Compacted, Condition, Embedded, Memory, ReadError, Revision, Store, TransactError, Transaction,
};
use support::Directory;

/// Runs a check on an empty store of every kind.
fn on_every_store(check: impl Fn(&dyn Store)) {
    check(&Memory::new());
    let directory = Directory::new();
    check(&Embedded::open(directory.path()).expect("an empty directory opens"));
}

fn put(key: &str, value: &str) -> Transaction {
    Transaction::new().put(key, value.as_bytes())
}

fn commit(store: &dyn Store, transaction: Transaction) -> Revision {
    store.transact(transaction).expect("no condition fails")
}

/// The keys and values of a range as one text: `a=1 b=2`.
fn listing(store: &dyn Store, prefix: &str, at: Option<Revision>) -> String {
    let range = store.range(prefix, at).expect("the revision is kept");
    let shown = range
        .records
        .iter()
        .map(|record| format!("{}={}", record.key, String::from_utf8_lossy(&record.value)));
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn an_empty_store_is_at_revision_zero() {
    on_every_store(|store| {
        assert_eq!(store.revision().unwrap(), Revision::ZERO);
        assert_eq!(listing(store, "", None), "");
    });
}

#[test]
fn each_transaction_raises_the_revision_by_one_and_marks_what_it_put() {
    on_every_store(|store| {
        assert_eq!(
            commit(store, put("a", "1").put("b", &b"1"[..])),
            Revision(1)
        );
        assert_eq!(commit(store, put("b", "2")), Revision(2));
        assert_eq!(commit(store, Transaction::new()), Revision(3));
        let range = store.range("", None).unwrap();
        assert_eq!(range.revision, Revision(3));
        let marks: Vec<_> = range
            .records
            .iter()
            .map(|r| (r.key.as_str(), r.revision.0))
            .collect();
        assert_eq!(marks, [("a", 1), ("b", 2)]);
    });
}

#[test]
fn a_range_holds_the_keys_with_its_prefix_in_order() {
    on_every_store(|store| {
        commit(
            store,
            put("b/2", "x")
                .put("b/1", &b"y"[..])
                .put("a", &b"z"[..])
                .put("c", &b""[..]),
        );
        assert_eq!(listing(store, "b/", None), "b/1=y b/2=x");
        assert_eq!(listing(store, "", None), "a=z b/1=y b/2=x c=");
        assert_eq!(listing(store, "d", None), "");
        assert_eq!(
            listing(store, "b/1", None),
            "b/1=y",
            "a whole key is a prefix of itself"
        );
    });
}

#[test]
fn the_last_write_to_a_key_counts() {
    on_every_store(|store| {
        commit(
            store,
            put("a", "1")
                .delete("a")
                .put("b", &b"1"[..])
                .put("b", &b"2"[..]),
        );
        assert_eq!(listing(store, "", None), "b=2");
    });
}

#[test]
fn a_condition_that_does_not_hold_leaves_everything_as_it_was() {
    on_every_store(|store| {
        commit(store, put("a", "1"));
        commit(store, put("b", "1"));
        for (key, condition, found) in [
            ("a", Condition::Absent, Some(Revision(1))),
            (
                "a",
                Condition::UnchangedSince(Revision(2)),
                Some(Revision(1)),
            ),
            ("none", Condition::UnchangedSince(Revision(1)), None),
        ] {
            let refused = store.transact(put("a", "2").delete("b").require(key, condition));
            match refused {
                Err(TransactError::Conflict {
                    key: named,
                    found: seen,
                }) => {
                    assert_eq!((named.as_str(), seen), (key, found), "{condition:?}");
                }
                other => panic!("{key} {condition:?} gave {other:?}"),
            }
        }
        assert_eq!(listing(store, "", None), "a=1 b=1");
        assert_eq!(store.revision().unwrap(), Revision(2));
    });
}

#[test]
fn conditions_that_hold_let_the_transaction_through() {
    on_every_store(|store| {
        let made = commit(store, put("a", "1").require("a", Condition::Absent));
        commit(
            store,
            put("a", "2")
                .require("a", Condition::UnchangedSince(made))
                .require("b", Condition::Absent),
        );
        assert_eq!(listing(store, "", None), "a=2");
    });
}

#[test]
fn earlier_revisions_can_be_read() {
    on_every_store(|store| {
        commit(store, put("a", "1").put("b", &b"1"[..]));
        commit(store, put("a", "2").delete("b").put("c", &b"2"[..]));
        commit(store, put("b", "3").delete("c").delete("none"));
        for (revision, all) in [(0, ""), (1, "a=1 b=1"), (2, "a=2 c=2"), (3, "a=2 b=3")] {
            assert_eq!(
                listing(store, "", Some(Revision(revision))),
                all,
                "at {revision}"
            );
        }
        assert_eq!(listing(store, "b", Some(Revision(1))), "b=1");
        assert_eq!(listing(store, "b", Some(Revision(2))), "");
        let range = store.range("b", Some(Revision(1))).unwrap();
        assert_eq!(range.revision, Revision(1));
        assert_eq!(
            range.records[0].revision,
            Revision(1),
            "the mark of that time"
        );
        assert!(matches!(
            store.range("", Some(Revision(4))),
            Err(ReadError::Future {
                asked: Revision(4),
                latest: Revision(3)
            })
        ));
    });
}

#[test]
fn a_watch_yields_past_and_coming_changes_without_a_gap() {
    on_every_store(|store| {
        commit(store, put("a", "1"));
        commit(store, put("a", "2").delete("none"));
        let mut watch = store.watch(Revision(1)).unwrap();
        let change = watch.try_next().unwrap().expect("revision 2 has happened");
        assert_eq!(change.revision, Revision(2));
        let [event] = &change.events[..] else {
            panic!("a key that never was is no event")
        };
        assert_eq!(&*event.before.as_ref().unwrap().value, b"1");
        assert_eq!(&*event.after.as_ref().unwrap().value, b"2");
        assert_eq!(watch.try_next().unwrap(), None);
        commit(store, Transaction::new().delete("a"));
        let change = watch.try_next().unwrap().expect("revision 3 has happened");
        assert_eq!(change.events[0].after, None);
        assert_eq!(
            change.events[0].before.as_ref().unwrap().revision,
            Revision(2)
        );
    });
}

#[test]
fn a_waiting_watch_is_woken_by_the_next_change() {
    struct Counter(AtomicU32);
    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    on_every_store(|store| {
        let wakes = Arc::new(Counter(AtomicU32::new(0)));
        let waker = Waker::from(Arc::clone(&wakes));
        let mut context = Context::from_waker(&waker);
        let mut watch = store.watch(Revision::ZERO).unwrap();
        let mut next = pin!(watch.next());
        assert!(next.as_mut().poll(&mut context).is_pending());
        assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
        commit(store, put("a", "1"));
        assert_eq!(
            wakes.0.load(Ordering::SeqCst),
            1,
            "the change wakes the watcher"
        );
        match next.as_mut().poll(&mut context) {
            Poll::Ready(Ok(change)) => assert_eq!(change.revision, Revision(1)),
            other => panic!("the change is there, yet {other:?}"),
        }
    });
}

/// More changes than any store keeps.
const MANY: u64 = 1200;

#[test]
fn a_watcher_that_asks_for_dropped_changes_is_told_so() {
    // The bound is shared; the store without a disk reaches it fast.
    let store = Memory::new();
    let mut behind = store.watch(Revision::ZERO).unwrap();
    for _ in 0..MANY {
        commit(&store, put("a", "1"));
    }
    let Err(Compacted { asked, oldest }) = store.watch(Revision::ZERO) else {
        panic!("revision 1 is kept after {MANY} changes");
    };
    assert_eq!(asked, Revision::ZERO);
    assert!(matches!(
        store.range("", Some(Revision(1))),
        Err(ReadError::Compacted(_))
    ));
    assert!(
        behind.try_next().is_err(),
        "an open watch is told of a gap as well"
    );
    let mut watch = store.watch(oldest).expect("what the answer names is kept");
    let first = watch.try_next().unwrap().unwrap();
    assert_eq!(
        first.revision,
        oldest.next(),
        "and no change is missing after it"
    );
}

#[test]
fn of_concurrent_writers_with_one_expectation_exactly_one_wins() {
    const WRITERS: usize = 8;
    on_every_store(|store| {
        let start = commit(store, put("a", "0"));
        let barrier = Barrier::new(WRITERS);
        let won = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let barrier = &barrier;
                    scope.spawn(move || {
                        barrier.wait();
                        let change = put("a", &writer.to_string())
                            .require("a", Condition::UnchangedSince(start));
                        store.transact(change).is_ok()
                    })
                })
                .collect();
            let outcomes = writers.into_iter().map(|writer| writer.join().unwrap());
            outcomes.filter(|won| *won).count()
        });
        assert_eq!(won, 1);
        assert_eq!(store.revision().unwrap(), start.next());
    });
}
