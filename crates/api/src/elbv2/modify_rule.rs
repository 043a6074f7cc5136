//! `ModifyRule`: what is absent stays as it is.

use control::Control;
use control::elb::ElbError;
use control::elb::modify_rule::ModifyRule;

use super::shapes::{action, condition, rule};
use crate::input::{BOOLEAN, Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> ModifyRule {
    ModifyRule {
        rule_arn: fields.required("RuleArn", TEXT),
        conditions: fields.structures("Conditions", condition::read),
        actions: fields.structures("Actions", action::read),
        transforms: rule::read_transforms(fields),
        reset_transforms: fields.optional("ResetTransforms", BOOLEAN),
    }
}

pub(super) async fn call(control: &Control, input: ModifyRule) -> Result<Xml, ElbError> {
    let modified = control.modify_rule(input).await?;
    let mut xml = Xml::new(Lists::Member);
    rule::print_all(&mut xml, [modified]);
    Ok(xml)
}
