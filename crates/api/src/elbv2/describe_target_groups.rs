//! `DescribeTargetGroups`: all, those of a load balancer, or those with some names or ARNs.

use control::Control;
use control::elb::ElbError;
use control::elb::describe_target_groups::DescribeTargetGroups;

use super::shapes::{paging, target_group};
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeTargetGroups {
    DescribeTargetGroups {
        load_balancer_arn: fields.optional("LoadBalancerArn", TEXT),
        target_group_arns: fields.list("TargetGroupArns", TEXT),
        names: fields.list("Names", TEXT),
        paging: paging::read(fields),
    }
}

pub(super) async fn call(control: &Control, input: DescribeTargetGroups) -> Result<Xml, ElbError> {
    let page = control.describe_target_groups(input).await?;
    let mut xml = Xml::new(Lists::Member);
    target_group::print_all(&mut xml, &page.items);
    xml.optional("NextMarker", page.next_marker);
    Ok(xml)
}
