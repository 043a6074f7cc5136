//! `PutAccountConfiguration`: from when on the end of a certificate is announced.

use control::Control;
use control::acm::AcmError;
use control::acm::account_configuration::PutAccountConfiguration;
use serde_json::Value;

use super::shapes::IDEMPOTENCY_TOKEN;
use crate::input::{Fields, INTEGER};

pub(super) fn read(fields: &Fields<'_>) -> PutAccountConfiguration {
    let days = fields.structure("ExpiryEvents", |events| {
        events.optional("DaysBeforeExpiry", INTEGER.within(1, i32::MAX))
    });
    let days = days.flatten();
    PutAccountConfiguration {
        days_before_expiry: days.and_then(|days| u32::try_from(days).ok()),
        idempotency_token: fields.required("IdempotencyToken", IDEMPOTENCY_TOKEN),
    }
}

pub(super) async fn call(
    control: &Control,
    input: PutAccountConfiguration,
) -> Result<Option<Value>, AcmError> {
    control.put_account_configuration(input).await?;
    Ok(None)
}
