//! `ListZonalShifts`: those that are active and those that have ended, in the order of their starts.

use std::sync::Arc;

use model::id::ZonalShiftId;
use model::zonal_shift::{ZonalShift, ZonalShiftStatus};

use super::{Page, Paging, ValidationReason, ZonalShiftDescription, ZonalShiftError, find};
use crate::Control;

/// Source: ARC zonal shift API, `ListZonalShifts`.
#[derive(Clone, Debug, Default)]
pub struct ListZonalShifts {
    /// `status`; absent: all.
    pub status: Option<String>,
    /// `resourceIdentifier`: the ARN of a load balancer; absent: all.
    pub resource_identifier: Option<String>,
    /// `nextToken` and `maxResults`.
    pub paging: Paging,
}

impl Control {
    /// Lists zonal shifts, also those of load balancers that are gone.
    ///
    /// # Errors
    /// `Validation`.
    pub async fn list_zonal_shifts(
        &self,
        input: ListZonalShifts,
    ) -> Result<Page<ZonalShiftDescription>, ZonalShiftError> {
        let status = input.status.as_deref().map(parse_status).transpose()?;
        let resource = input.resource_identifier.as_deref();
        let resource = resource.map(find::resource_arn).transpose()?;
        let now = self.now_millis();
        self.read(|state| {
            let is_wanted = |shift: &&Arc<ZonalShift>| {
                status.is_none_or(|status| shift.status_at(now) == status)
                    && resource.as_ref().is_none_or(|arn| shift.resource == *arn)
            };
            let shifts = state.zonal_shift.shifts.values();
            let mut wanted: Vec<_> = shifts.filter(is_wanted).collect();
            wanted.sort_unstable_by_key(|shift| position(shift));
            let described = wanted
                .into_iter()
                .map(|shift| ZonalShiftDescription::at(now, shift));
            let token = |(started, id): &(u64, ZonalShiftId)| format!("{started}.{id}");
            input.paging.page(
                "zonal shifts",
                described,
                |it| position(&it.shift),
                token,
                parse_token,
            )
        })
    }
}

fn position(shift: &ZonalShift) -> (u64, ZonalShiftId) {
    (shift.started_at_millis, shift.id)
}

fn parse_token(token: &str) -> Option<(u64, ZonalShiftId)> {
    let (started, id) = token.split_once('.')?;
    Some((started.parse().ok()?, id.parse().ok()?))
}

fn parse_status(text: &str) -> Result<ZonalShiftStatus, ZonalShiftError> {
    text.parse().map_err(|_| {
        let known: Vec<_> = ZonalShiftStatus::ALL.iter().map(|it| it.as_str()).collect();
        let message = format!("'{text}' is not a status; use one of {}.", known.join(", "));
        ZonalShiftError::validation(ValidationReason::InvalidStatus, message)
    })
}
