//! Copies of requests for a second pool. A copy is gathered while its request is sent, goes out when that is
//! whole, and what comes back is read and forgotten; nothing that becomes of it touches the client's request.
//!
//! Source: none; an extension of elbow (docs/parity.md, "Extensions").

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use engine::{FrontendId, Outcome, Pool};

use crate::attempts::{Attempts, Destination, record_outcome};
use crate::buffer::Lease;
use crate::conversation::INTERIM_RESPONSES_MAX;
use crate::discard::Discard;
use crate::exchange::Exchange;
use crate::http1::response;
use crate::http1::scan::{RESPONSE_LIMITS, Scan, Scanner};
use crate::http1::{FieldStorage, Framing};
use crate::registry::{Entry, Tick, ticks};
use crate::stream::Stream;
use crate::target_connect::{Http1Connector, keep_connection};
use crate::worker::Worker;

/// Copies that one worker gathers and sends at the same time; more requests go without.
const MIRRORED_REQUESTS_MAX: usize = 256;

/// Bytes of a body, with its framing, that a copy may have; requests with more go without.
const MIRRORED_BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a copy may take from its first byte to the end of its response.
const MIRROR_TIMEOUT: Duration = Duration::from_secs(30);

/// Says that nobody waits for the response.
const MARK: &[u8] = b"X-Elbow-Mirrored: true\r\n";

/// The places for copies of one worker.
#[derive(Debug, Default)]
pub(crate) struct Mirrors {
    taken: Cell<usize>,
}

/// A copy of one request. Without `send`, or when its body is too long, it is counted as skipped.
#[derive(Debug)]
pub(crate) struct MirroredRequest {
    worker: Rc<Worker>,
    frontend: FrontendId,
    pool: Arc<Pool>,
    zone: Option<Arc<str>>,
    is_head: bool,
    /// RFC 9110 section 9.2.2; such a copy may be sent again.
    is_idempotent: bool,
    idle_timeout: Tick,
    /// The head, and what there is of the body in the framing of the head.
    message: Vec<u8>,
    /// How much of `message` may be filled.
    bytes_max: usize,
    is_too_long: bool,
    is_sent: bool,
}

impl MirroredRequest {
    /// Begins the copy of a request whose `head` was written for a target of HTTP/1.1, if its rule asks for one.
    pub(crate) fn begin(
        worker: &Rc<Worker>,
        exchange: &Exchange,
        zone: Option<&Arc<str>>,
        head: &[u8],
    ) -> Option<Box<Self>> {
        let mirror = exchange.extensions.as_ref()?.mirror.as_ref()?;
        if !mirror.takes(worker.random()) {
            return None;
        }
        let is_too_long = match exchange.framing {
            Framing::Length(length) => length > MIRRORED_BODY_BYTES_MAX as u64,
            Framing::None | Framing::Chunked | Framing::UntilClose => false,
        };
        let taken = &worker.mirrors.taken;
        // What follows a 101 is no request.
        if exchange.is_upgrade || is_too_long || taken.get() >= MIRRORED_REQUESTS_MAX {
            worker.counters.mirrored_requests_skipped.increment();
            return None;
        }
        taken.set(taken.get() + 1);
        let (fields, end) = head.split_at(head.len() - b"\r\n".len());
        let message = [fields, MARK, end].concat();
        Some(Box::new(Self {
            worker: Rc::clone(worker),
            frontend: exchange.frontend.id,
            pool: Arc::clone(&mirror.pool),
            zone: zone.cloned(),
            is_head: exchange.is_head,
            is_idempotent: exchange.is_idempotent,
            idle_timeout: exchange.idle_timeout,
            bytes_max: message.len() + MIRRORED_BODY_BYTES_MAX,
            message,
            is_too_long: false,
            is_sent: false,
        }))
    }

    /// Adds bytes of the body, in the framing of the head.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.is_too_long |= self.message.len() + bytes.len() > self.bytes_max;
        if self.is_too_long {
            self.message = Vec::new();
        } else {
            self.message.extend_from_slice(bytes);
        }
    }

    /// Sends the copy, which is whole, in a task of its own; not where its listener is gone by now.
    pub(crate) fn send(mut self: Box<Self>) {
        if self.is_too_long || !self.worker.is_serving(self.frontend) {
            return;
        }
        self.is_sent = true;
        // Entered here and not in the task, so that a stop that begins before the task does not miss it.
        let entry = self.worker.connections.enter(self.frontend);
        tokio::task::spawn_local(async move {
            let counters = &self.worker.counters;
            match self.deliver(&entry).await {
                Some(()) => counters.mirrored_requests_answered.increment(),
                None => counters.mirrored_requests_failed.increment(),
            }
        });
    }

    /// Sends the copy and gives it up when its listener goes: it is not worth a wait. `None` if that came to nothing.
    async fn deliver(&self, entry: &Entry) -> Option<()> {
        let mut delivered = pin!(self.deliver_at(entry));
        // Each of its waits notes the task that `entry` wakes.
        poll_fn(|cx| match entry.is_closing() {
            true => Poll::Ready(None),
            false => delivered.as_mut().poll(cx),
        })
        .await
    }

    /// Sends the copy to a target; to another one if it cannot be reached. `None` if that came to nothing.
    async fn deliver_at(&self, entry: &Entry) -> Option<()> {
        let worker = &self.worker;
        let to = Destination {
            worker,
            entry,
            frontend: self.frontend,
            pool: &self.pool,
            zone: self.zone.as_deref(),
            stay: None,
            is_grpc: false,
        };
        let connector = Http1Connector {
            head: &self.message,
        };
        let mut attempts = Attempts::default();
        loop {
            let attempt = attempts.next(&to, &connector).await.ok()?;
            let (endpoint, mut stream) = (attempt.endpoint, attempt.connection);
            let answered = self.converse(entry, &mut stream).await;
            let counters = &worker.counters;
            stream.count_bytes(&counters.bytes_from_targets, &counters.bytes_to_targets);
            match answered {
                Ok(answered) => {
                    record_outcome(&endpoint, Some(answered.status), None);
                    let stays = answered.target_stays;
                    keep_connection(worker, &endpoint, stream, self.idle_timeout, stays);
                    return Some(());
                }
                // The target closed the connection while it was idle: RFC 9112 section 9.3.1.
                Err(Unanswered::Closed { has_sent }) if attempt.is_reused => {
                    let may_repeat = self.is_idempotent || !has_sent;
                    if !may_repeat || !attempts.may_resend(&endpoint) {
                        return None;
                    }
                    entry.clear_endpoint();
                }
                Err(Unanswered::Closed { .. } | Unanswered::Broken) => {
                    endpoint.state.record_outcome(Outcome::ConnectionError);
                    return None;
                }
                Err(Unanswered::GivenUp) => return None,
            }
        }
    }

    /// Sends the copy and reads past its response.
    async fn converse(&self, entry: &Entry, stream: &mut Stream) -> Result<Answered, Unanswered> {
        entry.arm(ticks(MIRROR_TIMEOUT));
        let mut conversation = Conversation {
            entry,
            stream,
            message: &self.message,
            sent: 0,
            has_received: false,
            received: self.worker.buffers.bulk(),
        };
        let head = conversation.read_head(self.is_head).await?;
        let mut body = Discard::new(head.framing);
        while !body
            .take(&mut conversation.received)
            .map_err(|_| Unanswered::Broken)?
        {
            if conversation.fill().await? == 0 {
                return match head.framing {
                    Framing::UntilClose => Ok(Answered {
                        status: head.status,
                        target_stays: false,
                    }),
                    _ => Err(Unanswered::Broken),
                };
            }
        }
        let is_sent = conversation.sent == self.message.len();
        Ok(Answered {
            status: head.status,
            target_stays: head.keeps_alive && is_sent && conversation.received.is_empty(),
        })
    }
}

impl Drop for MirroredRequest {
    fn drop(&mut self) {
        self.worker
            .mirrors
            .taken
            .set(self.worker.mirrors.taken.get() - 1);
        if !self.is_sent {
            self.worker.counters.mirrored_requests_skipped.increment();
        }
    }
}

/// A response that was read to its end.
#[derive(Clone, Copy, Debug)]
struct Answered {
    status: u16,
    target_stays: bool,
}

/// Why there is no whole response.
#[derive(Clone, Copy, Debug)]
enum Unanswered {
    /// The target has closed the connection before any byte of a response.
    Closed { has_sent: bool },
    /// The response is malformed or was cut.
    Broken,
    /// It takes too long, or the deregistration delay of the target has ended: not the target's fault.
    GivenUp,
}

/// A final head of which only this is kept.
struct FinalHead {
    status: u16,
    framing: Framing,
    keeps_alive: bool,
}

/// The copy on one connection.
struct Conversation<'a> {
    entry: &'a Entry,
    stream: &'a mut Stream,
    message: &'a [u8],
    sent: usize,
    has_received: bool,
    received: Lease,
}

impl Conversation<'_> {
    async fn read_head(&mut self, is_head: bool) -> Result<FinalHead, Unanswered> {
        for _ in 0..=INTERIM_RESPONSES_MAX {
            let mut scanner = Scanner::default();
            let (start, end) = loop {
                match scanner.scan(self.received.filled(), &RESPONSE_LIMITS) {
                    Scan::Complete { start, end } => break (start, end),
                    Scan::Refused(_) => return Err(Unanswered::Broken),
                    Scan::Incomplete if self.fill().await? == 0 => return Err(self.closed()),
                    Scan::Incomplete => {}
                }
            };
            let mut storage = FieldStorage::new();
            let head = &self.received.filled()[start..end];
            let head = response::parse(head, is_head, &mut storage);
            let head = head.map_err(|_| Unanswered::Broken)?;
            let (status, framing, keeps_alive) = (head.status, head.framing, head.keeps_alive);
            self.received.consume(end);
            match status {
                101 => return Err(Unanswered::Broken),
                100..200 => {}
                _ => {
                    return Ok(FinalHead {
                        status,
                        framing,
                        keeps_alive,
                    });
                }
            }
        }
        Err(Unanswered::Broken)
    }

    /// What it means that the target has closed the connection, or that it has failed.
    fn closed(&self) -> Unanswered {
        match self.has_received {
            true => Unanswered::Broken,
            false => Unanswered::Closed {
                has_sent: self.sent > 0,
            },
        }
    }

    /// Sends what is left of the copy until something has been read. 0: the target has closed.
    async fn fill(&mut self) -> Result<usize, Unanswered> {
        poll_fn(|cx| {
            if self.entry.poll_signal(cx).is_some() {
                return Poll::Ready(Err(Unanswered::GivenUp));
            }
            while self.sent < self.message.len() {
                match self.stream.poll_write(cx, &self.message[self.sent..]) {
                    Poll::Ready(Ok(count)) => self.sent += count,
                    Poll::Ready(Err(_)) => return Poll::Ready(Err(self.closed())),
                    Poll::Pending => break,
                }
            }
            let filled = ready!(self.stream.poll_fill(cx, &mut self.received));
            self.has_received |= filled.as_ref().is_ok_and(|count| *count > 0);
            Poll::Ready(filled.map_err(|_| self.closed()))
        })
        .await
    }
}
