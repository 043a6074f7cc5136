//! The small HTTP application that stands behind the demo's load balancer: it says who it is and shows
//! the request as it arrived.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::cli::AppArgs;
use crate::stop;

/// The application cannot serve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    #[error("the application cannot listen on {address}")]
    Listen {
        address: std::net::SocketAddr,
        #[source]
        source: io::Error,
    },
}

/// Serves until it is told to stop.
///
/// # Errors
/// The address cannot be bound.
pub(crate) async fn run(args: AppArgs) -> Result<(), AppError> {
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|source| AppError::Listen {
            address: args.listen,
            source,
        })?;
    let name: Arc<str> = args.name.into();
    let stop = stop::requested(args.stop_at_end_of_input);
    println!("{name} listens on {}", args.listen);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(tokio::spawn(serve(stream, Arc::clone(&name)))),
                // Out of descriptors or a peer that went away: the next one may fare better.
                Err(_) => tokio::task::yield_now().await,
            },
        }
    }
}

async fn serve(stream: TcpStream, name: Arc<str>) {
    let answer = |request| {
        let answer = answer(&name, &request);
        async move { Ok::<_, Infallible>(answer) }
    };
    // A load balancer that goes away in the middle of a request is its own business.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .await;
}

fn answer(name: &str, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let text = match request.uri().path() {
        "/health" => "well\n".to_owned(),
        _ => describe(name, request),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

fn describe(name: &str, request: &Request<Incoming>) -> String {
    let mut text = format!("{name} (process {}) got\n\n", std::process::id());
    let _ = writeln!(
        text,
        "{} {} {:?}",
        request.method(),
        request.uri(),
        request.version()
    );
    for (field, value) in request.headers() {
        let _ = writeln!(
            text,
            "{field}: {}",
            String::from_utf8_lossy(value.as_bytes())
        );
    }
    text
}
