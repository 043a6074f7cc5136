//! `[throttle]`: how often operations may be called. Off unless it is turned on: what AWS allows is soon used up by
//! tests and by tools that ask again and again.

use api::{Bucket, Throttle, UnknownBucket};

use super::file::{BucketSection, ThrottleSection};

/// Thousandths of a token that a bucket may get each second.
const REFILL_MILLIS_MAX: f64 = 1_000_000_000.0;

/// The section cannot be honoured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ThrottleError {
    #[error("[throttle.buckets] is of no use without `enabled = true` in [throttle]")]
    Off,
    #[error(transparent)]
    Unknown(#[from] UnknownBucket),
    #[error(
        "the bucket '{0}' in [throttle.buckets] needs a capacity of 1 or more and a refill_per_second of 0.001 to \
         1000000"
    )]
    Size(String),
}

/// What the section says; `None`: nothing is throttled.
///
/// # Errors
/// It names a bucket that there is not, or a size that none can have.
pub(super) fn resolve(section: ThrottleSection) -> Result<Option<Throttle>, ThrottleError> {
    if !section.enabled {
        return match section.buckets.is_empty() {
            true => Ok(None),
            false => Err(ThrottleError::Off),
        };
    }
    let mut throttle = Throttle::default();
    for (name, size) in section.buckets {
        let bucket = bucket(size).ok_or_else(|| ThrottleError::Size(name.clone()))?;
        throttle.resize(&name, bucket)?;
    }
    Ok(Some(throttle))
}

fn bucket(section: BucketSection) -> Option<Bucket> {
    let refill_millis = (section.refill_per_second * 1000.0).round();
    let is_valid = section.capacity > 0 && (1.0..=REFILL_MILLIS_MAX).contains(&refill_millis);
    is_valid.then_some(Bucket {
        capacity: section.capacity,
        // It is in the range of the type.
        refill_millis: refill_millis as u32,
    })
}
