//! Findings about how the targets of a group are spread, and how many of them it wants: what its attributes make of
//! its zones.

use super::super::inventory::{Inventory, Target, TargetGroup, Usage};
use super::finding::Finding;
use super::surroundings::Surroundings;

const CROSS_ZONE: &str = "load_balancing.cross_zone.enabled";

/// Below these, requests go to all targets, and zones are no longer told by DNS.
const MINIMA: [(&str, &str); 2] = [
    (
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
        "requests go to unhealthy targets too",
    ),
    (
        "target_group_health.dns_failover.minimum_healthy_targets.count",
        "its zones count as unhealthy in DNS",
    ),
];

/// Everything that is wrong with the zones of target groups that get requests.
pub(crate) fn findings(inventory: &Inventory, surroundings: &Surroundings) -> Vec<Finding> {
    let usages = inventory.usages();
    let groups = inventory.target_groups.iter();
    let used = groups.filter(|group| usages[&*group.arn] == Usage::Forwarded);
    // That it has none at all is said of the group.
    let used = used.filter(|group| group.targets.iter().any(takes_part));
    let found = used.flat_map(|group| {
        let minima = MINIMA.map(|(key, effect)| wants_too_many(group, surroundings, key, effect));
        bare_zones(inventory, group, surroundings)
            .into_iter()
            .chain(minima.into_iter().flatten())
    });
    found.collect()
}

fn takes_part(target: &Target) -> bool {
    !matches!(&*target.state, "draining" | "unused")
}

fn is_cross_zone(group: &TargetGroup, surroundings: &Surroundings) -> bool {
    surroundings.attribute(&group.arn, CROSS_ZONE) != Some("false")
}

/// The zones of its load balancers in which it has no target and gets requests all the same.
fn bare_zones(
    inventory: &Inventory,
    group: &TargetGroup,
    surroundings: &Surroundings,
) -> Option<Finding> {
    if is_cross_zone(group, surroundings) {
        return None;
    }
    let targets = group.targets.iter().filter(|target| takes_part(target));
    let zones: Vec<_> = targets.map(|it| surroundings.zone_of(it)).collect();
    // A target of no zone is one of all of them.
    let has_target = |zone: &str| zones.iter().any(|own| own.is_none_or(|own| own == zone));
    let balancers = inventory.load_balancers.iter();
    let users = balancers.filter(|it| group.load_balancers.contains(&it.arn));
    let enabled = users.flat_map(|it| &it.zones);
    let bare: Vec<_> = enabled
        .map(String::as_str)
        .filter(|zone| !has_target(zone))
        .collect();
    (!bare.is_empty()).then(|| {
        Finding::warning(
            format!("target group {}", group.name),
            &group.arn,
            format!(
                "It is not cross-zone and has no target in {}: what comes to the load balancer there gets 503.",
                bare.join(", ")
            ),
            format!(
                "Register targets there, or let them serve all zones: aws elbv2 modify-target-group-attributes \
                 --target-group-arn {} --attributes Key={CROSS_ZONE},Value=true",
                group.arn
            ),
        )
    })
}

/// A group that is never as healthy as it has to be. Without cross-zone it counts for each zone.
fn wants_too_many(
    group: &TargetGroup,
    surroundings: &Surroundings,
    key: &str,
    effect: &str,
) -> Option<Finding> {
    let wanted: usize = surroundings.attribute(&group.arn, key)?.parse().ok()?;
    let count = group.targets.iter().filter(|it| takes_part(it)).count();
    (is_cross_zone(group, surroundings) && wanted > count).then(|| {
        Finding::warning(
            format!("target group {}", group.name),
            &group.arn,
            format!("It wants {wanted} healthy targets and has {count} in all: {effect}, however healthy they are."),
            format!(
                "Register more, or want less: aws elbv2 modify-target-group-attributes --target-group-arn {} --attributes \
                 Key={key},Value={count}",
                group.arn
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::inventory::rules::{Action, Rule, Weighted};
    use super::super::super::inventory::{Listener, LoadBalancer};
    use super::*;

    const GROUP: &str = "arn:group";

    /// What is found of a group with targets in these zones, behind a load balancer in the zones a and b.
    fn wrong(zones: &[Option<&str>], attributes: &[(&str, &str)]) -> Vec<String> {
        let target = |zone: &Option<&str>| Target {
            state: "healthy".to_owned(),
            zone: zone.map(str::to_owned),
            ..Target::default()
        };
        let group = TargetGroup {
            arn: GROUP.to_owned(),
            load_balancers: vec!["arn:lb".to_owned()],
            targets: zones.iter().map(target).collect(),
            ..TargetGroup::default()
        };
        let rule = Rule {
            actions: vec![Action::Forward {
                target_groups: vec![Weighted {
                    target_group: GROUP.to_owned(),
                    weight: 1,
                }],
            }],
            ..Rule::default()
        };
        let inventory = Inventory {
            load_balancers: vec![LoadBalancer {
                arn: "arn:lb".to_owned(),
                zones: vec!["a".to_owned(), "b".to_owned()],
                listeners: vec![Listener {
                    rules: vec![rule],
                    ..Listener::default()
                }],
                ..LoadBalancer::default()
            }],
            target_groups: vec![group],
        };
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let surroundings = Surroundings {
            attributes: [(GROUP.to_owned(), attributes.iter().map(pair).collect())].into(),
            ..Surroundings::default()
        };
        let found = findings(&inventory, &surroundings).into_iter();
        found.map(|it| it.wrong).collect()
    }

    #[test]
    fn a_zone_without_targets_is_found_if_no_other_serves_it() {
        let bare = "It is not cross-zone and has no target in b: what comes to the load balancer there gets 503.";
        for (zones, cross_zone, expected) in [
            (&[Some("a")][..], "false", Some(bare)),
            (&[Some("a")], "true", None),
            (&[Some("a")], "use_load_balancer_configuration", None),
            (&[Some("a"), Some("b")], "false", None),
            (&[Some("a"), None], "false", None),
            (&[], "false", None),
        ] {
            let found = wrong(zones, &[(CROSS_ZONE, cross_zone)]);
            assert_eq!(
                found.first().map(String::as_str),
                expected,
                "{zones:?} {cross_zone}"
            );
        }
    }

    #[test]
    fn a_group_that_wants_more_targets_than_it_has_is_found() {
        let [(routing, _), (dns, _)] = MINIMA;
        let two = [Some("a"), Some("b")];
        let always = "It wants 3 healthy targets and has 2 in all: requests go to unhealthy targets too, however \
                      healthy they are.";
        assert_eq!(wrong(&two, &[(routing, "3"), (dns, "off")]), [always]);
        assert_eq!(wrong(&two, &[(routing, "3"), (dns, "3")]).len(), 2);
        assert!(wrong(&two, &[(routing, "2"), (dns, "1")]).is_empty());
        let each_zone = [(routing, "3"), (CROSS_ZONE, "false")];
        assert!(wrong(&two, &each_zone).is_empty());
    }
}
