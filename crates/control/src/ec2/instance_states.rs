//! StartInstances, StopInstances, TerminateInstances: whether instances can be targets.
//!
//! The machines themselves go on as they are: elbow starts and stops none. A state is reached at once, so
//! that there are no states in between.

use model::ec2::{Instance, InstanceId, InstanceState};

use crate::ec2::describe_instances::{is_shown, require_few, require_ids};
use crate::ec2::{Ec2, Ec2Error};
use crate::state::Draft;

/// How many instances a request may terminate.
///
/// Source: EC2 API, `TerminateInstances`, `InstanceIds`.
pub const TERMINATED_IDS_MAX: usize = 1000;

/// What became of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceStateChange {
    /// Which one.
    pub instance_id: InstanceId,
    /// Its state before.
    pub previous: InstanceState,
    /// Its state now.
    pub current: InstanceState,
}

impl Ec2<'_> {
    /// Starts the instances with these ids, all of them or none: targets among them get requests again.
    ///
    /// # Errors
    /// `MissingParameter`, `MalformedId`, `InstancesNotFound`, `IncorrectInstanceState` for one that is
    /// terminated.
    pub async fn start_instances(
        &self,
        ids: Vec<String>,
    ) -> Result<Vec<InstanceStateChange>, Ec2Error> {
        self.change(move |draft| change(draft, &ids, started)).await
    }

    /// Stops the instances with these ids, all of them or none: they get no requests and keep their
    /// addresses.
    ///
    /// # Errors
    /// `MissingParameter`, `MalformedId`, `InstancesNotFound`, `ProtectedInstance`,
    /// `IncorrectInstanceState` for one that is terminated.
    pub async fn stop_instances(
        &self,
        ids: Vec<String>,
    ) -> Result<Vec<InstanceStateChange>, Ec2Error> {
        self.change(move |draft| change(draft, &ids, stopped)).await
    }

    /// Takes the instances with these ids from the inventory, all of them or none. They get no requests from
    /// then on, their addresses are free, and they are shown for another hour.
    ///
    /// # Errors
    /// `MissingParameter`, `TooManyInstanceIds`, `MalformedId`, `InstancesNotFound`, `ProtectedInstance`.
    pub async fn terminate_instances(
        &self,
        ids: Vec<String>,
    ) -> Result<Vec<InstanceStateChange>, Ec2Error> {
        self.change(move |draft| {
            require_few(&ids, TERMINATED_IDS_MAX)?;
            let changes = change(draft, &ids, terminated)?;
            forget_terminated(draft);
            Ok(changes)
        })
        .await
    }
}

/// The instance as it is after the step, at this time.
type Step = fn(&Instance, u64) -> Result<Instance, Ec2Error>;

fn change(
    draft: &mut Draft,
    ids: &[String],
    step: Step,
) -> Result<Vec<InstanceStateChange>, Ec2Error> {
    if ids.is_empty() {
        return Err(Ec2Error::MissingParameter("InstanceId"));
    }
    let now = draft.now_millis();
    let mut changes: Vec<InstanceStateChange> = Vec::new();
    for id in require_ids(draft.state(), ids, now)? {
        if changes.iter().any(|change| change.instance_id == id) {
            continue;
        }
        let instance = &draft.state().ec2.instances[&id];
        let (previous, changed) = (instance.state, step(instance, now)?);
        let current = changed.state;
        if current != previous {
            draft.put(changed);
        }
        changes.push(InstanceStateChange {
            instance_id: id,
            previous,
            current,
        });
    }
    Ok(changes)
}

fn started(instance: &Instance, now_millis: u64) -> Result<Instance, Ec2Error> {
    match instance.state {
        InstanceState::Running => Ok(instance.clone()),
        InstanceState::Stopped { .. } => Ok(Instance {
            state: InstanceState::Running,
            started_at_millis: Some(now_millis),
            ..instance.clone()
        }),
        InstanceState::Terminated { .. } => Err(Ec2Error::IncorrectInstanceState {
            id: instance.id.clone(),
            step: "started",
        }),
    }
}

fn stopped(instance: &Instance, now_millis: u64) -> Result<Instance, Ec2Error> {
    match instance.state {
        InstanceState::Running if instance.protection.from_stop => {
            Err(Ec2Error::ProtectedInstance {
                id: instance.id.clone(),
                step: "stopped",
                attribute: "disableApiStop",
            })
        }
        InstanceState::Running => Ok(Instance {
            state: InstanceState::Stopped {
                at_millis: now_millis,
            },
            ..instance.clone()
        }),
        InstanceState::Stopped { .. } => Ok(instance.clone()),
        InstanceState::Terminated { .. } => Err(Ec2Error::IncorrectInstanceState {
            id: instance.id.clone(),
            step: "stopped",
        }),
    }
}

/// One that is terminated already stays as it is.
fn terminated(instance: &Instance, now_millis: u64) -> Result<Instance, Ec2Error> {
    match instance.state {
        InstanceState::Terminated { .. } => Ok(instance.clone()),
        _ if instance.protection.from_termination => Err(Ec2Error::ProtectedInstance {
            id: instance.id.clone(),
            step: "terminated",
            attribute: "disableApiTermination",
        }),
        InstanceState::Running | InstanceState::Stopped { .. } => Ok(Instance {
            state: InstanceState::Terminated {
                at_millis: now_millis,
            },
            ..instance.clone()
        }),
    }
}

/// Removes the instances that are no longer shown.
pub(crate) fn forget_terminated(draft: &mut Draft) {
    let now = draft.now_millis();
    let instances = draft.state().ec2.instances.values();
    let old = instances.filter(|instance| !is_shown(instance, now));
    let old: Vec<InstanceId> = old.map(|instance| instance.id.clone()).collect();
    for id in old {
        draft.remove::<Instance>(&id);
    }
}
