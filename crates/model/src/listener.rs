//! A listener: a port of a load balancer with the action for what no rule matches.
//!
//! Source: ELB API, `Listener` and `CreateListener`.

use serde::{Deserialize, Serialize};

use crate::action::Actions;
use crate::arn::{ListenerArn, RuleArn, TrustStoreArn};
use crate::attributes::Attributes;
use crate::certificate::CertificateArn;
use crate::id::RuleId;
use crate::protocol::Protocol;
use crate::rule::{Rule, RulePriority};
use crate::tag::Tags;
use crate::transform::Transforms;

/// A listener together with its default rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Holds the load balancer and the id.
    pub arn: ListenerArn,
    /// What clients speak.
    pub protocol: Protocol,
    /// How it speaks TLS; there if and only if the protocol is `Https`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ListenerTls>,
    /// 1 to 65535, once in a load balancer.
    pub port: u16,
    /// What happens to a request that no rule matches.
    pub default_actions: Actions,
    /// Names the default rule, which is changed through the listener only.
    pub default_rule_id: RuleId,
    /// The tags of the default rule.
    pub default_rule_tags: Tags,
    /// What differs from the defaults of `listener_attributes`.
    pub attributes: Attributes,
    /// Its tags.
    pub tags: Tags,
}

/// What a listener needs to speak TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerTls {
    /// The name of a policy of `ssl_policy`.
    pub policy: String,
    /// Shown to clients that name no host, or one that no certificate is for.
    pub default_certificate: CertificateArn,
    /// Shown to clients that name a host they are for; in the order in which they were added.
    pub certificates: Vec<CertificateArn>,
    /// Whether clients show certificates too.
    pub mutual_authentication: MutualAuthentication,
}

/// Whether clients show certificates, and what becomes of them. The trust store is named, unless another form of it
/// is given.
///
/// Source: ELB API, `MutualAuthenticationAttributes`; ALB guide, "Mutual authentication with TLS in Application Load
/// Balancer".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MutualAuthentication<T = TrustStoreArn> {
    /// None is asked for.
    #[default]
    Off,
    /// One is asked for and handed to the target without being verified.
    Passthrough,
    /// Only clients with a certificate that the trust store vouches for are served.
    Verify {
        /// Who vouches for clients.
        trust_store: T,
        /// Whether a certificate past its end is as good as any.
        ignores_expiry: bool,
        /// Whether clients are told the names of the authorities in the trust store.
        advertises_names: bool,
    },
}

impl<T> MutualAuthentication<T> {
    /// The same with another form of the trust store.
    #[must_use]
    pub fn map<U>(&self, change: impl FnOnce(&T) -> U) -> MutualAuthentication<U> {
        match self {
            Self::Off => MutualAuthentication::Off,
            Self::Passthrough => MutualAuthentication::Passthrough,
            Self::Verify {
                trust_store,
                ignores_expiry,
                advertises_names,
            } => MutualAuthentication::Verify {
                trust_store: change(trust_store),
                ignores_expiry: *ignores_expiry,
                advertises_names: *advertises_names,
            },
        }
    }
}

impl ListenerTls {
    /// The certificates, the default one first; it can occur twice.
    pub fn all_certificates(&self) -> impl Iterator<Item = &CertificateArn> {
        std::iter::once(&self.default_certificate).chain(&self.certificates)
    }

    /// The trust store that vouches for clients.
    #[must_use]
    pub fn trust_store(&self) -> Option<&TrustStoreArn> {
        match &self.mutual_authentication {
            MutualAuthentication::Verify { trust_store, .. } => Some(trust_store),
            MutualAuthentication::Off | MutualAuthentication::Passthrough => None,
        }
    }
}

impl Listener {
    /// The rule that always matches, as it is described among the others.
    #[must_use]
    pub fn default_rule(&self) -> Rule {
        Rule {
            arn: RuleArn {
                listener: self.arn.clone(),
                id: self.default_rule_id,
            },
            priority: RulePriority::Default,
            conditions: Vec::new(),
            transforms: Transforms::default(),
            actions: self.default_actions.clone(),
            tags: self.default_rule_tags.clone(),
        }
    }
}
