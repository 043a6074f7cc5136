//! `AddTrustStoreRevocations`: lists of revoked certificates in S3.

use control::Control;
use control::elb::ElbError;
use control::elb::trust_store_revocations::AddTrustStoreRevocations;

use super::shapes::trust_store;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> AddTrustStoreRevocations {
    AddTrustStoreRevocations {
        trust_store_arn: fields.required("TrustStoreArn", TEXT),
        revocation_contents: fields.structures("RevocationContents", trust_store::read_revocation),
    }
}

pub(super) async fn call(
    control: &Control,
    input: AddTrustStoreRevocations,
) -> Result<Xml, ElbError> {
    let added = control.add_trust_store_revocations(input).await?;
    let mut xml = Xml::new(Lists::Member);
    trust_store::print_revocations(&mut xml, added);
    Ok(xml)
}
