//! The task of one connection to a target: reads frames, gives them to the requests they belong to, and writes
//! those that wait.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::frame::{self, ErrorCode, FrameHead, setting};
use super::frame_reader::{FrameReader, Outcome, Read, poll_read};
use super::incoming::{Event, Incoming};
use super::limits::{RESPONSE_FIELDS, Spent, TARGET_OUT_BYTES_MAX, TARGET_STREAMS_MAX};
use super::response::{self, Malformed};
use super::state::{FrameError, Gone};
use super::target_session::Session;
use crate::buffer::{Buffer, BufferPool, Lease};
use crate::conversation::INTERIM_RESPONSES_MAX;
use crate::stream::Stream;
use crate::worker::Worker;

use FrameError::{Connection as Fatal, Stream as OnStream};

/// The task's own state.
struct TargetConnection {
    session: Rc<Session>,
    buffers: Rc<BufferPool>,
    incoming: Incoming,
    /// Bytes that were read and not used; `None` while there are none.
    received: Option<Lease>,
    has_settings: bool,
    /// What waits to be written is all that will be.
    is_over: bool,
}

/// Starts HTTP/2 on a connection that was made just now.
pub(super) fn start(stream: Stream, worker: &Worker) -> Rc<Session> {
    let session = Session::new(
        stream,
        &worker.buffers,
        &worker.connections,
        &worker.counters,
    );
    let mut connection = TargetConnection {
        session: Rc::clone(&session),
        buffers: Rc::clone(&worker.buffers),
        incoming: Incoming::from_target(RESPONSE_FIELDS),
        received: None,
        has_settings: false,
        is_over: false,
    };
    tokio::task::spawn_local(async move {
        poll_fn(|cx| connection.poll(cx)).await;
        connection.session.end();
    });
    session
}

impl TargetConnection {
    /// Ready when the connection is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.session.shared.borrow_mut().task_polled(cx);
        loop {
            let read = poll_read(self, cx);
            if self.session.is_closed() && self.session.requests() == 0 {
                self.end(ErrorCode::NoError);
            }
            let written = self.session.poll_write(cx);
            match written {
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                // A target that does not read has to do without the farewell.
                _ if self.is_over || read == Read::Closed => return Poll::Ready(()),
                Poll::Ready(Ok(())) if read == Read::Full => continue,
                _ => {}
            }
            self.session.shared.borrow_mut().task_waits();
            return Poll::Pending;
        }
    }

    fn end(&mut self, code: ErrorCode) {
        if !std::mem::replace(&mut self.is_over, true) {
            // The target opens no streams.
            frame::put_goaway(self.session.shared.borrow_mut().out(), 0, code);
        }
    }
}

impl FrameReader for TargetConnection {
    fn is_over(&self) -> bool {
        self.is_over
    }

    fn has_room(&self) -> bool {
        let state = self.session.shared.borrow();
        state.waiting_to_be_written().len() < TARGET_OUT_BYTES_MAX
    }

    fn receive(&mut self, head: &FrameHead, payload: &[u8]) -> Outcome {
        let event = self.incoming.receive(head, payload)?;
        if !event.has_message() {
            self.spend()?;
        }
        match event {
            Event::Data {
                stream,
                data,
                length,
                ends_stream,
            } => {
                self.check_opened(stream)?;
                let mut state = self.session.shared.borrow_mut();
                state.receive_data(stream, data, length, ends_stream)
            }
            Event::Section {
                stream,
                ends_stream,
            } => self.receive_section(stream, ends_stream),
            Event::Reset { stream, code } => {
                self.check_opened(stream)?;
                let mut state = self.session.shared.borrow_mut();
                state.end_stream(stream, Gone::ByPeer(code));
                Ok(())
            }
            Event::Settings(settings) => self.receive_settings(settings),
            Event::Ping(data) => {
                self.session.shared.borrow_mut().answer_ping(data);
                Ok(())
            }
            Event::WindowUpdate { stream, increment } => {
                if stream != 0 {
                    self.check_opened(stream)?;
                }
                let mut state = self.session.shared.borrow_mut();
                state.receive_window_update(stream, increment)
            }
            Event::Goaway { last_stream, code } => {
                tracing::debug!(last_stream, code, "a target goes away");
                let mut state = self.session.shared.borrow_mut();
                state.end_streams(last_stream.saturating_add(1), Gone::NotProcessed);
                drop(state);
                self.session.close();
                Ok(())
            }
            Event::PingAck(_) | Event::PartOfSection | Event::Nothing => Ok(()),
        }
    }

    fn fail(&mut self, code: ErrorCode, why: &'static str) {
        tracing::debug!(?code, why, "HTTP/2 connection to a target ended");
        let counters = &self.session.counters;
        counters.target_http2_connection_errors.increment();
        if code == ErrorCode::EnhanceYourCalm {
            counters.target_http2_floods.increment();
        }
        self.end(code);
    }

    fn fail_stream(&mut self, stream: u32, code: ErrorCode, why: &'static str) {
        tracing::debug!(stream, ?code, why, "HTTP/2 stream to a target reset");
        let counters = &self.session.counters;
        counters.target_http2_stream_errors.increment();
        let now = self.session.connections.now();
        let refused = self.session.shared.borrow_mut().refuse(stream, code, now);
        if refused.is_err() {
            self.fail(ErrorCode::EnhanceYourCalm, "too many stream errors");
        }
    }

    fn received(&mut self) -> &mut Option<Lease> {
        &mut self.received
    }

    /// Any frame fits.
    fn lease(&self, _needed: usize) -> Lease {
        self.buffers.bulk()
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.session.poll_readable(cx)
    }

    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        received: &mut Buffer,
    ) -> Poll<io::Result<usize>> {
        self.session.poll_fill(cx, received)
    }
}

impl TargetConnection {
    /// Takes from what a target may send without a message.
    fn spend(&self) -> Result<(), Spent> {
        let now = self.session.connections.now();
        let mut state = self.session.shared.borrow_mut();
        state.control_frames.spend(now)
    }

    /// RFC 9113 section 5.1: on an idle stream a target may send nothing but `PRIORITY`.
    fn check_opened(&self, stream: u32) -> Outcome {
        if self.session.has_opened(stream) {
            return Ok(());
        }
        Err(Fatal(
            ErrorCode::Protocol,
            "a frame for a stream that is not open",
        ))
    }

    fn receive_settings(&mut self, settings: &[u8]) -> Outcome {
        let session = &self.session;
        if !std::mem::replace(&mut self.has_settings, true) {
            session.streams_max.set(TARGET_STREAMS_MAX);
        }
        let mut state = session.shared.borrow_mut();
        state.receive_settings(settings, |name, value| {
            // The table size bounds a table that the encoder does not use; lists are as long as they are.
            if name == setting::MAX_CONCURRENT_STREAMS {
                let allowed = usize::try_from(value).unwrap_or(usize::MAX);
                session.streams_max.set(allowed.min(TARGET_STREAMS_MAX));
            }
        })?;
        session.call_next(&state);
        Ok(())
    }

    fn receive_section(&mut self, stream: u32, ends_stream: bool) -> Outcome {
        self.check_opened(stream)?;
        let malformed = |why| Err(OnStream(stream, ErrorCode::Protocol, why));
        let fields = &mut self.incoming.fields;
        let mut state = self.session.shared.borrow_mut();
        let Some(progress) = state.head_progress(stream) else {
            // It was reset here, and the target did not know.
            drop(state);
            return Ok(self.spend()?);
        };
        if fields.is_too_large() {
            return malformed("a field section is over its limits");
        }
        if progress.has_head {
            if !ends_stream {
                return malformed("a field section stands in the middle of a body");
            }
            return match response::check_trailers(fields) {
                Ok(()) => state.receive_trailers(stream, fields),
                Err(Malformed(why)) => malformed(why),
            };
        }
        match response::status(fields) {
            Err(Malformed(why)) => malformed(why),
            // Source: RFC 9113 section 8.6.
            Ok(101) => malformed("101 is no status of HTTP/2"),
            Ok(100..200) if ends_stream => malformed("an interim response ends its stream"),
            Ok(100..200) if progress.interim_responses >= INTERIM_RESPONSES_MAX => {
                malformed("too many interim responses")
            }
            // Clients of HTTP/2 get none.
            Ok(100..200) => {
                state.count_interim_response(stream);
                Ok(())
            }
            Ok(_) => {
                state.receive_head(stream, fields, ends_stream);
                Ok(())
            }
        }
    }
}
