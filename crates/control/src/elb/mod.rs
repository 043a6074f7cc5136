//! What the operations of Elastic Load Balancing (version 2) mean, for Application Load Balancers.
//!
//! Each operation has a file with its input, its answer and the method of `Control` that performs it; the
//! structures that several inputs share are in `input`. `api` sees to it that required members are there,
//! that numbers are numbers and that enums have one of their values. Everything else is checked here.
//!
//! | operation | input | answer |
//! |---|---|---|
//! | create_load_balancer | `CreateLoadBalancer` | `LoadBalancerDescription` |
//! | describe_load_balancers | `DescribeLoadBalancers` | `Page<LoadBalancerDescription>` |
//! | delete_load_balancer | `DeleteLoadBalancer` | `()` |
//! | describe/modify_load_balancer_attributes | `…LoadBalancerAttributes` | `AttributeList` |
//! | set_subnets | `SetSubnets` | `Arc<LoadBalancer>` |
//! | set_ip_address_type | `SetIpAddressType` | `Arc<LoadBalancer>` |
//! | set_security_groups | `SetSecurityGroups` | `Arc<LoadBalancer>` |
//! | create_listener, modify_listener | `CreateListener`, `ModifyListener` | `Arc<Listener>` |
//! | describe_listeners | `DescribeListeners` | `Page<Arc<Listener>>` |
//! | add_listener_certificates | `AddListenerCertificates` | `Vec<CertificateArn>` |
//! | describe_listener_certificates | `DescribeListenerCertificates` | `Page<ListenerCertificate>` |
//! | remove_listener_certificates | `RemoveListenerCertificates` | `()` |
//! | describe_ssl_policies | `DescribeSslPolicies` | `Page<&'static SslPolicy>` |
//! | delete_listener | `DeleteListener` | `()` |
//! | describe/modify_listener_attributes | `…ListenerAttributes` | `AttributeList` |
//! | create_rule, modify_rule | `CreateRule`, `ModifyRule` | `Arc<Rule>` |
//! | describe_rules | `DescribeRules` | `Page<Arc<Rule>>`, the default rule last |
//! | delete_rule | `DeleteRule` | `()` |
//! | set_rule_priorities | `SetRulePriorities` | `Vec<Arc<Rule>>` |
//! | create_target_group, modify_target_group | `CreateTargetGroup`, `ModifyTargetGroup` | `TargetGroupDescription` |
//! | describe_target_groups | `DescribeTargetGroups` | `Page<TargetGroupDescription>` |
//! | delete_target_group | `DeleteTargetGroup` | `()` |
//! | describe/modify_target_group_attributes | `…TargetGroupAttributes` | `AttributeList` |
//! | register_targets, deregister_targets | `RegisterTargets`, `DeregisterTargets` | `()` |
//! | describe_target_health | `DescribeTargetHealth` | `Vec<TargetHealthDescription>` |
//! | create_trust_store, modify_trust_store | `CreateTrustStore`, `ModifyTrustStore` | `TrustStoreDescription` |
//! | describe_trust_stores | `DescribeTrustStores` | `Page<TrustStoreDescription>` |
//! | delete_trust_store | `DeleteTrustStore` | `()` |
//! | describe_trust_store_associations | `DescribeTrustStoreAssociations` | `Page<ListenerArn>` |
//! | add_trust_store_revocations | `AddTrustStoreRevocations` | `Vec<RevocationDescription>` |
//! | describe_trust_store_revocations | `DescribeTrustStoreRevocations` | `Page<RevocationDescription>` |
//! | remove_trust_store_revocations | `RemoveTrustStoreRevocations` | `()` |
//! | get_trust_store_ca_certificates_bundle | `GetTrustStoreCaCertificatesBundle` | `DownloadLeave` |
//! | get_trust_store_revocation_content | `GetTrustStoreRevocationContent` | `DownloadLeave` |
//! | delete_shared_trust_store_association, get_resource_policy | of the same names | `()`, never |
//! | describe/modify_capacity_reservation, modify_ip_pools | of the same names | `()` |
//! | add_tags, remove_tags | `AddTags`, `RemoveTags` | `()` |
//! | describe_tags | `DescribeTags` | `Vec<TagDescription>` |
//! | describe_account_limits | `DescribeAccountLimits` | `Page<Limit>` |
//!
//! Every method is `async fn(&self, input) -> Result<answer, ElbError>`.

mod actions;
mod attributes;
pub(crate) mod authentication;
pub mod capacity_reservations;
mod check;
mod conditions;
pub mod create_listener;
pub mod create_load_balancer;
pub mod create_rule;
pub mod create_target_group;
pub mod delete_listener;
pub mod delete_load_balancer;
pub mod delete_rule;
pub mod delete_target_group;
pub mod deregister_targets;
pub mod describe_account_limits;
pub mod describe_listeners;
pub mod describe_load_balancers;
pub mod describe_rules;
pub mod describe_ssl_policies;
pub mod describe_target_groups;
pub mod describe_target_health;
pub mod description;
pub mod dropped_connections;
pub mod error;
mod find;
mod forwarding;
mod health_check;
mod hosted_zones;
pub mod input;
pub mod listener_attributes;
pub mod listener_certificates;
mod listener_tls;
pub mod load_balancer_attributes;
pub(crate) mod mirroring;
pub mod modify_listener;
pub mod modify_rule;
pub mod modify_target_group;
pub mod page;
pub(crate) mod reachability;
pub mod register_targets;
pub mod set_ip_address_type;
pub mod set_rule_priorities;
pub mod set_security_groups;
pub mod set_subnets;
pub(crate) mod standing;
pub mod state;
pub mod tags;
pub mod target_group_attributes;
mod target_ids;
mod transforms;
mod trust_store_content;
pub mod trust_store_downloads;
pub mod trust_store_revocations;
pub mod trust_store_sharing;
pub mod trust_stores;
mod zones;

pub use description::{
    AttributeList, Limit, LoadBalancerDescription, LoadBalancerStateCode, TagDescription,
    TargetGroupDescription,
};
pub use error::ElbError;
pub use page::{Page, Paging};
pub use state::{ElbState, RuleKey};
