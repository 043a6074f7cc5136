//! What the payload of a frame says, by the kind of the frame.
//!
//! Source: RFC 9113 section 6.

use super::frame::{self, ErrorCode, FrameHead, flag};
use super::incoming::Event;
use super::state::FrameError;

use FrameError::Connection as Fatal;

pub(super) fn receive_data<'p>(
    head: &FrameHead,
    payload: &'p [u8],
) -> Result<Event<'p>, FrameError> {
    if head.stream == 0 {
        return Err(Fatal(ErrorCode::Protocol, "DATA without a stream"));
    }
    Ok(Event::Data {
        stream: head.stream,
        data: without_padding(head, payload)?,
        length: payload.len(),
        ends_stream: head.has(flag::END_STREAM),
    })
}

pub(super) fn receive_reset(
    head: &FrameHead,
    payload: &[u8],
) -> Result<Event<'static>, FrameError> {
    if payload.len() != 4 {
        return Err(Fatal(ErrorCode::FrameSize, "RST_STREAM has not 4 bytes"));
    }
    if head.stream == 0 {
        return Err(Fatal(ErrorCode::Protocol, "RST_STREAM without a stream"));
    }
    Ok(Event::Reset {
        stream: head.stream,
        code: frame::number(payload),
    })
}

pub(super) fn receive_settings<'p>(
    head: &FrameHead,
    payload: &'p [u8],
) -> Result<Event<'p>, FrameError> {
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
    Ok(if is_ack {
        Event::Nothing
    } else {
        Event::Settings(payload)
    })
}

pub(super) fn receive_ping(head: &FrameHead, payload: &[u8]) -> Result<Event<'static>, FrameError> {
    let Ok(data) = payload.try_into() else {
        return Err(Fatal(ErrorCode::FrameSize, "PING has not 8 bytes"));
    };
    if head.stream != 0 {
        return Err(Fatal(ErrorCode::Protocol, "PING on a stream"));
    }
    Ok(if head.has(flag::ACK) {
        Event::PingAck(data)
    } else {
        Event::Ping(data)
    })
}

pub(super) fn receive_window_update(
    head: &FrameHead,
    payload: &[u8],
) -> Result<Event<'static>, FrameError> {
    if payload.len() != 4 {
        return Err(Fatal(ErrorCode::FrameSize, "WINDOW_UPDATE has not 4 bytes"));
    }
    Ok(Event::WindowUpdate {
        stream: head.stream,
        increment: frame::number(payload) & frame::STREAM_MAX,
    })
}

pub(super) fn receive_goaway(
    head: &FrameHead,
    payload: &[u8],
) -> Result<Event<'static>, FrameError> {
    if head.stream != 0 {
        return Err(Fatal(ErrorCode::Protocol, "GOAWAY on a stream"));
    }
    if payload.len() < 8 {
        return Err(Fatal(ErrorCode::FrameSize, "GOAWAY is too short"));
    }
    Ok(Event::Goaway {
        last_stream: frame::number(payload) & frame::STREAM_MAX,
        code: frame::number(&payload[4..]),
    })
}

/// A payload without the padding that its frame announces. Source: RFC 9113 section 6.1.
pub(super) fn without_padding<'p>(
    head: &FrameHead,
    payload: &'p [u8],
) -> Result<&'p [u8], FrameError> {
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
