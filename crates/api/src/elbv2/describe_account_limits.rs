//! `DescribeAccountLimits`: names and numbers, both texts.

use control::Control;
use control::elb::ElbError;
use control::elb::describe_account_limits::DescribeAccountLimits;

use super::shapes::paging;
use crate::input::Fields;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeAccountLimits {
    DescribeAccountLimits {
        paging: paging::read(fields),
    }
}

pub(super) async fn call(control: &Control, input: DescribeAccountLimits) -> Result<Xml, ElbError> {
    let page = control.describe_account_limits(input).await?;
    let mut xml = Xml::new(Lists::Member);
    xml.list("Limits", &page.items, |xml, limit| {
        xml.text("Name", limit.name);
        xml.text("Max", limit.max);
    });
    xml.optional("NextMarker", page.next_marker);
    Ok(xml)
}
