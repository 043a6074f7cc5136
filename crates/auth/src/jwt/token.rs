//! A bearer token taken apart, before anything of it is believed. Source: RFC 7515, RFC 7519, RFC 6750.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::json;
use crate::outcome::Reason;

/// Longest token, in bytes. No header field line is longer.
pub const TOKEN_MAX: usize = 16 * 1024;

/// A JSON Web Token in the compact serialisation. Whoever reads it can use it, so it does not print itself.
#[derive(Clone)]
pub struct Token<'a> {
    /// The whole.
    pub text: &'a [u8],
    /// The first two parts with the dot between them, which is what is signed.
    pub signed: &'a [u8],
    /// The header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
    /// The signature; may be empty.
    pub signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// The token of a request, from the values of its `Authorization` fields.
    ///
    /// # Errors
    /// If there is not exactly one field with one well-formed bearer token.
    pub fn of_request(values: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, Reason> {
        let mut values = values.into_iter();
        let value = values.next().ok_or(Reason::JwtHeaderNotPresent)?;
        let malformed = Reason::JwtRequestFormatInvalid;
        if values.next().is_some() {
            return Err(malformed);
        }
        let (scheme, rest) = value.split_at_checked(6).ok_or(malformed)?;
        let token = rest.trim_ascii();
        // RFC 6750 section 2.1; names of schemes are of any case (RFC 9110 section 11.1).
        if !scheme.eq_ignore_ascii_case(b"bearer") || !rest.starts_with(b" ") {
            return Err(malformed);
        }
        Self::parse(token).ok_or(malformed)
    }

    /// Takes a token apart. `None` if it is longer than [`TOKEN_MAX`], does not consist of three parts of
    /// base64url without padding, or header or claims are not JSON objects whose members come once.
    #[must_use]
    pub fn parse(token: &'a [u8]) -> Option<Self> {
        if token.len() > TOKEN_MAX {
            return None;
        }
        let mut parts = token.split(|&b| b == b'.');
        let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let decode = |part: &[u8]| BASE64_URL_SAFE_NO_PAD.decode(part).ok();
        Some(Self {
            text: token,
            signed: &token[..header.len() + 1 + claims.len()],
            header: json::object(&decode(header)?)?,
            claims: json::object(&decode(claims)?)?,
            signature: decode(signature)?,
        })
    }

    /// The name of the key that is said to have signed with RS256.
    ///
    /// # Errors
    /// If the header says another algorithm, names no key, or says that there is more to understand
    /// (RFC 7515 section 4.1.11).
    pub fn key_id(&self) -> Result<&str, Reason> {
        let text = |name: &str| self.header.get(name).and_then(Value::as_str);
        match (text("alg"), text("kid")) {
            (Some("RS256"), Some(key_id)) if !self.header.contains_key("crit") => Ok(key_id),
            _ => Err(Reason::JwtSignatureInvalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ"; // {"alg":"RS256","kid":"k"}
    const CLAIMS: &str = "eyJzdWIiOiJtZSJ9"; // {"sub":"me"}

    fn check(values: &[&str], expected: Result<(), Reason>) {
        let token = Token::of_request(values.iter().map(|it| it.as_bytes()));
        assert_eq!(token.map(|_| ()), expected, "{values:?}");
    }

    #[test]
    fn one_bearer_token_is_read() {
        let good = format!("{HEADER}.{CLAIMS}.AAAA");
        check(&[&format!("Bearer {good}")], Ok(()));
        check(&[&format!("bearer   {good} ")], Ok(()));
        check(&[&format!("Bearer {HEADER}.{CLAIMS}.")], Ok(()));
        let parsed = Token::parse(good.as_bytes()).expect("good");
        assert_eq!(parsed.signed, format!("{HEADER}.{CLAIMS}").as_bytes());
        assert_eq!(parsed.key_id(), Ok("k"));
    }

    #[test]
    fn anything_else_is_malformed() {
        check(&[], Err(Reason::JwtHeaderNotPresent));
        let good = format!("Bearer {HEADER}.{CLAIMS}.AAAA");
        let malformed = |value: &str| check(&[value], Err(Reason::JwtRequestFormatInvalid));
        check(&[&good, &good], Err(Reason::JwtRequestFormatInvalid));
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Basic dXNlcjpwYXNz",
            "Bearer a.b.c",
            "Bearer ..",
            &format!("{HEADER}.{CLAIMS}.AAAA"),
            &format!("Bearer{HEADER}.{CLAIMS}.AAAA"),
            &format!("Bearer {HEADER}.{CLAIMS}"),
            &format!("Bearer {HEADER}.{CLAIMS}.AAAA.AAAA"),
            &format!("Bearer {HEADER}.{CLAIMS}.AAAA {HEADER}.{CLAIMS}.AAAA"),
            &format!("Bearer {HEADER}.{CLAIMS}.AAAA, Bearer {HEADER}.{CLAIMS}.AAAA"),
            // Padding, the other alphabet, bits that no byte has, a part that is not JSON.
            &format!("Bearer {HEADER}==.{CLAIMS}.AAAA"),
            &format!("Bearer {HEADER}.{CLAIMS}.AAA="),
            &format!("Bearer {HEADER}.{CLAIMS}.AA+/"),
            &format!("Bearer {HEADER}.{CLAIMS}.AB"),
            &format!("Bearer {HEADER}.AAAA.AAAA"),
            // {"sub":"me","sub":"you"}
            &format!("Bearer {HEADER}.eyJzdWIiOiJtZSIsInN1YiI6InlvdSJ9.AAAA"),
            // An array.
            &format!("Bearer {HEADER}.W10.AAAA"),
        ] {
            malformed(value);
        }
    }

    #[test]
    fn a_huge_token_is_not_decoded() {
        let of_length = |length: usize| {
            let short = format!("{HEADER}.{CLAIMS}.");
            format!("{short}{}", "A".repeat(length - short.len()))
        };
        assert!(Token::parse(of_length(TOKEN_MAX).as_bytes()).is_some());
        assert!(Token::parse(of_length(TOKEN_MAX + 4).as_bytes()).is_none());
    }

    #[test]
    fn only_rs256_with_a_named_key_is_considered() {
        for (header, expected) in [
            (r#"{"alg":"RS256","kid":"k","typ":"at+jwt"}"#, Ok("k")),
            (r#"{"alg":"none","kid":"k"}"#, Err(())),
            (r#"{"alg":"None","kid":"k"}"#, Err(())),
            (r#"{"alg":"HS256","kid":"k"}"#, Err(())),
            (r#"{"alg":"RS512","kid":"k"}"#, Err(())),
            (r#"{"alg":"PS256","kid":"k"}"#, Err(())),
            (r#"{"alg":["RS256"],"kid":"k"}"#, Err(())),
            (r#"{"kid":"k"}"#, Err(())),
            (r#"{"alg":"RS256"}"#, Err(())),
            (r#"{"alg":"RS256","kid":1}"#, Err(())),
            (
                r#"{"alg":"RS256","kid":"k","crit":["b64"],"b64":false}"#,
                Err(()),
            ),
        ] {
            let text = format!("{}.{CLAIMS}.AAAA", BASE64_URL_SAFE_NO_PAD.encode(header));
            let token = Token::parse(text.as_bytes()).expect("well-formed");
            let expected = expected.map_err(|()| Reason::JwtSignatureInvalid);
            assert_eq!(token.key_id(), expected, "{header}");
        }
    }
}
