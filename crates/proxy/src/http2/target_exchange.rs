//! Sends the request of a stream to a target that speaks HTTP/2, gRPC or not.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use engine::{Choice, Endpoint, Outcome, Pool};

use super::exchange::{fail, status_of};
use super::stream::ClientStream;
use super::target_conversation::{Ended, TargetConversation};
use super::target_head::TargetRequest;
use super::target_sessions::{NoPlace, Place, TargetSessions};
use crate::attempts::{Attempts, record_outcome};
use crate::exchange::Exchange;
use crate::registry::{Signal, ticks};
use crate::target_connect::{CONNECT_TIMEOUT, obtain, server_name};
use crate::target_connections::Taken;
use crate::worker::Worker;

/// Forwards `request`, and its body, to a target of `pool`.
pub(super) async fn forward(
    worker: &Rc<Worker>,
    client: &ClientStream,
    request: &TargetRequest,
    exchange: &Exchange,
    pool: &Pool,
) {
    let counters = &worker.counters;
    let mut attempts = Attempts::default();
    let mut is_first = true;
    loop {
        let node = Choice {
            zone: client.node.zone.as_deref(),
            tried: &[],
            draw: worker.random(),
        };
        let Some(endpoint) = attempts.choose(pool, node, exchange.stay.endpoint) else {
            let status = attempts.status.unwrap_or(503);
            return fail(worker, client, exchange, status).await;
        };
        if std::mem::take(&mut is_first) {
            counters.requests_forwarded.increment();
            if request.is_grpc() {
                counters.grpc_requests.increment();
            }
            let stay = exchange.stay;
            stay.count_choice(pool, &endpoint, counters);
        } else {
            counters.requests_retried.increment();
        }
        let in_flight = endpoint.state.begin_request();
        let entry = client.entry();
        entry.set_endpoint(endpoint.state.id());
        let place = TargetSessions::try_obtain(worker, &endpoint, exchange.idle_timeout);
        let place = match place {
            Some(place) => Ok(place),
            None => {
                let made = make_place(worker, client, request, pool, &endpoint, exchange);
                // Boxed, so that requests on open connections carry no room for it.
                Box::pin(made).await
            }
        };
        let place = match place {
            Ok(place) => place,
            Err(no_place) => {
                entry.clear_endpoint();
                let status = match no_place {
                    NoPlace::Full => 503,
                    NoPlace::NotConnected(status) => {
                        counters.target_connection_errors.increment();
                        endpoint.state.record_outcome(Outcome::ConnectionError);
                        status
                    }
                };
                if attempts.fail(endpoint.state.id(), status) {
                    continue;
                }
                return fail(worker, client, exchange, status).await;
            }
        };
        let mut conversation =
            TargetConversation::new(worker, client, pool, &endpoint, &place, exchange);
        let outcome = conversation.run(request).await;
        let status = conversation.status();
        let is_replayable = conversation.is_replayable();
        drop(conversation);
        let failure = outcome.err().and_then(Ended::failure);
        record_outcome(&endpoint, status, failure);
        drop(in_flight);
        entry.clear_endpoint();
        match outcome {
            Ok(()) => return,
            // RFC 9113 section 8.7: the target has not looked at the request.
            Err(Ended::NotProcessed) if is_replayable && !attempts.has_resent => {
                attempts.has_resent = true;
                attempts.stale = Some(endpoint.state.id());
                place.retire();
            }
            Err(Ended::IsDraining) => {}
            Err(ended) => {
                drop(place);
                // The target's own reset has been handed on.
                let Some(failure) = ended.failure() else {
                    return;
                };
                if let Some(status) = status_of(worker, failure) {
                    fail(worker, client, exchange, status).await;
                }
                return;
            }
        }
    }
}

/// A place for the request where no open connection has one, within the time that a connection may take.
async fn make_place(
    worker: &Rc<Worker>,
    client: &ClientStream,
    request: &TargetRequest,
    pool: &Pool,
    endpoint: &Endpoint,
    exchange: &Exchange,
) -> Result<Place, NoPlace> {
    let entry = client.entry();
    entry.arm(ticks(CONNECT_TIMEOUT));
    let open = || async {
        let frontend = exchange.frontend.id;
        let name = || server_name(request.authority()?);
        let taken = Taken::Nothing;
        let (stream, _) = obtain(worker, entry, frontend, pool, endpoint, name, taken).await?;
        Ok(stream)
    };
    let obtained = TargetSessions::obtain(worker, endpoint, exchange.idle_timeout, open);
    let mut obtained = pin!(obtained);
    poll_fn(|cx| match entry.poll_signal(cx) {
        Some(Signal::Expired) => Poll::Ready(Err(NoPlace::NotConnected(504))),
        Some(Signal::TargetCut) => Poll::Ready(Err(NoPlace::NotConnected(502))),
        None => obtained.as_mut().poll(cx),
    })
    .await
}
