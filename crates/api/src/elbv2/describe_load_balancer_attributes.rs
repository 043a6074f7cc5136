//! `DescribeLoadBalancerAttributes`: all attributes, those that were never set included.

use control::Control;
use control::elb::ElbError;
use control::elb::load_balancer_attributes::DescribeLoadBalancerAttributes;

use super::shapes::attribute;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeLoadBalancerAttributes {
    DescribeLoadBalancerAttributes {
        load_balancer_arn: fields.required("LoadBalancerArn", TEXT),
    }
}

pub(super) async fn call(
    control: &Control,
    input: DescribeLoadBalancerAttributes,
) -> Result<Xml, ElbError> {
    let attributes = control.describe_load_balancer_attributes(input).await?;
    let mut xml = Xml::new(Lists::Member);
    attribute::print(&mut xml, &attributes);
    Ok(xml)
}
