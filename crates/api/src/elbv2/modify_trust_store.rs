//! `ModifyTrustStore`: another bundle of authorities as a whole.

use control::Control;
use control::elb::ElbError;
use control::elb::trust_stores::ModifyTrustStore;

use super::shapes::trust_store;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> ModifyTrustStore {
    ModifyTrustStore {
        trust_store_arn: fields.required("TrustStoreArn", TEXT),
        bundle: trust_store::read_bundle(fields),
    }
}

pub(super) async fn call(control: &Control, input: ModifyTrustStore) -> Result<Xml, ElbError> {
    let modified = control.modify_trust_store(input).await?;
    let mut xml = Xml::new(Lists::Member);
    trust_store::print_all(&mut xml, [modified]);
    Ok(xml)
}
