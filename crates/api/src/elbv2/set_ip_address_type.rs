//! `SetIpAddressType`: addresses of IPv6 beside those of IPv4, or no more.

use control::Control;
use control::elb::ElbError;
use control::elb::set_ip_address_type::SetIpAddressType;
use model::protocol::IpAddressType;

use crate::input::{Fields, OneOf, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> SetIpAddressType {
    SetIpAddressType {
        load_balancer_arn: fields.required("LoadBalancerArn", TEXT),
        ip_address_type: fields.required("IpAddressType", OneOf(IpAddressType::ALL)),
    }
}

pub(super) async fn call(control: &Control, input: SetIpAddressType) -> Result<Xml, ElbError> {
    let changed = control.set_ip_address_type(input).await?;
    let mut xml = Xml::new(Lists::Member);
    xml.text("IpAddressType", changed.ip_address_type);
    Ok(xml)
}
