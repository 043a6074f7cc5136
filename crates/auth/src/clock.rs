//! Times as tokens and cookies have them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whole seconds since 1970; 0 before.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Whether two moments are less than `span` apart. Clocks are set back now and then, and those of two workers
/// are not one, so that what has happened may seem to lie ahead.
pub(crate) fn is_within(span: Duration, then: SystemTime, now: SystemTime) -> bool {
    let distance = now
        .duration_since(then)
        .unwrap_or_else(|error| error.duration());
    distance < span
}
