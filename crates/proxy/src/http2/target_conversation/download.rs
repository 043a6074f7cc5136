//! The response of a target of HTTP/2 on its way to the client.

use std::task::Poll;

use super::{TargetConversation, end};
use crate::http1::response::ResponseHead;
use crate::http1::{FIELDS_MAX, Framing};
use crate::http2::handle::Handle;
use crate::http2::hpack::FieldList;
use crate::http2::outlet::{Outlet, Sent};
use crate::http2::request::{FIELDS_USUAL, Storage};
use crate::http2::response::{self, Malformed, Response};

impl TargetConversation<'_> {
    /// Writes the head of the response for the client. Whether the response ends with it.
    pub(super) fn write_head(
        &mut self,
        head: &FieldList,
        has_no_body: bool,
    ) -> Result<bool, Malformed> {
        let (mut few, mut many);
        let places = if head.len() <= FIELDS_USUAL {
            few = Storage::<FIELDS_USUAL>::new();
            few.places()
        } else {
            many = Storage::<FIELDS_MAX>::new();
            many.places()
        };
        let Response {
            status,
            length,
            fields,
        } = response::parse(head, places)?;
        // RFC 9110 section 8.6: what these announce is not sent.
        let announces_only = self.exchange.is_head || matches!(status, 204 | 304);
        self.left = if announces_only { Some(0) } else { length };
        if has_no_body && self.left.is_some_and(|left| left > 0) {
            return Err(Malformed("the body is shorter than Content-Length says"));
        }
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
        let (client, exchange) = (self.client, self.exchange);
        let compressor =
            client.write_response(self.worker, exchange, self.pool, self.endpoint, &head);
        self.outlet = Outlet(compressor);
        Ok(has_no_body)
    }

    /// Hands on what has arrived of the response, as far as the client's windows allow.
    pub(super) fn download(&mut self, target: &Handle) -> Result<Progress, Malformed> {
        loop {
            let has_ended = target.has_ended();
            let is_last = has_ended && !target.has_trailers();
            let (left, outlet) = (&mut self.left, &mut self.outlet);
            let sent = target.take_body(|data| {
                if data.is_empty() {
                    return (0, Ok(None));
                }
                if let Err(malformed) = check_length(*left, data.len() as u64, has_ended) {
                    return (0, Err(malformed));
                }
                let sent = outlet.poll_send(self.client, data, is_last);
                let count = match sent {
                    Poll::Ready(Sent { count, .. }) => count,
                    Poll::Pending => 0,
                };
                if let Some(left) = left {
                    *left -= count as u64;
                }
                (count, Ok(Some(sent)))
            })?;
            match sent {
                Some(Poll::Pending) => return Ok(Progress::Blocked),
                Some(Poll::Ready(Sent { has_ended, .. })) => {
                    self.touch();
                    if has_ended {
                        return Ok(Progress::Done);
                    }
                }
                None if has_ended => {
                    check_length(self.left, 0, true)?;
                    if self.outlet.poll_finish(self.client).is_pending() {
                        return Ok(Progress::Blocked);
                    }
                    let trailers = target.take_trailers();
                    end(self.client, trailers.as_ref());
                    trailers.into_iter().for_each(|list| target.give_back(list));
                    return Ok(Progress::Done);
                }
                None => {
                    self.outlet.flush(self.client);
                    return Ok(Progress::Drained);
                }
            }
        }
    }
}

/// Whether a body of which `left` bytes are to come may go on with `count`, or end with them.
fn check_length(left: Option<u64>, count: u64, ends: bool) -> Result<(), Malformed> {
    match left {
        Some(left) if left < count => Err(Malformed("the body is longer than Content-Length says")),
        Some(left) if ends && left > count => {
            Err(Malformed("the body is shorter than Content-Length says"))
        }
        _ => Ok(()),
    }
}

/// How far a download has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The client has been sent all of it.
    Done,
    /// The client has been sent what there is.
    Drained,
    /// The client has to take more first.
    Blocked,
}
