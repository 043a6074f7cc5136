//! `SetIpAddressType`: gives a load balancer addresses of IPv6 in its zones, or takes them away.

use std::sync::Arc;

use model::load_balancer::LoadBalancer;
use model::protocol::IpAddressType;

use super::{ElbError, find, set_subnets};
use crate::{Control, Draft};

/// Source: ELB API, `SetIpAddressType`.
#[derive(Clone, Debug)]
pub struct SetIpAddressType {
    /// `LoadBalancerArn`.
    pub load_balancer_arn: String,
    /// `IpAddressType`.
    pub ip_address_type: IpAddressType,
}

impl Control {
    /// Changes the families of the addresses; the answer is the load balancer as it is now.
    ///
    /// # Errors
    /// `LoadBalancerNotFound`, `InvalidConfigurationRequest`, `Validation`.
    pub async fn set_ip_address_type(
        &self,
        input: SetIpAddressType,
    ) -> Result<Arc<LoadBalancer>, ElbError> {
        self.transact(move |draft| set(draft, &input)).await
    }
}

fn set(draft: &mut Draft, input: &SetIpAddressType) -> Result<Arc<LoadBalancer>, ElbError> {
    let present = find::load_balancer(draft.state(), &input.load_balancer_arn)?;
    let present = Arc::clone(present);
    let zones = present.zones.iter();
    let subnet_ids: Vec<String> = zones.map(|zone| zone.subnet_id.to_string()).collect();
    set_subnets::change(draft, present, &subnet_ids, input.ip_address_type)
}
