//! One health check of a target that speaks HTTP/2, gRPC or not.
//!
//! Source: ALB guide, "Health checks for your target groups".

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use engine::health::Failure;
use h2::client::{self, SendRequest};
use http::{HeaderMap, Method, Request};
use model::health_check::{HealthCheck, Matcher};
use tokio::io::{AsyncRead, AsyncWrite};

/// A message of gRPC without any bytes: not compressed, and of length 0.
const EMPTY_MESSAGE: &[u8] = &[0; 5];

/// Asks on a connection that was made just now. `authority` is the target's address.
///
/// # Errors
/// Why the check has failed.
pub(crate) async fn check(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    scheme: &str,
    authority: &str,
    config: &HealthCheck,
) -> Result<(), Failure> {
    let handshake = client::handshake(stream).await;
    let (sender, connection) = handshake.map_err(|_| Failure::FailedHealthChecks)?;
    let mut connection = pin!(connection);
    let mut asking = pin!(ask(sender, scheme, authority, config));
    poll_fn(|cx| {
        if let Poll::Ready(outcome) = asking.as_mut().poll(cx) {
            return Poll::Ready(outcome);
        }
        if connection.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        // It has ended, perhaps behind the answer.
        match asking.as_mut().poll(cx) {
            Poll::Pending => Poll::Ready(Err(Failure::FailedHealthChecks)),
            ready => ready,
        }
    })
    .await
}

async fn ask(
    mut sender: SendRequest<Bytes>,
    scheme: &str,
    authority: &str,
    config: &HealthCheck,
) -> Result<(), Failure> {
    let failed = |_: h2::Error| Failure::FailedHealthChecks;
    let is_grpc = matches!(config.matcher, Matcher::Grpc { .. });
    let mut request = Request::builder()
        .uri(format!("{scheme}://{authority}{}", config.path))
        .header("user-agent", "ELB-HealthChecker/2.0");
    if is_grpc {
        request = request
            .method(Method::POST)
            .header("content-type", "application/grpc")
            .header("te", "trailers");
    } else {
        request = request.header("accept-encoding", "gzip, compressed");
    }
    let request = request.body(()).map_err(|_| Failure::InternalError)?;
    poll_fn(|cx| sender.poll_ready(cx)).await.map_err(failed)?;
    let (response, mut body) = sender.send_request(request, !is_grpc).map_err(failed)?;
    if is_grpc {
        // The target may have answered without it.
        let _ = body.send_data(Bytes::from_static(EMPTY_MESSAGE), true);
    }
    let (head, mut body) = response.await.map_err(failed)?.into_parts();
    let status = head.status.as_u16();
    if !is_grpc {
        return outcome(config.matcher.matches(status), status);
    }
    if let Some(code) = grpc_code(&head.headers)? {
        return outcome(config.matcher.matches_grpc(code), code);
    }
    if status != 200 {
        return Err(Failure::ResponseCodeMismatch(status));
    }
    while let Some(data) = body.data().await {
        let length = data.map_err(failed)?.len();
        // It fails only for bytes that were not received.
        let _ = body.flow_control().release_capacity(length);
    }
    let trailers = body.trailers().await.map_err(failed)?;
    let code = trailers.as_ref().map(grpc_code).transpose()?.flatten();
    let code = code.ok_or(Failure::FailedHealthChecks)?;
    outcome(config.matcher.matches_grpc(code), code)
}

fn outcome(passes: bool, code: u16) -> Result<(), Failure> {
    if passes {
        Ok(())
    } else {
        Err(Failure::ResponseCodeMismatch(code))
    }
}

/// The result of a call, if it stands there. Source: gRPC over HTTP/2, "Responses".
fn grpc_code(fields: &HeaderMap) -> Result<Option<u16>, Failure> {
    let Some(value) = fields.get("grpc-status") else {
        return Ok(None);
    };
    let code = value.to_str().ok().and_then(|text| text.parse().ok());
    code.map(Some).ok_or(Failure::FailedHealthChecks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;

    /// What a target answers a check with.
    #[derive(Clone, Copy)]
    struct Answer {
        fields: &'static [(&'static str, &'static str)],
        status: u16,
        /// `None`: the response ends with its head.
        trailers: Option<&'static [(&'static str, &'static str)]>,
    }

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = fields.iter().map(|(name, value)| {
            (
                http::HeaderName::from_static(name),
                http::HeaderValue::from_static(value),
            )
        });
        pairs.collect()
    }

    /// The outcome of a check whose target gives this answer, and what the target was asked.
    fn checked(config: &HealthCheck, answer: Answer) -> (Result<(), Failure>, Request<Vec<u8>>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            let target = async {
                let mut connection = h2::server::handshake(theirs).await.unwrap();
                let (request, mut respond) = connection.accept().await.unwrap().unwrap();
                let (head, mut body) = request.into_parts();
                let serving = async {
                    let mut received = Vec::new();
                    while let Some(data) = body.data().await {
                        received.extend_from_slice(&data.unwrap());
                    }
                    let mut response = Response::new(());
                    *response.status_mut() = answer.status.try_into().unwrap();
                    *response.headers_mut() = map(answer.fields);
                    let ends = answer.trailers.is_none();
                    let mut stream = respond.send_response(response, ends).unwrap();
                    if let Some(trailers) = answer.trailers {
                        stream
                            .send_data(Bytes::from_static(b"\0\0\0\0\0"), false)
                            .unwrap();
                        stream.send_trailers(map(trailers)).unwrap();
                    }
                    Request::from_parts(head, received)
                };
                let driving = async { while connection.accept().await.is_some() {} };
                let (request, ()) = tokio::join!(serving, driving);
                request
            };
            tokio::join!(check(ours, "http", "10.0.0.1:80", config), target)
        })
    }

    const EMPTY: Answer = Answer {
        fields: &[],
        status: 200,
        trailers: None,
    };

    #[test]
    fn http2_targets_are_asked_with_get_and_judged_by_their_status() {
        let config = HealthCheck {
            path: "/health?deep".to_owned(),
            ..HealthCheck::default()
        };
        let (outcome, request) = checked(&config, EMPTY);
        assert_eq!(outcome, Ok(()));
        assert_eq!(request.method(), Method::GET);
        assert_eq!(request.uri(), "http://10.0.0.1:80/health?deep");
        assert_eq!(request.headers()["user-agent"], "ELB-HealthChecker/2.0");
        let (outcome, _) = checked(
            &config,
            Answer {
                status: 404,
                ..EMPTY
            },
        );
        assert_eq!(outcome, Err(Failure::ResponseCodeMismatch(404)));
    }

    #[test]
    fn grpc_targets_are_called_and_judged_by_their_code() {
        let config = HealthCheck::grpc();
        for (fields, status, trailers, outcome) in [
            (&[("grpc-status", "12")][..], 200, None, Ok(())),
            (&[], 200, Some(&[("grpc-status", "12")][..]), Ok(())),
            (
                &[],
                200,
                Some(&[("grpc-status", "0")]),
                Err(Failure::ResponseCodeMismatch(0)),
            ),
            (
                &[("grpc-status", "x")],
                200,
                None,
                Err(Failure::FailedHealthChecks),
            ),
            (
                &[],
                200,
                Some(&[("x", "y")]),
                Err(Failure::FailedHealthChecks),
            ),
            (&[], 200, None, Err(Failure::FailedHealthChecks)),
            (&[], 503, None, Err(Failure::ResponseCodeMismatch(503))),
        ] {
            let answer = Answer {
                fields,
                status,
                trailers,
            };
            let (found, request) = checked(&config, answer);
            assert_eq!(found, outcome, "{fields:?} {trailers:?}");
            assert_eq!(request.method(), Method::POST);
            assert_eq!(request.uri().path(), "/AWS.ALB/healthcheck");
            assert_eq!(request.headers()["content-type"], "application/grpc");
            assert_eq!(request.headers()["te"], "trailers");
            assert_eq!(request.body(), EMPTY_MESSAGE);
        }
    }

    #[test]
    fn a_target_that_speaks_something_else_fails() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let config = HealthCheck::default();
        let outcome = runtime.block_on(async {
            let (ours, mut theirs) = tokio::io::duplex(1 << 16);
            let checking = check(ours, "http", "a", &config);
            let answering = async {
                use tokio::io::AsyncWriteExt;
                theirs
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    .await
            };
            tokio::join!(checking, answering).0
        });
        assert_eq!(outcome, Err(Failure::FailedHealthChecks));
    }
}
