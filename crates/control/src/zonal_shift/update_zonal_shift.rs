//! `UpdateZonalShift`: another end or another comment for a shift that is active.

use model::zonal_shift::ZonalShift;

use super::start_zonal_shift::{expires_at, parse_expires_in};
use super::{ValidationReason, ZonalShiftDescription, ZonalShiftError, find};
use crate::{Control, Draft};

/// Source: ARC zonal shift API, `UpdateZonalShift`.
#[derive(Clone, Debug, Default)]
pub struct UpdateZonalShift {
    /// `zonalShiftId`.
    pub zonal_shift_id: String,
    /// `comment`: takes the place of the one before.
    pub comment: Option<String>,
    /// `expiresIn`, from now on, such as `20h`.
    pub expires_in: Option<String>,
}

impl Control {
    /// Changes an active zonal shift.
    ///
    /// # Errors
    /// `Validation`, `Conflict` if the shift has ended, `ResourceNotFound`.
    pub async fn update_zonal_shift(
        &self,
        input: UpdateZonalShift,
    ) -> Result<ZonalShiftDescription, ZonalShiftError> {
        self.transact(move |draft| update(draft, input)).await
    }
}

fn update(
    draft: &mut Draft,
    input: UpdateZonalShift,
) -> Result<ZonalShiftDescription, ZonalShiftError> {
    if input.comment.is_none() && input.expires_in.is_none() {
        return Err(ZonalShiftError::validation(
            ValidationReason::MissingValue,
            "Nothing is to be changed; give expiresIn, comment or both.",
        ));
    }
    let now = draft.now_millis();
    let present = find::active_zonal_shift(draft.state(), &input.zonal_shift_id, now)?;
    let mut shift = ZonalShift::clone(&present);
    if let Some(text) = &input.expires_in {
        shift.expires_at_millis = expires_at(now, parse_expires_in(text)?);
    }
    shift.comment = input.comment.unwrap_or(shift.comment);
    Ok(ZonalShiftDescription::at(now, &draft.put(shift)))
}
