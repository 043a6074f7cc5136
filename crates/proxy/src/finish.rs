//! Answers requests of HTTP/1 that no target answers, and sees to what is left of them.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use engine::Frontend;

use crate::buffer::{Buffer, Lease};
use crate::connection::{Client, Next};
use crate::decide::count_own;
use crate::discard::Discard;
use crate::exchange::Exchange;
use crate::http1::Framing;
use crate::outgoing::Persistence;
use crate::registry::{Tick, ticks};
use crate::respond::{Answer, Parts};
use crate::worker::Worker;

/// Body bytes that are read and forgotten to keep a connection whose request was answered without them;
/// for more, closing it is cheaper.
const DISCARDED_BODY_BYTES_MAX: u64 = 64 * 1024;

/// Whether the connection outlives an answer that is made without a target.
pub(crate) fn answer_persistence(client: &Client, exchange: &Exchange) -> Persistence {
    let body_is_bounded = match exchange.framing {
        Framing::None | Framing::Chunked => true,
        Framing::Length(length) => length <= DISCARDED_BODY_BYTES_MAX,
        Framing::UntilClose => false,
    };
    if exchange.keeps_alive && !client.must_close() && body_is_bounded {
        Persistence::KeepAlive
    } else {
        Persistence::Close
    }
}

/// Sends an answer, and reads past the body of its request.
pub(crate) async fn finish(
    worker: &Rc<Worker>,
    client: &mut Client,
    received: &mut Lease,
    out: &mut Buffer,
    exchange: &Exchange,
) -> Next {
    let persistence = answer_persistence(client, exchange);
    if !send(client, out, exchange.idle_timeout).await {
        return Next::Close;
    }
    end_simple(client, exchange);
    match (persistence, exchange.framing) {
        (Persistence::Close, Framing::None) if !exchange.is_simple() => Next::Close,
        (Persistence::Close, _) => Next::Linger,
        (Persistence::KeepAlive, Framing::None) => Next::KeepOpen,
        (Persistence::KeepAlive, framing) => {
            discard_body(worker, client, received, framing, exchange.idle_timeout).await
        }
    }
}

/// Reads a body and forgets it.
async fn discard_body(
    worker: &Rc<Worker>,
    client: &mut Client,
    received: &mut Lease,
    framing: Framing,
    idle_timeout: Tick,
) -> Next {
    let mut discard = Discard::new(framing);
    client.entry.arm(idle_timeout);
    poll_fn(|cx| {
        loop {
            match discard.take(received) {
                Ok(true) => return Poll::Ready(Next::KeepOpen),
                Ok(false) if discard.taken() <= DISCARDED_BODY_BYTES_MAX => {}
                Ok(false) | Err(_) => return Poll::Ready(Next::Linger),
            }
            if client.entry.poll_signal(cx).is_some() {
                worker.counters.request_timeouts.increment();
                return Poll::Ready(Next::Close);
            }
            match client.stream.poll_fill(cx, received) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Next::Close),
                Poll::Ready(Ok(_)) => client.entry.arm(idle_timeout),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await
}

/// Answers where the connection cannot go on.
pub(crate) async fn refuse(
    worker: &Rc<Worker>,
    client: &mut Client,
    frontend: &Frontend,
    answer: Answer<'_>,
) -> Next {
    let date = worker.date();
    let mut out = worker.buffers.head();
    let (options, persistence) = (&frontend.http, Persistence::Close);
    answer.write_http1(&mut out, options, persistence, Parts::Both, &date);
    count_own(&worker.counters, answer.status());
    // What can be sent without waiting is sent: the client may be the one that has stopped reading.
    send(client, &mut out, ticks(std::time::Duration::from_secs(2))).await;
    Next::Linger
}

/// Answers a request that could not be forwarded.
///
/// `is_body_read` says that nothing of the request is still to come.
pub(crate) async fn answer_failure(
    worker: &Rc<Worker>,
    client: &mut Client,
    exchange: &Exchange,
    status: u16,
    is_body_read: bool,
) -> Next {
    let stays = exchange.keeps_alive && is_body_read && !client.must_close();
    let persistence = if stays {
        Persistence::KeepAlive
    } else {
        Persistence::Close
    };
    let date = worker.date();
    let mut out = worker.buffers.head();
    let options = &exchange.frontend.http;
    let answer = exchange.page(worker, status);
    answer.write_http1(&mut out, options, persistence, exchange.parts(), &date);
    count_own(&worker.counters, status);
    match send(client, &mut out, exchange.idle_timeout).await {
        true if stays => Next::KeepOpen,
        true => {
            end_simple(client, exchange);
            Next::Linger
        }
        false => Next::Close,
    }
}

/// Ends the response to a request of HTTP/0.9, which nothing else does, before the client is waited for.
fn end_simple(client: &mut Client, exchange: &Exchange) {
    if exchange.is_simple() {
        client.stream.shut_down();
    }
}

/// Sends all of `out`. Whether the client took it within the idle timeout.
pub(crate) async fn send(client: &mut Client, out: &mut Buffer, idle_timeout: Tick) -> bool {
    client.entry.arm(idle_timeout);
    poll_fn(|cx| {
        while !out.is_empty() {
            match client.stream.poll_write(cx, out.filled()) {
                Poll::Ready(Ok(count)) => out.consume(count),
                Poll::Ready(Err(_)) => return Poll::Ready(false),
                Poll::Pending if client.entry.poll_signal(cx).is_some() => {
                    return Poll::Ready(false);
                }
                Poll::Pending => return Poll::Pending,
            }
            client.entry.arm(idle_timeout);
        }
        Poll::Ready(true)
    })
    .await
}
