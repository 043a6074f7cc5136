//! A response head from a target.

use super::field::Field;
use super::{FieldStorage, Fields, Framing, Version, content_length, list_members};

/// A valid response head. All slices point into the received bytes.
#[derive(Debug)]
pub struct ResponseHead<'a, 'b> {
    /// 100 to 999.
    pub status: u16,
    /// May be empty.
    pub reason: &'b str,
    /// How the body ends.
    pub framing: Framing,
    /// Whether the target connection can carry another request after the body.
    pub keeps_alive: bool,
    /// Every field.
    pub fields: Fields<'a, 'b>,
}

/// The target did not answer with a response that can be handed on; the client gets 502.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadResponse(pub &'static str);

/// Parses one complete head of the answer to a request; `is_head` says that its method was `HEAD`.
///
/// # Errors
/// `BadResponse` for what is not HTTP/1, and for lengths that contradict each other: RFC 9112 section 6.3
/// calls them a possible attack on the response.
pub fn parse<'a, 'b>(
    head: &'b [u8],
    is_head: bool,
    storage: &'a mut FieldStorage<'b>,
) -> Result<ResponseHead<'a, 'b>, BadResponse> {
    let FieldStorage { headers, kinds } = storage;
    let mut parsed = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    match config.parse_response_with_uninit_headers(&mut parsed, head, headers) {
        Ok(httparse::Status::Complete(_)) => {}
        _ => return Err(BadResponse("the response head is malformed")),
    }
    let (Some(minor), Some(status)) = (parsed.version, parsed.code) else {
        return Err(BadResponse("the status line is not complete"));
    };
    if status < 100 {
        return Err(BadResponse("the status code is below 100"));
    }
    let version = if minor == 0 {
        Version::Http10
    } else {
        Version::Http11
    };
    let fields = Fields::classify(parsed.headers, kinds);

    let mut length = None;
    let mut is_chunked = false;
    let (mut close, mut keep_alive) = (false, false);
    for (kind, _, value) in fields.iter() {
        match kind {
            Field::ContentLength => {
                let value =
                    content_length(value).ok_or(BadResponse("Content-Length is not a number"))?;
                if length.is_some_and(|other| other != value) {
                    return Err(BadResponse("there are different Content-Lengths"));
                }
                length = Some(value);
            }
            Field::TransferEncoding if is_chunked || !value.eq_ignore_ascii_case(b"chunked") => {
                return Err(BadResponse("the transfer coding is not chunked"));
            }
            Field::TransferEncoding => is_chunked = true,
            Field::Connection => {
                for option in list_members(value) {
                    close |= option.eq_ignore_ascii_case(b"close");
                    keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            _ => {}
        }
    }
    if is_chunked && (length.is_some() || version == Version::Http10) {
        return Err(BadResponse(
            "Transfer-Encoding contradicts Content-Length or HTTP/1.0",
        ));
    }
    // RFC 9112 section 6.3, items 1, 4, 6 and 8.
    let framing = match length {
        _ if is_head || status < 200 || matches!(status, 204 | 304) => Framing::None,
        _ if is_chunked => Framing::Chunked,
        Some(0) => Framing::None,
        Some(length) => Framing::Length(length),
        None => Framing::UntilClose,
    };
    let persists = if version == Version::Http10 {
        keep_alive && !close
    } else {
        !close
    };
    Ok(ResponseHead {
        status,
        reason: parsed.reason.unwrap_or_default(),
        framing,
        keeps_alive: persists && framing != Framing::UntilClose,
        fields,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, is_head: bool, expected: Option<(u16, Framing, bool)>) {
        let mut storage = FieldStorage::new();
        let got = parse(head.as_bytes(), is_head, &mut storage).ok();
        let got = got.map(|head| (head.status, head.framing, head.keeps_alive));
        assert_eq!(got, expected, "{head:?}");
    }

    #[test]
    fn rfc9112_section_6_3_the_length_of_a_body() {
        use Framing::{Chunked, Length, None as Nothing, UntilClose};
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
            false,
            Some((200, Length(3), true)),
        );
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
            true,
            Some((200, Nothing, true)),
        );
        check(
            "HTTP/1.1 204 No Content\r\n\r\n",
            false,
            Some((204, Nothing, true)),
        );
        check(
            "HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n",
            false,
            Some((304, Nothing, true)),
        );
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            false,
            Some((200, Chunked, true)),
        );
        check(
            "HTTP/1.1 200 OK\r\n\r\n",
            false,
            Some((200, UntilClose, false)),
        );
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
            false,
            Some((200, Length(3), true)),
        );
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
            false,
            None,
        );
        check("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", false, None);
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            false,
            None,
        );
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
            false,
            None,
        );
        check(
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            false,
            None,
        );
    }

    #[test]
    fn rfc9112_section_9_3_persistence() {
        for (head, keeps_alive) in [
            ("HTTP/1.1 204 No\r\nConnection: close\r\n\r\n", false),
            ("HTTP/1.0 204 No\r\n\r\n", false),
            ("HTTP/1.0 204 No\r\nConnection: keep-alive\r\n\r\n", true),
        ] {
            check(head, false, Some((204, Framing::None, keeps_alive)));
        }
    }

    #[test]
    fn what_is_not_http_is_refused() {
        for head in [
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 099 No\r\n\r\n",
        ] {
            check(head, false, None);
        }
    }
}
