//! From listeners and rules to frontends.
//!
//! A frontend is made again only when something that it was made from has changed; its rules are compiled again
//! only when their conditions have.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::router::{self, CompileError};
use engine::{Action, Admission, Frontend, FrontendId, Pool, Router, Tls, Transforms};
use model::id::TargetGroupId;
use model::listener::Listener;
use model::load_balancer::LoadBalancer;
use model::load_balancer_attributes;
use model::rule::{Rule, RulePriority};

use super::extension::{self, LoweredExtensions};
use super::pools::Pools;
use super::tls::{self, Certificates};
use super::{LowerError, action, http, same};
use crate::elb::mirroring;
use crate::secrets::{SealedError, SecretKey};
use crate::state::State;
use crate::zonal_shift::state::ShiftedZones;

/// A frontend with everything it was made from.
pub(super) struct LoweredFrontend {
    load_balancer: Arc<LoadBalancer>,
    pub(super) listener: Arc<Listener>,
    pub(super) admission: Admission,
    rules: Vec<Arc<Rule>>,
    /// Of each rule.
    transforms: Vec<Transforms>,
    extensions: LoweredExtensions,
    pools: Vec<Arc<Pool>>,
    tls: Option<tls::LoweredTls>,
    pub(super) frontend: Arc<Frontend>,
}

impl LoweredFrontend {
    /// Whether requests, or copies of them, may go to a target group of these.
    pub(super) fn forwards_to_any(&self, groups: &BTreeSet<TargetGroupId>) -> bool {
        let is_one = |pool: &Arc<Pool>| groups.contains(&TargetGroupId(pool.id.0));
        !groups.is_empty() && self.pools.iter().any(is_one)
    }
}

/// What all frontends are made from.
pub(super) struct Parts<'a> {
    pub(super) state: &'a State,
    pub(super) shifted_zones: &'a ShiftedZones<'a>,
    pub(super) pools: &'a Pools,
    pub(super) certificates: &'a Certificates,
    pub(super) secret_key: &'a SecretKey,
}

pub(super) fn lower(
    parts: &Parts<'_>,
    load_balancer: &Arc<LoadBalancer>,
    listener: &Arc<Listener>,
    admission: Admission,
    before: Option<&LoweredFrontend>,
) -> Result<LoweredFrontend, LowerError> {
    let rules: Vec<_> = parts
        .state
        .elb
        .rules_of(listener.arn.id)
        .into_iter()
        .cloned()
        .collect();
    let by_rules = rules
        .iter()
        .flat_map(|rule| mirroring::target_groups(&rule.actions, &rule.tags));
    let groups = mirroring::target_groups(&listener.default_actions, &listener.default_rule_tags);
    let pools: Vec<_> = groups
        .chain(by_rules)
        .map(|group| Arc::clone(parts.pools.of(group)))
        .collect();
    let shifted_zone = parts.shifted_zones.get(&load_balancer.arn.id).copied();
    let transforms = lower_transforms(&rules, before)?;
    let known = before.map(|before| &before.extensions);
    let extensions = extension::lower(listener, &rules, parts.pools, known);
    let tls = tls::lower_tls(
        parts.state,
        parts.certificates,
        listener,
        before.and_then(|before| before.tls.as_ref()),
    );
    let frontend = match before {
        Some(before)
            if Arc::ptr_eq(&before.load_balancer, load_balancer)
                && Arc::ptr_eq(&before.listener, listener)
                && before.admission == admission
                && before.frontend.shifted_zone.as_deref() == shifted_zone
                && tls::is_same(before.tls.as_ref(), tls.as_ref())
                && same(&before.rules, &rules)
                && same(&before.pools, &pools) =>
        {
            Arc::clone(&before.frontend)
        }
        _ => {
            let compiled = before.filter(|before| same_conditions(&before.rules, &rules));
            let compiled = compiled.map(|before| &before.frontend.router);
            let parts = RouterParts {
                pools: parts.pools,
                secret_key: parts.secret_key,
                listener,
                rules: &rules,
                transforms: &transforms,
                extensions: &extensions,
            };
            let router = lower_router(&parts, compiled)?;
            Arc::new(new_frontend(
                load_balancer,
                listener,
                shifted_zone,
                admission.clone(),
                tls.as_ref().map(|tls| Arc::clone(&tls.tls)),
                router,
            ))
        }
    };
    Ok(LoweredFrontend {
        load_balancer: Arc::clone(load_balancer),
        listener: Arc::clone(listener),
        admission,
        rules,
        transforms,
        extensions,
        pools,
        tls,
        frontend,
    })
}

fn new_frontend(
    load_balancer: &LoadBalancer,
    listener: &Listener,
    shifted_zone: Option<&str>,
    admission: Admission,
    tls: Option<Arc<Tls>>,
    router: Router,
) -> Frontend {
    let seconds = |attribute| Duration::from_secs(load_balancer.attributes.number(attribute));
    let by_zone = load_balancer.zones.iter().flat_map(|zone| {
        let name: Arc<str> = zone.zone.as_str().into();
        let zoned = move |address| (SocketAddr::new(address, listener.port), Arc::clone(&name));
        zone.addresses().map(zoned)
    });
    let (addresses, zones) = by_zone.unzip();
    Frontend {
        id: FrontendId(listener.arn.id.0),
        addresses,
        zones,
        shifted_zone: shifted_zone.map(Arc::from),
        admission,
        idle_timeout: seconds(&load_balancer_attributes::IDLE_TIMEOUT),
        client_keep_alive: seconds(&load_balancer_attributes::CLIENT_KEEP_ALIVE),
        dns_name: load_balancer.dns_name.as_str().into(),
        tls,
        http: http::options(load_balancer, listener),
        router,
    }
}

/// Whether both lists have the same conditions at the same priorities.
fn same_conditions(some: &[Arc<Rule>], others: &[Arc<Rule>]) -> bool {
    let is_same = |(a, b): (&Arc<Rule>, &Arc<Rule>)| {
        Arc::ptr_eq(a, b) || (a.priority == b.priority && a.conditions == b.conditions)
    };
    some.len() == others.len() && some.iter().zip(others).all(is_same)
}

/// What a router is made from.
struct RouterParts<'a> {
    pools: &'a Pools,
    secret_key: &'a SecretKey,
    listener: &'a Listener,
    /// In the order of their priorities.
    rules: &'a [Arc<Rule>],
    /// Of each rule.
    transforms: &'a [Transforms],
    extensions: &'a LoweredExtensions,
}

/// `compiled` is a router with the same conditions: compiling many rules takes long, and a target that comes
/// or goes changes none of them.
fn lower_router(parts: &RouterParts<'_>, compiled: Option<&Router>) -> Result<Router, LowerError> {
    let lower = |id, actions: &_| {
        let extensions = parts.extensions.get(&id);
        Ok::<_, SealedError>(Action {
            extensions: extensions.map(|(_, extensions)| Arc::clone(extensions)),
            ..action::lower(parts.pools, parts.secret_key, actions)?
        })
    };
    let listener = parts.listener;
    let default = lower(listener.default_rule_id, &listener.default_actions)?;
    let action = |(rule, transforms): (&Arc<Rule>, &Transforms)| {
        Ok::<_, SealedError>(Action {
            transforms: transforms.clone(),
            ..lower(rule.arn.id, &rule.actions)?
        })
    };
    let rules = parts.rules;
    let actions = rules.iter().zip(parts.transforms).map(action);
    let actions: Vec<_> = actions.collect::<Result<_, _>>()?;
    if let Some(compiled) = compiled {
        return Ok(compiled.with_actions(actions, default));
    }
    let numbered = |(rule, action): (&Arc<Rule>, Action)| match rule.priority {
        RulePriority::Default => None,
        RulePriority::Number(priority) => Some(router::Rule {
            priority: priority.number(),
            conditions: rule.conditions.clone(),
            action,
        }),
    };
    let numbered = rules.iter().zip(actions).filter_map(numbered).collect();
    Ok(Router::compile(numbered, default)?)
}

/// The transforms of each rule. Those of a rule that has not changed are not compiled again.
fn lower_transforms(
    rules: &[Arc<Rule>],
    before: Option<&LoweredFrontend>,
) -> Result<Vec<Transforms>, CompileError> {
    let known = |at: usize, rule: &Rule| {
        let before = before?;
        let is_same = before.rules.get(at)?.transforms == rule.transforms;
        before.transforms.get(at).filter(|_| is_same).cloned()
    };
    let lower = |(at, rule): (usize, &Arc<Rule>)| match known(at, rule) {
        Some(known) => Ok(known),
        None => action::lower_transforms(&rule.transforms),
    };
    rules.iter().enumerate().map(lower).collect()
}
