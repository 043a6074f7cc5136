//! A load balancer: its name, its zones with an address in each, and its attributes.
//!
//! Source: ELB API, `LoadBalancer` and `CreateLoadBalancer`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::arn::LoadBalancerArn;
use crate::attributes::Attributes;
use crate::ec2::{SecurityGroupId, SubnetId, VpcId};
use crate::protocol::IpAddressType;
use crate::tag::Tags;
use crate::text_enum;

text_enum! {
    /// What kind of load balancer it is.
    pub enum LoadBalancerType {
        /// HTTP and HTTPS.
        Application = "application",
        /// TCP, TLS, UDP and QUIC.
        Network = "network",
        /// Packets through appliances.
        Gateway = "gateway",
    }
}

impl LoadBalancerType {
    /// How ARNs name the type.
    #[must_use]
    pub fn arn_part(self) -> &'static str {
        match self {
            Self::Application => "app",
            Self::Network => "net",
            Self::Gateway => "gwy",
        }
    }

    /// The reverse of `arn_part`.
    #[must_use]
    pub fn from_arn_part(part: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.arn_part() == part)
    }
}

text_enum! {
    /// Whether a load balancer is meant for the world or for its VPC.
    pub enum Scheme {
        /// Public addresses.
        InternetFacing = "internet-facing",
        /// Private addresses.
        Internal = "internal",
    }
}

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancer {
    /// Holds the name, the type and the id.
    pub arn: LoadBalancerArn,
    /// The whole DNS name, in the case of the load balancer's name.
    pub dns_name: String,
    /// When it was created, in milliseconds since 1970.
    pub created_at_millis: u64,
    /// For whom it is.
    pub scheme: Scheme,
    /// The VPC of all its subnets.
    pub vpc_id: VpcId,
    /// The enabled zones, sorted by name; at least two.
    pub zones: Vec<LoadBalancerZone>,
    /// The security groups, in the order given; at least one.
    pub security_groups: Vec<SecurityGroupId>,
    /// The families of its addresses.
    pub ip_address_type: IpAddressType,
    /// What differs from the defaults of `load_balancer_attributes`.
    pub attributes: Attributes,
    /// Its tags.
    pub tags: Tags,
}

/// A zone in which a load balancer has an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancerZone {
    /// Such as `us-east-1a`.
    pub zone: String,
    /// The subnet the address is from.
    pub subnet_id: SubnetId,
    /// The address its listeners listen on in this zone.
    pub address: Ipv4Addr,
    /// The one of IPv6; `None` for address type `ipv4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_address: Option<Ipv6Addr>,
}

impl LoadBalancerZone {
    /// The addresses of both families.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<> {
        let ipv6 = self.ipv6_address.map(IpAddr::from);
        std::iter::once(self.address.into()).chain(ipv6)
    }
}

impl LoadBalancer {
    /// The name given at creation.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.arn.name
    }
}

/// A valid name of a load balancer.
///
/// 1 to 32 letters, digits and hyphens, no hyphen at either end, not beginning with `internal-`.
/// Source: ELB API, `CreateLoadBalancer`, `Name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancerName(String);

/// The text cannot name a load balancer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLoadBalancerName {
    /// No character at all.
    #[error("The load balancer name cannot be empty")]
    Empty,
    /// Over 32 characters.
    #[error("The load balancer name '{0}' cannot be longer than '32' characters")]
    TooLong(String),
    /// Something other than letters, digits and hyphens.
    #[error(
        "The load balancer name '{0}' can only contain characters that are alphanumeric characters and hyphens(-)"
    )]
    Characters(String),
    /// Reserved for the DNS names of internal load balancers.
    #[error("The load balancer name '{0}' cannot begin with 'internal-'")]
    Internal(String),
    /// A hyphen in front.
    #[error("The load balancer name '{0}' cannot begin with a hyphen(-)")]
    HyphenFirst(String),
    /// A hyphen at the end.
    #[error("The load balancer name '{0}' cannot end with a hyphen(-)")]
    HyphenLast(String),
}

impl LoadBalancerName {
    /// # Errors
    /// `InvalidLoadBalancerName` says which rule `text` breaks.
    pub fn new(text: &str) -> Result<Self, InvalidLoadBalancerName> {
        use InvalidLoadBalancerName as Invalid;
        let name = text.to_owned();
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
        match text {
            "" => Err(Invalid::Empty),
            _ if text.chars().count() > 32 => Err(Invalid::TooLong(name)),
            _ if !text.chars().all(is_allowed) => Err(Invalid::Characters(name)),
            _ if text.starts_with("internal-") => Err(Invalid::Internal(name)),
            _ if text.starts_with('-') => Err(Invalid::HyphenFirst(name)),
            _ if text.ends_with('-') => Err(Invalid::HyphenLast(name)),
            _ => Ok(Self(name)),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_break_a_rule_are_refused_with_that_rule() {
        let long = "a".repeat(33);
        for (name, ending) in [
            ("", "cannot be empty"),
            (&*long, "cannot be longer than '32' characters"),
            (
                "a_b",
                "can only contain characters that are alphanumeric characters and hyphens(-)",
            ),
            ("internal-a", "cannot begin with 'internal-'"),
            ("-a", "cannot begin with a hyphen(-)"),
            ("a-", "cannot end with a hyphen(-)"),
        ] {
            let error = LoadBalancerName::new(name).unwrap_err().to_string();
            assert!(error.ends_with(ending), "{name:?}: {error}");
        }
    }

    #[test]
    fn other_names_are_taken() {
        for name in ["a", "A-1", "internal", &*"a".repeat(32)] {
            assert!(LoadBalancerName::new(name).is_ok(), "{name}");
        }
    }
}
