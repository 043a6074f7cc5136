//! Sends the request of a stream to a target that speaks HTTP/2, gRPC or not.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use engine::{Endpoint, Pool};

use super::exchange::{fail, status_of};
use super::stream::ClientStream;
use super::target_conversation::{Ended, TargetConversation};
use super::target_head::TargetRequest;
use super::target_sessions::{Place, TargetSessions};
use crate::attempts::{Attempt, Attempts, Connector, Destination, NoConnection, record_outcome};
use crate::exchange::Exchange;
use crate::registry::{Signal, Tick, ticks};
use crate::target_connect::{CONNECT_TIMEOUT, connect, server_name};
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
    let entry = client.entry();
    let to = Destination {
        is_grpc: request.is_grpc(),
        ..Destination::of(worker, entry, exchange, pool, client.zone.as_deref())
    };
    let connector = Http2Connector {
        request,
        idle_timeout: exchange.idle_timeout,
    };
    let mut attempts = Attempts::default();
    loop {
        let Attempt {
            endpoint,
            connection: place,
            in_flight,
            ..
        } = match attempts.next(&to, &connector).await {
            Ok(attempt) => attempt,
            Err(status) => return fail(worker, client, exchange, status).await,
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
            Err(Ended::NotProcessed) if is_replayable && attempts.may_resend(&endpoint) => {
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

/// Places for requests on connections of HTTP/2.
struct Http2Connector<'a> {
    request: &'a TargetRequest,
    idle_timeout: Tick,
}

impl Connector for Http2Connector<'_> {
    type Connection = Place;

    fn take_open(&self, to: &Destination<'_>, endpoint: &Endpoint) -> Taken<Place> {
        match TargetSessions::try_obtain(to.worker, endpoint, self.idle_timeout) {
            Some(place) => Taken::Open(place),
            None => Taken::Nothing,
        }
    }

    /// A place where no open connection has one, within the time that a connection may take.
    async fn make(&self, to: &Destination<'_>, endpoint: &Endpoint) -> Result<Place, NoConnection> {
        let Destination { worker, entry, .. } = to;
        entry.arm(ticks(CONNECT_TIMEOUT));
        let name = || server_name(self.request.authority()?);
        let open = || connect(to, endpoint, name);
        let obtained = TargetSessions::obtain(worker, endpoint, self.idle_timeout, open);
        let mut obtained = pin!(obtained);
        poll_fn(|cx| {
            // First, because who makes the connection counts what the end of the time has cut off.
            if let Poll::Ready(obtained) = obtained.as_mut().poll(cx) {
                return Poll::Ready(obtained);
            }
            match entry.poll_signal(cx) {
                Some(Signal::Expired) => Poll::Ready(Err(NoConnection::NotMade(504))),
                Some(Signal::TargetCut) => Poll::Ready(Err(NoConnection::NotMade(502))),
                None => Poll::Pending,
            }
        })
        .await
    }
}
