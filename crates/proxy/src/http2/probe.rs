//! One health check of a target that speaks HTTP/2, gRPC or not.
//!
//! Source: ALB guide, "Health checks for your target groups".

use engine::health::Failure;
use model::health_check::{HealthCheck, Matcher};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::frame::{self, HEAD_BYTES, PAYLOAD_BYTES_MAX, flag, kind, setting};
use super::head::Http2Head;
use super::hpack::{Encoder, FieldList, Scheme, put_authority, put_field, put_request_line};
use super::incoming::{self, Event, Incoming, Next};
use super::limits::{Budget, RESPONSE_FIELDS};
use super::response;
use crate::buffer::Buffer;

/// A message of gRPC without any bytes: not compressed, and of length 0.
const EMPTY_MESSAGE: &[u8] = &[0; 5];

/// The one stream of a check.
const STREAM: u32 = 1;

/// Asks on a connection that was made just now. `authority` is the target's address.
///
/// # Errors
/// Why the check has failed.
pub(crate) async fn check(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    scheme: &str,
    authority: &str,
    config: &HealthCheck,
) -> Result<(), Failure> {
    let mut asking = Asking {
        incoming: Incoming::from_target(RESPONSE_FIELDS),
        control_frames: Budget::of_control_frames(),
        out: Buffer::default(),
        status: None,
    };
    put_request(&mut asking.out, scheme, authority, config);
    let mut received = Buffer::default();
    received.grow(HEAD_BYTES + PAYLOAD_BYTES_MAX);
    loop {
        let outcome = asking.process(&mut received, config);
        // What a target is answered is not what the check is about, and the target may be gone already.
        let written = stream.write_all(asking.out.filled()).await;
        asking.out.clear();
        if let Some(outcome) = outcome? {
            return outcome;
        }
        written.map_err(|_| Failure::FailedHealthChecks)?;
        match stream.read(received.spare()).await {
            Ok(count @ 1..) => received.commit(count),
            _ => return Err(Failure::FailedHealthChecks),
        }
    }
}

/// Writes preface, settings and the request.
fn put_request(out: &mut Buffer, scheme: &str, authority: &str, config: &HealthCheck) {
    out.put(frame::PREFACE);
    frame::put_settings(out, &[(setting::ENABLE_PUSH, 0)]);
    let is_grpc = is_grpc(config);
    let scheme = match scheme {
        "https" => Scheme::Https,
        _ => Scheme::Http,
    };
    let method = if is_grpc { "POST" } else { "GET" };
    let mut section = Buffer::default();
    put_request_line(&mut section, method, scheme, config.path.as_bytes(), None);
    put_authority(&mut section, |out| out.put(authority.as_bytes()));
    let mut field = |name: &str, value: &str| {
        put_field(&mut section, name.as_bytes(), value.as_bytes());
    };
    field("user-agent", "ELB-HealthChecker/2.0");
    if is_grpc {
        field("content-type", "application/grpc");
        field("te", "trailers");
    } else {
        field("accept-encoding", "gzip, compressed");
    }
    Http2Head::new(out, &mut Encoder::default(), STREAM, !is_grpc).section(section.filled());
    if is_grpc {
        let length = EMPTY_MESSAGE.len();
        frame::put_head(out, length, kind::DATA, flag::END_STREAM, STREAM);
        out.put(EMPTY_MESSAGE);
    }
}

fn is_grpc(config: &HealthCheck) -> bool {
    matches!(config.matcher, Matcher::Grpc { .. })
}

/// A check under way.
struct Asking {
    incoming: Incoming,
    control_frames: Budget,
    /// Frames that wait to be written.
    out: Buffer,
    /// That of the final response, once it has come.
    status: Option<u16>,
}

/// The outcome of the check, if it is known.
type Known = Option<Result<(), Failure>>;

impl Asking {
    /// Processes all frames that are whole.
    fn process(&mut self, received: &mut Buffer, config: &HealthCheck) -> Result<Known, Failure> {
        let failed = Failure::FailedHealthChecks;
        loop {
            let (head, payload, whole) = match incoming::next(received) {
                Next::Frame {
                    head,
                    payload,
                    whole,
                } => (head, payload, whole),
                Next::Needs(_) => return Ok(None),
                Next::TooLong => return Err(failed),
            };
            let event = self.incoming.receive(&head, payload).map_err(|_| failed)?;
            let known = self.take(event, config)?;
            received.consume(whole);
            if known.is_some() {
                return Ok(known);
            }
        }
    }

    fn take(&mut self, event: Event<'_>, config: &HealthCheck) -> Result<Known, Failure> {
        let failed = Failure::FailedHealthChecks;
        if !event.has_message() {
            // The whole check takes seconds, in which no more of them come free.
            self.control_frames.spend(0).map_err(|_| failed)?;
        }
        match event {
            Event::Section {
                stream: STREAM,
                ends_stream,
            } => self.take_section(ends_stream, config),
            Event::Data {
                stream: STREAM,
                ends_stream: false,
                length,
                ..
            } => {
                if let Ok(length @ 1..) = u32::try_from(length) {
                    frame::put_window_update(&mut self.out, 0, length);
                    frame::put_window_update(&mut self.out, STREAM, length);
                }
                Ok(None)
            }
            // It ends without what is judged.
            Event::Data { .. } | Event::Section { .. } | Event::Reset { .. } => Err(failed),
            Event::Goaway { last_stream, .. } if last_stream < STREAM => Err(failed),
            Event::Settings(_) => {
                frame::put_head(&mut self.out, 0, kind::SETTINGS, flag::ACK, 0);
                Ok(None)
            }
            Event::Ping(data) => {
                frame::put_head(&mut self.out, data.len(), kind::PING, flag::ACK, 0);
                self.out.put(&data);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Judges the head of a response, or what stands behind its body.
    fn take_section(&mut self, ends_stream: bool, config: &HealthCheck) -> Result<Known, Failure> {
        let failed = Failure::FailedHealthChecks;
        let fields = &self.incoming.fields;
        if self.status.is_none() {
            let status = response::status(fields).map_err(|_| failed)?;
            if status < 200 {
                return Ok(None);
            }
            self.status = Some(status);
            if !is_grpc(config) {
                return Ok(Some(outcome(config.matcher.matches(status), status)));
            }
            if let Some(code) = grpc_code(fields)? {
                return Ok(Some(outcome(config.matcher.matches_grpc(code), code)));
            }
            if status != 200 {
                return Err(Failure::ResponseCodeMismatch(status));
            }
            return if ends_stream { Err(failed) } else { Ok(None) };
        }
        let code = grpc_code(fields)?.ok_or(failed)?;
        Ok(Some(outcome(config.matcher.matches_grpc(code), code)))
    }
}

fn outcome(passes: bool, code: u16) -> Result<(), Failure> {
    if passes {
        Ok(())
    } else {
        Err(Failure::ResponseCodeMismatch(code))
    }
}

/// The result of a call, if it stands there. Source: gRPC over HTTP/2, "Responses".
fn grpc_code(fields: &FieldList) -> Result<Option<u16>, Failure> {
    let Some((_, value)) = fields.iter().find(|(name, _)| *name == b"grpc-status") else {
        return Ok(None);
    };
    let code = std::str::from_utf8(value).ok();
    let code = code.and_then(|text| text.trim().parse().ok());
    code.map(Some).ok_or(Failure::FailedHealthChecks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::{HeaderMap, Method, Request, Response};

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
