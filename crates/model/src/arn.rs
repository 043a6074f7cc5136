//! The names of elastic load balancing resources.
//!
//! Source: Service Authorization Reference, "Resource types defined by Elastic Load Balancing V2".

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{ListenerId, LoadBalancerId, RuleId, TargetGroupId, TrustStoreId};
use crate::load_balancer::LoadBalancerType;

/// Whose resources these are, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// Such as `us-east-1`.
    pub region: String,
    /// Twelve digits.
    pub account: String,
}

/// `arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/app/NAME/ID`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LoadBalancerArn {
    /// Whose it is.
    pub place: Place,
    /// Printed as `app`, `net` or `gwy`.
    pub kind: LoadBalancerType,
    /// The name as it was given at creation.
    pub name: String,
    /// The last part.
    pub id: LoadBalancerId,
}

/// `arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/app/NAME/ID/LISTENER-ID`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ListenerArn {
    /// The load balancer that listens.
    pub load_balancer: LoadBalancerArn,
    /// The last part.
    pub id: ListenerId,
}

/// `arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener-rule/app/NAME/ID/LISTENER-ID/RULE-ID`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RuleArn {
    /// The listener the rule belongs to.
    pub listener: ListenerArn,
    /// The last part.
    pub id: RuleId,
}

/// `arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TargetGroupArn {
    /// Whose it is.
    pub place: Place,
    /// The name as it was given at creation.
    pub name: String,
    /// The last part.
    pub id: TargetGroupId,
}

/// `arn:aws:elasticloadbalancing:REGION:ACCOUNT:truststore/NAME/ID`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrustStoreArn {
    /// Whose it is.
    pub place: Place,
    /// The name as it was given at creation.
    pub name: String,
    /// The last part.
    pub id: TrustStoreId,
}

/// The ARN of any resource that can be tagged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceArn {
    /// A load balancer.
    LoadBalancer(LoadBalancerArn),
    /// A listener.
    Listener(ListenerArn),
    /// A rule.
    Rule(RuleArn),
    /// A target group.
    TargetGroup(TargetGroupArn),
    /// A trust store.
    TrustStore(TrustStoreArn),
}

impl ResourceArn {
    /// Whose it is.
    #[must_use]
    pub fn place(&self) -> &Place {
        match self {
            Self::LoadBalancer(arn) => &arn.place,
            Self::Listener(arn) => &arn.load_balancer.place,
            Self::Rule(arn) => &arn.listener.load_balancer.place,
            Self::TargetGroup(arn) => &arn.place,
            Self::TrustStore(arn) => &arn.place,
        }
    }

    /// What it names, as `InvalidArn` calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LoadBalancer(_) => LoadBalancerArn::KIND,
            Self::Listener(_) => ListenerArn::KIND,
            Self::Rule(_) => RuleArn::KIND,
            Self::TargetGroup(_) => TargetGroupArn::KIND,
            Self::TrustStore(_) => TrustStoreArn::KIND,
        }
    }
}

/// The text is not an ARN of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a valid {kind} ARN")]
pub struct InvalidArn {
    /// What was given.
    pub text: String,
    /// What was wanted, such as `load balancer`.
    pub kind: &'static str,
}

impl LoadBalancerArn {
    /// The part after `loadbalancer/`, such as `app/my-lb/50dc6c495c0c9188`, as metrics and logs name it.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}/{}", self.kind.arn_part(), self.name, self.id)
    }
}

impl TargetGroupArn {
    /// `targetgroup/NAME/ID`, as metrics and logs name it.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("targetgroup/{}/{}", self.name, self.id)
    }
}

impl fmt::Display for Place {
    /// The beginning of every ARN of the service, with its last colon.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            partition,
            region,
            account,
        } = self;
        write!(
            f,
            "arn:{partition}:elasticloadbalancing:{region}:{account}:"
        )
    }
}

impl fmt::Display for LoadBalancerArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}loadbalancer/{}", self.place, self.full_name())
    }
}

impl fmt::Display for ListenerArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let load_balancer = &self.load_balancer;
        let (place, name) = (&load_balancer.place, load_balancer.full_name());
        write!(f, "{place}listener/{name}/{}", self.id)
    }
}

impl fmt::Display for RuleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let load_balancer = &self.listener.load_balancer;
        let (place, name) = (&load_balancer.place, load_balancer.full_name());
        write!(
            f,
            "{place}listener-rule/{name}/{}/{}",
            self.listener.id, self.id
        )
    }
}

impl fmt::Display for TargetGroupArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.place, self.full_name())
    }
}

impl fmt::Display for TrustStoreArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}truststore/{}/{}", self.place, self.name, self.id)
    }
}

impl fmt::Display for ResourceArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoadBalancer(arn) => arn.fmt(f),
            Self::Listener(arn) => arn.fmt(f),
            Self::Rule(arn) => arn.fmt(f),
            Self::TargetGroup(arn) => arn.fmt(f),
            Self::TrustStore(arn) => arn.fmt(f),
        }
    }
}

/// Cuts an ARN into its place and the parts of its resource.
fn split(text: &str) -> Option<(Place, Vec<&str>)> {
    let mut fields = text.splitn(6, ':');
    let mut next = || fields.next();
    let is_arn = next()? == "arn";
    let partition = next()?.to_owned();
    let is_elb = next()? == "elasticloadbalancing";
    let region = next()?.to_owned();
    let account = next()?.to_owned();
    let parts = next()?.split('/').collect();
    let is_whole = is_arn && is_elb && !partition.is_empty() && !region.is_empty();
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let place = Place {
        partition,
        region,
        account,
    };
    (is_whole && is_account).then_some((place, parts))
}

fn load_balancer(place: Place, kind: &str, name: &str, id: &str) -> Option<LoadBalancerArn> {
    Some(LoadBalancerArn {
        place,
        kind: LoadBalancerType::from_arn_part(kind)?,
        name: name.to_owned(),
        id: id.parse().ok()?,
    })
}

macro_rules! from_text {
    ($name:ident, $kind:literal, $parse:expr) => {
        impl $name {
            /// What `InvalidArn` calls it.
            const KIND: &'static str = $kind;
        }

        impl FromStr for $name {
            type Err = InvalidArn;

            fn from_str(text: &str) -> Result<Self, InvalidArn> {
                let parse: fn(Place, &[&str]) -> Option<Self> = $parse;
                split(text)
                    .and_then(|(place, parts)| parse(place, &parts))
                    .ok_or_else(|| InvalidArn {
                        text: text.to_owned(),
                        kind: Self::KIND,
                    })
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidArn;

            fn try_from(text: String) -> Result<Self, InvalidArn> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(arn: $name) -> Self {
                arn.to_string()
            }
        }
    };
}

from_text!(
    LoadBalancerArn,
    "load balancer",
    |place, parts| match parts {
        ["loadbalancer", kind, name, id] => load_balancer(place, kind, name, id),
        _ => None,
    }
);

from_text!(ListenerArn, "listener", |place, parts| match parts {
    ["listener", kind, name, load_balancer_id, id] => Some(ListenerArn {
        load_balancer: load_balancer(place, kind, name, load_balancer_id)?,
        id: id.parse().ok()?,
    }),
    _ => None,
});

from_text!(RuleArn, "listener rule", |place, parts| match parts {
    [
        "listener-rule",
        kind,
        name,
        load_balancer_id,
        listener_id,
        id,
    ] => Some(RuleArn {
        listener: ListenerArn {
            load_balancer: load_balancer(place, kind, name, load_balancer_id)?,
            id: listener_id.parse().ok()?,
        },
        id: id.parse().ok()?,
    }),
    _ => None,
});

from_text!(TargetGroupArn, "target group", |place, parts| match parts {
    ["targetgroup", name, id] => Some(TargetGroupArn {
        place,
        name: (*name).to_owned(),
        id: id.parse().ok()?,
    }),
    _ => None,
});

from_text!(TrustStoreArn, "trust store", |place, parts| match parts {
    ["truststore", name, id] => Some(TrustStoreArn {
        place,
        name: (*name).to_owned(),
        id: id.parse().ok()?,
    }),
    _ => None,
});

impl FromStr for ResourceArn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        let resource = text.splitn(6, ':').nth(5).unwrap_or_default();
        match resource.split('/').next().unwrap_or_default() {
            "loadbalancer" => text.parse().map(Self::LoadBalancer),
            "listener" => text.parse().map(Self::Listener),
            "listener-rule" => text.parse().map(Self::Rule),
            "targetgroup" => text.parse().map(Self::TargetGroup),
            "truststore" => text.parse().map(Self::TrustStore),
            _ => Err(InvalidArn {
                text: text.to_owned(),
                kind: "resource",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:";

    #[test]
    fn an_arn_is_printed_as_it_is_parsed() {
        for resource in [
            "loadbalancer/app/shop/50dc6c495c0c9188",
            "loadbalancer/net/Shop-2/50dc6c495c0c9188",
            "listener/app/shop/50dc6c495c0c9188/0467ef3c8400ae65",
            "listener-rule/app/shop/50dc6c495c0c9188/0467ef3c8400ae65/291a2a2c6a1b4d3e",
            "targetgroup/web/943f017f100becff",
            "truststore/clients/943f017f100becff",
        ] {
            let text = format!("{PREFIX}{resource}");
            let arn: ResourceArn = text.parse().expect("an ARN");
            assert_eq!(arn.to_string(), text);
        }
    }

    #[test]
    fn a_malformed_arn_is_refused_by_its_kind() {
        for text in [
            "shop",
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/shop",
            "arn:aws:elasticloadbalancing:us-east-1:12345678901x:loadbalancer/app/shop/50dc6c495c0c9188",
            "arn:aws:s3:us-east-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188",
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/50dc",
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/xyz/shop/50dc6c495c0c9188",
        ] {
            let error = text.parse::<LoadBalancerArn>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("'{text}' is not a valid load balancer ARN")
            );
        }
    }
}
