//! The URL of a question, cut into what a client makes of it.

use super::QuestionError;

/// The parts of a URL.
pub(super) struct Url<'u> {
    pub(super) is_https: bool,
    /// Without brackets.
    pub(super) host: &'u str,
    /// Host and port as they stand there.
    pub(super) authority: &'u str,
    pub(super) port: u16,
    /// Path and query.
    pub(super) target: String,
}

impl<'u> Url<'u> {
    /// # Errors
    /// `QuestionError::Url`.
    pub(super) fn parse(text: &'u str) -> Result<Self, QuestionError> {
        Self::read(text).ok_or_else(|| QuestionError::Url(text.to_owned()))
    }

    fn read(text: &'u str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_https = match &*scheme.to_ascii_lowercase() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let rest = rest.split('#').next()?;
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let slash = if target.starts_with('/') { "" } else { "/" };
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']')?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if port.is_empty() && is_https => 443,
            None if port.is_empty() => 80,
            None => return None,
        };
        let is_plain = !host.is_empty() && !authority.contains('@');
        is_plain.then(|| Self {
            is_https,
            host,
            authority,
            port,
            target: format!("{slash}{target}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_a_port_and_a_target() {
        for (text, expected) in [
            ("http://a", Some((false, "a", 80, "/"))),
            ("https://a/b?c#d", Some((true, "a", 443, "/b?c"))),
            ("HTTP://a.b:81?c", Some((false, "a.b", 81, "/?c"))),
            ("http://[::1]:8080/x", Some((false, "::1", 8080, "/x"))),
            ("http://[::1]/", Some((false, "::1", 80, "/"))),
            ("ftp://a/", None),
            ("a/b", None),
            ("http:///b", None),
            ("http://a:x/", None),
            ("http://user@a/", None),
        ] {
            let read = Url::parse(text).ok();
            let read = read.map(|url| (url.is_https, url.host, url.port, url.target));
            let expected =
                expected.map(|(s, host, port, target)| (s, host, port, target.to_owned()));
            assert_eq!(read, expected, "{text}");
        }
    }
}
