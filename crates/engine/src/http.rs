//! What a listener does to the HTTP messages that pass it, whatever their rule.

use std::time::Duration;

/// The treatment of all messages of one listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// Whether clients that speak TLS are offered HTTP/2.
    pub offers_http2: bool,
    /// What becomes of requests that two peers may read differently.
    pub desync_mitigation: DesyncMitigation,
    /// Whether fields whose names have other characters than letters, digits and hyphens are removed.
    pub drops_invalid_fields: bool,
    /// Whether `Host` reaches the target as the client sent it.
    pub preserves_host: bool,
    /// What becomes of `X-Forwarded-For`.
    pub forwarded_for: ForwardedFor,
    /// The names of the fields that tell the target about the TLS connection.
    pub tls_fields: TlsFields,
    /// Whether the target is told the protocol version and the cipher suite.
    pub sends_tls_version_and_cipher: bool,
    /// Whether responses made here have a `Server` field.
    pub sends_server: bool,
    /// Fields of every response, in place of those of the same name: name and value.
    pub response_fields: Vec<(Box<str>, Box<str>)>,
    /// What stands in place of the pages of responses made here; an extension of elbow.
    pub error_pages: ErrorPages,
    /// Which responses of targets are compressed; an extension of elbow. `None`: none.
    pub response_compression: Option<ResponseCompression>,
}

/// Which responses of targets are compressed for clients that accept it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseCompression {
    /// Each is `type/subtype`, or `type/*` for all of a type.
    pub content_types: Vec<Box<str>>,
    /// A response that says it is smaller stays as it is; in bytes.
    pub minimum_bytes: u64,
}

impl ResponseCompression {
    /// Whether responses with this value of `Content-Type` are compressed. Those of gRPC never are: their
    /// messages have a compression of their own, and are not to wait for each other.
    #[must_use]
    pub fn covers(&self, content_type: &[u8]) -> bool {
        let media_type = content_type.split(|b| *b == b';').next();
        let media_type = media_type.unwrap_or_default().trim_ascii();
        let begins_with = |prefix: &[u8]| {
            let start = media_type.get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let is_it = |covered: &str| match covered.strip_suffix('*') {
            Some(prefix) => begins_with(prefix.as_bytes()),
            None => media_type.eq_ignore_ascii_case(covered.as_bytes()),
        };
        !begins_with(b"application/grpc") && self.content_types.iter().any(|it| is_it(it))
    }
}

/// Pages in place of those made here, by status. None by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorPages {
    /// By status, or by the first digit of a class.
    pages: Vec<(u16, ErrorPage)>,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPage {
    /// The value of `Content-Type`.
    pub content_type: Box<str>,
    /// In UTF-8.
    pub body: Box<str>,
}

impl ErrorPages {
    /// Sets the page of `status`, or of all that begin with it: 4 or 5.
    pub fn insert(&mut self, status: u16, page: ErrorPage) {
        self.pages.push((status, page));
    }

    /// The page for `status`; one of its own goes before one of its class.
    #[must_use]
    pub fn page(&self, status: u16) -> Option<&ErrorPage> {
        let page_of = |wanted: u16| self.pages.iter().find(|(status, _)| *status == wanted);
        let (_, page) = page_of(status).or_else(|| page_of(status / 100))?;
        Some(page)
    }
}

/// What becomes of requests that two peers may read differently.
///
/// Source: ALB guide, "Desync mitigation mode".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DesyncMitigation {
    /// They pass, and are counted.
    Monitor,
    /// The dangerous ones are refused; ambiguous ones cost both connections.
    #[default]
    Defensive,
    /// Only compliant ones pass.
    Strictest,
}

/// What becomes of `X-Forwarded-For`.
///
/// Source: ALB guide, "HTTP headers and Application Load Balancers", "X-Forwarded headers".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedFor {
    /// The address of the client is appended.
    Append {
        /// Whether its port stands there too.
        client_port: bool,
    },
    /// It is left as it came.
    Preserve,
    /// It is removed.
    Remove,
}

impl Default for ForwardedFor {
    fn default() -> Self {
        Self::Append { client_port: false }
    }
}

/// The names of the fields that tell the target about the TLS connection.
///
/// Source: ELB API, `ListenerAttribute`, `routing.http.request.*.header_name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFields {
    /// The whole chain that the client showed; default `X-Amzn-Mtls-Clientcert`.
    pub client_certificate: Box<str>,
    /// Default `X-Amzn-Mtls-Clientcert-Serial-Number`.
    pub client_certificate_serial_number: Box<str>,
    /// Default `X-Amzn-Mtls-Clientcert-Issuer`.
    pub client_certificate_issuer: Box<str>,
    /// Default `X-Amzn-Mtls-Clientcert-Subject`.
    pub client_certificate_subject: Box<str>,
    /// Default `X-Amzn-Mtls-Clientcert-Validity`.
    pub client_certificate_validity: Box<str>,
    /// Default `X-Amzn-Mtls-Clientcert-Leaf`.
    pub client_certificate_leaf: Box<str>,
    /// Default `X-Amzn-Tls-Version`.
    pub version: Box<str>,
    /// Default `X-Amzn-Tls-Cipher-Suite`.
    pub cipher_suite: Box<str>,
}

impl Default for TlsFields {
    fn default() -> Self {
        Self {
            client_certificate: "X-Amzn-Mtls-Clientcert".into(),
            client_certificate_serial_number: "X-Amzn-Mtls-Clientcert-Serial-Number".into(),
            client_certificate_issuer: "X-Amzn-Mtls-Clientcert-Issuer".into(),
            client_certificate_subject: "X-Amzn-Mtls-Clientcert-Subject".into(),
            client_certificate_validity: "X-Amzn-Mtls-Clientcert-Validity".into(),
            client_certificate_leaf: "X-Amzn-Mtls-Clientcert-Leaf".into(),
            version: "X-Amzn-Tls-Version".into(),
            cipher_suite: "X-Amzn-Tls-Cipher-Suite".into(),
        }
    }
}

impl Default for HttpOptions {
    /// Those of a load balancer on which no attribute was set.
    fn default() -> Self {
        Self {
            offers_http2: true,
            desync_mitigation: DesyncMitigation::default(),
            drops_invalid_fields: false,
            preserves_host: false,
            forwarded_for: ForwardedFor::default(),
            tls_fields: TlsFields::default(),
            sends_tls_version_and_cipher: false,
            sends_server: true,
            response_fields: Vec::new(),
            error_pages: ErrorPages::default(),
            response_compression: None,
        }
    }
}

/// How a client is kept with the target of its first request.
///
/// Source: ALB guide, "Sticky sessions for your Application Load Balancer".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stickiness {
    /// It is not.
    #[default]
    Off,
    /// By a cookie of the load balancer.
    LoadBalancerCookie {
        /// How long after the latest response, 1 to 604,800 s.
        duration: Duration,
    },
    /// As long as the client has a cookie of the application.
    ApplicationCookie {
        /// The name of the application's cookie.
        name: Box<str>,
        /// How long after the latest response, 1 to 604,800 s.
        duration: Duration,
    },
}

/// What the targets of a pool speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetProtocol {
    /// Whether they are spoken to through TLS. Their certificates are not verified.
    pub is_tls: bool,
    /// The version of HTTP.
    pub version: HttpVersion,
}

/// The version of HTTP that targets speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2, over clear text with prior knowledge.
    Http2,
    /// gRPC over HTTP/2.
    Grpc,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_covered_whatever_their_case_and_parameters() {
        let compression = ResponseCompression {
            content_types: ["text/*", "application/json", "application/grpc"]
                .map(Into::into)
                .into(),
            minimum_bytes: 0,
        };
        for (content_type, expected) in [
            ("text/html", true),
            ("Text/HTML; charset=utf-8", true),
            ("text/event-stream ;x", true),
            ("application/JSON;q", true),
            ("application/json-seq", false),
            ("text", false),
            ("image/png", false),
            ("", false),
            ("application/grpc", false),
            ("application/grpc+proto", false),
        ] {
            assert_eq!(
                compression.covers(content_type.as_bytes()),
                expected,
                "{content_type}"
            );
        }
    }
}
