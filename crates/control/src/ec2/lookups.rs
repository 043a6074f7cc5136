//! Questions about the inventory that load balancers ask: where there is a free address, who may connect.
//!
//! Pure functions of the stored nouns. What load balancers hold is an argument, so that the inventory does
//! not depend on them.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use engine::Admission;
use model::Cidr;
use model::ec2::security_group::DEFAULT_GROUP_NAME;
use model::ec2::{
    Direction, Instance, InternetGateway, Peer, PrefixListId, SecurityGroup, SecurityGroupId,
    Subnet, SubnetId, Vpc, VpcId,
};

use crate::ec2::Ec2State;

/// What one load balancer holds in one subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// What stands after `loadbalancer/` in its ARN, such as `app/shop/50dc6c495c0c9188`.
    pub full_name: String,
    /// The subnet.
    pub subnet_id: SubnetId,
    /// Its address there.
    pub address: Ipv4Addr,
    /// The one of IPv6, if it has one.
    pub ipv6_address: Option<Ipv6Addr>,
    /// The security groups it carries.
    pub security_groups: Vec<SecurityGroupId>,
}

impl Holding {
    /// The addresses of both families.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<> {
        let ipv6 = self.ipv6_address.map(IpAddr::from);
        std::iter::once(self.address.into()).chain(ipv6)
    }
}

/// The VPC with this id.
#[must_use]
pub fn vpc<'a>(ec2: &'a Ec2State, id: &str) -> Option<&'a Arc<Vpc>> {
    ec2.vpcs.get(id)
}

/// The VPC that is meant where none is named. There is one from the first start on.
#[must_use]
pub fn default_vpc(ec2: &Ec2State) -> Option<&Arc<Vpc>> {
    ec2.vpcs.values().find(|vpc| vpc.is_default)
}

/// The gateway that is attached to this VPC.
#[must_use]
pub fn internet_gateway_of<'a>(
    ec2: &'a Ec2State,
    vpc_id: &VpcId,
) -> Option<&'a Arc<InternetGateway>> {
    let mut gateways = ec2.internet_gateways.values();
    gateways.find(|gateway| gateway.vpc_id.as_ref() == Some(vpc_id))
}

/// The subnet with this id.
#[must_use]
pub fn subnet<'a>(ec2: &'a Ec2State, id: &str) -> Option<&'a Arc<Subnet>> {
    ec2.subnets.get(id)
}

/// The subnet that holds `address`, usable or not.
#[must_use]
pub fn subnet_of(ec2: &Ec2State, address: IpAddr) -> Option<&Arc<Subnet>> {
    ec2.subnets
        .values()
        .find(|subnet| subnet.block_of(address).is_some())
}

/// Those of `usable`, the usable addresses of a subnet, that nobody has: no instance, and none of the load
/// balancers, whose addresses are `taken`.
pub fn free_addresses<'a, A: Copy + Into<IpAddr>>(
    ec2: &Ec2State,
    usable: impl Iterator<Item = A> + 'a,
    taken: &'a BTreeSet<IpAddr>,
) -> impl Iterator<Item = A> + 'a {
    let instances = instance_addresses(ec2);
    usable.filter(move |address| {
        let address = (*address).into();
        !instances.contains(&address) && !taken.contains(&address)
    })
}

/// How many addresses of IPv4 in `subnet` nobody has; see `free_addresses`.
#[must_use]
pub fn free_address_count(ec2: &Ec2State, subnet: &Subnet, taken: &BTreeSet<IpAddr>) -> u32 {
    let mut held = instance_addresses(ec2);
    held.extend(taken);
    let here = held
        .into_iter()
        .filter(|address| address.is_ipv4() && subnet.is_usable(*address))
        .count();
    subnet
        .usable_count()
        .saturating_sub(u32::try_from(here).unwrap_or(u32::MAX))
}

/// The addresses of all instances that are not terminated.
#[must_use]
pub fn instance_addresses(ec2: &Ec2State) -> BTreeSet<IpAddr> {
    let holding = ec2
        .instances
        .values()
        .filter(|instance| instance.holds_address());
    holding.flat_map(|instance| instance.addresses()).collect()
}

/// The security group with this id.
#[must_use]
pub fn security_group<'a>(ec2: &'a Ec2State, id: &str) -> Option<&'a Arc<SecurityGroup>> {
    ec2.security_groups.get(id)
}

/// The group called `default` of a VPC, which is carried by what names no other.
#[must_use]
pub fn default_security_group<'a>(
    ec2: &'a Ec2State,
    vpc_id: &str,
) -> Option<&'a Arc<SecurityGroup>> {
    ec2.security_groups
        .values()
        .find(|group| group.vpc_id.as_str() == vpc_id && group.name == DEFAULT_GROUP_NAME)
}

/// The instance with this id, running or terminated a short while ago.
#[must_use]
pub fn instance<'a>(ec2: &'a Ec2State, id: &str) -> Option<&'a Arc<Instance>> {
    ec2.instances.get(id)
}

/// Who may open a TCP connection to `port` of something that carries `groups`.
///
/// A source is allowed if some ingress rule of some group allows it. A rule that names a group allows the
/// private addresses of everything that carries that group: instances, and the load balancers in
/// `holdings`. The result is sorted, without repetitions and without blocks inside other blocks, so that
/// equal rules give equal admissions; it is `Anyone` if all of IPv4 and all of IPv6 are allowed. A group that
/// does not exist allows nothing.
#[must_use]
pub fn allowed_sources(
    ec2: &Ec2State,
    groups: &[SecurityGroupId],
    port: u16,
    holdings: &[Holding],
) -> Admission {
    let mut blocks = BTreeSet::new();
    let rules = groups
        .iter()
        .filter_map(|id| ec2.security_groups.get(id))
        .flat_map(|group| &group.rules)
        .filter(|rule| rule.direction == Direction::Ingress && rule.traffic.allows_tcp(port));
    for rule in rules {
        match &rule.peer {
            Peer::Block(block) => {
                blocks.insert(*block);
            }
            Peer::PrefixList(id) => blocks.extend(prefix_list_blocks(ec2, id)),
            Peer::Members(id) => blocks.extend(member_addresses(ec2, id, holdings).map(Cidr::host)),
        }
    }
    match [Cidr::ANY_IPV4, Cidr::ANY_IPV6]
        .iter()
        .all(|any| blocks.contains(any))
    {
        true => Admission::Anyone,
        false => Admission::Only(widest(blocks)),
    }
}

/// The blocks of the prefix list `id`.
pub(crate) fn prefix_list_blocks<'a>(
    ec2: &'a Ec2State,
    id: &PrefixListId,
) -> impl Iterator<Item = Cidr> + use<'a> {
    let entries = ec2.prefix_lists.get(id).map(|list| &list.entries);
    entries.into_iter().flatten().map(|entry| entry.cidr)
}

/// The private addresses of everything that carries the group `id`.
fn member_addresses<'a>(
    ec2: &'a Ec2State,
    id: &'a SecurityGroupId,
    holdings: &'a [Holding],
) -> impl Iterator<Item = IpAddr> + 'a {
    let instances = ec2
        .instances
        .values()
        .filter(move |instance| instance.holds_address() && instance.security_groups.contains(id))
        .flat_map(|instance| instance.addresses());
    let load_balancers = holdings
        .iter()
        .filter(move |holding| holding.security_groups.contains(id))
        .flat_map(Holding::addresses);
    instances.chain(load_balancers)
}

/// `blocks` without those that lie in others of them, in ascending order.
fn widest(blocks: BTreeSet<Cidr>) -> Vec<Cidr> {
    let mut blocks: Vec<_> = blocks.into_iter().collect();
    // A block sorts right before all that it covers.
    blocks.dedup_by(|block, before| before.covers(block));
    blocks
}

#[cfg(test)]
pub(crate) mod tests {
    use model::ec2::{
        InstanceId, InstanceProtection, InstanceState, ReservationId, SecurityGroupRule,
        SecurityGroupRuleId, Tags, Traffic, Zone,
    };

    use super::*;

    /// One subnet, 10.0.1.0/28.
    fn subnet() -> Subnet {
        Subnet {
            id: SubnetId::from_bits(1),
            vpc_id: VpcId::from_bits(1),
            cidr: "10.0.1.0/28".parse().unwrap(),
            ipv6_block: None,
            zone: Zone::new("us-east-1a", "us-east-1", 1),
            is_default_for_zone: true,
            maps_public_address: false,
            tags: Tags::new(),
        }
    }

    pub(crate) fn group_id(number: u64) -> SecurityGroupId {
        SecurityGroupId::from_bits(number)
    }

    fn instance(number: u64, address: &str, groups: &[u64], is_running: bool) -> Instance {
        let subnet = subnet();
        Instance {
            id: InstanceId::from_bits(number),
            reservation_id: ReservationId::from_bits(number),
            launch_index: 0,
            private_address: address.parse().unwrap(),
            ipv6_address: None,
            subnet_id: subnet.id,
            vpc_id: subnet.vpc_id,
            zone: subnet.zone,
            state: match is_running {
                true => InstanceState::Running,
                false => InstanceState::Terminated { at_millis: 0 },
            },
            image_id: None,
            instance_type: None,
            cpu_credits: None,
            security_groups: groups.iter().map(|group| group_id(*group)).collect(),
            launched_at_millis: 0,
            started_at_millis: None,
            protection: InstanceProtection::default(),
            client_token: None,
            request_digest: None,
            tags: Tags::new(),
        }
    }

    pub(crate) fn inventory(instances: Vec<Instance>, groups: Vec<SecurityGroup>) -> Ec2State {
        Ec2State {
            instances: instances
                .into_iter()
                .map(|it| (it.id.clone(), Arc::new(it)))
                .collect(),
            security_groups: groups
                .into_iter()
                .map(|it| (it.id.clone(), Arc::new(it)))
                .collect(),
            ..Ec2State::default()
        }
    }

    /// A group with the rules in `text`, one a line: direction, protocol, first and last port, and a block,
    /// `group NUMBER` or `list NUMBER`.
    pub(crate) fn group(number: u64, text: &str) -> SecurityGroup {
        let rule = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let port = |at: usize| words[at].parse().ok();
            SecurityGroupRule {
                id: SecurityGroupRuleId::from_bits(1),
                direction: match words[0] {
                    "in" => Direction::Ingress,
                    "out" => Direction::Egress,
                    other => panic!("{other} is no direction"),
                },
                traffic: Traffic::parse(words[1], port(2), port(3)).unwrap(),
                peer: match words[4] {
                    "group" => Peer::Members(group_id(words[5].parse().unwrap())),
                    "list" => Peer::PrefixList(PrefixListId::from_bits(words[5].parse().unwrap())),
                    block => Peer::Block(block.parse().unwrap()),
                },
                description: None,
                tags: Tags::new(),
            }
        };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        SecurityGroup {
            id: group_id(number),
            name: format!("group {number}"),
            description: String::new(),
            vpc_id: VpcId::from_bits(1),
            rules: lines.map(rule).collect(),
            tags: Tags::new(),
        }
    }

    #[test]
    fn addresses_are_free_that_nobody_has() {
        let ec2 = inventory(
            vec![
                instance(1, "10.0.1.6", &[], true),
                instance(2, "10.0.1.7", &[], false),
            ],
            vec![],
        );
        let taken = ["10.0.1.4", "10.0.1.12", "10.9.9.9"]
            .map(|text| text.parse().unwrap())
            .into();
        let free: Vec<u8> = free_addresses(&ec2, subnet().usable_addresses(), &taken)
            .map(|it| it.octets()[3])
            .collect();
        assert_eq!(
            free,
            [5, 7, 8, 9, 10, 11, 13, 14],
            "0 to 3 and 15 belong to the network"
        );
        assert_eq!(free_address_count(&ec2, &subnet(), &taken), 8);
    }

    /// Group 1 has `rules`; 2 is carried by an instance that runs, one that does not, and a load balancer.
    fn check(rules: &str, port: u16, expected: &[&str]) {
        let ec2 = inventory(
            vec![
                instance(1, "10.0.1.6", &[9, 2], true),
                instance(2, "10.0.1.7", &[2], false),
            ],
            vec![group(1, rules), group(2, "")],
        );
        let holding = |address: &str, group| Holding {
            full_name: "app/a/1".to_owned(),
            subnet_id: subnet().id,
            address: address.parse().unwrap(),
            ipv6_address: Some("2001:db8::a".parse().unwrap()).filter(|_| group == 1),
            security_groups: vec![group_id(group)],
        };
        let holdings = [holding("10.0.1.10", 2), holding("10.0.1.11", 1)];
        let found = allowed_sources(&ec2, &[group_id(1), group_id(7)], port, &holdings);
        let expected = match expected {
            ["anyone"] => Admission::Anyone,
            blocks => Admission::Only(blocks.iter().map(|block| block.parse().unwrap()).collect()),
        };
        assert_eq!(found, expected, "{rules} on port {port}");
    }

    #[test]
    fn sources_are_allowed_by_the_ingress_rules_for_the_port() {
        check("", 80, &[]);
        check("in tcp 80 80 10.1.0.0/16", 80, &["10.1.0.0/16"]);
        check("in tcp 80 80 10.1.0.0/16", 81, &[]);
        check("in tcp 8000 9000 10.1.0.0/16", 8080, &["10.1.0.0/16"]);
        check("in -1 - - 10.1.0.0/16", 80, &["10.1.0.0/16"]);
        check("in udp 80 80 10.1.0.0/16", 80, &[]);
        check("in icmp -1 -1 10.1.0.0/16", 80, &[]);
        check("out tcp 80 80 10.1.0.0/16", 80, &[]);
        check("in tcp 80 80 2001:db8::/32", 80, &["2001:db8::/32"]);
    }

    #[test]
    fn all_of_both_families_is_anyone() {
        let all_of_ipv4 = "in tcp 80 80 10.1.0.0/16\nin tcp 80 80 0.0.0.0/0";
        check(all_of_ipv4, 80, &["0.0.0.0/0"]);
        check("in tcp 80 80 ::/0", 80, &["::/0"]);
        check(
            &format!("{all_of_ipv4}\nin tcp 80 80 ::/0"),
            80,
            &["anyone"],
        );
    }

    #[test]
    fn a_group_stands_for_the_addresses_of_its_members() {
        check("in tcp 80 80 group 2", 80, &["10.0.1.6/32", "10.0.1.10/32"]);
        check(
            "in tcp 80 80 group 1",
            80,
            &["10.0.1.11/32", "2001:db8::a/128"],
        );
        check("in tcp 80 80 group 5", 80, &[]);
    }

    #[test]
    fn equal_rules_give_equal_admissions() {
        let blocks = ["10.0.1.0/28", "10.1.0.0/16"];
        check(
            "in tcp 80 80 10.1.2.0/24\nin tcp 80 80 10.1.0.0/16\nin tcp 1 99 10.1.0.0/16
             in tcp 80 80 group 2\nin tcp 80 80 10.0.1.0/28",
            80,
            &blocks,
        );
        check(
            "in tcp 80 80 10.0.1.0/28\nin tcp 80 80 10.1.0.0/16",
            80,
            &blocks,
        );
    }
}
