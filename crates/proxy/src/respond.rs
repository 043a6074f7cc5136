//! Responses that are made here.
//!
//! Source: ALB guide, "Troubleshoot your Application Load Balancers"; the order of the fields and the
//! bodies are those seen on the service.

use engine::extension::FieldChanges;
use engine::{Extensions, FixedResponse, HttpOptions};

use crate::buffer::Buffer;
use crate::changed_fields::ChangedFields;
use crate::date::HttpDate;
use crate::head_sink::{HeadSink, Http1Head};
use crate::outgoing::{Persistence, put_number, write_content_length, write_listener_fields};

/// A response that is made here.
#[derive(Clone, Debug)]
pub(crate) enum Answer<'f> {
    /// The page that says what its status means.
    Page(u16),
    /// The page of a request that comes too early.
    RateLimited { retry_after_seconds: u64 },
    /// The page of a redirect, with its `Location`.
    Redirect { status: u16, location: Vec<u8> },
    /// What the rule says.
    Fixed(&'f FixedResponse),
    /// One of the others, with values of `Set-Cookie`.
    WithCookies(Box<Self>, Vec<String>),
    /// One of the others, with the changes of fields of its rule.
    WithChanges(Box<Self>, &'f FieldChanges),
}

impl<'f> Answer<'f> {
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Page(status) | Self::Redirect { status, .. } => *status,
            Self::RateLimited { .. } => 429,
            Self::Fixed(fixed) => fixed.status,
            Self::WithCookies(answer, _) | Self::WithChanges(answer, _) => answer.status(),
        }
    }

    pub(crate) fn with_cookies(self, set_cookies: Vec<String>) -> Self {
        if set_cookies.is_empty() {
            return self;
        }
        Self::WithCookies(Box::new(self), set_cookies)
    }

    /// The answer to a request that a rule with these extensions has matched.
    pub(crate) fn of_rule(self, extensions: Option<&'f Extensions>) -> Self {
        match extensions {
            Some(extensions) if !extensions.response_fields.is_empty() => {
                Self::WithChanges(Box::new(self), &extensions.response_fields)
            }
            _ => self,
        }
    }

    /// Writes the head, which is the same for `HEAD` as for `GET`.
    pub(crate) fn write_head(
        &self,
        sink: &mut impl HeadSink,
        options: &HttpOptions,
        persistence: Persistence,
        date: &HttpDate,
    ) {
        if let Self::WithChanges(answer, changes) = self {
            let sink = &mut ChangedFields::new(sink, changes, &options.response_fields);
            answer.write_unchanged_head(sink, options, persistence, date);
        } else {
            self.write_unchanged_head(sink, options, persistence, date);
        }
    }

    fn write_unchanged_head(
        &self,
        sink: &mut impl HeadSink,
        options: &HttpOptions,
        persistence: Persistence,
        date: &HttpDate,
    ) {
        sink.status_line(self.status(), reason(self.status()));
        self.write_fields(sink, options, persistence, date);
        write_listener_fields(sink, options);
        sink.end();
    }

    fn write_fields(
        &self,
        sink: &mut impl HeadSink,
        options: &HttpOptions,
        persistence: Persistence,
        date: &HttpDate,
    ) {
        if let Self::WithCookies(answer, set_cookies) = self {
            answer.write_fields(sink, options, persistence, date);
            for value in set_cookies {
                sink.field("Set-Cookie", value.as_bytes());
            }
            return;
        }
        if options.sends_server {
            sink.field("Server", b"awselb/2.0");
        }
        sink.field("Date", date.as_bytes());
        let body = self.body(options);
        if let Some(content_type) = body.content_type() {
            sink.field("Content-Type", content_type.as_bytes());
        }
        // RFC 9110 section 8.6: a 204 has no Content-Length; nor has it a body.
        if self.status() != 204 {
            write_content_length(sink, body.length() as u64);
        }
        sink.hop_field("Connection", persistence.option());
        if let Self::Redirect { location, .. } = self {
            sink.field("Location", location);
        }
        if let Self::RateLimited {
            retry_after_seconds,
        } = self
        {
            sink.field_of("Retry-After", |out| put_number(out, *retry_after_seconds));
        }
    }

    /// Appends the body. A response to `HEAD` has none.
    pub(crate) fn write_body(&self, options: &HttpOptions, out: &mut Buffer) {
        if self.status() != 204 {
            self.body(options).write(out);
        }
    }

    fn body<'a>(&'a self, options: &'a HttpOptions) -> Body<'a> {
        match self {
            Self::WithCookies(answer, _) | Self::WithChanges(answer, _) => answer.body(options),
            Self::Fixed(fixed) => Body::Given {
                content_type: fixed.content_type.as_deref(),
                bytes: &fixed.body,
            },
            Self::Redirect { status, .. } => Body::Page(*status),
            Self::Page(_) | Self::RateLimited { .. } => {
                let status = self.status();
                options
                    .error_pages
                    .page(status)
                    .map_or(Body::Page(status), |page| Body::Given {
                        content_type: Some(&page.content_type),
                        bytes: page.body.as_bytes(),
                    })
            }
        }
    }

    /// Appends these parts of the response in HTTP/1.1.
    pub(crate) fn write_http1(
        &self,
        out: &mut Buffer,
        options: &HttpOptions,
        persistence: Persistence,
        parts: Parts,
        date: &HttpDate,
    ) {
        if parts != Parts::Body {
            self.write_head(&mut Http1Head(out), options, persistence, date);
        }
        if parts != Parts::Head {
            self.write_body(options, out);
        }
    }
}

/// What a client gets of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts {
    Both,
    /// The head alone, for a request with `HEAD`.
    Head,
    /// The body alone, for a request of HTTP/0.9.
    Body,
}

/// What follows the head.
enum Body<'a> {
    /// The page that says what the status means.
    Page(u16),
    /// What the configuration says.
    Given {
        content_type: Option<&'a str>,
        bytes: &'a [u8],
    },
}

impl Body<'_> {
    fn content_type(&self) -> Option<&str> {
        match self {
            Self::Page(_) => Some("text/html"),
            Self::Given { content_type, .. } => *content_type,
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Page(status) => {
                let parts = PAGE.iter().map(|part| part.len()).sum::<usize>();
                parts + 2 * ("000 ".len() + reason(*status).len())
            }
            Self::Given { bytes, .. } => bytes.len(),
        }
    }

    fn write(&self, out: &mut Buffer) {
        match self {
            Self::Page(status) => {
                let [before_title, before_heading, end] = PAGE;
                for part in [before_title, before_heading] {
                    out.put(part);
                    put_number(out, u64::from(*status));
                    out.put(b" ");
                    out.put(reason(*status).as_bytes());
                }
                out.put(end);
            }
            Self::Given { bytes, .. } => out.put(bytes),
        }
    }
}

/// The page around its two places for `status reason`; all three parts count for its length.
const PAGE: [&[u8]; 3] = [
    b"<html>\r\n<head><title>",
    b"</title></head>\r\n<body>\r\n<center><h1>",
    b"</h1></center>\r\n</body>\r\n</html>\r\n",
];

/// The reason phrase that stands in the status line and on the page.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        400 => "Bad Request",
        401 => "Authorization Required",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Time-out",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Large",
        415 => "Unsupported Media Type",
        416 => "Requested Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        // RFC 9110 section 15: a client treats an unknown status as the first of its class.
        _ if status < 300 => "OK",
        _ if status < 500 => "Bad Request",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn written(answer: &Answer<'_>, parts: Parts) -> String {
        let date = HttpDate::at(UNIX_EPOCH);
        let mut out = Buffer::default();
        let options = HttpOptions::default();
        answer.write_http1(&mut out, &options, Persistence::KeepAlive, parts, &date);
        String::from_utf8(out.filled().to_vec()).unwrap()
    }

    #[test]
    fn pages_have_the_lengths_seen_on_the_service() {
        for (status, length) in [
            (301, 134),
            (302, 110),
            (400, 122),
            (403, 118),
            (408, 132),
            (413, 148),
            (414, 142),
            (500, 142),
            (501, 130),
            (502, 122),
            (503, 162),
            (504, 132),
        ] {
            let response = written(&Answer::Page(status), Parts::Both);
            let (head, body) = response.split_once("\r\n\r\n").unwrap();
            assert!(
                head.contains(&format!("Content-Length: {length}\r\n")),
                "{status}: {head}"
            );
            assert_eq!(body.len(), length, "{status}");
            assert_eq!(written(&Answer::Page(status), Parts::Body), body);
        }
    }

    #[test]
    fn fields_stand_in_the_order_seen_on_the_service() {
        let response = written(
            &Answer::Redirect {
                status: 301,
                location: b"https://a:443/".to_vec(),
            },
            Parts::Head,
        );
        assert_eq!(
            response,
            "HTTP/1.1 301 Moved Permanently\r\nServer: awselb/2.0\r\n\
             Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: text/html\r\n\
             Content-Length: 134\r\nConnection: keep-alive\r\nLocation: https://a:443/\r\n\r\n"
        );
    }

    #[test]
    fn a_fixed_response_without_a_body_has_no_content_type() {
        let fixed = FixedResponse {
            status: 404,
            content_type: None,
            body: Box::default(),
        };
        let response = written(&Answer::Fixed(&fixed), Parts::Both);
        assert!(response.contains("Content-Length: 0\r\n") && !response.contains("Content-Type"));
    }
}
