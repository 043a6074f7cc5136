//! What each frame of a client means. Source: RFC 9113 sections 4 to 6.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::answer::{answer, answer_page};
use super::connection::{Connection, GOAWAY_PING, Life};
use super::frame::{self, ErrorCode, FrameHead};
use super::frame_reader::{FrameReader, Outcome};
use super::incoming::{Event, Expected};
use super::limits::{REQUESTS_MAX, Spent};
use super::request::{self, BadRequest, FIELDS_USUAL, Storage};
use super::route::{Asking, Step, route};
use super::state::{FrameError, Gone};
use super::stream::ClientStream;
use crate::buffer::{Buffer, HEAD_BUFFER_BYTES, Lease};
use crate::http1::{FIELDS_MAX, Framing};

use FrameError::{Connection as Fatal, Stream as OnStream};

const CALM: FrameError = Fatal(
    ErrorCode::EnhanceYourCalm,
    "more frames without a message than a client may send",
);

impl From<Spent> for FrameError {
    fn from(_: Spent) -> Self {
        CALM
    }
}

impl FrameReader for Connection<'_> {
    fn is_over(&self) -> bool {
        self.life == Life::Over
    }

    fn has_room(&self) -> bool {
        self.shared.borrow().has_room()
    }

    fn take_preface(&mut self, received: &mut Buffer) -> bool {
        if !matches!(self.incoming.expected, Expected::Preface) {
            return true;
        }
        let preface = received.filled();
        let compared = preface.len().min(frame::PREFACE.len());
        if preface[..compared] != frame::PREFACE[..compared] {
            self.fail(
                ErrorCode::Protocol,
                "the connection preface is not that of HTTP/2",
            );
            return true;
        }
        if compared < frame::PREFACE.len() {
            return false;
        }
        received.consume(compared);
        self.incoming.expected = Expected::Settings;
        true
    }

    fn receive(&mut self, head: &FrameHead, payload: &[u8]) -> Outcome {
        let event = self.incoming.receive(head, payload).inspect_err(|error| {
            // The only frames that are too many for themselves are those of one section.
            if matches!(error, Fatal(ErrorCode::EnhanceYourCalm, _)) {
                let counters = &self.worker.counters;
                counters.request_heads_too_large.increment();
            }
        })?;
        if !event.has_message() {
            let now = self.worker.connections.now();
            self.shared.borrow_mut().control_frames.spend(now)?;
        }
        match event {
            Event::Data {
                stream,
                data,
                length,
                ends_stream,
            } => {
                self.check_opened(stream)?;
                self.has_moved |= !data.is_empty() || ends_stream;
                let mut state = self.shared.borrow_mut();
                state.receive_data(stream, data, length, ends_stream)
            }
            Event::Section {
                stream,
                ends_stream,
            } => self.receive_section(stream, ends_stream),
            Event::Reset { stream, .. } => self.receive_reset(stream),
            // The table size bounds a table that the encoder does not use; we open no streams; lists are as
            // long as they are.
            Event::Settings(settings) => {
                let mut state = self.shared.borrow_mut();
                state.receive_settings(settings, |_, _| {})
            }
            Event::Ping(data) => {
                self.shared.borrow_mut().answer_ping(data);
                Ok(())
            }
            Event::PingAck(GOAWAY_PING) if self.life == Life::Announced => {
                self.leave(self.highest);
                Ok(())
            }
            Event::WindowUpdate { stream, increment } => {
                if stream != 0 {
                    self.check_opened(stream)?;
                }
                let mut state = self.shared.borrow_mut();
                state.receive_window_update(stream, increment)
            }
            // The client opens no more streams; those that are open go on.
            Event::Goaway { .. } => {
                self.leave(self.highest);
                Ok(())
            }
            Event::PingAck(_) | Event::PartOfSection | Event::Nothing => Ok(()),
        }
    }

    fn fail(&mut self, code: ErrorCode, why: &'static str) {
        tracing::debug!(peer = %self.client.peer, ?code, why, "HTTP/2 connection ended");
        let counters = &self.worker.counters;
        counters.http2_connection_errors.increment();
        if code == ErrorCode::EnhanceYourCalm {
            counters.http2_floods.increment();
        }
        self.end(code);
    }

    fn fail_stream(&mut self, stream: u32, code: ErrorCode, why: &'static str) {
        tracing::debug!(peer = %self.client.peer, stream, ?code, why, "HTTP/2 stream reset");
        let counters = &self.worker.counters;
        counters.http2_stream_errors.increment();
        let now = self.worker.connections.now();
        let refused = self.shared.borrow_mut().refuse(stream, code, now);
        if refused.is_err() {
            self.fail(ErrorCode::EnhanceYourCalm, "too many stream errors");
        }
    }

    fn received(&mut self) -> &mut Option<Lease> {
        &mut self.received
    }

    fn lease(&self, needed: usize) -> Lease {
        let buffers = &self.worker.buffers;
        match needed {
            ..=HEAD_BUFFER_BYTES => buffers.head(),
            _ => buffers.bulk(),
        }
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.client.stream.poll_readable(cx)
    }

    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        received: &mut Buffer,
    ) -> Poll<io::Result<usize>> {
        self.client.stream.poll_fill(cx, received)
    }
}

impl Connection<'_> {
    /// RFC 9113 section 5.1: on an idle stream only `HEADERS` and `PRIORITY` may come.
    fn check_opened(&self, stream: u32) -> Outcome {
        if stream > self.highest || stream.is_multiple_of(2) {
            return Err(Fatal(
                ErrorCode::Protocol,
                "a frame for a stream that is not open",
            ));
        }
        Ok(())
    }

    fn receive_section(&mut self, stream: u32, ends_stream: bool) -> Outcome {
        let mut fields = std::mem::take(&mut self.incoming.fields);
        self.has_moved = true;
        let outcome = if stream > self.highest {
            self.highest = stream;
            self.receive_request(stream, ends_stream, &mut fields)
        } else {
            self.receive_trailers(stream, ends_stream, &mut fields)
        };
        self.incoming.fields = fields;
        outcome
    }

    fn receive_trailers(
        &mut self,
        stream: u32,
        ends_stream: bool,
        fields: &mut super::hpack::FieldList,
    ) -> Outcome {
        let mut state = self.shared.borrow_mut();
        if !state.is_open(stream) {
            if state.was_reset(stream) {
                return Ok(());
            }
            return Err(Fatal(ErrorCode::StreamClosed, "HEADERS on a closed stream"));
        }
        let is_well_formed =
            ends_stream && !fields.is_too_large() && request::check_trailers(fields).is_ok();
        if !is_well_formed {
            return Err(OnStream(
                stream,
                ErrorCode::Protocol,
                "the trailers are malformed",
            ));
        }
        state.receive_trailers(stream, fields)
    }

    fn receive_request(
        &mut self,
        stream: u32,
        ends_stream: bool,
        fields: &mut super::hpack::FieldList,
    ) -> Outcome {
        let refused = |why| Err(OnStream(stream, ErrorCode::RefusedStream, why));
        match self.life {
            Life::Leaving { last } if stream > last => {
                return refused("the connection is going away");
            }
            _ if self.shared.borrow().is_full() => {
                self.worker.counters.http2_streams_refused.increment();
                return refused("too many streams are open");
            }
            _ => {}
        }
        self.requests += 1;
        if self.requests >= REQUESTS_MAX {
            self.leave(stream);
        }
        let counters = &self.worker.counters;
        counters.requests.increment();
        if fields.is_too_large() {
            counters.request_heads_too_large.increment();
            answer_page(self, stream, ends_stream, 413);
            return Ok(());
        }
        let (mut few, mut many);
        let places = if fields.len() <= FIELDS_USUAL {
            few = Storage::<FIELDS_USUAL>::new();
            few.places()
        } else {
            many = Storage::<FIELDS_MAX>::new();
            many.places()
        };
        let head = match request::parse(fields, ends_stream, places) {
            Ok(head) => head,
            Err(BadRequest::Malformed(why)) => {
                counters.requests_malformed.increment();
                return Err(OnStream(stream, ErrorCode::Protocol, why));
            }
            Err(BadRequest::Answered(status)) => {
                counters.requests_malformed.increment();
                answer_page(self, stream, ends_stream, status);
                return Ok(());
            }
        };
        let frontend = self.listener.for_request();
        let (framing, is_head) = (head.framing, head.method == "HEAD");
        let step = route(self.worker, &frontend, self.client.facts(), &head, None);
        let worker = Rc::clone(self.worker);
        match step {
            Step::Answer(reply) => answer(self, stream, ends_stream, &reply, &frontend, is_head),
            Step::Forward(forward) => {
                forward.start(worker, self.open(stream, ends_stream, framing))
            }
            Step::Ask(ask) => {
                let asking = Asking {
                    fields: std::mem::take(fields),
                    ends_stream,
                    frontend,
                    peer: self.client.peer,
                    tls: self.client.tls.clone(),
                };
                let client = self.open(stream, ends_stream, framing);
                tokio::task::spawn_local(asking.run(worker, client, ask));
            }
        }
        Ok(())
    }

    /// Opens a stream for a task.
    pub(super) fn open(&self, stream: u32, ends_stream: bool, framing: Framing) -> ClientStream {
        let expected = match framing {
            Framing::Length(length) => Some(length),
            _ => None,
        };
        let mut state = self.shared.borrow_mut();
        let key = state.open(stream, ends_stream, expected);
        let entry = state.take_entry();
        drop(state);
        let entry = entry.unwrap_or_else(|| self.worker.connections.enter(self.listener.id));
        let zone = self.client.zone.clone();
        ClientStream::new(self.shared.clone(), key, entry, zone)
    }

    fn receive_reset(&mut self, stream: u32) -> Outcome {
        self.check_opened(stream)?;
        let mut state = self.shared.borrow_mut();
        if state.end_stream(stream, Gone::ByPeer(ErrorCode::Cancel as u32)) {
            let counters = &self.worker.counters;
            counters.http2_streams_reset_by_client.increment();
            state.resets.spend(self.worker.connections.now())?;
        }
        Ok(())
    }
}
