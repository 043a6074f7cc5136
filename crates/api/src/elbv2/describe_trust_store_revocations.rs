//! `DescribeTrustStoreRevocations`: all lists of a trust store, or those with some ids.

use control::Control;
use control::elb::ElbError;
use control::elb::trust_store_revocations::DescribeTrustStoreRevocations;

use super::shapes::{paging, trust_store};
use crate::input::{Fields, LONG, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeTrustStoreRevocations {
    DescribeTrustStoreRevocations {
        trust_store_arn: fields.required("TrustStoreArn", TEXT),
        revocation_ids: fields.list("RevocationIds", LONG),
        paging: paging::read(fields),
    }
}

pub(super) async fn call(
    control: &Control,
    input: DescribeTrustStoreRevocations,
) -> Result<Xml, ElbError> {
    let page = control.describe_trust_store_revocations(input).await?;
    let mut xml = Xml::new(Lists::Member);
    trust_store::print_revocations(&mut xml, page.items);
    xml.optional("NextMarker", page.next_marker);
    Ok(xml)
}
