//! The connections of one worker: when each of them has waited long enough, and how to reach it.
//!
//! One coarse timer wheel serves all of them. Moving a deadline later, which every received byte does, is
//! one store; only when the wheel comes to an entry is its real deadline looked at.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use engine::FrontendId;
use slab::Slab;

/// The length of one tick.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// Ticks that the wheel reaches ahead. A later deadline is looked at once per turn. A short wheel bounds
/// what short-lived connections leave behind in it: 8 bytes each for at most this long.
const WHEEL_TICKS: u32 = 128;

/// A moment, in ticks since the worker began.
pub(crate) type Tick = u32;

/// No deadline.
const NEVER: Tick = Tick::MAX;

/// Ticks that last at least `duration`.
pub(crate) fn ticks(duration: Duration) -> Tick {
    let ticks = duration.as_millis().div_ceil(TICK.as_millis());
    Tick::try_from(ticks).unwrap_or(NEVER / 2)
}

/// Why a waiting connection was woken other than by its sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The deadline has passed.
    Expired,
    /// The deregistration delay of the target in use has ended.
    TargetCut,
}

/// All connections of a worker.
#[derive(Debug)]
pub(crate) struct Registry {
    now: Cell<Tick>,
    slots: RefCell<Slab<Rc<Slot>>>,
    wheel: RefCell<Vec<Vec<usize>>>,
}

/// One connection's entry.
#[derive(Debug)]
pub(crate) struct Slot {
    key: Cell<usize>,
    frontend: FrontendId,
    deadline: Cell<Tick>,
    /// The tick of the wheel entry that counts; older ones are passed over.
    queued: Cell<Tick>,
    signal: Cell<Option<Signal>>,
    is_closing: Cell<bool>,
    /// The registration (`EndpointState::id`) whose target has the request, 0 for none.
    endpoint: Cell<u64>,
    waker: RefCell<Option<Waker>>,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            now: Cell::new(0),
            slots: RefCell::default(),
            wheel: RefCell::new(vec![Vec::new(); WHEEL_TICKS as usize]),
        }
    }
}

impl Registry {
    pub(crate) fn now(&self) -> Tick {
        self.now.get()
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.borrow().len()
    }

    /// Enters a connection; it leaves when the guard is dropped.
    pub(crate) fn enter(self: &Rc<Self>, frontend: FrontendId) -> Entry {
        let slot = Rc::new(Slot {
            key: Cell::new(0),
            frontend,
            deadline: Cell::new(NEVER),
            queued: Cell::new(NEVER),
            signal: Cell::new(None),
            is_closing: Cell::new(false),
            endpoint: Cell::new(0),
            waker: RefCell::new(None),
        });
        slot.key
            .set(self.slots.borrow_mut().insert(Rc::clone(&slot)));
        Entry {
            slot,
            registry: Rc::clone(self),
        }
    }

    /// Comes to `now` and wakes the connections whose deadlines have passed.
    pub(crate) fn advance(&self, now: Tick) {
        while self.now.get() < now {
            let tick = self.now.get() + 1;
            self.now.set(tick);
            let due = std::mem::take(&mut self.wheel.borrow_mut()[(tick % WHEEL_TICKS) as usize]);
            for key in due {
                let slot = self.slots.borrow().get(key).map(Rc::clone);
                let Some(slot) = slot.filter(|slot| slot.queued.get() == tick) else {
                    continue;
                };
                slot.queued.set(NEVER);
                match slot.deadline.get() {
                    NEVER => {}
                    deadline if deadline <= tick => slot.wake(Signal::Expired),
                    _ => self.queue(&slot),
                }
            }
        }
    }

    /// Ends the requests that are at one of these registrations.
    pub(crate) fn cut(&self, endpoints: &[u64]) {
        for (_, slot) in self.slots.borrow().iter() {
            if endpoints.contains(&slot.endpoint.get()) {
                slot.wake(Signal::TargetCut);
            }
        }
    }

    /// Asks connections to close: idle ones now, busy ones after the response in progress.
    pub(crate) fn close(&self, belongs: impl Fn(FrontendId) -> bool) {
        for (_, slot) in self.slots.borrow().iter() {
            if belongs(slot.frontend) {
                slot.is_closing.set(true);
                slot.wake_task();
            }
        }
    }

    fn queue(&self, slot: &Slot) {
        let now = self.now.get();
        let tick = slot.deadline.get().clamp(now + 1, now + WHEEL_TICKS - 1);
        slot.queued.set(tick);
        self.wheel.borrow_mut()[(tick % WHEEL_TICKS) as usize].push(slot.key.get());
    }
}

impl Slot {
    fn wake(&self, signal: Signal) {
        self.signal.set(Some(signal));
        self.wake_task();
    }

    fn wake_task(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

/// A connection's membership in the registry.
#[derive(Debug)]
pub(crate) struct Entry {
    slot: Rc<Slot>,
    registry: Rc<Registry>,
}

impl Entry {
    /// Sets the deadline to `after` from now; an expiry that was not seen yet is void.
    pub(crate) fn arm(&self, after: Tick) {
        let deadline = self.registry.now.get().saturating_add(after);
        self.slot.deadline.set(deadline);
        if self.slot.signal.get() == Some(Signal::Expired) {
            self.slot.signal.set(None);
        }
        if deadline < self.slot.queued.get() {
            self.registry.queue(&self.slot);
        }
    }

    /// The reason to stop waiting, if there is one. Call it in every poll that may return `Pending`.
    pub(crate) fn poll_signal(&self, cx: &Context<'_>) -> Option<Signal> {
        let mut waker = self.slot.waker.borrow_mut();
        if !waker
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()))
        {
            *waker = Some(cx.waker().clone());
        }
        self.slot.signal.get()
    }

    /// Whether the connection should close once nothing is in progress on it.
    pub(crate) fn is_closing(&self) -> bool {
        self.slot.is_closing.get()
    }

    /// Notes that the request is at this registration from now on.
    pub(crate) fn set_endpoint(&self, endpoint: u64) {
        self.slot.endpoint.set(endpoint);
    }

    /// Notes that no target has the request any more.
    pub(crate) fn clear_endpoint(&self) {
        self.slot.endpoint.set(0);
        if self.slot.signal.get() == Some(Signal::TargetCut) {
            self.slot.signal.set(None);
        }
    }

    /// Forgets the deadline, the signal, the registration and the task, for a use to come.
    pub(crate) fn rest(&self) {
        self.slot.deadline.set(NEVER);
        self.slot.signal.set(None);
        self.slot.endpoint.set(0);
        self.slot.waker.replace(None);
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.registry.slots.borrow_mut().remove(self.slot.key.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(entry: &Entry) -> Option<Signal> {
        entry.poll_signal(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_deadline_expires_at_its_tick_and_not_before() {
        for after in [1, 2, WHEEL_TICKS - 1, WHEEL_TICKS, WHEEL_TICKS * 3 + 7] {
            let registry = Rc::new(Registry::default());
            let entry = registry.enter(FrontendId(1));
            entry.arm(after);
            registry.advance(after - 1);
            assert_eq!(signal(&entry), None, "not before tick {after}");
            registry.advance(after);
            assert_eq!(signal(&entry), Some(Signal::Expired), "at tick {after}");
        }
    }

    #[test]
    fn the_latest_deadline_counts_whether_earlier_or_later() {
        let registry = Rc::new(Registry::default());
        let entry = registry.enter(FrontendId(1));
        entry.arm(10);
        entry.arm(500);
        registry.advance(499);
        assert_eq!(signal(&entry), None, "moved later");
        entry.arm(300);
        entry.arm(20);
        registry.advance(519);
        assert_eq!(signal(&entry), Some(Signal::Expired), "moved earlier");
    }

    #[test]
    fn arming_again_takes_an_expiry_back() {
        let registry = Rc::new(Registry::default());
        let entry = registry.enter(FrontendId(1));
        entry.arm(1);
        registry.advance(1);
        entry.arm(1);
        assert_eq!(signal(&entry), None);
        registry.advance(2);
        assert_eq!(signal(&entry), Some(Signal::Expired));
    }

    #[test]
    fn only_requests_at_the_registration_are_cut() {
        let registry = Rc::new(Registry::default());
        let (there, elsewhere) = (registry.enter(FrontendId(1)), registry.enter(FrontendId(1)));
        there.set_endpoint(7);
        elsewhere.set_endpoint(8);
        registry.cut(&[7]);
        assert_eq!(signal(&there), Some(Signal::TargetCut));
        assert_eq!(signal(&elsewhere), None);
        there.clear_endpoint();
        assert_eq!(
            signal(&there),
            None,
            "the next request of the connection goes elsewhere"
        );
    }

    #[test]
    fn a_connection_that_left_is_forgotten() {
        let registry = Rc::new(Registry::default());
        let entry = registry.enter(FrontendId(1));
        entry.arm(1);
        drop(entry);
        assert_eq!(registry.len(), 0);
        let next = registry.enter(FrontendId(1));
        registry.advance(5);
        assert_eq!(
            signal(&next),
            None,
            "a stale entry of the wheel does not reach the successor"
        );
    }
}
