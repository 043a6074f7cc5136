//! The frames of a connection that wait to be written: streams append them, its task writes them.

use std::task::{Context, Poll};

use super::frame::{self, kind};
use super::head::Http2Head;
use super::limits::OUT_BYTES_MAX;
use super::state::{Gone, State};
use crate::buffer::Lease;

impl State {
    /// The frames that wait to be written, to append to. The connection's task will write them.
    pub(crate) fn out(&mut self) -> &mut Lease {
        self.wake_task();
        self.out.get_or_insert_with(|| self.buffers.bulk())
    }

    /// Has the connection's task look at its connection.
    pub(crate) fn wake_task(&mut self) {
        if !self.is_task_awake {
            self.is_task_awake = true;
            if let Some(task) = &self.task {
                task.wake_by_ref();
            }
        }
    }

    /// Called by the connection's task each time it is polled.
    pub(crate) fn task_polled(&mut self, cx: &Context<'_>) {
        if !self
            .task
            .as_ref()
            .is_some_and(|task| task.will_wake(cx.waker()))
        {
            self.task = Some(cx.waker().clone());
        }
        self.is_task_awake = true;
    }

    /// Called by the connection's task before it waits: from now on it has to be woken.
    pub(crate) fn task_waits(&mut self) {
        self.is_task_awake = false;
    }

    pub(crate) fn waiting_to_be_written(&self) -> &[u8] {
        self.out.as_ref().map_or(&[], |out| out.filled())
    }

    pub(crate) fn has_room(&self) -> bool {
        self.waiting_to_be_written().len() < OUT_BYTES_MAX
    }

    /// Notes that the first `count` bytes were written.
    pub(crate) fn written(&mut self, count: usize) {
        let Some(out) = &mut self.out else { return };
        out.consume(count);
        if out.is_empty() {
            self.out = None;
        }
        if self.has_room() {
            self.wake_waiting();
        }
    }

    /// Takes back the streams from `first` on, whose frames all wait to be written behind the first `at` bytes. The
    /// rest stays in order, and can be read as before: sections do not depend on each other, because the encoder has
    /// no table.
    pub(crate) fn take_back(&mut self, at: usize, first: u32) {
        self.end_streams(first, Gone::NotSent);
        let Some(out) = &mut self.out else { return };
        let rest = out.filled()[at..].to_vec();
        out.truncate(at);
        let mut frames = &rest[..];
        while let Some(head) = frame::FrameHead::parse(frames) {
            let (whole, behind) = frames.split_at(frame::HEAD_BYTES + head.length);
            if head.stream < first {
                out.put(whole);
            } else if head.kind == kind::DATA {
                self.send_window += head.length as i64;
                if let Some(key) = self.keys.get(&head.stream) {
                    let data = &whole[frame::HEAD_BYTES..];
                    self.streams[*key].unsent.extend_from_slice(data);
                }
            }
            frames = behind;
        }
        // There is room again, and more of the connection's window.
        self.wake_waiting();
    }

    pub(crate) fn take_written_message(&mut self) -> bool {
        std::mem::take(&mut self.has_written_message)
    }

    /// Wakes the streams that wait for the connection, in the order in which they began to wait.
    pub(super) fn wake_waiting(&mut self) {
        for key in self.waiting.drain(..) {
            let stream = &mut self.streams[key];
            stream.is_waiting = false;
            stream.wake();
        }
    }

    pub(super) fn wait_for_connection(&mut self, key: usize) {
        let stream = &mut self.streams[key];
        if !std::mem::replace(&mut stream.is_waiting, true) {
            self.waiting.push_back(key);
        }
    }

    /// Ready when a head may be written.
    pub(crate) fn poll_room(&mut self, key: usize) -> Poll<()> {
        if self.has_room() {
            return Poll::Ready(());
        }
        self.wait_for_connection(key);
        Poll::Pending
    }

    /// Writes a head or trailers.
    pub(crate) fn write_fields(
        &mut self,
        key: usize,
        ends: bool,
        write: impl FnOnce(&mut Http2Head<'_>),
    ) {
        let stream = &mut self.streams[key];
        stream.has_sent_end = ends;
        let id = stream.id;
        self.write_section(id, ends, write);
    }

    pub(super) fn write_section(
        &mut self,
        id: u32,
        ends: bool,
        write: impl FnOnce(&mut Http2Head<'_>),
    ) {
        self.wake_task();
        self.has_written_message = true;
        let out = self.out.get_or_insert_with(|| self.buffers.bulk());
        let mut head = Http2Head::new(out, &mut self.encoder, id, ends);
        write(&mut head);
    }
}
