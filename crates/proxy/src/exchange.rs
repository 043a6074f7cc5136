//! One request of HTTP/1 from its first byte to the answer, or to the head for a target.
//!
//! Nothing of the received head is kept after the decision but the bytes for the next hop and the few facts
//! in `Exchange`.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use engine::http::DesyncMitigation;
use engine::{Extensions, Pool};

use crate::buffer::{Buffer, HEAD_BUFFER_BYTES, Lease};
use crate::compressor::Coding;
use crate::connection::{Client, Next};
use crate::counters::Counters;
use crate::decide::{Decision, count_own, decide};
use crate::desync::{self, Treatment, Verdict};
use crate::finish::{answer_persistence, finish, refuse, send};
use crate::forward::forward;
use crate::forwarded::Forwarded;
use crate::head_sink::Http1Head;
use crate::http1::request::{self, BadRequest, RequestHead};
use crate::http1::scan::{REQUEST_LIMITS, Refusal, Scan, Scanner};
use crate::http1::{FieldStorage, Framing, Version, simple};
use crate::logins::Ask;
use crate::negotiation::{accepted_coding, has_weak_validator};
use crate::outgoing::Persistence;
use crate::registry::{Tick, ticks};
use crate::respond::{Answer, Parts};
use crate::sticky::Stay;
use crate::worker::{Listener, SharedFrontend, Worker};

/// The facts of one exchange that outlive the request head.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// What holds for the request to its end, whatever is published meanwhile.
    pub(crate) frontend: SharedFrontend,
    pub(crate) version: Version,
    pub(crate) is_head: bool,
    /// RFC 9110 section 9.2.2; such a request may be sent again.
    pub(crate) is_idempotent: bool,
    /// Whether the client is able to send another request.
    pub(crate) keeps_alive: bool,
    pub(crate) framing: Framing,
    pub(crate) is_upgrade: bool,
    pub(crate) idle_timeout: Tick,
    /// How the client likes compressed responses best; `None`: not at all, or the listener compresses none.
    pub(crate) accepted_coding: Option<Coding>,
    /// Whether the client may have got what it asks about compressed before; no, if the listener compresses nothing.
    pub(crate) has_weak_validator: bool,
    /// Whether the target's connection is given up after the response, as the client's is.
    pub(crate) closes_target: bool,
    /// Where the client is to stay.
    pub(crate) stay: Stay,
    /// Values of `Set-Cookie` for the session of a login.
    pub(crate) set_cookies: Vec<String>,
    /// What the rule does beyond AWS.
    pub(crate) extensions: Option<Arc<Extensions>>,
}

impl Exchange {
    pub(crate) fn of(head: &RequestHead<'_, '_>, frontend: &SharedFrontend) -> Self {
        let compression = frontend.http.response_compression.as_ref();
        Self {
            frontend: Rc::clone(frontend),
            version: head.version,
            is_head: head.method == "HEAD",
            is_idempotent: matches!(head.method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE"),
            keeps_alive: head.keeps_alive,
            framing: head.framing,
            is_upgrade: head.upgrade.is_some(),
            idle_timeout: ticks(frontend.idle_timeout),
            accepted_coding: compression.and_then(|_| accepted_coding(head)),
            has_weak_validator: compression.is_some() && has_weak_validator(head),
            closes_target: false,
            stay: Stay::default(),
            set_cookies: Vec::new(),
            extensions: None,
        }
    }

    /// Whether the request is one of HTTP/0.9. Whatever its client sends behind it is nobody's.
    pub(crate) fn is_simple(&self) -> bool {
        self.version == Version::Http09
    }

    /// What the client gets of an answer.
    pub(crate) fn parts(&self) -> Parts {
        match self.version {
            Version::Http09 => Parts::Body,
            _ if self.is_head => Parts::Head,
            _ => Parts::Both,
        }
    }

    /// The page that says what `status` means, as the rule has it. The client stays with its target group as with a
    /// response of a target. The session of a login goes on too: a provider may take the refresh token of the old one
    /// no more.
    pub(crate) fn page(&self, worker: &Worker, status: u16) -> Answer<'_> {
        Answer::Page(status)
            .with_cookies(self.stay.pool_cookies(worker))
            .with_cookies(self.set_cookies.clone())
            .of_rule(self.extensions.as_deref())
    }
}

/// What happens to the bytes of one request.
enum Step {
    /// The answer has been written.
    Answer(Exchange),
    /// The request is refused, and with it all that may follow it; the answer has been written.
    Refuse,
    /// The head for the target has been written.
    Forward(Exchange, Arc<Pool>),
    /// Nothing has been written: somebody has to be asked first.
    Ask(Ask),
}

/// Reads one request and sees to its response.
pub(crate) async fn serve_request(
    worker: &Rc<Worker>,
    listener: &Listener,
    client: &mut Client,
    received: &mut Lease,
) -> Next {
    let frontend = listener.for_request();
    let idle_timeout = ticks(frontend.idle_timeout);
    let (start, end) = match read_head(client, received, idle_timeout).await {
        HeadRead::Complete { start, end } => (start, end),
        HeadRead::Nothing => return Next::KeepOpen,
        HeadRead::Closed => return Next::Close,
        HeadRead::TimedOut => {
            worker.counters.request_timeouts.increment();
            return Box::pin(refuse(worker, client, &frontend, Answer::Page(408))).await;
        }
        HeadRead::Refused(refusal) => {
            if refusal == Refusal::BareLineFeed {
                Verdict::BARE_LINE_FEED.record(&worker.counters, client.peer);
            }
            let status = count_refused_head(&worker.counters, refusal);
            return Box::pin(refuse(worker, client, &frontend, Answer::Page(status))).await;
        }
    };
    let mut out = worker.buffers.head();
    let head = &received.filled()[start..end];
    let (mut step, mut expects_continue) =
        take_head(worker, &frontend, client, head, None, &mut out);
    if let Step::Ask(ask) = step {
        // The head is read a second time afterwards, so that it need not be kept in another form.
        // Boxed, so that all other requests do not carry the room for it.
        (step, expects_continue) = Box::pin(async {
            let outcome = ask.run(&worker.logins).await;
            take_head(worker, &frontend, client, head, Some(outcome), &mut out)
        })
        .await;
    }
    received.consume(end);
    if expects_continue && received.is_empty() {
        // Source: ALB guide: sent at once, before anything is known of the target.
        if !Box::pin(send_continue(worker, client, idle_timeout)).await {
            return Next::Close;
        }
    }
    // By reference: what is moved into a future is there twice.
    match &step {
        Step::Forward(exchange, pool) => {
            forward(worker, client, received, &mut out, exchange, pool).await
        }
        Step::Refuse => {
            send(client, &mut out, idle_timeout).await;
            Next::Linger
        }
        Step::Ask(_) => unreachable!("a request is asked about once"),
        Step::Answer(exchange) => finish(worker, client, received, &mut out, exchange).await,
    }
}

/// Tells the client to go on. Whether it took that within the idle timeout.
async fn send_continue(worker: &Worker, client: &mut Client, idle_timeout: Tick) -> bool {
    let mut interim = worker.buffers.head();
    interim.put(b"HTTP/1.1 100 Continue\r\n\r\n");
    send(client, &mut interim, idle_timeout).await
}

enum HeadRead {
    Complete {
        start: usize,
        end: usize,
    },
    /// The readiness was a false one, or the bytes were empty lines.
    Nothing,
    Closed,
    TimedOut,
    Refused(Refusal),
}

async fn read_head(client: &mut Client, received: &mut Lease, idle_timeout: Tick) -> HeadRead {
    let mut scanner = match client.has_requested {
        false => Scanner::of_first_request(),
        true => Scanner::default(),
    };
    client.entry.arm(idle_timeout);
    poll_fn(|cx| {
        loop {
            match scanner.scan(received.filled(), &REQUEST_LIMITS) {
                Scan::Complete { start, end } => {
                    client.has_requested = true;
                    return Poll::Ready(HeadRead::Complete { start, end });
                }
                Scan::Refused(refusal) => {
                    return Poll::Ready(HeadRead::Refused(refusal));
                }
                Scan::Incomplete => {}
            }
            if received.spare().is_empty() {
                // The scanner refuses what is over the limit before the room for it is used up.
                received.grow(REQUEST_LIMITS.head_max + HEAD_BUFFER_BYTES);
            }
            let has_begun = scanner.has_begun(received.filled());
            if client.entry.poll_signal(cx).is_some() {
                return Poll::Ready(if has_begun {
                    HeadRead::TimedOut
                } else {
                    HeadRead::Closed
                });
            }
            if client.entry.is_closing() && !has_begun {
                return Poll::Ready(HeadRead::Closed);
            }
            match client.stream.poll_fill(cx, received) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(HeadRead::Closed),
                Poll::Ready(Ok(_)) => client.entry.arm(idle_timeout),
                Poll::Pending if !has_begun => {
                    received.clear();
                    return Poll::Ready(HeadRead::Nothing);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await
}

/// Counts a head that cannot become a valid one, and gives the status to answer with.
pub(crate) fn count_refused_head(counters: &Counters, refusal: Refusal) -> u16 {
    match refusal {
        Refusal::BareLineFeed => {
            counters.requests_malformed.increment();
            400
        }
        Refusal::TooLarge => {
            counters.request_heads_too_large.increment();
            400
        }
        Refusal::FirstLineTooLong => {
            counters.request_targets_too_long.increment();
            414
        }
    }
}

/// Parses a head, decides on it, and writes either the answer or the head for the target to `out`.
///
/// `asked` is what came of the question that the first call for the head had. The second value says that the
/// client waits for `100 Continue`.
fn take_head(
    worker: &Worker,
    frontend: &SharedFrontend,
    client: &Client,
    head: &[u8],
    asked: Option<auth::Outcome>,
    out: &mut Buffer,
) -> (Step, bool) {
    let date = worker.date();
    let counters = &worker.counters;
    let is_counted = asked.is_some();
    if !is_counted {
        counters.requests.increment();
    }
    let mut storage = FieldStorage::new();
    let (desync, inspected) = inspect(head, &mut storage, frontend.http.desync_mitigation);
    if let Some(verdict) = desync.filter(|_| !is_counted) {
        verdict.record(counters, client.peer);
    }
    let (head, treatment) = match inspected {
        Ok(inspected) => inspected,
        Err(BadRequest { status, reason }) => {
            tracing::debug!(peer = %client.peer, status, reason, "request refused");
            counters.requests_malformed.increment();
            count_own(counters, status);
            let parts = match simple::target(head) {
                Some(_) => Parts::Body,
                None => Parts::Both,
            };
            Answer::Page(status).write_http1(out, &frontend.http, Persistence::Close, parts, &date);
            return (Step::Refuse, false);
        }
    };
    let mut exchange = Exchange::of(&head, frontend);
    if treatment == Treatment::PassAndClose {
        exchange.keeps_alive = false;
        exchange.closes_target = true;
    }
    let expects_continue = head.expects_continue && head.framing != Framing::None;
    let connection = client.facts();
    let step = match decide(worker, frontend, connection, &head, asked) {
        Decision::Answer(answer) => {
            let persistence = answer_persistence(client, &exchange);
            let parts = exchange.parts();
            answer.write_http1(out, &frontend.http, persistence, parts, &date);
            Step::Answer(exchange)
        }
        Decision::Forward(route) => {
            let forwarded = Forwarded {
                request: &head,
                frontend,
                connection,
                route: &route,
            };
            forwarded.write_head(&mut Http1Head(out));
            exchange.stay = route.stay;
            exchange.set_cookies = route.user.set_cookies;
            exchange.extensions = route.extensions.cloned();
            Step::Forward(exchange, route.pool)
        }
        Decision::Ask(ask) => Step::Ask(ask),
    };
    (step, expects_continue)
}

/// Parses a head and judges how far it can be trusted: what is wrong with it, and what becomes of it.
pub(crate) fn inspect<'a, 'b>(
    bytes: &'b [u8],
    storage: &'a mut FieldStorage<'b>,
    mode: DesyncMitigation,
) -> (
    Option<Verdict>,
    Result<(RequestHead<'a, 'b>, Treatment), BadRequest>,
) {
    let head = match request::parse(bytes, storage) {
        Ok(head) => head,
        Err(bad) => return (desync::classify_refused(bytes), Err(bad)),
    };
    let desync = desync::classify(&head);
    let inspected = match desync.map(|verdict| (verdict, verdict.treatment(mode))) {
        None => Ok((head, Treatment::Pass)),
        Some((verdict, Treatment::Refuse)) => Err(BadRequest {
            status: 400,
            reason: verdict.reason.name(),
        }),
        Some((_, treatment)) => Ok((head, treatment)),
    };
    (desync, inspected)
}
