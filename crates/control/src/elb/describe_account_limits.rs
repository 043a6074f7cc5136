//! `DescribeAccountLimits`: how many there may be of each thing.

use super::page::{Page, Paging};
use super::{ElbError, Limit};
use crate::Control;
use crate::settings::Limits;

/// Source: ELB API, `DescribeAccountLimits`.
#[derive(Clone, Debug, Default)]
pub struct DescribeAccountLimits {
    /// `Marker` and `PageSize`.
    pub paging: Paging,
}

impl Control {
    /// Describes the limits, by name.
    ///
    /// # Errors
    /// `Validation` for a page that does not exist.
    pub async fn describe_account_limits(
        &self,
        input: DescribeAccountLimits,
    ) -> Result<Page<Limit>, ElbError> {
        let limits = all(&self.settings().limits);
        let name = |limit: &Limit| limit.name.to_owned();
        input.paging.page("account-limits", limits, name, |marker| {
            Some(marker.to_owned())
        })
    }
}

/// The limits that AWS lists, sorted by name. Those of what elbow does not have yet are AWS's defaults.
fn all(limits: &Limits) -> Vec<Limit> {
    let limit = |name, max| Limit { name, max };
    vec![
        limit("application-load-balancers", limits.load_balancers),
        limit(
            "certificates-per-application-load-balancer",
            limits.certificates_per_load_balancer,
        ),
        limit("certificates-per-network-load-balancer", 25),
        limit(
            "condition-values-per-alb-rule",
            limits.condition_values_per_rule,
        ),
        limit(
            "condition-wildcards-per-alb-rule",
            limits.condition_wildcards_per_rule,
        ),
        limit("gateway-load-balancers", 100),
        limit("gateway-load-balancers-per-vpc", 100),
        limit("geneve-target-groups", 100),
        limit(
            "listeners-per-application-load-balancer",
            limits.listeners_per_load_balancer,
        ),
        limit("listeners-per-network-load-balancer", 50),
        limit("network-load-balancer-enis-per-vpc", 1200),
        limit("network-load-balancers", 50),
        limit(
            "rules-per-application-load-balancer",
            limits.rules_per_load_balancer,
        ),
        limit("target-groups", limits.target_groups),
        limit(
            "target-groups-per-action-on-application-load-balancer",
            limits.target_groups_per_action,
        ),
        limit("target-groups-per-action-on-network-load-balancer", 1),
        limit(
            "target-groups-per-application-load-balancer",
            limits.target_groups_per_load_balancer,
        ),
        limit(
            "target-id-registrations-per-application-load-balancer",
            limits.registrations_per_target_id,
        ),
        limit(
            "targets-per-application-load-balancer",
            limits.targets_per_load_balancer,
        ),
        limit(
            "targets-per-availability-zone-per-gateway-load-balancer",
            300,
        ),
        limit(
            "targets-per-availability-zone-per-network-load-balancer",
            500,
        ),
        limit("targets-per-network-load-balancer", 3000),
        limit("targets-per-target-group", limits.targets_per_target_group),
    ]
}
