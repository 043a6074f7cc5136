//! `GetTrustStoreCaCertificatesBundle`: a URL that has the bundle for ten minutes.

use control::Control;
use control::elb::ElbError;
use control::elb::trust_store_downloads::GetTrustStoreCaCertificatesBundle;

use super::downloads;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> GetTrustStoreCaCertificatesBundle {
    GetTrustStoreCaCertificatesBundle {
        trust_store_arn: fields.required("TrustStoreArn", TEXT),
    }
}

pub(super) async fn call(
    control: &Control,
    input: GetTrustStoreCaCertificatesBundle,
) -> Result<Xml, ElbError> {
    let leave = control
        .get_trust_store_ca_certificates_bundle(input)
        .await?;
    let mut xml = Xml::new(Lists::Member);
    xml.text("Location", downloads::url(control, &leave));
    Ok(xml)
}
