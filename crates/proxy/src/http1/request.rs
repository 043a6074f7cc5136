//! A request head, parsed so strictly that two recipients cannot read it differently.

use super::field::Field;
use super::host::Host;
use super::{FieldStorage, Fields, Framing, Version, content_length, list_members, simple};

/// A valid request head, whatever version it came in. All slices point into the received bytes.
#[derive(Debug)]
pub struct RequestHead<'a, 'b> {
    /// A token; never `CONNECT` or `TRACE`.
    pub method: &'b str,
    /// As the client speaks it.
    pub version: Version,
    /// The bytes of the head as received; in HTTP/2, those of all names and values.
    pub size: usize,
    /// The path, starting with `/`, or `*` for `OPTIONS *`.
    pub path: &'b [u8],
    /// The query without `?`; `None` if the target has no `?`.
    pub query: Option<&'b [u8]>,
    /// From an absolute request target, else from `Host`. `None`: HTTP/0.9, HTTP/1.0 without either, or an
    /// empty field.
    pub host: Option<Host<'b>>,
    /// How the body ends.
    pub framing: Framing,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Whether the client can send another request on the connection.
    pub keeps_alive: bool,
    /// The protocol to which the client wants to change.
    pub upgrade: Option<&'b [u8]>,
    /// Every field.
    pub fields: Fields<'a, 'b>,
}

/// A request that is answered here, because it is malformed, ambiguous, or not for a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct BadRequest {
    /// The status to answer with.
    pub status: u16,
    /// What is wrong.
    pub reason: &'static str,
}

const fn refuse(status: u16, reason: &'static str) -> BadRequest {
    BadRequest { status, reason }
}

/// Parses one complete head, from its request line to its empty line; of a simple request, the line alone.
///
/// # Errors
/// `BadRequest` with the status that an Application Load Balancer answers with: 400 for malformed and
/// ambiguous heads, 405 for `TRACE`, 417 for an unknown expectation, 501 for a transfer coding other than
/// `chunked`, 505 for a version other than 1.0 and 1.1. Source: RFC 9112 sections 2 to 6.
pub fn parse<'a, 'b>(
    head: &'b [u8],
    storage: &'a mut FieldStorage<'b>,
) -> Result<RequestHead<'a, 'b>, BadRequest> {
    let FieldStorage { headers, kinds } = storage;
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(head, headers) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(refuse(400, "the head is not complete")),
        Err(error) => {
            return match simple::target(head) {
                Some(target) => parse_simple(head, target),
                None => Err(not_parsed(error, head)),
            };
        }
    }
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(refuse(400, "the request line is not complete"));
    };
    let version = if minor == 0 {
        Version::Http10
    } else {
        Version::Http11
    };
    check_method(method)?;
    let target = Target::parse(method, target.as_bytes())?;
    let fields = Fields::classify(parsed.headers, kinds);

    // One pass over the fields gathers what the checks below need.
    let mut facts = Facts::default();
    for (kind, _, value) in fields.iter() {
        facts.gather(kind, value)?;
    }
    let host = facts.host(version, target.authority)?;
    let framing = facts.framing()?;
    Ok(RequestHead {
        method,
        version,
        size: head.len(),
        path: target.path,
        query: target.query,
        host,
        framing,
        expects_continue: facts.expects_continue && version == Version::Http11,
        keeps_alive: !facts.is_framing_faulty(version)
            && !facts.connection_close
            && (version == Version::Http11 || facts.connection_keep_alive),
        upgrade: facts.upgrade(version),
        fields,
    })
}

/// The head that a simple request stands for.
fn parse_simple<'a, 'b>(
    head: &'b [u8],
    target: &'b [u8],
) -> Result<RequestHead<'a, 'b>, BadRequest> {
    let method = "GET";
    let target = Target::parse(method, target)?;
    Ok(RequestHead {
        method,
        version: Version::Http09,
        size: head.len(),
        path: target.path,
        query: target.query,
        host: target.authority,
        framing: Framing::None,
        expects_continue: false,
        keeps_alive: false,
        upgrade: None,
        fields: Fields::classify(&[], &mut []),
    })
}

fn not_parsed(error: httparse::Error, head: &[u8]) -> BadRequest {
    match error {
        // The parser stops at the first version it does not know, but also at what is no version at all.
        httparse::Error::Version if names_a_version(head) => {
            refuse(505, "the protocol version is not HTTP/1.0 or HTTP/1.1")
        }
        httparse::Error::TooManyHeaders => refuse(400, "the head has too many fields"),
        httparse::Error::HeaderName => refuse(400, "a field name is not a token"),
        httparse::Error::HeaderValue => refuse(400, "a field value has a control character"),
        httparse::Error::NewLine => refuse(400, "a line does not end with CR LF"),
        _ => refuse(400, "the request line is malformed"),
    }
}

/// Whether the third and last word of the request line is `HTTP/` and digits.
fn names_a_version(head: &[u8]) -> bool {
    let line = head.split(|&b| b == b'\r').next().unwrap_or_default();
    let mut words = line.splitn(3, |&b| b == b' ').skip(2);
    words
        .next()
        .unwrap_or_default()
        .strip_prefix(b"HTTP/")
        .is_some_and(|number| {
            !number.is_empty() && number.iter().all(|b| b.is_ascii_digit() || *b == b'.')
        })
}

fn check_method(method: &str) -> Result<(), BadRequest> {
    match method {
        // Source: ALB guide, "Troubleshoot your Application Load Balancers", HTTP 405.
        "TRACE" => Err(refuse(405, "TRACE is not allowed")),
        "CONNECT" => Err(refuse(400, "CONNECT is for proxies that the client chose")),
        _ => Ok(()),
    }
}

/// A request target in its parts. Source: RFC 9112 section 3.2.
struct Target<'b> {
    authority: Option<Host<'b>>,
    path: &'b [u8],
    query: Option<&'b [u8]>,
}

impl<'b> Target<'b> {
    fn parse(method: &str, target: &'b [u8]) -> Result<Self, BadRequest> {
        const MALFORMED: BadRequest = refuse(400, "the request target is malformed");
        if !target.iter().all(|b| b.is_ascii_graphic() || *b >= 0x80) {
            return Err(MALFORMED);
        }
        let (authority, rest) = match target {
            [b'/', ..] => (None, target),
            b"*" if method == "OPTIONS" => (None, target),
            _ => {
                let rest = strip_scheme(target).ok_or(MALFORMED)?;
                let end = rest.iter().position(|b| matches!(b, b'/' | b'?' | b'#'));
                let (authority, rest) = rest.split_at(end.unwrap_or(rest.len()));
                (Some(Host::parse(authority).ok_or(MALFORMED)?), rest)
            }
        };
        let (path, query) = match memchr::memchr(b'?', rest) {
            Some(mark) => (&rest[..mark], Some(&rest[mark + 1..])),
            None => (rest, None),
        };
        // RFC 9112 section 3.2.1: an absolute target without a path means the root.
        let path = if path.is_empty() { b"/" } else { path };
        if !matches!(path, [b'/', ..] | b"*") {
            return Err(MALFORMED);
        }
        Ok(Self {
            authority,
            path,
            query,
        })
    }
}

fn strip_scheme(target: &[u8]) -> Option<&[u8]> {
    let after = |scheme: &[u8]| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    after(b"http://").or_else(|| after(b"https://"))
}

/// What the fields say about framing, the connection and the host.
#[derive(Default)]
struct Facts<'b> {
    host: Option<&'b [u8]>,
    content_length: Option<u64>,
    coding: Coding,
    connection_close: bool,
    connection_keep_alive: bool,
    connection_upgrade: bool,
    upgrade: Option<&'b [u8]>,
    expects_continue: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Coding {
    #[default]
    Absent,
    Identity,
    Chunked,
}

impl<'b> Facts<'b> {
    fn gather(&mut self, kind: Field, value: &'b [u8]) -> Result<(), BadRequest> {
        match kind {
            Field::Host if self.host.is_some() => {
                return Err(refuse(400, "Host stands there twice"));
            }
            Field::Host => self.host = Some(value),
            Field::ContentLength => {
                let length = content_length(value);
                let length = length.ok_or(refuse(400, "Content-Length is not a number"))?;
                // RFC 9112 section 6.3, item 5: the same number again says nothing else.
                if self.content_length.is_some_and(|other| other != length) {
                    return Err(refuse(400, "there are different Content-Lengths"));
                }
                self.content_length = Some(length);
            }
            Field::TransferEncoding => self.gather_codings(value)?,
            Field::Connection => self.gather_connection(value),
            Field::Upgrade if self.upgrade.is_none() => self.upgrade = Some(value),
            Field::Expect if value.eq_ignore_ascii_case(b"100-continue") => {
                self.expects_continue = true;
            }
            Field::Expect => return Err(refuse(417, "the expectation is not 100-continue")),
            _ => {}
        }
        Ok(())
    }

    fn gather_codings(&mut self, value: &[u8]) -> Result<(), BadRequest> {
        let mut seen = false;
        for coding in list_members(value) {
            seen = true;
            let is = |name: &[u8]| coding.eq_ignore_ascii_case(name);
            self.coding = match self.coding {
                Coding::Absent if is(b"chunked") => Coding::Chunked,
                Coding::Absent if is(b"identity") => Coding::Identity,
                // Source: ALB guide, "Troubleshoot your Application Load Balancers", HTTP 501.
                Coding::Absent if is(b"gzip") || is(b"deflate") || is(b"compress") => {
                    return Err(refuse(501, "the transfer coding is not chunked"));
                }
                Coding::Absent => return Err(refuse(400, "the transfer coding is unknown")),
                _ => return Err(refuse(400, "there are several transfer codings")),
            };
        }
        if seen {
            Ok(())
        } else {
            Err(refuse(400, "Transfer-Encoding is empty"))
        }
    }

    fn gather_connection(&mut self, value: &[u8]) {
        for option in list_members(value) {
            self.connection_close |= option.eq_ignore_ascii_case(b"close");
            self.connection_keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            self.connection_upgrade |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }

    /// RFC 9112 section 3.2: exactly one valid `Host` in HTTP/1.1; an absolute target outweighs it.
    fn host(
        &self,
        version: Version,
        authority: Option<Host<'b>>,
    ) -> Result<Option<Host<'b>>, BadRequest> {
        let field = match self.host {
            None if version == Version::Http11 => return Err(refuse(400, "Host is missing")),
            None | Some([]) => None,
            Some(value) => Some(Host::parse(value).ok_or(refuse(400, "Host is malformed"))?),
        };
        Ok(authority.or(field))
    }

    /// RFC 9112 section 6.3: chunks outweigh a length.
    fn framing(&self) -> Result<Framing, BadRequest> {
        match (self.coding, self.content_length) {
            (Coding::Absent, None | Some(0)) | (Coding::Identity, None) => Ok(Framing::None),
            (Coding::Absent, Some(length)) => Ok(Framing::Length(length)),
            (Coding::Identity, Some(_)) => Err(refuse(
                400,
                "the coding identity and Content-Length exclude each other",
            )),
            (Coding::Chunked, _) => Ok(Framing::Chunked),
        }
    }

    /// Whether the framing is faulty and the connection ends with the request: RFC 9112 section 6.1, for
    /// chunks with a length or in HTTP/1.0.
    fn is_framing_faulty(&self, version: Version) -> bool {
        let has_codings = self.coding != Coding::Absent;
        has_codings && (self.content_length.is_some() || version == Version::Http10)
    }

    /// The protocol to upgrade to. RFC 9110 section 7.8: both fields are needed, and HTTP/1.1.
    ///
    /// `h2c` is not handed on: the target would then speak HTTP/2 with the client past all rules.
    fn upgrade(&self, version: Version) -> Option<&'b [u8]> {
        let wanted = self.connection_upgrade && version == Version::Http11;
        let is_h2c = |protocol: &[u8]| protocol.eq_ignore_ascii_case(b"h2c");
        self.upgrade
            .filter(|value| wanted && !value.is_empty() && !list_members(value).any(is_h2c))
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
