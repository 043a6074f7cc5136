//! A target group: how its targets are spoken to and how they are checked.
//!
//! Source: ELB API, `TargetGroup` and `CreateTargetGroup`.

use serde::{Deserialize, Serialize};

use crate::arn::TargetGroupArn;
use crate::attributes::Attributes;
use crate::ec2::VpcId;
use crate::health_check::HealthCheck;
use crate::protocol::{Protocol, TargetGroupIpAddressType};
use crate::tag::Tags;
use crate::text_enum;

text_enum! {
    /// What the ids of targets are.
    ///
    /// Source: ELB API, `TargetTypeEnum`.
    pub enum TargetType {
        /// Ids of instances.
        Instance = "instance",
        /// Addresses.
        Ip = "ip",
        /// One function.
        Lambda = "lambda",
        /// One Application Load Balancer.
        Alb = "alb",
    }
}

text_enum! {
    /// The version of HTTP that targets speak.
    pub enum ProtocolVersion {
        /// HTTP/1.1.
        Http1 = "HTTP1",
        /// HTTP/2.
        Http2 = "HTTP2",
        /// gRPC over HTTP/2.
        Grpc = "GRPC",
    }
}

/// A target group of instances or addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroup {
    /// Holds the name and the id.
    pub arn: TargetGroupArn,
    /// What the ids of its targets are.
    pub target_type: TargetType,
    /// What its targets speak.
    pub protocol: Protocol,
    /// Which version of it.
    pub protocol_version: ProtocolVersion,
    /// The port of targets registered without one.
    pub port: u16,
    /// The VPC of its targets.
    pub vpc_id: VpcId,
    /// The family of its targets' addresses.
    pub ip_address_type: TargetGroupIpAddressType,
    /// What health checks speak.
    pub health_check_protocol: Protocol,
    /// How its targets are checked.
    pub health_check: HealthCheck,
    /// What differs from the defaults of `target_group_attributes`.
    pub attributes: Attributes,
    /// Its tags.
    pub tags: Tags,
}

impl TargetGroup {
    /// The name given at creation.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.arn.name
    }
}

/// A valid name of a target group: 1 to 32 letters, digits and hyphens, no hyphen at either end.
///
/// Source: ELB API, `CreateTargetGroup`, `Name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetGroupName(String);

/// The text cannot name a target group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTargetGroupName {
    /// No character at all.
    #[error("Target group name cannot be empty")]
    Empty,
    /// Over 32 characters.
    #[error("Target group name '{0}' cannot be longer than '32' characters")]
    TooLong(String),
    /// Something other than letters, digits and hyphens.
    #[error(
        "Target group name '{0}' can only contain characters that are alphanumeric characters and hyphens(-)"
    )]
    Characters(String),
    /// A hyphen in front or at the end.
    #[error("Target group name '{0}' cannot begin or end with a hyphen(-)")]
    Hyphen(String),
}

impl TargetGroupName {
    /// # Errors
    /// `InvalidTargetGroupName` says which rule `text` breaks.
    pub fn new(text: &str) -> Result<Self, InvalidTargetGroupName> {
        use InvalidTargetGroupName as Invalid;
        let name = text.to_owned();
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
        match text {
            "" => Err(Invalid::Empty),
            _ if text.chars().count() > 32 => Err(Invalid::TooLong(name)),
            _ if !text.chars().all(is_allowed) => Err(Invalid::Characters(name)),
            _ if text.starts_with('-') || text.ends_with('-') => Err(Invalid::Hyphen(name)),
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
                "a.b",
                "can only contain characters that are alphanumeric characters and hyphens(-)",
            ),
            ("-a", "cannot begin or end with a hyphen(-)"),
            ("a-", "cannot begin or end with a hyphen(-)"),
        ] {
            let error = TargetGroupName::new(name).unwrap_err().to_string();
            assert!(error.ends_with(ending), "{name:?}: {error}");
        }
    }
}
