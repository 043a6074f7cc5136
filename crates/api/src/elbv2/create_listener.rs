//! `CreateListener`: the port listens once this has returned.

use control::Control;
use control::elb::ElbError;
use control::elb::create_listener::CreateListener;
use model::protocol::Protocol;

use super::shapes::{action, listener, tag};
use crate::input::{Fields, INTEGER, OneOf, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> CreateListener {
    CreateListener {
        load_balancer_arn: fields.required("LoadBalancerArn", TEXT),
        protocol: fields.optional("Protocol", OneOf(Protocol::ALL)),
        port: fields.optional("Port", INTEGER.within(1, 65_535)),
        default_actions: fields.required_structures("DefaultActions", action::read),
        tags: tag::read(fields),
        tls: listener::read_tls(fields),
    }
}

pub(super) async fn call(control: &Control, input: CreateListener) -> Result<Xml, ElbError> {
    let created = control.create_listener(input).await?;
    let mut xml = Xml::new(Lists::Member);
    listener::print_all(&mut xml, [created]);
    Ok(xml)
}
