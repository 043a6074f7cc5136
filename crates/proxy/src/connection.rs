//! A client connection from accept to close. While it is idle it owns a socket and a registry entry, and
//! nothing else: the state of an exchange is allocated when bytes arrive.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use crate::decide::ConnectionFacts;
use crate::exchange::serve_request;
use crate::http2;
use crate::linger::Linger;
use crate::registry::{Entry, Signal, Tick, ticks};
use crate::stream::Stream;
use crate::tls_facts::TlsFacts;
use crate::worker::{ClearText, Listener, Worker};

/// The client's side of a connection.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) stream: Stream,
    pub(crate) peer: SocketAddr,
    /// `None`: the connection is in clear text.
    pub(crate) tls: Option<Rc<TlsFacts>>,
    /// The zone of the node that it is connected to.
    pub(crate) zone: Option<Arc<str>>,
    pub(crate) entry: Entry,
    /// From this tick on, the next response closes the connection.
    pub(crate) closes_after: Tick,
    /// Whether a request has come: the first one may be of HTTP/0.9.
    pub(crate) has_requested: bool,
}

/// What becomes of a connection after an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The next request may come.
    KeepOpen,
    /// Nothing more is expected from the client.
    Close,
    /// The client may still be sending; give it time to read the response.
    Linger,
}

/// Serves the requests of one connection.
///
/// It returns a block because the future of an `async fn` holds each argument twice, as it was passed and as the body
/// uses it, and an idle connection is little else.
#[expect(
    clippy::manual_async_fn,
    reason = "the future of an async fn is twice as large"
)]
pub(crate) fn serve_connection(
    worker: Rc<Worker>,
    listener: Rc<Listener>,
    mut client: Client,
) -> impl Future<Output = ()> {
    async move {
        let speaks_http2 = match &client.tls {
            Some(tls) => tls.speaks_http2,
            None => worker.clear_text == ClearText::Http2,
        };
        let mut next = Next::KeepOpen;
        if speaks_http2 {
            next = Box::pin(http2::serve(&worker, &listener, &mut client)).await;
        } else {
            while next == Next::KeepOpen && client.wait_for_bytes(&worker, &listener).await {
                // Boxed, so that an idle connection does not carry the room for it.
                next = Box::pin(serve_requests(&worker, &listener, &mut client)).await;
            }
        }
        if next == Next::Linger {
            Box::pin(client.linger(&worker)).await;
        }
        client.stream.say_goodbye();
        client.stream.count_bytes(
            &worker.counters.bytes_from_clients,
            &worker.counters.bytes_to_clients,
        );
        worker.counters.connections_closed.increment();
    }
}

/// Serves what has arrived, up to the point where the client has sent no further request.
async fn serve_requests(worker: &Rc<Worker>, listener: &Listener, client: &mut Client) -> Next {
    let mut received = worker.buffers.head();
    loop {
        match serve_request(worker, listener, client, &mut received).await {
            Next::KeepOpen if received.is_empty() => return Next::KeepOpen,
            Next::KeepOpen => {}
            next => return next,
        }
    }
}

impl Client {
    /// The client of a connection that was accepted just now.
    pub(crate) fn new(
        listener: &Listener,
        stream: Stream,
        peer: SocketAddr,
        local: Option<SocketAddr>,
        tls: Option<Rc<TlsFacts>>,
        entry: Entry,
    ) -> Self {
        let frontend = listener.for_request();
        // Source: ALB guide, "HTTP client keepalive duration": fixed when the connection is established.
        let keep_alive = ticks(frontend.client_keep_alive);
        let zone = local.and_then(|local| frontend.zone_of(local)).cloned();
        let closes_after = entry.registry().now().saturating_add(keep_alive);
        Self {
            stream,
            peer,
            tls,
            zone,
            entry,
            closes_after,
            has_requested: false,
        }
    }

    /// What requests, answers and logs say of the connection.
    pub(crate) fn facts(&self) -> ConnectionFacts<'_> {
        ConnectionFacts {
            peer: self.peer,
            tls: self.tls.as_deref(),
        }
    }

    /// Waits for the next request. Whether there is something to read.
    fn wait_for_bytes(&self, worker: &Worker, listener: &Listener) -> impl Future<Output = bool> {
        self.entry.arm(ticks(listener.for_request().idle_timeout));
        poll_fn(|cx| {
            if self.entry.poll_signal(cx) == Some(Signal::Expired) {
                worker.counters.idle_timeouts.increment();
                return Poll::Ready(false);
            }
            if self.entry.is_closing() {
                return Poll::Ready(false);
            }
            self.stream.poll_readable(cx).map(|()| true)
        })
    }

    /// Whether a response that begins now must say that the connection closes.
    pub(crate) fn must_close(&self) -> bool {
        self.entry.is_closing() || self.entry.registry().now() >= self.closes_after
    }

    /// Forgets what the client still sends, within bounds. Closing with unread bytes would make the kernel send a reset
    /// that can overtake the response (RFC 9112 section 9.6).
    ///
    /// In clear text the client is told before that nothing more comes. In TLS it is told afterwards, because a client
    /// of TLS 1.2 has to close at once and give up what it would still send (RFC 5246 section 7.2.1).
    pub(crate) async fn linger(&mut self, worker: &Worker) {
        let counters = &worker.counters;
        let Some(_place) = worker.lingering.enter() else {
            counters.connections_not_lingering.increment();
            return;
        };
        if !self.stream.is_encrypted() {
            self.stream.shut_down();
        }
        let now = || self.entry.registry().now();
        let mut linger = Linger::begin(now());
        self.entry.arm(linger.deadline() - now());
        let is_cut = poll_fn(|cx| {
            while self.entry.poll_signal(cx).is_none() {
                match self.stream.poll_discard(cx) {
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(false),
                    Poll::Ready(Ok(count)) if linger.receive(count, now()) => {
                        self.entry.arm(linger.deadline().saturating_sub(now()));
                    }
                    Poll::Ready(Ok(_)) => return Poll::Ready(true),
                    Poll::Pending => return Poll::Pending,
                }
            }
            Poll::Ready(true)
        });
        if is_cut.await {
            counters.lingering_connections_cut.increment();
        }
    }
}
