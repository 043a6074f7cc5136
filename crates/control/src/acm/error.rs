//! Why an operation of AWS Certificate Manager did nothing.

use model::arn::LoadBalancerArn;
use model::certificate::CertificateArn;
use model::tag::InvalidTag;

use crate::CommitError;

/// An error of the ACM API. Variants are named for their codes without `Exception`, and hold the message.
///
/// Source: ACM API, "Errors" of each operation. Status 400 except for `Internal`.
#[derive(Debug, thiserror::Error)]
pub enum AcmError {
    /// The input does not fit together, or the certificate cannot be used.
    #[error("{0}")]
    Validation(String),
    /// The operator does not allow it.
    #[error("{0}")]
    AccessDenied(String),
    /// A parameter of a request cannot be honoured.
    #[error("{0}")]
    InvalidParameter(String),
    /// Where the owner of a domain should be asked does not go together with the domain.
    #[error("{0}")]
    InvalidDomainValidationOptions(String),
    /// What goes on with the certificate has to come to its end first.
    #[error("{0}")]
    Conflict(String),
    /// The certificate is in a status in which this cannot be done.
    #[error("{0}")]
    InvalidState(String),
    /// The certificate has not been issued yet.
    #[error("{0}")]
    RequestInProgress(String),
    /// The arguments of a list contradict each other.
    #[error("{0}")]
    InvalidArgs(String),
    /// The text is not the ARN of a certificate.
    #[error("{0}")]
    InvalidArn(String),
    /// A tag cannot be set.
    #[error("{0}")]
    InvalidTag(String),
    /// More tags than a certificate can have.
    #[error("{0}")]
    TooManyTags(String),
    /// More certificates than the account can have.
    #[error("{0}")]
    LimitExceeded(String),
    /// A listener shows the certificate.
    #[error("{0}")]
    ResourceInUse(String),
    /// There is no such certificate.
    #[error("{0}")]
    ResourceNotFound(String),
    /// `InternalFailure`, status 500: the change could not be made; the cause belongs in the log.
    #[error("the change could not be saved and nothing was changed; the request may be repeated")]
    Internal(#[source] CommitError),
}

impl AcmError {
    /// The error for a certificate that these load balancers show.
    pub(super) fn in_use(arn: &CertificateArn, users: &[LoadBalancerArn]) -> Self {
        let users: Vec<_> = users.iter().map(ToString::to_string).collect();
        Self::ResourceInUse(format!(
            "Certificate {arn} in account {} is in use. Remove it first from the listeners of {}.",
            arn.place.account,
            users.join(", ")
        ))
    }
}

impl From<CommitError> for AcmError {
    fn from(error: CommitError) -> Self {
        match error {
            // A listener that shows the certificate cannot show the new one.
            CommitError::Bind(error) => Self::Validation(error.to_string()),
            CommitError::Rules(_) | CommitError::Secret(_) | CommitError::Store(_) => {
                Self::Internal(error)
            }
        }
    }
}

impl From<InvalidTag> for AcmError {
    fn from(error: InvalidTag) -> Self {
        let message = error.to_string();
        match error {
            InvalidTag::TooMany(_) => Self::TooManyTags(message),
            InvalidTag::Duplicate(_)
            | InvalidTag::KeyLength(_)
            | InvalidTag::ValueLength(_)
            | InvalidTag::Characters(_)
            | InvalidTag::Reserved(_)
            | InvalidTag::Extension(_) => Self::InvalidTag(message),
        }
    }
}
