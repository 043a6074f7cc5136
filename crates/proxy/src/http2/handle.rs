//! One end of a stream, by which its task reads and writes. Letting go of it ends the stream, whatever has been
//! sent by then.

use std::task::{Context, Poll};

use super::frame::ErrorCode;
use super::head::Http2Head;
use super::hpack::FieldList;
use super::state::{Gone, Shared};

#[derive(Debug)]
pub(crate) struct Handle {
    shared: Shared,
    key: usize,
}

impl Handle {
    pub(super) fn new(shared: Shared, key: usize) -> Self {
        Self { shared, key }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// See `State::poll_gone`.
    pub(crate) fn poll_gone(&self, cx: &Context<'_>) -> Option<Gone> {
        self.shared.borrow_mut().poll_gone(self.key, cx)
    }

    /// Whether the peer has sent its whole message; body bytes may wait to be taken all the same.
    pub(crate) fn has_ended(&self) -> bool {
        self.shared.borrow().has_ended(self.key)
    }

    pub(crate) fn has_head(&self) -> bool {
        self.shared.borrow().has_head(self.key)
    }

    /// Whether nothing is there to be taken of a body or trailers.
    pub(crate) fn is_empty(&self) -> bool {
        self.shared.borrow().is_empty(self.key)
    }

    /// See `State::take_head`.
    pub(crate) fn take_head(&self) -> Option<FieldList> {
        self.shared.borrow_mut().take_head(self.key)
    }

    /// See `State::take_body`.
    pub(crate) fn take_body<T>(&self, take: impl FnOnce(&[u8]) -> (usize, T)) -> T {
        self.shared.borrow_mut().take_body(self.key, take)
    }

    pub(crate) fn has_trailers(&self) -> bool {
        self.shared.borrow().has_trailers(self.key)
    }

    pub(crate) fn take_trailers(&self) -> Option<FieldList> {
        self.shared.borrow_mut().take_trailers(self.key)
    }

    /// See `State::restore`.
    pub(crate) fn restore(&self, body: &[u8], trailers: Option<FieldList>) {
        self.shared.borrow_mut().restore(self.key, body, trailers);
    }

    /// See `State::take_unsent`.
    pub(crate) fn take_unsent(&self) -> Vec<u8> {
        self.shared.borrow_mut().take_unsent(self.key)
    }

    /// Gives back a section that was taken from here.
    pub(crate) fn give_back(&self, list: FieldList) {
        self.shared.borrow_mut().keep_list(list);
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
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.borrow_mut().close(self.key);
    }
}
