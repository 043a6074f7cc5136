//! What the operations of ARC zonal shift mean: traffic of a load balancer leaves one of its zones for a while.
//!
//! Each operation has a file with its input, its answer and the method of `Control` that performs it, as in `elb`.
//! Managed resources are the load balancers whose attribute `zonal_shift.config.enabled` is `true`. What a shift
//! does to traffic follows from it when the state is lowered; `expiry` ends it in time.
//!
//! | operation | input | answer |
//! |---|---|---|
//! | start_zonal_shift | `StartZonalShift` | `ZonalShiftDescription` |
//! | update_zonal_shift | `UpdateZonalShift` | `ZonalShiftDescription` |
//! | cancel_zonal_shift | `CancelZonalShift` | `ZonalShiftDescription` |
//! | list_zonal_shifts | `ListZonalShifts` | `Page<ZonalShiftDescription>` |
//! | list_managed_resources | `ListManagedResources` | `Page<ManagedResource>` |
//! | get_managed_resource | `GetManagedResource` | `ManagedResource` |
//!
//! Every method is `async fn(&self, input) -> Result<answer, ZonalShiftError>`.

use std::sync::Arc;

use model::zonal_shift::{ZonalShift, ZonalShiftStatus};

pub mod cancel_zonal_shift;
pub mod error;
pub(crate) mod expiry;
mod find;
pub mod list_zonal_shifts;
pub mod managed_resources;
pub mod page;
pub mod start_zonal_shift;
pub mod state;
pub mod update_zonal_shift;

pub use error::{ConflictReason, ValidationReason, ZonalShiftError};
pub use page::{Page, Paging};
pub use state::ZonalShiftState;

/// A zonal shift as it is at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZonalShiftDescription {
    /// What was asked for.
    pub shift: Arc<ZonalShift>,
    /// Whether it keeps traffic away at that moment.
    pub status: ZonalShiftStatus,
}

impl ZonalShiftDescription {
    fn at(now_millis: u64, shift: &Arc<ZonalShift>) -> Self {
        Self {
            shift: Arc::clone(shift),
            status: shift.status_at(now_millis),
        }
    }
}
