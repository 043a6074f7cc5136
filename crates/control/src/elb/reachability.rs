//! Whether security groups let a load balancer connect to a target. What is compiled for the data plane and what
//! operators are told both come from here.
//!
//! A load balancer is judged as one: a rule that admits the address of one of its nodes admits all of them.
//! Source: ALB guide, "Security groups for your Application Load Balancer"; Amazon VPC User Guide, "Security group
//! rules".

use std::cmp::Reverse;
use std::net::IpAddr;

use model::Cidr;
use model::ec2::{Direction, Peer, SecurityGroupId, SecurityGroupRule, Traffic};
use model::load_balancer::{LoadBalancer, LoadBalancerZone};

use crate::ec2::{Ec2State, lookups};

/// A load balancer, as far as rules tell it from others.
pub(crate) struct Origin<'a> {
    /// The private addresses of its nodes, by family.
    ipv4_nodes: Vec<Cidr>,
    ipv6_nodes: Vec<Cidr>,
    /// The security groups it carries.
    groups: &'a [SecurityGroupId],
}

impl<'a> Origin<'a> {
    pub(crate) fn of(load_balancer: &'a LoadBalancer) -> Self {
        let zones = load_balancer.zones.iter();
        let addresses = zones.flat_map(LoadBalancerZone::addresses);
        Self::new(addresses, &load_balancer.security_groups)
    }

    fn new(addresses: impl Iterator<Item = IpAddr>, groups: &'a [SecurityGroupId]) -> Self {
        let (ipv4, ipv6): (Vec<_>, Vec<_>) = addresses.partition(IpAddr::is_ipv4);
        let blocks = |nodes: Vec<_>| nodes.into_iter().map(Cidr::host).collect();
        Self {
            ipv4_nodes: blocks(ipv4),
            ipv6_nodes: blocks(ipv6),
            groups,
        }
    }
}

/// Where a connection goes, as far as rules tell it from others.
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
    let source = Side {
        // A target and a node of different families never speak with each other.
        blocks: match to.block.network() {
            IpAddr::V4(_) => &from.ipv4_nodes,
            IpAddr::V6(_) => &from.ipv6_nodes,
        },
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

/// The blocks by which the egress rules of a load balancer tell one address from another, the narrowest first. Mostly
/// none: they let out everything, or what goes to the members of a group.
#[derive(PartialEq, Eq)]
pub(crate) struct Distinctions(Vec<Cidr>);

impl Distinctions {
    pub(crate) fn of(ec2: &Ec2State, from: &Origin<'_>) -> Self {
        let rules = || rules(ec2, from.groups, Direction::Egress);
        let is_everything = |any| {
            let all = |rule: &SecurityGroupRule| {
                rule.traffic == Traffic::All && rule.peer == Peer::Block(any)
            };
            rules().any(all)
        };
        let (all_ipv4, all_ipv6) = (is_everything(Cidr::ANY_IPV4), is_everything(Cidr::ANY_IPV6));
        let mut blocks = Vec::new();
        for rule in rules() {
            match &rule.peer {
                Peer::Block(block) => blocks.push(*block),
                Peer::PrefixList(id) => blocks.extend(lookups::prefix_list_blocks(ec2, id)),
                Peer::Members(_) => {}
            }
        }
        blocks.retain(|block| match block.network() {
            IpAddr::V4(_) => !all_ipv4,
            IpAddr::V6(_) => !all_ipv6,
        });
        blocks.sort_unstable_by_key(|block| (Reverse(block.prefix_length()), *block));
        blocks.dedup();
        Self(blocks)
    }

    /// The addresses that are treated as this one is, and itself: the narrowest block that has it. As blocks overlap
    /// only if one covers the other, all that have this one have that one whole.
    pub(crate) fn block_of(&self, address: IpAddr) -> Cidr {
        let any = match address {
            IpAddr::V4(_) => Cidr::ANY_IPV4,
            IpAddr::V6(_) => Cidr::ANY_IPV6,
        };
        let narrowest = self.0.iter().find(|block| block.contains(address));
        narrowest.copied().unwrap_or(any)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::iter;

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
        let nodes = ["10.0.1.4", "10.0.2.4", "2001:db8::4"];
        let nodes = nodes.iter().map(|node| node.parse().unwrap());
        let from = Origin::new(nodes, &of_load_balancer);
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
        let everything = ["0.0.0.0/0", "::/0"];
        for (rules, expected) in [
            ("", everything.to_vec()),
            (EVERYWHERE, everything.to_vec()),
            (
                "out tcp 80 80 0.0.0.0/0\nout tcp 80 80 group 2",
                everything.to_vec(),
            ),
            (
                "out tcp 80 80 10.0.1.0/24",
                vec!["0.0.0.0/0", "10.0.1.0/24", "::/0"],
            ),
            (
                "out tcp 80 80 2001:db8::/126",
                vec!["0.0.0.0/0", "::/0", "2001:db8::/126"],
            ),
            (
                "out tcp 80 80 10.0.1.0/24\nout tcp 81 81 10.0.0.0/16\nout tcp 82 82 10.0.1.20/32\n\
                 out tcp 83 83 10.0.1.0/24\nout tcp 84 84 list 1\nout udp 80 80 10.0.2.0/24",
                vec![
                    "10.0.0.0/16",
                    "10.0.1.0/24",
                    "10.0.1.16/28",
                    "10.0.1.20/32",
                    "10.0.2.0/24",
                    "::/0",
                ],
            ),
            (
                "out -1 - - 0.0.0.0/0\nout tcp 80 80 10.0.1.0/24\nout tcp 80 80 list 1",
                everything.to_vec(),
            ),
        ] {
            let mut ec2 = inventory(vec![], vec![group(1, rules)]);
            let list = prefix_list(1, "10.0.1.16/28");
            ec2.prefix_lists.insert(list.id.clone(), list.into());
            let groups = [group_id(1)];
            let from = Origin::new(iter::empty(), &groups);
            let distinctions = Distinctions::of(&ec2, &from);
            let ipv4 = (0..1024_u32).map(|last| IpAddr::V4((0x0a00_0000 | last).into()));
            let ipv6 = (0..8).map(|last| IpAddr::V6([0x2001, 0xdb8, 0, 0, 0, 0, 0, last].into()));
            let mut found = BTreeSet::new();
            for address in ipv4.chain(ipv6) {
                let shared = distinctions.block_of(address);
                found.insert(shared);
                for port in 80..=85 {
                    let by = |block| {
                        let groups = None;
                        denied_by(&ec2, &from, &Destination { block, groups }, port)
                    };
                    let alone = by(Cidr::host(address));
                    assert_eq!(by(shared), alone, "{rules}: {shared} for {address}:{port}");
                }
            }
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{rules}");
        }
    }
}
