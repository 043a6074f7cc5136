//! `CreateRule`.

use control::Control;
use control::elb::ElbError;
use control::elb::create_rule::CreateRule;

use super::shapes::{action, condition, rule, tag};
use crate::input::{Fields, INTEGER, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> CreateRule {
    CreateRule {
        listener_arn: fields.required("ListenerArn", TEXT),
        conditions: fields.required_structures("Conditions", condition::read),
        priority: fields.required("Priority", INTEGER.within(1, 50_000)),
        actions: fields.required_structures("Actions", action::read),
        tags: tag::read(fields),
        transforms: rule::read_transforms(fields),
    }
}

pub(super) async fn call(control: &Control, input: CreateRule) -> Result<Xml, ElbError> {
    let created = control.create_rule(input).await?;
    let mut xml = Xml::new(Lists::Member);
    rule::print_all(&mut xml, [created]);
    Ok(xml)
}
