//! The head of a request for a target that speaks HTTP/2.

use std::ops::Range;

use super::hpack::{Scheme, put_authority, put_field, put_field_of, put_request_line};
use crate::buffer::{Buffer, Lease};
use crate::head_sink::{HeadSink, RequestLine};

/// A head under construction.
#[derive(Debug)]
pub(super) struct TargetHead {
    scheme: Scheme,
    request: TargetRequest,
    has_content_type: bool,
    /// Whether the path is nothing that a target could be sent.
    is_unfit: bool,
}

/// What a target of HTTP/2 is sent, as often as it takes: a field section that fits any connection.
#[derive(Debug)]
pub(super) struct TargetRequest {
    section: Lease,
    /// Where the host stands in it.
    authority: Range<usize>,
    is_grpc: bool,
}

impl TargetRequest {
    pub(super) fn section(&self) -> &[u8] {
        self.section.filled()
    }

    pub(super) fn authority(&self) -> Option<&str> {
        std::str::from_utf8(&self.section()[self.authority.clone()]).ok()
    }

    /// Source: gRPC over HTTP/2, "Requests".
    pub(super) fn is_grpc(&self) -> bool {
        self.is_grpc
    }
}

impl TargetHead {
    /// Writes to `section`, which is empty.
    pub(super) fn new(scheme: Scheme, section: Lease) -> Self {
        Self {
            scheme,
            request: TargetRequest {
                section,
                authority: 0..0,
                is_grpc: false,
            },
            has_content_type: false,
            is_unfit: false,
        }
    }

    /// The request; `None` if its path is nothing that the target could be sent.
    pub(super) fn into_request(self) -> Option<TargetRequest> {
        (!self.is_unfit).then_some(self.request)
    }
}

impl HeadSink for TargetHead {
    fn request_line(&mut self, line: &RequestLine<'_>) {
        // RFC 9113 section 8.3.1: `:path` has path and query. What follows a `#` is neither.
        let has_fragment = |part: &[u8]| memchr::memchr(b'#', part).is_some();
        self.is_unfit |= has_fragment(line.path) || line.query.is_some_and(has_fragment);
        put_request_line(
            &mut self.request.section,
            line.method,
            self.scheme,
            line.path,
            line.query,
        );
    }

    fn host(&mut self, write: impl FnOnce(&mut Buffer)) {
        let mut length = 0;
        put_authority(&mut self.request.section, |out| {
            let before = out.len();
            write(out);
            length = out.len() - before;
        });
        let end = self.request.section.len();
        self.request.authority = end - length..end;
    }

    /// Targets are sent requests only.
    fn status_line(&mut self, _: u16, _: &str) {
        debug_assert!(false, "targets are sent no responses");
    }

    fn field(&mut self, name: &str, value: &[u8]) {
        if !self.has_content_type && name.eq_ignore_ascii_case("content-type") {
            self.has_content_type = true;
            self.request.is_grpc = value.starts_with(b"application/grpc");
        }
        put_field(&mut self.request.section, name.as_bytes(), value);
    }

    fn field_of(&mut self, name: &str, write: impl FnOnce(&mut Buffer)) {
        if self.has_content_type || !name.eq_ignore_ascii_case("content-type") {
            return put_field_of(&mut self.request.section, name.as_bytes(), write);
        }
        let mut value = Buffer::default();
        write(&mut value);
        self.field(name, value.filled());
    }

    fn hop_field(&mut self, _: &str, _: &[u8]) {}

    fn end(&mut self) {
        if self.request.is_grpc {
            // Source: gRPC over HTTP/2, "Requests": it shows that no proxy on the way drops trailers.
            put_field(&mut self.request.section, b"te", b"trailers");
        }
    }
}
