//! The transcripts: requests with the answers they get.

use std::path::{Path, PathBuf};

/// The transcript in this file of `src/`. It is read when the test runs, so that a change of it needs no compiler.
pub(crate) fn transcript(name: &str) -> String {
    let path = path(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Checks that `actual`, what the requests of a transcript were answered, is what it says. With `RENEW=1` in the
/// environment the file gets `actual` instead, to be read before it is committed.
pub(crate) fn check(name: &str, actual: &str) {
    let actual = actual.trim();
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(path(name), format!("{actual}\n")).expect("the transcript can be written");
        return;
    }
    let expected = transcript(name);
    for (is, should) in actual.split("\n\n").zip(expected.trim().split("\n\n")) {
        assert!(
            is == should.trim(),
            "the answer is\n\n{is}\n\nand {name} has\n\n{should}\n\nwrite all answers to it with RENEW=1, and \
             read what changes"
        );
    }
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name)
}
