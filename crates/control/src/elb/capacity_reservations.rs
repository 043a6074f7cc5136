//! `DescribeCapacityReservation`, `ModifyCapacityReservation` and `ModifyIpPools`: nothing is ever reserved, for
//! the machine is all the capacity there is, and no address comes from a pool.

use super::{ElbError, find};
use crate::Control;

/// Source: ELB API, `DescribeCapacityReservation`.
#[derive(Clone, Debug, Default)]
pub struct DescribeCapacityReservation {
    /// `LoadBalancerArn`.
    pub load_balancer_arn: String,
}

/// Source: ELB API, `ModifyCapacityReservation`.
#[derive(Clone, Debug, Default)]
pub struct ModifyCapacityReservation {
    /// `LoadBalancerArn`.
    pub load_balancer_arn: String,
    /// `MinimumLoadBalancerCapacity.CapacityUnits`; `Some(None)`: the structure without it.
    pub capacity_units: Option<Option<i32>>,
    /// `ResetCapacityReservation`.
    pub is_reset: bool,
}

/// Source: ELB API, `ModifyIpPools`.
#[derive(Clone, Debug, Default)]
pub struct ModifyIpPools {
    /// `LoadBalancerArn`.
    pub load_balancer_arn: String,
    /// `IpamPools.Ipv4IpamPoolId`; `Some(None)`: the structure without it.
    pub ipv4_ipam_pool_id: Option<Option<String>>,
    /// How many `RemoveIpamPools` has.
    pub removed_count: usize,
}

impl Control {
    /// Finds that nothing is reserved.
    ///
    /// # Errors
    /// `LoadBalancerNotFound`, `Validation`.
    pub async fn describe_capacity_reservation(
        &self,
        input: DescribeCapacityReservation,
    ) -> Result<(), ElbError> {
        self.check_load_balancer(&input.load_balancer_arn)
    }

    /// Resets what is not reserved.
    ///
    /// # Errors
    /// `InvalidConfigurationRequest` if capacity is to be reserved, `LoadBalancerNotFound`, `Validation`.
    pub async fn modify_capacity_reservation(
        &self,
        input: ModifyCapacityReservation,
    ) -> Result<(), ElbError> {
        self.check_load_balancer(&input.load_balancer_arn)?;
        match (input.capacity_units, input.is_reset) {
            (None, true) => Ok(()),
            (Some(Some(units)), false) => Err(ElbError::InvalidConfigurationRequest(format!(
                "MinimumLoadBalancerCapacity is not supported by elbow: {units} capacity units cannot be set aside, \
                 for each load balancer has the whole machine"
            ))),
            _ => Err(ElbError::Validation(
                "Either a minimum load balancer capacity or the reset of the reservation must be specified"
                    .to_owned(),
            )),
        }
    }

    /// Removes pools that no load balancer has.
    ///
    /// # Errors
    /// `LoadBalancerNotFound`, `Validation`, also if addresses are to come from a pool.
    pub async fn modify_ip_pools(&self, input: ModifyIpPools) -> Result<(), ElbError> {
        self.check_load_balancer(&input.load_balancer_arn)?;
        match (input.ipv4_ipam_pool_id, input.removed_count) {
            (None, 1..) => Ok(()),
            (Some(Some(pool)), 0) => Err(ElbError::Validation(format!(
                "IpamPools is not supported by elbow: no address can come from the pool '{pool}'"
            ))),
            _ => Err(ElbError::Validation(
                "Either IPAM pools or IPAM pools to remove must be specified".to_owned(),
            )),
        }
    }

    fn check_load_balancer(&self, arn: &str) -> Result<(), ElbError> {
        self.read(|state| find::load_balancer(state, arn).map(|_| ()))
    }
}
