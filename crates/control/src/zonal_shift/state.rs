//! The stored zonal shifts in memory, and how they end.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::id::{LoadBalancerId, ZonalShiftId};
use model::zonal_shift::{ZonalShift, ZonalShiftStatus};

use crate::record::{Table, record};
use crate::state::Draft;

/// The name of the zone that traffic of load balancers is shifted away from.
pub(crate) type ShiftedZones<'a> = BTreeMap<LoadBalancerId, &'a str>;

/// Zonal shifts.
#[derive(Clone, Debug, Default)]
pub struct ZonalShiftState {
    /// By id; those that have ended too.
    pub shifts: Table<ZonalShiftId, ZonalShift>,
}

record!(ZonalShift, ZonalShiftId, "arc-zonal-shift/zonal-shift", zonal_shift.shifts, it => it.id);

impl ZonalShiftState {
    /// The shifts whose end is not stored: at most one of a load balancer.
    pub fn active(&self) -> impl Iterator<Item = &Arc<ZonalShift>> {
        let shifts = self.shifts.values();
        shifts.filter(|shift| shift.status == ZonalShiftStatus::Active)
    }

    /// The name of the zone that traffic of each load balancer is shifted away from.
    pub(crate) fn shifted_zones(&self) -> ShiftedZones<'_> {
        let mut zones = BTreeMap::new();
        for shift in self.active() {
            zones.insert(shift.resource.id, &*shift.away_from.name);
        }
        zones
    }

    /// The one of `active` that is of this load balancer.
    #[must_use]
    pub fn active_of(&self, load_balancer: LoadBalancerId) -> Option<&Arc<ZonalShift>> {
        let mut active = self.active();
        active.find(|shift| shift.resource.id == load_balancer)
    }
}

/// Ends a shift: traffic returns.
pub(crate) fn end(
    draft: &mut Draft,
    shift: &ZonalShift,
    status: ZonalShiftStatus,
) -> Arc<ZonalShift> {
    draft.put(ZonalShift {
        status,
        ..shift.clone()
    })
}

/// Ends the shift of a load balancer that ceases to be a managed resource, if there is one.
pub(crate) fn release(draft: &mut Draft, load_balancer: LoadBalancerId) {
    let active = draft.state().zonal_shift.active_of(load_balancer).cloned();
    if let Some(shift) = active {
        end(draft, &shift, ZonalShiftStatus::Canceled);
    }
}
