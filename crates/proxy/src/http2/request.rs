//! A request of HTTP/2, checked so strictly that the HTTP/1.1 made of it can be read in one way only.
//!
//! Source: RFC 9113 sections 8.1 to 8.3 and 10.3.

use httparse::Header;

use super::hpack::FieldList;
use crate::http1::field::Field;
use crate::http1::host::Host;
use crate::http1::request::RequestHead;
use crate::http1::{Fields, Framing, Version, content_length};

/// Room for `N` fields of one head, on the stack.
pub(crate) struct Storage<'b, const N: usize> {
    headers: [Header<'b>; N],
    kinds: [Field; N],
}

/// Fields that nearly every request has room in: preparing places for `FIELDS_MAX` takes 8 KiB of writes.
pub(crate) const FIELDS_USUAL: usize = 48;

impl<'b, const N: usize> Storage<'b, N> {
    pub(crate) fn new() -> Self {
        Self {
            headers: [httparse::EMPTY_HEADER; N],
            kinds: [Field::Other; N],
        }
    }

    pub(crate) fn places(&mut self) -> Places<'_, 'b> {
        Places {
            headers: &mut self.headers,
            kinds: &mut self.kinds,
        }
    }
}

/// The places of a storage, whatever its size.
pub(crate) struct Places<'a, 'b> {
    headers: &'a mut [Header<'b>],
    kinds: &'a mut [Field],
}

impl<'a, 'b> Places<'a, 'b> {
    /// The fields of `headers`, of which there are no more than places.
    pub(crate) fn fill(self, headers: impl Iterator<Item = Header<'b>>) -> Fields<'a, 'b> {
        let mut count = 0;
        for (place, header) in self.headers.iter_mut().zip(headers) {
            *place = header;
            count += 1;
        }
        Fields::classify(&self.headers[..count], self.kinds)
    }
}

/// Why a request is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadRequest {
    /// RFC 9113 section 8.1.1: a stream error of type `PROTOCOL_ERROR`.
    Malformed(&'static str),
    /// Well-formed, and answered with this status.
    Answered(u16),
}

use BadRequest::Malformed;

/// The head that the fields of one section make, of which there are no more than `places`.
///
/// # Errors
/// `Malformed` for whatever RFC 9113 calls so; 405 for `TRACE`, 400 for `CONNECT`, 417 for an unknown
/// expectation, as with HTTP/1.
pub(crate) fn parse<'a, 'b>(
    list: &'b FieldList,
    ends_stream: bool,
    places: Places<'a, 'b>,
) -> Result<RequestHead<'a, 'b>, BadRequest> {
    let mut pseudo = Pseudo::default();
    let mut facts = Facts::default();
    let mut count = 0;
    let mut size = 0;
    for (name, value) in list.iter() {
        size += name.len() + value.len();
        check_value(value)?;
        if let Some(name) = name.strip_prefix(b":") {
            if count > 0 {
                return Err(Malformed("a pseudo field stands behind a field"));
            }
            pseudo.take(name, value)?;
            continue;
        }
        let name = checked_name(name)?;
        let kind = Field::of(name.as_bytes());
        facts.gather(kind, name, value)?;
        places.headers[count] = Header { name, value };
        count += 1;
    }
    let method = pseudo.method.ok_or(Malformed(":method is missing"))?;
    let method = token(method).ok_or(Malformed(":method is not a token"))?;
    match method {
        // Source: ALB guide, "Troubleshoot your Application Load Balancers", HTTP 405.
        "TRACE" => return Err(BadRequest::Answered(405)),
        "CONNECT" => return Err(BadRequest::Answered(400)),
        _ => {}
    }
    pseudo.check_scheme()?;
    let (path, query) = pseudo.target(method)?;
    let host = facts.host(pseudo.authority)?;
    if facts.has_unknown_expectation {
        return Err(BadRequest::Answered(417));
    }
    let framing = match (ends_stream, facts.content_length) {
        (true, None | Some(0)) => Framing::None,
        (true, Some(_)) => {
            return Err(Malformed("Content-Length announces a body that is missing"));
        }
        (false, Some(length)) => Framing::Length(length),
        (false, None) => Framing::Chunked,
    };
    Ok(RequestHead {
        method,
        version: Version::Http2,
        path,
        query,
        host: Some(host),
        framing,
        expects_continue: false,
        keeps_alive: true,
        upgrade: None,
        size,
        fields: Fields::classify(&places.headers[..count], places.kinds),
    })
}

/// Whether a section is one that may stand behind a body. Source: RFC 9113 section 8.1.
pub(crate) fn check_trailers(list: &FieldList) -> Result<(), BadRequest> {
    for (name, value) in list.iter() {
        check_value(value)?;
        checked_name(name)?;
        check_connection_field(name, value)?;
    }
    Ok(())
}

/// The pseudo fields of one request.
#[derive(Default)]
struct Pseudo<'b> {
    method: Option<&'b [u8]>,
    scheme: Option<&'b [u8]>,
    authority: Option<&'b [u8]>,
    path: Option<&'b [u8]>,
}

impl<'b> Pseudo<'b> {
    fn take(&mut self, name: &[u8], value: &'b [u8]) -> Result<(), BadRequest> {
        let place = match name {
            b"method" => &mut self.method,
            b"scheme" => &mut self.scheme,
            b"authority" => &mut self.authority,
            b"path" => &mut self.path,
            // `:protocol` of RFC 8441 is among them: we have not announced that we know it.
            _ => return Err(Malformed("a pseudo field is unknown")),
        };
        match place.replace(value) {
            None => Ok(()),
            Some(_) => Err(Malformed("a pseudo field stands there twice")),
        }
    }

    fn check_scheme(&self) -> Result<(), BadRequest> {
        let scheme = self.scheme.ok_or(Malformed(":scheme is missing"))?;
        let is = |known: &[u8]| scheme.eq_ignore_ascii_case(known);
        if is(b"https") || is(b"http") {
            Ok(())
        } else {
            Err(Malformed(":scheme is neither http nor https"))
        }
    }

    /// The path and the query.
    fn target(&self, method: &str) -> Result<(&'b [u8], Option<&'b [u8]>), BadRequest> {
        let target = self.path.ok_or(Malformed(":path is missing"))?;
        let is_path = match target {
            [b'/', ..] => true,
            b"*" => method == "OPTIONS",
            _ => false,
        };
        // White space and control characters would end the request line of HTTP/1.1 early.
        if !is_path || !target.iter().all(|b| b.is_ascii_graphic() || *b >= 0x80) {
            return Err(Malformed(":path is malformed"));
        }
        Ok(match memchr::memchr(b'?', target) {
            Some(mark) => (&target[..mark], Some(&target[mark + 1..])),
            None => (target, None),
        })
    }
}

/// What the fields say about the host and the body.
#[derive(Default)]
struct Facts<'b> {
    host: Option<&'b [u8]>,
    content_length: Option<u64>,
    has_unknown_expectation: bool,
}

impl<'b> Facts<'b> {
    fn gather(&mut self, kind: Field, name: &str, value: &'b [u8]) -> Result<(), BadRequest> {
        match kind {
            Field::Host if self.host.replace(value).is_some() => {
                Err(Malformed("Host stands there twice"))
            }
            Field::ContentLength => {
                let length = content_length(value);
                let length = length.ok_or(Malformed("Content-Length is not a number"))?;
                match self.content_length.replace(length) {
                    None => Ok(()),
                    Some(_) => Err(Malformed("Content-Length stands there twice")),
                }
            }
            Field::Expect => {
                self.has_unknown_expectation |= !value.eq_ignore_ascii_case(b"100-continue");
                Ok(())
            }
            Field::Connection | Field::TransferEncoding | Field::Upgrade | Field::HopByHop => {
                check_connection_field(name.as_bytes(), value)
            }
            _ => Ok(()),
        }
    }

    /// RFC 9113 section 8.3.1: `Host` must not say anything other than `:authority`.
    fn host(&self, authority: Option<&'b [u8]>) -> Result<Host<'b>, BadRequest> {
        let name = match (authority, self.host) {
            (Some(authority), Some(host)) if !authority.eq_ignore_ascii_case(host) => {
                return Err(Malformed("Host differs from :authority"));
            }
            (Some(name), _) | (None, Some(name)) => name,
            (None, None) => return Err(Malformed(":authority is missing")),
        };
        Host::parse(name).ok_or(Malformed(":authority is malformed"))
    }
}

/// RFC 9113 section 8.2.2: fields about the connection have no place in HTTP/2.
pub(super) fn check_connection_field(name: &[u8], value: &[u8]) -> Result<(), BadRequest> {
    match name {
        b"te" if value.eq_ignore_ascii_case(b"trailers") => Ok(()),
        b"connection" | b"keep-alive" | b"proxy-connection" | b"te" | b"transfer-encoding"
        | b"upgrade" => Err(Malformed("a field is about the connection")),
        _ => Ok(()),
    }
}

/// A field name without upper case. Source: RFC 9113 section 8.2.1.
pub(super) fn checked_name(name: &[u8]) -> Result<&str, BadRequest> {
    token(name)
        .filter(|name| !name.bytes().any(|b| b.is_ascii_uppercase()))
        .ok_or(Malformed("a field name is not a token in lower case"))
}

fn token(bytes: &[u8]) -> Option<&str> {
    let is_token = !bytes.is_empty() && bytes.iter().all(|b| TOKEN_BYTES[usize::from(*b)]);
    is_token.then(|| std::str::from_utf8(bytes).ok()).flatten()
}

/// RFC 9113 section 8.2.1, and all control characters, as in HTTP/1.
fn check_value(value: &[u8]) -> Result<(), BadRequest> {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let is_bad = |byte: &u8| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f;
    if value.iter().any(is_bad) {
        return Err(Malformed("a field value has a control character"));
    }
    if is_space(value.first()) || is_space(value.last()) {
        return Err(Malformed("a field value is surrounded by white space"));
    }
    Ok(())
}

/// Source: RFC 9110 section 5.6.2.
const TOKEN_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            );
        byte += 1;
    }
    table
};
