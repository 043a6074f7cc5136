//! Whom security groups let connect to listeners, by the family of the addresses, and a finding where that is nobody.

use std::fmt;
use std::net::IpAddr;

use model::Cidr;

use super::super::inventory::{Listener, LoadBalancer};
use super::finding::Finding;
use super::surroundings::{Permission, Surroundings};

/// A listener to which nobody can connect, or nobody over one of the families of its addresses; `subject` is the
/// listener.
pub(super) fn admits_nobody(
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
    let ranges: Vec<_> = shut.iter().map(|it| it.range("BLOCK")).collect();
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
            authorize(balancer, listener.port, &ranges)
        ),
    ))
}

/// A family of addresses: the blocks of one admit nobody of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Ipv4,
    Ipv6,
}

impl Family {
    const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    fn has(self, address: IpAddr) -> bool {
        address.is_ipv6() == (self == Self::Ipv6)
    }

    pub(super) fn everybody(self) -> Cidr {
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
    pub(super) fn range(self, block: impl fmt::Display) -> String {
        match self {
            Self::Ipv4 => format!("IpRanges=[{{CidrIp={block}}}]"),
            Self::Ipv6 => format!("Ipv6Ranges=[{{CidrIpv6={block}}}]"),
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

/// The command that admits these ranges to a port; see `Family::range`.
pub(super) fn authorize(balancer: &LoadBalancer, port: u16, ranges: &[String]) -> String {
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
pub(super) fn open_families(
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

#[cfg(test)]
pub(super) mod tests {
    use super::super::super::inventory::Address;
    use super::*;

    /// A load balancer with these addresses, and a listener HTTP:80 without rules.
    pub(in super::super) fn balancer(addresses: &[&str]) -> LoadBalancer {
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
                ..Listener::default()
            }],
            ..LoadBalancer::default()
        }
    }

    /// Its security group admits these blocks to these ports.
    pub(in super::super) fn admitting(blocks: &[&str], ports: (u16, u16)) -> Surroundings {
        let permission = Permission {
            ports: Some(ports),
            blocks: blocks.iter().map(|it| it.parse().unwrap()).collect(),
            groups: Vec::new(),
        };
        Surroundings {
            security_groups: [("sg-1".to_owned(), vec![permission])].into(),
            ..Surroundings::default()
        }
    }

    #[test]
    fn a_group_that_admits_nobody_is_found() {
        let (v4, v6) = ("10.0.0.10", "2001:db8::a");
        let (of4, of6) = ("IpRanges=[{CidrIp=BLOCK}]", "Ipv6Ranges=[{CidrIpv6=BLOCK}]");
        let of_both = format!("{of4},{of6}");
        let told = |addresses: &[&str], surroundings: &Surroundings| {
            let balancer = balancer(addresses);
            let found = admits_nobody("it", &balancer, &balancer.listeners[0], surroundings);
            found.map(|it| (it.wrong, it.remedy))
        };
        for (addresses, blocks, expected) in [
            (&[v4][..], &["10.0.0.0/8"][..], None),
            (&[v4], &[], Some(("nobody", of4))),
            (&[v4], &["fd00::/8"], Some(("nobody", of4))),
            (&[v4, v6], &["10.0.0.0/8", "fd00::/8"], None),
            (&[v4, v6], &["10.0.0.0/8"], Some(("nobody over IPv6", of6))),
            (&[v4, v6], &["::/0"], Some(("nobody over IPv4", of4))),
            (&[v4, v6], &[], Some(("nobody", &*of_both))),
        ] {
            let told = told(addresses, &admitting(blocks, (80, 80)));
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
        let of_another_port = admitting(&["10.0.0.0/8"], (81, 90));
        assert!(told(&[v4], &of_another_port).is_some());
        let members = Permission {
            groups: vec!["sg-2".to_owned()],
            ..Permission::default()
        };
        assert!(Family::ALL.iter().all(|it| it.is_admitted(&members)));
    }

    #[test]
    fn the_world_comes_over_the_families_that_the_addresses_have() {
        let (any4, any6) = ("0.0.0.0/0", "::/0");
        let (v4, v6) = ("10.0.0.10", "2001:db8::a");
        for (addresses, blocks, expected) in [
            (&[v4][..], &[any4][..], &[Family::Ipv4][..]),
            (&[v4], &["10.0.0.0/8"], &[]),
            (&[v4, v6], &[any4, "fd00::/8"], &[Family::Ipv4]),
            (&[v4, v6], &["10.0.0.0/8", any6], &[Family::Ipv6]),
            (&[v4, v6], &[any4, any6], &Family::ALL),
            (&[v4, v6], &["10.0.0.0/8", "fd00::/8"], &[]),
            (&[v4], &["10.0.0.0/8", any6], &[]),
            // Only this machine has these, the second one too.
            (&["127.65.1.10"], &[any4], &[]),
            (&["127.65.1.10", "fd65::a"], &[any4, "::1/128"], &[]),
            (&["127.65.1.10", "fd65::a"], &["127.0.0.0/8", any6], &[]),
        ] {
            let (balancer, surroundings) = (balancer(addresses), admitting(blocks, (80, 80)));
            let open = open_families(&balancer, 80, &surroundings);
            assert_eq!(Vec::from_iter(open), expected, "{addresses:?} {blocks:?}");
        }
    }
}
