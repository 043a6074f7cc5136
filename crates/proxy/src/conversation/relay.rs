//! The response of a target on its way to the client: its head as it is written, and its body as it moves.

use std::future::poll_fn;
use std::task::{Context, Poll};

use super::{Conversation, Failure};
use crate::buffer::Lease;
use crate::head_sink::Http1Head;
use crate::http1::response::ResponseHead;
use crate::outgoing::{self, Outgoing, Persistence};
use crate::pump::{Pump, PumpError, Side};
use crate::sticky::StayCookies;

/// Body bytes that are copied behind the head so that one plain write sends both; above it, a write of two
/// slices is cheaper than the copy.
const COPIED_BODY_BYTES_MAX: usize = 4 * 1024;

/// A final response on its way.
pub(super) struct Response {
    head: Lease,
    body: Option<Pump>,
    pub(super) persistence: Persistence,
    /// Nothing else tells the client where the response ends.
    pub(super) ends_with_close: bool,
    pub(super) target_stays: bool,
}

impl Conversation<'_> {
    pub(super) fn written_interim(&self, head: &ResponseHead<'_, '_>) -> Lease {
        let mut out = self.worker.buffers.head();
        outgoing::write_interim(&mut Http1Head(&mut out), head);
        out
    }

    pub(super) fn written_switch(&self, head: &ResponseHead<'_, '_>) -> Lease {
        let mut out = self.worker.buffers.head();
        let options = &self.exchange.frontend.http;
        outgoing::write_switch(&mut Http1Head(&mut out), head, options, &self.cookies());
        out
    }

    /// What the client is told to come back with.
    fn cookies(&self) -> StayCookies<'_> {
        StayCookies::of(self.worker, self.exchange, self.pool, self.endpoint)
    }

    pub(super) fn plan_response(&self, head: &ResponseHead<'_, '_>) -> Response {
        let (outgoing, compressor) = Outgoing::begin(head, self.exchange, self.cookies());
        let (encode, ends_with_close) =
            outgoing::encoding_for(self.exchange.version, outgoing.framing());
        let stays = self.exchange.keeps_alive
            && !ends_with_close
            && self.upload.is_none()
            && !self.has_upload_failed
            && !self.client.must_close();
        let persistence = if stays {
            Persistence::KeepAlive
        } else {
            Persistence::Close
        };
        let mut out = self.worker.buffers.head();
        // RFC 1945 section 6: the response to a simple request has no head.
        if !self.exchange.is_simple() {
            outgoing.write_head(&mut Http1Head(&mut out), encode, persistence);
        }
        let body = Pump::new(head.framing, encode);
        Response {
            head: out,
            body: body.map(|pump| pump.through(compressor)),
            persistence,
            ends_with_close: ends_with_close || self.exchange.is_simple(),
            target_stays: head.keeps_alive,
        }
    }

    /// Sends an interim head to the client.
    pub(super) async fn send(&mut self, head: &mut Lease) -> Result<(), Failure> {
        poll_fn(|cx| {
            while !head.is_empty() {
                if let Some(failure) = self.poll_signal(cx) {
                    return Poll::Ready(Err(failure));
                }
                match self.client.stream.poll_write(cx, head.filled()) {
                    Poll::Ready(Ok(count)) => head.consume(count),
                    Poll::Ready(Err(_)) => return Poll::Ready(Err(Failure::ClientGone)),
                    Poll::Pending => return Poll::Pending,
                }
                self.touch();
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Sends a final response to the client, and what is still to come of the request to the target.
    pub(super) async fn relay(&mut self, response: &mut Response) -> Result<(), Failure> {
        // Without a head the client cannot tell a response that has not begun from an empty one.
        let mut has_begun = response.head.is_empty();
        self.join_small_body(response);
        poll_fn(|cx| {
            if self.client.entry.poll_signal(cx).is_some() {
                let failure = if has_begun {
                    Failure::ResponseCut
                } else {
                    Failure::ClientGone
                };
                return Poll::Ready(Err(failure));
            }
            // A request that can no longer be sent does not spoil the response.
            if let Poll::Ready(Err(_)) = self.poll_send_request(cx) {
                self.has_upload_failed = true;
            }
            while !response.head.is_empty() {
                match self.poll_send_head(cx, response) {
                    Poll::Ready(Ok(())) => has_begun = true,
                    Poll::Ready(Err(failure)) => return Poll::Ready(Err(failure)),
                    Poll::Pending => return Poll::Pending,
                }
            }
            self.poll_body(cx, response)
        })
        .await
    }

    /// Puts a short body that has arrived whole behind the head.
    fn join_small_body(&mut self, response: &mut Response) {
        let Response {
            head,
            body: Some(pump),
            ..
        } = response
        else {
            return;
        };
        let Some(received) = &mut self.response else {
            return;
        };
        let count = pump.raw_prefix(received);
        if count <= COPIED_BODY_BYTES_MAX {
            head.put(&received.filled()[..count]);
            received.consume(count);
            pump.skip_raw(count);
        }
    }

    /// Writes once from the head and, with it, from the part of the body that goes out as it came.
    fn poll_send_head(
        &mut self,
        cx: &mut Context<'_>,
        response: &mut Response,
    ) -> Poll<Result<(), Failure>> {
        let Response { head, body, .. } = response;
        let raw = match (&*body, &self.response) {
            (Some(pump), Some(received)) => &received.filled()[..pump.raw_prefix(received)],
            _ => &[],
        };
        let written = match raw {
            [] => self.client.stream.poll_write(cx, head.filled()),
            _ => self.client.stream.poll_write_both(cx, head.filled(), raw),
        };
        let Ok(count) = std::task::ready!(written) else {
            return Poll::Ready(Err(Failure::ClientGone));
        };
        let of_head = count.min(head.len());
        head.consume(of_head);
        if let (Some(pump), Some(received)) = (body, &mut self.response) {
            received.consume(count - of_head);
            pump.skip_raw(count - of_head);
        }
        self.touch();
        Poll::Ready(Ok(()))
    }

    /// Moves the body of the response. Ready when it is complete.
    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        response: &mut Response,
    ) -> Poll<Result<(), Failure>> {
        let Some(pump) = &mut response.body else {
            return Poll::Ready(Ok(()));
        };
        if pump.is_finished() {
            return Poll::Ready(Ok(()));
        }
        let received = self
            .response
            .get_or_insert_with(|| self.worker.buffers.bulk());
        let buffers = &self.worker.buffers;
        let outcome = pump.poll(
            cx,
            &mut self.target,
            received,
            &mut self.client.stream,
            buffers,
        );
        if pump.take_moved() {
            self.touch();
        }
        match outcome {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(PumpError::Gone(Side::Sink))) => Poll::Ready(Err(Failure::ClientGone)),
            Poll::Ready(Err(_)) => Poll::Ready(Err(Failure::ResponseCut)),
        }
    }
}
