//! `ModifyListener`: another port or protocol, other default actions, another certificate.

use std::sync::Arc;

use model::attributes::{self, Attribute};
use model::listener::Listener;
use model::listener_attributes::table;
use model::protocol::Protocol;

use super::actions::Scope;
use super::input::{Action, TlsSettings};
use super::listener_tls::check_verifying;
use super::{ElbError, actions, check, find, forwarding, mirroring};
use crate::{Control, Draft};

/// Source: ELB API, `ModifyListener`.
#[derive(Clone, Debug, Default)]
pub struct ModifyListener {
    /// `ListenerArn`.
    pub listener_arn: String,
    /// `Port`.
    pub port: Option<i32>,
    /// `Protocol`.
    pub protocol: Option<Protocol>,
    /// `DefaultActions`; empty: unchanged.
    pub default_actions: Vec<Action>,
    /// `SslPolicy`, `Certificates`, `AlpnPolicy` and `MutualAuthentication`.
    pub tls: TlsSettings,
}

impl Control {
    /// Changes a listener; what is absent stays.
    ///
    /// # Errors
    /// `ListenerNotFound` and those of `create_listener`.
    pub async fn modify_listener(&self, input: ModifyListener) -> Result<Arc<Listener>, ElbError> {
        self.transact(move |draft| modify(draft, &input)).await
    }
}

fn modify(draft: &mut Draft, input: &ModifyListener) -> Result<Arc<Listener>, ElbError> {
    let present = Arc::clone(find::listener(draft.state(), &input.listener_arn)?);
    let mut listener = Listener::clone(&present);
    listener.protocol = input.protocol.unwrap_or(present.protocol);
    listener.tls = input
        .tls
        .apply(draft.state(), listener.protocol, present.tls.as_ref())?;
    if listener.protocol != present.protocol {
        // What only the former protocol has goes with it, as its policy and its certificates do.
        let stays = |attribute: &Attribute| {
            attributes::find(table(listener.protocol), attribute.key).is_some()
        };
        for attribute in table(present.protocol).iter().filter(|it| !stays(it)) {
            listener.attributes.set(attribute, attribute.default);
        }
    }
    let owner = listener.arn.load_balancer.id;
    if let Some(port) = check::port("port", input.port)? {
        let mut others = draft.state().elb.listeners_of(owner).into_iter();
        if others.any(|other| other.port == port && other.arn != listener.arn) {
            return Err(ElbError::Validation(format!(
                "Listener port '{port}' is already in use"
            )));
        }
        listener.port = port;
    }
    let limits = draft.settings().limits.clone();
    if !input.default_actions.is_empty() {
        let scope = Scope {
            draft,
            load_balancer: &listener.arn.load_balancer,
            protocol: listener.protocol,
            port: listener.port,
            present: Some(&present.default_actions),
        };
        let actions = actions::parse(&scope, &input.default_actions)?;
        let load_balancer = &draft.state().elb.load_balancers[&owner];
        forwarding::check(draft.state(), load_balancer, actions.target_groups())?;
        mirroring::check(
            draft.state(),
            load_balancer,
            &actions,
            &listener.default_rule_tags,
        )?;
        listener.default_actions = actions;
    }
    if (listener.protocol, listener.port) != (present.protocol, present.port) {
        actions::check_listener(draft.state(), &listener)?;
    }
    if listener == *present {
        return Ok(present);
    }
    let listener = draft.put(listener);
    forwarding::check_limits(draft.state(), &limits, owner)?;
    check_verifying(draft.state(), &limits, owner)?;
    forwarding::check_protocols(draft.state(), &listener)?;
    Ok(listener)
}
