//! The transcripts: requests with the answers they get.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::{Captures, Regex};

/// What stands for the result of an operation that has no members.
pub(crate) const NOTHING: &str = "(nothing)";

/// A code that operations have in their model, those operations, and why no call gets it from elbow.
pub(crate) type Unreachable = (&'static str, &'static [&'static str], &'static str);

/// An operation and the code of an error that it has answered with.
pub(crate) type Refusal = (String, String);

/// The transcript in this file of `src/`. It is read when the test runs, so that a change of it needs no compiler.
pub(crate) fn transcript(name: &str) -> String {
    let path = path(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The transcript in this file with what `ask` says to each of its requests, the first lines of blocks that are no
/// headings. Nothing follows a request to which it says nothing.
pub(crate) async fn answered(name: &str, mut ask: impl AsyncFnMut(&str) -> String) -> String {
    let mut blocks = Vec::new();
    for block in transcript(name).trim().split("\n\n").map(str::trim) {
        let request = block.lines().next().unwrap_or_default();
        blocks.push(match is_heading(block) {
            true => block.to_owned(),
            false => format!("{request}\n{}", ask(request).await)
                .trim()
                .to_owned(),
        });
    }
    blocks.join("\n\n")
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

/// Checks that the transcript has an answer and a refusal of each operation, but for those that are never answered.
pub(crate) fn check_operations(name: &str, served: &[&str], never_answered: &[&str]) {
    let refused = errors(&[name], operation);
    let refused: BTreeSet<_> = refused.iter().map(|(operation, _)| operation).collect();
    let text = transcript(name);
    let blocks = text
        .split("\n\n")
        .filter_map(|it| it.trim().split_once('\n'));
    let answered: BTreeSet<_> = blocks
        .filter(|(_, answer)| answer.starts_with(['<', '{']) || *answer == NOTHING)
        .map(|(request, _)| operation(request))
        .collect();
    for &operation in served {
        let operation = operation.to_owned();
        assert!(
            answered.contains(&operation) != never_answered.contains(&operation.as_str()),
            "{name} has no answer of {operation}, or has one of what is never answered"
        );
        assert!(
            refused.contains(&operation),
            "{name} has no refusal of {operation}"
        );
    }
}

/// Checks that each error that the model of an operation names is told or in the table of those that no call gets, and
/// in no more than one of them. A line of `modelled` is an operation and the codes of its errors.
pub(crate) fn check_errors(
    modelled: &str,
    served: &[&str],
    told: &BTreeSet<Refusal>,
    unreachable: &[Unreachable],
) {
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

/// The refusals in transcripts, whose requests are about the operations that `operation` says.
pub(crate) fn errors(names: &[&str], operation: impl Fn(&str) -> String) -> BTreeSet<Refusal> {
    let error = |block: &str| {
        let (request, answer) = block.trim().split_once('\n')?;
        let (code, rest) = answer.split_once(' ')?;
        let (status, _) = rest.split_once(' ')?;
        status.parse::<u16>().ok()?;
        Some(pair(&operation(request), code))
    };
    let transcripts: Vec<_> = names.iter().map(|name| transcript(name)).collect();
    let blocks = transcripts.iter().flat_map(|text| text.split("\n\n"));
    blocks.filter_map(error).collect()
}

/// The operation of a request: of a form, or the word in front of the JSON.
pub(crate) fn operation(request: &str) -> String {
    let mut words = request.split_whitespace();
    let word = words.find(|word| word.starts_with(char::is_uppercase));
    let word = word.unwrap_or_default();
    match word.strip_prefix("Action=") {
        Some(form) => form.split('&').next().unwrap_or_default(),
        None => word,
    }
    .to_owned()
}

fn is_heading(block: &str) -> bool {
    block.is_empty() || block.starts_with('#')
}

fn pair(operation: &str, code: &str) -> Refusal {
    (operation.to_owned(), code.to_owned())
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name)
}

/// The random parts of identifiers by the order in which they first appear: `#1` is the same everywhere in a
/// transcript.
pub(crate) struct Numbers {
    ids: Vec<String>,
    pattern: Regex,
}

impl Numbers {
    /// Of what the groups of the expression find.
    pub(crate) fn of(pattern: &str) -> Self {
        Self {
            ids: Vec::new(),
            pattern: Regex::new(pattern).expect("a valid expression"),
        }
    }

    /// The text with numbers in place of identifiers.
    pub(crate) fn name(&mut self, text: &str) -> String {
        let ids = &mut self.ids;
        let number = |found: &Captures<'_>| {
            let group = found.iter().skip(1).flatten().next();
            let id = group.expect("each match is by a group").as_str();
            let known = ids.iter().position(|known| known == id);
            let at = known.unwrap_or_else(|| {
                ids.push(id.to_owned());
                ids.len() - 1
            });
            found[0].replace(id, &format!("#{}", at + 1))
        };
        self.pattern.replace_all(text, number).into_owned()
    }

    /// The text with identifiers in place of numbers.
    pub(crate) fn restore(&self, text: &str) -> String {
        let number = Regex::new("#([0-9]+)").expect("a valid expression");
        let id = |found: &Captures<'_>| {
            let at: usize = found[1].parse().expect("digits");
            let id = self.ids.get(at - 1);
            id.expect("the number has been named").clone()
        };
        number.replace_all(text, id).into_owned()
    }
}
