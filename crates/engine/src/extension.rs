//! What is done for the requests of one rule beyond what AWS has.

use std::sync::Arc;

pub use model::extension::{FieldChanges, RateLimit, RateLimitKey};

use crate::rate_limiter::RateLimiter;

/// The extensions of one rule that has any.
#[derive(Debug, Default)]
pub struct Extensions {
    /// Fields of requests, after all that is written for the target.
    pub request_fields: FieldChanges,
    /// Fields of responses, whoever made them; those of the listener go before them.
    pub response_fields: FieldChanges,
    /// Lets so many requests of one client pass; `None`: all. Snapshots with the same limit share it.
    pub rate_limiter: Option<Arc<RateLimiter>>,
}
