//! `DeleteSharedTrustStoreAssociation`: no association is of another account.

use control::Control;
use control::elb::ElbError;
use control::elb::trust_store_sharing::DeleteSharedTrustStoreAssociation;

use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DeleteSharedTrustStoreAssociation {
    DeleteSharedTrustStoreAssociation {
        trust_store_arn: fields.required("TrustStoreArn", TEXT),
        resource_arn: fields.required("ResourceArn", TEXT),
    }
}

pub(super) async fn call(
    control: &Control,
    input: DeleteSharedTrustStoreAssociation,
) -> Result<Xml, ElbError> {
    control.delete_shared_trust_store_association(input).await?;
    Ok(Xml::new(Lists::Member))
}
