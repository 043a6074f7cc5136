//! `SetRulePriorities`: all at once, so that priorities can be swapped.

use control::Control;
use control::elb::ElbError;
use control::elb::set_rule_priorities::SetRulePriorities;

use super::shapes::rule;
use crate::input::{Fields, INTEGER, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> SetRulePriorities {
    SetRulePriorities {
        rule_priorities: fields.required_structures("RulePriorities", |pair| {
            (
                pair.required("RuleArn", TEXT),
                pair.required("Priority", INTEGER.within(1, 50_000)),
            )
        }),
    }
}

pub(super) async fn call(control: &Control, input: SetRulePriorities) -> Result<Xml, ElbError> {
    let rules = control.set_rule_priorities(input).await?;
    let mut xml = Xml::new(Lists::Member);
    rule::print_all(&mut xml, rules);
    Ok(xml)
}
