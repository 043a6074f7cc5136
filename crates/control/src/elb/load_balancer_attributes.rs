//! `DescribeLoadBalancerAttributes` and `ModifyLoadBalancerAttributes`.

use model::attributes::{Attribute, Attributes};
use model::load_balancer::{LoadBalancer, Scheme};
use model::load_balancer_attributes::{
    APPLICATION, IPV6_DENY_ALL_IGW_TRAFFIC, OTHER_TYPES, ZONAL_SHIFT,
};

use super::attributes::{LOAD_BALANCER, Table, change};
use super::input::Pairs;
use super::{AttributeList, ElbError, check, find};
use crate::{Control, zonal_shift};

const TABLE: Table = Table {
    resource: LOAD_BALANCER,
    attributes: APPLICATION,
    extensions: &[],
    other_types: OTHER_TYPES,
    type_text: "on load balancers with type 'application'",
};

/// Most attributes in one request.
const CHANGES_MAX: usize = 20;

/// Source: ELB API, `DescribeLoadBalancerAttributes`.
#[derive(Clone, Debug, Default)]
pub struct DescribeLoadBalancerAttributes {
    /// `LoadBalancerArn`.
    pub load_balancer_arn: String,
}

/// Source: ELB API, `ModifyLoadBalancerAttributes`.
#[derive(Clone, Debug, Default)]
pub struct ModifyLoadBalancerAttributes {
    /// `LoadBalancerArn`.
    pub load_balancer_arn: String,
    /// `Attributes`.
    pub attributes: Pairs,
}

impl Control {
    /// Every attribute of a load balancer.
    ///
    /// # Errors
    /// `LoadBalancerNotFound`, `Validation`.
    pub async fn describe_load_balancer_attributes(
        &self,
        input: DescribeLoadBalancerAttributes,
    ) -> Result<AttributeList, ElbError> {
        self.read(|state| {
            Ok(describe(find::load_balancer(
                state,
                &input.load_balancer_arn,
            )?))
        })
    }

    /// Changes all of the attributes, or none; the answer has every attribute.
    ///
    /// # Errors
    /// `LoadBalancerNotFound`, `InvalidConfigurationRequest`, `Validation`.
    pub async fn modify_load_balancer_attributes(
        &self,
        input: ModifyLoadBalancerAttributes,
    ) -> Result<AttributeList, ElbError> {
        self.transact(move |draft| {
            let load_balancer = find::load_balancer(draft.state(), &input.load_balancer_arn)?;
            let mut load_balancer = LoadBalancer::clone(load_balancer);
            if input.attributes.len() > CHANGES_MAX {
                let constraint = format!("have length less than or equal to {CHANGES_MAX}");
                let count = input.attributes.len().to_string();
                return Err(check::violation("attributes", &count, &constraint));
            }
            let scheme = load_balancer.scheme;
            let present = &load_balancer.attributes;
            let changed = change(&TABLE, present, &input.attributes, |it| adapt(it, scheme))?;
            if changed != load_balancer.attributes {
                load_balancer.attributes = changed;
                if load_balancer.attributes.value(&ZONAL_SHIFT) != "true" {
                    zonal_shift::state::release(draft, load_balancer.arn.id);
                }
                load_balancer = LoadBalancer::clone(&draft.put(load_balancer));
            }
            Ok(describe(&load_balancer))
        })
        .await
    }
}

fn describe(load_balancer: &LoadBalancer) -> AttributeList {
    let attributes: &Attributes = &load_balancer.attributes;
    let described = |attribute: &Attribute| {
        let adapted = adapt(attribute, load_balancer.scheme);
        (adapted.key, attributes.value(&adapted).to_owned())
    };
    APPLICATION.iter().map(described).collect()
}

/// The attribute with the default it has for this scheme.
fn adapt(attribute: &Attribute, scheme: Scheme) -> Attribute {
    match (attribute.key, scheme) {
        (IPV6_DENY_ALL_IGW_TRAFFIC, Scheme::Internal) => Attribute {
            default: "true",
            ..*attribute
        },
        _ => *attribute,
    }
}
