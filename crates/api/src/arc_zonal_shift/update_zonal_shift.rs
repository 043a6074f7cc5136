//! `UpdateZonalShift`.

use control::Control;
use control::zonal_shift::ZonalShiftError;
use control::zonal_shift::update_zonal_shift::UpdateZonalShift;
use serde_json::Value;

use super::shapes;
use crate::input::{Fields, TEXT};

pub(super) fn read(fields: &Fields<'_>) -> UpdateZonalShift {
    UpdateZonalShift {
        zonal_shift_id: fields.required("zonalShiftId", shapes::ZONAL_SHIFT_ID),
        comment: fields.optional("comment", shapes::COMMENT),
        expires_in: fields.optional("expiresIn", TEXT),
    }
}

pub(super) async fn call(
    control: &Control,
    input: UpdateZonalShift,
) -> Result<Option<Value>, ZonalShiftError> {
    let described = control.update_zonal_shift(input).await?;
    Ok(Some(shapes::zonal_shift(&described)))
}
