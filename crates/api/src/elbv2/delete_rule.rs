//! `DeleteRule`.

use control::Control;
use control::elb::ElbError;
use control::elb::delete_rule::DeleteRule;

use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DeleteRule {
    DeleteRule {
        rule_arn: fields.required("RuleArn", TEXT),
    }
}

pub(super) async fn call(control: &Control, input: DeleteRule) -> Result<Xml, ElbError> {
    control.delete_rule(input).await?;
    Ok(Xml::new(Lists::Member))
}
