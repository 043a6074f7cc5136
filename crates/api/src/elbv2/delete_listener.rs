//! `DeleteListener`: its rules go with it.

use control::Control;
use control::elb::ElbError;
use control::elb::delete_listener::DeleteListener;

use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DeleteListener {
    DeleteListener {
        listener_arn: fields.required("ListenerArn", TEXT),
    }
}

pub(super) async fn call(control: &Control, input: DeleteListener) -> Result<Xml, ElbError> {
    control.delete_listener(input).await?;
    Ok(Xml::new(Lists::Member))
}
