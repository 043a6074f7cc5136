//! What is done for the requests of one rule beyond what AWS has.

pub use model::extension::FieldChanges;

/// The extensions of one rule that has any.
#[derive(Debug, Default)]
pub struct Extensions {
    /// Fields of requests, after all that is written for the target.
    pub request_fields: FieldChanges,
    /// Fields of responses, whoever made them; those of the listener go before them.
    pub response_fields: FieldChanges,
}
