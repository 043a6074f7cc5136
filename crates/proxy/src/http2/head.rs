//! Heads in the form of RFC 9113: a field section in one frame, or in as many as it takes.

use super::frame::{self, FrameHead, HEAD_BYTES, PAYLOAD_BYTES_MAX, flag, kind};
use super::hpack::{Encoder, put_field, put_field_of};
use crate::buffer::Buffer;
use crate::head_sink::{HeadSink, RequestLine};

/// A field section under construction at the end of the bytes that wait to be sent.
pub(crate) struct Http2Head<'o> {
    out: &'o mut Buffer,
    encoder: &'o mut Encoder,
    /// Where the frame begins in `out`.
    start: usize,
    stream: u32,
    ends_stream: bool,
}

impl<'o> Http2Head<'o> {
    /// `ends_stream`: no body follows.
    pub(crate) fn new(
        out: &'o mut Buffer,
        encoder: &'o mut Encoder,
        stream: u32,
        ends_stream: bool,
    ) -> Self {
        let start = out.len();
        out.put(&[0; HEAD_BYTES]);
        Self {
            out,
            encoder,
            start,
            stream,
            ends_stream,
        }
    }

    /// Starts a section of trailer fields.
    pub(crate) fn trailers(&mut self) {
        self.encoder.start_section(self.out);
    }

    /// Writes a whole section that was encoded before.
    pub(crate) fn section(&mut self, section: &[u8]) {
        self.encoder.start_section(self.out);
        self.out.put(section);
        self.finish();
    }

    fn finish(&mut self) {
        let length = self.out.len() - self.start - HEAD_BYTES;
        let end_stream = if self.ends_stream {
            flag::END_STREAM
        } else {
            0
        };
        if length <= PAYLOAD_BYTES_MAX {
            let head = FrameHead {
                length,
                kind: kind::HEADERS,
                flags: end_stream | flag::END_HEADERS,
                stream: self.stream,
            };
            self.out.filled_mut()[self.start..self.start + HEAD_BYTES]
                .copy_from_slice(&head.to_bytes());
            return;
        }
        let section = self.out.filled()[self.start + HEAD_BYTES..].to_vec();
        self.out.truncate(self.start);
        let mut parts = section.chunks(PAYLOAD_BYTES_MAX).peekable();
        let (mut frame_kind, mut flags) = (kind::HEADERS, end_stream);
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                flags |= flag::END_HEADERS;
            }
            frame::put_head(self.out, part.len(), frame_kind, flags, self.stream);
            self.out.put(part);
            (frame_kind, flags) = (kind::CONTINUATION, 0);
        }
    }
}

impl HeadSink for Http2Head<'_> {
    /// Clients are sent responses only; requests for targets are written by `target_head`.
    fn request_line(&mut self, _: &RequestLine<'_>) {
        debug_assert!(false, "clients are sent no requests");
    }

    fn host(&mut self, _: impl FnOnce(&mut Buffer)) {
        debug_assert!(false, "clients are sent no requests");
    }

    fn status_line(&mut self, status: u16, _: &str) {
        self.encoder.start(self.out, status);
    }

    fn field(&mut self, name: &str, value: &[u8]) {
        put_field(self.out, name.as_bytes(), value);
    }

    fn field_of(&mut self, name: &str, write: impl FnOnce(&mut Buffer)) {
        put_field_of(self.out, name.as_bytes(), write);
    }

    fn hop_field(&mut self, _: &str, _: &[u8]) {}

    fn end(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(bytes: &[u8]) -> Vec<FrameHead> {
        let mut frames = Vec::new();
        let mut rest = bytes;
        while let Some(head) = FrameHead::parse(rest) {
            rest = &rest[HEAD_BYTES + head.length..];
            frames.push(head);
        }
        assert!(rest.is_empty());
        frames
    }

    #[test]
    fn rfc9113_section_4_3_a_long_section_is_continued() {
        // Beside the value, the section has 4 bytes, or 6 or 7 for the length of a long one.
        for (length, lengths) in [
            (10, vec![14]),
            (16_378, vec![16_384]),
            (16_379, vec![16_384, 1]),
            (40_000, vec![16_384, 16_384, 7239]),
        ] {
            let mut out = Buffer::default();
            let mut encoder = Encoder::default();
            // Earlier sections have told the size of the table.
            encoder.start_section(&mut Buffer::default());
            let mut head = Http2Head::new(&mut out, &mut encoder, 5, true);
            head.status_line(200, "OK");
            head.field("via", &vec![b'x'; length]);
            head.end();
            let frames = frames(out.filled());
            let got: Vec<_> = frames.iter().map(|frame| frame.length).collect();
            assert_eq!(got, lengths, "{length}");
            assert!(frames[0].has(flag::END_STREAM));
            assert!(frames.last().unwrap().has(flag::END_HEADERS));
            assert!(
                frames
                    .iter()
                    .skip(1)
                    .all(|frame| frame.kind == kind::CONTINUATION)
            );
        }
    }
}
