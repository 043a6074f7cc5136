//! Whatever the changes were and in whatever order: what is served is what a start from nothing would serve.

use std::sync::Arc;

use control::ec2::Run;
use control::ec2::instance_attributes::{InstanceChange, ModifyInstanceAttribute};
use control::ec2::prefix_lists::{CreateManagedPrefixList, EntryInput, ModifyManagedPrefixList};
use control::ec2::security_group_rules::{
    AuthorizeSecurityGroup, DescribeSecurityGroupRules, GroupPair, IpPermission,
    PrefixListReference, RevokeSecurityGroup,
};
use control::ec2::security_groups::CreateSecurityGroup;
use control::elb::delete_listener::DeleteListener;
use control::elb::delete_load_balancer::DeleteLoadBalancer;
use control::elb::delete_rule::DeleteRule;
use control::elb::deregister_targets::DeregisterTargets;
use control::elb::listener_attributes::ModifyListenerAttributes;
use control::elb::load_balancer_attributes::ModifyLoadBalancerAttributes;
use control::elb::modify_listener::ModifyListener;
use control::elb::modify_rule::ModifyRule;
use control::elb::set_ip_address_type::SetIpAddressType;
use control::elb::set_security_groups::SetSecurityGroups;
use control::elb::tags::{AddTags, RemoveTags};
use control::elb::target_group_attributes::ModifyTargetGroupAttributes;
use control::zonal_shift::cancel_zonal_shift::CancelZonalShift;
use control::zonal_shift::start_zonal_shift::StartZonalShift;
use model::ec2::Direction;
use model::listener::Listener;
use model::load_balancer::LoadBalancer;
use model::protocol::IpAddressType;
use model::target_group::TargetType;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::described::described;
use crate::support::{
    Fixture, fixed, fixture_with, forward, group_reference, listener_input, pairs, path_condition,
    permission, rule_input, target,
};
use crate::tls_listeners::{secure, tls};

/// The tag of rules that is set and removed.
const TAG: &str = "elbow:request-header.set.1";

/// One call. What it is about is drawn from what there is.
#[derive(Clone, Debug)]
enum Change {
    CreateLoadBalancer,
    DeleteLoadBalancer(Index),
    SetTimeouts(Index, u16),
    SetAddressType(Index, IpAddressType),
    /// Has a load balancer carry the group of clients, alone or beside its own.
    SetGroups(Index, bool),
    StartShift(Index, u8),
    CancelShift(Index),
    /// Lets a block in to one port.
    Authorize(u8, u8),
    /// Lets members of the group of clients in to one port.
    AuthorizeClients(u8),
    Revoke(Index),
    /// Lets TCP to targets through: a direction, whether for the group of clients, and who.
    Open(Direction, bool, PeerOfTargets),
    /// Takes away everything that lets out of, or into, a group.
    Close(Direction, bool),
    /// Adds a block to the prefix list, or removes it.
    EditList(u8, bool),
    CreateGroup {
        of_addresses: bool,
    },
    SetCrossZone(Index, bool),
    CreateListener(Index, Option<Index>),
    CreateSecureListener(Index),
    MoveListener(Index, u8),
    SetServerField(Index, bool),
    DeleteListener(Index),
    CreateRule(Index, Option<Index>),
    ForwardTo(Index, Index),
    SetPath(Index, u8),
    TagRule(Index, u8),
    UntagRule(Index),
    DeleteRule(Index),
    StartInstance(u8),
    JoinClients(Index, bool),
    TerminateInstance(Index),
    RegisterInstance(Index, Index),
    RegisterAddress(Index, u8),
    Deregister(Index, Index),
    FinishDrains,
}

/// Whom a rule about targets names.
#[derive(Clone, Copy, Debug)]
enum PeerOfTargets {
    Everyone,
    /// Some of the first addresses of a subnet: for ingress those that load balancers get, for egress half of those that
    /// targets have.
    FirstAddresses,
    /// What the prefix list has.
    List,
    /// The members of the group of clients, or of that of load balancers.
    Members {
        of_clients: bool,
    },
}

fn peer_of_targets() -> impl Strategy<Value = PeerOfTargets> {
    prop_oneof![
        Just(PeerOfTargets::Everyone),
        Just(PeerOfTargets::FirstAddresses),
        Just(PeerOfTargets::List),
        any::<bool>().prop_map(|of_clients| PeerOfTargets::Members { of_clients }),
    ]
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Ingress), Just(Direction::Egress)]
}

/// Few, so that rules of groups and listeners meet.
fn ports() -> std::ops::Range<u8> {
    200..204
}

fn address_type() -> impl Strategy<Value = IpAddressType> {
    prop_oneof![Just(IpAddressType::Ipv4), Just(IpAddressType::Dualstack)]
}

fn change() -> impl Strategy<Value = Change> {
    use Change as C;
    let index = any::<Index>;
    let maybe = || proptest::option::of(any::<Index>());
    prop_oneof![
        1 => Just(C::CreateLoadBalancer),
        1 => index().prop_map(C::DeleteLoadBalancer),
        1 => (index(), 60..4000_u16).prop_map(|(which, seconds)| C::SetTimeouts(which, seconds)),
        1 => (index(), address_type()).prop_map(|(which, new)| C::SetAddressType(which, new)),
        1 => (index(), any::<bool>()).prop_map(|(which, beside)| C::SetGroups(which, beside)),
        1 => (index(), 1..3_u8).prop_map(|(which, zone)| C::StartShift(which, zone)),
        1 => index().prop_map(C::CancelShift),
        2 => (ports(), 0..4_u8).prop_map(|(port, block)| C::Authorize(port, block)),
        1 => ports().prop_map(C::AuthorizeClients),
        1 => index().prop_map(C::Revoke),
        2 => (direction(), any::<bool>(), peer_of_targets())
            .prop_map(|(direction, of_clients, peer)| C::Open(direction, of_clients, peer)),
        2 => (direction(), any::<bool>()).prop_map(|(direction, of_clients)| C::Close(direction, of_clients)),
        1 => (0..4_u8, any::<bool>()).prop_map(|(block, is_added)| C::EditList(block, is_added)),
        1 => any::<bool>().prop_map(|of_addresses| C::CreateGroup { of_addresses }),
        1 => (index(), any::<bool>()).prop_map(|(which, is_on)| C::SetCrossZone(which, is_on)),
        3 => (index(), maybe()).prop_map(|(owner, group)| C::CreateListener(owner, group)),
        1 => index().prop_map(C::CreateSecureListener),
        2 => (index(), ports()).prop_map(|(which, port)| C::MoveListener(which, port)),
        1 => (index(), any::<bool>()).prop_map(|(which, is_on)| C::SetServerField(which, is_on)),
        1 => index().prop_map(C::DeleteListener),
        3 => (index(), maybe()).prop_map(|(owner, group)| C::CreateRule(owner, group)),
        1 => (index(), index()).prop_map(|(rule, group)| C::ForwardTo(rule, group)),
        1 => (index(), 0..120_u8).prop_map(|(rule, path)| C::SetPath(rule, path)),
        1 => (index(), 0..3_u8).prop_map(|(rule, value)| C::TagRule(rule, value)),
        1 => index().prop_map(C::UntagRule),
        1 => index().prop_map(C::DeleteRule),
        2 => (100..140_u8).prop_map(C::StartInstance),
        1 => (index(), any::<bool>()).prop_map(|(which, joins)| C::JoinClients(which, joins)),
        1 => index().prop_map(C::TerminateInstance),
        3 => (index(), index()).prop_map(|(group, which)| C::RegisterInstance(group, which)),
        // The first addresses are those that load balancers get; instances have those from 100 on.
        3 => (index(), prop_oneof![4..12_u8, 100..106_u8]).prop_map(|(group, last)| C::RegisterAddress(group, last)),
        1 => (index(), index()).prop_map(|(group, which)| C::Deregister(group, which)),
        1 => Just(C::FinishDrains),
    ]
}

/// What the calls so far have made, some of it deleted since.
#[derive(Default)]
struct Made {
    load_balancers: Vec<Arc<LoadBalancer>>,
    listeners: Vec<Arc<Listener>>,
    rules: Vec<String>,
    groups: Vec<String>,
    instances: Vec<String>,
    targets: Vec<String>,
    shifts: Vec<String>,
    permissions: Vec<Vec<IpPermission>>,
    /// The group that all load balancers carry.
    web: String,
    /// The group that some instances carry.
    clients: String,
    certificate: String,
    /// The prefix list that some rules name, and its version.
    list: (String, i64),
    /// For names, ports and priorities.
    number: i32,
}

fn pick<'a, T>(all: &'a [T], index: &Index) -> Option<&'a T> {
    (!all.is_empty()).then(|| index.get(all))
}

impl Made {
    async fn new(fixture: &Fixture) -> Self {
        let group = async |name: &str| {
            let request = CreateSecurityGroup {
                group_name: Some(name.to_owned()),
                description: Some("for a test".to_owned()),
                ..CreateSecurityGroup::default()
            };
            let ec2 = fixture.control.ec2(Run::Wet);
            let made = ec2.create_security_group(request).await;
            made.unwrap().id.to_string()
        };
        let request = CreateManagedPrefixList {
            name: "list".to_owned(),
            family: "IPv4".to_owned(),
            entries_max: Some(4),
            ..CreateManagedPrefixList::default()
        };
        let ec2 = fixture.control.ec2(Run::Wet);
        let list = ec2.create_managed_prefix_list(request).await.unwrap();
        Self {
            list: (list.id.to_string(), 1),
            web: group("web").await,
            clients: group("clients").await,
            certificate: fixture.certificate("shop").await,
            ..Self::default()
        }
    }

    fn group(&self, of_clients: bool) -> &str {
        match of_clients {
            true => &self.clients,
            false => &self.web,
        }
    }

    async fn authorize(&mut self, fixture: &Fixture, permissions: Vec<IpPermission>) -> Option<()> {
        let request = AuthorizeSecurityGroup {
            group: group_reference(&self.web),
            direction: Direction::Ingress,
            permissions: permissions.clone(),
            tag_specifications: vec![],
        };
        let ec2 = fixture.control.ec2(Run::Wet);
        ec2.authorize_security_group(request).await.ok()?;
        self.permissions.push(permissions);
        Some(())
    }

    /// Makes the call. One that is refused, because what it is about is gone or in use, changes nothing.
    async fn apply(&mut self, fixture: &Fixture, change: &Change) -> Option<()> {
        let control = &fixture.control;
        self.number += 1;
        let number = self.number;
        let action = |group: Option<&String>| group.map_or_else(|| fixed("200"), |it| forward(it));
        match change {
            Change::CreateLoadBalancer => {
                let mut input = fixture.load_balancer_input(&format!("lb-{number}"));
                input.security_groups = vec![self.web.clone()];
                let made = control.create_load_balancer(input).await.ok()?;
                let input = ModifyLoadBalancerAttributes {
                    load_balancer_arn: made.load_balancer.arn.to_string(),
                    attributes: pairs(&[("zonal_shift.config.enabled", "true")]),
                };
                control.modify_load_balancer_attributes(input).await.ok()?;
                self.load_balancers.push(made.load_balancer);
            }
            Change::DeleteLoadBalancer(which) => {
                let load_balancer_arn = pick(&self.load_balancers, which)?.arn.to_string();
                let input = DeleteLoadBalancer { load_balancer_arn };
                control.delete_load_balancer(input).await.ok()?;
            }
            Change::SetTimeouts(which, seconds) => {
                let (idle, keep_alive) = (seconds.to_string(), (seconds + 1).to_string());
                let input = ModifyLoadBalancerAttributes {
                    load_balancer_arn: pick(&self.load_balancers, which)?.arn.to_string(),
                    attributes: pairs(&[
                        ("idle_timeout.timeout_seconds", &idle),
                        ("client_keep_alive.seconds", &keep_alive),
                    ]),
                };
                control.modify_load_balancer_attributes(input).await.ok()?;
            }
            Change::SetAddressType(which, ip_address_type) => {
                let input = SetIpAddressType {
                    load_balancer_arn: pick(&self.load_balancers, which)?.arn.to_string(),
                    ip_address_type: *ip_address_type,
                };
                control.set_ip_address_type(input).await.ok()?;
            }
            Change::SetGroups(which, beside) => {
                let mut security_groups = vec![self.clients.clone()];
                security_groups.extend(beside.then(|| self.web.clone()));
                let input = SetSecurityGroups {
                    load_balancer_arn: pick(&self.load_balancers, which)?.arn.to_string(),
                    security_groups,
                    enforce_on_private_link_traffic: None,
                };
                control.set_security_groups(input).await.ok()?;
            }
            Change::StartShift(which, zone) => {
                let input = StartZonalShift {
                    resource_identifier: pick(&self.load_balancers, which)?.arn.to_string(),
                    away_from: format!("use1-az{zone}"),
                    expires_in: "72h".to_owned(),
                    comment: "for a test".to_owned(),
                };
                let started = control.start_zonal_shift(input).await.ok()?;
                self.shifts.push(started.shift.id.to_string());
            }
            Change::CancelShift(which) => {
                let zonal_shift_id = pick(&self.shifts, which)?.clone();
                let input = CancelZonalShift { zonal_shift_id };
                control.cancel_zonal_shift(input).await.ok()?;
            }
            Change::Authorize(port, block) => {
                let permissions = permission((*port).into(), &format!("10.{block}.0.0/16"));
                self.authorize(fixture, permissions).await?;
            }
            Change::AuthorizeClients(port) => {
                let pair = GroupPair {
                    group: group_reference(&self.clients),
                    ..GroupPair::default()
                };
                let mut permissions = permission((*port).into(), "10.0.0.0/16");
                permissions[0].ipv4_ranges.clear();
                permissions[0].groups = vec![pair];
                self.authorize(fixture, permissions).await?;
            }
            Change::Revoke(which) => {
                let request = RevokeSecurityGroup {
                    group: group_reference(&self.web),
                    direction: Direction::Ingress,
                    permissions: pick(&self.permissions, which)?.clone(),
                    rule_ids: vec![],
                };
                let ec2 = control.ec2(Run::Wet);
                ec2.revoke_security_group(request).await.ok()?;
            }
            Change::Open(direction, of_clients, peer) => {
                let mut permissions = permission(8080, "0.0.0.0/0");
                match peer {
                    PeerOfTargets::Everyone => {}
                    PeerOfTargets::FirstAddresses => {
                        let block = match direction {
                            Direction::Ingress => "127.65.1.0/28",
                            Direction::Egress => "127.65.1.0/29",
                        };
                        permissions = permission(8080, block);
                    }
                    PeerOfTargets::List => {
                        permissions[0].ipv4_ranges.clear();
                        permissions[0].prefix_lists = vec![PrefixListReference {
                            id: self.list.0.clone(),
                            description: None,
                        }];
                    }
                    PeerOfTargets::Members { of_clients } => {
                        permissions[0].ipv4_ranges.clear();
                        permissions[0].groups = vec![GroupPair {
                            group: group_reference(self.group(*of_clients)),
                            ..GroupPair::default()
                        }];
                    }
                }
                let request = AuthorizeSecurityGroup {
                    group: group_reference(self.group(*of_clients)),
                    direction: *direction,
                    permissions,
                    tag_specifications: vec![],
                };
                let ec2 = control.ec2(Run::Wet);
                ec2.authorize_security_group(request).await.ok()?;
            }
            Change::Close(direction, of_clients) => {
                let group = self.group(*of_clients).to_owned();
                let ec2 = control.ec2(Run::Wet);
                let rules = ec2
                    .describe_security_group_rules(&DescribeSecurityGroupRules::default())
                    .unwrap();
                let of_it = rules
                    .items
                    .into_iter()
                    .filter(|it| it.group_id.as_str() == group && it.rule.direction == *direction);
                let request = RevokeSecurityGroup {
                    group: group_reference(&group),
                    direction: *direction,
                    permissions: vec![],
                    rule_ids: of_it.map(|it| it.rule.id.to_string()).collect(),
                };
                ec2.revoke_security_group(request).await.ok()?;
            }
            Change::EditList(block, is_added) => {
                // Of the addresses of load balancers, of instances, and of neither.
                let cidr = [
                    "127.65.1.8/29",
                    "127.65.1.96/28",
                    "127.65.0.0/16",
                    "10.0.0.0/8",
                ][usize::from(*block)]
                .to_owned();
                let mut request = ModifyManagedPrefixList {
                    prefix_list_id: self.list.0.clone(),
                    current_version: Some(self.list.1),
                    ..ModifyManagedPrefixList::default()
                };
                match is_added {
                    true => request.add.push(EntryInput {
                        cidr,
                        description: None,
                    }),
                    false => request.remove.push(cidr),
                }
                let ec2 = control.ec2(Run::Wet);
                ec2.modify_managed_prefix_list(request).await.ok()?;
                self.list.1 += 1;
            }
            Change::CreateGroup { of_addresses } => {
                let mut input = fixture.target_group_input(&format!("group-{number}"));
                input.target_type = of_addresses.then_some(TargetType::Ip);
                let made = control.create_target_group(input).await.ok()?;
                self.groups.push(made.target_group.arn.to_string());
            }
            Change::SetCrossZone(which, is_on) => {
                let value = is_on.to_string();
                let input = ModifyTargetGroupAttributes {
                    target_group_arn: pick(&self.groups, which)?.clone(),
                    attributes: pairs(&[("load_balancing.cross_zone.enabled", &value)]),
                };
                control.modify_target_group_attributes(input).await.ok()?;
            }
            Change::CreateListener(owner, group) => {
                let group = group.as_ref().and_then(|group| pick(&self.groups, group));
                let owner = pick(&self.load_balancers, owner)?;
                let input = listener_input(owner, number, action(group));
                self.listeners
                    .push(control.create_listener(input).await.ok()?);
            }
            Change::CreateSecureListener(owner) => {
                let owner = pick(&self.load_balancers, owner)?;
                let input = secure(owner, number, tls(&self.certificate));
                self.listeners
                    .push(control.create_listener(input).await.ok()?);
            }
            Change::MoveListener(which, port) => {
                let input = ModifyListener {
                    listener_arn: pick(&self.listeners, which)?.arn.to_string(),
                    port: Some((*port).into()),
                    ..ModifyListener::default()
                };
                control.modify_listener(input).await.ok()?;
            }
            Change::SetServerField(which, is_on) => {
                let key = "routing.http.response.server.enabled";
                let input = ModifyListenerAttributes {
                    listener_arn: pick(&self.listeners, which)?.arn.to_string(),
                    attributes: pairs(&[(key, &is_on.to_string())]),
                };
                control.modify_listener_attributes(input).await.ok()?;
            }
            Change::DeleteListener(which) => {
                let listener_arn = pick(&self.listeners, which)?.arn.to_string();
                control
                    .delete_listener(DeleteListener { listener_arn })
                    .await
                    .ok()?;
            }
            Change::CreateRule(owner, group) => {
                let group = group.as_ref().and_then(|group| pick(&self.groups, group));
                let owner = pick(&self.listeners, owner)?;
                let mut input = rule_input(owner, number, &format!("/{number}"));
                input.actions = vec![action(group)];
                self.rules
                    .push(control.create_rule(input).await.ok()?.arn.to_string());
            }
            Change::ForwardTo(rule, group) => {
                let input = ModifyRule {
                    rule_arn: pick(&self.rules, rule)?.clone(),
                    actions: vec![forward(pick(&self.groups, group)?)],
                    ..ModifyRule::default()
                };
                control.modify_rule(input).await.ok()?;
            }
            Change::SetPath(rule, path) => {
                let input = ModifyRule {
                    rule_arn: pick(&self.rules, rule)?.clone(),
                    conditions: vec![path_condition(&[&format!("/{path}")])],
                    ..ModifyRule::default()
                };
                control.modify_rule(input).await.ok()?;
            }
            Change::TagRule(rule, value) => {
                let input = AddTags {
                    resource_arns: vec![pick(&self.rules, rule)?.clone()],
                    tags: pairs(&[(TAG, &format!("X-Team={value}"))]),
                };
                control.add_tags(input).await.ok()?;
            }
            Change::UntagRule(rule) => {
                let input = RemoveTags {
                    resource_arns: vec![pick(&self.rules, rule)?.clone()],
                    tag_keys: vec![TAG.to_owned()],
                };
                control.remove_tags(input).await.ok()?;
            }
            Change::DeleteRule(which) => {
                let rule_arn = pick(&self.rules, which)?.clone();
                control.delete_rule(DeleteRule { rule_arn }).await.ok()?;
            }
            Change::StartInstance(last) => {
                let taken = self.instances.len() >= 40;
                let address = format!("127.65.{}.{last}", 1 + last % 2);
                let is_free = !self.targets.contains(&address) && !taken;
                if is_free {
                    self.targets.push(address.clone());
                    self.instances.push(fixture.instance(&address).await);
                }
            }
            Change::JoinClients(which, joins) => {
                let group = if *joins { &self.clients } else { &self.web };
                let request = ModifyInstanceAttribute {
                    instance_id: pick(&self.instances, which)?.clone(),
                    change: InstanceChange::Groups(vec![group.clone()]),
                };
                let ec2 = control.ec2(Run::Wet);
                ec2.modify_instance_attribute(request).await.ok()?;
            }
            Change::TerminateInstance(which) => {
                let id = pick(&self.instances, which)?.clone();
                control
                    .ec2(Run::Wet)
                    .terminate_instances(vec![id])
                    .await
                    .ok()?;
            }
            Change::RegisterInstance(group, which) => {
                let (group, id) = (pick(&self.groups, group)?, pick(&self.instances, which)?);
                fixture.register(group, &[id]).await.ok()?;
            }
            Change::RegisterAddress(group, last) => {
                let address = format!("127.65.1.{last}");
                fixture
                    .register(pick(&self.groups, group)?, &[&address])
                    .await
                    .ok()?;
            }
            Change::Deregister(group, which) => {
                let addresses = (4..12)
                    .chain(100..106)
                    .map(|last| format!("127.65.1.{last}"));
                let ids: Vec<_> = self.instances.iter().cloned().chain(addresses).collect();
                let input = DeregisterTargets {
                    target_group_arn: pick(&self.groups, group)?.clone(),
                    targets: vec![target(pick(&ids, which)?)],
                };
                control.deregister_targets(input).await.ok()?;
            }
            Change::FinishDrains => {
                fixture.advance(300);
                control.finish_drains().await.unwrap();
            }
        }
        Some(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_changed_snapshot_is_the_one_of_a_new_start(changes in prop::collection::vec(change(), 20..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fixture = fixture_with(|settings| {
                let topology = &mut settings.topology;
                topology.vpc_ipv6 = Some("fd65::/56".parse().unwrap());
                for (number, zone) in (1..).zip(&mut topology.zones) {
                    zone.subnet_ipv6 = Some(format!("fd65:0:0:{number}::/64").parse().unwrap());
                }
            })
            .await;
            let mut made = Made::new(&fixture).await;
            for change in &changes {
                made.apply(&fixture, change).await;
            }
            let again = fixture.restart().await;
            let described = |fixture: &Fixture| described(&fixture.plane.live(), made.number);
            assert_eq!(described(&fixture), described(&again));
        });
    }
}
