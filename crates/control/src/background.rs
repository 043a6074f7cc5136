//! What becomes due without a call: ends of deregistration delays and of zonal shifts.

use std::time::Duration;

use crate::control::{CommitError, Control};
use crate::drain;
use crate::zonal_shift::expiry;

/// How long to wait after a failure before the next attempt.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Control {
    /// Does what is due at its time; never returns. Run one of these for a control plane.
    pub async fn run_background(&self) {
        loop {
            let wait = match self.do_what_is_due().await {
                Ok(()) => self.until_next_deadline(),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "what was due could not be done; trying again");
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

    async fn do_what_is_due(&self) -> Result<(), CommitError> {
        self.finish_drains().await?;
        self.expire_zonal_shifts().await
    }

    /// How long until something is due; `None` if nothing will be.
    fn until_next_deadline(&self) -> Option<Duration> {
        let live = self.live();
        let deadlines = [
            drain::next_deadline(&live),
            expiry::next_expiry(&live.state),
        ];
        let next = deadlines.into_iter().flatten().min()?;
        Some(Duration::from_millis(
            next.saturating_sub(self.now_millis()),
        ))
    }
}
