//! What one connection may cost, to a client or a target.

use super::hpack::ListLimits;
use crate::http1::scan::RESPONSE_LIMITS;
use crate::registry::Tick;

/// Streams that a client may have open at once.
///
/// Source: ALB guide, "Quotas for your Application Load Balancers": 128 parallel requests.
pub(crate) const STREAMS_MAX: usize = 128;

/// Requests on one connection, after which it is told to go away.
///
/// Source: ALB guide, "Listeners for your Application Load Balancers": 10,000 on one HTTP/2 connection.
pub(crate) const REQUESTS_MAX: u32 = 10_000;

/// Body bytes of one stream that are held until the other side takes them: the stream's receive window.
pub(crate) const STREAM_WINDOW: i64 = 256 * 1024;

/// Body bytes of all streams of a client's connection that are held: the connection's receive window.
pub(crate) const CONNECTION_WINDOW: i64 = 1024 * 1024;

/// The same for a target's connection, which has streams of many clients.
pub(crate) const TARGET_CONNECTION_WINDOW: i64 = 2 * 1024 * 1024;

/// Streams on one connection to a target, if the target allows as many.
pub(crate) const TARGET_STREAMS_MAX: usize = 128;

/// Streams that a target is taken to allow before it says how many. Source: RFC 9113 section 6.5.2.
pub(crate) const TARGET_STREAMS_AT_FIRST: usize = 100;

/// Bytes of frames that wait to be written. Streams wait with their next frame and the connection with
/// reading while there are more, so a client that does not read cannot have us pile up answers.
pub(crate) const OUT_BYTES_MAX: usize = 48 * 1024;

/// Bytes of frames that wait to be written with which a target is still read from. It is more than streams may
/// write, because a target may wait with reading until its own frames are read; answers to floods remain.
pub(crate) const TARGET_OUT_BYTES_MAX: usize = 2 * OUT_BYTES_MAX;

/// Bytes of one field section as it is received. A section of this size has decoded to more than
/// `REQUEST_FIELDS` allows, so it could only be refused.
pub(crate) const SECTION_BYTES_MAX: usize = 128 * 1024;

/// `CONTINUATION` frames of one field section; 8 full ones hold the longest.
pub(crate) const CONTINUATIONS_MAX: u32 = 32;

/// Source: ALB guide, "Quotas for your Application Load Balancers": a single header 16 K, the entire request
/// header 64 K. The number of fields is that of HTTP/1 with room for the pseudo fields.
pub(crate) const REQUEST_FIELDS: ListLimits = ListLimits {
    field_bytes_max: 16 * 1024,
    list_bytes_max: 64 * 1024,
    fields_max: crate::http1::FIELDS_MAX,
};

/// Source: as `REQUEST_FIELDS`, entire response header 32 K; the number of fields as there.
pub(crate) const RESPONSE_FIELDS: ListLimits = ListLimits {
    field_bytes_max: RESPONSE_LIMITS.field_line_max,
    list_bytes_max: RESPONSE_LIMITS.head_max,
    fields_max: crate::http1::FIELDS_MAX,
};

/// Field sections whose memory a connection keeps for those to come.
pub(crate) const LISTS_KEPT_MAX: usize = 32;

/// Streams whose reset may have crossed with frames of the peer, which are then passed over.
pub(crate) const RECENT_RESETS_MAX: usize = STREAMS_MAX;

/// Frames without any part of a message (`PING`, `SETTINGS`, `PRIORITY`, empty `DATA` and others) that a
/// peer may send at once.
const CONTROL_FRAMES_MAX: u32 = 1000;
/// Such frames that come free with each message and each `DATA` frame that we send.
const CONTROL_FRAMES_PER_MESSAGE: u32 = 4;

/// Streams that a client may reset at once before their responses are complete (CVE-2023-44487).
const RESETS_MAX: u32 = 200;

/// A number of things that a peer may do, refilled one for each tick and by good deeds.
#[derive(Debug)]
pub(crate) struct Budget {
    left: u32,
    max: u32,
    filled_at: Tick,
}

/// The budget is spent: RFC 9113 section 10.5, `ENHANCE_YOUR_CALM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spent;

impl Budget {
    fn new(max: u32) -> Self {
        Self {
            left: max,
            max,
            filled_at: 0,
        }
    }

    pub(crate) fn of_control_frames() -> Self {
        Self::new(CONTROL_FRAMES_MAX)
    }

    pub(crate) fn of_resets() -> Self {
        Self::new(RESETS_MAX)
    }

    /// Takes one.
    pub(crate) fn spend(&mut self, now: Tick) -> Result<(), Spent> {
        if now > self.filled_at {
            self.earn(now - self.filled_at);
            self.filled_at = now;
        }
        self.left = self.left.checked_sub(1).ok_or(Spent)?;
        Ok(())
    }

    pub(crate) fn earn(&mut self, count: u32) {
        self.left = self.left.saturating_add(count).min(self.max);
    }

    /// Earns what one message, or one part of its body, allows.
    pub(crate) fn earn_for_message(&mut self) {
        self.earn(CONTROL_FRAMES_PER_MESSAGE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_and_refilled_by_time_and_by_deeds() {
        let mut budget = Budget::new(2);
        assert_eq!(budget.spend(0), Ok(()));
        assert_eq!(budget.spend(0), Ok(()));
        assert_eq!(budget.spend(0), Err(Spent));
        assert_eq!(budget.spend(1), Ok(()), "a tick has passed");
        assert_eq!(budget.spend(1), Err(Spent));
        budget.earn(1);
        assert_eq!(budget.spend(1), Ok(()));
        assert_eq!(budget.spend(1000), Ok(()));
        assert_eq!(budget.spend(1000), Ok(()));
        assert_eq!(
            budget.spend(1000),
            Err(Spent),
            "no more than its maximum is saved up"
        );
    }
}
