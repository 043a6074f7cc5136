//! A stream as its task holds it. Letting go of it ends the stream, whatever has been sent by then.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use engine::Frontend;

use super::frame::ErrorCode;
use super::head::Http2Head;
use super::hpack::FieldList;
use super::state::{Gone, Shared};
use crate::buffer::Buffer;
use crate::outgoing::Persistence;
use crate::registry::{Entry, Tick, ticks};
use crate::respond::Answer;
use crate::worker::Worker;

#[derive(Debug)]
pub(crate) struct ClientStream {
    shared: Shared,
    key: usize,
    /// The stream's own timeout, and the way to end the request with its target.
    entry: Option<Entry>,
    pub(crate) node: Node,
}

/// What a stream's task needs to know of its connection.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) is_tls: bool,
    /// That of the address the client connected to.
    pub(crate) zone: Option<Arc<str>>,
}

impl ClientStream {
    pub(crate) fn new(shared: Shared, key: usize, entry: Entry, node: Node) -> Self {
        Self {
            shared,
            key,
            entry: Some(entry),
            node,
        }
    }

    pub(crate) fn entry(&self) -> &Entry {
        self.entry
            .as_ref()
            .expect("it is taken when the stream is dropped")
    }

    /// See `State::poll_gone`.
    pub(crate) fn poll_gone(&self, cx: &Context<'_>) -> Option<Gone> {
        self.shared.borrow_mut().poll_gone(self.key, cx)
    }

    /// Whether the client has sent its whole request; body bytes may wait to be taken all the same.
    pub(crate) fn has_ended(&self) -> bool {
        self.shared.borrow().has_ended(self.key)
    }

    /// See `State::take_body`.
    pub(crate) fn take_body<T>(&self, take: impl FnOnce(&[u8]) -> (usize, T)) -> T {
        self.shared.borrow_mut().take_body(self.key, take)
    }

    pub(crate) fn take_trailers(&self) -> Option<Box<FieldList>> {
        self.shared.borrow_mut().take_trailers(self.key)
    }

    /// Ready when a head may be written.
    pub(crate) fn poll_room(&self) -> Poll<()> {
        self.shared.borrow_mut().poll_room(self.key)
    }

    /// Writes a head, or trailers. `ends`: the stream ends with it.
    pub(crate) fn write_fields(&self, ends: bool, write: impl FnOnce(&mut Http2Head<'_>)) {
        self.shared.borrow_mut().write_fields(self.key, ends, write);
    }

    /// Resets the stream.
    pub(crate) fn reset(&self, code: ErrorCode) {
        self.shared.borrow_mut().reset_open(self.key, code);
    }

    /// See `State::poll_send`.
    pub(crate) fn poll_send(&self, data: &[u8], ends: bool) -> Poll<usize> {
        self.shared.borrow_mut().poll_send(self.key, data, ends)
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

impl Drop for ClientStream {
    fn drop(&mut self) {
        let mut state = self.shared.borrow_mut();
        state.close(self.key);
        if let Some(entry) = self.entry.take() {
            state.keep_entry(entry);
        }
    }
}
