//! The code and the status of every error of the operations on accounts and access keys: those of IAM.
//!
//! Source: IAM API, `CreateAccessKey` and `DeleteAccessKey`, "Errors".

use control::access::AccessKeyError;
use control::accounts::AccountError;

use crate::ApiError;

impl From<AccessKeyError> for ApiError {
    fn from(error: AccessKeyError) -> Self {
        let message = error.to_string();
        let (code, status) = match &error {
            AccessKeyError::Validation(_) => ("ValidationError", 400),
            AccessKeyError::EntityAlreadyExists { .. } => ("EntityAlreadyExists", 409),
            AccessKeyError::LimitExceeded => ("LimitExceeded", 409),
            AccessKeyError::NoSuchEntity(_) => ("NoSuchEntity", 404),
            AccessKeyError::Internal(source) => failure(source),
        };
        ApiError::new(code, status, message)
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        let message = error.to_string();
        let (code, status) = match &error {
            AccountError::Id(_) | AccountError::Block(_) => ("ValidationError", 400),
            AccountError::EntityAlreadyExists(_) => ("EntityAlreadyExists", 409),
            AccountError::LimitExceeded => ("LimitExceeded", 409),
            AccountError::NoSuchEntity(_) => ("NoSuchEntity", 404),
            AccountError::Internal(source) => failure(source),
        };
        ApiError::new(code, status, message)
    }
}

fn failure(cause: &(dyn std::error::Error + 'static)) -> (&'static str, u16) {
    tracing::error!(error = cause, "a change could not be made");
    ("ServiceFailure", 500)
}
