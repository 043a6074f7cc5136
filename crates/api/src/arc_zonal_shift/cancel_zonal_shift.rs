//! `CancelZonalShift`.

use control::Control;
use control::zonal_shift::ZonalShiftError;
use control::zonal_shift::cancel_zonal_shift::CancelZonalShift;
use serde_json::Value;

use super::shapes;
use crate::input::Fields;

pub(super) fn read(fields: &Fields<'_>) -> CancelZonalShift {
    CancelZonalShift {
        zonal_shift_id: fields.required("zonalShiftId", shapes::ZONAL_SHIFT_ID),
    }
}

pub(super) async fn call(
    control: &Control,
    input: CancelZonalShift,
) -> Result<Option<Value>, ZonalShiftError> {
    let described = control.cancel_zonal_shift(input).await?;
    Ok(Some(shapes::zonal_shift(&described)))
}
