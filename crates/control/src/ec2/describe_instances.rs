//! DescribeInstances and DescribeInstanceStatus.

use std::sync::Arc;

use model::ec2::{Instance, InstanceId, InstanceState, SecurityGroupId, Tags};

use crate::ec2::instance_filters::{FILTERS, STATUS_FILTERS};
use crate::ec2::networks::is_named;
use crate::ec2::{Ec2Error, Filter, Page, PageRequest, names, network_interfaces};
use crate::settings::Settings;
use crate::state::State;

/// For how long a terminated instance is shown: EC2 says "a short while, typically one hour".
///
/// Source: EC2 User Guide, "Terminate Amazon EC2 instances".
pub const TERMINATED_SHOWN_MILLIS: u64 = 60 * 60 * 1000;

/// How many ids a request for a status may have.
///
/// Source: EC2 API, `DescribeInstanceStatus`, `InstanceIds`.
pub const STATUS_IDS_MAX: usize = 100;

/// Which instances to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeInstances {
    /// These alone; all for an empty list.
    pub instance_ids: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer; not together with ids.
    pub page: PageRequest,
}

/// Of which instances to show the status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeInstanceStatus {
    /// These alone, up to `STATUS_IDS_MAX`; all for an empty list.
    pub instance_ids: Vec<String>,
    /// Whether to show those that do not run as well.
    pub include_all: bool,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer; not together with ids.
    pub page: PageRequest,
}

/// An instance, and what is known about it elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceDescription {
    /// The instance.
    pub instance: Arc<Instance>,
    /// The groups it carries, with their names.
    pub groups: Vec<(SecurityGroupId, String)>,
    /// The account it belongs to.
    pub owner_id: String,
    /// The tags of its network interface.
    pub interface_tags: Tags,
    /// The name of its private address inside the VPC; empty once it has let go of the address, as on EC2.
    pub private_dns_name: String,
}

/// What EC2 says about why an instance does not run: the reason, and the time in its own words; empty while
/// it runs.
#[must_use]
pub fn transition_reason(state: InstanceState) -> String {
    let ended = state.ended_at_millis();
    ended.map_or_else(String::new, |at| {
        format!("User initiated ({})", names::spelled_time(at))
    })
}

/// The code and the message of the reason why an instance does not run; `None` while it runs.
#[must_use]
pub fn state_reason(state: InstanceState) -> Option<(&'static str, &'static str)> {
    state.ended_at_millis().map(|_| {
        (
            "Client.UserInitiatedShutdown",
            "Client.UserInitiatedShutdown: User initiated shutdown",
        )
    })
}

/// What DescribeInstanceStatus says of an instance, and of the system below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceStatus {
    /// In one word.
    pub name: &'static str,
    /// What became of the check whether it can be reached; `None` where EC2 checks nothing.
    pub reachability: Option<&'static str>,
}

impl InstanceStatus {
    /// A running instance is in use, and nothing speaks against it: elbow asks no machine but the targets of load
    /// balancers, whose health checks tell.
    ///
    /// Source: EC2 API, `InstanceStatusSummary`.
    #[must_use]
    pub fn of(state: InstanceState) -> Self {
        match state {
            InstanceState::Running => Self {
                name: "ok",
                reachability: Some("passed"),
            },
            InstanceState::Stopped { .. } | InstanceState::Terminated { .. } => Self {
                name: "not-applicable",
                reachability: None,
            },
        }
    }
}

/// The instances in the order of their reservations, those of one in the order in which they were launched.
///
/// # Errors
/// `MalformedId`, `InstancesNotFound`, `IdsWithMaxResults`, and those of filters and pages.
pub(crate) fn describe(
    state: &State,
    settings: &Settings,
    now_millis: u64,
    request: &DescribeInstances,
) -> Result<Page<InstanceDescription>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    request
        .page
        .refuse_with("instancesSet", &request.instance_ids)?;
    require_ids(state, &request.instance_ids, now_millis)?;
    let instances = shown(state, &request.instance_ids, now_millis)
        .map(|instance| describe_instance(state, settings, instance));
    let mut wanted: Vec<_> = instances.filter(is_wanted).collect();
    wanted.sort_by_cached_key(place_in_list);
    request.page.cut("instances", wanted, place_in_list)
}

/// What sorts instances of one reservation together.
fn place_in_list(it: &InstanceDescription) -> String {
    let instance = &it.instance;
    format!("{}/{:04}", instance.reservation_id, instance.launch_index)
}

/// # Errors
/// As `describe`.
pub(crate) fn describe_status(
    state: &State,
    settings: &Settings,
    now_millis: u64,
    request: &DescribeInstanceStatus,
) -> Result<Page<Arc<Instance>>, Ec2Error> {
    let is_wanted = STATUS_FILTERS.parse(&request.filters)?;
    require_few(&request.instance_ids, STATUS_IDS_MAX)?;
    request
        .page
        .refuse_with("instancesSet", &request.instance_ids)?;
    require_ids(state, &request.instance_ids, now_millis)?;
    let instances = shown(state, &request.instance_ids, now_millis)
        .filter(|instance| request.include_all || instance.is_running())
        .filter(|instance| is_wanted(&describe_instance(state, settings, instance)))
        .cloned();
    request.page.cut("instance-status", instances, |instance| {
        instance.id.to_string()
    })
}

/// Refuses more ids than a request may have.
///
/// # Errors
/// `TooManyInstanceIds`.
pub(crate) fn require_few(ids: &[String], max: usize) -> Result<(), Ec2Error> {
    match ids.len() {
        count if count > max => Err(Ec2Error::TooManyInstanceIds { count, max }),
        _ => Ok(()),
    }
}

/// The instances with these ids, or all of them if there are no ids, that are still shown.
pub(crate) fn shown<'s>(
    state: &'s State,
    ids: &'s [String],
    now_millis: u64,
) -> impl Iterator<Item = &'s Arc<Instance>> {
    let instances = state.ec2.instances.values();
    instances.filter(move |instance| {
        is_shown(instance, now_millis) && is_named(ids, instance.id.as_str())
    })
}

/// An instance with the names of its groups. A terminated one carries none: they may be gone.
pub(crate) fn describe_instance(
    state: &State,
    settings: &Settings,
    instance: &Arc<Instance>,
) -> InstanceDescription {
    let carried = instance
        .security_groups
        .iter()
        .filter(|_| instance.holds_address());
    let named = carried.filter_map(|id| state.ec2.security_groups.get(id));
    InstanceDescription {
        instance: Arc::clone(instance),
        groups: named
            .map(|group| (group.id.clone(), group.name.clone()))
            .collect(),
        owner_id: settings.place.account.clone(),
        interface_tags: network_interfaces::tags_of(state, &instance.network_interface_id()),
        private_dns_name: match instance.holds_address() {
            true => names::private_dns_name(instance.private_address, &settings.place.region),
            false => String::new(),
        },
    }
}

/// Whether the instance is there, or was terminated less than an hour ago.
pub(crate) fn is_shown(instance: &Instance, now_millis: u64) -> bool {
    match instance.state {
        InstanceState::Running | InstanceState::Stopped { .. } => true,
        InstanceState::Terminated { at_millis } => {
            now_millis.saturating_sub(at_millis) < TERMINATED_SHOWN_MILLIS
        }
    }
}

/// The ids in `texts`, all of instances that are shown.
///
/// # Errors
/// `MalformedId`, `InstancesNotFound` with all that are missing.
pub(crate) fn require_ids(
    state: &State,
    texts: &[String],
    now_millis: u64,
) -> Result<Vec<InstanceId>, Ec2Error> {
    let ids: Vec<InstanceId> = texts
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_, _>>()?;
    let exists = |id: &InstanceId| {
        let instance = state.ec2.instances.get(id);
        instance.is_some_and(|instance| is_shown(instance, now_millis))
    };
    let missing: Vec<String> = ids
        .iter()
        .filter(|id| !exists(id))
        .map(InstanceId::to_string)
        .collect();
    if missing.is_empty() {
        Ok(ids)
    } else {
        Err(Ec2Error::InstancesNotFound(missing))
    }
}
