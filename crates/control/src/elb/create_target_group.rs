//! `CreateTargetGroup`: what its targets speak and how they are checked.

use std::sync::Arc;

use model::arn::TargetGroupArn;
use model::attributes::Attributes;
use model::ec2::VpcId;
use model::health_check::HealthCheck;
use model::id::TargetGroupId;
use model::protocol::{Protocol, TargetGroupIpAddressType};
use model::tag::Tags;
use model::target_group::{ProtocolVersion, TargetGroup, TargetGroupName, TargetType};

use super::check::{self, unsupported};
use super::input::{HealthCheckSettings, Pairs};
use super::{ElbError, TargetGroupDescription, health_check};
use crate::ec2::lookups;
use crate::{Control, Draft, State};

/// Source: ELB API, `CreateTargetGroup`.
#[derive(Clone, Debug, Default)]
pub struct CreateTargetGroup {
    /// `Name`.
    pub name: String,
    /// `Protocol`.
    pub protocol: Option<Protocol>,
    /// `ProtocolVersion`.
    pub protocol_version: Option<String>,
    /// `Port`.
    pub port: Option<i32>,
    /// `VpcId`.
    pub vpc_id: Option<String>,
    /// The members that begin with `HealthCheck`, the thresholds and `Matcher`.
    pub health_check: HealthCheckSettings,
    /// `TargetType`.
    pub target_type: Option<TargetType>,
    /// `Tags`.
    pub tags: Pairs,
    /// `IpAddressType`: `ipv4` or `ipv6`.
    pub ip_address_type: Option<TargetGroupIpAddressType>,
    /// `TargetControlPort`.
    pub target_control_port: Option<i32>,
}

impl Control {
    /// Creates a target group, or finds the one with this name and the same settings.
    ///
    /// # Errors
    /// `DuplicateTargetGroupName`, `DuplicateTagKeys`, `InvalidConfigurationRequest`, `TooManyTags`,
    /// `TooManyTargetGroups`, `Validation`.
    pub async fn create_target_group(
        &self,
        input: CreateTargetGroup,
    ) -> Result<TargetGroupDescription, ElbError> {
        self.transact(move |draft| {
            let target_group = create(draft, &input)?;
            Ok(TargetGroupDescription::of(draft.state(), target_group))
        })
        .await
    }
}

impl TargetGroupDescription {
    /// The group with the load balancer that forwards to it.
    pub(super) fn of(state: &State, target_group: Arc<TargetGroup>) -> Self {
        let user = state.elb.user_of(target_group.arn.id);
        Self {
            load_balancer_arns: user.map(|user| user.arn.clone()).into_iter().collect(),
            target_group,
        }
    }
}

fn create(draft: &mut Draft, input: &CreateTargetGroup) -> Result<Arc<TargetGroup>, ElbError> {
    let name = TargetGroupName::new(&input.name);
    let name = name
        .map_err(|error| invalid(&error.to_string()))?
        .into_string();
    let target_type = target_type(input)?;
    let protocol = protocol(input)?;
    let protocol_version = protocol_version(input)?;
    let port =
        check::port("port", input.port)?.ok_or_else(|| invalid("A port must be specified"))?;
    refuse_unsupported(input)?;
    let vpc_id = vpc(draft.state(), input.vpc_id.as_deref())?;
    let tags = Tags::default().with(&input.tags)?;
    let health_check_protocol = health_check::protocol(Protocol::Http, &input.health_check)?;
    let health_check = health_check::change(
        match protocol_version {
            ProtocolVersion::Http1 | ProtocolVersion::Http2 => HealthCheck::default(),
            ProtocolVersion::Grpc => HealthCheck::grpc(),
        },
        &input.health_check,
        target_type,
        protocol_version,
    )?;
    let namesake = draft
        .state()
        .elb
        .target_groups
        .values()
        .find(|it| it.name() == name)
        .cloned();
    let target_group = TargetGroup {
        arn: TargetGroupArn {
            place: draft.place(),
            name,
            id: namesake
                .as_ref()
                .map_or_else(|| new_id(draft), |it| it.arn.id),
        },
        target_type,
        protocol,
        protocol_version,
        port,
        vpc_id,
        ip_address_type: input
            .ip_address_type
            .unwrap_or(TargetGroupIpAddressType::Ipv4),
        health_check_protocol,
        health_check,
        attributes: Attributes::default(),
        tags,
    };
    if let Some(namesake) = namesake {
        return same_or_duplicate(namesake, target_group);
    }
    let limit = draft.settings().limits.target_groups;
    if draft.state().elb.target_groups.len() >= limit {
        return Err(ElbError::TooManyTargetGroups(
            "The maximum number of target groups has been reached".to_owned(),
        ));
    }
    Ok(draft.put(target_group))
}

/// The group that has the name, if it was created with the same settings as `wanted`.
fn same_or_duplicate(
    namesake: Arc<TargetGroup>,
    wanted: TargetGroup,
) -> Result<Arc<TargetGroup>, ElbError> {
    let name = wanted.arn.name.clone();
    // Attributes are not among the settings of the request.
    let attributes = namesake.attributes.clone();
    if *namesake
        == (TargetGroup {
            attributes,
            ..wanted
        })
    {
        return Ok(namesake);
    }
    Err(ElbError::DuplicateTargetGroupName(format!(
        "A target group with the same name '{name}' exists, but with different settings"
    )))
}

fn target_type(input: &CreateTargetGroup) -> Result<TargetType, ElbError> {
    match input.target_type.unwrap_or(TargetType::Instance) {
        known @ (TargetType::Instance | TargetType::Ip) => Ok(known),
        other => Err(unsupported(&format!("Target type '{other}'"))),
    }
}

fn protocol(input: &CreateTargetGroup) -> Result<Protocol, ElbError> {
    match input.protocol {
        Some(known @ (Protocol::Http | Protocol::Https)) => Ok(known),
        Some(other) => Err(unsupported(&format!("Target group protocol '{other}'"))),
        None => Err(invalid("A protocol must be specified")),
    }
}

fn protocol_version(input: &CreateTargetGroup) -> Result<ProtocolVersion, ElbError> {
    // Terraform sends an empty text for what its user has not set.
    let given = input.protocol_version.as_deref();
    let Some(text) = given.filter(|text| !text.is_empty()) else {
        return Ok(ProtocolVersion::Http1);
    };
    text.parse().map_err(|_| {
        invalid(&format!(
            "Protocol version '{text}' must be one of 'HTTP1, HTTP2, GRPC'"
        ))
    })
}

fn refuse_unsupported(input: &CreateTargetGroup) -> Result<(), ElbError> {
    match check::port("targetControlPort", input.target_control_port)? {
        None => Ok(()),
        Some(_) => Err(unsupported("TargetControlPort")),
    }
}

fn vpc(state: &State, id: Option<&str>) -> Result<VpcId, ElbError> {
    let id = id.ok_or_else(|| invalid("A VPC ID must be specified"))?;
    let vpc = lookups::vpc(&state.ec2, id);
    let vpc = vpc.ok_or_else(|| invalid(&format!("The VPC ID '{id}' is not found")))?;
    Ok(vpc.id.clone())
}

fn new_id(draft: &Draft) -> TargetGroupId {
    loop {
        let id = TargetGroupId(draft.draw());
        if draft.state().find::<TargetGroup>(&id).is_none() {
            return id;
        }
    }
}

fn invalid(message: &str) -> ElbError {
    ElbError::Validation(message.to_owned())
}
