//! Field sections on their way in, from their frames to the task of their stream: heads of responses, and trailers.

use super::frame::ErrorCode;
use super::hpack::FieldList;
use super::limits::LISTS_KEPT_MAX;
use super::state::{FrameError, State};

use FrameError::Stream as OnStream;

/// How far the head of a response has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadProgress {
    pub(crate) has_head: bool,
    pub(crate) interim_responses: u32,
}

impl State {
    // What the peer sends.

    /// What has come of the head of a target's response; `None` if the stream has no task.
    pub(crate) fn head_progress(&self, id: u32) -> Option<HeadProgress> {
        let stream = &self.streams[*self.keys.get(&id)?];
        Some(HeadProgress {
            has_head: stream.has_received_head,
            interim_responses: stream.interim_responses,
        })
    }

    pub(crate) fn count_interim_response(&mut self, id: u32) {
        if let Some(key) = self.keys.get(&id) {
            self.streams[*key].interim_responses += 1;
        }
    }

    /// Takes the head of a target's response.
    pub(crate) fn receive_head(&mut self, id: u32, head: &mut FieldList, ends: bool) {
        let Some(&key) = self.keys.get(&id) else {
            return;
        };
        let head = self.moved_list(head);
        let stream = &mut self.streams[key];
        stream.head = Some(head);
        stream.has_received_head = true;
        stream.has_ended = ends;
        stream.wake();
    }

    /// Takes the trailer fields that end a stream.
    pub(crate) fn receive_trailers(
        &mut self,
        id: u32,
        trailers: &mut FieldList,
    ) -> Result<(), FrameError> {
        let Some(&key) = self.keys.get(&id) else {
            return Ok(());
        };
        let stream = &mut self.streams[key];
        let error = |code, why| Err(OnStream(id, code, why));
        if stream.gone.is_some() {
            return Ok(());
        }
        if stream.linger.is_some() {
            self.remove(key);
            return Ok(());
        }
        if stream.has_ended {
            return error(ErrorCode::StreamClosed, "fields behind the end of a stream");
        }
        if stream.expected.is_some_and(|left| left > 0) {
            return error(
                ErrorCode::Protocol,
                "the body is shorter than Content-Length says",
            );
        }
        stream.has_ended = true;
        stream.wake();
        let trailers = self.moved_list(trailers);
        self.streams[key].trailers = Some(trailers);
        Ok(())
    }

    // What the tasks of streams do.

    /// The head of a response that has come and was not taken.
    pub(crate) fn take_head(&mut self, key: usize) -> Option<FieldList> {
        self.streams[key].head.take()
    }

    pub(crate) fn has_head(&self, key: usize) -> bool {
        self.streams[key].head.is_some()
    }

    pub(crate) fn has_trailers(&self, key: usize) -> bool {
        self.streams[key].trailers.is_some()
    }

    pub(crate) fn take_trailers(&mut self, key: usize) -> Option<FieldList> {
        self.streams[key].trailers.take()
    }

    /// What is in `list`, in memory of its own; `list` is empty then.
    fn moved_list(&mut self, list: &mut FieldList) -> FieldList {
        let mut moved = self.idle_lists.pop().unwrap_or_default();
        std::mem::swap(&mut moved, list);
        moved
    }

    /// Keeps the memory of a section that was used.
    pub(crate) fn keep_list(&mut self, list: FieldList) {
        if self.idle_lists.len() < LISTS_KEPT_MAX && list.is_small() {
            self.idle_lists.push(list);
        }
    }
}
