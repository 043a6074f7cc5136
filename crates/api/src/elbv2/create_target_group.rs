//! `CreateTargetGroup`.

use control::Control;
use control::elb::ElbError;
use control::elb::create_target_group::CreateTargetGroup;
use model::protocol::{Protocol, TargetGroupIpAddressType};
use model::target_group::TargetType;

use super::shapes::{tag, target_group};
use crate::input::{Fields, INTEGER, OneOf, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> CreateTargetGroup {
    CreateTargetGroup {
        name: fields.required("Name", TEXT),
        protocol: fields.optional("Protocol", OneOf(Protocol::ALL)),
        protocol_version: fields.optional("ProtocolVersion", TEXT),
        port: fields.optional("Port", INTEGER.within(1, 65_535)),
        vpc_id: fields.optional("VpcId", TEXT),
        health_check: target_group::read_health_check(fields),
        target_type: fields.optional("TargetType", OneOf(TargetType::ALL)),
        tags: tag::read(fields),
        ip_address_type: fields.optional("IpAddressType", OneOf(TargetGroupIpAddressType::ALL)),
        target_control_port: fields.optional("TargetControlPort", INTEGER.within(1, 65_535)),
    }
}

pub(super) async fn call(control: &Control, input: CreateTargetGroup) -> Result<Xml, ElbError> {
    let description = control.create_target_group(input).await?;
    let mut xml = Xml::new(Lists::Member);
    target_group::print_all(&mut xml, &[description]);
    Ok(xml)
}
