//! `CreateTrustStore`: from a bundle of authorities in S3.

use control::Control;
use control::elb::ElbError;
use control::elb::trust_stores::CreateTrustStore;

use super::shapes::{tag, trust_store};
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> CreateTrustStore {
    CreateTrustStore {
        name: fields.required("Name", TEXT.between(1, 32)),
        bundle: trust_store::read_bundle(fields),
        tags: tag::read(fields),
    }
}

pub(super) async fn call(control: &Control, input: CreateTrustStore) -> Result<Xml, ElbError> {
    let created = control.create_trust_store(input).await?;
    let mut xml = Xml::new(Lists::Member);
    trust_store::print_all(&mut xml, [created]);
    Ok(xml)
}
