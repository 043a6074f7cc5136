//! `ListManagedResources` and `GetManagedResource`: the load balancers whose traffic may be shifted.

use std::sync::Arc;

use model::id::LoadBalancerId;
use model::load_balancer::LoadBalancer;
use model::zonal_shift::{ZonalShift, ZonalShiftStatus};

use super::{Page, Paging, ZonalShiftError, find};
use crate::{Control, State};

/// Source: ARC zonal shift API, `ListManagedResources`.
#[derive(Clone, Debug, Default)]
pub struct ListManagedResources {
    /// `nextToken` and `maxResults`.
    pub paging: Paging,
}

/// Source: ARC zonal shift API, `GetManagedResource`.
#[derive(Clone, Debug, Default)]
pub struct GetManagedResource {
    /// `resourceIdentifier`: the ARN of the load balancer.
    pub resource_identifier: String,
}

/// Source: ARC zonal shift API, `ManagedResourceSummary`.
#[derive(Clone, Debug)]
pub struct ManagedResource {
    /// `arn` and `name`.
    pub load_balancer: Arc<LoadBalancer>,
    /// `availabilityZones`: the ids of its zones, in the order of their names.
    pub zone_ids: Vec<String>,
    /// `zonalShifts`: that which is active.
    pub zonal_shift: Option<Arc<ZonalShift>>,
}

impl ManagedResource {
    fn of(state: &State, load_balancer: &Arc<LoadBalancer>, now_millis: u64) -> Self {
        let shift = state.zonal_shift.active_of(load_balancer.arn.id);
        let is_active =
            |shift: &&Arc<ZonalShift>| shift.status_at(now_millis) == ZonalShiftStatus::Active;
        let zones = find::zones(state, load_balancer);
        Self {
            zone_ids: zones.map(|zone| zone.id.clone()).collect(),
            zonal_shift: shift.filter(is_active).cloned(),
            load_balancer: Arc::clone(load_balancer),
        }
    }

    /// `appliedWeights`: each zone, with 0 if traffic is shifted away from it, else 1.
    pub fn applied_weights(&self) -> impl Iterator<Item = (&str, f64)> {
        let shifted = self.zonal_shift.as_ref().map(|shift| &*shift.away_from.id);
        let weight = move |zone: &str| if Some(zone) == shifted { 0.0 } else { 1.0 };
        self.zone_ids
            .iter()
            .map(move |zone| (&**zone, weight(zone)))
    }
}

impl Control {
    /// Lists the managed resources.
    ///
    /// # Errors
    /// `Validation`.
    pub async fn list_managed_resources(
        &self,
        input: ListManagedResources,
    ) -> Result<Page<ManagedResource>, ZonalShiftError> {
        let now = self.now_millis();
        self.read(|state| {
            let all = state.elb.load_balancers.values();
            let managed = all.filter(|it| find::is_managed(it));
            let described = managed.map(|it| ManagedResource::of(state, it, now));
            let key = |it: &ManagedResource| it.load_balancer.arn.id;
            let token = LoadBalancerId::to_string;
            input
                .paging
                .page("managed resources", described, key, token, |text| {
                    text.parse().ok()
                })
        })
    }

    /// Describes one managed resource.
    ///
    /// # Errors
    /// `Validation`, `ResourceNotFound`.
    pub async fn get_managed_resource(
        &self,
        input: GetManagedResource,
    ) -> Result<ManagedResource, ZonalShiftError> {
        let now = self.now_millis();
        self.read(|state| {
            let load_balancer = find::managed_resource(state, &input.resource_identifier)?;
            Ok(ManagedResource::of(state, load_balancer, now))
        })
    }
}
