//! How a request is rewritten before it is sent to a target.
//!
//! Source: ALB guide, "Transforms for listener rules".

use std::net::Ipv6Addr;

use regex::bytes::{Captures, Regex};

/// The rewrites of one rule; they never change which rule or target a request gets.
#[derive(Clone, Debug, Default)]
pub struct Transforms {
    /// Rewrites `Host`.
    pub host: Option<Rewrite>,
    /// Rewrites the path with the query.
    pub url: Option<Rewrite>,
}

/// One regular expression and what its first match is replaced with.
#[derive(Clone, Debug)]
pub struct Rewrite {
    /// What is searched.
    pub pattern: Regex,
    /// The replacement. `$1` to `$9` and `${1}` and on are the groups of the match, `$0` is all of it, `$$` is
    /// a dollar sign; a group that took no part is empty, any other `$` is itself.
    pub replacement: Box<str>,
}

/// What has become of a rewrite whose pattern matched. The others of AWS's status codes are about patterns
/// that do not compile, which are refused before there is a rule with them.
///
/// Source: ALB guide, "Access logs for your Application Load Balancer", `transform_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransformStatus {
    /// The result is there.
    Success,
    /// The result is longer than `Transforms::RESULT_BYTES_MAX`.
    BufferTooSmall,
    /// The result is no host.
    InvalidHost,
    /// The result does not start with `/`, or has a byte that cannot stand in a request target.
    InvalidPath,
    /// The replacement names a group that the pattern does not have.
    ReplaceError,
}

impl TransformStatus {
    /// The code in the access log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "TransformSuccess",
            Self::BufferTooSmall => "TransformBufferTooSmall",
            Self::InvalidHost => "TransformInvalidHost",
            Self::InvalidPath => "TransformInvalidPath",
            Self::ReplaceError => "TransformReplaceError",
        }
    }
}

impl Transforms {
    /// The longest result: as long as the longest request line that is accepted.
    ///
    /// Source: ALB guide, "Quotas for your Application Load Balancers", "HTTP headers".
    pub const RESULT_BYTES_MAX: usize = 16 * 1024;

    /// Appends what `host`, the value of `Host`, becomes. `None`: it stays as it is.
    ///
    /// Without success nothing is appended, and the request is answered with 500.
    pub fn write_host(&self, host: &[u8], out: &mut Vec<u8>) -> Option<TransformStatus> {
        let is_valid = |result: &[u8]| is_host(result);
        write(
            self.host.as_ref()?,
            host,
            out,
            is_valid,
            TransformStatus::InvalidHost,
        )
    }

    /// Appends what `url`, the path with the query, becomes. `None`: it stays as it is.
    ///
    /// Without success nothing is appended, and the request is answered with 500.
    pub fn write_url(&self, url: &[u8], out: &mut Vec<u8>) -> Option<TransformStatus> {
        let is_valid = |result: &[u8]| {
            let is_allowed = |byte: &u8| byte.is_ascii_graphic() || !byte.is_ascii();
            result.starts_with(b"/") && result.iter().all(is_allowed)
        };
        write(
            self.url.as_ref()?,
            url,
            out,
            is_valid,
            TransformStatus::InvalidPath,
        )
    }
}

fn write(
    rewrite: &Rewrite,
    subject: &[u8],
    out: &mut Vec<u8>,
    is_valid: impl Fn(&[u8]) -> bool,
    invalid: TransformStatus,
) -> Option<TransformStatus> {
    let groups = rewrite.pattern.captures(subject)?;
    let start = out.len();
    let status = match rewrite.append(subject, &groups, out) {
        Ok(()) if is_valid(&out[start..]) => TransformStatus::Success,
        Ok(()) => invalid,
        Err(status) => status,
    };
    if status != TransformStatus::Success {
        out.truncate(start);
    }
    Some(status)
}

impl Rewrite {
    /// Appends `subject` with its first match replaced.
    fn append(
        &self,
        subject: &[u8],
        groups: &Captures<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), TransformStatus> {
        let mut room = Transforms::RESULT_BYTES_MAX;
        let mut put = |bytes: &[u8]| {
            room = room
                .checked_sub(bytes.len())
                .ok_or(TransformStatus::BufferTooSmall)?;
            out.extend_from_slice(bytes);
            Ok(())
        };
        let whole = groups.get(0).expect("a match has a group of its whole");
        put(&subject[..whole.start()])?;
        let mut rest = &*self.replacement;
        while let Some((literal, reference)) = rest.split_once('$') {
            put(literal.as_bytes())?;
            rest = match Reference::parse(reference) {
                Some((Reference::Dollar, rest)) => {
                    put(b"$")?;
                    rest
                }
                Some((Reference::Group(number), rest)) => {
                    if number >= groups.len() {
                        return Err(TransformStatus::ReplaceError);
                    }
                    put(groups.get(number).map_or(b"", |group| group.as_bytes()))?;
                    rest
                }
                None => {
                    put(b"$")?;
                    reference
                }
            };
        }
        put(rest.as_bytes())?;
        put(&subject[whole.end()..])
    }
}

/// What stands behind a `$`.
enum Reference {
    Dollar,
    Group(usize),
}

impl Reference {
    /// The reference at the start of `text`, and what follows it.
    fn parse(text: &str) -> Option<(Self, &str)> {
        if let Some(rest) = text.strip_prefix('$') {
            return Some((Self::Dollar, rest));
        }
        if let Some(rest) = text.strip_prefix('{') {
            let (digits, rest) = rest.split_once('}')?;
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.parse().ok().filter(|_| is_number)?;
            return Some((Self::Group(number), rest));
        }
        let digit = text.chars().next()?.to_digit(10)?;
        Some((Self::Group(digit as usize), &text[1..]))
    }
}

/// Whether this can stand in `Host`: a name or an address with or without a port.
///
/// Source: RFC 9110 section 7.2; names as they are in DNS, RFC 1123 section 2.1, with underscores.
fn is_host(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else {
        return false;
    };
    let (is_valid, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            let is_address = address.parse::<Ipv6Addr>().is_ok();
            (is_address, rest)
        }
        None => {
            let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            let is_name =
                (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_allowed);
            (is_name, port)
        }
    };
    let is_port = |digits: &str| {
        digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
    };
    is_valid && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// The longest name in DNS. Source: RFC 1035 section 2.3.4, without the length bytes.
const NAME_BYTES_MAX: usize = 253;
