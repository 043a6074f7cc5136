//! `DescribeLoadBalancers`: all, or those with some names or ARNs.

use control::Control;
use control::elb::ElbError;
use control::elb::describe_load_balancers::DescribeLoadBalancers;

use super::shapes::{load_balancer, paging};
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeLoadBalancers {
    DescribeLoadBalancers {
        load_balancer_arns: fields.list("LoadBalancerArns", TEXT),
        names: fields.list("Names", TEXT),
        paging: paging::read(fields),
    }
}

pub(super) async fn call(control: &Control, input: DescribeLoadBalancers) -> Result<Xml, ElbError> {
    let page = control.describe_load_balancers(input).await?;
    let mut xml = Xml::new(Lists::Member);
    load_balancer::print_all(&mut xml, &page.items);
    xml.optional("NextMarker", page.next_marker);
    Ok(xml)
}
