//! `AddListenerCertificates`: one to be chosen by the name of the host.

use control::Control;
use control::elb::ElbError;
use control::elb::listener_certificates::AddListenerCertificates;

use super::shapes::listener;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> AddListenerCertificates {
    fields.require("Certificates");
    AddListenerCertificates {
        listener_arn: fields.required("ListenerArn", TEXT),
        certificates: listener::read_certificates(fields),
    }
}

pub(super) async fn call(
    control: &Control,
    input: AddListenerCertificates,
) -> Result<Xml, ElbError> {
    let added = control.add_listener_certificates(input).await?;
    let mut xml = Xml::new(Lists::Member);
    xml.list("Certificates", added, |xml, arn| {
        xml.text("CertificateArn", arn);
        xml.text("IsDefault", false);
    });
    Ok(xml)
}
