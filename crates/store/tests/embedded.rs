//! What only a store with a file promises: permissions, one owner, and refusal of other files.

mod support;

use std::os::unix::fs::PermissionsExt;

use store::embedded::FILE_NAME;
use store::{Compacted, Embedded, OpenError, Revision, Store, Transaction};
use support::Directory;

#[test]
fn records_and_revision_are_there_after_reopening() {
    let directory = Directory::new();
    let store = Embedded::open(directory.path()).unwrap();
    store
        .transact(Transaction::new().put("a", &b"1"[..]))
        .unwrap();
    store
        .transact(Transaction::new().put("b", &b"2"[..]))
        .unwrap();
    let before = store.range("", None).unwrap();
    drop(store);

    let store = Embedded::open(directory.path()).unwrap();
    assert_eq!(store.range("", None).unwrap(), before);
    assert_eq!(store.transact(Transaction::new()).unwrap(), Revision(3));
}

#[test]
fn the_history_begins_anew_after_reopening() {
    let directory = Directory::new();
    let store = Embedded::open(directory.path()).unwrap();
    store
        .transact(Transaction::new().put("a", &b"1"[..]))
        .unwrap();
    drop(store);

    let store = Embedded::open(directory.path()).unwrap();
    let refused = store.watch(Revision::ZERO).unwrap_err();
    assert_eq!(
        refused,
        Compacted {
            asked: Revision::ZERO,
            oldest: Revision(1)
        }
    );
}

#[test]
fn only_the_owner_may_read_the_state() {
    let parent = Directory::new();
    let directory = parent.path().join("data");
    let _store = Embedded::open(&directory).unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join(FILE_NAME)), 0o600);
    let files: Vec<_> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|f| f.unwrap().file_name())
        .collect();
    assert_eq!(files, [FILE_NAME], "there is one file");
}

#[test]
fn a_second_opening_is_refused_and_names_the_file() {
    let directory = Directory::new();
    let store = Embedded::open(directory.path()).unwrap();
    let refused = Embedded::open(directory.path()).unwrap_err();
    assert!(matches!(refused, OpenError::Locked { .. }), "{refused:?}");
    let file = directory.path().join(FILE_NAME);
    assert!(
        refused.to_string().contains(&file.display().to_string()),
        "{refused}"
    );
    drop(store);
    Embedded::open(directory.path()).expect("the lock ends with the store");
}

#[test]
fn a_file_of_another_kind_is_refused_and_kept() {
    let directory = Directory::new();
    let file = directory.path().join(FILE_NAME);
    let text = b"this is not a database, it is somebody's letter ".repeat(200);
    std::fs::write(&file, &text).unwrap();
    let refused = Embedded::open(directory.path()).unwrap_err();
    assert!(
        matches!(refused, OpenError::Unreadable { .. }),
        "{refused:?}"
    );
    assert_eq!(std::fs::read(&file).unwrap(), text);
}

#[test]
fn a_file_whose_making_was_cut_short_is_made_again() {
    let directory = Directory::new();
    std::fs::write(directory.path().join(format!("{FILE_NAME}.new")), b"half").unwrap();
    let store = Embedded::open(directory.path()).unwrap();
    assert_eq!(store.revision().unwrap(), Revision::ZERO);
}
