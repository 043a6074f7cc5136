//! From identifiers in requests to nouns, with the error of each kind.

use std::sync::Arc;

use model::arn::LoadBalancerArn;
use model::ec2::{Subnet, Zone};
use model::id::ZonalShiftId;
use model::load_balancer::LoadBalancer;
use model::load_balancer_attributes::ZONAL_SHIFT;
use model::zonal_shift::{ZonalShift, ZonalShiftStatus};

use super::{ConflictReason, ValidationReason, ZonalShiftError};
use crate::state::State;

/// Whether traffic of the load balancer may be shifted.
pub(super) fn is_managed(load_balancer: &LoadBalancer) -> bool {
    load_balancer.attributes.value(&ZONAL_SHIFT) == "true"
}

/// The ARN in a request.
pub(super) fn resource_arn(text: &str) -> Result<LoadBalancerArn, ZonalShiftError> {
    text.parse().map_err(|_| {
        let message = format!("'{text}' is not the ARN of a load balancer.");
        ZonalShiftError::validation(ValidationReason::InvalidResourceIdentifier, message)
    })
}

/// The managed resource with this ARN.
pub(super) fn managed_resource<'a>(
    state: &'a State,
    text: &str,
) -> Result<&'a Arc<LoadBalancer>, ZonalShiftError> {
    let arn = resource_arn(text)?;
    let found = state.elb.load_balancers.get(&arn.id);
    match found.filter(|found| found.arn == arn) {
        Some(found) if is_managed(found) => Ok(found),
        Some(_) => Err(ZonalShiftError::ResourceNotFound(format!(
            "The load balancer {arn} is not registered for zonal shifts; set its attribute {} to true.",
            ZONAL_SHIFT.key
        ))),
        None => Err(ZonalShiftError::ResourceNotFound(format!(
            "There is no load balancer {arn}."
        ))),
    }
}

/// The zones of a load balancer, in the order of their names.
pub(super) fn zones<'a>(
    state: &'a State,
    load_balancer: &'a LoadBalancer,
) -> impl Iterator<Item = &'a Zone> {
    load_balancer.zones.iter().map(|zone| {
        let subnet = state.find::<Subnet>(&zone.subnet_id);
        &subnet.expect("a subnet in use cannot be deleted").zone
    })
}

/// The shift with this id.
pub(super) fn zonal_shift(state: &State, text: &str) -> Result<Arc<ZonalShift>, ZonalShiftError> {
    let id: Option<ZonalShiftId> = text.parse().ok();
    let found = id.and_then(|id| state.find::<ZonalShift>(&id));
    let not_found =
        || ZonalShiftError::ResourceNotFound(format!("There is no zonal shift {text}."));
    found.cloned().ok_or_else(not_found)
}

/// The shift with this id if it has not ended.
pub(super) fn active_zonal_shift(
    state: &State,
    text: &str,
    now_millis: u64,
) -> Result<Arc<ZonalShift>, ZonalShiftError> {
    let shift = zonal_shift(state, text)?;
    match shift.status_at(now_millis) {
        ZonalShiftStatus::Active => Ok(shift),
        status @ (ZonalShiftStatus::Expired | ZonalShiftStatus::Canceled) => {
            Err(ZonalShiftError::Conflict {
                reason: ConflictReason::ZonalShiftStatusNotActive,
                message: format!(
                    "The zonal shift {text} has the status {status}; start another one."
                ),
                zonal_shift_id: shift.id,
            })
        }
    }
}
