//! `DescribeSSLPolicies`: which protocols and ciphers a policy stands for.

use model::load_balancer::LoadBalancerType;
use model::ssl_policy::{SSL_POLICIES, SslPolicy};

use super::listener_tls::not_found;
use super::{ElbError, Page, Paging};
use crate::Control;

/// Source: ELB API, `DescribeSSLPolicies`.
#[derive(Clone, Debug, Default)]
pub struct DescribeSslPolicies {
    /// `Names`; empty: all.
    pub names: Vec<String>,
    /// `LoadBalancerType`: only those that such a load balancer can use.
    pub load_balancer_type: Option<LoadBalancerType>,
    /// `Marker` and `PageSize`.
    pub paging: Paging,
}

impl Control {
    /// Describes security policies, in the order of the table or of the names.
    ///
    /// # Errors
    /// `SslPolicyNotFound` if one that is named does not exist, `Validation`.
    pub async fn describe_ssl_policies(
        &self,
        input: DescribeSslPolicies,
    ) -> Result<Page<&'static SslPolicy>, ElbError> {
        let is_wanted = |policy: &&'static SslPolicy| {
            let kind = input.load_balancer_type;
            kind.is_none_or(|kind| policy.is_supported_by(kind))
        };
        if !input.names.is_empty() {
            let names = input.names.iter();
            let named = names.map(|name| SslPolicy::named(name).ok_or_else(|| not_found(name)));
            let named = named.collect::<Result<Vec<_>, _>>()?;
            return Ok(Page {
                items: named.into_iter().filter(is_wanted).collect(),
                next_marker: None,
            });
        }
        let numbered = SSL_POLICIES.iter().filter(is_wanted).enumerate();
        let page = input.paging.page(
            "ssl-policies",
            numbered,
            |(index, _)| *index,
            |marker| marker.parse().ok(),
        )?;
        Ok(Page {
            items: page.items.into_iter().map(|(_, policy)| policy).collect(),
            next_marker: page.next_marker,
        })
    }
}
