//! Makes connections to targets, and keeps those that can carry another request.

use std::future::{pending, poll_fn};
use std::io;
use std::task::Poll;
use std::time::Duration;

use engine::{Endpoint, HttpVersion};
use tls::ClientConfig;
use tokio::net::TcpStream;

use crate::attempts::{Connector, Destination, NoConnection};
use crate::registry::{Entry, Signal, Tick, ticks};
use crate::stream::Stream;
use crate::target_connections::Taken;
use crate::worker::Worker;

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

/// Connections of HTTP/1.1.
pub(crate) struct Http1Connector<'a> {
    /// That of the request as its target gets it.
    pub(crate) head: &'a [u8],
}

impl Connector for Http1Connector<'_> {
    type Connection = Stream;

    fn take_open(&self, to: &Destination<'_>, endpoint: &Endpoint) -> Taken {
        let worker = to.worker;
        let taken = worker.targets.take(&endpoint.state);
        if let Taken::Open(_) = taken {
            worker.counters.target_connections_reused.increment();
        }
        taken
    }

    async fn make(
        &self,
        to: &Destination<'_>,
        endpoint: &Endpoint,
    ) -> Result<Stream, NoConnection> {
        let name = || server_name(host_of(self.head)?);
        let connected = connect(to, endpoint, name).await;
        connected.map_err(NoConnection::NotMade)
    }
}

/// A new connection to the target. `name` is what TLS tells it.
///
/// # Errors
/// The status for the client: 502 if the target refuses, 504 if it does not answer.
pub(crate) async fn connect<'h>(
    to: &Destination<'_>,
    endpoint: &Endpoint,
    name: impl FnOnce() -> Option<&'h str>,
) -> Result<Stream, u16> {
    let Destination { worker, entry, .. } = to;
    entry.arm(ticks(CONNECT_TIMEOUT));
    let connected = until_signal(entry, reach(endpoint))
        .await?
        .map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => 504_u16,
            _ => 502,
        })?;
    worker.counters.target_connections_opened.increment();
    let protocol = to.pool.settings.protocol;
    if !protocol.is_tls {
        return Stream::new(connected).map_err(|_| 502);
    }
    // There is none only if the listener was removed just now.
    let is_http2 = protocol.version != HttpVersion::Http1;
    let config = worker
        .tls_of_targets(to.frontend, is_http2)
        .ok_or(502_u16)?;
    let encrypted = encrypt(entry, &config, connected, name()).await;
    // A target that was deregistered meanwhile is not to blame.
    if encrypted.is_err() && !endpoint.state.is_draining() {
        worker.counters.target_tls_handshake_errors.increment();
    }
    encrypted
}

/// The TCP connection. The packets for one that does not get through are dropped, so that nothing ever answers them.
async fn reach(endpoint: &Endpoint) -> io::Result<TcpStream> {
    match endpoint.reach.admits_requests {
        true => TcpStream::connect(endpoint.address).await,
        false => pending().await,
    }
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
fn host_of(head: &[u8]) -> Option<&str> {
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
