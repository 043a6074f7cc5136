//! `ModifyListener`: what is absent stays as it is.

use control::Control;
use control::elb::ElbError;
use control::elb::modify_listener::ModifyListener;
use model::protocol::Protocol;

use super::shapes::{action, listener};
use crate::input::{Fields, INTEGER, OneOf, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> ModifyListener {
    ModifyListener {
        listener_arn: fields.required("ListenerArn", TEXT),
        protocol: fields.optional("Protocol", OneOf(Protocol::ALL)),
        port: fields.optional("Port", INTEGER.within(1, 65_535)),
        default_actions: fields.structures("DefaultActions", action::read),
        tls: listener::read_tls(fields),
    }
}

pub(super) async fn call(control: &Control, input: ModifyListener) -> Result<Xml, ElbError> {
    let modified = control.modify_listener(input).await?;
    let mut xml = Xml::new(Lists::Member);
    listener::print_all(&mut xml, [modified]);
    Ok(xml)
}
