//! The endpoint's sockets: connections in, bounded in number, size and time, until it is told to stop.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::EXPECT;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::{ApiError, Endpoint};

/// How much a client may ask of the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections; further ones wait to be accepted. Default 1,024.
    pub connections_max: usize,
    /// Bytes of a request's head; more is answered with 431. Default 64 KiB, at least 8 KiB.
    pub head_bytes_max: usize,
    /// Header fields of a request; more is answered with 431. Default 100.
    pub head_fields_max: usize,
    /// Bytes of a request's body; more is answered with 413. Default 4 MiB: the largest input that a service allows is
    /// an ImportCertificate with a chain of 2 MiB, in base64.
    pub body_bytes_max: usize,
    /// Bytes that are read and thrown away of a body that was refused for its size, so that a client that writes it
    /// whole before it reads gets the answer; then the connection is closed. Default 32 MiB.
    pub drained_bytes_max: usize,
    /// How long a head may take, from the moment it can arrive. Default 60 s.
    pub head_timeout: Duration,
    /// How long a body may take. Default 30 s.
    pub body_timeout: Duration,
    /// How long open requests may take after the stop before they are cut off. Default 10 s.
    pub stop_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            head_bytes_max: 64 * 1024,
            head_fields_max: 100,
            body_bytes_max: 4 * 1024 * 1024,
            drained_bytes_max: 32 * 1024 * 1024,
            head_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(10),
        }
    }
}

/// Answers the requests of all connections to `listener` until `stop` is done; then finishes the open
/// requests and returns.
pub async fn serve(
    listener: TcpListener,
    endpoint: Endpoint,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let (stopping, is_stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < limits.connections_max => match accepted {
                Ok((stream, source)) => {
                    let connection = connection((stream, source), endpoint.clone(), limits, is_stopping.clone());
                    drop(connections.spawn(connection));
                }
                Err(error) => {
                    // Most likely the process is out of descriptors: let some connections end first.
                    tracing::warn!(%error, "a connection to the endpoint could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    drop(listener);
    let _ = stopping.send(true);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.stop_timeout, finished)
        .await
        .is_err()
    {
        tracing::warn!(
            "requests to the endpoint were cut off because they took too long to finish"
        );
    }
}

async fn connection(
    (stream, source): (TcpStream, SocketAddr),
    endpoint: Endpoint,
    limits: Limits,
    mut is_stopping: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| async {
        Ok::<_, Infallible>(exchange(&endpoint, limits, source, request).await)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_headers(limits.head_fields_max)
        .max_buf_size(limits.head_bytes_max)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    // How a connection ends is its client's business: it may break off at any point.
    tokio::select! {
        _ = serving.as_mut() => {}
        _ = is_stopping.changed() => {
            serving.as_mut().graceful_shutdown();
            let _ = serving.await;
        }
    }
}

async fn exchange(
    endpoint: &Endpoint,
    limits: Limits,
    source: SocketAddr,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (mut head, mut body) = request.into_parts();
    head.extensions.insert(source);
    let reading = read(&mut body, limits.body_bytes_max);
    match tokio::time::timeout(limits.body_timeout, reading).await {
        Ok(Ok(body)) => endpoint.answer(Request::from_parts(head, body)).await,
        Ok(Err(error)) => {
            // Who waits for "100 Continue" sends nothing after the answer.
            if !body.is_end_stream() && !head.headers.contains_key(EXPECT) {
                tokio::spawn(drain(body, limits));
            }
            endpoint.refuse(&head, error)
        }
        Err(_) => {
            let seconds = limits.body_timeout.as_secs();
            let message = format!("The body did not arrive within {seconds} seconds.");
            endpoint.refuse(&head, ApiError::new("RequestTimeout", 408, message))
        }
    }
}

/// Throws away what still comes of a body.
async fn drain(body: Incoming, limits: Limits) {
    let mut rest = Limited::new(body, limits.drained_bytes_max);
    let draining = async { while let Some(Ok(_)) = rest.frame().await {} };
    // How it ends matters to nobody: with the body, the connection goes.
    let _ = tokio::time::timeout(limits.body_timeout, draining).await;
}

async fn read(body: &mut Incoming, bytes_max: usize) -> Result<Bytes, ApiError> {
    let too_large = || {
        let message =
            format!("The body is larger than {bytes_max} bytes; make several requests of it.");
        ApiError::new("RequestEntityTooLarge", 413, message)
    };
    // Known before the first byte, it spares a client that waits for "100 Continue" the sending.
    if body.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(ApiError::sender(
            "IncompleteBody",
            "The body ended before it was complete.",
        )),
    }
}

#[cfg(test)]
mod tests;
