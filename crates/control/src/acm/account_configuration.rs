//! `GetAccountConfiguration` and `PutAccountConfiguration`: from when on the end of a certificate is announced.
//!
//! ACM sends an event to EventBridge each day. elbow has none, and writes a line to its log instead.

use model::certificate::{AcmAccount, CertificateArn, CertificateStatus, Configured};

use super::AcmError;
use super::account::{self, DAY_MILLIS};
use super::request_certificate::TOKEN_MILLIS;
use crate::{Control, Draft};

/// Source: ACM API, `PutAccountConfiguration`.
#[derive(Clone, Debug, Default)]
pub struct PutAccountConfiguration {
    /// `DaysBeforeExpiry` in `ExpiryEvents`, 1 or more.
    pub days_before_expiry: Option<u32>,
    /// `IdempotencyToken`.
    pub idempotency_token: String,
}

impl Control {
    /// `DaysBeforeExpiry`.
    #[must_use]
    pub fn days_before_expiry(&self) -> u32 {
        let account = &self.settings().place.account;
        self.read(|state| {
            let known = state.acm.accounts.get(account);
            known.map_or(AcmAccount::DAYS_BEFORE_EXPIRY, |it| it.days_before_expiry)
        })
    }

    /// Changes what is given. A call with the token of one in the hour before does nothing.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn put_account_configuration(
        &self,
        input: PutAccountConfiguration,
    ) -> Result<(), AcmError> {
        self.transact(move |draft| {
            put(draft, &input);
            Ok(())
        })
        .await
    }

    /// The certificates whose end is near, with the whole days that are left.
    #[must_use]
    pub fn expiring_certificates(&self) -> Vec<(CertificateArn, u64)> {
        let now = self.now_millis();
        let days = u64::from(self.days_before_expiry());
        self.read(|state| {
            let all = state.acm.certificates.values();
            let usable = all.filter(|it| it.status(now) == CertificateStatus::Issued);
            let ends = usable.filter_map(|it| Some((it, it.facts()?.not_after_millis)));
            let left = ends.filter_map(|(it, end)| Some((it, u64::try_from(end).ok()? - now)));
            let near = left.filter(|(_, left)| *left <= days * DAY_MILLIS);
            near.map(|(it, left)| (it.arn.clone(), left / DAY_MILLIS))
                .collect()
        })
    }
}

fn put(draft: &mut Draft, input: &PutAccountConfiguration) {
    let now = draft.now_millis();
    let account = account::present(draft);
    let is_repeated = account.last_configured.as_ref().is_some_and(|last| {
        last.idempotency_token == input.idempotency_token && now < last.at_millis + TOKEN_MILLIS
    });
    if !is_repeated {
        draft.put(AcmAccount {
            days_before_expiry: input
                .days_before_expiry
                .unwrap_or(account.days_before_expiry),
            last_configured: Some(Configured {
                idempotency_token: input.idempotency_token.clone(),
                at_millis: now,
            }),
            ..account
        });
    }
}
