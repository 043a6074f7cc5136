//! Whatever the changes were and in whatever order: what is served is what a start from nothing would serve.

use std::fmt::Write;
use std::sync::Arc;

use control::ec2::Run;
use control::elb::delete_listener::DeleteListener;
use control::elb::delete_load_balancer::DeleteLoadBalancer;
use control::elb::delete_rule::DeleteRule;
use control::elb::deregister_targets::DeregisterTargets;
use control::elb::load_balancer_attributes::ModifyLoadBalancerAttributes;
use control::elb::modify_rule::ModifyRule;
use control::elb::target_group_attributes::ModifyTargetGroupAttributes;
use engine::{Pool, Snapshot};
use model::listener::Listener;
use model::load_balancer::LoadBalancer;
use model::target_group::TargetType;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::{Fixture, fixed, fixture, forward, listener_input, pairs, rule_input, target};

/// One call. What it is about is drawn from what there is.
#[derive(Clone, Debug)]
enum Change {
    CreateLoadBalancer,
    DeleteLoadBalancer(Index),
    SetIdleTimeout(Index, u16),
    CreateGroup { of_addresses: bool },
    SetCrossZone(Index, bool),
    CreateListener(Index, Option<Index>),
    DeleteListener(Index),
    CreateRule(Index, Option<Index>),
    ForwardTo(Index, Index),
    DeleteRule(Index),
    StartInstance(u8),
    TerminateInstance(Index),
    RegisterInstance(Index, Index),
    RegisterAddress(Index, u8),
    Deregister(Index, Index),
    FinishDrains,
}

fn change() -> impl Strategy<Value = Change> {
    use Change as C;
    let index = any::<Index>;
    let maybe = || proptest::option::of(any::<Index>());
    prop_oneof![
        1 => Just(C::CreateLoadBalancer),
        1 => index().prop_map(C::DeleteLoadBalancer),
        1 => (index(), 1..4000_u16).prop_map(|(which, seconds)| C::SetIdleTimeout(which, seconds)),
        1 => any::<bool>().prop_map(|of_addresses| C::CreateGroup { of_addresses }),
        1 => (index(), any::<bool>()).prop_map(|(which, is_on)| C::SetCrossZone(which, is_on)),
        3 => (index(), maybe()).prop_map(|(owner, group)| C::CreateListener(owner, group)),
        1 => index().prop_map(C::DeleteListener),
        3 => (index(), maybe()).prop_map(|(owner, group)| C::CreateRule(owner, group)),
        1 => (index(), index()).prop_map(|(rule, group)| C::ForwardTo(rule, group)),
        1 => index().prop_map(C::DeleteRule),
        2 => (100..140_u8).prop_map(C::StartInstance),
        1 => index().prop_map(C::TerminateInstance),
        3 => (index(), index()).prop_map(|(group, which)| C::RegisterInstance(group, which)),
        // The first addresses are those that load balancers get.
        3 => (index(), 4..12_u8).prop_map(|(group, last)| C::RegisterAddress(group, last)),
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
    /// For names, ports and priorities.
    number: i32,
}

fn pick<'a, T>(all: &'a [T], index: &Index) -> Option<&'a T> {
    (!all.is_empty()).then(|| index.get(all))
}

impl Made {
    /// Makes the call. One that is refused, because what it is about is gone or in use, changes nothing.
    async fn apply(&mut self, fixture: &Fixture, change: &Change) -> Option<()> {
        let control = &fixture.control;
        self.number += 1;
        let number = self.number;
        let action = |group: Option<&String>| group.map_or_else(|| fixed("200"), |it| forward(it));
        match change {
            Change::CreateLoadBalancer => {
                let input = fixture.load_balancer_input(&format!("lb-{number}"));
                let made = control.create_load_balancer(input).await.ok()?;
                self.load_balancers.push(made.load_balancer);
            }
            Change::DeleteLoadBalancer(which) => {
                let load_balancer_arn = pick(&self.load_balancers, which)?.arn.to_string();
                let input = DeleteLoadBalancer { load_balancer_arn };
                control.delete_load_balancer(input).await.ok()?;
            }
            Change::SetIdleTimeout(which, seconds) => {
                let input = ModifyLoadBalancerAttributes {
                    load_balancer_arn: pick(&self.load_balancers, which)?.arn.to_string(),
                    attributes: pairs(&[("idle_timeout.timeout_seconds", &seconds.to_string())]),
                };
                control.modify_load_balancer_attributes(input).await.ok()?;
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
                let addresses = (4..12).map(|last| format!("127.65.1.{last}"));
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

/// What the data plane would do by this snapshot. What is known about targets is not part of it.
fn described(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    for frontend in &snapshot.frontends {
        let pools: Vec<_> = frontend.router.pools().map(|pool| pool.id).collect();
        let facts = (
            frontend.id,
            &frontend.addresses,
            &frontend.zones,
            &frontend.admission,
            frontend.idle_timeout,
            frontend.router.actions().count(),
            pools,
        );
        writeln!(text, "{facts:?}").unwrap();
        let is_checked = |pool: &Arc<Pool>| snapshot.pools.iter().any(|it| Arc::ptr_eq(it, pool));
        assert!(frontend.router.pools().all(is_checked), "{facts:?}");
    }
    for pool in &snapshot.pools {
        writeln!(text, "{:?} {:?}", pool.id, pool.settings).unwrap();
        for endpoint in &pool.endpoints {
            let facts = (
                endpoint.address,
                endpoint.check_address,
                &endpoint.zone,
                endpoint.key,
            );
            writeln!(text, "  {facts:?} {}", endpoint.state.is_draining()).unwrap();
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_changed_snapshot_is_the_one_of_a_new_start(changes in prop::collection::vec(change(), 20..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fixture = fixture().await;
            let mut made = Made::default();
            for change in &changes {
                made.apply(&fixture, change).await;
            }
            let again = fixture.restart().await;
            assert_eq!(described(&fixture.plane.live()), described(&again.plane.live()));
        });
    }
}
