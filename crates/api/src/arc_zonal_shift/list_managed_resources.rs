//! `ListManagedResources`.

use control::Control;
use control::zonal_shift::ZonalShiftError;
use control::zonal_shift::managed_resources::{ListManagedResources, ManagedResource};
use serde_json::{Value, json};

use super::shapes;
use crate::input::Fields;

pub(super) fn read(fields: &Fields<'_>) -> ListManagedResources {
    ListManagedResources {
        paging: shapes::read_paging(fields),
    }
}

pub(super) async fn call(
    control: &Control,
    input: ListManagedResources,
) -> Result<Option<Value>, ZonalShiftError> {
    let page = control.list_managed_resources(input).await?;
    Ok(Some(shapes::page(&page, summary)))
}

/// `ManagedResourceSummary`.
fn summary(resource: &ManagedResource) -> Value {
    let mut value = shapes::managed_resource(resource);
    value["availabilityZones"] = json!(resource.zone_ids);
    value["practiceRunStatus"] = json!("DISABLED");
    value
}
