//! The end of deregistration delays: what is due is read from the stored state, so that a restart goes on
//! with the drains that were in progress.

use std::sync::Arc;

use model::target::{Target, TargetPhase};

use crate::control::{CommitError, Control, Live};
use crate::plane::DataPlane;
use crate::state::Draft;

impl Control {
    /// Removes the targets whose deregistration delay is over, and cuts the requests they still have.
    ///
    /// # Errors
    /// `CommitError` if that could not be stored; it stays due.
    pub async fn finish_drains(&self) -> Result<(), CommitError> {
        let now = self.inner.parts.clock.now_millis();
        let live = self.live();
        let is_due = |target: &&Arc<Target>| matches!(deadline(target), Some(at) if at <= now);
        let due = live.lowered.draining().filter(is_due);
        let due: Vec<_> = due.cloned().collect();
        if due.is_empty() {
            return Ok(());
        }
        let removed = self.remove_registrations(due).await?;
        let states = removed
            .iter()
            .filter_map(|target| live.lowered.endpoint_state(target));
        self.inner
            .plane
            .cut(states.map(|state| state.id()).collect())
            .await;
        Ok(())
    }

    /// Removes those of `due` that have not been registered anew in the meantime.
    async fn remove_registrations(
        &self,
        due: Vec<Arc<Target>>,
    ) -> Result<Vec<Arc<Target>>, CommitError> {
        self.transact(move |draft| {
            let is_still_there = |draft: &Draft, target: &Target| {
                let present = draft.state().find::<Target>(&target.key);
                present.is_some_and(|present| present.registration == target.registration)
            };
            let mut removed = Vec::new();
            for target in due {
                if is_still_there(draft, &target) {
                    draft.remove::<Target>(&target.key);
                    removed.push(target);
                }
            }
            Ok(removed)
        })
        .await
    }
}

/// When the next deregistration delay is over, in milliseconds since 1970; `None` if nothing drains.
pub(crate) fn next_deadline(live: &Live) -> Option<u64> {
    let draining = live.lowered.draining();
    draining.filter_map(|target| deadline(target)).min()
}

fn deadline(target: &Target) -> Option<u64> {
    match target.phase {
        TargetPhase::Registered => None,
        TargetPhase::Draining { until_millis } => Some(until_millis),
    }
}
