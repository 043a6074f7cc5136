//! `GetTrustStoreRevocationContent`: a URL that has the list for ten minutes.

use control::Control;
use control::elb::ElbError;
use control::elb::trust_store_downloads::GetTrustStoreRevocationContent;

use super::downloads;
use crate::input::{Fields, LONG, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> GetTrustStoreRevocationContent {
    GetTrustStoreRevocationContent {
        trust_store_arn: fields.required("TrustStoreArn", TEXT),
        revocation_id: fields.required("RevocationId", LONG),
    }
}

pub(super) async fn call(
    control: &Control,
    input: GetTrustStoreRevocationContent,
) -> Result<Xml, ElbError> {
    let leave = control.get_trust_store_revocation_content(input).await?;
    let mut xml = Xml::new(Lists::Member);
    xml.text("Location", downloads::url(control, &leave));
    Ok(xml)
}
