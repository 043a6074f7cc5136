//! `GetManagedResource`.

use control::Control;
use control::zonal_shift::ZonalShiftError;
use control::zonal_shift::managed_resources::GetManagedResource;
use serde_json::Value;

use super::shapes;
use crate::input::{Fields, TEXT};

pub(super) fn read(fields: &Fields<'_>) -> GetManagedResource {
    GetManagedResource {
        resource_identifier: fields.required("resourceIdentifier", TEXT),
    }
}

pub(super) async fn call(
    control: &Control,
    input: GetManagedResource,
) -> Result<Option<Value>, ZonalShiftError> {
    let resource = control.get_managed_resource(input).await?;
    Ok(Some(shapes::managed_resource(&resource)))
}
