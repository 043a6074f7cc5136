//! `DescribeTargetHealth`: what is known about each target, and why it gets no requests if it gets none.

use engine::EndpointState;
use engine::health::{Failure, Health};
use model::load_balancer::LoadBalancer;
use model::target::Target;
use model::target_group::{TargetGroup, TargetType};
use model::text_enum;

use super::input::TargetDescription;
use super::standing::{self, Standing, Surroundings};
use super::{ElbError, check, find, target_ids};
use crate::Control;
use crate::control::Live;

/// Source: ELB API, `DescribeTargetHealth`.
#[derive(Clone, Debug, Default)]
pub struct DescribeTargetHealth {
    /// `TargetGroupArn`.
    pub target_group_arn: String,
    /// `Targets`; empty: all of the group.
    pub targets: Vec<TargetDescription>,
    /// `Include`: `AnomalyDetection` or `All`.
    pub include: Vec<String>,
}

/// One target of the answer.
///
/// Source: ELB API, `TargetHealthDescription`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHealthDescription {
    /// `Target`; the port and, for addresses, the zone are filled in.
    pub target: TargetDescription,
    /// `HealthCheckPort`: the effective port; absent for what is not registered.
    pub health_check_port: Option<String>,
    /// `TargetHealth`.
    pub health: TargetHealth,
    /// `AnomalyDetection`: only when it was asked for.
    pub anomaly_detection: Option<AnomalyDetection>,
    /// `AdministrativeOverride`.
    pub administrative_override: AdministrativeOverride,
}

/// Whether something else than its health keeps requests from a target.
///
/// Source: ELB API, `AdministrativeOverride`; ALB guide, "Zonal shift for your Application Load Balancer",
/// "Administrative override".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdministrativeOverride {
    /// Nothing does.
    #[default]
    NoOverride,
    /// Traffic is shifted away from its zone.
    ZonalShiftActive,
}

impl AdministrativeOverride {
    /// `State`.
    #[must_use]
    pub fn state(self) -> &'static str {
        match self {
            Self::NoOverride => "no_override",
            Self::ZonalShiftActive => "zonal_shift_active",
        }
    }

    /// `Reason`.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoOverride => "AdministrativeOverride.NoOverride",
            Self::ZonalShiftActive => "AdministrativeOverride.ZonalShiftActive",
        }
    }

    /// `Description`.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::NoOverride => "No override is currently active on target",
            Self::ZonalShiftActive => "Zonal shift is active in target Availability Zone",
        }
    }
}

/// Source: ELB API, `AnomalyDetection`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnomalyDetection {
    /// `Result`: `anomalous` or `normal`.
    pub is_anomalous: bool,
    /// `MitigationInEffect`: `yes` or `no`.
    pub is_mitigating: bool,
}

/// Source: ELB API, `TargetHealth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHealth {
    /// `State`.
    pub state: TargetHealthState,
    /// `Reason`; absent for `healthy`.
    pub reason: Option<TargetHealthReason>,
    /// `Description`; absent for `healthy`.
    pub description: Option<String>,
}

text_enum! {
    /// Source: ELB API, `TargetHealthStateEnum`.
    pub enum TargetHealthState {
        /// Not decided yet.
        Initial = "initial",
        /// Gets requests.
        Healthy = "healthy",
        /// Gets requests only when no target is healthy.
        Unhealthy = "unhealthy",
        /// Not checked and without requests.
        Unused = "unused",
        /// Deregistered, with requests in progress.
        Draining = "draining",
    }
}

text_enum! {
    /// Source: ELB API, `TargetHealthReasonEnum`.
    pub enum TargetHealthReason {
        /// The first check has not been made.
        RegistrationInProgress = "Elb.RegistrationInProgress",
        /// The first checks are being made.
        InitialHealthChecking = "Elb.InitialHealthChecking",
        /// The status code is not one of the matcher's.
        ResponseCodeMismatch = "Target.ResponseCodeMismatch",
        /// No answer in time.
        Timeout = "Target.Timeout",
        /// No connection, or an answer that is not HTTP.
        FailedHealthChecks = "Target.FailedHealthChecks",
        /// Not a target of the group.
        NotRegistered = "Target.NotRegistered",
        /// Nothing forwards to the group, or the zone is not enabled.
        NotInUse = "Target.NotInUse",
        /// Deregistered.
        DeregistrationInProgress = "Target.DeregistrationInProgress",
        /// The instance does not run.
        InvalidState = "Target.InvalidState",
        /// The address belongs to a load balancer.
        IpUnusable = "Target.IpUnusable",
        /// The check could not be made.
        InternalError = "Elb.InternalError",
    }
}

impl Control {
    /// Describes the health of the named targets, or of all targets of the group.
    ///
    /// # Errors
    /// `TargetGroupNotFound`, `InvalidTarget` for an instance that does not exist, `Validation`.
    pub async fn describe_target_health(
        &self,
        input: DescribeTargetHealth,
    ) -> Result<Vec<TargetHealthDescription>, ElbError> {
        let live = self.live();
        let group = find::target_group(&live.state, &input.target_group_arn)?;
        let user = live.state.elb.user_of(group.arn.id).map(AsRef::as_ref);
        let view = View {
            live: &live,
            group,
            user,
            shifted_zone: user.and_then(|user| {
                let shift = live.state.zonal_shift.active_of(user.arn.id)?;
                Some(shift.away_from.name.as_str())
            }),
            surroundings: Surroundings::of(&live.state),
            has_anomaly_detection: has_anomaly_detection(&input.include)?,
        };
        if input.targets.is_empty() {
            let targets = live.state.elb.targets_of(group.arn.id);
            return Ok(targets.map(|target| view.describe(target)).collect());
        }
        input
            .targets
            .iter()
            .map(|target| view.describe_named(target))
            .collect()
    }
}

fn has_anomaly_detection(include: &[String]) -> Result<bool, ElbError> {
    for word in include {
        if !matches!(word.as_str(), "AnomalyDetection" | "All") {
            let constraint = "satisfy enum value set: [AnomalyDetection, All]";
            return Err(check::violation("include", word, constraint));
        }
    }
    Ok(!include.is_empty())
}

/// What all targets of one answer are described with.
struct View<'a> {
    live: &'a Live,
    group: &'a TargetGroup,
    user: Option<&'a LoadBalancer>,
    /// The zone that traffic of `user` is shifted away from.
    shifted_zone: Option<&'a str>,
    surroundings: Surroundings<'a>,
    has_anomaly_detection: bool,
}

impl View<'_> {
    fn describe_named(
        &self,
        named: &TargetDescription,
    ) -> Result<TargetHealthDescription, ElbError> {
        let key = target_ids::key(self.group, named)?;
        if let Some(target) = target_ids::registered(&self.live.state, &key, named) {
            return Ok(self.describe(target));
        }
        if self.group.target_type == TargetType::Instance {
            target_ids::instance(&self.live.state, &named.id)?;
        }
        let health = TargetHealth::because(
            TargetHealthState::Unused,
            TargetHealthReason::NotRegistered,
            "Target is not registered to the target group",
        );
        let anomaly = AnomalyDetection::default();
        let zone = named.availability_zone.clone();
        Ok(TargetHealthDescription {
            health_check_port: None,
            ..self.description(key.id, key.port, zone, health, anomaly)
        })
    }

    fn describe(&self, target: &Target) -> TargetHealthDescription {
        let (health, anomaly) = match self.surroundings.standing(target, self.group, self.user) {
            Standing::InUse(_) => match self.live.lowered.endpoint_state(target) {
                Some(known) => (TargetHealth::of(known), self.anomaly(known)),
                None => (TargetHealth::registering(), AnomalyDetection::default()),
            },
            other => (
                TargetHealth::without_checks(&other),
                AnomalyDetection::default(),
            ),
        };
        let zone = match self.group.target_type {
            TargetType::Instance => None,
            TargetType::Ip | TargetType::Lambda | TargetType::Alb => {
                standing::zone_of_address(&self.live.state, target).map(str::to_owned)
            }
        };
        let (id, port) = (target.key.id.clone(), target.key.port);
        TargetHealthDescription {
            administrative_override: self.administrative_override(target),
            ..self.description(id, port, zone, health, anomaly)
        }
    }

    fn administrative_override(&self, target: &Target) -> AdministrativeOverride {
        let zone = self.surroundings.zone(target, self.group);
        match self.shifted_zone {
            Some(shifted) if zone.as_deref() == Some(shifted) => {
                AdministrativeOverride::ZonalShiftActive
            }
            _ => AdministrativeOverride::NoOverride,
        }
    }

    fn anomaly(&self, endpoint: &EndpointState) -> AnomalyDetection {
        let id = self.group.arn.id.0;
        let mut pools = self.live.lowered.snapshot.pools.iter();
        let pool = pools.find(|pool| pool.id.0 == id);
        AnomalyDetection {
            is_anomalous: endpoint.is_anomalous(),
            is_mitigating: pool.is_some_and(|pool| pool.is_mitigating(endpoint)),
        }
    }

    fn description(
        &self,
        id: String,
        port: u16,
        availability_zone: Option<String>,
        health: TargetHealth,
        anomaly: AnomalyDetection,
    ) -> TargetHealthDescription {
        let check_port = self.group.health_check.port.beside(port);
        TargetHealthDescription {
            target: TargetDescription {
                id,
                port: Some(port.into()),
                availability_zone,
                quic_server_id: None,
            },
            health_check_port: Some(check_port.to_string()),
            health,
            anomaly_detection: self.has_anomaly_detection.then_some(anomaly),
            administrative_override: AdministrativeOverride::NoOverride,
        }
    }
}

impl TargetHealth {
    fn because(state: TargetHealthState, reason: TargetHealthReason, description: &str) -> Self {
        Self {
            state,
            reason: Some(reason),
            description: Some(description.to_owned()),
        }
    }

    fn registering() -> Self {
        Self::because(
            TargetHealthState::Initial,
            TargetHealthReason::RegistrationInProgress,
            "Target registration is in progress",
        )
    }

    /// What the checks have found.
    fn of(endpoint: &EndpointState) -> Self {
        match (endpoint.health(), endpoint.failure()) {
            (Health::Healthy { .. }, _) => Self {
                state: TargetHealthState::Healthy,
                reason: None,
                description: None,
            },
            (Health::Initial { failures: 0 }, None) => Self::registering(),
            (Health::Initial { .. }, _) => Self::because(
                TargetHealthState::Initial,
                TargetHealthReason::InitialHealthChecking,
                "Initial health checks in progress",
            ),
            (Health::Unhealthy { .. }, failure) => {
                // A target on its way back has passed its latest check and still failed the ones before.
                Self::unhealthy(failure.unwrap_or(Failure::FailedHealthChecks))
            }
        }
    }

    fn unhealthy(failure: Failure) -> Self {
        let (reason, description) = match failure {
            Failure::ResponseCodeMismatch(status) => (
                TargetHealthReason::ResponseCodeMismatch,
                format!("Health checks failed with these codes: [{status}]"),
            ),
            Failure::Timeout => (TargetHealthReason::Timeout, "Request timed out".to_owned()),
            Failure::FailedHealthChecks => (
                TargetHealthReason::FailedHealthChecks,
                "Health checks failed".to_owned(),
            ),
            Failure::InternalError => (
                TargetHealthReason::InternalError,
                "Health checks failed due to an internal error".to_owned(),
            ),
        };
        Self::because(TargetHealthState::Unhealthy, reason, &description)
    }

    /// The health of a target that is not checked.
    fn without_checks(standing: &Standing) -> Self {
        let unused = |reason, description: &str| {
            Self::because(TargetHealthState::Unused, reason, description)
        };
        match standing {
            Standing::InUse(_) => Self::registering(),
            Standing::Draining => Self::because(
                TargetHealthState::Draining,
                TargetHealthReason::DeregistrationInProgress,
                "Target deregistration is in progress",
            ),
            Standing::GroupNotInUse => unused(
                TargetHealthReason::NotInUse,
                "Target group is not configured to receive traffic from the load balancer",
            ),
            Standing::ZoneNotEnabled => unused(
                TargetHealthReason::NotInUse,
                "Target is in an Availability Zone that is not enabled for the load balancer",
            ),
            Standing::NotRunning(state) => unused(
                TargetHealthReason::InvalidState,
                &format!("Target is in the {state} state"),
            ),
            Standing::AddressOfLoadBalancer => unused(
                TargetHealthReason::IpUnusable,
                "The IP address cannot be used as a target, as it is in use by a load balancer",
            ),
        }
    }
}
