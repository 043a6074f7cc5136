//! `StartZonalShift`.

use control::Control;
use control::zonal_shift::ZonalShiftError;
use control::zonal_shift::start_zonal_shift::StartZonalShift;
use serde_json::Value;

use super::shapes;
use crate::input::{Fields, TEXT};

pub(super) fn read(fields: &Fields<'_>) -> StartZonalShift {
    StartZonalShift {
        resource_identifier: fields.required("resourceIdentifier", TEXT),
        away_from: fields.required("awayFrom", TEXT),
        expires_in: fields.required("expiresIn", TEXT),
        comment: fields.required("comment", shapes::COMMENT),
    }
}

pub(super) async fn call(
    control: &Control,
    input: StartZonalShift,
) -> Result<Option<Value>, ZonalShiftError> {
    let described = control.start_zonal_shift(input).await?;
    Ok(Some(shapes::zonal_shift(&described)))
}
