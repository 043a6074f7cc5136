//! `Rule` and the list of rules.

use std::borrow::Borrow;

use model::rule::{Rule, RulePriority};

use super::{action, condition};
use crate::input::{Fields, OneOf};
use crate::xml::Xml;

/// The types in `Transforms`. What they would do is not read, because none is supported yet.
pub(crate) fn read_transforms(fields: &Fields<'_>) -> Vec<String> {
    fields.structures("Transforms", |transform| {
        transform.is_present("HostHeaderRewriteConfig");
        transform.is_present("UrlRewriteConfig");
        transform
            .required("Type", OneOf(&["host-header-rewrite", "url-rewrite"]))
            .to_owned()
    })
}

pub(crate) fn print_all<R: Borrow<Rule>>(xml: &mut Xml, rules: impl IntoIterator<Item = R>) {
    xml.list("Rules", rules, |xml, rule| print(xml, rule.borrow()));
}

fn print(xml: &mut Xml, rule: &Rule) {
    xml.text("RuleArn", &rule.arn);
    xml.text("Priority", rule.priority);
    xml.list("Conditions", &rule.conditions, condition::print);
    action::print(xml, "Actions", &rule.actions);
    xml.text("IsDefault", rule.priority == RulePriority::Default);
}
