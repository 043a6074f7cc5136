//! Structures that several operations have in common.

use control::zonal_shift::managed_resources::ManagedResource;
use control::zonal_shift::{Page, Paging, ZonalShiftDescription};
use model::zonal_shift::ZonalShift;
use serde_json::{Map, Value, json};

use crate::input::shape::Text;
use crate::input::{Fields, INTEGER, TEXT};
use crate::json::timestamp;

/// Source: ARC zonal shift API, `ZonalShiftId`.
pub(super) const ZONAL_SHIFT_ID: Text = TEXT.between(6, 36);
/// Source: ARC zonal shift API, `ZonalShiftComment`.
pub(super) const COMMENT: Text = TEXT.at_most(128);

pub(super) fn read_paging(fields: &Fields<'_>) -> Paging {
    Paging {
        next_token: fields.optional("nextToken", TEXT),
        max_results: fields.optional("maxResults", INTEGER.within(1, 100)),
    }
}

/// `items` and `nextToken`.
pub(super) fn page<T>(page: &Page<T>, print: impl Fn(&T) -> Value) -> Value {
    let mut value = json!({ "items": page.items.iter().map(print).collect::<Vec<_>>() });
    if let Some(token) = &page.next_token {
        value["nextToken"] = json!(token);
    }
    value
}

/// `ZonalShift`.
pub(super) fn zonal_shift(described: &ZonalShiftDescription) -> Value {
    let mut value = facts(&described.shift);
    value["status"] = json!(described.status.as_str());
    value
}

/// `ZonalShiftSummary`.
pub(super) fn zonal_shift_summary(described: &ZonalShiftDescription) -> Value {
    let mut value = zonal_shift(described);
    value["shiftType"] = json!("ZONAL_SHIFT");
    value
}

/// `appliedWeights`, `arn`, `autoshifts`, `name`, `zonalAutoshiftStatus` and `zonalShifts`.
pub(super) fn managed_resource(resource: &ManagedResource) -> Value {
    let weights = resource.applied_weights();
    let weights: Map<_, _> = weights
        .map(|(zone, weight)| (zone.to_owned(), json!(weight)))
        .collect();
    let shifts: Vec<_> = resource
        .zonal_shift
        .iter()
        .map(|it| shift_in_resource(it))
        .collect();
    json!({
        "arn": resource.load_balancer.arn.to_string(),
        "name": resource.load_balancer.name(),
        "appliedWeights": weights,
        "zonalShifts": shifts,
        "autoshifts": [],
        "zonalAutoshiftStatus": "DISABLED",
    })
}

/// `ZonalShiftInResource`.
fn shift_in_resource(shift: &ZonalShift) -> Value {
    let mut value = facts(shift);
    value["appliedStatus"] = json!("APPLIED");
    value["shiftType"] = json!("ZONAL_SHIFT");
    value
}

fn facts(shift: &ZonalShift) -> Value {
    json!({
        "zonalShiftId": shift.id.to_string(),
        "resourceIdentifier": shift.resource.to_string(),
        "awayFrom": shift.away_from.id,
        "startTime": time(shift.started_at_millis),
        "expiryTime": time(shift.expires_at_millis),
        "comment": shift.comment,
    })
}

fn time(millis: u64) -> Value {
    timestamp(i64::try_from(millis).unwrap_or(i64::MAX))
}
