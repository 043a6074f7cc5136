//! The code and the status of every error of the operations on access keys: those of IAM.
//!
//! Source: IAM API, `CreateAccessKey` and `DeleteAccessKey`, "Errors".

use control::access::AccessKeyError;

use crate::ApiError;

impl From<AccessKeyError> for ApiError {
    fn from(error: AccessKeyError) -> Self {
        let message = error.to_string();
        let (code, status) = match &error {
            AccessKeyError::Validation(_) => ("ValidationError", 400),
            AccessKeyError::EntityAlreadyExists { .. } => ("EntityAlreadyExists", 409),
            AccessKeyError::LimitExceeded => ("LimitExceeded", 409),
            AccessKeyError::NoSuchEntity(_) => ("NoSuchEntity", 404),
            AccessKeyError::Internal(source) => {
                tracing::error!(
                    error = source as &dyn std::error::Error,
                    "a change could not be made"
                );
                ("ServiceFailure", 500)
            }
        };
        ApiError::new(code, status, message)
    }
}
