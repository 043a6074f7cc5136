//! `Rule` and the list of rules.

use std::borrow::Borrow;

use control::elb::input::{Pairs, RuleTransform};
use model::rule::{Rule, RulePriority};
use model::transform::{TransformType, Transforms};

use super::{action, condition};
use crate::input::{Fields, OneOf, TEXT};
use crate::xml::Xml;

pub(crate) fn read_transforms(fields: &Fields<'_>) -> Vec<RuleTransform> {
    fields.structures("Transforms", |transform| RuleTransform {
        transform_type: transform.required("Type", OneOf(TransformType::ALL)),
        host_header_rewrite_config: transform.structure("HostHeaderRewriteConfig", rewrites),
        url_rewrite_config: transform.structure("UrlRewriteConfig", rewrites),
    })
}

fn rewrites(fields: &Fields<'_>) -> Pairs {
    fields.structures("Rewrites", |rewrite| {
        (
            rewrite.required("Regex", TEXT),
            rewrite.required("Replace", TEXT),
        )
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
    print_transforms(xml, &rule.transforms);
}

fn print_transforms(xml: &mut Xml, transforms: &Transforms) {
    let host = transforms.host.iter().map(|rewrite| {
        (
            TransformType::HostHeaderRewrite,
            "HostHeaderRewriteConfig",
            rewrite,
        )
    });
    let url = transforms
        .url
        .iter()
        .map(|rewrite| (TransformType::UrlRewrite, "UrlRewriteConfig", rewrite));
    xml.list(
        "Transforms",
        host.chain(url),
        |xml, (transform_type, config, rewrite)| {
            xml.text("Type", transform_type);
            xml.element(config, |xml| {
                xml.list("Rewrites", [rewrite], |xml, rewrite| {
                    xml.text("Regex", rewrite.regex());
                    xml.text("Replace", rewrite.replace());
                });
            });
        },
    );
}
