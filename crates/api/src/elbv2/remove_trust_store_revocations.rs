//! `RemoveTrustStoreRevocations`: by id.

use control::Control;
use control::elb::ElbError;
use control::elb::trust_store_revocations::RemoveTrustStoreRevocations;

use crate::input::{Fields, LONG, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> RemoveTrustStoreRevocations {
    RemoveTrustStoreRevocations {
        trust_store_arn: fields.required("TrustStoreArn", TEXT),
        revocation_ids: fields.required_list("RevocationIds", LONG),
    }
}

pub(super) async fn call(
    control: &Control,
    input: RemoveTrustStoreRevocations,
) -> Result<Xml, ElbError> {
    control.remove_trust_store_revocations(input).await?;
    Ok(Xml::new(Lists::Member))
}
