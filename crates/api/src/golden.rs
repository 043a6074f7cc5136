//! Comparing what requests are answered with the transcripts that say it.

/// Checks that `actual` is what the transcript in the file `path` says, which is `expected`. With `RENEW=1` in the
/// environment the file gets `actual` instead, to be read before it is committed.
pub(crate) fn check(path: &str, expected: &str, actual: &str) {
    let actual = actual.trim();
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(path, format!("{actual}\n")).expect("the transcript can be written");
        return;
    }
    let blocks = actual.split("\n\n").zip(expected.trim().split("\n\n"));
    for (is, should) in blocks {
        assert!(
            is == should.trim(),
            "the answer is\n\n{is}\n\nand {path} has\n\n{should}\n\nwrite all answers to it with RENEW=1, \
             and read what changes"
        );
    }
}
