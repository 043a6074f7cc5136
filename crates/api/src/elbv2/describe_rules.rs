//! `DescribeRules`: those of a listener, or those with some ARNs.

use control::Control;
use control::elb::ElbError;
use control::elb::describe_rules::DescribeRules;

use super::shapes::{paging, rule};
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeRules {
    DescribeRules {
        listener_arn: fields.optional("ListenerArn", TEXT),
        rule_arns: fields.list("RuleArns", TEXT),
        paging: paging::read(fields),
    }
}

pub(super) async fn call(control: &Control, input: DescribeRules) -> Result<Xml, ElbError> {
    let page = control.describe_rules(input).await?;
    let mut xml = Xml::new(Lists::Member);
    rule::print_all(&mut xml, page.items);
    xml.optional("NextMarker", page.next_marker);
    Ok(xml)
}
