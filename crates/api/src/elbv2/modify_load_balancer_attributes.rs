//! `ModifyLoadBalancerAttributes`: all of the changes or none.

use control::Control;
use control::elb::ElbError;
use control::elb::load_balancer_attributes::ModifyLoadBalancerAttributes;

use super::shapes::attribute;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> ModifyLoadBalancerAttributes {
    let attributes = attribute::read(fields, attribute::LOAD_BALANCER_VALUE);
    fields.check_count("Attributes", attributes.len(), 0, 20);
    ModifyLoadBalancerAttributes {
        load_balancer_arn: fields.required("LoadBalancerArn", TEXT),
        attributes,
    }
}

pub(super) async fn call(
    control: &Control,
    input: ModifyLoadBalancerAttributes,
) -> Result<Xml, ElbError> {
    let attributes = control.modify_load_balancer_attributes(input).await?;
    let mut xml = Xml::new(Lists::Member);
    attribute::print(&mut xml, &attributes);
    Ok(xml)
}
