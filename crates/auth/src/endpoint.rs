//! The URLs of identity providers, as requests are sent to them.

use model::authentication::{InvalidAuthentication, Schemes, parse_url};
use url::Url;

/// A URL that requests can be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// The endpoint at an absolute URL of an allowed scheme.
    ///
    /// # Errors
    /// If `text` is no such URL.
    pub fn parse(text: &str, schemes: Schemes) -> Result<Self, InvalidAuthentication> {
        parse_url(text, schemes).map(Self)
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        let host = self.0.host_str().unwrap_or_default();
        host.strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(443)
    }

    /// The value of the `Host` field.
    pub(crate) fn authority(&self) -> &str {
        &self.0[url::Position::BeforeHost..url::Position::AfterPort]
    }

    /// Path and query, for the request line.
    pub(crate) fn target(&self) -> &str {
        &self.0[url::Position::BeforePath..url::Position::AfterQuery]
    }

    pub(crate) fn has_query(&self) -> bool {
        self.0.query().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_takes_its_parts_from_the_url() {
        let parts = |text| {
            let it = Endpoint::parse(text, Schemes::Https).expect("valid");
            let (host, authority, target) = (it.host(), it.authority(), it.target());
            format!("{host} {} {authority} {target}", it.port())
        };
        assert_eq!(parts("https://a.example"), "a.example 443 a.example /");
        assert_eq!(
            parts("https://a.example:444/t?q=1"),
            "a.example 444 a.example:444 /t?q=1"
        );
        assert_eq!(parts("https://[::1]:444/"), "::1 444 [::1]:444 /");
    }
}
