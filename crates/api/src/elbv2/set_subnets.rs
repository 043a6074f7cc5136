//! `SetSubnets`: these zones instead of those before.

use control::Control;
use control::elb::ElbError;
use control::elb::set_subnets::SetSubnets;
use model::protocol::IpAddressType;

use super::shapes::load_balancer;
use crate::input::{Fields, OneOf, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> SetSubnets {
    SetSubnets {
        load_balancer_arn: fields.required("LoadBalancerArn", TEXT),
        subnets: fields.list("Subnets", TEXT),
        subnet_mappings: load_balancer::read_subnet_mappings(fields),
        ip_address_type: fields.optional("IpAddressType", OneOf(IpAddressType::ALL)),
        enable_prefix_for_ipv6_source_nat: load_balancer::read_switch(
            fields,
            "EnablePrefixForIpv6SourceNat",
        ),
    }
}

pub(super) async fn call(control: &Control, input: SetSubnets) -> Result<Xml, ElbError> {
    let changed = control.set_subnets(input).await?;
    let mut xml = Xml::new(Lists::Member);
    load_balancer::print_zones(&mut xml, &changed.zones);
    xml.text("IpAddressType", changed.ip_address_type);
    Ok(xml)
}
