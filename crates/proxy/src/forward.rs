//! Sends a request to a target of its pool: choose, connect, converse, and try again where that is safe.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use engine::{Choice, Endpoint, FrontendId, HttpVersion, Outcome, Pool};
use tls::ClientConfig;
use tokio::net::TcpStream;

use crate::buffer::{Buffer, Lease};
use crate::connection::{Client, Next};
use crate::conversation::{Conversation, Failure, Finished, NoResponse, Reached};
use crate::decide::count_own;
use crate::exchange::{Exchange, answer_failure, refuse};
use crate::http1::Framing;
use crate::mirror::MirroredRequest;
use crate::pump::{Encode, Pump};
use crate::registry::{Entry, Signal, Tick, ticks};
use crate::stream::Stream;
use crate::target_connections::Taken;
use crate::tunnel::tunnel;
use crate::worker::Worker;

/// Targets that are tried for one request.
const TARGETS_TRIED_MAX: usize = 3;

/// How long a connection to a target may take.
///
/// Source: ALB guide, "Troubleshoot your Application Load Balancers", HTTP 504.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the TLS handshake with a target may take.
///
/// Source: the same.
const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest name of a host (RFC 1035 section 2.3.4).
const SERVER_NAME_BYTES_MAX: usize = 253;

/// What has been tried for one request.
#[derive(Default)]
pub(crate) struct Attempts {
    /// The registrations that could not be reached; `EndpointState::id` is never 0.
    unreachable: [u64; TARGETS_TRIED_MAX],
    count: usize,
    /// What the client is told if there is no other target.
    pub(crate) status: Option<u16>,
    /// The first target whose idle connections turned out to be closed.
    pub(crate) stale: Option<u64>,
    pub(crate) has_resent: bool,
}

impl Attempts {
    /// The next target. One that has closed its connections may be going away, and would then reset a
    /// new connection too, with a request on it: any other target is better.
    /// A client stays with its target all the same.
    pub(crate) fn choose(
        &self,
        pool: &Pool,
        node: Choice<'_>,
        stays: Option<u64>,
    ) -> Option<Arc<Endpoint>> {
        let choose = |tried| pool.choose_target(Choice { tried, ..node });
        let unreachable = &self.unreachable[..self.count];
        let tried = Choice {
            tried: unreachable,
            ..node
        };
        if let Some(endpoint) = stays.and_then(|key| pool.endpoint_by_key(key, tried)) {
            return Some(endpoint);
        }
        let Some(stale) = self.stale else {
            return choose(unreachable);
        };
        let mut avoided = self.unreachable;
        avoided[self.count] = stale;
        choose(&avoided[..=self.count]).or_else(|| choose(unreachable))
    }

    /// The next target with what there is of idle connections to it. A target that turns out to have
    /// closed its connections is passed over once.
    pub(crate) fn choose_with_idle(
        &mut self,
        worker: &Worker,
        pool: &Pool,
        node: Choice<'_>,
        stays: Option<u64>,
    ) -> Option<(Arc<Endpoint>, Taken)> {
        let endpoint = self.choose(pool, node, stays)?;
        match worker.targets.take(&endpoint.state) {
            Taken::Closed if self.stale.is_none() => {
                self.stale = Some(endpoint.state.id());
                let other = self.choose(pool, node, stays)?;
                let idle = worker.targets.take(&other.state);
                Some((other, idle))
            }
            idle => Some((endpoint, idle)),
        }
    }

    /// Notes a target that could not be reached. Whether another one may be tried.
    pub(crate) fn fail(&mut self, target: u64, status: u16) -> bool {
        self.unreachable[self.count] = target;
        self.count += 1;
        self.status = Some(status);
        self.count < TARGETS_TRIED_MAX
    }
}

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
    let mut is_first = true;
    loop {
        let node = Choice {
            zone: client.zone.as_deref(),
            tried: &[],
            draw: worker.random(),
        };
        let stays = exchange.stay.endpoint;
        let chosen = attempts.choose_with_idle(worker, pool, node, stays);
        let Some((endpoint, idle)) = chosen else {
            let status = attempts.status.unwrap_or(503);
            return Box::pin(answer_failure(
                worker,
                client,
                exchange,
                status,
                is_replayable,
            ))
            .await;
        };
        if std::mem::take(&mut is_first) {
            worker.counters.requests_forwarded.increment();
            exchange
                .stay
                .count_choice(pool, &endpoint, &worker.counters);
        } else {
            worker.counters.requests_retried.increment();
        }
        let in_flight = endpoint.state.begin_request();
        client.entry.set_endpoint(endpoint.state.id());
        let frontend = exchange.frontend.id;
        let name = || server_name(host_of(head.filled())?);
        let (stream, is_reused) =
            match obtain(worker, &client.entry, frontend, pool, &endpoint, name, idle).await {
                Ok(obtained) => obtained,
                Err(status) => {
                    client.entry.clear_endpoint();
                    worker.counters.target_connection_errors.increment();
                    endpoint.state.record_outcome(Outcome::ConnectionError);
                    if attempts.fail(endpoint.state.id(), status) {
                        continue;
                    }
                    return Box::pin(answer_failure(
                        worker,
                        client,
                        exchange,
                        status,
                        is_replayable,
                    ))
                    .await;
                }
            };
        // The drain promise: nothing below waits before the first byte is written.
        if endpoint.state.is_draining() {
            client.entry.clear_endpoint();
            continue;
        }
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
        let failure = outcome.as_ref().err().map(|it| it.failure);
        record_outcome(&endpoint, returned.status, failure);
        drop(in_flight);
        client.entry.clear_endpoint();
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
                failure: Failure::TargetClosed { received_bytes: 0 },
                ..
            }) if is_reused
                && !attempts.has_resent
                && is_replayable
                && (exchange.is_idempotent || !has_sent) =>
            {
                // The target closed the connection while it was idle: RFC 9112 section 9.3.1.
                attempts.has_resent = true;
                attempts.stale = Some(endpoint.state.id());
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

/// A connection to the target: an idle one, or else a new one. Whether it was used before. `name` is what TLS
/// tells the target.
///
/// # Errors
/// The status for the client: 502 if the target refuses, 504 if it does not answer.
pub(crate) async fn obtain<'h>(
    worker: &Rc<Worker>,
    entry: &Entry,
    frontend: FrontendId,
    pool: &Pool,
    endpoint: &Endpoint,
    name: impl FnOnce() -> Option<&'h str>,
    idle: Taken,
) -> Result<(Stream, bool), u16> {
    if let Taken::Open(stream) = idle {
        worker.counters.target_connections_reused.increment();
        return Ok((stream, true));
    }
    // Boxed, so that requests on open connections do not carry the room for it.
    let connected = connect(worker, entry, frontend, pool, endpoint, name);
    Box::pin(connected).await.map(|stream| (stream, false))
}

/// A new connection to the target.
async fn connect<'h>(
    worker: &Rc<Worker>,
    entry: &Entry,
    frontend: FrontendId,
    pool: &Pool,
    endpoint: &Endpoint,
    name: impl FnOnce() -> Option<&'h str>,
) -> Result<Stream, u16> {
    entry.arm(ticks(CONNECT_TIMEOUT));
    let connected = until_signal(entry, TcpStream::connect(endpoint.address))
        .await?
        .map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => 504_u16,
            _ => 502,
        })?;
    worker.counters.target_connections_opened.increment();
    if !pool.settings.protocol.is_tls {
        return Stream::new(connected).map_err(|_| 502);
    }
    // There is none only if the listener was removed just now.
    let is_http2 = pool.settings.protocol.version != HttpVersion::Http1;
    let config = worker.tls_of_targets(frontend, is_http2).ok_or(502_u16)?;
    encrypt(entry, &config, connected, name())
        .await
        .inspect_err(|_| worker.counters.target_tls_handshake_errors.increment())
}

/// Does the handshake with a target.
async fn encrypt(
    entry: &Entry,
    config: &ClientConfig,
    socket: TcpStream,
    server_name: Option<&str>,
) -> Result<Stream, u16> {
    socket.set_nodelay(true).map_err(|_| 502_u16)?;
    entry.arm(ticks(TLS_HANDSHAKE_TIMEOUT));
    match until_signal(entry, config.connect(server_name, socket)).await? {
        Ok(stream) => Ok(Stream::encrypted(stream)),
        Err(error) => {
            tracing::debug!(%error, "a target has not come through the TLS handshake");
            Err(502)
        }
    }
}

/// What comes out of `future`.
///
/// # Errors
/// The status for the client if a signal comes first.
async fn until_signal<T>(entry: &Entry, future: impl Future<Output = T>) -> Result<T, u16> {
    let mut future = std::pin::pin!(future);
    poll_fn(|cx| match entry.poll_signal(cx) {
        Some(Signal::Expired) => Poll::Ready(Err(504)),
        Some(Signal::TargetCut) => Poll::Ready(Err(502)),
        None => future.as_mut().poll(cx).map(Ok),
    })
    .await
}

/// The host of a request head as targets get it, where `Host` is the first field.
pub(crate) fn host_of(head: &[u8]) -> Option<&str> {
    let line = head.split(|byte| *byte == b'\n').nth(1)?;
    let host = line.strip_prefix(b"Host: ")?.trim_ascii_end();
    std::str::from_utf8(host).ok()
}

/// The name in a host. An address is not a name (RFC 6066 section 3).
pub(crate) fn server_name(host: &str) -> Option<&str> {
    // An address of IPv6 stands in brackets.
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let is_name = !name.is_empty()
        && name.len() <= SERVER_NAME_BYTES_MAX
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    is_name.then_some(name)
}

/// What a conversation gives back.
pub(crate) struct Returned {
    pub(crate) stream: Stream,
    /// That of the final response, or 101; `None` if the target has sent neither.
    pub(crate) status: Option<u16>,
    /// What the target sent beyond its response; after 101 the first bytes of the tunnel.
    pub(crate) surplus: Option<Lease>,
}

/// Notes what a request has shown of its target.
pub(crate) fn record_outcome(endpoint: &Endpoint, status: Option<u16>, failure: Option<Failure>) {
    match (status, failure) {
        (Some(status), _) => endpoint.state.record_outcome(Outcome::of_status(status)),
        (
            None,
            Some(Failure::TargetClosed { .. } | Failure::TargetStalled | Failure::BadResponse),
        ) => endpoint.state.record_outcome(Outcome::ConnectionError),
        (None, _) => {}
    }
}

/// Sees to the target's connection after a response that was read whole.
pub(crate) fn keep_connection(
    worker: &Worker,
    endpoint: &Endpoint,
    mut stream: Stream,
    idle_timeout: Tick,
    stays: bool,
) {
    let counters = &worker.counters;
    stream.count_bytes(&counters.bytes_from_targets, &counters.bytes_to_targets);
    if stays {
        let expires = worker.connections.now().saturating_add(idle_timeout);
        worker
            .targets
            .put(&endpoint.state, stream, expires, counters);
    } else {
        stream.say_goodbye();
    }
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
            return refuse(worker, client, &exchange.frontend, exchange.page(408)).await;
        }
        Failure::BadBody => {
            counters.requests_malformed.increment();
            return refuse(worker, client, &exchange.frontend, exchange.page(400)).await;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_name_is_the_host_if_that_is_a_name() {
        let check = |host: &str, expected: Option<&str>| {
            let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\nX: y\r\n\r\n");
            assert_eq!(
                host_of(head.as_bytes()).and_then(server_name),
                expected,
                "{host}"
            );
        };
        check("shop.example.com", Some("shop.example.com"));
        check("shop.example.com:8443", Some("shop.example.com"));
        check("127.0.0.1", None);
        check("127.0.0.1:8443", None);
        check("[::1]:8443", None);
        check("", None);
        check("a/b", None);
        check(&"a".repeat(254), None);
    }
}
