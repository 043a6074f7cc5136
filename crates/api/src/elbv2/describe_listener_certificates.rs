//! `DescribeListenerCertificates`: the default one, and those that are chosen by the name of the host.

use control::Control;
use control::elb::ElbError;
use control::elb::listener_certificates::DescribeListenerCertificates;

use super::shapes::paging;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeListenerCertificates {
    DescribeListenerCertificates {
        listener_arn: fields.required("ListenerArn", TEXT),
        paging: paging::read(fields),
    }
}

pub(super) async fn call(
    control: &Control,
    input: DescribeListenerCertificates,
) -> Result<Xml, ElbError> {
    let page = control.describe_listener_certificates(input).await?;
    let mut xml = Xml::new(Lists::Member);
    xml.list("Certificates", page.items, |xml, certificate| {
        xml.text("CertificateArn", certificate.arn);
        xml.text("IsDefault", certificate.is_default);
    });
    xml.optional("NextMarker", page.next_marker);
    Ok(xml)
}
