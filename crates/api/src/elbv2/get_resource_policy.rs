//! `GetResourcePolicy`: a trust store that is not shared has none.

use control::Control;
use control::elb::ElbError;
use control::elb::trust_store_sharing::GetResourcePolicy;

use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> GetResourcePolicy {
    GetResourcePolicy {
        resource_arn: fields.required("ResourceArn", TEXT),
    }
}

pub(super) async fn call(control: &Control, input: GetResourcePolicy) -> Result<Xml, ElbError> {
    control.get_resource_policy(input).await?;
    Ok(Xml::new(Lists::Member))
}
