//! Findings about whom security groups let connect to listeners: nobody, or everybody in clear text.

use std::net::IpAddr;

use model::Cidr;

use super::super::inventory::rules::Action;
use super::super::inventory::{Listener, LoadBalancer};
use super::finding::Finding;
use super::surroundings::{Permission, Surroundings};

/// Everything that is wrong with who can connect to a listener; `subject` is the listener.
pub(super) fn findings(
    subject: &str,
    balancer: &LoadBalancer,
    listener: &Listener,
    surroundings: &Surroundings,
) -> impl Iterator<Item = Finding> {
    let nobody = admits_nobody(subject, balancer, listener, surroundings);
    let open = is_open_in_clear_text(subject, balancer, listener, surroundings);
    nobody.into_iter().chain(open)
}

/// A family of addresses: the blocks of one admit nobody of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Ipv4,
    Ipv6,
}

impl Family {
    const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    fn has(self, address: IpAddr) -> bool {
        address.is_ipv6() == (self == Self::Ipv6)
    }

    fn everybody(self) -> Cidr {
        match self {
            Self::Ipv4 => Cidr::ANY_IPV4,
            Self::Ipv6 => Cidr::ANY_IPV6,
        }
    }

    /// Whether a permission admits anybody who comes over it. Members of a group may have addresses of both families.
    fn is_admitted(self, permission: &Permission) -> bool {
        let mut blocks = permission.blocks.iter();
        !permission.groups.is_empty() || blocks.any(|it| self.has(it.network()))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        }
    }

    /// A block of it in an `IpPermission`, as the command line takes it.
    fn range(self) -> &'static str {
        match self {
            Self::Ipv4 => "IpRanges=[{CidrIp=BLOCK}]",
            Self::Ipv6 => "Ipv6Ranges=[{CidrIpv6=BLOCK}]",
        }
    }
}

/// The families of a load balancer's addresses.
fn families(balancer: &LoadBalancer) -> impl Iterator<Item = Family> {
    let mut families = Family::ALL.to_vec();
    families.retain(|family| addresses(balancer).any(|it| family.has(it)));
    families.into_iter()
}

fn addresses(balancer: &LoadBalancer) -> impl Iterator<Item = IpAddr> {
    let addresses = balancer.addresses.iter();
    addresses.filter_map(|it| it.address.parse().ok())
}

fn admits_nobody(
    subject: &str,
    balancer: &LoadBalancer,
    listener: &Listener,
    surroundings: &Surroundings,
) -> Option<Finding> {
    let is_shut = |family: &Family| {
        let mut permissions = surroundings.permissions(&balancer.security_groups, listener.port);
        !permissions.any(|it| family.is_admitted(it))
    };
    let all: Vec<_> = families(balancer).collect();
    let shut: Vec<_> = all.iter().copied().filter(is_shut).collect();
    let over = match *shut {
        [] => return None,
        [family] if all.len() > 1 => format!(" over {}", family.name()),
        _ => String::new(),
    };
    Some(Finding::error(
        subject.to_owned(),
        &listener.arn,
        format!(
            "Its security groups ({}) admit nobody{over} on port {}.",
            balancer.security_groups.join(", "),
            listener.port
        ),
        format!(
            "Admit clients: {}",
            authorize(balancer, listener.port, &shut)
        ),
    ))
}

/// The command that admits a block of each of these families to a port.
fn authorize(balancer: &LoadBalancer, port: u16, families: &[Family]) -> String {
    let ranges: Vec<_> = families.iter().map(|it| it.range()).collect();
    format!(
        "aws ec2 authorize-security-group-ingress --group-id {} --ip-permissions \
         'IpProtocol=tcp,FromPort={port},ToPort={port},{}'",
        balancer
            .security_groups
            .first()
            .map_or("SG", String::as_str),
        ranges.join(",")
    )
}

/// The families over which everybody can connect to a port of a load balancer.
fn open_families(
    balancer: &LoadBalancer,
    port: u16,
    surroundings: &Surroundings,
) -> impl Iterator<Item = Family> {
    // Nobody outside this machine reaches a VPC on loopback, nor its addresses of IPv6: elbow itself makes those local.
    let is_on_loopback = addresses(balancer).any(|it| it.is_loopback());
    families(balancer).filter(move |family| {
        let mut permissions = surroundings.permissions(&balancer.security_groups, port);
        !is_on_loopback && permissions.any(|it| it.blocks.contains(&family.everybody()))
    })
}

fn is_open_in_clear_text(
    subject: &str,
    balancer: &LoadBalancer,
    listener: &Listener,
    surroundings: &Surroundings,
) -> Option<Finding> {
    let is_open = open_families(balancer, listener.port, surroundings)
        .next()
        .is_some();
    let mut actions = listener.rules.iter().flat_map(|rule| &rule.actions);
    let serves = actions.any(|action| matches!(action, Action::Forward { .. }));
    let redirects = listener.rules.iter().any(|rule| {
        rule.priority == "default" && rule.actions.iter().any(Action::redirects_to_https)
    });
    (listener.protocol == "HTTP" && is_open && serves && !redirects).then(|| {
        Finding::warning(
            subject.to_owned(),
            &listener.arn,
            "It is open to the world in clear text and does not redirect to HTTPS.".to_owned(),
            format!(
                "Redirect: aws elbv2 modify-listener --listener-arn {} --default-actions \
                 'Type=redirect,RedirectConfig={{Protocol=HTTPS,Port=443,StatusCode=HTTP_301}}'",
                listener.arn
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::inventory::Address;
    use super::super::super::inventory::rules::Rule;
    use super::*;

    const NOTHING: [&str; 0] = [];

    /// A load balancer with these addresses, and a listener HTTP:80 with one rule.
    fn balancer(addresses: &[&str], action: Action) -> LoadBalancer {
        let address = |it: &&str| Address {
            zone: "a".to_owned(),
            address: (*it).to_owned(),
        };
        LoadBalancer {
            arn: "arn:lb".to_owned(),
            addresses: addresses.iter().map(address).collect(),
            security_groups: vec!["sg-1".to_owned()],
            listeners: vec![Listener {
                arn: "arn:listener".to_owned(),
                protocol: "HTTP".to_owned(),
                port: 80,
                rules: vec![Rule {
                    priority: "default".to_owned(),
                    actions: vec![action],
                    ..Rule::default()
                }],
                ..Listener::default()
            }],
            ..LoadBalancer::default()
        }
    }

    fn forward() -> Action {
        Action::Forward {
            target_groups: Vec::new(),
        }
    }

    fn fixed() -> Action {
        Action::FixedResponse { status: 200 }
    }

    /// What is wrong with the first listener where the security group admits these blocks to the port.
    fn found(balancer: &LoadBalancer, blocks: &[&str], port: u16) -> Vec<Finding> {
        let permission = Permission {
            ports: Some((port, port)),
            blocks: blocks.iter().map(|it| it.parse().unwrap()).collect(),
            groups: Vec::new(),
        };
        let surroundings = Surroundings {
            security_groups: [("sg-1".to_owned(), vec![permission])].into(),
            ..Surroundings::default()
        };
        findings("it", balancer, &balancer.listeners[0], &surroundings).collect()
    }

    fn wrong(found: Vec<Finding>) -> Vec<String> {
        found.into_iter().map(|it| it.wrong).collect()
    }

    #[test]
    fn a_group_that_admits_nobody_is_found() {
        let (v4, v6) = ("10.0.0.10", "2001:db8::a");
        let (of4, of6) = ("IpRanges=[{CidrIp=BLOCK}]", "Ipv6Ranges=[{CidrIpv6=BLOCK}]");
        let of_both = format!("{of4},{of6}");
        for (addresses, blocks, expected) in [
            (&[v4][..], &["10.0.0.0/8"][..], None),
            (&[v4], &[], Some(("nobody", of4))),
            (&[v4], &["fd00::/8"], Some(("nobody", of4))),
            (&[v4, v6], &["10.0.0.0/8", "fd00::/8"], None),
            (&[v4, v6], &["10.0.0.0/8"], Some(("nobody over IPv6", of6))),
            (&[v4, v6], &["::/0"], Some(("nobody over IPv4", of4))),
            (&[v4, v6], &[], Some(("nobody", &*of_both))),
        ] {
            let balancer = balancer(addresses, fixed());
            let mut found = found(&balancer, blocks, 80).into_iter();
            let told = found.next().map(|it| (it.wrong, it.remedy));
            let expected = expected.map(|(nobody, ranges)| {
                (
                    format!("Its security groups (sg-1) admit {nobody} on port 80."),
                    format!(
                        "Admit clients: aws ec2 authorize-security-group-ingress --group-id sg-1 --ip-permissions \
                         'IpProtocol=tcp,FromPort=80,ToPort=80,{ranges}'"
                    ),
                )
            });
            assert_eq!(told, expected, "{addresses:?} {blocks:?}");
        }
        let of_another_port = found(&balancer(&[v4], fixed()), &["10.0.0.0/8"], 81);
        assert_eq!(of_another_port.len(), 1);
        let members = Permission {
            groups: vec!["sg-2".to_owned()],
            ..Permission::default()
        };
        assert!(Family::ALL.iter().all(|it| it.is_admitted(&members)));
    }

    #[test]
    fn the_world_comes_over_the_families_that_the_addresses_have() {
        let open = &["It is open to the world in clear text and does not redirect to HTTPS."][..];
        let (any4, any6) = ("0.0.0.0/0", "::/0");
        let (v4, v6) = ("10.0.0.10", "2001:db8::a");
        for (addresses, blocks, expected) in [
            (&[v4][..], &[any4][..], open),
            (&[v4], &["10.0.0.0/8"], &[]),
            (&[v4, v6], &[any4, "fd00::/8"], open),
            (&[v4, v6], &["10.0.0.0/8", any6], open),
            (&[v4, v6], &["10.0.0.0/8", "fd00::/8"], &[]),
            (&[v4], &["10.0.0.0/8", any6], &[]),
            // Only this machine has these, the second one too.
            (&["127.65.1.10"], &[any4], &[]),
            (&["127.65.1.10", "fd65::a"], &[any4, "::1/128"], &[]),
            (&["127.65.1.10", "fd65::a"], &["127.0.0.0/8", any6], &[]),
        ] {
            let found = found(&balancer(addresses, forward()), blocks, 80);
            assert_eq!(wrong(found), expected, "{addresses:?} {blocks:?}");
        }
    }

    #[test]
    fn what_is_not_forwarded_may_come_in_clear_text() {
        let redirect = Action::Redirect {
            status: 301,
            location: "https://#{host}:443/".to_owned(),
        };
        for action in [fixed(), redirect] {
            let found = found(
                &balancer(&["10.0.0.10"], action.clone()),
                &["0.0.0.0/0"],
                80,
            );
            assert_eq!(wrong(found), NOTHING, "{action:?}");
        }
    }
}
