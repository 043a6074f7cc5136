//! `DescribeListeners`: those of a load balancer, or those with some ARNs.

use control::Control;
use control::elb::ElbError;
use control::elb::describe_listeners::DescribeListeners;

use super::shapes::{listener, paging};
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeListeners {
    DescribeListeners {
        load_balancer_arn: fields.optional("LoadBalancerArn", TEXT),
        listener_arns: fields.list("ListenerArns", TEXT),
        paging: paging::read(fields),
    }
}

pub(super) async fn call(control: &Control, input: DescribeListeners) -> Result<Xml, ElbError> {
    let page = control.describe_listeners(input).await?;
    let mut xml = Xml::new(Lists::Member);
    listener::print_all(&mut xml, page.items);
    xml.optional("NextMarker", page.next_marker);
    Ok(xml)
}
