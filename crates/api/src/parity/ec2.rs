//! What elbow makes of the parameters of EC2's operations, down to those that are values.
//!
//! EC2 refuses what it does not read, so that an input that is read whole, or a complaint about a value, decides that a
//! parameter works. Each is tried with the transcript's requests for its operation. One about which none of them decides
//! anything is an error: it needs a pair in the transcript.

use super::{Block, Parameters, plain_path};
use crate::{ApiError, query};

/// What `ec2_members.py` wrote: an operation, one of its parameters, and a value to try.
const MEMBERS: &str = include_str!("../../tests/vectors/ec2_members.txt");

/// What becomes of a parameter, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Works,
    Refused,
    Absent,
}

/// The parameters of an operation, by what the API makes of them, in the order of the model.
///
/// # Panics
/// If nothing decides about a parameter.
pub(super) fn parameters(operation: &str, blocks: &[Block]) -> Parameters {
    let of_operation: Vec<&Block> = blocks
        .iter()
        .filter(|block| block.operation == operation)
        .collect();
    let mut leaves: Vec<Leaf<'_>> = Vec::new();
    for (path, form) in forms(operation) {
        if leaves.last().is_none_or(|leaf| leaf.path != path) {
            let by_value = Vec::new();
            leaves.push(Leaf { path, by_value });
        }
        let (_, value) = form.split_once('=').expect("a form has a value");
        let verdict = tried(operation, path, form, &of_operation);
        let leaf = leaves.last_mut().expect("it was pushed just now");
        leaf.by_value
            .extend(verdict.map(|verdict| (value, verdict)));
    }
    assert!(
        !leaves.is_empty(),
        "{operation} is not in ec2_members.txt; ec2_members.py writes it"
    );
    let undecided = leaves.iter().filter(|leaf| leaf.by_value.is_empty());
    let undecided: Vec<&str> = undecided.map(|leaf| leaf.path).collect();
    assert!(
        undecided.is_empty(),
        "nothing tells whether these parameters of {operation} work; ec2/transcript.txt needs a request with each: \
         {undecided:?}"
    );
    let mut parameters = Parameters::default();
    note(&leaves, 0, &mut parameters);
    parameters
}

/// A parameter that is a value, with what becomes of the values that were tried.
struct Leaf<'t> {
    path: &'t str,
    by_value: Vec<(&'t str, Verdict)>,
}

impl<'t> Leaf<'t> {
    /// Its name at this depth.
    fn name(&self, depth: usize) -> Option<&'t str> {
        self.path.split('.').nth(depth)
    }

    /// What becomes of all of its values.
    fn verdict(&self) -> Option<Verdict> {
        let (_, first) = self.by_value.first()?;
        self.by_value
            .iter()
            .all(|(_, it)| it == first)
            .then_some(*first)
    }
}

fn forms(operation: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = MEMBERS.lines().map(|line| line.splitn(3, ' '));
    lines.filter_map(
        move |mut words| match (words.next(), words.next(), words.next()) {
            (Some(of), Some(path), Some(form)) if of == operation => Some((path, form)),
            _ => None,
        },
    )
}

/// What the parameter does beside those of other requests, and alone: it works if it does so anywhere.
fn tried(operation: &str, path: &str, form: &str, blocks: &[&Block]) -> Option<Verdict> {
    let (name, _) = form.split_once('=')?;
    let bare = format!("Action={operation}");
    let requests = blocks.iter().map(|block| block.request.as_str());
    let verdicts = requests.chain([&*bare]).filter_map(|request| {
        // The value of the request gives way to the one that is tried.
        let others = request
            .split('&')
            .filter(|pair| pair.split('=').next() != Some(name));
        let form = others.chain([form]).collect::<Vec<_>>().join("&");
        let input = query::decode(form.as_bytes()).expect("it is a form");
        verdict(path, crate::ec2::read(operation, &input))
    });
    verdicts.min()
}

/// What an input with a parameter at `path` that was read tells of it.
fn verdict(path: &str, outcome: Result<(), ApiError>) -> Option<Verdict> {
    let Err(error) = outcome else {
        return Some(Verdict::Works);
    };
    let (_, rest) = error.message.split_once("parameter ")?;
    let named = plain_path(rest.split([' ', ':']).next()?);
    let is_within = path
        .strip_prefix(&*named)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    match error.code {
        "UnknownParameter" if is_within => Some(Verdict::Absent),
        "UnsupportedOperation" if is_within => Some(Verdict::Refused),
        "InvalidParameterValue" if path == named => Some(Verdict::Works),
        _ => None,
    }
}

/// Notes parameters that share the first `depth` names: by one name those of which all becomes the same.
fn note(leaves: &[Leaf<'_>], depth: usize, parameters: &mut Parameters) {
    for group in leaves.chunk_by(|a, b| a.name(depth) == b.name(depth)) {
        let first = &group[0];
        let verdict = first.verdict();
        let is_shared = verdict.is_some() && group.iter().all(|leaf| leaf.verdict() == verdict);
        let name = first.path.split('.').take(depth + 1);
        let name = name.collect::<Vec<_>>().join(".");
        match verdict {
            Some(verdict) if is_shared => parameters.column(verdict).push(name),
            // It depends on the value.
            None if name == first.path => {
                for (value, verdict) in &first.by_value {
                    let column = parameters.column(*verdict);
                    match verdict {
                        Verdict::Works if column.last() == Some(&name) => {}
                        Verdict::Works => column.push(name.clone()),
                        _ => column.push(format!("{name}={value}")),
                    }
                }
            }
            _ => note(group, depth + 1, parameters),
        }
    }
}

impl Parameters {
    fn column(&mut self, verdict: Verdict) -> &mut Vec<String> {
        match verdict {
            Verdict::Works => &mut self.works,
            Verdict::Refused => &mut self.refused,
            Verdict::Absent => &mut self.absent,
        }
    }
}

#[test]
fn what_is_read_or_refused_by_its_name_is_decided() {
    let error = |code, message: &str| Err(ApiError::sender(code, message.to_owned()));
    for (outcome, expected) in [
        (Ok(()), Some(Verdict::Works)),
        (
            error(
                "InvalidParameterValue",
                "Value (x) for parameter Nic.1.Index is invalid. It must be an integer.",
            ),
            Some(Verdict::Works),
        ),
        (
            error(
                "UnsupportedOperation",
                "elbow does not support the parameter Nic.1.Index: it knows one",
            ),
            Some(Verdict::Refused),
        ),
        (
            error(
                "UnsupportedOperation",
                "elbow does not support the parameter Nic: it knows none",
            ),
            Some(Verdict::Refused),
        ),
        (
            error(
                "UnknownParameter",
                "The parameter Nic.1.Index is not recognized",
            ),
            Some(Verdict::Absent),
        ),
        // What is wrong with another parameter says nothing of this one.
        (
            error(
                "UnsupportedOperation",
                "elbow does not support the parameter Nic.1.In: it knows none",
            ),
            None,
        ),
        (
            error(
                "MissingParameter",
                "The request must contain the parameter Nic.1.Index",
            ),
            None,
        ),
        (
            error("InvalidParameterCombination", "Give one of both"),
            None,
        ),
    ] {
        let told = format!("{outcome:?}");
        assert_eq!(verdict("Nic.Index", outcome), expected, "{told}");
    }
}

#[test]
fn parameters_are_named_as_far_as_they_differ() {
    let leaf = |path, by_value: &[(&'static str, Verdict)]| Leaf {
        path,
        by_value: by_value.to_vec(),
    };
    use Verdict::{Absent, Refused, Works};
    let leaves = [
        leaf("A.B", &[("x", Works)]),
        leaf("A.C.D", &[("x", Works)]),
        leaf("E.F.G", &[("1", Refused), ("0", Refused)]),
        leaf("E.F.H", &[("x", Refused)]),
        leaf("E.I", &[("x", Absent)]),
        leaf("K", &[("default", Works), ("host", Refused)]),
    ];
    let mut parameters = Parameters::default();
    note(&leaves, 0, &mut parameters);
    assert_eq!(parameters.works, ["A", "K"]);
    assert_eq!(parameters.refused, ["E.F", "K=host"]);
    assert_eq!(parameters.absent, ["E.I"]);
}

/// `InstanceId` says nothing without an attribute to change.
#[test]
#[should_panic(expected = "nothing tells whether these parameters of ModifyInstanceAttribute work")]
fn a_parameter_about_which_nothing_decides_is_an_error() {
    parameters("ModifyInstanceAttribute", &[]);
}
