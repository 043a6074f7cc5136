//! What becomes due without a call: ends of deregistration delays and of zonal shifts, certificates to issue and to
//! renew, and the announcements of their ends.

use std::time::Duration;

use crate::acm::DAY_MILLIS;
use crate::control::{CommitError, Control};
use crate::drain;
use crate::zonal_shift::expiry;

/// How long to wait after a failure before the next attempt.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Longest wait: the clock of the machine may be set while a loop waits for a time that is far away.
const LOOK_AFTER: Duration = Duration::from_secs(3600);

impl Control {
    /// Does what is due at its time; never returns. Run one of these for a control plane.
    pub async fn run_background(&self) {
        // Certificates have a loop of their own, so that no drain waits for an authority that takes its time.
        let deadlines = self.repeat(
            "what was due could not be done; trying again",
            || self.do_what_is_due(),
            || self.until_next_deadline(),
        );
        let certificates = self.repeat(
            "certificates could not be issued; trying again",
            || self.issue_certificates(),
            || self.until_next_certificate(),
        );
        tokio::join!(deadlines, certificates, self.announce_ends());
    }

    /// Announces the certificates whose end is near: once a day, and after a start.
    ///
    /// Source: ACM guide, "ACM Certificate Approaching Expiration event", of which elbow makes a line in its log.
    async fn announce_ends(&self) {
        let mut announced_on = None;
        loop {
            let today = self.now_millis() / DAY_MILLIS;
            if announced_on.replace(today) != Some(today) {
                for (certificate, days_to_expiry) in self.expiring_certificates() {
                    tracing::warn!(%certificate, days_to_expiry, "a certificate approaches its end");
                }
            }
            tokio::time::sleep(LOOK_AFTER).await;
        }
    }

    /// Does `work` after every change of the state, and after `next`, which says when something is due.
    async fn repeat<Work: Future<Output = Result<(), CommitError>>>(
        &self,
        failure: &str,
        work: impl Fn() -> Work,
        next: impl Fn() -> Option<Duration>,
    ) {
        let mut changed = self.inner.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let wait = match work().await {
                Ok(()) => next().unwrap_or(LOOK_AFTER),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "{failure}");
                    RETRY_AFTER
                }
            };
            // Either way the state is looked at again.
            let _ = tokio::time::timeout(wait.min(LOOK_AFTER), changed.changed()).await;
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
