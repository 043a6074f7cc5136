//! The transcripts: requests with the answers they get.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A code that operations have in their model, those operations, and why no call gets it from elbow.
pub(crate) type Unreachable = (&'static str, &'static [&'static str], &'static str);

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
            is.trim() == should.trim(),
            "the answer is\n\n{is}\n\nand {name} has\n\n{should}\n\nwrite all answers to it with RENEW=1, and \
             read what changes"
        );
    }
}

/// Checks that each error that the model of an operation names is in one of the transcripts or in the table of those
/// that no call gets, and in no more than one of them. A line of `modelled` is an operation and the codes of its errors.
pub(crate) fn check_errors(
    modelled: &str,
    served: &[&str],
    transcripts: &[&str],
    unreachable: &[Unreachable],
) {
    let told: BTreeSet<_> = transcripts
        .iter()
        .flat_map(|name| errors(&transcript(name)))
        .collect();
    let never: BTreeSet<_> = unreachable
        .iter()
        .flat_map(|(code, operations, _)| operations.iter().map(|it| pair(it, code)))
        .collect();
    let of_model = modelled.lines().flat_map(|line| {
        let (operation, codes) = line.split_once(' ').unwrap_or((line, ""));
        codes.split_whitespace().map(|code| pair(operation, code))
    });
    let of_model: BTreeSet<_> = of_model
        .filter(|(operation, _)| served.contains(&operation.as_str()))
        .collect();
    let missing: Vec<_> = of_model
        .iter()
        .filter(|it| !told.contains(*it) && !never.contains(*it))
        .collect();
    assert!(
        missing.is_empty(),
        "no transcript has these errors: {missing:#?}"
    );
    let wrong: Vec<_> = never
        .iter()
        .filter(|it| told.contains(*it) || !of_model.contains(*it))
        .collect();
    assert!(
        wrong.is_empty(),
        "these are in a transcript or in no model, and not unreachable: {wrong:#?}"
    );
}

/// The operations and codes of the refusals in a transcript.
fn errors(transcript: &str) -> BTreeSet<(String, String)> {
    let error = |block: &str| {
        let (request, answer) = block.trim().split_once('\n')?;
        let (code, rest) = answer.split_once(' ')?;
        let (status, _) = rest.split_once(' ')?;
        status.parse::<u16>().ok()?;
        Some(pair(operation(request), code))
    };
    transcript.split("\n\n").filter_map(error).collect()
}

/// The operation of a request: of a form, or the last word in front of the JSON.
fn operation(request: &str) -> &str {
    match request.strip_prefix("Action=") {
        Some(form) => form.split('&').next().unwrap_or_default(),
        None => {
            let words = request.split('{').next().unwrap_or_default();
            words.split_whitespace().last().unwrap_or_default()
        }
    }
}

fn pair(operation: &str, code: &str) -> (String, String) {
    (operation.to_owned(), code.to_owned())
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name)
}
