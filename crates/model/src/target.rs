//! A target: an id and a port registered with a target group.
//!
//! Source: ELB API, `TargetDescription` and `RegisterTargets`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{RegistrationId, TargetGroupId};

/// What identifies a registered target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetKey {
    /// The group it is registered with.
    pub target_group: TargetGroupId,
    /// The id of an instance, or an address in its usual form.
    pub id: String,
    /// 1 to 65535. One id on two ports is two targets.
    pub port: u16,
}

impl fmt::Display for TargetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.target_group, self.id, self.port)
    }
}

/// A registered target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// What identifies it.
    pub key: TargetKey,
    /// Another one each time the target is registered after it was deregistered.
    pub registration: RegistrationId,
    /// The zone as it was given, or detected from the subnet: a zone of the VPC, or `all`. Only for targets that are
    /// addresses; older records have only those that were given.
    pub availability_zone: Option<String>,
    /// Whether it gets requests.
    pub phase: TargetPhase,
}

/// Where a target is between registration and the end of its drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetPhase {
    /// It may get requests.
    Registered,
    /// It gets no new request and may finish those it has.
    Draining {
        /// When the rest is cut off, in milliseconds since 1970.
        until_millis: u64,
    },
}

impl Target {
    /// Whether it has been deregistered and not yet removed.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        matches!(self.phase, TargetPhase::Draining { .. })
    }
}
