//! `SetSecurityGroups`: these instead of those before.

use control::Control;
use control::elb::ElbError;
use control::elb::set_security_groups::SetSecurityGroups;

use super::shapes::load_balancer;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> SetSecurityGroups {
    SetSecurityGroups {
        load_balancer_arn: fields.required("LoadBalancerArn", TEXT),
        security_groups: fields.required_list("SecurityGroups", TEXT),
        enforce_on_private_link_traffic: load_balancer::read_switch(
            fields,
            "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic",
        ),
    }
}

pub(super) async fn call(control: &Control, input: SetSecurityGroups) -> Result<Xml, ElbError> {
    let changed = control.set_security_groups(input).await?;
    let mut xml = Xml::new(Lists::Member);
    xml.texts("SecurityGroupIds", &changed.security_groups);
    Ok(xml)
}
