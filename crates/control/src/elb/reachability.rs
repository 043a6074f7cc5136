//! Whether security groups let a load balancer connect to a target. What is compiled for the data plane and what
//! operators are told both come from here.
//!
//! A load balancer is judged as one: a rule that admits the address of one of its nodes admits all of them.
//! Source: ALB guide, "Security groups for your Application Load Balancer"; Amazon VPC User Guide, "Security group
//! rules".

use std::net::IpAddr;

use model::Cidr;
use model::ec2::{Direction, Peer, SecurityGroupId, SecurityGroupRule, Traffic};
use model::load_balancer::{LoadBalancer, LoadBalancerZone};

use crate::ec2::{Ec2State, lookups};

/// A load balancer, as far as rules tell it from others.
#[derive(Clone, Debug)]
pub(crate) struct Origin<'a> {
    /// The private addresses of its nodes.
    pub(crate) addresses: Vec<IpAddr>,
    /// The security groups it carries.
    pub(crate) groups: &'a [SecurityGroupId],
}

impl<'a> Origin<'a> {
    pub(crate) fn of(load_balancer: &'a LoadBalancer) -> Self {
        let zones = load_balancer.zones.iter();
        Self {
            addresses: zones.flat_map(LoadBalancerZone::addresses).collect(),
            groups: &load_balancer.security_groups,
        }
    }
}

/// Where a connection goes, as far as rules tell it from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Destination<'a> {
    /// Its address, or a block of addresses of which the rules admit all or none; see `Distinctions`.
    pub(crate) block: Cidr,
    /// The security groups of the instance that has the address. `None`: it is no instance of the inventory, so that
    /// nothing is known of what guards it.
    pub(crate) groups: Option<&'a [SecurityGroupId]>,
}

/// The direction whose rules drop the packets of a connection to this port; `None`: they get through.
///
/// Some rule of some group of the load balancer has to let them out, and if they go to an instance, some rule of some
/// of its groups has to let them in.
pub(crate) fn denied_by(
    ec2: &Ec2State,
    from: &Origin<'_>,
    to: &Destination<'_>,
    port: u16,
) -> Option<Direction> {
    let destination = Side {
        blocks: &[to.block],
        groups: to.groups.unwrap_or_default(),
    };
    if !allow(ec2, from.groups, (Direction::Egress, port), &destination) {
        return Some(Direction::Egress);
    }
    let groups = to.groups?;
    // A target and a node of different families never speak with each other.
    let is_ipv4 = to.block.network().is_ipv4();
    let nodes = from.addresses.iter().copied();
    let nodes = nodes.filter(|node| node.is_ipv4() == is_ipv4);
    let source = Side {
        blocks: &nodes.map(Cidr::host).collect::<Vec<_>>(),
        groups: from.groups,
    };
    match allow(ec2, groups, (Direction::Ingress, port), &source) {
        true => None,
        false => Some(Direction::Ingress),
    }
}

/// One side of a connection, as the rules of the other see it.
struct Side<'a> {
    blocks: &'a [Cidr],
    groups: &'a [SecurityGroupId],
}

/// Whether some rule of some of `groups` allows TCP to `port` with `peer`. A group that does not exist allows nothing.
fn allow(
    ec2: &Ec2State,
    groups: &[SecurityGroupId],
    (direction, port): (Direction, u16),
    peer: &Side<'_>,
) -> bool {
    let covers = |block: Cidr| peer.blocks.iter().any(|its| block.covers(its));
    let allows = |rule: &SecurityGroupRule| match &rule.peer {
        Peer::Block(block) => covers(*block),
        Peer::PrefixList(id) => lookups::prefix_list_blocks(ec2, id).any(covers),
        Peer::Members(id) => peer.groups.contains(id),
    };
    let mut rules = rules(ec2, groups, direction);
    rules.any(|rule| rule.traffic.allows_tcp(port) && allows(rule))
}

fn rules<'a>(
    ec2: &'a Ec2State,
    groups: &'a [SecurityGroupId],
    direction: Direction,
) -> impl Iterator<Item = &'a SecurityGroupRule> {
    let groups = groups.iter().filter_map(|id| ec2.security_groups.get(id));
    let rules = groups.flat_map(|group| &group.rules);
    rules.filter(move |rule| rule.direction == direction)
}

/// The families of which the egress rules of a load balancer tell one address from another. Mostly none: they let out
/// everything, or what goes to the members of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Distinctions {
    ipv4: bool,
    ipv6: bool,
}

impl Distinctions {
    pub(crate) fn of(ec2: &Ec2State, from: &Origin<'_>) -> Self {
        let tells_apart = |any: Cidr| {
            let rules = || rules(ec2, from.groups, Direction::Egress);
            let names_some = |rule: &SecurityGroupRule| match &rule.peer {
                Peer::Block(block) => any.covers(block) && *block != any,
                Peer::PrefixList(_) => true,
                Peer::Members(_) => false,
            };
            let is_everything = |rule: &SecurityGroupRule| {
                rule.traffic == Traffic::All && rule.peer == Peer::Block(any)
            };
            rules().any(names_some) && !rules().any(is_everything)
        };
        Self {
            ipv4: tells_apart(Cidr::ANY_IPV4),
            ipv6: tells_apart(Cidr::ANY_IPV6),
        }
    }

    /// The addresses that are treated as this one is.
    pub(crate) fn block_of(self, address: IpAddr) -> Cidr {
        match address {
            IpAddr::V4(_) if !self.ipv4 => Cidr::ANY_IPV4,
            IpAddr::V6(_) if !self.ipv6 => Cidr::ANY_IPV6,
            _ => Cidr::host(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use model::ec2::{AddressFamily, PrefixList, PrefixListEntry, PrefixListId, Tags};

    use super::*;
    use crate::ec2::lookups::tests::{group, group_id, inventory};

    const TARGET: &str = "10.0.1.20";
    const EVERYWHERE: &str = "out -1 - - 0.0.0.0/0\nout -1 - - ::/0";
    const FROM_ANYONE: &str = "in -1 - - 0.0.0.0/0\nin -1 - - ::/0";

    /// The load balancer carries group 1, and 3, which has no rules; its nodes are 10.0.1.4, 10.0.2.4 and 2001:db8::4.
    /// The target, an instance if `is_instance`, carries group 2. List 1 has the target, list 2 the load balancer.
    fn judged(
        [of_load_balancer, of_target]: [&str; 2],
        (target, is_instance): (&str, bool),
        port: u16,
    ) -> Option<Direction> {
        let mut ec2 = inventory(
            vec![],
            vec![
                group(1, of_load_balancer),
                group(2, of_target),
                group(3, ""),
            ],
        );
        for (number, block) in [(1, "10.0.1.16/28"), (2, "10.0.1.0/28")] {
            let list = prefix_list(number, block);
            ec2.prefix_lists.insert(list.id.clone(), list.into());
        }
        let address: IpAddr = target.parse().unwrap();
        let (of_load_balancer, of_target) = ([group_id(1), group_id(3)], [group_id(2)]);
        let from = Origin {
            addresses: ["10.0.1.4", "10.0.2.4", "2001:db8::4"]
                .map(|node| node.parse().unwrap())
                .to_vec(),
            groups: &of_load_balancer,
        };
        let by = |block| {
            let groups = is_instance.then_some(&of_target[..]);
            denied_by(&ec2, &from, &Destination { block, groups }, port)
        };
        let verdict = by(Cidr::host(address));
        let shared = Distinctions::of(&ec2, &from).block_of(address);
        assert_eq!(by(shared), verdict, "{shared} stands for {target}");
        verdict
    }

    fn prefix_list(number: u64, block: &str) -> PrefixList {
        PrefixList {
            id: PrefixListId::from_bits(number),
            name: "list".to_owned(),
            family: AddressFamily::Ipv4,
            entries_max: 5,
            entries: vec![PrefixListEntry {
                cidr: block.parse().unwrap(),
                description: None,
            }],
            version: 1,
            is_modified: false,
            client_token: None,
            request_digest: None,
            tags: Tags::new(),
        }
    }

    #[test]
    fn packets_to_a_target_have_to_be_let_out() {
        for (rules, target, port, is_allowed) in [
            ("", TARGET, 80, false),
            (EVERYWHERE, TARGET, 80, true),
            (EVERYWHERE, "2001:db8::20", 80, true),
            ("out -1 - - 0.0.0.0/0", "2001:db8::20", 80, false),
            ("out -1 - - ::/0", TARGET, 80, false),
            ("out tcp 80 80 0.0.0.0/0", TARGET, 80, true),
            ("out tcp 80 80 0.0.0.0/0", TARGET, 81, false),
            ("out tcp 8000 9000 10.0.1.0/24", TARGET, 8080, true),
            ("out tcp 8000 9000 10.0.1.0/24", "10.0.2.20", 8080, false),
            ("out tcp 80 80 10.0.1.20/32", TARGET, 80, true),
            ("out tcp 80 80 2001:db8::/64", "2001:db8::20", 80, true),
            ("out udp 80 80 0.0.0.0/0", TARGET, 80, false),
            ("out icmp -1 -1 0.0.0.0/0", TARGET, 80, false),
            ("in -1 - - 0.0.0.0/0", TARGET, 80, false),
            ("out tcp 80 80 list 1", TARGET, 80, true),
            ("out tcp 80 80 list 2", TARGET, 80, false),
            ("out tcp 80 80 list 9", TARGET, 80, false),
        ] {
            let expected = (!is_allowed).then_some(Direction::Egress);
            for to in [(target, false), (target, true)] {
                let found = judged([rules, FROM_ANYONE], to, port);
                assert_eq!(found, expected, "{rules} to {to:?}:{port}");
            }
        }
    }

    #[test]
    fn members_of_a_group_are_the_instances_that_carry_it() {
        for (rules, is_instance, expected) in [
            ("out tcp 80 80 group 2", true, None),
            ("out tcp 80 80 group 2", false, Some(Direction::Egress)),
            ("out tcp 80 80 group 1", true, Some(Direction::Egress)),
        ] {
            let found = judged([rules, FROM_ANYONE], (TARGET, is_instance), 80);
            assert_eq!(found, expected, "{rules} {is_instance}");
        }
    }

    #[test]
    fn packets_to_an_instance_have_to_be_let_in() {
        let ipv6 = "2001:db8::20";
        for (rules, target, port, is_allowed) in [
            ("", TARGET, 80, false),
            (FROM_ANYONE, TARGET, 80, true),
            ("in -1 - - 10.0.1.4/32", TARGET, 80, true),
            ("in -1 - - 10.0.2.4/32", TARGET, 80, true), // Of another node.
            ("in -1 - - 10.0.3.0/24", TARGET, 80, false),
            ("in tcp 80 81 10.0.0.0/16", TARGET, 81, true),
            ("in tcp 80 81 10.0.0.0/16", TARGET, 82, false),
            ("in udp 80 80 10.0.0.0/16", TARGET, 80, false),
            ("in tcp 80 80 group 1", TARGET, 80, true),
            ("in tcp 80 80 group 3", TARGET, 80, true),
            ("in tcp 80 80 group 2", TARGET, 80, false), // Its own.
            ("in tcp 80 80 list 2", TARGET, 80, true),
            ("in tcp 80 80 list 1", TARGET, 80, false),
            ("out -1 - - 0.0.0.0/0", TARGET, 80, false),
            ("in tcp 80 80 2001:db8::/64", ipv6, 80, true),
            ("in tcp 80 80 2001:db8::/64", TARGET, 80, false),
            ("in tcp 80 80 10.0.0.0/16", ipv6, 80, false),
            ("in tcp 80 80 group 1", ipv6, 80, true),
        ] {
            let expected = (!is_allowed).then_some(Direction::Ingress);
            let found = judged([EVERYWHERE, rules], (target, true), port);
            assert_eq!(found, expected, "{rules} to {target}:{port}");
            let elsewhere = judged([EVERYWHERE, rules], (target, false), port);
            assert_eq!(elsewhere, None, "what is no instance has no groups");
        }
    }

    #[test]
    fn addresses_are_told_apart_only_by_rules_that_name_some() {
        for (rules, ipv4, ipv6) in [
            ("", false, false),
            (EVERYWHERE, false, false),
            (
                "out tcp 80 80 0.0.0.0/0\nout tcp 80 80 group 2",
                false,
                false,
            ),
            ("out tcp 80 80 10.0.0.0/8", true, false),
            ("out tcp 80 80 2001:db8::/32", false, true),
            ("out tcp 80 80 list 1", true, true),
            (
                "out -1 - - 0.0.0.0/0\nout tcp 80 80 10.0.0.0/8",
                false,
                false,
            ),
            ("out -1 - - 0.0.0.0/0\nout tcp 80 80 list 1", false, true),
        ] {
            let ec2 = inventory(vec![], vec![group(1, rules)]);
            let from = Origin {
                addresses: vec![],
                groups: &[group_id(1)],
            };
            let expected = Distinctions { ipv4, ipv6 };
            assert_eq!(Distinctions::of(&ec2, &from), expected, "{rules}");
        }
    }
}
