//! `CreateListener`: a port of a load balancer; when it returns, the port listens.

use std::sync::Arc;

use model::arn::{ListenerArn, LoadBalancerArn};
use model::attributes::Attributes;
use model::id::{ListenerId, RuleId};
use model::listener::Listener;
use model::protocol::Protocol;
use model::tag::Tags;

use super::actions::Scope;
use super::input::{Action, Pairs, TlsSettings};
use super::listener_tls::{check_verifying, is_same_tls};
use super::{ElbError, RuleKey, actions, check, find, forwarding};
use crate::{Control, Draft, State};

/// Source: ELB API, `CreateListener`.
#[derive(Clone, Debug, Default)]
pub struct CreateListener {
    /// `LoadBalancerArn`.
    pub load_balancer_arn: String,
    /// `Protocol`.
    pub protocol: Option<Protocol>,
    /// `Port`.
    pub port: Option<i32>,
    /// `DefaultActions`.
    pub default_actions: Vec<Action>,
    /// `Tags`.
    pub tags: Pairs,
    /// `SslPolicy`, `Certificates`, `AlpnPolicy` and `MutualAuthentication`.
    pub tls: TlsSettings,
}

impl Control {
    /// Creates a listener with its default rule, or finds the one on this port with the same settings.
    ///
    /// # Errors
    /// `LoadBalancerNotFound`, `CertificateNotFound`, `DuplicateListener`, `DuplicateTagKeys`,
    /// `InvalidConfigurationRequest` (also when the port cannot be listened on), `InvalidLoadBalancerAction`,
    /// `SslPolicyNotFound`, `TargetGroupNotFound`, `TargetGroupAssociationLimit`, `TooManyActions`,
    /// `TooManyListeners`, `TooManyTags`, `TooManyTargets`, `TooManyRegistrationsForTargetId`,
    /// `TooManyUniqueTargetGroupsPerLoadBalancer`, `TrustStoreNotFound`, `UnsupportedCertificate`,
    /// `Validation`.
    pub async fn create_listener(&self, input: CreateListener) -> Result<Arc<Listener>, ElbError> {
        self.transact(move |draft| create(draft, &input)).await
    }
}

fn create(draft: &mut Draft, input: &CreateListener) -> Result<Arc<Listener>, ElbError> {
    let load_balancer = Arc::clone(find::load_balancer(
        draft.state(),
        &input.load_balancer_arn,
    )?);
    let Some(protocol) = input.protocol else {
        return Err(ElbError::Validation(
            "A listener protocol must be specified".to_owned(),
        ));
    };
    let Some(port) = check::port("port", input.port)? else {
        return Err(ElbError::Validation(
            "A listener port must be specified".to_owned(),
        ));
    };
    let tls = input.tls.apply(draft.state(), protocol, None)?;
    let tags = Tags::default().with(&input.tags)?;
    let limits = draft.settings().limits.clone();
    let id = load_balancer.arn.id;
    let listeners = draft.state().elb.listeners_of(id);
    let present = listeners.iter().find(|listener| listener.port == port);
    let scope = Scope {
        draft,
        load_balancer: &load_balancer.arn,
        protocol,
        port,
        present: present.map(|present| &present.default_actions),
    };
    let actions = actions::parse(&scope, &input.default_actions)?;
    if let Some(present) = present {
        let is_same = present.protocol == protocol
            && present.default_actions == actions
            && is_same_tls(present.tls.as_ref(), tls.as_ref())
            && present.tags == tags;
        return is_same
            .then(|| Arc::clone(present))
            .ok_or_else(|| duplicate(&load_balancer.arn));
    }
    if listeners.len() >= limits.listeners_per_load_balancer {
        return Err(ElbError::TooManyListeners(format!(
            "A load balancer can have at most {} listeners",
            limits.listeners_per_load_balancer
        )));
    }
    forwarding::check(draft.state(), &load_balancer, actions.target_groups())?;
    let id = new_id(draft);
    let listener = draft.put(Listener {
        arn: ListenerArn {
            load_balancer: load_balancer.arn.clone(),
            id,
        },
        protocol,
        tls,
        port,
        default_actions: actions,
        default_rule_id: new_rule_id(draft, id),
        default_rule_tags: Tags::default(),
        attributes: Attributes::default(),
        tags,
    });
    forwarding::check_limits(draft.state(), &limits, load_balancer.arn.id)?;
    check_verifying(draft.state(), &limits, load_balancer.arn.id)?;
    forwarding::check_protocols(draft.state(), &listener)?;
    Ok(listener)
}

/// The error for a port that another listener has.
fn duplicate(load_balancer: &LoadBalancerArn) -> ElbError {
    ElbError::DuplicateListener(format!(
        "A listener already exists on this port for this load balancer '{load_balancer}'"
    ))
}

fn new_id(draft: &Draft) -> ListenerId {
    loop {
        let id = ListenerId(draft.draw());
        if draft.state().find::<Listener>(&id).is_none() {
            return id;
        }
    }
}

/// An id that no rule of the listener has.
pub(super) fn new_rule_id(draft: &Draft, listener: ListenerId) -> RuleId {
    let is_taken = |state: &State, id| {
        let present = state.elb.listeners.get(&listener);
        state.elb.rules.contains_key(&RuleKey { listener, id })
            || present.is_some_and(|present| present.default_rule_id == id)
    };
    loop {
        let id = RuleId(draft.draw());
        if !is_taken(draft.state(), id) {
            return id;
        }
    }
}
