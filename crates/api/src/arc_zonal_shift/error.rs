//! The code, the status and the members of every error of the operations on zonal shifts.

use control::zonal_shift::ZonalShiftError;

use crate::ApiError;

impl From<ZonalShiftError> for ApiError {
    fn from(error: ZonalShiftError) -> Self {
        let message = error.to_string();
        match error {
            ZonalShiftError::Validation { reason, .. } => {
                ApiError::sender("ValidationException", message).with("reason", reason)
            }
            ZonalShiftError::Conflict {
                reason,
                zonal_shift_id,
                ..
            } => ApiError::new("ConflictException", 409, message)
                .with("reason", reason)
                .with("zonalShiftId", zonal_shift_id),
            ZonalShiftError::ResourceNotFound(_) => {
                ApiError::new("ResourceNotFoundException", 404, message)
            }
            ZonalShiftError::Internal(source) => {
                tracing::error!(
                    error = &source as &dyn std::error::Error,
                    "a change could not be made"
                );
                ApiError::internal(message)
            }
        }
    }
}

/// The error of this service for an error with a code that is none of its own.
pub(crate) fn translate(error: ApiError) -> ApiError {
    let (code, status) = match error.code {
        // What every operation can answer with, unlike an error for operations that are not there.
        "InvalidAction" => ("AccessDeniedException", 403),
        "InternalFailure" => ("InternalServerException", 500),
        _ => return crate::rest_json::translate(error),
    };
    ApiError {
        code,
        status,
        ..error
    }
}
