//! Where a message head is written to, so that what stands in it is decided once for all versions of HTTP.

use crate::buffer::Buffer;
use crate::forwarded::put_lower_case;
use crate::outgoing::put_number;

/// A message head under construction: first its line, then its fields in order, then the end.
///
/// Implementations are chosen at compile time; the one for HTTP/1.1 only appends bytes.
pub(crate) trait HeadSink {
    /// Begins a request.
    fn request_line(&mut self, line: &RequestLine<'_>);

    /// The host of a request, right after its line: `Host`, or `:authority`. `write` appends the value.
    fn host(&mut self, write: impl FnOnce(&mut Buffer));

    /// Begins a response. `reason` is for versions that have one.
    fn status_line(&mut self, status: u16, reason: &str);

    /// A field. The name has the case in which HTTP/1.1 shows it.
    fn field(&mut self, name: &str, value: &[u8]) {
        self.field_of(name, |out| out.put(value));
    }

    /// A field whose value is put together by `write`.
    fn field_of(&mut self, name: &str, write: impl FnOnce(&mut Buffer));

    /// A field about the connection or the framing, which only HTTP/1 has (RFC 9113 section 8.2.2).
    fn hop_field(&mut self, name: &str, value: &[u8]);

    /// Ends the head.
    fn end(&mut self);
}

/// The parts of a request line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestLine<'a> {
    pub(crate) method: &'a str,
    /// Starts with `/`, or is `*`.
    pub(crate) path: &'a [u8],
    /// Without the `?`; `None` if there is no `?`.
    pub(crate) query: Option<&'a [u8]>,
}

/// A head in the form of RFC 9112.
pub(crate) struct Http1Head<'o>(pub(crate) &'o mut Buffer);

impl HeadSink for Http1Head<'_> {
    #[inline]
    fn request_line(&mut self, line: &RequestLine<'_>) {
        self.0.put(line.method.as_bytes());
        self.0.put(b" ");
        self.0.put(line.path);
        if let Some(query) = line.query {
            self.0.put(b"?");
            self.0.put(query);
        }
        self.0.put(b" HTTP/1.1\r\n");
    }

    #[inline]
    fn host(&mut self, write: impl FnOnce(&mut Buffer)) {
        self.field_of("Host", write);
    }

    #[inline]
    fn status_line(&mut self, status: u16, reason: &str) {
        self.0.put(b"HTTP/1.1 ");
        put_number(self.0, u64::from(status));
        self.0.put(b" ");
        self.0.put(reason.as_bytes());
        self.0.put(b"\r\n");
    }

    #[inline]
    fn field_of(&mut self, name: &str, write: impl FnOnce(&mut Buffer)) {
        self.0.put(name.as_bytes());
        self.0.put(b": ");
        write(self.0);
        self.0.put(b"\r\n");
    }

    #[inline]
    fn hop_field(&mut self, name: &str, value: &[u8]) {
        self.field(name, value);
    }

    #[inline]
    fn end(&mut self) {
        self.0.put(b"\r\n");
    }
}

/// As `Http1Head`, of a request that has come by HTTP/2, where all names are in lower case.
///
/// Source: ALB guide, "HTTP headers and Application Load Balancers": these names have upper case all the same, and
/// no others.
pub(crate) struct DowngradedHead<'o>(pub(crate) Http1Head<'o>);

const MIXED_CASE: [&str; 7] = [
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "Host",
    "X-Amzn-Trace-Id",
    "Upgrade",
    "Connection",
];

impl HeadSink for DowngradedHead<'_> {
    fn request_line(&mut self, line: &RequestLine<'_>) {
        self.0.request_line(line);
    }

    fn host(&mut self, write: impl FnOnce(&mut Buffer)) {
        self.0.host(write);
    }

    fn status_line(&mut self, status: u16, reason: &str) {
        self.0.status_line(status, reason);
    }

    fn field_of(&mut self, name: &str, write: impl FnOnce(&mut Buffer)) {
        let out = &mut *self.0.0;
        match MIXED_CASE.iter().find(|it| it.eq_ignore_ascii_case(name)) {
            Some(mixed) => out.put(mixed.as_bytes()),
            None => put_lower_case(out, name.as_bytes()),
        }
        out.put(b": ");
        write(out);
        out.put(b"\r\n");
    }

    fn hop_field(&mut self, name: &str, value: &[u8]) {
        self.field(name, value);
    }

    fn end(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_request_of_http_2_seven_names_have_upper_case() {
        for (name, written) in [
            ("X-Amzn-Tls-Version", "x-amzn-tls-version"),
            ("X-Amzn-Tls-Cipher-Suite", "x-amzn-tls-cipher-suite"),
            ("X-Amzn-Mtls-Clientcert", "x-amzn-mtls-clientcert"),
            ("x-amzn-oidc-data", "x-amzn-oidc-data"),
            ("Content-Length", "content-length"),
            ("x-forwarded-for", "X-Forwarded-For"),
            ("X-Forwarded-Port", "X-Forwarded-Port"),
        ] {
            let mut out = Buffer::default();
            DowngradedHead(Http1Head(&mut out)).field(name, b"Value");
            assert_eq!(out.filled(), format!("{written}: Value\r\n").as_bytes());
        }
    }
}
