//! `TargetDescription`: which target is meant.

use control::elb::input::TargetDescription;

use crate::input::{Fields, INTEGER, TEXT};
use crate::xml::Xml;

pub(crate) fn read(fields: &Fields<'_>) -> TargetDescription {
    TargetDescription {
        id: fields.required("Id", TEXT),
        port: fields.optional("Port", INTEGER.within(1, 65_535)),
        availability_zone: fields.optional("AvailabilityZone", TEXT),
        quic_server_id: fields.optional("QuicServerId", TEXT.between(1, 256)),
    }
}

pub(crate) fn print(xml: &mut Xml, target: &TargetDescription) {
    xml.element("Target", |xml| {
        xml.text("Id", &target.id);
        xml.optional("Port", target.port);
        xml.optional("AvailabilityZone", target.availability_zone.as_ref());
        xml.optional("QuicServerId", target.quic_server_id.as_ref());
    });
}
