//! From load balancers, listeners and target groups to the data plane's own vocabulary.
//!
//! The whole state is lowered each time; what has not changed is taken over from the time before, so that a
//! new target does not compile rules, and a new rule does not touch the pools.

mod action;
mod extension;
mod http;
mod pool_settings;
mod tls;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::router::{self, CompileError};
use engine::{
    Action, Admission, Endpoint, EndpointState, Frontend, FrontendId, Pool, PoolId, Router,
    Snapshot, Tls, Transforms,
};
use model::extension::InvalidExtension;
use model::health_check::HealthCheckPort;
use model::id::{ListenerId, RegistrationId, TargetGroupId};
use model::listener::Listener;
use model::load_balancer::LoadBalancer;
use model::load_balancer_attributes;
use model::rule::{Rule, RulePriority};
use model::target_group::TargetGroup;

use crate::ec2::{Holding, lookups};
use crate::elb::standing::{Standing, Surroundings};
use crate::secrets::{SealedError, SecretKey};
use crate::state::State;
use extension::LoweredExtensions;
use tls::Certificates;

/// A snapshot with what the next one takes over from it.
#[derive(Default)]
pub(crate) struct Lowered {
    /// For the data plane.
    pub(crate) snapshot: Arc<Snapshot>,
    /// What is known about each registration that is in use or draining.
    pub(crate) endpoints: BTreeMap<RegistrationId, Arc<EndpointState>>,
    /// The `EndpointState::id` of the latest state.
    last_endpoint: u64,
    pools: Pools,
    frontends: BTreeMap<ListenerId, LoweredFrontend>,
    certificates: Certificates,
}

/// The state cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LowerError {
    /// A rule has a regular expression that cannot be compiled.
    #[error(transparent)]
    Rules(#[from] CompileError),
    /// A rule has a tag that begins with `elbow:` and cannot be obeyed.
    #[error(transparent)]
    Extension(#[from] InvalidExtension),
    /// The private key of a certificate or the client secret of a login does not open.
    #[error(transparent)]
    Secret(#[from] SealedError),
}

type Pools = BTreeMap<TargetGroupId, Arc<Pool>>;

/// A frontend with everything it was made from.
struct LoweredFrontend {
    load_balancer: Arc<LoadBalancer>,
    listener: Arc<Listener>,
    admission: Admission,
    rules: Vec<Arc<Rule>>,
    /// Of each rule.
    transforms: Vec<Transforms>,
    extensions: LoweredExtensions,
    pools: Vec<Arc<Pool>>,
    tls: Option<tls::LoweredTls>,
    frontend: Arc<Frontend>,
}

/// Compiles `state`, taking over from `before` what has not changed.
///
/// # Errors
/// `LowerError` if a rule has a regular expression that cannot be compiled, or a secret does not open.
pub(crate) fn lower(
    state: &State,
    before: &Lowered,
    secret_key: &SecretKey,
) -> Result<Lowered, LowerError> {
    let mut registry = Registry {
        before: &before.endpoints,
        endpoints: BTreeMap::new(),
        last_endpoint: before.last_endpoint,
    };
    let pools = lower_pools(state, before, &mut registry);
    registry.keep_draining(state);
    let holdings = state.elb.holdings();
    let certificates = tls::lower_certificates(state, &before.certificates, secret_key)?;
    let mut frontends = BTreeMap::new();
    for (id, listener) in &state.elb.listeners {
        let owner = listener.arn.load_balancer.id;
        let load_balancer = state.elb.load_balancers.get(&owner);
        let load_balancer = load_balancer.expect("a listener is deleted with its load balancer");
        let parts = Parts {
            state,
            holdings: &holdings,
            pools: &pools,
            certificates: &certificates,
            secret_key,
        };
        let frontend = lower_frontend(&parts, load_balancer, listener, before.frontends.get(id))?;
        frontends.insert(*id, frontend);
    }
    let snapshot = Snapshot {
        generation: state.generation,
        frontends: frontends
            .values()
            .map(|it| Arc::clone(&it.frontend))
            .collect(),
        pools: pools.values().cloned().collect(),
    };
    Ok(Lowered {
        snapshot: Arc::new(snapshot),
        endpoints: registry.endpoints,
        last_endpoint: registry.last_endpoint,
        pools,
        frontends,
        certificates,
    })
}

impl Lowered {
    /// Stops new requests at registrations that drain in `state`, or that have left a pool.
    ///
    /// Call it when the change is stored and before it is published: together with the barrier of
    /// `DataPlane::publish` this is the drain promise.
    pub(crate) fn start_draining(&self, state: &State, before: &Self) {
        for target in state
            .elb
            .targets
            .values()
            .filter(|target| target.is_draining())
        {
            if let Some(endpoint) = self.endpoints.get(&target.registration) {
                endpoint.start_draining();
            }
        }
        // A pool that nobody uses any more goes on serving those who still have the old snapshot: they have
        // no other. Only a target that leaves a pool which stays is passed over at once.
        let kept: BTreeSet<u64> = self.endpoints.values().map(|state| state.id()).collect();
        let staying = before
            .pools
            .iter()
            .filter(|(id, _)| self.pools.contains_key(id));
        for endpoint in staying.flat_map(|(_, pool)| &pool.endpoints) {
            if !kept.contains(&endpoint.state.id()) {
                endpoint.state.start_draining();
            }
        }
    }
}

/// The states of registrations: the same registration in use without interruption keeps its state.
struct Registry<'a> {
    before: &'a BTreeMap<RegistrationId, Arc<EndpointState>>,
    endpoints: BTreeMap<RegistrationId, Arc<EndpointState>>,
    last_endpoint: u64,
}

impl Registry<'_> {
    fn state_of(&mut self, registration: RegistrationId) -> Arc<EndpointState> {
        let endpoint = match self.before.get(&registration) {
            Some(known) => Arc::clone(known),
            None => {
                self.last_endpoint += 1;
                Arc::new(EndpointState::new(self.last_endpoint))
            }
        };
        self.endpoints.insert(registration, Arc::clone(&endpoint));
        endpoint
    }

    /// Keeps the states of draining registrations, whose requests may have to be cut.
    fn keep_draining(&mut self, state: &State) {
        for target in state
            .elb
            .targets
            .values()
            .filter(|target| target.is_draining())
        {
            if let Some(known) = self.before.get(&target.registration) {
                self.endpoints
                    .insert(target.registration, Arc::clone(known));
            }
        }
    }
}

/// The pools of the target groups that some rule forwards to.
fn lower_pools(state: &State, before: &Lowered, registry: &mut Registry<'_>) -> Pools {
    let surroundings = Surroundings::of(state);
    let lower_one = |(id, user)| {
        let group = state.elb.target_groups.get(&id);
        let group = group.expect("a target group in use cannot be deleted");
        let user = state.elb.load_balancers.get(&user).map(Arc::as_ref);
        let known = before.pools.get(&id);
        let mut endpoints = Vec::new();
        for target in state.elb.targets_of(id) {
            if let Standing::InUse(address) = surroundings.standing(target, group, user) {
                let wanted = Endpoint {
                    address,
                    check_address: check_address(address, group),
                    zone: surroundings.zone(target, group).map(Arc::from),
                    key: endpoint_key(id, &target.key.id, target.key.port),
                    state: registry.state_of(target.registration),
                };
                endpoints.push(known_endpoint(known, wanted));
            }
        }
        (id, lower_pool(group, endpoints, known))
    };
    state.elb.users().into_iter().map(lower_one).collect()
}

fn check_address(address: SocketAddr, group: &TargetGroup) -> SocketAddr {
    match group.health_check.port {
        HealthCheckPort::TrafficPort => address,
        HealthCheckPort::Port(port) => SocketAddr::new(address.ip(), port),
    }
}

/// The endpoint of the pool before that equals `wanted`, or else `wanted`.
fn known_endpoint(known: Option<&Arc<Pool>>, wanted: Endpoint) -> Arc<Endpoint> {
    let is_same = |endpoint: &&Arc<Endpoint>| {
        Arc::ptr_eq(&endpoint.state, &wanted.state)
            && endpoint.address == wanted.address
            && endpoint.check_address == wanted.check_address
            && endpoint.zone == wanted.zone
    };
    let mut endpoints = known.into_iter().flat_map(|pool| &pool.endpoints);
    endpoints
        .find(is_same)
        .cloned()
        .unwrap_or_else(|| Arc::new(wanted))
}

/// What names the target in cookies: FNV-1a over the group's id and the target's id and port.
///
/// It is in cookies that outlive this process, so it never changes. Source: draft-eastlake-fnv.
fn endpoint_key(group: TargetGroupId, id: &str, port: u16) -> u64 {
    let (group, port) = (group.0.to_be_bytes(), port.to_be_bytes());
    let parts = [&group[..], &port, id.as_bytes()];
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    parts.into_iter().flatten().fold(0xcbf2_9ce4_8422_2325, mix)
}

fn lower_pool(
    group: &TargetGroup,
    endpoints: Vec<Arc<Endpoint>>,
    known: Option<&Arc<Pool>>,
) -> Arc<Pool> {
    let settings = pool_settings::of(group);
    if let Some(pool) = known {
        let has_same_endpoints = same(&pool.endpoints, &endpoints);
        if has_same_endpoints && pool.settings == settings {
            return Arc::clone(pool);
        }
    }
    let id = PoolId(group.arn.id.0);
    Arc::new(Pool::new(id, settings, endpoints, known.map(Arc::as_ref)))
}

/// Whether both lists hold the very same values in the same order.
fn same<T>(some: &[Arc<T>], others: &[Arc<T>]) -> bool {
    some.len() == others.len() && some.iter().zip(others).all(|(a, b)| Arc::ptr_eq(a, b))
}

/// What all frontends are made from.
struct Parts<'a> {
    state: &'a State,
    holdings: &'a [Holding],
    pools: &'a Pools,
    certificates: &'a Certificates,
    secret_key: &'a SecretKey,
}

fn lower_frontend(
    parts: &Parts<'_>,
    load_balancer: &Arc<LoadBalancer>,
    listener: &Arc<Listener>,
    before: Option<&LoweredFrontend>,
) -> Result<LoweredFrontend, LowerError> {
    let rules: Vec<_> = parts
        .state
        .elb
        .rules_of(listener.arn.id)
        .into_iter()
        .cloned()
        .collect();
    let by_rules = rules.iter().flat_map(|rule| rule.actions.target_groups());
    let groups = listener.default_actions.target_groups().chain(by_rules);
    let pools: Vec<_> = groups
        .map(|arn| Arc::clone(&parts.pools[&arn.id]))
        .collect();
    let groups = &load_balancer.security_groups;
    let admission =
        lookups::allowed_sources(&parts.state.ec2, groups, listener.port, parts.holdings);
    let transforms = lower_transforms(&rules, before)?;
    let known = before.map(|before| &before.extensions);
    let extensions = extension::lower(listener, &rules, known)?;
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
    admission: Admission,
    tls: Option<Arc<Tls>>,
    router: Router,
) -> Frontend {
    let seconds = |attribute| Duration::from_secs(load_balancer.attributes.number(attribute));
    let zones = load_balancer.zones.iter();
    Frontend {
        id: FrontendId(listener.arn.id.0),
        addresses: zones
            .clone()
            .map(|zone| SocketAddr::new(zone.address.into(), listener.port))
            .collect(),
        zones: zones.map(|zone| zone.zone.as_str().into()).collect(),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Cookies hold these numbers: another one would end the sessions of all clients.
    #[test]
    fn the_keys_of_targets_never_change() {
        for (group, id, port, expected) in [
            (
                0x0123_4567_89ab_cdef,
                "i-0123456789abcdef0",
                80,
                0xe5a5_3582_a8d9_34fd,
            ),
            (
                0x0123_4567_89ab_cdef,
                "i-0123456789abcdef0",
                81,
                0x42d6_3ba1_9e21_45c8,
            ),
            (0x0123_4567_89ab_cdee, "10.0.0.1", 80, 0x6743_5eef_4be0_f5ba),
        ] {
            let key = endpoint_key(TargetGroupId(group), id, port);
            assert_eq!(key, expected, "{id}:{port}");
        }
    }
}
