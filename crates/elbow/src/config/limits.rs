//! AWS's limits as settings, those of ELB under the names that `DescribeAccountLimits` gives them.

use std::collections::BTreeMap;

use control::Limits;

/// A limit that cannot be set so.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LimitError {
    #[error("there is no limit '{name}' to set; the limits are {}", NAMES.map(|(name, _)| name).join(", "))]
    Unknown { name: String },
    #[error("the limit '{name}' is at most {most}, and is {given}; lower it")]
    TooHigh {
        name: &'static str,
        most: usize,
        given: usize,
    },
}

/// Picks one limit out of all.
type Field = fn(&mut Limits) -> &mut usize;

/// Source: ELB API, `DescribeAccountLimits`; ACM guide, "Quotas", which names nothing, for those that begin with
/// `acm-`; ALB guide, "Quotas", which names nothing either, for those about trust stores and listeners that verify
/// clients; Amazon VPC User Guide, "Amazon VPC quotas", for those of networks and security groups. The names of load
/// balancer types that elbow does not have are not in the list.
const NAMES: [(&str, Field); 35] = [
    ("application-load-balancers", |limits| {
        &mut limits.load_balancers
    }),
    ("target-groups", |limits| &mut limits.target_groups),
    ("targets-per-target-group", |limits| {
        &mut limits.targets_per_target_group
    }),
    ("listeners-per-application-load-balancer", |limits| {
        &mut limits.listeners_per_load_balancer
    }),
    ("rules-per-application-load-balancer", |limits| {
        &mut limits.rules_per_load_balancer
    }),
    ("certificates-per-application-load-balancer", |limits| {
        &mut limits.certificates_per_load_balancer
    }),
    ("condition-values-per-alb-rule", |limits| {
        &mut limits.condition_values_per_rule
    }),
    ("condition-wildcards-per-alb-rule", |limits| {
        &mut limits.condition_wildcards_per_rule
    }),
    ("target-groups-per-application-load-balancer", |limits| {
        &mut limits.target_groups_per_load_balancer
    }),
    (
        "target-groups-per-action-on-application-load-balancer",
        |limits| &mut limits.target_groups_per_action,
    ),
    ("targets-per-application-load-balancer", |limits| {
        &mut limits.targets_per_load_balancer
    }),
    (
        "target-id-registrations-per-application-load-balancer",
        |limits| &mut limits.registrations_per_target_id,
    ),
    ("trust-stores", |limits| &mut limits.trust_stores),
    ("ca-certificates-per-trust-store", |limits| {
        &mut limits.authorities_per_trust_store
    }),
    ("ca-subject-bytes-per-trust-store", |limits| {
        &mut limits.name_bytes_per_trust_store
    }),
    ("revocation-lists-per-trust-store", |limits| {
        &mut limits.revocation_lists_per_trust_store
    }),
    ("revocation-entries-per-trust-store", |limits| {
        &mut limits.revocation_entries_per_trust_store
    }),
    (
        "mtls-verify-listeners-per-application-load-balancer",
        |limits| &mut limits.verifying_listeners_per_load_balancer,
    ),
    ("acm-certificates", |limits| &mut limits.certificates),
    ("acm-certificates-per-year", |limits| {
        &mut limits.certificates_per_year
    }),
    ("acm-imported-certificates", |limits| {
        &mut limits.imported_certificates
    }),
    ("acm-imported-certificates-per-year", |limits| {
        &mut limits.imported_certificates_per_year
    }),
    ("acm-domain-names-per-certificate", |limits| {
        &mut limits.domain_names_per_certificate
    }),
    ("vpcs", |limits| &mut limits.ec2.vpcs),
    ("subnets-per-vpc", |limits| &mut limits.ec2.subnets_per_vpc),
    ("ipv6-cidr-blocks-per-vpc", |limits| {
        &mut limits.ec2.ipv6_blocks_per_vpc
    }),
    ("internet-gateways", |limits| {
        &mut limits.ec2.internet_gateways
    }),
    ("route-tables-per-vpc", |limits| {
        &mut limits.ec2.route_tables_per_vpc
    }),
    ("routes-per-route-table", |limits| {
        &mut limits.ec2.routes_per_route_table
    }),
    ("elastic-ips", |limits| &mut limits.ec2.elastic_addresses),
    ("prefix-lists", |limits| &mut limits.ec2.prefix_lists),
    ("entries-per-prefix-list", |limits| {
        &mut limits.ec2.entries_per_prefix_list
    }),
    ("security-groups", |limits| &mut limits.ec2.security_groups),
    ("rules-per-security-group", |limits| {
        &mut limits.ec2.rules_per_security_group
    }),
    ("security-groups-per-network-interface", |limits| {
        &mut limits.ec2.security_groups_per_network_interface
    }),
];

/// Over which no limit of that name can be raised: the operation has no room for more.
///
/// Source: ACM API, `DomainList`.
const MOST: [(&str, usize); 1] = [("acm-domain-names-per-certificate", 100)];

/// AWS's limits with these changes.
///
/// # Errors
/// `Unknown` for a name that is not in the list, `TooHigh` for a value that no call could make use of.
pub(super) fn changed(changes: BTreeMap<String, u32>) -> Result<Limits, LimitError> {
    let mut limits = Limits::default();
    for (name, max) in changes {
        let given = usize::try_from(max).unwrap_or(usize::MAX);
        if let Some(&(name, most)) = MOST.iter().find(|(it, most)| *it == name && given > *most) {
            return Err(LimitError::TooHigh { name, most, given });
        }
        let known = NAMES.iter().find(|(known, _)| *known == name);
        let (_, field) = known.ok_or(LimitError::Unknown { name })?;
        *field(&mut limits) = given;
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_sets_a_limit_of_its_own() {
        let mut seen = Vec::new();
        for (name, field) in NAMES {
            let mut limits = changed(BTreeMap::from([(name.to_owned(), 7)])).unwrap();
            assert_eq!(*field(&mut limits), 7, "{name}");
            assert!(
                !seen.contains(&limits),
                "{name} sets what another name sets"
            );
            seen.push(limits);
        }
    }

    #[test]
    fn other_names_are_refused() {
        let other = BTreeMap::from([("network-load-balancers".to_owned(), 7)]);
        let text = changed(other).expect_err("refused").to_string();
        assert!(text.contains("'network-load-balancers'"), "{text}");
        assert!(
            text.contains("rules-per-application-load-balancer"),
            "{text}"
        );
    }

    #[test]
    fn a_limit_that_no_call_can_reach_is_refused() {
        let with = |max| changed([("acm-domain-names-per-certificate".to_owned(), max)].into());
        assert_eq!(with(100).unwrap().domain_names_per_certificate, 100);
        let text = with(101).expect_err("refused").to_string();
        assert!(
            text.contains("'acm-domain-names-per-certificate' is at most 100"),
            "{text}"
        );
    }
}
