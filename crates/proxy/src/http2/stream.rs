//! A client's stream as its task holds it: its handle, and its own timeout.

use std::future::poll_fn;
use std::ops::Deref;
use std::sync::Arc;
use std::task::{Context, Poll};

use engine::{Endpoint, Frontend, Pool};

use super::handle::Handle;
use super::state::Shared;
use crate::buffer::Buffer;
use crate::compressor::Compressor;
use crate::exchange::Exchange;
use crate::http1::Framing;
use crate::http1::response::ResponseHead;
use crate::outgoing::{Outgoing, Persistence};
use crate::pump::Encode;
use crate::registry::{Entry, Tick, ticks};
use crate::respond::Answer;
use crate::sticky::StayCookies;
use crate::worker::Worker;

#[derive(Debug)]
pub(crate) struct ClientStream {
    handle: Handle,
    /// The stream's own timeout, and the way to end the request with its target.
    entry: Option<Entry>,
    /// That of the address the client connected to.
    pub(crate) zone: Option<Arc<str>>,
}

impl ClientStream {
    pub(crate) fn new(shared: Shared, key: usize, entry: Entry, zone: Option<Arc<str>>) -> Self {
        Self {
            handle: Handle::new(shared, key),
            entry: Some(entry),
            zone,
        }
    }

    pub(crate) fn entry(&self) -> &Entry {
        self.entry
            .as_ref()
            .expect("it is taken when the stream is dropped")
    }

    /// Writes the head of the final response that a target has sent. Its body passes through the compressor, if
    /// there is one.
    pub(super) fn write_response(
        &self,
        worker: &Worker,
        exchange: &Exchange,
        pool: &Pool,
        endpoint: &Endpoint,
        response: &ResponseHead<'_, '_>,
    ) -> Option<Box<Compressor>> {
        let cookies = StayCookies::of(worker, exchange, pool, endpoint);
        let (outgoing, compressor) = Outgoing::begin(response, exchange, cookies);
        self.write_fields(response.framing == Framing::None, |head| {
            // The frames carry the end of the body.
            outgoing.write_head(head, Encode::Raw, Persistence::KeepAlive);
        });
        compressor
    }

    /// Sends a whole answer. Whether the client took it within the idle timeout.
    pub(crate) async fn answer(
        &self,
        worker: &Worker,
        frontend: &Frontend,
        answer: &Answer<'_>,
        is_head: bool,
    ) -> bool {
        let idle_timeout = ticks(frontend.idle_timeout);
        let mut body = worker.buffers.head();
        if !is_head {
            answer.write_body(&frontend.http, &mut body);
        }
        self.entry().arm(idle_timeout);
        let has_room = poll_fn(|cx| match self.is_there(cx) {
            false => Poll::Ready(false),
            true => self.poll_room().map(|()| true),
        });
        if !has_room.await {
            return false;
        }
        self.write_fields(body.is_empty(), |head| {
            let options = &frontend.http;
            answer.write_head(head, options, Persistence::KeepAlive, &worker.date());
        });
        body.is_empty() || self.send_rest(&mut body, idle_timeout).await
    }

    /// Sends `body`, which is not empty, and the end of the stream. Whether the client took it within the
    /// idle timeout.
    pub(crate) async fn send_rest(&self, body: &mut Buffer, idle_timeout: Tick) -> bool {
        self.entry().arm(idle_timeout);
        poll_fn(|cx| {
            while !body.is_empty() {
                if !self.is_there(cx) {
                    return Poll::Ready(false);
                }
                let count = std::task::ready!(self.poll_send(body.filled(), true));
                body.consume(count);
            }
            Poll::Ready(true)
        })
        .await
    }

    /// Whether somebody still waits for what is sent on the stream.
    fn is_there(&self, cx: &Context<'_>) -> bool {
        self.poll_gone(cx).is_none() && self.entry().poll_signal(cx).is_none()
    }
}

impl Deref for ClientStream {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for ClientStream {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.handle.shared().borrow_mut().keep_entry(entry);
        }
    }
}
