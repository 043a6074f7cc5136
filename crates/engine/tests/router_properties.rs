//! The compiled router finds what the slow reference matcher finds, whatever the rules and the requests.

use engine::router::failed_conditions;
use proptest::collection::vec;
use proptest::prelude::*;
use testkit::{Request, RuleSpec, Table, reference, strategies};

/// The rule that the walk over all conditions ends at, in the words of an explanation.
fn explained(table: &Table, request: &Request) -> u32 {
    let mut rules: Vec<_> = table.rules.iter().collect();
    rules.sort_by_key(|rule| rule.priority);
    let matches = |rule: &&&RuleSpec| {
        let failed = failed_conditions(&rule.conditions, request);
        failed.expect("regular expressions that compile").is_empty()
    };
    rules.iter().find(matches).map_or(0, |rule| rule.priority)
}

fn check(table: &Table, requests: &[Request]) -> Result<(), TestCaseError> {
    let router = table.router();
    for request in requests {
        let slow = reference::route(&table.rules, request).map_or(0, |rule| rule.priority);
        prop_assert_eq!(router.route(request).0, slow, "for {:?}", request);
        prop_assert_eq!(
            explained(table, request),
            slow,
            "explained for {:?}",
            request
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Few enough that most nodes test their rules one by one.
    #[test]
    fn few_rules_agree_with_the_reference(
        table in strategies::table(12),
        requests in vec(strategies::request(), 20),
    ) {
        check(&table, &requests)?;
    }

    /// Enough that the tree has indexes below indexes.
    #[test]
    fn many_rules_agree_with_the_reference(
        table in strategies::table(150),
        requests in vec(strategies::request(), 20),
    ) {
        check(&table, &requests)?;
    }
}

proptest! {
    /// A condition is named if and only if the reference finds that it is not met.
    #[test]
    fn the_conditions_that_fail_are_those_of_the_reference(
        table in strategies::table(12),
        request in strategies::request(),
    ) {
        for rule in &table.rules {
            let failed = failed_conditions(&rule.conditions, &request).unwrap();
            for (at, condition) in rule.conditions.iter().enumerate() {
                let is_met = reference::is_met(condition, &request);
                prop_assert_eq!(failed.contains(&at), !is_met, "{:?} for {:?}", condition, request);
            }
        }
    }
}
