//! `SetSubnets`: changes the zones of a load balancer; zones that stay keep their addresses.

use std::sync::Arc;

use model::load_balancer::LoadBalancer;
use model::protocol::IpAddressType;

use super::create_load_balancer::refuse_source_nat;
use super::input::SubnetMapping;
use super::{ElbError, find, forwarding, zones};
use crate::{Control, Draft};

/// Source: ELB API, `SetSubnets`.
#[derive(Clone, Debug, Default)]
pub struct SetSubnets {
    /// `LoadBalancerArn`.
    pub load_balancer_arn: String,
    /// `Subnets`.
    pub subnets: Vec<String>,
    /// `SubnetMappings`.
    pub subnet_mappings: Vec<SubnetMapping>,
    /// `IpAddressType`.
    pub ip_address_type: Option<IpAddressType>,
    /// `EnablePrefixForIpv6SourceNat`.
    pub enable_prefix_for_ipv6_source_nat: Option<String>,
}

impl Control {
    /// Replaces the enabled zones; the answer is the load balancer as it is now.
    ///
    /// # Errors
    /// `LoadBalancerNotFound`, `InvalidConfigurationRequest`, `InvalidSubnet`, `SubnetNotFound`,
    /// `Validation`.
    pub async fn set_subnets(&self, input: SetSubnets) -> Result<Arc<LoadBalancer>, ElbError> {
        self.transact(move |draft| set(draft, input)).await
    }
}

fn set(draft: &mut Draft, input: SetSubnets) -> Result<Arc<LoadBalancer>, ElbError> {
    let present = Arc::clone(find::load_balancer(
        draft.state(),
        &input.load_balancer_arn,
    )?);
    refuse_source_nat(input.enable_prefix_for_ipv6_source_nat.as_deref())?;
    let ids = zones::subnet_ids(input.subnets, input.subnet_mappings)?;
    let ip_address_type = input.ip_address_type.unwrap_or(present.ip_address_type);
    change(draft, present, &ids, ip_address_type)
}

/// Puts a load balancer into these subnets, with addresses of this type.
pub(super) fn change(
    draft: &mut Draft,
    present: Arc<LoadBalancer>,
    subnet_ids: &[String],
    ip_address_type: IpAddressType,
) -> Result<Arc<LoadBalancer>, ElbError> {
    zones::check_scheme(present.scheme, ip_address_type)?;
    let (vpc_id, zones) = zones::zones(draft.state(), subnet_ids, ip_address_type, &present.zones)?;
    if vpc_id != present.vpc_id {
        return Err(ElbError::InvalidConfigurationRequest(format!(
            "The subnets must belong to the VPC of the load balancer, '{}'",
            present.vpc_id
        )));
    }
    if zones == present.zones && ip_address_type == present.ip_address_type {
        return Ok(present);
    }
    let changed = draft.put(LoadBalancer {
        zones,
        ip_address_type,
        ..LoadBalancer::clone(&present)
    });
    forwarding::check_address_type(draft.state(), &changed)?;
    Ok(changed)
}
