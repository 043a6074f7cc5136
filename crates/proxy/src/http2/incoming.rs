//! The frames of a peer on their way in: their order, their shape, and the field sections they carry. What
//! they mean is decided by those who know who the peer is.
//!
//! Source: RFC 9113 sections 4 and 6.

use super::frame::{ErrorCode, FrameHead, HEAD_BYTES, PAYLOAD_BYTES_MAX, flag, kind};
use super::hpack::{Decoder, FieldList, ListLimits};
use super::limits::{CONTINUATIONS_MAX, RESPONSE_FIELDS, SECTION_BYTES_MAX};
use super::payload::{
    receive_data, receive_goaway, receive_ping, receive_reset, receive_settings,
    receive_window_update, without_padding,
};
use super::state::FrameError;
use crate::buffer::Buffer;

use FrameError::{Connection as Fatal, Stream as OnStream};

/// What was read of one peer, as far as the next frame depends on it.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(super) expected: Expected,
    decoder: Decoder,
    limits: ListLimits,
    /// The fields of the section that has come last.
    pub(crate) fields: FieldList,
}

/// What may come next.
#[derive(Debug)]
pub(super) enum Expected {
    /// The connection preface; only clients send one.
    Preface,
    /// The peer's first frame.
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

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event<'p> {
    /// Part of a body. `length` counts its padding too.
    Data {
        stream: u32,
        data: &'p [u8],
        length: usize,
        ends_stream: bool,
    },
    /// A field section has come whole; `Incoming::fields` has it.
    Section {
        stream: u32,
        ends_stream: bool,
    },
    /// A part of a field section.
    PartOfSection,
    Reset {
        stream: u32,
        code: u32,
    },
    /// Six bytes for each setting.
    Settings(&'p [u8]),
    Ping([u8; 8]),
    PingAck([u8; 8]),
    /// `stream` 0: the connection's.
    WindowUpdate {
        stream: u32,
        increment: u32,
    },
    Goaway {
        last_stream: u32,
        code: u32,
    },
    /// Priorities are not followed (RFC 9113 section 5.3); unknown types are ignored (section 4.1).
    Nothing,
}

impl Event<'_> {
    /// Whether it is part of a message. Of the others there is a limit.
    pub(crate) fn has_message(&self) -> bool {
        match self {
            Self::Data {
                data, ends_stream, ..
            } => !data.is_empty() || *ends_stream,
            Self::Section { .. } | Self::PartOfSection => true,
            _ => false,
        }
    }
}

/// The next frame of what was received.
pub(super) enum Next<'b> {
    Frame {
        head: FrameHead,
        payload: &'b [u8],
        /// Bytes of head and payload.
        whole: usize,
    },
    /// It is not whole, and takes so many bytes in all, as far as they are known.
    Needs(usize),
    /// It is longer than a frame may be.
    TooLong,
}

/// Finds the next frame at the front of `received`.
pub(super) fn next(received: &Buffer) -> Next<'_> {
    let Some(head) = FrameHead::parse(received.filled()) else {
        return Next::Needs(HEAD_BYTES);
    };
    if head.length > PAYLOAD_BYTES_MAX {
        return Next::TooLong;
    }
    let whole = HEAD_BYTES + head.length;
    match received.filled().get(HEAD_BYTES..whole) {
        Some(payload) => Next::Frame {
            head,
            payload,
            whole,
        },
        None => Next::Needs(whole),
    }
}

impl Incoming {
    /// From a client, whose preface comes first.
    pub(crate) fn from_client(limits: ListLimits) -> Self {
        Self::new(Expected::Preface, limits)
    }

    /// From a target.
    pub(crate) fn from_target(limits: ListLimits) -> Self {
        Self::new(Expected::Settings, limits)
    }

    fn new(expected: Expected, limits: ListLimits) -> Self {
        Self {
            expected,
            decoder: Decoder::default(),
            limits,
            fields: FieldList::default(),
        }
    }

    /// What a frame says.
    ///
    /// # Errors
    /// `FrameError` for a frame whose order or shape is wrong.
    pub(crate) fn receive<'p>(
        &mut self,
        head: &FrameHead,
        payload: &'p [u8],
    ) -> Result<Event<'p>, FrameError> {
        self.check_order(head)?;
        match head.kind {
            kind::DATA => receive_data(head, payload),
            kind::HEADERS => self.receive_headers(head, payload),
            kind::CONTINUATION => self.receive_continuation(head, payload),
            kind::RST_STREAM => receive_reset(head, payload),
            kind::SETTINGS => receive_settings(head, payload),
            kind::PING => receive_ping(head, payload),
            kind::WINDOW_UPDATE => receive_window_update(head, payload),
            kind::GOAWAY => receive_goaway(head, payload),
            // Clients may not push, and targets are told that they may not.
            kind::PUSH_PROMISE => Err(Fatal(ErrorCode::Protocol, "nothing may be pushed")),
            kind::PRIORITY if head.stream == 0 => {
                Err(Fatal(ErrorCode::Protocol, "PRIORITY without a stream"))
            }
            kind::PRIORITY if payload.len() != 5 => Err(OnStream(
                head.stream,
                ErrorCode::FrameSize,
                "PRIORITY has not 5 bytes",
            )),
            _ => Ok(Event::Nothing),
        }
    }

    fn check_order(&mut self, head: &FrameHead) -> Result<(), FrameError> {
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
        Ok(())
    }

    fn receive_headers(
        &mut self,
        head: &FrameHead,
        payload: &[u8],
    ) -> Result<Event<'static>, FrameError> {
        if head.stream.is_multiple_of(2) {
            return Err(Fatal(
                ErrorCode::Protocol,
                "HEADERS on a stream that no client opens",
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
            return self.decode(head.stream, ends_stream, section);
        }
        self.expected = Expected::Continuation(Section {
            stream: head.stream,
            ends_stream,
            bytes: section.to_vec(),
            continuations: 0,
        });
        Ok(Event::PartOfSection)
    }

    fn receive_continuation(
        &mut self,
        head: &FrameHead,
        payload: &[u8],
    ) -> Result<Event<'static>, FrameError> {
        let Expected::Continuation(section) = &mut self.expected else {
            return Err(Fatal(ErrorCode::Protocol, "CONTINUATION without HEADERS"));
        };
        section.continuations += 1;
        if section.continuations > CONTINUATIONS_MAX
            || section.bytes.len() + payload.len() > SECTION_BYTES_MAX
        {
            return Err(Fatal(
                ErrorCode::EnhanceYourCalm,
                "a field section is too long",
            ));
        }
        section.bytes.extend_from_slice(payload);
        if !head.has(flag::END_HEADERS) {
            return Ok(Event::PartOfSection);
        }
        let (stream, ends_stream) = (section.stream, section.ends_stream);
        let bytes = std::mem::take(&mut section.bytes);
        self.expected = Expected::Frame;
        self.decode(stream, ends_stream, &bytes)
    }

    fn decode(
        &mut self,
        stream: u32,
        ends_stream: bool,
        section: &[u8],
    ) -> Result<Event<'static>, FrameError> {
        let decoded = self.decoder.decode(section, &self.limits, &mut self.fields);
        if let Err(error) = decoded {
            tracing::debug!(%error, "HTTP/2 field section refused");
            return Err(Fatal(
                ErrorCode::Compression,
                "a field section cannot be decoded",
            ));
        }
        Ok(Event::Section {
            stream,
            ends_stream,
        })
    }
}

/// What a target says whose bytes arrive in these pieces, one text for each frame, up to the first that is refused.
///
/// It is what connections to targets read with, in a form for fuzzing.
pub fn transcript<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> Vec<String> {
    let mut incoming = Incoming::from_target(RESPONSE_FIELDS);
    let mut received = Buffer::default();
    let mut said = Vec::new();
    for piece in pieces {
        received.append(piece);
        loop {
            let (outcome, whole) = match next(&received) {
                Next::Needs(_) => break,
                Next::TooLong => {
                    said.push("a frame is too long".to_owned());
                    return said;
                }
                Next::Frame {
                    head,
                    payload,
                    whole,
                } => {
                    let event = incoming.receive(&head, payload);
                    let text = event.map(|event| match event {
                        Event::Section { .. } => format!("{event:?} {:?}", incoming.fields),
                        _ => format!("{event:?}"),
                    });
                    (text, whole)
                }
            };
            received.consume(whole);
            match outcome {
                Ok(text) => said.push(text),
                Err(error @ OnStream(..)) => said.push(format!("{error:?}")),
                Err(error) => {
                    said.push(format!("{error:?}"));
                    return said;
                }
            }
        }
    }
    said
}
