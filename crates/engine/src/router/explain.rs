//! Why a request does not match a rule: each condition of it, tested by itself.
//!
//! The tree of the router never asks that: it passes most rules over without a look. Here the conditions are compiled
//! anew for one request, and tested by the same `Test` that the tree uses.

use model::condition::Condition;

use super::condition::{Subjects, Test};
use super::subject::{Scratch, fold, normalise};
use super::{CompileError, RequestFacts};

/// Which of a rule's conditions the request does not meet, by their places. None of them: the rule matches.
///
/// The first rule, in the order of their priorities, for which there is none is the one that `Router::route` finds.
///
/// # Errors
/// `CompileError` for a regular expression that `Router::compile` would refuse too.
pub fn failed_conditions(
    conditions: &[Condition],
    request: &impl RequestFacts,
) -> Result<Vec<usize>, CompileError> {
    let tests = conditions.iter().map(Test::compile);
    let tests = tests.collect::<Result<Vec<_>, _>>()?;
    Ok(Scratch::lend(|scratch| {
        let Scratch { host, path, work } = scratch;
        let subjects = Subjects {
            request,
            host: fold(request.host(), host),
            path: normalise(request.path(), path),
        };
        let fails = |(_, test): &(usize, &Test)| !test.matches(&subjects, &mut work.value);
        let failed = tests.iter().enumerate().filter(fails);
        failed.map(|(at, _)| at).collect()
    }))
}
