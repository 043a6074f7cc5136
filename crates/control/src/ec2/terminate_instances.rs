//! TerminateInstances: takes machines from the inventory. The machines themselves go on running.

use model::ec2::{Instance, InstanceId, InstanceState};

use crate::ec2::Ec2Error;
use crate::ec2::describe_instances::{is_shown, require_ids};
use crate::state::Draft;

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

/// Terminates instances, all of them or none. One that is terminated already stays as it is.
///
/// A terminated instance gets no requests from then on, its address is free, and it is shown for another
/// hour.
///
/// # Errors
/// `MissingParameter`, `MalformedId`, `InstancesNotFound`.
pub(crate) fn terminate(
    draft: &mut Draft,
    instance_ids: &[String],
) -> Result<Vec<InstanceStateChange>, Ec2Error> {
    if instance_ids.is_empty() {
        return Err(Ec2Error::MissingParameter("InstanceId"));
    }
    let now = draft.now_millis();
    let mut changes: Vec<InstanceStateChange> = Vec::new();
    for id in require_ids(draft.state(), instance_ids, now)? {
        if changes.iter().any(|change| change.instance_id == id) {
            continue;
        }
        let instance = &draft.state().ec2.instances[&id];
        let previous = instance.state;
        let current = match previous {
            InstanceState::Running => InstanceState::Terminated { at_millis: now },
            terminated @ InstanceState::Terminated { .. } => terminated,
        };
        if current != previous {
            let terminated = Instance {
                state: current,
                ..Instance::clone(instance)
            };
            draft.put(terminated);
        }
        changes.push(InstanceStateChange {
            instance_id: id,
            previous,
            current,
        });
    }
    forget_terminated(draft);
    Ok(changes)
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
