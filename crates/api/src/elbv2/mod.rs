//! Elastic Load Balancing, version 2015-12-01.
//!
//! An operation is a file with two functions, `read` and `call`, and one line in [`OPERATIONS`]. ARNs of other
//! accounts are refused for all of them in one place.

use crate::operation::{Operations, operations};
use crate::service::Service;
use crate::xml::Xml;

mod add_listener_certificates;
mod add_tags;
mod add_trust_store_revocations;
mod create_listener;
mod create_load_balancer;
mod create_rule;
mod create_target_group;
mod create_trust_store;
mod delete_listener;
mod delete_load_balancer;
mod delete_rule;
mod delete_shared_trust_store_association;
mod delete_target_group;
mod delete_trust_store;
mod deregister_targets;
mod describe_account_limits;
mod describe_capacity_reservation;
mod describe_listener_attributes;
mod describe_listener_certificates;
mod describe_listeners;
mod describe_load_balancer_attributes;
mod describe_load_balancers;
mod describe_rules;
mod describe_ssl_policies;
mod describe_tags;
mod describe_target_group_attributes;
mod describe_target_groups;
mod describe_target_health;
mod describe_trust_store_associations;
mod describe_trust_store_revocations;
mod describe_trust_stores;
pub(crate) mod downloads;
mod error;
mod foreign;
mod get_resource_policy;
mod get_trust_store_ca_certificates_bundle;
mod get_trust_store_revocation_content;
mod modify_capacity_reservation;
mod modify_ip_pools;
mod modify_listener;
mod modify_listener_attributes;
mod modify_load_balancer_attributes;
mod modify_rule;
mod modify_target_group;
mod modify_target_group_attributes;
mod modify_trust_store;
mod register_targets;
mod remove_listener_certificates;
mod remove_tags;
mod remove_trust_store_revocations;
mod set_ip_address_type;
mod set_rule_priorities;
mod set_security_groups;
mod set_subnets;
mod shapes;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod unreachable;

/// Every operation of the service.
pub(crate) const OPERATIONS: Operations<Xml> = Operations {
    service: Service::ElasticLoadBalancing,
    served: operations! {
        check: foreign::check;
        "AddListenerCertificates" => add_listener_certificates,
        "AddTags" => add_tags,
        "AddTrustStoreRevocations" => add_trust_store_revocations,
        "CreateListener" => create_listener,
        "CreateLoadBalancer" => create_load_balancer,
        "CreateRule" => create_rule,
        "CreateTargetGroup" => create_target_group,
        "CreateTrustStore" => create_trust_store,
        "DeleteListener" => delete_listener,
        "DeleteLoadBalancer" => delete_load_balancer,
        "DeleteRule" => delete_rule,
        "DeleteSharedTrustStoreAssociation" => delete_shared_trust_store_association,
        "DeleteTargetGroup" => delete_target_group,
        "DeleteTrustStore" => delete_trust_store,
        "DeregisterTargets" => deregister_targets,
        "DescribeAccountLimits" => describe_account_limits,
        "DescribeCapacityReservation" => describe_capacity_reservation,
        "DescribeListenerAttributes" => describe_listener_attributes,
        "DescribeListenerCertificates" => describe_listener_certificates,
        "DescribeListeners" => describe_listeners,
        "DescribeLoadBalancerAttributes" => describe_load_balancer_attributes,
        "DescribeLoadBalancers" => describe_load_balancers,
        "DescribeRules" => describe_rules,
        "DescribeSSLPolicies" => describe_ssl_policies,
        "DescribeTags" => describe_tags,
        "DescribeTargetGroupAttributes" => describe_target_group_attributes,
        "DescribeTargetGroups" => describe_target_groups,
        "DescribeTargetHealth" => describe_target_health,
        "DescribeTrustStoreAssociations" => describe_trust_store_associations,
        "DescribeTrustStoreRevocations" => describe_trust_store_revocations,
        "DescribeTrustStores" => describe_trust_stores,
        "GetResourcePolicy" => get_resource_policy,
        "GetTrustStoreCaCertificatesBundle" => get_trust_store_ca_certificates_bundle,
        "GetTrustStoreRevocationContent" => get_trust_store_revocation_content,
        "ModifyCapacityReservation" => modify_capacity_reservation,
        "ModifyIpPools" => modify_ip_pools,
        "ModifyListener" => modify_listener,
        "ModifyListenerAttributes" => modify_listener_attributes,
        "ModifyLoadBalancerAttributes" => modify_load_balancer_attributes,
        "ModifyRule" => modify_rule,
        "ModifyTargetGroup" => modify_target_group,
        "ModifyTargetGroupAttributes" => modify_target_group_attributes,
        "ModifyTrustStore" => modify_trust_store,
        "RegisterTargets" => register_targets,
        "RemoveListenerCertificates" => remove_listener_certificates,
        "RemoveTags" => remove_tags,
        "RemoveTrustStoreRevocations" => remove_trust_store_revocations,
        "SetIpAddressType" => set_ip_address_type,
        "SetRulePriorities" => set_rule_priorities,
        "SetSecurityGroups" => set_security_groups,
        "SetSubnets" => set_subnets,
    },
    reads: &[
        "DescribeAccountLimits",
        "DescribeCapacityReservation",
        "DescribeListenerAttributes",
        "DescribeListenerCertificates",
        "DescribeListeners",
        "DescribeLoadBalancerAttributes",
        "DescribeLoadBalancers",
        "DescribeRules",
        "DescribeSSLPolicies",
        "DescribeTags",
        "DescribeTargetGroupAttributes",
        "DescribeTargetGroups",
        "DescribeTargetHealth",
        "DescribeTrustStoreAssociations",
        "DescribeTrustStoreRevocations",
        "DescribeTrustStores",
        "GetResourcePolicy",
        "GetTrustStoreCaCertificatesBundle",
        "GetTrustStoreRevocationContent",
    ],
    refused: &[],
};
