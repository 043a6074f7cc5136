//! `DescribeTrustStoreAssociations`: the listeners that rely on a trust store.

use control::Control;
use control::elb::ElbError;
use control::elb::trust_stores::DescribeTrustStoreAssociations;

use super::shapes::paging;
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeTrustStoreAssociations {
    DescribeTrustStoreAssociations {
        trust_store_arn: fields.required("TrustStoreArn", TEXT),
        paging: paging::read(fields),
    }
}

pub(super) async fn call(
    control: &Control,
    input: DescribeTrustStoreAssociations,
) -> Result<Xml, ElbError> {
    let page = control.describe_trust_store_associations(input).await?;
    let mut xml = Xml::new(Lists::Member);
    xml.list("TrustStoreAssociations", page.items, |xml, listener| {
        xml.text("ResourceArn", listener);
    });
    xml.optional("NextMarker", page.next_marker);
    Ok(xml)
}
