//! Frames as bytes: heads, types, flags, error codes and settings.
//!
//! Source: RFC 9113 sections 4, 6 and 7.

use crate::buffer::Buffer;

/// What a client sends first. Source: RFC 9113 section 3.4.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a frame's head.
pub(crate) const HEAD_BYTES: usize = 9;

/// Bytes of a frame's payload: the initial `SETTINGS_MAX_FRAME_SIZE`, which both sides keep to.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 16 * 1024;

/// The window that both sides of a connection start with, in bytes.
pub(crate) const INITIAL_WINDOW: i64 = 65_535;

/// The largest window there is, in bytes.
pub(crate) const WINDOW_MAX: i64 = (1 << 31) - 1;

/// The highest stream identifier.
pub(crate) const STREAM_MAX: u32 = (1 << 31) - 1;

/// Frame types.
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const PRIORITY: u8 = 2;
    pub(crate) const RST_STREAM: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PUSH_PROMISE: u8 = 5;
    pub(crate) const PING: u8 = 6;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const WINDOW_UPDATE: u8 = 8;
    pub(crate) const CONTINUATION: u8 = 9;
}

/// Frame flags.
pub(crate) mod flag {
    pub(crate) const ACK: u8 = 0x1;
    pub(crate) const END_STREAM: u8 = 0x1;
    pub(crate) const END_HEADERS: u8 = 0x4;
    pub(crate) const PADDED: u8 = 0x8;
    pub(crate) const PRIORITY: u8 = 0x20;
}

/// Settings.
pub(crate) mod setting {
    pub(crate) const ENABLE_PUSH: u16 = 2;
    pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 3;
    pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;
    pub(crate) const MAX_FRAME_SIZE: u16 = 5;
    pub(crate) const MAX_HEADER_LIST_SIZE: u16 = 6;
}

/// Why a stream or a connection ends. Source: RFC 9113 section 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum ErrorCode {
    NoError = 0,
    Protocol = 1,
    Internal = 2,
    FlowControl = 3,
    StreamClosed = 5,
    FrameSize = 6,
    RefusedStream = 7,
    Cancel = 8,
    Compression = 9,
    EnhanceYourCalm = 11,
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    /// Bytes of the payload.
    pub(crate) length: usize,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    /// 0: the connection.
    pub(crate) stream: u32,
}

impl FrameHead {
    /// The head at the front of `bytes`; `None` if it is not whole.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let [l2, l1, l0, kind, flags, s3, s2, s1, s0] = *bytes.first_chunk::<HEAD_BYTES>()?;
        Some(Self {
            length: u32::from_be_bytes([0, l2, l1, l0]) as usize,
            kind,
            flags,
            stream: u32::from_be_bytes([s3, s2, s1, s0]) & STREAM_MAX,
        })
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn to_bytes(self) -> [u8; HEAD_BYTES] {
        let [_, l2, l1, l0] = (self.length as u32).to_be_bytes();
        let [s3, s2, s1, s0] = self.stream.to_be_bytes();
        [l2, l1, l0, self.kind, self.flags, s3, s2, s1, s0]
    }
}

/// Appends the head of a frame.
pub(crate) fn put_head(out: &mut Buffer, length: usize, kind: u8, flags: u8, stream: u32) {
    let head = FrameHead {
        length,
        kind,
        flags,
        stream,
    };
    out.put(&head.to_bytes());
}

/// Appends a `SETTINGS` frame.
pub(crate) fn put_settings(out: &mut Buffer, settings: &[(u16, u32)]) {
    put_head(out, settings.len() * 6, kind::SETTINGS, 0, 0);
    for (name, value) in settings {
        out.put(&name.to_be_bytes());
        out.put(&value.to_be_bytes());
    }
}

/// Appends a `WINDOW_UPDATE` frame.
pub(crate) fn put_window_update(out: &mut Buffer, stream: u32, increment: u32) {
    put_head(out, 4, kind::WINDOW_UPDATE, 0, stream);
    out.put(&increment.to_be_bytes());
}

/// Appends a `RST_STREAM` frame.
pub(crate) fn put_reset(out: &mut Buffer, stream: u32, code: ErrorCode) {
    put_head(out, 4, kind::RST_STREAM, 0, stream);
    out.put(&(code as u32).to_be_bytes());
}

/// Appends a `GOAWAY` frame.
pub(crate) fn put_goaway(out: &mut Buffer, last_stream: u32, code: ErrorCode) {
    put_head(out, 8, kind::GOAWAY, 0, 0);
    out.put(&last_stream.to_be_bytes());
    out.put(&(code as u32).to_be_bytes());
}

/// The number in four bytes.
pub(crate) fn number(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk()
        .map_or(0, |four| u32::from_be_bytes(*four))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9113_section_4_1_a_head_survives() {
        let head = FrameHead {
            length: 0x01_0203,
            kind: kind::HEADERS,
            flags: flag::END_HEADERS,
            stream: 0x7fff_fffe,
        };
        assert_eq!(FrameHead::parse(&head.to_bytes()), Some(head));
        assert_eq!(FrameHead::parse(&head.to_bytes()[..8]), None);
        let mut reserved = head.to_bytes();
        reserved[5] |= 0x80;
        assert_eq!(
            FrameHead::parse(&reserved),
            Some(head),
            "the reserved bit is ignored"
        );
    }
}
