//! `CancelZonalShift`: traffic returns to the zone at once.

use model::zonal_shift::ZonalShiftStatus;

use super::state::end;
use super::{ZonalShiftDescription, ZonalShiftError, find};
use crate::Control;

/// Source: ARC zonal shift API, `CancelZonalShift`.
#[derive(Clone, Debug, Default)]
pub struct CancelZonalShift {
    /// `zonalShiftId`.
    pub zonal_shift_id: String,
}

impl Control {
    /// Ends an active zonal shift.
    ///
    /// # Errors
    /// `Conflict` if the shift has ended, `ResourceNotFound`.
    pub async fn cancel_zonal_shift(
        &self,
        input: CancelZonalShift,
    ) -> Result<ZonalShiftDescription, ZonalShiftError> {
        self.transact(move |draft| {
            let now = draft.now_millis();
            let shift = find::active_zonal_shift(draft.state(), &input.zonal_shift_id, now)?;
            let shift = end(draft, &shift, ZonalShiftStatus::Canceled);
            Ok(ZonalShiftDescription::at(now, &shift))
        })
        .await
    }
}
