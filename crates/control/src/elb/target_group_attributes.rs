//! `DescribeTargetGroupAttributes` and `ModifyTargetGroupAttributes`.

use std::sync::Arc;

use model::action::ForwardAction;
use model::attributes::{Attribute, Attributes};
use model::target::Target;
use model::target_group::TargetGroup;
use model::target_group_attributes::{self as keys, APPLICATION, OTHER_TYPES};

use super::attributes::{Table, change};
use super::input::Pairs;
use super::standing::ALL_ZONES;
use super::{AttributeList, ElbError, find};
use crate::{Control, State};

/// What the names of the load balancer's own cookies start with.
const RESERVED_COOKIES: &str = "AWSALB";

/// Kinds of stickiness of Network and Gateway Load Balancers.
const OTHER_STICKINESS_TYPES: [&str; 3] =
    ["source_ip", "source_ip_dest_ip", "source_ip_dest_ip_proto"];

const TABLE: Table = Table {
    resource: "Target group",
    attributes: APPLICATION,
    extensions: &[],
    other_types: OTHER_TYPES,
    type_text: "on target groups with the HTTP protocol",
};

/// Source: ELB API, `DescribeTargetGroupAttributes`.
#[derive(Clone, Debug, Default)]
pub struct DescribeTargetGroupAttributes {
    /// `TargetGroupArn`.
    pub target_group_arn: String,
}

/// Source: ELB API, `ModifyTargetGroupAttributes`.
#[derive(Clone, Debug, Default)]
pub struct ModifyTargetGroupAttributes {
    /// `TargetGroupArn`.
    pub target_group_arn: String,
    /// `Attributes`.
    pub attributes: Pairs,
}

impl Control {
    /// Every attribute of a target group.
    ///
    /// # Errors
    /// `TargetGroupNotFound`, `Validation`.
    pub async fn describe_target_group_attributes(
        &self,
        input: DescribeTargetGroupAttributes,
    ) -> Result<AttributeList, ElbError> {
        self.read(|state| {
            let group = find::target_group(state, &input.target_group_arn)?;
            Ok(group.attributes.describe(APPLICATION))
        })
    }

    /// Changes all of the attributes, or none; the answer has every attribute.
    ///
    /// # Errors
    /// `TargetGroupNotFound`, `InvalidConfigurationRequest`, `Validation`.
    pub async fn modify_target_group_attributes(
        &self,
        input: ModifyTargetGroupAttributes,
    ) -> Result<AttributeList, ElbError> {
        self.transact(move |draft| {
            let group = find::target_group(draft.state(), &input.target_group_arn)?;
            let mut group = TargetGroup::clone(group);
            check_types(&group, &input.attributes)?;
            let changed = change(&TABLE, &group.attributes, &input.attributes, |it| *it)?;
            check_together(&changed)?;
            check_users(draft.state(), &group, &changed)?;
            let described = changed.describe(APPLICATION);
            if changed != group.attributes {
                group.attributes = changed;
                draft.put(group);
            }
            Ok(described)
        })
        .await
    }
}

/// Refuses the kinds of stickiness that groups of other protocols have.
fn check_types(group: &TargetGroup, changes: &Pairs) -> Result<(), ElbError> {
    let is_foreign = |(key, value): &&(String, String)| {
        key == keys::STICKINESS_TYPE.key && OTHER_STICKINESS_TYPES.contains(&value.as_str())
    };
    match changes.iter().find(is_foreign) {
        Some((_, value)) => Err(refuse(format!(
            "Stickiness type '{value}' is not supported for target groups with the {} protocol",
            group.protocol
        ))),
        None => Ok(()),
    }
}

/// Refuses values that exclude each other.
///
/// Source: ELB API, `TargetGroupAttribute`; ALB guide, "Edit target group attributes".
fn check_together(attributes: &Attributes) -> Result<(), ElbError> {
    let value = |attribute: &Attribute| attributes.value(attribute);
    let algorithm = value(&keys::ALGORITHM);
    let is_sticky = value(&keys::STICKINESS) == "true";
    let both = |what: &str| {
        let algorithm = algorithm.replace('_', " ");
        refuse(format!(
            "You cannot enable both {what} and {algorithm} algorithm on a target group"
        ))
    };
    if value(&keys::ANOMALY_MITIGATION) == keys::ON && algorithm != keys::WEIGHTED_RANDOM {
        return Err(both("anomaly mitigation"));
    }
    if value(&keys::SLOW_START) != "0" && algorithm != keys::ROUND_ROBIN {
        return Err(both("slow start"));
    }
    if is_sticky && algorithm == keys::WEIGHTED_RANDOM {
        return Err(refuse(
            "You cannot have both stickiness and weighted random algorithm enabled on the same target group."
                .to_owned(),
        ));
    }
    if is_sticky && value(&keys::CROSS_ZONE) == "false" {
        return Err(refuse(
            "You cannot enable stickiness on a target group while cross-zone load balancing is off for it"
                .to_owned(),
        ));
    }
    let cookie = value(&keys::APP_COOKIE_NAME);
    if cookie.starts_with(RESERVED_COOKIES) {
        return Err(refuse(format!(
            "The application cookie name '{cookie}' is not allowed: names that start with \
             '{RESERVED_COOKIES}' are reserved for the load balancer"
        )));
    }
    if is_sticky && value(&keys::STICKINESS_TYPE) == keys::APP_COOKIE && cookie.is_empty() {
        return Err(refuse(
            "You must set an application cookie name to enable stickiness of type 'app_cookie'"
                .to_owned(),
        ));
    }
    check_thresholds(attributes, &keys::DNS_COUNT, &keys::ROUTING_COUNT)?;
    check_thresholds(attributes, &keys::DNS_PERCENTAGE, &keys::ROUTING_PERCENTAGE)
}

/// A zone leaves the DNS answer before its node fails open, or with it.
fn check_thresholds(
    attributes: &Attributes,
    dns: &Attribute,
    routing: &Attribute,
) -> Result<(), ElbError> {
    let number = |attribute| attributes.value(attribute).parse::<u32>().ok();
    match (number(dns), number(routing)) {
        (Some(low), Some(high)) if low < high => Err(refuse(format!(
            "The value of '{}' must be greater than or equal to the value of '{}'",
            dns.key, routing.key
        ))),
        _ => Ok(()),
    }
}

/// Refuses what does not fit the targets of the group, or the actions that forward to it.
fn check_users(
    state: &State,
    group: &TargetGroup,
    attributes: &Attributes,
) -> Result<(), ElbError> {
    if attributes.value(&keys::CROSS_ZONE) == "false" {
        let is_in_all =
            |target: &&Arc<Target>| target.availability_zone.as_deref() == Some(ALL_ZONES);
        let targets = state.elb.targets_of(group.arn.id);
        let mut targets = targets.filter(|target| !target.is_draining());
        if let Some(target) = targets.find(is_in_all) {
            return Err(refuse(format!(
                "You cannot turn off cross-zone load balancing for a target group while a target is \
                 registered with the Availability Zone 'all': '{}'",
                target.key.id
            )));
        }
    }
    if attributes.value(&keys::STICKINESS) == "true" {
        let mut forwards = state.elb.forwards_to(group.arn.id);
        let is_loose =
            |forward: &ForwardAction| forward.target_groups.len() > 1 && !forward.is_sticky;
        if let Some((rule, _)) = forwards.find(|(_, forward)| is_loose(forward)) {
            return Err(refuse(format!(
                "This target group appears behind a rule with group stickiness disabled ({rule}). You must \
                 enable group stickiness before enabling target stickiness"
            )));
        }
    }
    Ok(())
}

fn refuse(message: String) -> ElbError {
    ElbError::InvalidConfigurationRequest(message)
}
