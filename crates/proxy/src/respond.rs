//! Responses that are made here.
//!
//! Source: ALB guide, "Troubleshoot your Application Load Balancers"; the order of the fields and the
//! bodies are those seen on the service.

use engine::FixedResponse;

use crate::buffer::Buffer;
use crate::date::HttpDate;
use crate::outgoing::{Persistence, put_number};

/// What every generated response needs to know of its exchange.
#[derive(Clone, Copy)]
pub(crate) struct Reply<'a> {
    pub(crate) persistence: Persistence,
    /// A response to `HEAD` has the fields of one to `GET` and no body.
    pub(crate) is_head: bool,
    pub(crate) date: &'a HttpDate,
}

impl Reply<'_> {
    /// A response with the page that says what its status means.
    pub(crate) fn page(&self, out: &mut Buffer, status: u16) {
        self.write_page(out, status, None);
    }

    /// A redirect to `location`.
    pub(crate) fn redirect(&self, out: &mut Buffer, status: u16, location: &[u8]) {
        self.write_page(out, status, Some(location));
    }

    /// The response of a fixed-response action.
    pub(crate) fn fixed(&self, out: &mut Buffer, fixed: &FixedResponse) {
        self.start(out, fixed.status);
        if let Some(content_type) = &fixed.content_type {
            out.put(b"Content-Type: ");
            out.put(content_type.as_bytes());
            out.put(b"\r\n");
        }
        // RFC 9110 section 8.6: a 204 has no Content-Length; nor has it a body.
        let has_body = fixed.status != 204;
        if has_body {
            put_length(out, fixed.body.len());
        }
        self.put_connection(out);
        out.put(b"\r\n");
        if has_body && !self.is_head {
            out.put(&fixed.body);
        }
    }

    fn write_page(&self, out: &mut Buffer, status: u16, location: Option<&[u8]>) {
        let reason = reason(status).as_bytes();
        self.start(out, status);
        out.put(b"Content-Type: text/html\r\n");
        put_length(
            out,
            PAGE.iter().map(|part| part.len()).sum::<usize>() + 2 * (4 + reason.len()),
        );
        self.put_connection(out);
        if let Some(location) = location {
            out.put(b"Location: ");
            out.put(location);
            out.put(b"\r\n");
        }
        out.put(b"\r\n");
        if self.is_head {
            return;
        }
        let [before_title, before_heading, end] = PAGE;
        for part in [before_title, before_heading] {
            out.put(part);
            put_number(out, u64::from(status));
            out.put(b" ");
            out.put(reason);
        }
        out.put(end);
    }

    fn start(&self, out: &mut Buffer, status: u16) {
        out.put(b"HTTP/1.1 ");
        put_number(out, u64::from(status));
        out.put(b" ");
        out.put(reason(status).as_bytes());
        out.put(b"\r\nServer: awselb/2.0\r\nDate: ");
        out.put(self.date.as_bytes());
        out.put(b"\r\n");
    }

    fn put_connection(&self, out: &mut Buffer) {
        out.put(match self.persistence {
            Persistence::KeepAlive => b"Connection: keep-alive\r\n",
            Persistence::Close => b"Connection: close\r\n",
        });
    }
}

/// The page around its two places for `status reason`; all three parts count for its length.
const PAGE: [&[u8]; 3] = [
    b"<html>\r\n<head><title>",
    b"</title></head>\r\n<body>\r\n<center><h1>",
    b"</h1></center>\r\n</body>\r\n</html>\r\n",
];

fn put_length(out: &mut Buffer, length: usize) {
    out.put(b"Content-Length: ");
    put_number(out, length as u64);
    out.put(b"\r\n");
}

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

    fn written(is_head: bool, write: impl FnOnce(&Reply<'_>, &mut Buffer)) -> String {
        let date = HttpDate::at(UNIX_EPOCH);
        let reply = Reply {
            persistence: Persistence::KeepAlive,
            is_head,
            date: &date,
        };
        let mut out = Buffer::default();
        write(&reply, &mut out);
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
            let response = written(false, |reply, out| reply.page(out, status));
            let (head, body) = response.split_once("\r\n\r\n").unwrap();
            assert!(
                head.contains(&format!("Content-Length: {length}\r\n")),
                "{status}: {head}"
            );
            assert_eq!(body.len(), length, "{status}");
        }
    }

    #[test]
    fn fields_stand_in_the_order_seen_on_the_service() {
        let response = written(true, |reply, out| {
            reply.redirect(out, 301, b"https://a:443/")
        });
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
        let response = written(false, |reply, out| reply.fixed(out, &fixed));
        assert!(response.contains("Content-Length: 0\r\n") && !response.contains("Content-Type"));
    }
}
