//! AWS's limits as settings, those of ELB under the names that `DescribeAccountLimits` gives them.

use std::collections::BTreeMap;

use control::Limits;

/// A limit that elbow has no use for.
#[derive(Debug, thiserror::Error)]
#[error("there is no limit '{name}' to set; the limits are {}", NAMES.map(|(name, _)| name).join(", "))]
pub(crate) struct UnknownLimit {
    name: String,
}

/// Picks one limit out of all.
type Field = fn(&mut Limits) -> &mut usize;

/// Source: ELB API, `DescribeAccountLimits`; ACM guide, "Quotas", which names nothing, for those that begin with
/// `acm-`; the names of load balancer types that elbow does not have are
/// not in the list.
const NAMES: [(&str, Field); 17] = [
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
];

/// AWS's limits with these changes.
///
/// # Errors
/// `UnknownLimit` for a name that is not in the list.
pub(super) fn changed(changes: BTreeMap<String, u32>) -> Result<Limits, UnknownLimit> {
    let mut limits = Limits::default();
    for (name, max) in changes {
        let known = NAMES.iter().find(|(known, _)| *known == name);
        let (_, field) = known.ok_or(UnknownLimit { name })?;
        *field(&mut limits) = usize::try_from(max).unwrap_or(usize::MAX);
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
}
