//! Sends a request to a target of its pool: connect, converse, and try again where that is safe.

use std::rc::Rc;

use engine::{Endpoint, Pool};

use crate::attempts::{Attempt, Attempts, Destination, record_outcome};
use crate::buffer::{Buffer, Lease};
use crate::connection::{Client, Next};
use crate::conversation::{Conversation, Failure, Finished, NoResponse, Reached};
use crate::decide::count_own;
use crate::exchange::Exchange;
use crate::finish::{answer_failure, refuse};
use crate::http1::Framing;
use crate::mirror::MirroredRequest;
use crate::pump::{Encode, Pump};
use crate::registry::Tick;
use crate::stream::Stream;
use crate::target_connect::{Http1Connector, keep_connection};
use crate::tunnel::tunnel;
use crate::worker::Worker;

/// Forwards the request whose head is in `head`, and its body, to a target of `pool`.
pub(crate) async fn forward(
    worker: &Rc<Worker>,
    client: &mut Client,
    received: &mut Lease,
    head: &mut Lease,
    exchange: &Exchange,
    pool: &Pool,
) -> Next {
    let mirrored = MirroredRequest::begin(worker, exchange, client.zone.as_ref(), head.filled());
    let mut upload = begin_upload(exchange.framing, received, head, mirrored);
    let is_replayable = upload.is_none();

    // What few requests come to is boxed in what follows, so that the others do not carry the room for it.
    let mut attempts = Attempts::default();
    loop {
        let zone = client.zone.as_deref();
        let to = Destination::of(worker, &client.entry, exchange, pool, zone);
        let connector = Http1Connector {
            head: head.filled(),
        };
        let Attempt {
            endpoint,
            connection: stream,
            is_reused,
            in_flight,
        } = match attempts.next(&to, &connector).await {
            Ok(attempt) => attempt,
            Err(status) => {
                let answer = answer_failure(worker, client, exchange, status, is_replayable);
                return Box::pin(answer).await;
            }
        };
        let (outcome, has_sent, returned) = {
            let reached = Reached {
                pool,
                endpoint: &endpoint,
                stream,
            };
            let mut conversation = Conversation::new(
                worker,
                client,
                received,
                reached,
                head,
                upload.take(),
                exchange,
            );
            let outcome = conversation.run().await;
            (outcome, conversation.has_sent(), conversation.into_parts())
        };
        drop(in_flight);
        client.entry.clear_endpoint();
        let failure = outcome.as_ref().err().map(|it| it.failure);
        // RFC 9112 section 9.3.1: any target may close a connection that is idle, and is not to blame for it.
        let was_idle = is_reused && failure == Some(Failure::TargetClosed { received_bytes: 0 });
        let may_repeat = is_replayable && (exchange.is_idempotent || !has_sent);
        if was_idle && may_repeat && attempts.may_resend(&endpoint) {
            continue;
        }
        record_outcome(&endpoint, returned.status, failure);
        match outcome {
            Ok(Finished::Responded {
                client: next,
                target_stays,
            }) => {
                let has_surplus = returned.surplus.is_some_and(|surplus| !surplus.is_empty());
                let stays = target_stays && !has_surplus && !exchange.closes_target;
                let idle_timeout = exchange.idle_timeout;
                keep_connection(worker, &endpoint, returned.stream, idle_timeout, stays);
                return next;
            }
            Ok(Finished::Switched) => {
                let (target, idle_timeout) = (&endpoint, exchange.idle_timeout);
                let switched = switch(worker, client, received, target, returned, idle_timeout);
                return Box::pin(switched).await;
            }
            Err(NoResponse {
                failure,
                is_upload_done,
            }) => {
                return Box::pin(fail(worker, client, exchange, failure, is_upload_done)).await;
            }
        }
    }
}

/// Puts what has arrived of the body behind the head: it goes out with it, and can be sent again with it. Gives
/// the upload of the rest if there is any.
fn begin_upload(
    framing: Framing,
    received: &mut Buffer,
    head: &mut Buffer,
    mut mirrored: Option<Box<MirroredRequest>>,
) -> Option<Pump> {
    let mut upload = Pump::new(framing, upload_encoding(framing));
    if let Some(pump) = &mut upload {
        let count = pump.raw_prefix(received);
        head.put(&received.filled()[..count]);
        if let Some(mirrored) = &mut mirrored {
            mirrored.push(&received.filled()[..count]);
        }
        received.consume(count);
        pump.skip_raw(count);
    }
    let mut upload = upload.filter(|pump| !pump.is_finished());
    match (&mut upload, mirrored) {
        (_, None) => {}
        (None, Some(mirrored)) => mirrored.send(),
        (Some(pump), Some(mirrored)) => pump.copy_to(mirrored),
    }
    upload
}

/// How the body of a request is framed for the target: as the client framed it.
fn upload_encoding(framing: Framing) -> Encode {
    match framing {
        Framing::Chunked => Encode::Chunked,
        Framing::None | Framing::Length(_) | Framing::UntilClose => Encode::Raw,
    }
}

/// What a conversation gives back.
pub(crate) struct Returned {
    pub(crate) stream: Stream,
    /// That of the final response, or 101; `None` if the target has sent neither.
    pub(crate) status: Option<u16>,
    /// What the target sent beyond its response; after 101 the first bytes of the tunnel.
    pub(crate) surplus: Option<Lease>,
}

/// Goes on after 101.
async fn switch(
    worker: &Rc<Worker>,
    client: &mut Client,
    received: &mut Lease,
    endpoint: &Endpoint,
    returned: Returned,
    idle_timeout: Tick,
) -> Next {
    worker.counters.tunnels.increment();
    let in_flight = endpoint.state.begin_request();
    client.entry.set_endpoint(endpoint.state.id());
    tunnel(worker, client, received, returned, idle_timeout).await;
    client.entry.clear_endpoint();
    drop(in_flight);
    Next::Close
}

/// Answers, or closes, where there is no response to hand on.
async fn fail(
    worker: &Rc<Worker>,
    client: &mut Client,
    exchange: &Exchange,
    failure: Failure,
    is_upload_done: bool,
) -> Next {
    let counters = &worker.counters;
    let status = match failure {
        Failure::ClientGone => {
            counters.clients_gone.increment();
            count_own(counters, 460);
            return Next::Close;
        }
        Failure::ResponseCut => {
            counters.responses_cut.increment();
            // The client must not take what it has for the whole.
            client.stream.reset_on_close();
            return Next::Close;
        }
        Failure::ClientStalled => {
            counters.request_timeouts.increment();
            let page = exchange.page(worker, 408);
            return refuse(worker, client, &exchange.frontend, page).await;
        }
        Failure::BadBody => {
            counters.requests_malformed.increment();
            let page = exchange.page(worker, 400);
            return refuse(worker, client, &exchange.frontend, page).await;
        }
        Failure::TargetCut => {
            counters.requests_cut_by_deregistration.increment();
            502
        }
        Failure::TargetClosed { .. } | Failure::BadResponse => 502,
        Failure::TargetStalled => 504,
    };
    answer_failure(worker, client, exchange, status, is_upload_done).await
}
