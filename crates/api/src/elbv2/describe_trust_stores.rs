//! `DescribeTrustStores`: all, or those with some ARNs or names.

use control::Control;
use control::elb::ElbError;
use control::elb::trust_stores::DescribeTrustStores;

use super::shapes::{paging, trust_store};
use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeTrustStores {
    DescribeTrustStores {
        trust_store_arns: fields.list("TrustStoreArns", TEXT),
        names: fields.list("Names", TEXT),
        paging: paging::read(fields),
    }
}

pub(super) async fn call(control: &Control, input: DescribeTrustStores) -> Result<Xml, ElbError> {
    let page = control.describe_trust_stores(input).await?;
    let mut xml = Xml::new(Lists::Member);
    trust_store::print_all(&mut xml, page.items);
    xml.optional("NextMarker", page.next_marker);
    Ok(xml)
}
