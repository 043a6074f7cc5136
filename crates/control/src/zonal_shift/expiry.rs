//! The end of zonal shifts whose time is over: what is due is read from the stored state, so that a restart goes
//! on with the shifts that were active.

use std::sync::Arc;

use model::zonal_shift::{ZonalShift, ZonalShiftStatus};

use super::state::end;
use crate::control::{CommitError, Control};
use crate::state::State;

impl Control {
    /// Ends the zonal shifts whose time is over: their zones get traffic again.
    ///
    /// # Errors
    /// `CommitError` if that could not be stored; it stays due.
    pub async fn expire_zonal_shifts(&self) -> Result<(), CommitError> {
        let now = self.now_millis();
        if self.read(|state| due(state, now).is_empty()) {
            return Ok(());
        }
        self.transact(move |draft| {
            for shift in due(draft.state(), now) {
                end(draft, &shift, ZonalShiftStatus::Expired);
            }
            Ok(())
        })
        .await
    }
}

/// When the next active shift expires, in milliseconds since 1970; `None` if there is none.
pub(crate) fn next_expiry(state: &State) -> Option<u64> {
    let active = state.zonal_shift.active();
    active.map(|shift| shift.expires_at_millis).min()
}

fn due(state: &State, now_millis: u64) -> Vec<Arc<ZonalShift>> {
    let active = state.zonal_shift.active();
    let is_due = |shift: &&Arc<ZonalShift>| shift.expires_at_millis <= now_millis;
    active.filter(is_due).cloned().collect()
}
