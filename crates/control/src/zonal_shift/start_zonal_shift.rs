//! `StartZonalShift`: traffic leaves a zone of a load balancer until the shift expires or is canceled.

use std::sync::Arc;

use model::ec2::Zone;
use model::id::ZonalShiftId;
use model::load_balancer::LoadBalancer;
use model::zonal_shift::{ExpiresIn, ZonalShift, ZonalShiftStatus};

use super::state::end;
use super::{ConflictReason, ValidationReason, ZonalShiftDescription, ZonalShiftError, find};
use crate::{Control, Draft};

/// Source: ARC zonal shift API, `StartZonalShift`.
#[derive(Clone, Debug, Default)]
pub struct StartZonalShift {
    /// `resourceIdentifier`: the ARN of the load balancer.
    pub resource_identifier: String,
    /// `awayFrom`: the id of a zone, such as `use1-az1`.
    pub away_from: String,
    /// `expiresIn`, such as `20h`.
    pub expires_in: String,
    /// `comment`.
    pub comment: String,
}

/// Most shifts that have ended and are remembered; beyond it the one that was started first is forgotten.
const ENDED_SHIFTS_MAX: usize = 1000;

impl Control {
    /// Starts a zonal shift. When this returns, no request goes to the targets in the zone, unless those in the
    /// other zones are not well enough.
    ///
    /// # Errors
    /// `Validation`, `Conflict` while another shift of the load balancer is active, `ResourceNotFound`.
    pub async fn start_zonal_shift(
        &self,
        input: StartZonalShift,
    ) -> Result<ZonalShiftDescription, ZonalShiftError> {
        self.transact(move |draft| {
            let shift = start(draft, input)?;
            Ok(ZonalShiftDescription::at(draft.now_millis(), &shift))
        })
        .await
    }
}

fn start(draft: &mut Draft, input: StartZonalShift) -> Result<Arc<ZonalShift>, ZonalShiftError> {
    let load_balancer = find::managed_resource(draft.state(), &input.resource_identifier)?;
    let resource = load_balancer.arn.clone();
    let away_from = zone(draft, load_balancer, &input.away_from)?.clone();
    let expires_in = parse_expires_in(&input.expires_in)?;
    let now = draft.now_millis();
    if let Some(present) = draft.state().zonal_shift.active_of(resource.id).cloned() {
        if present.status_at(now) == ZonalShiftStatus::Active {
            return Err(ZonalShiftError::Conflict {
                reason: ConflictReason::ZonalShiftAlreadyExists,
                message: format!(
                    "The zonal shift {} moves traffic of {resource} away from {} already; update it or cancel it.",
                    present.id, present.away_from.id
                ),
                zonal_shift_id: present.id,
            });
        }
        end(draft, &present, ZonalShiftStatus::Expired);
    }
    forget_oldest(draft);
    Ok(draft.put(ZonalShift {
        id: new_id(draft),
        resource,
        away_from,
        started_at_millis: now,
        expires_at_millis: expires_at(now, expires_in),
        status: ZonalShiftStatus::Active,
        comment: input.comment,
    }))
}

/// The zone of the load balancer with this id.
fn zone<'a>(
    draft: &'a Draft,
    load_balancer: &'a LoadBalancer,
    id: &str,
) -> Result<&'a Zone, ZonalShiftError> {
    let mut zones = find::zones(draft.state(), load_balancer);
    if let Some(zone) = zones.find(|zone| zone.id == id) {
        return Ok(zone);
    }
    let settings = draft.settings();
    let of_region: Vec<Zone> = settings
        .topology
        .ec2_zones(&settings.place.region)
        .collect();
    let (reason, message) = if of_region.iter().any(|zone| zone.id == id) {
        let message = format!("{} is not in the zone {id}.", load_balancer.arn);
        (ValidationReason::UnsupportedAz, message)
    } else {
        let ids: Vec<_> = of_region.iter().map(|zone| zone.id.as_str()).collect();
        let message = format!(
            "'{id}' is not the id of a zone; the zones are {}.",
            ids.join(", ")
        );
        (ValidationReason::InvalidAz, message)
    };
    Err(ZonalShiftError::validation(reason, message))
}

/// What `expiresIn` says.
pub(super) fn parse_expires_in(text: &str) -> Result<ExpiresIn, ZonalShiftError> {
    text.parse()
        .map_err(|error: model::zonal_shift::InvalidExpiresIn| {
            ZonalShiftError::validation(ValidationReason::InvalidExpiresIn, error.to_string())
        })
}

/// When a shift ends that lasts so long from `now_millis` on.
pub(super) fn expires_at(now_millis: u64, expires_in: ExpiresIn) -> u64 {
    now_millis + expires_in.duration().as_secs() * 1000
}

fn forget_oldest(draft: &mut Draft) {
    let shifts = draft.state().zonal_shift.shifts.values();
    let mut ended: Vec<_> = shifts
        .filter(|shift| shift.status != ZonalShiftStatus::Active)
        .map(|shift| (shift.started_at_millis, shift.id))
        .collect();
    ended.sort_unstable();
    let surplus = ended.len().saturating_sub(ENDED_SHIFTS_MAX);
    for (_, id) in &ended[..surplus] {
        draft.remove::<ZonalShift>(id);
    }
}

fn new_id(draft: &Draft) -> ZonalShiftId {
    loop {
        let id = ZonalShiftId::from_random(draft.draw(), draft.draw());
        if draft.state().find::<ZonalShift>(&id).is_none() {
            return id;
        }
    }
}
