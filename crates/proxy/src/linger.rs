//! How long a client is listened to that still sends a request which was answered already. Many clients look for
//! the answer only when they have sent all of it, and lose the answer if they cannot.

use std::time::Duration;

use crate::registry::{Tick, ticks};

/// How long a client may take to send the rest of a request that was answered.
///
/// Source: NGINX, `lingering_time`.
const LINGER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long it may send nothing of it.
///
/// Source: NGINX, `lingering_timeout`.
const LINGER_PAUSE_MAX: Duration = Duration::from_secs(5);

/// How many bytes it may send of it. To read and forget them costs less than to send them, so this only ends uploads
/// that nobody can mean to finish in vain.
const LINGER_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Connections that a worker listens to in this way at once, each of which takes as much as an idle one; over it they
/// are closed at once and counted.
pub(crate) const LINGERING_MAX: usize = 2048;

/// What is left to a client of these bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linger {
    ends_at: Tick,
    pause_ends_at: Tick,
    bytes_left: u64,
}

impl Linger {
    pub(crate) fn begin(now: Tick) -> Self {
        Self {
            ends_at: now.saturating_add(ticks(LINGER_TIMEOUT)),
            pause_ends_at: now.saturating_add(ticks(LINGER_PAUSE_MAX)),
            bytes_left: LINGER_BYTES_MAX,
        }
    }

    /// Notes that the client has sent `count` bytes. Whether it may send more.
    pub(crate) fn receive(&mut self, count: usize, now: Tick) -> bool {
        self.pause_ends_at = now.saturating_add(ticks(LINGER_PAUSE_MAX));
        self.bytes_left = self.bytes_left.saturating_sub(count as u64);
        self.bytes_left > 0
    }

    /// When it is given up if it sends nothing before.
    pub(crate) fn deadline(&self) -> Tick {
        self.ends_at.min(self.pause_ends_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_the_whole_time_and_the_bytes_are_bounded() {
        let mut linger = Linger::begin(1000);
        assert_eq!(linger.deadline(), 1050, "5 s");
        assert!(linger.receive(1, 1040));
        assert_eq!(linger.deadline(), 1090, "each byte gives 5 s more");
        assert!(linger.receive(1, 1290));
        assert_eq!(linger.deadline(), 1300, "but 30 s are the end");
        assert!(linger.receive((256 << 20) - 3, 1290));
        assert!(!linger.receive(1, 1290), "and so are 256 MiB");
    }
}
