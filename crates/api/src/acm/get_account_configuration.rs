//! `GetAccountConfiguration`: from when on the end of a certificate is announced.

use control::Control;
use control::acm::AcmError;
use serde_json::{Value, json};

use crate::input::Fields;

pub(super) fn read(_fields: &Fields<'_>) {}

pub(super) async fn call(control: &Control, (): ()) -> Result<Option<Value>, AcmError> {
    let days = control.days_before_expiry();
    Ok(Some(
        json!({ "ExpiryEvents": { "DaysBeforeExpiry": days } }),
    ))
}
