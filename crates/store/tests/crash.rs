//! A process that is killed while it writes loses nothing it acknowledged and leaves nothing half done.
//!
//! The test runs this same executable again as the writer and kills that process by its id.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use store::{Embedded, Revision, Store, Transaction};
use support::Directory;

/// Tells the writer where to write; without it the writer does nothing.
const DIRECTORY: &str = "STORE_CRASH_DIRECTORY";
const ACKNOWLEDGED: &str = "acknowledged ";
/// How often the writer is killed.
const ROUNDS: u64 = 12;
/// How many of the latest transactions have left a `log/` record.
const LOG_LENGTH: u64 = 5;

#[test]
fn acknowledged_transactions_survive_kill_9() {
    let directory = Directory::new();
    let mut draw = 0x9e37_79b9_u64;
    for round in 0..ROUNDS {
        draw = draw
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let transactions = 1 + (draw >> 33) % 40;
        let acknowledged = kill_after(spawn_writer(directory.path()), transactions);
        let store = Embedded::open(directory.path()).expect("the file opens after a crash");
        check(
            &store,
            acknowledged,
            &format!("round {round}, killed after {transactions}"),
        );
    }
}

/// Every transaction is entirely in the store or not at all, and the acknowledged ones are.
fn check(store: &Embedded, acknowledged: u64, context: &str) {
    let last = store.revision().unwrap().0;
    assert!(
        last >= acknowledged,
        "{context}: {acknowledged} was acknowledged, the last is {last}"
    );
    let mut expected: Vec<(String, u64)> = vec![("left".into(), last)];
    let log = last.saturating_sub(LOG_LENGTH - 1).max(1)..=last;
    expected.extend(log.map(|number| (format!("log/{number:08}"), number)));
    expected.push(("right".into(), last));
    let range = store.range("", None).unwrap();
    let found: Vec<(String, u64)> = range
        .records
        .iter()
        .map(|record| {
            let number: u64 = std::str::from_utf8(&record.value)
                .unwrap()
                .trim()
                .parse()
                .unwrap();
            assert_eq!(
                record.revision,
                Revision(number),
                "{context}: {}",
                record.key
            );
            (record.key.clone(), number)
        })
        .collect();
    assert_eq!(found, expected, "{context}");
}

fn spawn_writer(directory: &Path) -> Child {
    Command::new(std::env::current_exe().expect("a test has a file"))
        .args(["--exact", "writer", "--ignored", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test can be run again")
}

/// Kills the writer when it has acknowledged `transactions`, wherever it is by then in the next ones.
/// Returns the last one that it acknowledged.
fn kill_after(mut writer: Child, transactions: u64) -> u64 {
    let mut lines = BufReader::new(writer.stdout.take().expect("stdout is a pipe"));
    let mut seen = 0;
    let mut last = 0;
    let mut line = String::new();
    while lines.read_line(&mut line).expect("the pipe can be read") > 0 {
        let whole = line.strip_suffix('\n');
        if let Some(number) = whole.and_then(|line| line.strip_prefix(ACKNOWLEDGED)) {
            last = number.parse().expect("a number");
            seen += 1;
            if seen == transactions {
                writer.kill().expect("the writer runs");
            }
        }
        line.clear();
    }
    let status = writer.wait().expect("the writer has ended");
    assert!(
        seen >= transactions,
        "the writer ended by itself after {seen}: {status}"
    );
    last
}

/// Not a test: the process that `acknowledged_transactions_survive_kill_9` kills. It ends only that way.
#[test]
#[ignore = "runs as a child of the crash test"]
fn writer() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let store = Embedded::open(Path::new(&directory)).expect("the last writer is gone");
    let mut out = std::io::stdout().lock();
    // What goes before the first line of libtest's own output ends here.
    writeln!(out).unwrap();
    for number in store.revision().unwrap().0 + 1.. {
        let revision = store
            .transact(transaction(number))
            .expect("the disk has room");
        // A parent that is gone reads nothing any more: then this fails and ends the writer.
        writeln!(out, "{ACKNOWLEDGED}{revision}").expect("the parent reads");
    }
}

/// The transaction with this number: several puts and a delete, of sizes that span many pages.
fn transaction(number: u64) -> Transaction {
    let width = (number % 4 * 20_000) as usize;
    let value = format!("{number:>width$}").into_bytes();
    let change = Transaction::new()
        .put("left", value.clone())
        .put("right", value.clone())
        .put(format!("log/{number:08}"), value);
    match number.checked_sub(LOG_LENGTH) {
        Some(old) => change.delete(format!("log/{old:08}")),
        None => change,
    }
}
