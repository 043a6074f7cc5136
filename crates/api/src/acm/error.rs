//! The code and the status of every error of the certificate operations.

use control::acm::AcmError;

use crate::ApiError;

impl From<AcmError> for ApiError {
    fn from(error: AcmError) -> Self {
        let message = error.to_string();
        let (code, status) = match &error {
            AcmError::Validation(_) => ("ValidationException", 400),
            AcmError::AccessDenied(_) => ("AccessDeniedException", 400),
            AcmError::InvalidParameter(_) => ("InvalidParameterException", 400),
            AcmError::InvalidDomainValidationOptions(_) => {
                ("InvalidDomainValidationOptionsException", 400)
            }
            AcmError::Conflict(_) => ("ConflictException", 400),
            AcmError::InvalidState(_) => ("InvalidStateException", 400),
            AcmError::RequestInProgress(_) => ("RequestInProgressException", 400),
            AcmError::InvalidArgs(_) => ("InvalidArgsException", 400),
            AcmError::InvalidArn(_) => ("InvalidArnException", 400),
            AcmError::InvalidTag(_) => ("InvalidTagException", 400),
            AcmError::TooManyTags(_) => ("TooManyTagsException", 400),
            AcmError::LimitExceeded(_) => ("LimitExceededException", 400),
            AcmError::ResourceInUse(_) => ("ResourceInUseException", 400),
            AcmError::ResourceNotFound(_) => ("ResourceNotFoundException", 400),
            AcmError::Internal(source) => {
                tracing::error!(
                    error = source as &dyn std::error::Error,
                    "a change could not be made"
                );
                ("InternalFailure", 500)
            }
        };
        ApiError::new(code, status, message)
    }
}
