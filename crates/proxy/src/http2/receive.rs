//! What each frame of a client means. Source: RFC 9113 sections 4 to 6.

use std::rc::Rc;

use super::answer::{answer, answer_page};
use super::connection::{Connection, GOAWAY_PING, Life, Progress};
use super::frame::{
    self, ErrorCode, FrameHead, HEAD_BYTES, PAYLOAD_BYTES_MAX, flag, kind, setting,
};
use super::limits::{CONTINUATIONS_MAX, REQUEST_FIELDS, REQUESTS_MAX, SECTION_BYTES_MAX, Spent};
use super::request::{self, BadRequest, FIELDS_USUAL, Storage};
use super::route::{Asking, Step, route};
use super::state::{FrameError, Gone};
use super::stream::{ClientStream, Node};
use crate::buffer::Buffer;
use crate::http1::{FIELDS_MAX, Framing};

use FrameError::{Connection as Fatal, Stream as OnStream};

/// What may come next.
#[derive(Debug)]
pub(super) enum Expected {
    /// The connection preface.
    Preface,
    /// The client's first frame.
    Settings,
    /// Any frame.
    Frame,
    /// The rest of a field section.
    Continuation(Section),
}

/// A field section that has not come whole.
#[derive(Debug)]
pub(super) struct Section {
    stream: u32,
    ends_stream: bool,
    bytes: Vec<u8>,
    continuations: u32,
}

type Outcome = Result<(), FrameError>;

const CALM: FrameError = Fatal(
    ErrorCode::EnhanceYourCalm,
    "more frames without a message than a client may send",
);

impl From<Spent> for FrameError {
    fn from(_: Spent) -> Self {
        CALM
    }
}

impl Connection<'_> {
    /// Processes all frames that are whole.
    pub(super) fn process(&mut self, received: &mut Buffer) -> Progress {
        if matches!(self.expected, Expected::Preface) && !self.take_preface(received) {
            return Progress::Needs(frame::PREFACE.len());
        }
        loop {
            if self.life == Life::Over {
                received.clear();
                return Progress::Full;
            }
            if !self.shared.borrow().has_room() {
                return Progress::Full;
            }
            let Some(head) = FrameHead::parse(received.filled()) else {
                return Progress::Needs(HEAD_BYTES);
            };
            if head.length > PAYLOAD_BYTES_MAX {
                self.fail(ErrorCode::FrameSize, "a frame is longer than 16,384 bytes");
                continue;
            }
            let whole = HEAD_BYTES + head.length;
            let Some(payload) = received.filled().get(HEAD_BYTES..whole) else {
                return Progress::Needs(whole);
            };
            match self.receive(&head, payload) {
                Ok(()) => {}
                Err(Fatal(code, why)) => self.fail(code, why),
                Err(OnStream(stream, code, why)) => self.fail_stream(stream, code, why),
            }
            received.consume(whole);
        }
    }

    /// Whether the connection preface has come whole.
    fn take_preface(&mut self, received: &mut Buffer) -> bool {
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
        self.expected = Expected::Settings;
        true
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
        let mut state = self.shared.borrow_mut();
        state.reset(stream, code);
        state.end_stream(stream, Gone::Malformed);
        let is_within_budget = state.control_frames.spend(now).is_ok();
        drop(state);
        if !is_within_budget {
            self.fail(ErrorCode::EnhanceYourCalm, "too many stream errors");
        }
    }

    fn receive(&mut self, head: &FrameHead, payload: &[u8]) -> Outcome {
        match &self.expected {
            Expected::Settings if head.kind != kind::SETTINGS || head.has(flag::ACK) => {
                let why = "the first frame is not SETTINGS";
                return Err(Fatal(ErrorCode::Protocol, why));
            }
            Expected::Settings => self.expected = Expected::Frame,
            Expected::Continuation(section)
                if head.kind != kind::CONTINUATION || head.stream != section.stream =>
            {
                let why = "a field section is interrupted";
                return Err(Fatal(ErrorCode::Protocol, why));
            }
            _ => {}
        }
        match head.kind {
            kind::DATA => self.receive_data(head, payload),
            kind::HEADERS => self.receive_headers(head, payload),
            kind::CONTINUATION => self.receive_continuation(head, payload),
            kind::RST_STREAM => self.receive_reset(head, payload),
            kind::SETTINGS => self.receive_settings(head, payload),
            kind::PING => self.receive_ping(head, payload),
            kind::WINDOW_UPDATE => self.receive_window_update(head, payload),
            kind::GOAWAY => self.receive_goaway(head, payload),
            kind::PUSH_PROMISE => Err(Fatal(ErrorCode::Protocol, "clients push nothing")),
            kind::PRIORITY if head.stream == 0 => {
                Err(Fatal(ErrorCode::Protocol, "PRIORITY without a stream"))
            }
            kind::PRIORITY if payload.len() != 5 => {
                self.spend()?;
                Err(OnStream(
                    head.stream,
                    ErrorCode::FrameSize,
                    "PRIORITY has not 5 bytes",
                ))
            }
            // Priorities are not followed (RFC 9113 section 5.3); unknown types are ignored (section 4.1).
            _ => self.spend(),
        }
    }

    /// Takes from what a client may send without a message.
    fn spend(&mut self) -> Outcome {
        let now = self.worker.connections.now();
        self.shared.borrow_mut().control_frames.spend(now)?;
        Ok(())
    }

    fn receive_data(&mut self, head: &FrameHead, payload: &[u8]) -> Outcome {
        self.check_opened(head.stream)?;
        let data = without_padding(head, payload)?;
        let ends = head.has(flag::END_STREAM);
        if data.is_empty() && !ends {
            self.spend()?;
        }
        self.has_moved |= !data.is_empty() || ends;
        let mut state = self.shared.borrow_mut();
        state.receive_data(head.stream, data, payload.len(), ends)
    }

    /// RFC 9113 section 5.1: on an idle stream only `HEADERS` and `PRIORITY` may come.
    fn check_opened(&self, stream: u32) -> Outcome {
        if stream == 0 || stream > self.highest || stream.is_multiple_of(2) {
            return Err(Fatal(
                ErrorCode::Protocol,
                "a frame for a stream that is not open",
            ));
        }
        Ok(())
    }

    fn receive_headers(&mut self, head: &FrameHead, payload: &[u8]) -> Outcome {
        if head.stream.is_multiple_of(2) {
            return Err(Fatal(
                ErrorCode::Protocol,
                "HEADERS on a stream that is not the client's",
            ));
        }
        let mut section = without_padding(head, payload)?;
        if head.has(flag::PRIORITY) {
            let short = Fatal(
                ErrorCode::FrameSize,
                "HEADERS is too short for its priority",
            );
            section = section.get(5..).ok_or(short)?;
        }
        let ends_stream = head.has(flag::END_STREAM);
        if head.has(flag::END_HEADERS) {
            return self.receive_section(head.stream, ends_stream, section);
        }
        self.expected = Expected::Continuation(Section {
            stream: head.stream,
            ends_stream,
            bytes: section.to_vec(),
            continuations: 0,
        });
        Ok(())
    }

    fn receive_continuation(&mut self, head: &FrameHead, payload: &[u8]) -> Outcome {
        let Expected::Continuation(section) = &mut self.expected else {
            return Err(Fatal(ErrorCode::Protocol, "CONTINUATION without HEADERS"));
        };
        section.continuations += 1;
        if section.continuations > CONTINUATIONS_MAX
            || section.bytes.len() + payload.len() > SECTION_BYTES_MAX
        {
            self.worker.counters.request_heads_too_large.increment();
            return Err(Fatal(
                ErrorCode::EnhanceYourCalm,
                "a field section is too long",
            ));
        }
        section.bytes.extend_from_slice(payload);
        if !head.has(flag::END_HEADERS) {
            return Ok(());
        }
        let Expected::Continuation(section) =
            std::mem::replace(&mut self.expected, Expected::Frame)
        else {
            return Ok(());
        };
        self.receive_section(section.stream, section.ends_stream, &section.bytes)
    }

    fn receive_section(&mut self, stream: u32, ends_stream: bool, section: &[u8]) -> Outcome {
        let mut fields = std::mem::take(&mut self.fields);
        let decoded = self.decoder.decode(section, &REQUEST_FIELDS, &mut fields);
        if let Err(error) = decoded {
            tracing::debug!(peer = %self.client.peer, %error, "HTTP/2 field section refused");
            return Err(Fatal(
                ErrorCode::Compression,
                "a field section cannot be decoded",
            ));
        }
        self.has_moved = true;
        let outcome = if stream > self.highest {
            self.highest = stream;
            self.receive_request(stream, ends_stream, &mut fields)
        } else {
            self.receive_trailers(stream, ends_stream, &mut fields)
        };
        self.fields = fields;
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
        let node = Node {
            is_tls: self.client.tls.is_some(),
            zone: self.client.zone.clone(),
        };
        ClientStream::new(self.shared.clone(), key, entry, node)
    }

    fn receive_reset(&mut self, head: &FrameHead, payload: &[u8]) -> Outcome {
        if payload.len() != 4 {
            return Err(Fatal(ErrorCode::FrameSize, "RST_STREAM has not 4 bytes"));
        }
        self.check_opened(head.stream)?;
        let now = self.worker.connections.now();
        let mut state = self.shared.borrow_mut();
        if state.end_stream(head.stream, Gone::ByClient) {
            self.worker
                .counters
                .http2_streams_reset_by_client
                .increment();
            state.resets.spend(now)?;
        }
        state.control_frames.spend(now)?;
        Ok(())
    }

    fn receive_settings(&mut self, head: &FrameHead, payload: &[u8]) -> Outcome {
        self.spend()?;
        if head.stream != 0 {
            return Err(Fatal(ErrorCode::Protocol, "SETTINGS on a stream"));
        }
        let is_ack = head.has(flag::ACK);
        if !payload.len().is_multiple_of(6) || (is_ack && !payload.is_empty()) {
            return Err(Fatal(
                ErrorCode::FrameSize,
                "SETTINGS has an impossible length",
            ));
        }
        if is_ack {
            return Ok(());
        }
        let mut state = self.shared.borrow_mut();
        for pair in payload.chunks_exact(6) {
            let value = frame::number(&pair[2..]);
            let protocol = |why| Err(Fatal(ErrorCode::Protocol, why));
            match u16::from_be_bytes([pair[0], pair[1]]) {
                setting::ENABLE_PUSH if value > 1 => return protocol("ENABLE_PUSH is not 0 or 1"),
                setting::INITIAL_WINDOW_SIZE if value > frame::STREAM_MAX => {
                    let why = "INITIAL_WINDOW_SIZE is too large";
                    return Err(Fatal(ErrorCode::FlowControl, why));
                }
                setting::INITIAL_WINDOW_SIZE => state.receive_initial_window(value)?,
                // We never send more than the least that this can be.
                setting::MAX_FRAME_SIZE if !(16_384..1 << 24).contains(&value) => {
                    return protocol("MAX_FRAME_SIZE is out of range");
                }
                // RFC 9113 section 6.5.2: unknown settings are ignored. The table size bounds a table that
                // the encoder does not use; we open no streams; lists are as long as they are.
                _ => {}
            }
        }
        frame::put_head(state.out(), 0, kind::SETTINGS, flag::ACK, 0);
        Ok(())
    }

    fn receive_ping(&mut self, head: &FrameHead, payload: &[u8]) -> Outcome {
        self.spend()?;
        if payload.len() != 8 {
            return Err(Fatal(ErrorCode::FrameSize, "PING has not 8 bytes"));
        }
        if head.stream != 0 {
            return Err(Fatal(ErrorCode::Protocol, "PING on a stream"));
        }
        if !head.has(flag::ACK) {
            let mut state = self.shared.borrow_mut();
            let out = state.out();
            frame::put_head(out, payload.len(), kind::PING, flag::ACK, 0);
            out.put(payload);
        } else if payload == GOAWAY_PING && self.life == Life::Announced {
            self.leave(self.highest);
        }
        Ok(())
    }

    fn receive_window_update(&mut self, head: &FrameHead, payload: &[u8]) -> Outcome {
        self.spend()?;
        if payload.len() != 4 {
            return Err(Fatal(ErrorCode::FrameSize, "WINDOW_UPDATE has not 4 bytes"));
        }
        if head.stream != 0 {
            self.check_opened(head.stream)?;
        }
        match (head.stream, frame::number(payload) & frame::STREAM_MAX) {
            (0, 0) => Err(Fatal(
                ErrorCode::Protocol,
                "the window is raised by nothing",
            )),
            (stream, 0) => Err(OnStream(
                stream,
                ErrorCode::Protocol,
                "the window is raised by nothing",
            )),
            (stream, increment) => {
                let mut state = self.shared.borrow_mut();
                state.receive_window_update(stream, increment)
            }
        }
    }

    /// The client opens no more streams; those that are open go on.
    fn receive_goaway(&mut self, head: &FrameHead, payload: &[u8]) -> Outcome {
        self.spend()?;
        if head.stream != 0 {
            return Err(Fatal(ErrorCode::Protocol, "GOAWAY on a stream"));
        }
        if payload.len() < 8 {
            return Err(Fatal(ErrorCode::FrameSize, "GOAWAY is too short"));
        }
        self.leave(self.highest);
        Ok(())
    }
}

/// A payload without the padding that its frame announces. Source: RFC 9113 section 6.1.
fn without_padding<'p>(head: &FrameHead, payload: &'p [u8]) -> Result<&'p [u8], FrameError> {
    if !head.has(flag::PADDED) {
        return Ok(payload);
    }
    let (padding, rest) = match payload.split_first() {
        Some((padding, rest)) => (usize::from(*padding), rest),
        None => return Err(Fatal(ErrorCode::FrameSize, "a padded frame is empty")),
    };
    let length = rest.len().checked_sub(padding);
    let length = length.ok_or(Fatal(
        ErrorCode::Protocol,
        "the padding is longer than its frame",
    ))?;
    Ok(&rest[..length])
}
