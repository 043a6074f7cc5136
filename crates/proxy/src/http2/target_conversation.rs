//! The request of one stream on one stream of a target, both directions at once: that is what streaming calls
//! of gRPC need. Memory is bounded by the windows of both connections.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use engine::{Endpoint, Pool};
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Response};

use super::conversation::count_response;
use super::frame::ErrorCode;
use super::hpack::FieldList;
use super::outlet::Outlet;
use super::request::{Places, Storage};
use super::state::Gone;
use super::stream::ClientStream;
use super::target_head::TargetRequest;
use super::target_sessions::Place;
use crate::compressor::Compressor;
use crate::conversation::Failure;
use crate::exchange::Exchange;
use crate::head_sink::HeadSink;
use crate::http1::field::Field;
use crate::http1::response::ResponseHead;
use crate::http1::{FIELDS_MAX, Fields, Framing};
use crate::negotiation::negotiate;
use crate::outgoing::{self, Delivery, Persistence};
use crate::pump::Encode;
use crate::registry::Signal;
use crate::sticky::StayCookies;
use crate::worker::Worker;

/// Bytes that are handed to the target's connection at once.
const PIECE_BYTES_MAX: usize = 16 * 1024;

pub(super) struct TargetConversation<'a> {
    worker: &'a Rc<Worker>,
    client: &'a ClientStream,
    pool: &'a Pool,
    endpoint: &'a Endpoint,
    place: &'a Place,
    exchange: &'a Exchange,
    upload: Option<SendStream<Bytes>>,
    has_taken_body: bool,
    /// That of the final response, once it has come.
    status: Option<u16>,
}

/// Why there is no whole response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    By(Failure),
    /// The target has reset the stream behind its head, and the client knows.
    ResetByTarget,
    /// The target has not looked at the request.
    NotProcessed,
    /// The target is deregistering; nothing was sent.
    IsDraining,
}

impl Ended {
    pub(super) fn failure(self) -> Option<Failure> {
        match self {
            Self::By(failure) => Some(failure),
            Self::NotProcessed => Some(Failure::TargetClosed { received_bytes: 0 }),
            Self::ResetByTarget | Self::IsDraining => None,
        }
    }
}

impl<'a> TargetConversation<'a> {
    pub(super) fn new(
        worker: &'a Rc<Worker>,
        client: &'a ClientStream,
        pool: &'a Pool,
        endpoint: &'a Endpoint,
        place: &'a Place,
        exchange: &'a Exchange,
    ) -> Self {
        Self {
            worker,
            client,
            pool,
            endpoint,
            place,
            exchange,
            upload: None,
            has_taken_body: false,
            status: None,
        }
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether all of the request can be sent once more.
    pub(super) fn is_replayable(&self) -> bool {
        !self.has_taken_body
    }

    /// Sends the request and hands the response on.
    pub(super) async fn run(&mut self, request: &TargetRequest) -> Result<(), Ended> {
        self.touch();
        let mut response = self.send(request).await?;
        let response = poll_fn(|cx| {
            self.poll_signal(cx)?;
            self.poll_upload(cx);
            let received =
                ready!(Pin::new(&mut response).poll(cx)).map_err(|error| not_begun(&error))?;
            Poll::Ready(Ok(received))
        })
        .await?;
        poll_fn(|cx| {
            self.poll_signal(cx)?;
            self.poll_upload(cx);
            self.client.poll_room().map(Ok)
        })
        .await?;
        self.touch();
        let mut download = self.write_head(response)?;
        let outcome = poll_fn(|cx| match &mut download {
            None => Poll::Ready(Ok(())),
            Some(download) => {
                self.poll_signal(cx).map_err(|ended| match ended {
                    Ended::By(Failure::ClientGone | Failure::BadBody) => ended,
                    _ => Ended::By(Failure::ResponseCut),
                })?;
                self.poll_upload(cx);
                let outcome = download.poll(cx, self.client);
                if std::mem::take(&mut download.has_moved) {
                    self.touch();
                }
                outcome
            }
        })
        .await;
        if let Some(mut upload) = self.upload.take() {
            // The rest of the request is not needed, or nobody waits for its response.
            upload.send_reset(Reason::CANCEL);
        }
        outcome
    }

    /// A byte has moved: the idle timeout starts again.
    fn touch(&self) {
        self.client.entry().arm(self.exchange.idle_timeout);
    }

    /// The reason to stop, if there is one.
    fn poll_signal(&self, cx: &Context<'_>) -> Result<(), Ended> {
        match self.client.poll_gone(cx) {
            Some(Gone::ByClient) => return Err(Ended::By(Failure::ClientGone)),
            Some(Gone::Malformed) => return Err(Ended::By(Failure::BadBody)),
            None => {}
        }
        let failure = match self.client.entry().poll_signal(cx) {
            None => return Ok(()),
            Some(Signal::TargetCut) => Failure::TargetCut,
            Some(Signal::Expired) if self.waits_for_client() => Failure::ClientStalled,
            Some(Signal::Expired) => Failure::TargetStalled,
        };
        Err(Ended::By(failure))
    }

    fn waits_for_client(&self) -> bool {
        let has_body = self.client.take_body(|body| (0, !body.is_empty()));
        self.upload.is_some() && !has_body && !self.client.has_ended()
    }

    /// Hands the head of the request to the connection.
    async fn send(&mut self, request: &TargetRequest) -> Result<ResponseFuture, Ended> {
        let mut sender = self.place.sender();
        poll_fn(|cx| {
            self.poll_signal(cx)?;
            sender.poll_ready(cx).map_err(|error| not_begun(&error))
        })
        .await?;
        // The drain promise: what is handed over here is written before the worker passes the barrier.
        if self.endpoint.state.is_draining() {
            return Err(Ended::IsDraining);
        }
        let has_no_body = self.exchange.framing == Framing::None;
        let (response, upload) = sender
            .send_request(request.to_send(), has_no_body)
            .map_err(|error| not_begun(&error))?;
        self.upload = (!has_no_body).then_some(upload);
        Ok(response)
    }

    /// Sends what has arrived of the body, as far as the target's windows allow.
    fn poll_upload(&mut self, cx: &mut Context<'_>) {
        while let Some(upload) = &mut self.upload {
            let is_failed = matches!(upload.poll_reset(cx), Poll::Ready(_));
            if is_failed {
                // The response may be there all the same; reading tells.
                self.upload = None;
                return;
            }
            let has_ended = self.client.has_ended();
            let waiting = self.client.take_body(|body| (0, body.len()));
            if waiting == 0 && !has_ended {
                return;
            }
            let is_sent = if waiting == 0 {
                let trailers = self.client.take_trailers();
                let outcome = match trailers {
                    Some(trailers) => upload.send_trailers(header_map(&trailers)),
                    None => upload.send_data(Bytes::new(), true),
                };
                self.upload = None;
                outcome.is_ok()
            } else {
                upload.reserve_capacity(waiting.min(PIECE_BYTES_MAX));
                let capacity = match upload.poll_capacity(cx) {
                    Poll::Pending => return,
                    Poll::Ready(Some(Ok(capacity))) => capacity.min(PIECE_BYTES_MAX),
                    Poll::Ready(_) => 0,
                };
                if capacity == 0 {
                    return;
                }
                self.has_taken_body = true;
                let piece = self.client.take_body(|body| {
                    let count = body.len().min(capacity);
                    (count, Bytes::copy_from_slice(&body[..count]))
                });
                upload.send_data(piece, false).is_ok()
            };
            self.client.entry().arm(self.exchange.idle_timeout);
            if !is_sent {
                self.upload = None;
            }
        }
    }

    /// Writes the head of the response for the client. What is to come of its body.
    fn write_head(&mut self, response: Response<RecvStream>) -> Result<Option<Download>, Ended> {
        let (parts, body) = response.into_parts();
        let status = parts.status.as_u16();
        let mut storage = Storage::<FIELDS_MAX>::new();
        let fields = classified(&parts.headers, storage.places());
        let fields = fields.ok_or(Ended::By(Failure::BadResponse))?;
        let has_no_body = body.is_end_stream();
        let head = ResponseHead {
            status,
            reason: "",
            framing: if has_no_body {
                Framing::None
            } else {
                Framing::Chunked
            },
            keeps_alive: true,
            fields,
        };
        self.status = Some(status);
        count_response(self.worker, status);
        let cookies = StayCookies {
            worker: self.worker,
            pool: self.pool,
            endpoint: self.endpoint,
            stay: self.exchange.stay,
            is_tls: self.client.node.is_tls,
            session: &self.exchange.set_cookies,
        };
        let exchange = self.exchange;
        let date = self.worker.date();
        let (negotiated, compressor) = negotiate(self.worker, exchange, &head);
        let delivery = Delivery {
            // The frames carry the end of the body.
            encode: Encode::Raw,
            persistence: Persistence::KeepAlive,
            negotiated,
        };
        self.client.write_fields(has_no_body, |sink| {
            outgoing::write_response(sink, &head, exchange, &cookies, delivery, &date);
        });
        Ok((!has_no_body).then(|| Download::new(body, compressor)))
    }
}

/// A response body on its way.
struct Download {
    body: RecvStream,
    outlet: Outlet,
    data: Bytes,
    has_no_more_data: bool,
    has_moved: bool,
}

impl Download {
    fn new(body: RecvStream, compressor: Option<Box<Compressor>>) -> Self {
        Self {
            body,
            outlet: Outlet(compressor),
            data: Bytes::new(),
            has_no_more_data: false,
            has_moved: false,
        }
    }

    /// Moves what can be moved now. Ready when the stream's end has been sent.
    fn poll(&mut self, cx: &mut Context<'_>, client: &ClientStream) -> Poll<Result<(), Ended>> {
        loop {
            while !self.data.is_empty() {
                let is_last = self.body.is_end_stream();
                let sent = ready!(self.outlet.poll_send(client, &self.data, is_last));
                self.data = self.data.split_off(sent.count);
                self.has_moved = true;
                // It fails only for bytes that were not received.
                let _ = self.body.flow_control().release_capacity(sent.count);
                if sent.has_ended {
                    return Poll::Ready(Ok(()));
                }
            }
            if !self.has_no_more_data {
                match self.body.poll_data(cx) {
                    Poll::Ready(Some(Ok(data))) => self.data = data,
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(cut(&error, client))),
                    Poll::Ready(None) => self.has_no_more_data = true,
                    Poll::Pending => {
                        self.outlet.flush(client);
                        return Poll::Pending;
                    }
                }
                continue;
            }
            ready!(self.outlet.poll_finish(client));
            match ready!(self.body.poll_trailers(cx)) {
                Ok(trailers) => end(trailers.as_ref(), client),
                Err(error) => return Poll::Ready(Err(cut(&error, client))),
            }
            return Poll::Ready(Ok(()));
        }
    }
}

/// Ends the client's stream.
fn end(trailers: Option<&HeaderMap>, client: &ClientStream) {
    let Some(trailers) = trailers else {
        // An empty frame waits for nothing.
        let _ = client.poll_send(&[], true);
        return;
    };
    client.write_fields(true, |head| {
        head.trailers();
        for (name, value) in trailers {
            if Field::of(name.as_str().as_bytes()).may_trail() {
                head.field(name.as_str(), value.as_bytes());
            }
        }
        head.end();
    });
}

/// What it means that a request has come to nothing before its response began.
fn not_begun(error: &h2::Error) -> Ended {
    let is_refused = error.reason() == Some(Reason::REFUSED_STREAM);
    let is_unprocessed = error.is_remote() && (error.is_go_away() || is_refused);
    if is_unprocessed {
        Ended::NotProcessed
    } else if error.is_reset() && error.is_library() {
        Ended::By(Failure::BadResponse)
    } else {
        Ended::By(Failure::TargetClosed { received_bytes: 1 })
    }
}

/// What it means that a response has stopped; hands the target's reset on.
fn cut(error: &h2::Error, client: &ClientStream) -> Ended {
    if error.is_reset() && error.is_remote() {
        client.reset(match error.reason() {
            Some(Reason::CANCEL) => ErrorCode::Cancel,
            _ => ErrorCode::Internal,
        });
        return Ended::ResetByTarget;
    }
    Ended::By(Failure::ResponseCut)
}

/// The fields of a response, with their meanings; `None` if there are too many.
fn classified<'a, 'b>(headers: &'b HeaderMap, places: Places<'a, 'b>) -> Option<Fields<'a, 'b>> {
    if headers.len() > FIELDS_MAX {
        return None;
    }
    let fields = headers.iter().map(|(name, value)| httparse::Header {
        name: name.as_str(),
        value: value.as_bytes(),
    });
    Some(places.fill(fields))
}

fn header_map(trailers: &FieldList) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in trailers
        .iter()
        .filter(|(name, _)| Field::of(name).may_trail())
    {
        let name = http::HeaderName::from_bytes(name);
        // Names and values were checked when they were received.
        if let (Ok(name), Ok(value)) = (name, http::HeaderValue::from_bytes(value)) {
            map.append(name, value);
        }
    }
    map
}
