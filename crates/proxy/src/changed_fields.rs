//! A head on which a rule's own field changes are made while it is written, for every version of HTTP and in
//! both directions.
//!
//! Source: none; an extension of elbow (docs/parity.md, "Extensions").

use engine::extension::FieldChanges;

use crate::buffer::Buffer;
use crate::head_sink::{HeadSink, RequestLine};
use crate::tls_fields::passes_for;

/// A sink in front of another one.
pub(crate) struct ChangedFields<'a, S> {
    sink: &'a mut S,
    changes: &'a FieldChanges,
    /// Fields of the listener, which its rules do not change.
    kept: &'a [(Box<str>, Box<str>)],
}

impl<'a, S: HeadSink> ChangedFields<'a, S> {
    /// `kept` are fields that the changes do not touch.
    pub(crate) fn new(
        sink: &'a mut S,
        changes: &'a FieldChanges,
        kept: &'a [(Box<str>, Box<str>)],
    ) -> Self {
        Self {
            sink,
            changes,
            kept,
        }
    }

    fn is_kept(&self, name: &str) -> bool {
        self.kept
            .iter()
            .any(|(kept, _)| kept.eq_ignore_ascii_case(name))
    }

    /// Whether the field goes away, or gives way to that of the rule. What a peer may take for it goes too.
    fn is_dropped(&self, name: &str) -> bool {
        self.changes
            .names()
            .any(|changed| passes_for(name, changed))
            && !self.is_kept(name)
    }
}

impl<S: HeadSink> HeadSink for ChangedFields<'_, S> {
    fn request_line(&mut self, line: &RequestLine<'_>) {
        self.sink.request_line(line);
    }

    fn host(&mut self, write: impl FnOnce(&mut Buffer)) {
        self.sink.host(write);
    }

    fn status_line(&mut self, status: u16, reason: &str) {
        self.sink.status_line(status, reason);
    }

    fn field(&mut self, name: &str, value: &[u8]) {
        if !self.is_dropped(name) {
            self.sink.field(name, value);
        }
    }

    fn field_of(&mut self, name: &str, write: impl FnOnce(&mut Buffer)) {
        if !self.is_dropped(name) {
            self.sink.field_of(name, write);
        }
    }

    /// The names of these cannot be changed.
    fn hop_field(&mut self, name: &str, value: &[u8]) {
        self.sink.hop_field(name, value);
    }

    fn end(&mut self) {
        for (name, value) in self.changes.set() {
            if !self.is_kept(name) {
                self.sink.field(name, value.as_bytes());
            }
        }
        self.sink.end();
    }
}
