//! The end of deregistration delays: what is due is read from the stored state, so that a restart goes on
//! with the drains that were in progress.

use std::sync::Arc;
use std::time::Duration;

use model::target::{Target, TargetPhase};

use crate::control::{CommitError, Control};
use crate::state::Draft;

/// How long to wait after a failure before the next attempt.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Control {
    /// Does what is due at its time; never returns. Run one of these for a control plane.
    pub async fn run_background(&self) {
        loop {
            let wait = match self.finish_drains().await {
                Ok(()) => self.until_next_deadline(),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "drained targets could not be removed; trying again");
                    Some(RETRY_AFTER)
                }
            };
            let changed = self.inner.changed.notified();
            match wait {
                None => changed.await,
                Some(wait) => {
                    // Either way the state is looked at again.
                    let _ = tokio::time::timeout(wait, changed).await;
                }
            }
        }
    }

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
            .parts
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

    /// How long until the next deregistration delay is over; `None` if nothing drains.
    fn until_next_deadline(&self) -> Option<Duration> {
        let live = self.live();
        let deadlines = live
            .lowered
            .draining()
            .filter_map(|target| deadline(target));
        let next = deadlines.min()?;
        let now = self.inner.parts.clock.now_millis();
        Some(Duration::from_millis(next.saturating_sub(now)))
    }
}

fn deadline(target: &Target) -> Option<u64> {
    match target.phase {
        TargetPhase::Registered => None,
        TargetPhase::Draining { until_millis } => Some(until_millis),
    }
}
