//! The compiled router finds what the slow reference matcher finds, whatever the rules and the requests.

use proptest::collection::vec;
use proptest::prelude::*;
use testkit::{Request, Table, reference, strategies};

fn check(table: &Table, requests: &[Request]) -> Result<(), TestCaseError> {
    let router = table.router();
    for request in requests {
        let slow = reference::route(&table.rules, request).map_or(0, |rule| rule.priority);
        prop_assert_eq!(router.route(request).0, slow, "for {:?}", request);
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
