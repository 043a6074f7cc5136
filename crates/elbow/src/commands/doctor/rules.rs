//! Findings about rules that do nothing: no weight chooses between their target groups, or others hide them.

use std::slice;

use super::super::inventory::Listener;
use super::super::inventory::rules::{Action, Condition, Rule};
use super::finding::Finding;
use super::names::covers;

/// Everything that is wrong with the rules of a listener; `subject` is the listener.
pub(super) fn findings(subject: &str, listener: &Listener) -> Vec<Finding> {
    let rules = listener.rules.iter().enumerate();
    let found = rules.flat_map(|(place, rule)| {
        let nowhere = forwards_nowhere(subject, listener, rule);
        nowhere
            .into_iter()
            .chain(hides(subject, listener, place, rule))
    });
    found.collect()
}

/// The command that changes what a rule does, up to the new actions.
pub(super) fn modify(listener: &Listener, rule: &Rule) -> String {
    match &*rule.priority {
        "default" => format!(
            "aws elbv2 modify-listener --listener-arn {} --default-actions",
            listener.arn
        ),
        _ => format!("aws elbv2 modify-rule --rule-arn {} --actions", rule.arn),
    }
}

/// A rule between whose target groups no weight chooses. Those of a single target group are never 0.
fn forwards_nowhere(subject: &str, listener: &Listener, rule: &Rule) -> Option<Finding> {
    let forwarded = rule.actions.iter().find_map(|action| match action {
        Action::Forward { target_groups } => Some(target_groups),
        _ => None,
    });
    let target_groups = forwarded.filter(|groups| !groups.is_empty())?;
    if target_groups.iter().any(|group| group.weight > 0) {
        return None;
    }
    Some(Finding::error(
        format!("rule {} of {subject}", rule.priority),
        &rule.arn,
        "All weights of its target groups are 0: what it forwards gets 503.".to_owned(),
        format!(
            "Give one of them a weight: {} ACTIONS",
            modify(listener, rule)
        ),
    ))
}

/// A rule that matches all that later ones match. The default rule is there for what no other matches, if anything.
fn hides(subject: &str, listener: &Listener, place: usize, rule: &Rule) -> Option<Finding> {
    let is_hidden_here =
        |later: &&Rule| later.priority != "default" && is_hidden(slice::from_ref(rule), later);
    // What an earlier one hides already is not said again.
    let is_told = |later: &&Rule| is_hidden(&listener.rules[..place], later);
    let later = listener.rules[place + 1..].iter();
    let hidden = later.filter(|later| is_hidden_here(later) && !is_told(later));
    let hidden: Vec<_> = hidden.map(|rule| &*rule.priority).collect();
    (!hidden.is_empty()).then(|| {
        Finding::warning(
            format!("rule {} of {subject}", rule.priority),
            &rule.arn,
            format!(
                "It matches all that a later rule matches, which is never reached: {}.",
                hidden.join(", ")
            ),
            format!(
                "Put it behind: aws elbv2 set-rule-priorities --rule-priorities RuleArn={},Priority=PRIORITY; or delete \
                 what it hides: aws elbv2 delete-rule --rule-arn ARN",
                rule.arn
            ),
        )
    })
}

/// Whether one of these earlier rules matches all that a rule matches, as far as that is easy to see.
pub(super) fn is_hidden(earlier: &[Rule], rule: &Rule) -> bool {
    let hides = |earlier: &Rule| earlier.conditions.iter().all(|it| is_met(it, rule));
    earlier.iter().any(hides)
}

/// Whether all requests that a rule matches meet this condition, as far as that is easy to see.
fn is_met(condition: &Condition, rule: &Rule) -> bool {
    let is_every_path = |value: &String| matches!(&**value, "*" | "/*");
    (condition.field == "path-pattern" && condition.values.iter().any(is_every_path))
        || rule.conditions.iter().any(|own| is_implied(condition, own))
}

/// Whether whatever meets `narrow` meets `wide`.
fn is_implied(wide: &Condition, narrow: &Condition) -> bool {
    let header =
        |condition: &Condition| condition.header.as_ref().map(|it| it.to_ascii_lowercase());
    let is_covered = |value: &String| {
        wide.values
            .iter()
            .any(|wider| matches_all_of(&wide.field, wider, value))
    };
    wide.field == narrow.field
        && header(wide) == header(narrow)
        && narrow.values.iter().all(is_covered)
}

/// Whether a value of a condition matches whatever another value of the same field matches.
pub(super) fn matches_all_of(field: &str, wider: &str, narrower: &str) -> bool {
    let is_pattern = |value: &str| !value.starts_with("regex:");
    let are_patterns = is_pattern(wider) && is_pattern(narrower);
    wider == narrower
        || match field {
            "path-pattern" => are_patterns && covers(wider, narrower),
            // Hosts have no case.
            "host-header" => {
                are_patterns && covers(&wider.to_ascii_lowercase(), &narrower.to_ascii_lowercase())
            }
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(text: &str) -> Condition {
        let (field, values) = text.split_once(' ').expect("a field and values");
        Condition {
            field: field.to_owned(),
            header: None,
            values: values.split('|').map(str::to_owned).collect(),
        }
    }

    /// Rules with the priorities 1, 2, … and a default.
    fn listener(rules: &[&[&str]]) -> Listener {
        let rule = |(priority, conditions): (usize, &&[&str])| Rule {
            priority: priority.to_string(),
            conditions: conditions.iter().map(|it| condition(it)).collect(),
            ..Rule::default()
        };
        let mut rules: Vec<_> = (1..).zip(rules).map(rule).collect();
        rules.push(Rule {
            priority: "default".to_owned(),
            ..Rule::default()
        });
        Listener {
            rules,
            ..Listener::default()
        }
    }

    #[test]
    fn a_rule_that_hides_others_is_found() {
        let never = |rules: &str| {
            format!("It matches all that a later rule matches, which is never reached: {rules}.")
        };
        let cases: [(&[&[&str]], Option<String>); 12] = [
            (
                &[&["path-pattern /a"], &["path-pattern /a"]],
                Some(never("2")),
            ),
            (
                &[
                    &["path-pattern /*"],
                    &["path-pattern /a/*"],
                    &["host-header b.example"],
                ],
                Some(never("2, 3")),
            ),
            (
                &[
                    &["path-pattern /a/*"],
                    &["path-pattern /b", "host-header x"],
                    &["path-pattern /a/b|/a/c", "host-header x"],
                ],
                Some(never("3")),
            ),
            (
                &[
                    &["host-header *.example"],
                    &["host-header A.EXAMPLE", "path-pattern /a"],
                ],
                Some(never("2")),
            ),
            (
                &[&["host-header regex:^a"], &["host-header regex:^a"]],
                Some(never("2")),
            ),
            (
                &[&["source-ip 10.0.0.0/8|::/0"], &["source-ip 10.0.0.0/8"]],
                Some(never("2")),
            ),
            // The later one matches more, or something else.
            (&[&["path-pattern /a/*"], &["path-pattern /*"]], None),
            (&[&["path-pattern /a"], &["path-pattern /A"]], None),
            (&[&["path-pattern /a|/b"], &["path-pattern /a|/c"]], None),
            (
                &[&["path-pattern /a", "host-header x"], &["path-pattern /a"]],
                None,
            ),
            (&[&["host-header r*"], &["host-header regex:^a"]], None),
            // The default rule may be there for nobody.
            (&[&["path-pattern /*"]], None),
        ];
        for (rules, expected) in cases {
            let found = findings("listener", &listener(rules));
            let found: Vec<_> = found.into_iter().map(|it| it.wrong).collect();
            assert_eq!(found, Vec::from_iter(expected), "{rules:?}");
        }
    }

    #[test]
    fn what_two_rules_hide_is_told_of_the_first() {
        let found = findings(
            "it",
            &listener(&[
                &["path-pattern /*"],
                &["path-pattern /a*"],
                &["path-pattern /ab"],
            ]),
        );
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].subject, "rule 1 of it");
    }
}
