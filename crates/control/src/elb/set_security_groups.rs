//! `SetSecurityGroups`: replaces the groups that decide who may connect.

use std::sync::Arc;

use model::load_balancer::LoadBalancer;

use super::create_load_balancer::security_groups;
use super::{ElbError, find};
use crate::{Control, Draft};

/// Source: ELB API, `SetSecurityGroups`.
#[derive(Clone, Debug, Default)]
pub struct SetSecurityGroups {
    /// `LoadBalancerArn`.
    pub load_balancer_arn: String,
    /// `SecurityGroups`.
    pub security_groups: Vec<String>,
    /// `EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic`.
    pub enforce_on_private_link_traffic: Option<String>,
}

impl Control {
    /// Replaces the security groups; the answer is the load balancer as it is now.
    ///
    /// # Errors
    /// `LoadBalancerNotFound`, `InvalidConfigurationRequest`, `InvalidSecurityGroup`, `Validation`.
    pub async fn set_security_groups(
        &self,
        input: SetSecurityGroups,
    ) -> Result<Arc<LoadBalancer>, ElbError> {
        self.transact(move |draft| set(draft, &input)).await
    }
}

fn set(draft: &mut Draft, input: &SetSecurityGroups) -> Result<Arc<LoadBalancer>, ElbError> {
    let present = Arc::clone(find::load_balancer(
        draft.state(),
        &input.load_balancer_arn,
    )?);
    if input.enforce_on_private_link_traffic.is_some() {
        return Err(ElbError::InvalidConfigurationRequest(
            "'EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic' is not supported on load balancers \
             with type 'application'"
                .to_owned(),
        ));
    }
    if input.security_groups.is_empty() {
        let message = "At least one security group must be specified";
        return Err(ElbError::Validation(message.to_owned()));
    }
    let groups = security_groups(draft, &input.security_groups, &present.vpc_id)?;
    if groups == present.security_groups {
        return Ok(present);
    }
    Ok(draft.put(LoadBalancer {
        security_groups: groups,
        ..LoadBalancer::clone(&present)
    }))
}
