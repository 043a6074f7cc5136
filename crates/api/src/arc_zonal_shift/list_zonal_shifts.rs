//! `ListZonalShifts`.

use control::Control;
use control::zonal_shift::ZonalShiftError;
use control::zonal_shift::list_zonal_shifts::ListZonalShifts;
use serde_json::Value;

use super::shapes;
use crate::input::{Fields, TEXT};

pub(super) fn read(fields: &Fields<'_>) -> ListZonalShifts {
    ListZonalShifts {
        status: fields.optional("status", TEXT),
        resource_identifier: fields.optional("resourceIdentifier", TEXT),
        paging: shapes::read_paging(fields),
    }
}

pub(super) async fn call(
    control: &Control,
    input: ListZonalShifts,
) -> Result<Option<Value>, ZonalShiftError> {
    let page = control.list_zonal_shifts(input).await?;
    Ok(Some(shapes::page(&page, shapes::zonal_shift_summary)))
}
