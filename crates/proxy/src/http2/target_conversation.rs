//! The request of one stream on one stream of a target, both directions at once: that is what streaming calls
//! of gRPC need. Memory is bounded by the windows of both connections.

mod download;

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use engine::{Endpoint, Pool};

use super::frame::ErrorCode;
use super::handle::Handle;
use super::hpack::FieldList;
use super::outlet::Outlet;
use super::response::Malformed;
use super::state::Gone;
use super::stream::ClientStream;
use super::target_head::TargetRequest;
use super::target_sessions::Place;
use crate::conversation::Failure;
use crate::exchange::Exchange;
use crate::head_sink::HeadSink;
use crate::http1::Framing;
use crate::http1::field::Field;
use crate::registry::Signal;
use crate::worker::Worker;

use download::Progress;

pub(super) struct TargetConversation<'a> {
    worker: &'a Rc<Worker>,
    client: &'a ClientStream,
    pool: &'a Pool,
    endpoint: &'a Endpoint,
    place: &'a Place,
    exchange: &'a Exchange,
    /// The stream at the target, once it is open.
    target: Option<Handle>,
    /// The request has been sent whole, or the target does not want the rest.
    is_upload_over: bool,
    /// The client's stream no longer has the beginning of the body.
    has_taken_body: bool,
    /// What was sent behind the body.
    trailers: Option<FieldList>,
    /// That of the final response, once it has come.
    status: Option<u16>,
    /// What is left of the announced length of the response.
    left: Option<u64>,
    outlet: Outlet,
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
            target: None,
            is_upload_over: exchange.framing == Framing::None,
            has_taken_body: false,
            trailers: None,
            status: None,
            left: None,
            outlet: Outlet(None),
        }
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether all of the request can be sent once more.
    pub(super) fn is_replayable(&self) -> bool {
        !self.has_taken_body && self.trailers.is_none()
    }

    /// Sends the request and hands the response on.
    pub(super) async fn run(&mut self, request: &TargetRequest) -> Result<(), Ended> {
        self.touch();
        poll_fn(|cx| self.poll(cx, request)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>, request: &TargetRequest) -> Poll<Result<(), Ended>> {
        match self.poll_signal(cx) {
            Err(Ended::By(Failure::TargetCut)) => return Poll::Ready(Err(self.cut(cx))),
            signalled => signalled?,
        }
        let target = match self.target.take() {
            Some(target) => target,
            None => ready!(self.poll_open(cx, request))?,
        };
        let gone = self.poll_gone(cx, &target);
        let outcome = self.poll_stream(&target, gone);
        self.target = Some(target);
        outcome
    }

    /// Why the stream at the target is for nothing, if it is. What the target was not sent is the client's again.
    fn poll_gone(&mut self, cx: &Context<'_>, target: &Handle) -> Option<Gone> {
        let gone = target.poll_gone(cx);
        if gone == Some(Gone::NotSent) {
            self.client
                .restore(&target.take_unsent(), self.trailers.take());
            self.has_taken_body = false;
        }
        gone
    }

    /// What the end of the deregistration delay means, which a request may see before it sees that it was taken
    /// back.
    fn cut(&mut self, cx: &Context<'_>) -> Ended {
        let gone = match self.target.take() {
            Some(target) => self.poll_gone(cx, &target),
            // It still waits for its turn.
            None => Some(Gone::NotSent),
        };
        match gone {
            Some(gone @ (Gone::NotSent | Gone::NotProcessed)) => self.stopped(gone),
            _ => Ended::By(Failure::TargetCut),
        }
    }

    /// A byte has moved: the idle timeout starts again.
    fn touch(&self) {
        self.client.entry().arm(self.exchange.idle_timeout);
    }

    /// The reason to stop, if there is one.
    fn poll_signal(&self, cx: &Context<'_>) -> Result<(), Ended> {
        match self.client.poll_gone(cx) {
            Some(Gone::Malformed) => return Err(Ended::By(Failure::BadBody)),
            Some(_) => return Err(Ended::By(Failure::ClientGone)),
            None => {}
        }
        let failure = match self.client.entry().poll_signal(cx) {
            None => return Ok(()),
            Some(_) if self.status.is_some() => Failure::ResponseCut,
            Some(Signal::TargetCut) => Failure::TargetCut,
            Some(Signal::Expired) if self.waits_for_client() => Failure::ClientStalled,
            Some(Signal::Expired) => Failure::TargetStalled,
        };
        Err(Ended::By(failure))
    }

    fn waits_for_client(&self) -> bool {
        let has_body = self.client.take_body(|body| (0, !body.is_empty()));
        self.target.is_some() && !self.is_upload_over && !has_body && !self.client.has_ended()
    }

    /// Opens the stream at the target with the head of the request.
    fn poll_open(
        &self,
        cx: &mut Context<'_>,
        request: &TargetRequest,
    ) -> Poll<Result<Handle, Ended>> {
        // The drain promise: what is written from here on is taken back if none of it has left when the worker
        // passes the barrier.
        if self.endpoint.state.is_draining() {
            return Poll::Ready(Err(Ended::IsDraining));
        }
        let opened = self
            .place
            .poll_open(cx, request.section(), self.is_upload_over);
        opened.map(|stream| stream.ok_or(Ended::NotProcessed))
    }

    /// Moves what can be moved now in both directions. Ready when the response has been handed on.
    fn poll_stream(&mut self, target: &Handle, gone: Option<Gone>) -> Poll<Result<(), Ended>> {
        if gone == Some(Gone::Malformed) {
            return Poll::Ready(Err(self.stopped(Gone::Malformed)));
        }
        // Nothing is sent on a stream that is gone; what has come on it is handed on all the same.
        if gone.is_none() {
            self.upload(target);
        }
        if self.status.is_none() {
            if !target.has_head() {
                return self.pending_unless(gone);
            }
            ready!(self.client.poll_room());
            self.touch();
            let Some(head) = target.take_head() else {
                return Poll::Pending;
            };
            let written = self.write_head(&head, target.has_ended() && target.is_empty());
            target.give_back(head);
            match written {
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) => {}
                Err(Malformed(why)) => return Poll::Ready(Err(self.refuse(target, why))),
            }
        }
        match self.download(target) {
            Ok(Progress::Done) => Poll::Ready(Ok(())),
            Ok(Progress::Drained) => self.pending_unless(gone),
            Ok(Progress::Blocked) => Poll::Pending,
            Err(Malformed(why)) => Poll::Ready(Err(self.refuse(target, why))),
        }
    }

    fn pending_unless(&self, gone: Option<Gone>) -> Poll<Result<(), Ended>> {
        match gone {
            None => Poll::Pending,
            Some(gone) => Poll::Ready(Err(self.stopped(gone))),
        }
    }

    /// What it means that the stream at the target has ended before its time; hands the target's reset on.
    fn stopped(&self, gone: Gone) -> Ended {
        const REFUSED: u32 = ErrorCode::RefusedStream as u32;
        const CANCEL: u32 = ErrorCode::Cancel as u32;
        if self.status.is_none() {
            return match gone {
                Gone::NotSent | Gone::NotProcessed | Gone::ByPeer(REFUSED)
                    if self.endpoint.state.is_draining() =>
                {
                    match self.is_replayable() {
                        true => Ended::IsDraining,
                        // The target is not at fault, and nobody has the whole request any more.
                        false => Ended::By(Failure::TargetCut),
                    }
                }
                Gone::NotSent | Gone::NotProcessed | Gone::ByPeer(REFUSED) => Ended::NotProcessed,
                Gone::Malformed => Ended::By(Failure::BadResponse),
                Gone::ByPeer(_) | Gone::WithConnection => {
                    Ended::By(Failure::TargetClosed { received_bytes: 1 })
                }
            };
        }
        let Gone::ByPeer(code) = gone else {
            return Ended::By(Failure::ResponseCut);
        };
        self.client.reset(match code {
            CANCEL => ErrorCode::Cancel,
            _ => ErrorCode::Internal,
        });
        Ended::ResetByTarget
    }

    /// Gives up a response that is malformed.
    fn refuse(&self, target: &Handle, why: &'static str) -> Ended {
        tracing::debug!(target = %self.endpoint.address, why, "HTTP/2 response refused");
        let counters = &self.worker.counters;
        counters.target_http2_stream_errors.increment();
        target.reset(ErrorCode::Protocol);
        self.stopped(Gone::Malformed)
    }

    /// Sends what has arrived of the body, as far as the target's windows allow.
    fn upload(&mut self, target: &Handle) {
        while !self.is_upload_over {
            let ends = self.client.has_ended() && !self.client.has_trailers();
            let sent = self.client.take_body(|body| match body.len() {
                0 => (0, None),
                length => match target.poll_send(body, ends) {
                    Poll::Ready(count) => (count, Some(Poll::Ready(count == length))),
                    Poll::Pending => (0, Some(Poll::Pending)),
                },
            });
            match sent {
                Some(Poll::Pending) => return,
                Some(Poll::Ready(is_all)) => {
                    self.has_taken_body = true;
                    self.is_upload_over = is_all && ends;
                }
                None if !self.client.has_ended() => return,
                None => {
                    self.trailers = self.client.take_trailers();
                    end(target, self.trailers.as_ref());
                    self.is_upload_over = true;
                }
            }
            self.touch();
        }
    }
}

/// Ends a stream.
fn end(stream: &Handle, trailers: Option<&FieldList>) {
    let Some(trailers) = trailers else {
        // An empty frame waits for nothing.
        let _ = stream.poll_send(&[], true);
        return;
    };
    stream.write_fields(true, |head| {
        head.trailers();
        for (name, value) in trailers.iter() {
            // Names were checked when they were received.
            let name = std::str::from_utf8(name).unwrap_or_default();
            if Field::of(name.as_bytes()).may_trail() {
                head.field(name, value.trim_ascii());
            }
        }
        head.end();
    });
}
