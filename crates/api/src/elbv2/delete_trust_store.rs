//! `DeleteTrustStore`: one that no listener relies on.

use control::Control;
use control::elb::ElbError;
use control::elb::trust_stores::DeleteTrustStore;

use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DeleteTrustStore {
    DeleteTrustStore {
        trust_store_arn: fields.required("TrustStoreArn", TEXT),
    }
}

pub(super) async fn call(control: &Control, input: DeleteTrustStore) -> Result<Xml, ElbError> {
    control.delete_trust_store(input).await?;
    Ok(Xml::new(Lists::Member))
}
