//! How clients show who they are: a login at an OpenID Connect provider, or a token in the request.
//!
//! Source: ELB API, `AuthenticateOidcActionConfig`, `AuthenticateCognitoActionConfig` and
//! `JwtValidationActionConfig`.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::attributes::is_token;
use crate::secret::{SealedSecret, Secret};
use crate::text_enum;

/// How clients of a rule show who they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Authentication {
    /// By a login at a provider.
    Oidc(Oidc<SealedSecret>),
    /// By a login at a Cognito user pool.
    Cognito(Cognito),
    /// By a token in the request.
    Jwt(JwtValidation),
}

text_enum! {
    /// What happens to a request without a session.
    pub enum OnUnauthenticatedRequest {
        /// It is answered with 401.
        Deny = "deny",
        /// It passes, without the user's fields.
        Allow = "allow",
        /// The client is sent to the provider.
        Authenticate = "authenticate",
    }
}

/// A login at a provider. What is given for a Cognito user pool is the same with its endpoints filled in.
///
/// Where it is stored its client secret is a `SealedSecret`, so that no record has it in the clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oidc<S = Secret> {
    /// The issuer, an `https` URL.
    pub issuer: String,
    /// Where the browser is sent.
    pub authorization_endpoint: String,
    /// Where codes are exchanged.
    pub token_endpoint: String,
    /// Where the claims come from.
    pub user_info_endpoint: String,
    /// Names the load balancer to the provider.
    pub client_id: String,
    /// The load balancer's password at the provider.
    #[serde(rename = "sealed_client_secret")]
    pub client_secret: S,
    /// What the names of the session's cookies begin with; default `AWSELBAuthSessionCookie`.
    pub session_cookie_name: String,
    /// What is asked for, words with blanks between; default `openid`.
    pub scope: String,
    /// How long a login holds, 1 to 604,800 s; default 604,800.
    pub session_timeout_seconds: u32,
    /// At most 10 further parameters for the authorization endpoint, in the order of their names.
    pub extra_params: Vec<(String, String)>,
    /// What happens to a request without a session; default `authenticate`.
    pub on_unauthenticated_request: OnUnauthenticatedRequest,
    /// The ARN of the load balancer, which signs for the claims.
    pub signer: String,
}

impl<S> Oidc<S> {
    /// The same login with another form of its client secret.
    #[must_use]
    pub fn with_client_secret<T>(self, client_secret: T) -> Oidc<T> {
        Oidc {
            issuer: self.issuer,
            authorization_endpoint: self.authorization_endpoint,
            token_endpoint: self.token_endpoint,
            user_info_endpoint: self.user_info_endpoint,
            client_id: self.client_id,
            client_secret,
            session_cookie_name: self.session_cookie_name,
            scope: self.scope,
            session_timeout_seconds: self.session_timeout_seconds,
            extra_params: self.extra_params,
            on_unauthenticated_request: self.on_unauthenticated_request,
            signer: self.signer,
        }
    }
}

/// A login at a Cognito user pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cognito {
    /// The user pool, as it was given.
    pub user_pool_arn: String,
    /// The prefix of its Cognito domain, or the whole name of its own.
    pub user_pool_domain: String,
    /// What that comes to; the client of the user pool is in `client_id`.
    pub oidc: Oidc<SealedSecret>,
}

/// A signed token that every request must carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwtValidation {
    /// Where the issuer's keys are, an `https` URL.
    pub jwks_endpoint: String,
    /// Who must have issued the token.
    pub issuer: String,
    /// At most 10 further claims that must hold.
    pub additional_claims: Vec<Claim>,
}

/// A claim that a token must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// How the values stand in the token.
    pub format: ClaimFormat,
    /// Its name.
    pub name: String,
    /// What it must have, 1 to 10.
    pub values: Vec<String>,
}

text_enum! {
    /// How the values of a claim stand in a token.
    pub enum ClaimFormat {
        /// One string.
        SingleString = "single-string",
        /// A list of strings.
        StringArray = "string-array",
        /// Words with blanks between. A token needs all of the values; of those of the other formats, any one.
        /// The guide can also be read as asking for any one; who lists two scopes is better served by the
        /// reading that lets fewer in.
        SpaceSeparatedValues = "space-separated-values",
    }
}

/// What an action that authenticates cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAuthentication {
    /// Not an absolute `https` URL.
    #[error("The '{0}' URL is not valid")]
    Url(String),
    /// A text that is empty or too long.
    #[error("The '{field}' field must be between 1 and {max} characters in length")]
    Length {
        /// What it is.
        field: &'static str,
        /// How many characters it may have.
        max: usize,
    },
    /// Not the name of a cookie.
    #[error(
        "The session cookie name '{0}' is not valid; use 1 to 256 letters, digits and characters of \
         !#$%&'*+-.^_`|~"
    )]
    SessionCookieName(String),
    /// Not words with single blanks between.
    #[error(
        "The scope '{0}' is not valid; use words of visible ASCII without '\"' and '\\', with one blank between \
         two of them"
    )]
    Scope(String),
    /// Out of range.
    #[error("'Session timeout' value '{0}' must be between 1 and 604800 inclusive")]
    SessionTimeout(i64),
    /// More than 10.
    #[error("There are {0} authentication request extra parameters; at most 10 can be specified")]
    ExtraParams(usize),
    /// One that the login itself sets.
    #[error(
        "The authentication request extra parameter '{0}' is set by the load balancer and cannot be specified"
    )]
    FlowParam(String),
    /// Not an ARN of a user pool.
    #[error("'{0}' is not a valid user pool ARN")]
    UserPoolArn(String),
    /// Neither a prefix nor a domain.
    #[error("'{0}' is not a valid user pool domain; specify its prefix or its whole name")]
    UserPoolDomain(String),
    /// More than 10.
    #[error("There are {0} additional claims; at most 10 can be specified")]
    Claims(usize),
    /// One that is checked anyway.
    #[error("The claim '{0}' is always validated and cannot be specified as an additional claim")]
    ReservedClaim(String),
    /// None, or more than 10.
    #[error("The claim '{name}' has {count} values; specify 1 to 10")]
    ClaimValues {
        /// The claim.
        name: String,
        /// How many there are.
        count: usize,
    },
    /// A word with a blank in it.
    #[error(
        "The value '{value}' of the claim '{name}' contains a space, which values with the format \
         'space-separated-values' cannot; specify each word as a value of its own"
    )]
    ClaimSpace {
        /// The claim.
        name: String,
        /// The value.
        value: String,
    },
}

/// Which schemes the URL of a provider may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schemes {
    /// `https`, as AWS has it.
    Https,
    /// Also `http`, over which secrets travel in the open: for providers on the same machine.
    HttpsAndHttp,
}

/// The absolute URL of a provider: with a host, without user, password and fragment.
///
/// Source: RFC 6749 sections 3.1 and 3.2.
///
/// # Errors
/// `InvalidAuthentication::Url` if `text` is no such URL.
pub fn parse_url(text: &str, schemes: Schemes) -> Result<Url, InvalidAuthentication> {
    // The parser repairs what it can; an action has to say what it means.
    let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let has_host = |scheme: &str| {
        let rest = text
            .strip_prefix(scheme)
            .and_then(|rest| rest.strip_prefix("://"));
        rest.is_some_and(|rest| !rest.starts_with(['/', '?', '#']))
    };
    let has_scheme = has_host("https") || (schemes == Schemes::HttpsAndHttp && has_host("http"));
    let is_bare = |url: &Url| {
        url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    };
    let url = Url::parse(text).ok().filter(is_bare);
    url.filter(|_| is_plain && has_scheme)
        .ok_or_else(|| InvalidAuthentication::Url(text.to_owned()))
}

impl Oidc {
    /// `SessionCookieName` when none is given.
    pub const SESSION_COOKIE_NAME: &'static str = "AWSELBAuthSessionCookie";
    /// `Scope` when none is given.
    pub const SCOPE: &'static str = "openid";
    /// `SessionTimeout` when none is given, and the longest there is, in seconds.
    pub const SESSION_TIMEOUT_SECONDS_MAX: u32 = 604_800;
    /// Most characters of a session cookie's name. AWS names no bound; this one leaves the claims room.
    pub const SESSION_COOKIE_NAME_CHARACTERS_MAX: usize = 256;
    /// Most characters of a client's id, its secret and a scope.
    pub const FIELD_CHARACTERS_MAX: usize = 1024;
    /// Most parameters beside those of the login itself.
    pub const EXTRA_PARAMS_MAX: usize = 10;

    /// The parameters that the login sets. Source: OpenID Connect Core 1.0 section 3.1.2.1.
    const FLOW_PARAMS: [&str; 5] = [
        "client_id",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
    ];

    /// Whether a client can have this name and this secret.
    ///
    /// # Errors
    /// `InvalidAuthentication::Length` if it cannot.
    pub fn check_client(id: &str, secret: &Secret) -> Result<(), InvalidAuthentication> {
        length("client id", id, Self::FIELD_CHARACTERS_MAX)?;
        length("client secret", secret.reveal(), Self::FIELD_CHARACTERS_MAX)
    }

    /// Whether everything is what it has to be.
    ///
    /// # Errors
    /// `InvalidAuthentication` for the first thing that is not.
    pub fn check(&self, schemes: Schemes) -> Result<(), InvalidAuthentication> {
        let max = Self::FIELD_CHARACTERS_MAX;
        for url in [
            &self.issuer,
            &self.authorization_endpoint,
            &self.token_endpoint,
            &self.user_info_endpoint,
        ] {
            parse_url(url, schemes)?;
        }
        Self::check_client(&self.client_id, &self.client_secret)?;
        let name = &self.session_cookie_name;
        if !is_token(name) || name.len() > Self::SESSION_COOKIE_NAME_CHARACTERS_MAX {
            return Err(InvalidAuthentication::SessionCookieName(name.clone()));
        }
        length("scope", &self.scope, max)?;
        // RFC 6749 section 3.3.
        let is_scope = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(is_scope);
        if !self.scope.split(' ').all(is_word) {
            return Err(InvalidAuthentication::Scope(self.scope.clone()));
        }
        if !(1..=Self::SESSION_TIMEOUT_SECONDS_MAX).contains(&self.session_timeout_seconds) {
            let seconds = i64::from(self.session_timeout_seconds);
            return Err(InvalidAuthentication::SessionTimeout(seconds));
        }
        if self.extra_params.len() > Self::EXTRA_PARAMS_MAX {
            return Err(InvalidAuthentication::ExtraParams(self.extra_params.len()));
        }
        for (name, _) in &self.extra_params {
            length("authentication request extra parameter", name, max)?;
            if Self::FLOW_PARAMS.contains(&name.as_str()) {
                return Err(InvalidAuthentication::FlowParam(name.clone()));
            }
        }
        Ok(())
    }
}

impl JwtValidation {
    /// Most characters of a URL, an issuer, and the name and the values of a claim.
    pub const FIELD_CHARACTERS_MAX: usize = 256;
    /// Most additional claims.
    pub const CLAIMS_MAX: usize = 10;
    /// Most values of one claim.
    pub const CLAIM_VALUES_MAX: usize = 10;

    /// The claims that are checked in every token.
    const RESERVED_CLAIMS: [&str; 4] = ["exp", "iss", "nbf", "iat"];

    /// Whether everything is what it has to be.
    ///
    /// # Errors
    /// `InvalidAuthentication` for the first thing that is not.
    pub fn check(&self, schemes: Schemes) -> Result<(), InvalidAuthentication> {
        let max = Self::FIELD_CHARACTERS_MAX;
        length("jwks endpoint", &self.jwks_endpoint, max)?;
        parse_url(&self.jwks_endpoint, schemes)?;
        length("issuer", &self.issuer, max)?;
        match self.additional_claims.len() {
            count if count > Self::CLAIMS_MAX => Err(InvalidAuthentication::Claims(count)),
            _ => self.additional_claims.iter().try_for_each(Claim::check),
        }
    }
}

impl Claim {
    fn check(&self) -> Result<(), InvalidAuthentication> {
        let max = JwtValidation::FIELD_CHARACTERS_MAX;
        length("claim name", &self.name, max)?;
        let name = || self.name.clone();
        if JwtValidation::RESERVED_CLAIMS.contains(&self.name.as_str()) {
            return Err(InvalidAuthentication::ReservedClaim(name()));
        }
        let count = self.values.len();
        if !(1..=JwtValidation::CLAIM_VALUES_MAX).contains(&count) {
            return Err(InvalidAuthentication::ClaimValues {
                name: name(),
                count,
            });
        }
        for value in &self.values {
            length("claim value", value, max)?;
            if self.format == ClaimFormat::SpaceSeparatedValues && value.contains(' ') {
                let value = value.clone();
                return Err(InvalidAuthentication::ClaimSpace {
                    name: name(),
                    value,
                });
            }
        }
        Ok(())
    }
}

fn length(field: &'static str, text: &str, max: usize) -> Result<(), InvalidAuthentication> {
    match text.chars().count() {
        count if count == 0 || count > max => Err(InvalidAuthentication::Length { field, max }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oidc() -> Oidc {
        Oidc {
            issuer: "https://idp.example.com".to_owned(),
            authorization_endpoint: "https://idp.example.com/authorize".to_owned(),
            token_endpoint: "https://idp.example.com/token".to_owned(),
            user_info_endpoint: "https://idp.example.com/userinfo".to_owned(),
            client_id: "shop".to_owned(),
            client_secret: "hush".into(),
            session_cookie_name: Oidc::SESSION_COOKIE_NAME.to_owned(),
            scope: Oidc::SCOPE.to_owned(),
            session_timeout_seconds: Oidc::SESSION_TIMEOUT_SECONDS_MAX,
            extra_params: Vec::new(),
            on_unauthenticated_request: OnUnauthenticatedRequest::Authenticate,
            signer: String::new(),
        }
    }

    fn check_oidc(change: impl FnOnce(&mut Oidc), expected: &str) {
        let mut oidc = oidc();
        change(&mut oidc);
        let outcome = oidc.check(Schemes::Https);
        let message = outcome.map_or_else(|error| error.to_string(), |()| String::new());
        assert_eq!(message, expected);
    }

    #[test]
    fn urls_are_whole_and_secure() {
        for (text, is_valid) in [
            ("https://idp.example.com", true),
            ("https://idp.example.com:8443/oauth2/token?x=1", true),
            ("https://[::1]:8443/token", true),
            ("https://idp.example.com:99999/token", false),
            ("http://idp.example.com/token", false),
            ("HTTPS://idp.example.com/token", false),
            ("//idp.example.com/token", false),
            ("idp.example.com", false),
            ("https:///token", false),
            ("https://", false),
            ("https:idp.example.com", false),
            ("https:\\\\idp.example.com\\token", false),
            (" https://idp.example.com/", false),
            ("https://user:password@idp.example.com/", false),
            ("https://user@idp.example.com/", false),
            ("https://idp.example.com/#a", false),
            ("https://idp.example.com/a b", false),
            ("https://idp.example.com\\a", false),
            ("", false),
        ] {
            assert_eq!(
                parse_url(text, Schemes::Https).is_ok(),
                is_valid,
                "{text:?}"
            );
        }
        assert!(parse_url("http://127.0.0.1:9229", Schemes::HttpsAndHttp).is_ok());
        assert!(parse_url("ftp://127.0.0.1:9229", Schemes::HttpsAndHttp).is_err());
        let plain = "http://idp.example.com/token";
        check_oidc(
            |it| it.token_endpoint = plain.to_owned(),
            "The 'http://idp.example.com/token' URL is not valid",
        );
    }

    #[test]
    fn logins_are_checked() {
        check_oidc(|_| {}, "");
        check_oidc(|it| it.client_id = "x".repeat(1024), "");
        let length = "The 'client id' field must be between 1 and 1024 characters in length";
        check_oidc(|it| it.client_id.clear(), length);
        check_oidc(|it| it.client_id = "x".repeat(1025), length);
        check_oidc(
            |it| it.client_secret = Secret::default(),
            "The 'client secret' field must be between 1 and 1024 characters in length",
        );
        for name in ["", "a b", "a=b", "a;b", "ä", &"x".repeat(257)] {
            check_oidc(
                |it| it.session_cookie_name = name.to_owned(),
                &format!(
                    "The session cookie name '{name}' is not valid; use 1 to 256 letters, digits and \
                     characters of !#$%&'*+-.^_`|~"
                ),
            );
        }
        check_oidc(|it| it.scope = "openid email".to_owned(), "");
        check_oidc(
            |it| it.scope = "openid  email".to_owned(),
            "The scope 'openid  email' is not valid; use words of visible ASCII without '\"' and '\\', with one \
             blank between two of them",
        );
        for seconds in [0, 604_801] {
            check_oidc(
                |it| it.session_timeout_seconds = seconds,
                &format!(
                    "'Session timeout' value '{seconds}' must be between 1 and 604800 inclusive"
                ),
            );
        }
        let params = |count: usize| {
            (0..count)
                .map(|n| (format!("p{n}"), String::new()))
                .collect()
        };
        check_oidc(|it| it.extra_params = params(10), "");
        check_oidc(
            |it| it.extra_params = params(11),
            "There are 11 authentication request extra parameters; at most 10 can be specified",
        );
        check_oidc(
            |it| it.extra_params = vec![("state".to_owned(), String::new())],
            "The authentication request extra parameter 'state' is set by the load balancer and cannot be \
             specified",
        );
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert!(!format!("{:?}", oidc()).contains("hush"));
    }

    fn check_jwt(change: impl FnOnce(&mut JwtValidation), expected: &str) {
        let mut jwt = JwtValidation {
            jwks_endpoint: "https://idp.example.com/jwks".to_owned(),
            issuer: "https://idp.example.com".to_owned(),
            additional_claims: vec![Claim {
                format: ClaimFormat::SpaceSeparatedValues,
                name: "scope".to_owned(),
                values: vec!["read".to_owned(), "write".to_owned()],
            }],
        };
        change(&mut jwt);
        let message = jwt
            .check(Schemes::Https)
            .map_or_else(|error| error.to_string(), |()| String::new());
        assert_eq!(message, expected);
    }

    #[test]
    fn tokens_are_checked() {
        check_jwt(|_| {}, "");
        check_jwt(|it| it.issuer = "x".repeat(256), "");
        check_jwt(
            |it| it.issuer = "x".repeat(257),
            "The 'issuer' field must be between 1 and 256 characters in length",
        );
        check_jwt(
            |it| it.jwks_endpoint = format!("https://a.example/{}", "x".repeat(256)),
            "The 'jwks endpoint' field must be between 1 and 256 characters in length",
        );
        check_jwt(
            |it| it.jwks_endpoint = "http://a.example".to_owned(),
            "The 'http://a.example' URL is not valid",
        );
        check_jwt(
            |it| it.additional_claims = vec![it.additional_claims[0].clone(); 11],
            "There are 11 additional claims; at most 10 can be specified",
        );
        for name in ["exp", "iss", "nbf", "iat"] {
            check_jwt(
                |it| it.additional_claims[0].name = name.to_owned(),
                &format!(
                    "The claim '{name}' is always validated and cannot be specified as an additional claim"
                ),
            );
        }
        for count in [0, 11] {
            check_jwt(
                |it| it.additional_claims[0].values = vec!["x".to_owned(); count],
                &format!("The claim 'scope' has {count} values; specify 1 to 10"),
            );
        }
        check_jwt(
            |it| it.additional_claims[0].values = vec!["x".repeat(257)],
            "The 'claim value' field must be between 1 and 256 characters in length",
        );
        check_jwt(
            |it| it.additional_claims[0].values = vec!["a b".to_owned()],
            "The value 'a b' of the claim 'scope' contains a space, which values with the format \
             'space-separated-values' cannot; specify each word as a value of its own",
        );
        check_jwt(
            |it| {
                it.additional_claims[0].format = ClaimFormat::SingleString;
                it.additional_claims[0].values = vec!["a b".to_owned()];
            },
            "",
        );
    }
}
