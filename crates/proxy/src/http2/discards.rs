//! Streams that were answered before the end of their request. Clients take a reset for a failure, even one whose code
//! says that nothing is wrong (RFC 9113 section 8.1), so the rest of the request is let come and is forgotten.
//!
//! These streams have no task and no buffer, and count as open. Their bounds are those of `linger.rs`.

use std::task::Context;

use super::frame::ErrorCode;
use super::state::State;
use crate::linger::Linger;
use crate::registry::{Entry, Tick};

/// What a connection needs for such streams.
#[derive(Debug, Default)]
pub(super) struct Discards {
    /// Expires no later than the first of their deadlines. `None` if there are no such streams.
    timer: Option<Entry>,
    /// Streams that were reset since this was last asked.
    cut: u64,
}

impl State {
    /// Goes on without the task of a stream, which has just left its entry here.
    pub(super) fn begin_discard(&mut self, key: usize) {
        let timer = match self.discards.timer.take() {
            Some(timer) => timer,
            None => {
                let timer = self.take_entry().expect("the task has left its own");
                let now = timer.registry().now();
                timer.arm(Linger::begin(now).deadline() - now);
                timer
            }
        };
        let stream = &mut self.streams[key];
        stream.linger = Some(Linger::begin(timer.registry().now()));
        stream.waker = None;
        let received = stream.received.take().map_or(0, |received| received.len());
        let restored = std::mem::take(&mut stream.restored);
        self.discards.timer = Some(timer);
        self.discard(key, received - restored);
        self.control_frames.earn_for_message();
        self.wake_task();
    }

    /// Forgets `count` bytes that have come on such a stream.
    pub(super) fn discard(&mut self, key: usize, count: usize) {
        let stream = &mut self.streams[key];
        let (Some(linger), Some(timer)) = (&mut stream.linger, &self.discards.timer) else {
            return;
        };
        if linger.receive(count, timer.registry().now()) {
            self.give_stream_credit(key, count);
        } else {
            self.give_credit(count);
            self.cut_discard(key);
        }
    }

    /// Resets the streams whose time is over. Gives the number of those that were reset since the last call, for
    /// whatever reason. Call it in every poll of the connection's task: it is woken for it.
    pub(crate) fn poll_discards(&mut self, cx: &Context<'_>) -> u64 {
        if let Some(timer) = self.discards.timer.take() {
            self.discards.timer = match timer.poll_signal(cx) {
                None => Some(timer),
                Some(_) => self.cut_late_discards(timer),
            };
        }
        std::mem::take(&mut self.discards.cut)
    }

    /// Gives the timer, set anew, if there are streams left.
    fn cut_late_discards(&mut self, timer: Entry) -> Option<Entry> {
        let now = timer.registry().now();
        while let Some((key, deadline)) = self.first_discard() {
            if deadline > now {
                timer.arm(deadline - now);
                return Some(timer);
            }
            self.cut_discard(key);
        }
        self.keep_entry(timer);
        None
    }

    /// The one whose deadline is the first.
    fn first_discard(&self) -> Option<(usize, Tick)> {
        let streams = self.streams.iter();
        let lingering = streams.filter_map(|(key, it)| Some((key, it.linger?.deadline())));
        lingering.min_by_key(|(_, deadline)| *deadline)
    }

    fn cut_discard(&mut self, key: usize) {
        let stream = self.remove(key);
        // RFC 9113 section 8.1: the rest of the request is not needed.
        self.reset(stream.id, ErrorCode::NoError);
        self.discards.cut += 1;
    }
}
