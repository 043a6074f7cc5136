//! Which fields mean something to a proxy; all others pass through untouched.

use crate::desync::looks_like_framing;

/// What a field means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Nothing: it is forwarded as it is.
    Other,
    /// `Connection`
    Connection,
    /// `Content-Length`
    ContentLength,
    /// `Cookie`
    Cookie,
    /// `Date`
    Date,
    /// `Expect`
    Expect,
    /// `Host`
    Host,
    /// A field for this hop only: `Keep-Alive`, `Proxy-Connection`, `TE`, `HTTP2-Settings`.
    HopByHop,
    /// Nothing, and its name has characters that other peers may fold together: others than letters, digits
    /// and hyphens.
    ///
    /// Source: ALB guide, "Load balancer attributes", `routing.http.drop_invalid_header_fields.enabled`.
    InvalidName,
    /// A name that some peer may take for `Transfer-Encoding` or `Content-Length`; it is never handed on.
    LooksLikeFraming,
    /// `Transfer-Encoding`
    TransferEncoding,
    /// `Upgrade`
    Upgrade,
    /// `X-Amzn-Trace-Id`
    TraceId,
    /// `X-Forwarded-For`
    ForwardedFor,
    /// `X-Forwarded-Port` or `X-Forwarded-Proto`: written anew here.
    ForwardedOther,
}

impl Field {
    /// The meaning of a field name, whatever its case.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        // The length decides first: most fields of a request need no comparison at all.
        let known: &[(&[u8], Self)] = match name.len() {
            2 => &[(b"te", Self::HopByHop)],
            4 => &[(b"host", Self::Host), (b"date", Self::Date)],
            6 => &[(b"expect", Self::Expect), (b"cookie", Self::Cookie)],
            7 => &[(b"upgrade", Self::Upgrade)],
            10 => &[
                (b"connection", Self::Connection),
                (b"keep-alive", Self::HopByHop),
            ],
            14 => &[
                (b"content-length", Self::ContentLength),
                (b"http2-settings", Self::HopByHop),
            ],
            15 => &[
                (b"x-forwarded-for", Self::ForwardedFor),
                (b"x-amzn-trace-id", Self::TraceId),
            ],
            16 => &[
                (b"x-forwarded-port", Self::ForwardedOther),
                (b"proxy-connection", Self::HopByHop),
            ],
            17 => &[
                (b"transfer-encoding", Self::TransferEncoding),
                (b"x-forwarded-proto", Self::ForwardedOther),
            ],
            _ => &[],
        };
        known
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, kind)| *kind)
            .unwrap_or_else(|| {
                if looks_like_framing(name) {
                    Self::LooksLikeFraming
                } else if name.iter().all(|&b| VALID_NAME_BYTES[usize::from(b)]) {
                    Self::Other
                } else {
                    Self::InvalidName
                }
            })
    }

    /// Whether the field may stand in a trailer section that is forwarded.
    ///
    /// Fields that frame, route or describe the connection may not: RFC 9110 section 6.5.1.
    #[must_use]
    pub fn may_trail(self) -> bool {
        matches!(self, Self::Other | Self::Cookie | Self::Date)
    }
}

const VALID_NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric() || byte == b'-' as usize;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_case() {
        for (name, kind) in [
            ("Host", Field::Host),
            ("CONTENT-LENGTH", Field::ContentLength),
            ("transfer-encoding", Field::TransferEncoding),
            ("Te", Field::HopByHop),
            ("X-Forwarded-Proto", Field::ForwardedOther),
            ("X-Amzn-Trace-Id", Field::TraceId),
            ("Cookie", Field::Cookie),
            ("", Field::Other),
            ("Hosts", Field::Other),
            ("X_Api_Key", Field::InvalidName),
            ("Content_Length", Field::LooksLikeFraming),
            ("Content_Type", Field::InvalidName),
            ("x.y", Field::InvalidName),
        ] {
            assert_eq!(Field::of(name.as_bytes()), kind, "{name}");
        }
    }
}
