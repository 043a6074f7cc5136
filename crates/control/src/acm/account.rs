//! What is kept for the account as a whole: how many certificates were added in the last year.
//!
//! Source: ACM guide, "Quotas".

use model::certificate::{AcmAccount, Certificate, CertificateOrigin};

use super::AcmError;
use crate::Draft;

/// Milliseconds of a day.
pub(crate) const DAY_MILLIS: u64 = 24 * 3600 * 1000;

/// How a certificate has come here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// By a request.
    Requested,
    /// By an import.
    Imported,
}

/// Counts a new certificate, if there may be one more of its kind, now and in a year.
pub(super) fn count(draft: &mut Draft, added: Added) -> Result<(), AcmError> {
    let limits = &draft.settings().limits;
    let (present_max, year_max, noun) = match added {
        Added::Requested => (
            limits.certificates,
            limits.certificates_per_year,
            "certificates",
        ),
        Added::Imported => (
            limits.imported_certificates,
            limits.imported_certificates_per_year,
            "imported certificates",
        ),
    };
    let is_of_kind = |certificate: &Certificate| match certificate.origin {
        CertificateOrigin::Requested(_) => added == Added::Requested,
        CertificateOrigin::Imported { .. } => added == Added::Imported,
    };
    let all = draft.state().acm.certificates.values();
    if all.filter(|it| is_of_kind(it)).count() >= present_max {
        return Err(AcmError::LimitExceeded(format!(
            "Error: you have reached your limit of {present_max} {noun}. Delete certificates that are not in use."
        )));
    }
    let today = draft.now_millis() / DAY_MILLIS;
    let mut account = present(draft);
    let days = match added {
        Added::Requested => &mut account.requested_by_day,
        Added::Imported => &mut account.imported_by_day,
    };
    days.retain(|day, _| *day + 365 > today);
    if days.values().sum::<u64>() >= u64::try_from(year_max).unwrap_or(u64::MAX) {
        return Err(AcmError::LimitExceeded(format!(
            "Error: you have reached your limit of {year_max} {noun} in the last 365 days."
        )));
    }
    *days.entry(today).or_default() += 1;
    draft.put(account);
    Ok(())
}

/// What is kept for the account.
pub(super) fn present(draft: &Draft) -> AcmAccount {
    let account = draft.place().account;
    let known = draft.state().find::<AcmAccount>(&account);
    known.map_or_else(
        || AcmAccount::new(account.clone()),
        |known| AcmAccount::clone(known),
    )
}
