//! Findings about load balancers and listeners.

use model::ssl_policy::SslPolicy;

use super::super::inventory::{Inventory, Listener, LoadBalancer, TargetGroup, Usage};
use super::admission::admits_nobody;
use super::certificates;
use super::finding::Finding;
use super::surroundings::Surroundings;
use super::{clear_text, redirects, rules};

/// A security policy without old versions of TLS, for clients of every kind.
pub(super) const CURRENT_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";

/// Everything that is wrong with load balancers and listeners at this time, in seconds since 1970.
pub(crate) fn findings(
    inventory: &Inventory,
    surroundings: &Surroundings,
    now_seconds: i64,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for balancer in &inventory.load_balancers {
        found.extend(of_balancer(balancer));
        found.extend(offers_no_http2(inventory, balancer, surroundings));
        for listener in &balancer.listeners {
            let subject = subject(balancer, listener);
            found.extend(admits_nobody(&subject, balancer, listener, surroundings));
            found.extend(clear_text::finding(
                &subject,
                balancer,
                listener,
                surroundings,
            ));
            found.extend(has_old_policy(balancer, listener));
            found.extend(rules::findings(&subject, listener));
            let names = surroundings.names(listener);
            found.extend(redirects::findings(&subject, balancer, listener, &names));
            found.extend(certificates::findings(
                &subject,
                listener,
                surroundings,
                now_seconds,
            ));
        }
    }
    found
}

/// The words for a listener.
pub(super) fn subject(balancer: &LoadBalancer, listener: &Listener) -> String {
    format!(
        "listener {}:{} of {}",
        listener.protocol, listener.port, balancer.name
    )
}

fn of_balancer(balancer: &LoadBalancer) -> Option<Finding> {
    let subject = format!("load balancer {}", balancer.name);
    if !matches!(&*balancer.state, "active" | "provisioning") {
        return Some(Finding::error(
            subject,
            &balancer.arn,
            format!("It is in the state {}.", balancer.state),
            "Look into the log of elbow serve for the reason.".to_owned(),
        ));
    }
    balancer.listeners.is_empty().then(|| {
        Finding::warning(
            subject,
            &balancer.arn,
            "It has no listeners: nobody can connect to it.".to_owned(),
            format!("Make one: aws elbv2 create-listener --load-balancer-arn {} --protocol HTTP --port 80 --default-actions ACTIONS", balancer.arn),
        )
    })
}

/// A load balancer whose target groups can be sent nothing but HTTP/2, which it does not offer.
fn offers_no_http2(
    inventory: &Inventory,
    balancer: &LoadBalancer,
    surroundings: &Surroundings,
) -> Option<Finding> {
    const HTTP2: &str = "routing.http2.enabled";
    if surroundings.attribute(&balancer.arn, HTTP2) != Some("false") {
        return None;
    }
    let groups = inventory.target_groups_of(&balancer.arn);
    // Nobody waits for the answer to a copy, and a weight of 0 sends nothing.
    let usages = inventory.usages();
    let is_beyond_http1 = |group: &&TargetGroup| {
        usages[&*group.arn] == Usage::Forwarded
            && matches!(&*group.protocol_version, "HTTP2" | "GRPC")
    };
    let names: Vec<_> = groups
        .filter(is_beyond_http1)
        .map(|group| &*group.name)
        .collect();
    (!names.is_empty()).then(|| {
        Finding::error(
            format!("load balancer {}", balancer.name),
            &balancer.arn,
            format!(
                "It does not offer HTTP/2, and target groups want nothing else ({}): what is forwarded to them gets 464.",
                names.join(", ")
            ),
            format!(
                "Offer it: aws elbv2 modify-load-balancer-attributes --load-balancer-arn {} --attributes Key={HTTP2},Value=true",
                balancer.arn
            ),
        )
    })
}

fn has_old_policy(balancer: &LoadBalancer, listener: &Listener) -> Option<Finding> {
    let policy = SslPolicy::named(listener.ssl_policy.as_ref()?)?;
    let is_old = |name: &str| matches!(name, "TLSv1" | "TLSv1.1");
    let old = policy
        .protocols
        .iter()
        .map(|it| it.as_str())
        .find(|name| is_old(name))?;
    Some(Finding::warning(
        subject(balancer, listener),
        &listener.arn,
        format!(
            "Its security policy {} lets clients speak {old}, which is no longer safe (RFC 8996).",
            policy.name
        ),
        format!(
            "Take a newer one: aws elbv2 modify-listener --listener-arn {} --ssl-policy {CURRENT_POLICY}",
            listener.arn
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::super::inventory::Address;
    use super::super::super::inventory::rules::{Action, Rule, Weighted};
    use super::super::surroundings::Permission;
    use super::*;
    use model::Cidr;

    const NOW: i64 = 1_800_000_000;

    /// A load balancer that nothing is wrong with, changed.
    fn found(change: impl FnOnce(&mut LoadBalancer)) -> Vec<String> {
        let default = Rule {
            priority: "default".to_owned(),
            actions: vec![Action::Forward {
                target_groups: Vec::new(),
            }],
            ..Rule::default()
        };
        let listener = Listener {
            arn: "arn:listener".to_owned(),
            protocol: "HTTPS".to_owned(),
            port: 443,
            ssl_policy: Some("ELBSecurityPolicy-TLS13-1-2-2021-06".to_owned()),
            rules: vec![default],
        };
        let mut balancer = LoadBalancer {
            name: "shop".to_owned(),
            state: "active".to_owned(),
            addresses: vec![Address {
                zone: "a".to_owned(),
                address: "10.0.0.10".to_owned(),
            }],
            security_groups: vec!["sg-1".to_owned()],
            listeners: vec![listener],
            ..LoadBalancer::default()
        };
        change(&mut balancer);
        let everybody = Permission {
            blocks: vec![Cidr::ANY_IPV4],
            ..Permission::default()
        };
        let surroundings = Surroundings {
            security_groups: [("sg-1".to_owned(), vec![everybody])].into(),
            ..Surroundings::default()
        };
        let inventory = Inventory {
            load_balancers: vec![balancer],
            ..Inventory::default()
        };
        let found = findings(&inventory, &surroundings, NOW);
        found.into_iter().map(|finding| finding.wrong).collect()
    }

    #[test]
    fn each_finding_is_made_where_it_belongs_and_nowhere_else() {
        let nothing: [&str; 0] = [];
        assert_eq!(found(|_| ()), nothing);
        assert_eq!(
            found(|balancer| balancer.listeners.clear()),
            ["It has no listeners: nobody can connect to it."]
        );
        assert_eq!(
            found(|balancer| balancer.state = "failed".to_owned()),
            ["It is in the state failed."]
        );
        for (weights, expected) in [
            (
                [0, 0],
                &["All weights of its target groups are 0: what it forwards gets 503."][..],
            ),
            ([0, 1], &[]),
        ] {
            let target_groups = weights.map(|weight| Weighted {
                target_group: "arn:web".to_owned(),
                weight,
            });
            let forward = Action::Forward {
                target_groups: target_groups.to_vec(),
            };
            let actions = vec![forward];
            let found = found(|balancer| balancer.listeners[0].rules[0].actions = actions);
            assert_eq!(found, expected);
        }
        assert_eq!(
            found(|balancer| {
                balancer.listeners[0].ssl_policy = Some("ELBSecurityPolicy-2016-08".to_owned());
            }),
            [
                "Its security policy ELBSecurityPolicy-2016-08 lets clients speak TLSv1, which is no longer safe (RFC 8996)."
            ]
        );
    }

    #[test]
    fn groups_of_http2_need_a_load_balancer_that_offers_it() {
        for (version, offers, weight, expected) in [
            ("GRPC", "false", Some(1), 1),
            ("HTTP2", "false", Some(1), 1),
            ("HTTP1", "false", Some(1), 0),
            ("GRPC", "true", Some(1), 0),
            // It gets nothing, or copies alone.
            ("GRPC", "false", Some(0), 0),
            ("GRPC", "false", None, 0),
        ] {
            let forward = weight.map(|weight| Action::Forward {
                target_groups: vec![Weighted {
                    target_group: "arn:web".to_owned(),
                    weight,
                }],
            });
            let rule = Rule {
                actions: Vec::from_iter(forward),
                ..Rule::default()
            };
            let balancer = LoadBalancer {
                arn: "arn:lb".to_owned(),
                listeners: vec![Listener {
                    rules: vec![rule],
                    ..Listener::default()
                }],
                ..LoadBalancer::default()
            };
            let inventory = Inventory {
                load_balancers: vec![balancer.clone()],
                target_groups: vec![TargetGroup {
                    arn: "arn:web".to_owned(),
                    protocol_version: version.to_owned(),
                    load_balancers: vec!["arn:lb".to_owned()],
                    ..TargetGroup::default()
                }],
            };
            let attribute = ("routing.http2.enabled".to_owned(), offers.to_owned());
            let surroundings = Surroundings {
                attributes: [("arn:lb".to_owned(), [attribute].into())].into(),
                ..Surroundings::default()
            };
            let found = offers_no_http2(&inventory, &balancer, &surroundings);
            assert_eq!(
                found.iter().count(),
                expected,
                "{version} {offers} {weight:?}"
            );
        }
    }
}
