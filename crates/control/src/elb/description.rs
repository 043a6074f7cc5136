//! What answers hold beyond the stored nouns.

use std::sync::Arc;

use model::arn::{LoadBalancerArn, ResourceArn};
use model::load_balancer::LoadBalancer;
use model::tag::Tags;
use model::target_group::TargetGroup;
use model::text_enum;

/// Every attribute of a resource with its present value.
pub type AttributeList = Vec<(&'static str, String)>;

/// A load balancer as it is described.
#[derive(Clone, Debug)]
pub struct LoadBalancerDescription {
    /// The load balancer.
    pub load_balancer: Arc<LoadBalancer>,
    /// `State.Code`.
    pub state: LoadBalancerStateCode,
    /// `CanonicalHostedZoneId`.
    pub canonical_hosted_zone_id: &'static str,
}

text_enum! {
    /// Source: ELB API, `LoadBalancerStateEnum`.
    pub enum LoadBalancerStateCode {
        /// Just created.
        Provisioning = "provisioning",
        /// Its listeners listen.
        Active = "active",
    }
}

/// A target group as it is described.
#[derive(Clone, Debug)]
pub struct TargetGroupDescription {
    /// The target group.
    pub target_group: Arc<TargetGroup>,
    /// `LoadBalancerArns`: the load balancer that forwards to it, if there is one.
    pub load_balancer_arns: Vec<LoadBalancerArn>,
}

/// The tags of one resource.
#[derive(Clone, Debug)]
pub struct TagDescription {
    /// `ResourceArn`.
    pub resource_arn: ResourceArn,
    /// `Tags`.
    pub tags: Tags,
}

/// A limit of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// `Name`.
    pub name: &'static str,
    /// `Max`.
    pub max: usize,
}
