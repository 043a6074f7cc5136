//! Issues the certificates that are requested, and renews those that are used: what is due is read from the
//! stored state, so that a restart goes on with what was left.
//!
//! Source: ACM guide, "Managed certificate renewal" and "Renewal for domains validated by DNS".

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::certificate::{
    Certificate, CertificateFacts, CertificateId, CertificateOrigin, CertificateRequest,
    CertificateStatus, Renewal, RenewalStatus, RequestPhase,
};

use super::AcmError;
use super::check::check;
use super::state::{is_in_use, is_renewable};
use crate::issuer::{IssueError, IssuedCertificate, Order};
use crate::{CommitError, Control, Draft, State};

/// How long before its end a certificate is renewed, in milliseconds: 45 days.
///
/// Source: AWS, "AWS Certificate Manager updates default certificate validity", February 2026.
const RENEWAL_MILLIS: i64 = 45 * 24 * 3600 * 1000;

/// How long after a failure the next attempt to issue a certificate is made, in milliseconds.
const ISSUE_RETRY_MILLIS: u64 = 60 * 1000;

/// How long after a failure the next attempt to renew a certificate is made, in milliseconds.
const RENEWAL_RETRY_MILLIS: u64 = 3600 * 1000;

/// What an order has brought.
type Outcome = Result<IssuedCertificate, IssueError>;

/// Certificates as they were when they were ordered, with what came of it.
type Orders = BTreeMap<CertificateId, (Arc<Certificate>, Arc<Outcome>)>;

/// What has been ordered and what it brought, where that could not be stored: at most one of each certificate. It
/// is kept so that the next attempt stores it, and does not order once more.
#[derive(Default)]
pub(crate) struct Unsettled(Mutex<Orders>);

impl Unsettled {
    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    /// Issues and renews all certificates for which it is time. What goes wrong with one of them is tried again
    /// later, and does not keep the others.
    ///
    /// # Errors
    /// `CommitError` if what has come of it could not be stored; it is kept, and the next call stores it.
    pub async fn issue_certificates(&self) -> Result<(), CommitError> {
        let Some(issuer) = self.inner.parts.issuer.clone() else {
            return Ok(());
        };
        let now = self.now_millis();
        let due = self.read(|state| due(state, now));
        let unsettled = &self.inner.unsettled;
        let is_due = |id: &CertificateId| due.iter().any(|it| it.arn.id == *id);
        unsettled.lock().retain(|id, _| is_due(id));
        for certificate in due {
            let known = unsettled.lock().remove(&certificate.arn.id);
            let (ordered, outcome) = match known {
                Some(known) => known,
                None => {
                    let outcome = issuer.issue(order(&certificate, now)).await;
                    (certificate, Arc::new(outcome))
                }
            };
            self.settle_or_keep(ordered, outcome).await?;
        }
        Ok(())
    }

    async fn settle_or_keep(
        &self,
        ordered: Arc<Certificate>,
        mut outcome: Arc<Outcome>,
    ) -> Result<(), CommitError> {
        let mut settled = self.settle(&ordered, &outcome).await;
        if let Err(CommitError::Bind(error)) = &settled {
            // Its listeners go on with the one before, and it is not made again every second.
            outcome = Arc::new(Err(IssueError::Unavailable(error.to_string())));
            settled = self.settle(&ordered, &outcome).await;
        }
        if settled.is_err() {
            let mut unsettled = self.inner.unsettled.lock();
            unsettled.insert(ordered.arn.id, (ordered, outcome));
        }
        settled
    }

    async fn settle(
        &self,
        ordered: &Arc<Certificate>,
        outcome: &Arc<Outcome>,
    ) -> Result<(), CommitError> {
        let (ordered, outcome) = (Arc::clone(ordered), Arc::clone(outcome));
        self.transact(move |draft| {
            settle(draft, &ordered, &outcome);
            Ok(())
        })
        .await
    }

    /// How long until the next certificate has to be issued or renewed; `None` if there is none.
    pub(crate) fn until_next_certificate(&self) -> Option<Duration> {
        self.inner.parts.issuer.as_ref()?;
        let now = self.now_millis();
        let next = self.read(|state| {
            let all = state.acm.certificates.values();
            // One whose time has come and that nobody uses waits for a change of the state, not for a time.
            let at = |it: &Arc<Certificate>| {
                due_at(it, now).filter(|&at| at > now || is_due(state, it, now))
            };
            all.filter_map(at).min()
        })?;
        Some(Duration::from_millis(next.saturating_sub(now)))
    }
}

fn order(certificate: &Certificate, now_millis: u64) -> Order {
    let request = certificate.request().expect("only requests are due");
    Order {
        names: request.names().map(str::to_owned).collect(),
        key_algorithm: request.key_algorithm,
        now_millis,
    }
}

/// The certificates for which it is time.
fn due(state: &State, now: u64) -> Vec<Arc<Certificate>> {
    let all = state.acm.certificates.values();
    all.filter(|it| is_due(state, it, now)).cloned().collect()
}

/// Whether it is time to issue or renew a certificate. Who uses it is only looked up when the time has come, for
/// this is asked after every change.
fn is_due(state: &State, certificate: &Certificate, now: u64) -> bool {
    let is_wanted = || {
        certificate.status(now) == CertificateStatus::PendingValidation
            || is_renewable(certificate, is_in_use(state, &certificate.arn), now)
    };
    due_at(certificate, now).is_some_and(|at| at <= now) && is_wanted()
}

/// When a certificate has to be issued or, if it is used then, renewed, in milliseconds since 1970.
fn due_at(certificate: &Certificate, now: u64) -> Option<u64> {
    let request = certificate.request()?;
    let at = match (&request.phase, certificate.status(now)) {
        (RequestPhase::PendingValidation, CertificateStatus::PendingValidation) => {
            certificate.created_at_millis
        }
        (
            RequestPhase::Issued {
                material, renewal, ..
            },
            CertificateStatus::Issued,
        ) => match renewal {
            Some(renewal) if renewal.status == RenewalStatus::PendingAutoRenewal => {
                renewal.updated_at_millis
            }
            _ => {
                let at = material.facts.not_after_millis - RENEWAL_MILLIS;
                u64::try_from(at).unwrap_or_default()
            }
        },
        _ => return None,
    };
    Some(at.max(request.retry_at_millis.unwrap_or_default()))
}

/// Writes down what an order has brought, if the certificate still waits for it.
fn settle(draft: &mut Draft, ordered: &Certificate, outcome: &Outcome) {
    let present = draft.state().find::<Certificate>(&ordered.arn.id);
    let Some(present) = present.map(|present| Certificate::clone(present)) else {
        return;
    };
    let (Some(before), Some(request)) = (ordered.request(), present.request()) else {
        return;
    };
    if before.phase != request.phase {
        return;
    }
    let mut request = request.clone();
    let now = draft.now_millis();
    let checked = outcome
        .as_ref()
        .map_err(IssueError::clone)
        .and_then(|issued| {
            let checked = check(
                issued.certificate.as_bytes(),
                issued.private_key.as_bytes(),
                Some(issued.chain.as_bytes()),
                now,
            );
            let checked =
                checked.map_err(|error: AcmError| IssueError::Unavailable(error.to_string()))?;
            match is_as_ordered(&checked.facts, &request) {
                true => Ok(checked),
                false => Err(IssueError::Unavailable(
                    "the authority has issued a certificate for other names or another kind of key"
                        .to_owned(),
                )),
            }
        });
    match checked {
        Ok(checked) => {
            let material = checked.seal(draft, &present.arn);
            tracing::info!(
                certificate = %present.arn,
                not_after_millis = material.facts.not_after_millis,
                "a certificate was issued"
            );
            request.retry_at_millis = None;
            request.phase = RequestPhase::Issued {
                renewal: renewed(&request.phase, now),
                material,
                at_millis: now,
                is_exported: false,
            };
        }
        Err(error) => {
            let cause: &dyn std::error::Error = &error;
            tracing::error!(certificate = %present.arn, error = cause, "a certificate could not be issued");
            note_failure(&mut request, &error, now);
        }
    }
    draft.put(Certificate {
        origin: CertificateOrigin::Requested(request),
        ..present
    });
}

fn is_as_ordered(facts: &CertificateFacts, request: &CertificateRequest) -> bool {
    let issued = facts.subject_alternative_names.iter().map(String::as_str);
    let issued: BTreeSet<_> = issued.collect();
    facts.key_algorithm == request.key_algorithm && issued == request.names().collect()
}

/// The renewal that has taken place, if the certificate was there before.
fn renewed(before: &RequestPhase, now: u64) -> Option<Renewal> {
    matches!(before, RequestPhase::Issued { .. }).then_some(Renewal {
        status: RenewalStatus::Success,
        reason: None,
        updated_at_millis: now,
    })
}

/// The certificate that is there stays in use; a request that is refused has come to its end.
fn note_failure(request: &mut CertificateRequest, error: &IssueError, now: u64) {
    let wait = match (&mut request.phase, error) {
        (RequestPhase::Issued { renewal, .. }, error) => {
            let (status, reason) = match error {
                IssueError::Refused(reason) => (RenewalStatus::Failed, Some(*reason)),
                IssueError::Unavailable(_) => (RenewalStatus::PendingAutoRenewal, None),
            };
            if renewal.is_none_or(|it| (it.status, it.reason) != (status, reason)) {
                *renewal = Some(Renewal {
                    status,
                    reason,
                    updated_at_millis: now,
                });
            }
            RENEWAL_RETRY_MILLIS
        }
        (phase, IssueError::Refused(reason)) => {
            *phase = RequestPhase::Failed { reason: *reason };
            return;
        }
        (_, IssueError::Unavailable(_)) => ISSUE_RETRY_MILLIS,
    };
    request.retry_at_millis = Some(now + wait);
}
