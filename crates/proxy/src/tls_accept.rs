//! The handshake with a client on a port for TLS.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use engine::FixedResponse;
use tls::{HandshakeError, TlsStream};
use tokio::net::TcpStream;

use crate::connection::{Client, serve_connection};
use crate::decide::count_own;
use crate::finish::send;
use crate::outgoing::Persistence;
use crate::registry::{Entry, Signal, ticks};
use crate::respond::{Answer, Parts};
use crate::stream::Stream;
use crate::tls_facts::{ClientCertificate, TlsFacts};
use crate::worker::{Listener, Worker};

/// How long a handshake may take, from the accept on.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Handshakes that a worker does at once, those that have failed and wait for their end included; connections over
/// it are closed at once and counted. Each takes some 100 KB.
pub(crate) const HANDSHAKES_MAX: usize = 2048;

/// How long an answer to a request in clear text may take.
const PLAIN_ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How a client begins.
enum Beginning {
    Encrypted(TlsStream, TlsFacts),
    Failed(HandshakeError),
    /// With a request in clear text.
    Plain(TcpStream),
    /// Not at all, or not in time.
    Nothing,
}

/// Does the handshake on a connection that was accepted, and begins to serve its requests.
pub(crate) async fn accept_tls_connection(
    worker: Rc<Worker>,
    listener: Rc<Listener>,
    socket: TcpStream,
    peer: SocketAddr,
    local: Option<SocketAddr>,
) {
    let counters = &worker.counters;
    let Some(place) = worker.handshakes.enter() else {
        counters.tls_handshakes_over_limit.increment();
        counters.connections_closed.increment();
        return;
    };
    let entry = worker.connections.enter(listener.id);
    let beginning = begin(&worker, &listener, socket, &entry).await;
    drop(place);
    match beginning {
        Beginning::Encrypted(stream, facts) => {
            counters.tls_handshakes.increment();
            if stream.is_resumed() {
                counters.tls_sessions_resumed.increment();
            }
            let stream = Stream::encrypted(stream);
            let client = Client::new(&listener, stream, peer, local, Some(Rc::new(facts)), entry);
            // A task of its own, so that an established connection does not carry the room for the handshake.
            tokio::task::spawn_local(serve_connection(Rc::clone(&worker), listener, client));
            return;
        }
        Beginning::Failed(error) => {
            tracing::debug!(%peer, %error, "a client has not come through the TLS handshake");
            counters.tls_handshake_errors.increment();
        }
        Beginning::Plain(socket) => {
            counters.plain_requests_on_tls_ports.increment();
            answer_plain_request(&worker, &listener, socket, peer, entry).await;
        }
        Beginning::Nothing => {}
    }
    counters.connections_closed.increment();
}

async fn begin(
    worker: &Worker,
    listener: &Listener,
    socket: TcpStream,
    entry: &Entry,
) -> Beginning {
    entry.arm(ticks(HANDSHAKE_TIMEOUT));
    // It fails only on a connection that the client has reset already.
    if socket.set_nodelay(true).is_err() {
        return Beginning::Nothing;
    }
    let mut first = [0];
    match until_signal(worker, entry, socket.peek(&mut first)).await {
        Some(Ok(1)) => {}
        _ => return Beginning::Nothing,
    }
    // A record begins with its type, or with the high bit of SSLv2; a request with the name of its method.
    if first[0].is_ascii_uppercase() {
        return Beginning::Plain(socket);
    }
    let Some(config) = worker.tls_of_clients(listener.id) else {
        return Beginning::Nothing;
    };
    match until_signal(worker, entry, config.accept(socket)).await {
        Some(Ok(stream)) => {
            let facts = facts(&stream, config.verifies_clients());
            Beginning::Encrypted(stream, facts)
        }
        Some(Err(error)) => Beginning::Failed(error),
        None => Beginning::Nothing,
    }
}

/// What comes out of `future`; `None` if the connection is to end first.
async fn until_signal<T>(
    worker: &Worker,
    entry: &Entry,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if entry.poll_signal(cx) == Some(Signal::Expired) {
            worker.counters.tls_handshake_timeouts.increment();
            return Poll::Ready(None);
        }
        if entry.is_closing() {
            return Poll::Ready(None);
        }
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Source: ALB guide, "Troubleshoot your Application Load Balancers", HTTP 400; the page is the one seen on the
/// service.
async fn answer_plain_request(
    worker: &Rc<Worker>,
    listener: &Listener,
    socket: TcpStream,
    peer: SocketAddr,
    entry: Entry,
) {
    let Ok(stream) = Stream::new(socket) else {
        return;
    };
    let mut client = Client::new(listener, stream, peer, None, None, entry);
    let answer = FixedResponse {
        status: 400,
        content_type: Some("text/html".into()),
        body: PLAIN_REQUEST_PAGE.into(),
    };
    let frontend = listener.for_request();
    let mut out = worker.buffers.head();
    let (options, date) = (&frontend.http, worker.date());
    Answer::Fixed(&answer).write_http1(&mut out, options, Persistence::Close, Parts::Both, &date);
    count_own(&worker.counters, answer.status);
    let is_sent = send(&mut client, &mut out, ticks(PLAIN_ANSWER_TIMEOUT)).await;
    drop(out);
    if is_sent {
        client.linger(worker).await;
    }
    client.stream.count_bytes(
        &worker.counters.bytes_from_clients,
        &worker.counters.bytes_to_clients,
    );
}

const PLAIN_REQUEST_PAGE: &[u8] = b"<html>\r\n\
<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n\
<body>\r\n\
<center><h1>400 Bad Request</h1></center>\r\n\
<center>The plain HTTP request was sent to HTTPS port</center>\r\n\
</body>\r\n\
</html>\r\n";

fn facts(stream: &TlsStream, is_verified: bool) -> TlsFacts {
    TlsFacts {
        version: stream.protocol(),
        cipher_suite: stream.cipher().into(),
        speaks_http2: stream.application_protocol() == Some(b"h2"),
        client_certificate: client_certificate(stream, is_verified),
    }
}

/// `is_verified` is that of the configuration the handshake was done with; the listener may have another by now.
fn client_certificate(stream: &TlsStream, is_verified: bool) -> ClientCertificate {
    let Some(shown) = stream.client_certificates() else {
        return ClientCertificate::Off;
    };
    match shown.leaf().filter(|_| is_verified) {
        Some(leaf) => ClientCertificate::Verified {
            serial_number: leaf.serial_number.as_str().into(),
            issuer: leaf.issuer.as_str().into(),
            subject: leaf.subject.as_str().into(),
            validity: leaf.validity.as_str().into(),
            leaf_pem: shown.leaf_pem().into(),
        },
        None => ClientCertificate::Passthrough {
            chain_pem: shown.chain_pem().into(),
        },
    }
}
