//! Refuses the requests of clients that send too many for their rule.

use std::net::IpAddr;

use engine::Action;
use engine::extension::RateLimitKey;

use crate::http1::request::RequestHead;
use crate::respond::Answer;
use crate::worker::Worker;

/// The answer to a request that is over the limit of its rule.
pub(crate) fn refuse<'f>(
    worker: &Worker,
    action: &Action,
    source: IpAddr,
    head: &RequestHead<'_, '_>,
) -> Option<Answer<'f>> {
    let limiter = action.extensions.as_ref()?.rate_limiter.as_ref()?;
    let checked = match (&limiter.limit().key, source) {
        (RateLimitKey::SourceIp, IpAddr::V4(address)) => {
            limiter.check(&address.octets(), worker.elapsed())
        }
        // Who has one address of a /64 network has all of them (RFC 4291 section 2.5.4).
        (RateLimitKey::SourceIp, IpAddr::V6(address)) => {
            limiter.check(&address.octets()[..8], worker.elapsed())
        }
        (RateLimitKey::Field(name), _) => {
            let value = head.fields.named(name).next()?;
            limiter.check(value, worker.elapsed())
        }
    };
    if checked.has_evicted {
        worker.counters.rate_limit_keys_evicted.increment();
    }
    let wait = checked.retry_after?;
    worker.counters.requests_over_rate_limit.increment();
    // RFC 9110 section 10.2.3: whole seconds. With fewer than it takes, the client would be refused again.
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Some(Answer::RateLimited {
        retry_after_seconds: seconds,
    })
}
