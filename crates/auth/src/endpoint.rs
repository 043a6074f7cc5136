//! The URLs of identity providers: checked once, when a rule is made.

use url::Url;

/// Which schemes the URLs of identity providers may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schemes {
    /// `https` only, as AWS has it.
    Https,
    /// Also `http`, over which secrets travel in the open: for tests and laptops.
    HttpsAndHttp,
}

/// A URL that requests can be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Url);

/// Not such a URL. The text is that of the ELB API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The '{0}' URL is not valid")]
pub struct InvalidUrl(pub String);

impl Endpoint {
    /// An absolute URL of an allowed scheme, with a host and without user, password and fragment
    /// (RFC 6749 sections 3.1 and 3.2).
    ///
    /// # Errors
    /// If `text` is no such URL.
    pub fn parse(text: &str, schemes: Schemes) -> Result<Self, InvalidUrl> {
        let invalid = || InvalidUrl(text.to_owned());
        let url = Url::parse(text).map_err(|_| invalid())?;
        let is_allowed = match url.scheme() {
            "https" => true,
            "http" => schemes == Schemes::HttpsAndHttp,
            _ => false,
        };
        // The parser repairs what it can; a rule must say what it means.
        let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
            && text
                .get(url.scheme().len()..)
                .is_some_and(|rest| rest.starts_with("://") && !rest.starts_with(":///"));
        let has_extras =
            !url.username().is_empty() || url.password().is_some() || url.fragment().is_some();
        if is_allowed && is_plain && url.host().is_some() && !has_extras {
            Ok(Self(url))
        } else {
            Err(invalid())
        }
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
    fn only_absolute_https_urls_are_endpoints() {
        for (text, is_valid) in [
            ("https://idp.example.com", true),
            ("https://idp.example.com:8443/oauth2/token?x=1", true),
            ("https://[::1]:8443/token", true),
            ("HTTPS://idp.example.com/", true),
            ("http://idp.example.com/token", false),
            ("ftp://idp.example.com/token", false),
            ("idp.example.com/token", false),
            ("/token", false),
            ("https:///token", false),
            ("https://", false),
            ("https:idp.example.com", false),
            ("https:\\\\idp.example.com\\token", false),
            ("https://user@idp.example.com/", false),
            ("https://user:password@idp.example.com/", false),
            ("https://idp.example.com/#fragment", false),
            (" https://idp.example.com/", false),
            ("https://idp.example.com/a b", false),
            ("https://idp.example.com:99999/", false),
            ("", false),
        ] {
            let parsed = Endpoint::parse(text, Schemes::Https);
            assert_eq!(parsed.is_ok(), is_valid, "{text}");
        }
    }

    #[test]
    fn http_has_to_be_allowed() {
        let text = "http://127.0.0.1:8080/token";
        assert!(Endpoint::parse(text, Schemes::HttpsAndHttp).is_ok());
        let refused = Endpoint::parse(text, Schemes::Https).expect_err("not allowed");
        assert_eq!(
            refused.to_string(),
            "The 'http://127.0.0.1:8080/token' URL is not valid"
        );
    }

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
