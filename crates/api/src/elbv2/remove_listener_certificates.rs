//! `RemoveListenerCertificates`: one that is not the default.

use control::Control;
use control::elb::ElbError;
use control::elb::listener_certificates::RemoveListenerCertificates;

use super::shapes::listener;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> RemoveListenerCertificates {
    fields.require("Certificates");
    RemoveListenerCertificates {
        listener_arn: fields.required("ListenerArn", TEXT),
        certificates: listener::read_certificates(fields),
    }
}

pub(super) async fn call(
    control: &Control,
    input: RemoveListenerCertificates,
) -> Result<Xml, ElbError> {
    control.remove_listener_certificates(input).await?;
    Ok(Xml::new(Lists::Member))
}
