//! What the operator decides once for the whole control plane.

use model::arn::Place;
use model::secret::Secret;

use crate::ec2::Topology;

/// Names and limits.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The partition, region and account in ARNs.
    pub place: Place,
    /// What DNS names of load balancers end with; default `elb.internal`.
    pub base_domain: String,
    /// Where clients reach the endpoint of the API, for URLs that answers have; without a `/` at its end.
    pub endpoint_url: String,
    /// The networks of the inventory.
    pub topology: Topology,
    /// How many there may be of each thing.
    pub limits: Limits,
    /// The clients of user pools that actions can log in with; default none.
    pub cognito_user_pools: Vec<CognitoUserPool>,
}

/// A client of a user pool, with what AWS would ask Cognito for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CognitoUserPool {
    /// The ARN of the user pool.
    pub arn: String,
    /// The client in it.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Secret,
    /// A URL without a `/` at its end below which a provider that stands in for Cognito is found; `None`:
    /// Cognito itself.
    pub endpoint: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            place: Place {
                partition: "aws".to_owned(),
                region: "us-east-1".to_owned(),
                account: "123456789012".to_owned(),
            },
            base_domain: "elb.internal".to_owned(),
            endpoint_url: "http://127.0.0.1:4566".to_owned(),
            topology: Topology::loopback(),
            limits: Limits::default(),
            cognito_user_pools: Vec::new(),
        }
    }
}

/// How many there may be of each thing. The defaults are those of AWS.
///
/// Source: ALB guide, "Quotas for your Application Load Balancers"; ACM guide, "Quotas".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In the account. Default 50.
    pub load_balancers: usize,
    /// In the account. Default 3,000.
    pub target_groups: usize,
    /// On one load balancer. Default 50.
    pub listeners_per_load_balancer: usize,
    /// On all listeners of one load balancer, default rules not counted. Default 100.
    pub rules_per_load_balancer: usize,
    /// On all listeners of one load balancer, default ones not counted. Default 25.
    pub certificates_per_load_balancer: usize,
    /// That the rules of one load balancer forward to, each counted once. Default 100.
    pub target_groups_per_load_balancer: usize,
    /// In one forward action. Default 5.
    pub target_groups_per_action: usize,
    /// In all conditions of one rule. Default 5.
    pub condition_values_per_rule: usize,
    /// `*` and `?` in all conditions of one rule. Default 5.
    pub condition_wildcards_per_rule: usize,
    /// Registered with one group. Default 1,000.
    pub targets_per_target_group: usize,
    /// Registered with all groups of one load balancer. Default 1,000.
    pub targets_per_load_balancer: usize,
    /// Times one target id can be registered with all groups of one load balancer. Default 1,000.
    pub registrations_per_target_id: usize,
    /// Trust stores in the account. Default 20.
    pub trust_stores: usize,
    /// Certificates of authorities in one trust store. Default 25.
    pub authorities_per_trust_store: usize,
    /// Bytes of the names of all authorities in one trust store. Default 10,000.
    pub name_bytes_per_trust_store: usize,
    /// Lists of revoked certificates in one trust store. Default 30.
    pub revocation_lists_per_trust_store: usize,
    /// Revoked certificates in all lists of one trust store. Default 500,000.
    pub revocation_entries_per_trust_store: usize,
    /// Listeners of one load balancer that verify clients. Default 2.
    pub verifying_listeners_per_load_balancer: usize,
    /// Certificates in the account that were requested. Default 2,500.
    pub certificates: usize,
    /// Certificates that were requested in 365 days. Default 5,000.
    pub certificates_per_year: usize,
    /// Certificates in the account that were imported. Default 2,500.
    pub imported_certificates: usize,
    /// Certificates that were imported in 365 days, those in place of others not counted. Default 5,000.
    pub imported_certificates_per_year: usize,
    /// Names of one certificate that is requested. Default 10; AWS raises it to 100.
    pub domain_names_per_certificate: usize,
    /// Those of networks and security groups.
    pub ec2: Ec2Limits,
}

/// How many there may be of each thing in the inventory. The defaults are those of AWS. What there is beyond a limit
/// stays.
///
/// Source: Amazon VPC User Guide, "Amazon VPC quotas".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ec2Limits {
    /// In the account, the default one included. Default 5.
    pub vpcs: usize,
    /// In one VPC. Default 200.
    pub subnets_per_vpc: usize,
    /// IPv6 blocks of one VPC. Default 5.
    pub ipv6_blocks_per_vpc: usize,
    /// In the account, attached or not. Default 5.
    pub internet_gateways: usize,
    /// In one VPC, its main one included. Default 200.
    pub route_tables_per_vpc: usize,
    /// In one table, those to the VPC itself not counted. Default 500.
    pub routes_per_route_table: usize,
    /// In the account. Default 5.
    pub elastic_addresses: usize,
    /// In the account. Default 100.
    pub prefix_lists: usize,
    /// That a prefix list may be made for. Default 1,000.
    pub entries_per_prefix_list: usize,
    /// In the account, those called `default` included. Default 2,500.
    pub security_groups: usize,
    /// In each direction; a rule that refers to a prefix list counts for as many as the list may have entries.
    /// Default 60.
    pub rules_per_security_group: usize,
    /// That an instance or a load balancer may carry. Default 5.
    pub security_groups_per_network_interface: usize,
}

impl Default for Ec2Limits {
    fn default() -> Self {
        Self {
            vpcs: 5,
            subnets_per_vpc: 200,
            ipv6_blocks_per_vpc: 5,
            internet_gateways: 5,
            route_tables_per_vpc: 200,
            routes_per_route_table: 500,
            elastic_addresses: 5,
            prefix_lists: 100,
            entries_per_prefix_list: 1000,
            security_groups: 2500,
            rules_per_security_group: 60,
            security_groups_per_network_interface: 5,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            load_balancers: 50,
            target_groups: 3000,
            listeners_per_load_balancer: 50,
            rules_per_load_balancer: 100,
            certificates_per_load_balancer: 25,
            target_groups_per_load_balancer: 100,
            target_groups_per_action: 5,
            condition_values_per_rule: 5,
            condition_wildcards_per_rule: 5,
            targets_per_target_group: 1000,
            targets_per_load_balancer: 1000,
            registrations_per_target_id: 1000,
            trust_stores: 20,
            authorities_per_trust_store: 25,
            name_bytes_per_trust_store: 10_000,
            revocation_lists_per_trust_store: 30,
            revocation_entries_per_trust_store: 500_000,
            verifying_listeners_per_load_balancer: 2,
            certificates: 2500,
            certificates_per_year: 5000,
            imported_certificates: 2500,
            imported_certificates_per_year: 5000,
            domain_names_per_certificate: 10,
            ec2: Ec2Limits::default(),
        }
    }
}
