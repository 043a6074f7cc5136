//! The stored nouns of Elastic Load Balancing in memory, and what is looked up in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use model::action::ForwardAction;
use model::arn::{ListenerArn, RuleArn};
use model::id::{ListenerId, LoadBalancerId, RuleId, TargetGroupId, TrustStoreId};
use model::listener::Listener;
use model::load_balancer::{LoadBalancer, LoadBalancerZone};
use model::rule::Rule;
use model::target::{Target, TargetKey};
use model::target_group::TargetGroup;
use model::trust_store::{RevocationKey, TrustStore, TrustStoreRevocation};
use serde_json::Value;

use super::authentication;
use super::mirroring::target_groups;
use crate::ec2::Holding;
use crate::record::{Table, record};
use crate::secrets::SecretKey;

/// Load balancers and what belongs to them.
#[derive(Clone, Debug, Default)]
pub struct ElbState {
    /// By id.
    pub load_balancers: Table<LoadBalancerId, LoadBalancer>,
    /// By id.
    pub listeners: Table<ListenerId, Listener>,
    /// By listener and id; without the default rules, which are parts of their listeners.
    pub rules: Table<RuleKey, Rule>,
    /// By id.
    pub target_groups: Table<TargetGroupId, TargetGroup>,
    /// By target group, id and port; draining ones included.
    pub targets: Table<TargetKey, Target>,
    /// By id.
    pub trust_stores: Table<TrustStoreId, TrustStore>,
    /// By trust store and id.
    pub revocations: Table<RevocationKey, TrustStoreRevocation>,
}

/// What names a rule: rules of one listener stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleKey {
    /// The listener it belongs to.
    pub listener: ListenerId,
    /// Its own id.
    pub id: RuleId,
}

impl fmt::Display for RuleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.listener, self.id)
    }
}

// Version 2 can have addresses of IPv6; what has none is as in version 1.
record!(LoadBalancer, LoadBalancerId, "elb/load-balancer" version 2, elb.load_balancers, it => it.arn.id);
// Version 2 can have TLS, authentication, group stickiness and transforms; what has none of them is as in
// version 1. The first of version 2 have the client secrets of logins in the clear.
record!(Listener, ListenerId, "elb/listener" version 2, elb.listeners, it => it.arn.id, {
    fn seal(key: &SecretKey, record: &mut Value) -> bool {
        authentication::seal_stored(key, record, "default_actions")
    }
});
// As in listeners.
record!(Rule, RuleKey, "elb/rule" version 2, elb.rules, it => RuleKey {
    listener: it.arn.listener.id,
    id: it.arn.id,
}, {
    fn seal(key: &SecretKey, record: &mut Value) -> bool {
        authentication::seal_stored(key, record, "actions")
    }
});
// Version 2 can have codes of gRPC; what has none is as in version 1.
record!(TargetGroup, TargetGroupId, "elb/target-group" version 2, elb.target_groups, it => it.arn.id);
record!(Target, TargetKey, "elb/target", elb.targets, it => it.key.clone());
record!(TrustStore, TrustStoreId, "elb/trust-store", elb.trust_stores, it => it.arn.id);
record!(TrustStoreRevocation, RevocationKey, "elb/trust-store-revocation", elb.revocations, it => it.key);

impl ElbState {
    /// The listeners of one load balancer, by port.
    #[must_use]
    pub fn listeners_of(&self, load_balancer: LoadBalancerId) -> Vec<&Arc<Listener>> {
        let is_its = |listener: &&Arc<Listener>| listener.arn.load_balancer.id == load_balancer;
        let mut listeners: Vec<_> = self.listeners.values().filter(is_its).collect();
        listeners.sort_by_key(|listener| listener.port);
        listeners
    }

    /// The rules of one listener without the default, by priority.
    #[must_use]
    pub fn rules_of(&self, listener: ListenerId) -> Vec<&Arc<Rule>> {
        let bounds = RuleKey {
            listener,
            id: RuleId::MIN,
        }..=RuleKey {
            listener,
            id: RuleId::MAX,
        };
        let mut rules: Vec<_> = self.rules.range(bounds).map(|(_, rule)| rule).collect();
        rules.sort_by_key(|rule| rule.priority);
        rules
    }

    /// The targets of one group, draining ones included, by id and port.
    pub fn targets_of(&self, target_group: TargetGroupId) -> impl Iterator<Item = &Arc<Target>> {
        let first = TargetKey {
            target_group,
            id: String::new(),
            port: 0,
        };
        self.targets
            .range(first..)
            .take_while(move |(key, _)| key.target_group == target_group)
            .map(|(_, target)| target)
    }

    /// The lists of revoked certificates of one trust store, by id.
    pub fn revocations_of(
        &self,
        trust_store: TrustStoreId,
    ) -> impl Iterator<Item = &Arc<TrustStoreRevocation>> {
        let bound = |id| RevocationKey { trust_store, id };
        let range = self.revocations.range(bound(0)..=bound(u64::MAX));
        range.map(|(_, revocation)| revocation)
    }

    /// The target groups that requests of a load balancer, or copies of them, may go to, each once, by id.
    #[must_use]
    pub fn target_groups_of(&self, load_balancer: LoadBalancerId) -> BTreeSet<TargetGroupId> {
        let of_listener = |listener: &Arc<Listener>| {
            let rules = self.rules_of(listener.arn.id).into_iter();
            let by_rules = rules.flat_map(|rule| target_groups(&rule.actions, &rule.tags));
            let all = target_groups(&listener.default_actions, &listener.default_rule_tags);
            all.chain(by_rules).collect::<Vec<_>>()
        };
        let listeners = self.listeners_of(load_balancer).into_iter();
        listeners.flat_map(of_listener).collect()
    }

    /// The rules, default ones included, that forward to a target group, each with its action.
    pub fn forwards_to(
        &self,
        id: TargetGroupId,
    ) -> impl Iterator<Item = (RuleArn, &ForwardAction)> {
        let by_default = self.listeners.values().map(|listener| {
            let default = RuleArn {
                listener: listener.arn.clone(),
                id: listener.default_rule_id,
            };
            (default, &listener.default_actions)
        });
        let by_rules = self.rules.values();
        let by_rules = by_rules.map(|rule| (rule.arn.clone(), &rule.actions));
        by_default
            .chain(by_rules)
            .filter_map(|(rule, actions)| Some((rule, actions.forward()?)))
            .filter(move |(_, forward)| forward.target_groups.iter().any(|it| it.arn.id == id))
    }

    /// Which load balancer sends requests, or copies of them, to each target group. Groups that get none are
    /// absent.
    #[must_use]
    pub fn users(&self) -> BTreeMap<TargetGroupId, LoadBalancerId> {
        let by_default = self.listeners.values().flat_map(|listener| {
            let user = listener.arn.load_balancer.id;
            let groups = target_groups(&listener.default_actions, &listener.default_rule_tags);
            groups.map(move |group| (group, user))
        });
        let by_rules = self.rules.values().flat_map(|rule| {
            let user = rule.arn.listener.load_balancer.id;
            target_groups(&rule.actions, &rule.tags).map(move |group| (group, user))
        });
        by_default.chain(by_rules).collect()
    }

    /// The load balancer that sends requests, or copies of them, to this target group.
    #[must_use]
    pub fn user_of(&self, target_group: TargetGroupId) -> Option<&Arc<LoadBalancer>> {
        let user = self.users().get(&target_group).copied()?;
        self.load_balancers.get(&user)
    }

    /// What load balancers hold in subnets: their addresses there and the groups they carry.
    #[must_use]
    pub fn holdings(&self) -> Vec<Holding> {
        let of_load_balancer = |load_balancer: &Arc<LoadBalancer>| {
            let zone = |zone: &LoadBalancerZone| Holding {
                full_name: load_balancer.arn.full_name(),
                subnet_id: zone.subnet_id.clone(),
                address: zone.address,
                ipv6_address: zone.ipv6_address,
                security_groups: load_balancer.security_groups.clone(),
            };
            load_balancer.zones.iter().map(zone).collect::<Vec<_>>()
        };
        self.load_balancers
            .values()
            .flat_map(of_load_balancer)
            .collect()
    }

    /// The addresses of all load balancers.
    #[must_use]
    pub fn addresses(&self) -> BTreeSet<IpAddr> {
        let zones = self.load_balancers.values().flat_map(|it| &it.zones);
        zones.flat_map(LoadBalancerZone::addresses).collect()
    }

    /// The listener that listens on this address and port.
    #[must_use]
    pub fn holder_of(&self, address: SocketAddr) -> Option<ListenerArn> {
        let has_it = |listener: &&Arc<Listener>| {
            let owner = self.load_balancers.get(&listener.arn.load_balancer.id);
            let zones = owner.into_iter().flat_map(|owner| &owner.zones);
            let mut addresses = zones.flat_map(LoadBalancerZone::addresses);
            listener.port == address.port() && addresses.any(|its| its == address.ip())
        };
        let holder = self.listeners.values().find(has_it)?;
        Some(holder.arn.clone())
    }
}
