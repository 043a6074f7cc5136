//! Sends the request of a stream to a target of its pool that speaks HTTP/1.1, as `forward.rs` does for
//! requests of HTTP/1.

use std::rc::Rc;

use engine::Pool;

use super::conversation::{Conversation, Finished, NoResponse};
use super::stream::ClientStream;
use super::upload::Upload;
use crate::attempts::{Attempt, Attempts, Destination, record_outcome};
use crate::buffer::Lease;
use crate::conversation::{Failure, Reached};
use crate::decide::count_own;
use crate::exchange::Exchange;
use crate::mirror::MirroredRequest;
use crate::target_connect::{Http1Connector, keep_connection};
use crate::worker::Worker;

/// Forwards the request whose head is in `head`, and its body, to a target of `pool`.
pub(super) async fn forward(
    worker: &Rc<Worker>,
    client: &ClientStream,
    head: &mut Lease,
    exchange: &Exchange,
    pool: &Pool,
) {
    let zone = client.zone.as_ref();
    let mirrored = MirroredRequest::begin(worker, exchange, zone, head.filled());
    // What has arrived of the body goes out with the head, and can be sent again with it.
    let mut upload = Upload::new(exchange.framing, client, head, mirrored);
    let is_replayable = upload.is_none();
    let entry = client.entry();
    let to = Destination::of(worker, entry, exchange, pool, zone.map(|zone| &**zone));
    let connector = Http1Connector {
        head: head.filled(),
    };
    let mut attempts = Attempts::default();
    loop {
        let Attempt {
            endpoint,
            connection: stream,
            is_reused,
            in_flight,
        } = match attempts.next(&to, &connector).await {
            Ok(attempt) => attempt,
            Err(status) => return fail(worker, client, exchange, status).await,
        };
        let reached = Reached {
            pool,
            endpoint: &endpoint,
            stream,
        };
        let mut conversation =
            Conversation::new(worker, client, reached, head, upload.take(), exchange);
        let outcome = conversation.run().await;
        let has_sent = conversation.has_sent();
        let status = conversation.status();
        let target = conversation.into_target();
        drop(in_flight);
        entry.clear_endpoint();
        let failure = outcome.as_ref().err().map(|it| it.failure);
        // RFC 9112 section 9.3.1: any target may close a connection that is idle, and is not to blame for it.
        let was_idle = is_reused && failure == Some(Failure::TargetClosed { received_bytes: 0 });
        let may_repeat = is_replayable && (exchange.is_idempotent || !has_sent);
        if was_idle && may_repeat && attempts.may_resend(&endpoint) {
            continue;
        }
        record_outcome(&endpoint, status, failure);
        match outcome {
            Ok(Finished { target_stays }) => {
                let idle_timeout = exchange.idle_timeout;
                return keep_connection(worker, &endpoint, target, idle_timeout, target_stays);
            }
            Err(NoResponse { failure }) => {
                drop(target);
                if let Some(status) = status_of(worker, failure) {
                    fail(worker, client, exchange, status).await;
                }
                return;
            }
        }
    }
}

/// Counts a failure. The status for the client, if it can still be told one.
pub(super) fn status_of(worker: &Worker, failure: Failure) -> Option<u16> {
    let counters = &worker.counters;
    match failure {
        Failure::ClientGone => {
            counters.clients_gone.increment();
            count_own(counters, 460);
            None
        }
        // Letting go of the stream resets it: the client must not take what it has for the whole.
        Failure::ResponseCut => {
            counters.responses_cut.increment();
            None
        }
        Failure::ClientStalled => {
            counters.request_timeouts.increment();
            Some(408)
        }
        // The stream was reset when that was seen.
        Failure::BadBody => {
            counters.requests_malformed.increment();
            None
        }
        Failure::TargetCut => {
            counters.requests_cut_by_deregistration.increment();
            Some(502)
        }
        Failure::TargetClosed { .. } | Failure::BadResponse => Some(502),
        Failure::TargetStalled => Some(504),
    }
}

/// Answers a request that could not be forwarded.
pub(super) async fn fail(worker: &Worker, client: &ClientStream, exchange: &Exchange, status: u16) {
    count_own(&worker.counters, status);
    let answer = exchange.page(worker, status);
    // Boxed, so that requests that do not fail carry no room for it.
    Box::pin(client.answer(worker, &exchange.frontend, &answer, exchange.is_head)).await;
}
