//! An authenticate action as the data plane uses it: everything checked and put together beforehand.

use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256};

use super::query;
use crate::endpoint::{Endpoint, InvalidUrl, Schemes};

/// What an `authenticate-oidc` action says. Source: ELB API, `AuthenticateOidcActionConfig`.
#[derive(Clone, PartialEq, Eq)]
pub struct OidcSettings {
    /// Who the ID tokens have to be from: an https URL, compared letter by letter.
    pub issuer: String,
    /// Where browsers are sent to log in.
    pub authorization_endpoint: String,
    /// Where codes and refresh tokens are exchanged.
    pub token_endpoint: String,
    /// Where the claims come from.
    pub user_info_endpoint: String,
    /// Our name at the identity provider.
    pub client_id: String,
    /// Our password there.
    pub client_secret: String,
    /// Name of the cookie, before `-0` to `-3`. Actions of one load balancer with the same name share
    /// sessions. Default [`DEFAULT_COOKIE_NAME`].
    pub session_cookie_name: String,
    /// What is asked for, separated by spaces. Without `openid` no ID token comes and logins fail. Default
    /// [`DEFAULT_SCOPE`].
    pub scope: String,
    /// How long a login is good for: whole seconds, 1 to 604800. Default 604800.
    pub session_timeout: Duration,
    /// Added to the authorization request: up to 10, none that the flow sets itself.
    pub extra_params: Vec<(String, String)>,
    /// What happens to a request without a session. Default: it is led to the login.
    pub on_unauthenticated: OnUnauthenticated,
    /// The load balancer's ARN, which targets find in the signed claims.
    pub signer: String,
}

impl std::fmt::Debug for OidcSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The secret belongs in no log.
        f.debug_struct("OidcSettings")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("session_cookie_name", &self.session_cookie_name)
            .finish_non_exhaustive()
    }
}

/// `SessionCookieName` when none is given.
pub const DEFAULT_COOKIE_NAME: &str = "AWSELBAuthSessionCookie";
/// `Scope` when none is given.
pub const DEFAULT_SCOPE: &str = "openid";
/// `SessionTimeout` when none is given, and the longest there is.
pub const SESSION_TIMEOUT_MAX: Duration = Duration::from_secs(604_800);
/// Most `AuthenticationRequestExtraParams`.
pub const EXTRA_PARAMS_MAX: usize = 10;
/// Longest cookie name, in bytes. AWS names no bound; this one leaves the shards their room.
pub const COOKIE_NAME_MAX: usize = 256;

/// Parameters of the authorization request that the flow sets.
const FLOW_PARAMS: [&str; 5] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
];

/// What happens to a request without a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnauthenticated {
    /// It is refused with 401. Only whoever had a session that expired is led to the login.
    Deny,
    /// It goes to the target, without fields about a user.
    Allow,
    /// It is led to the login.
    #[default]
    Authenticate,
}

/// What is wrong with [`OidcSettings`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// The issuer or an endpoint.
    #[error(transparent)]
    Url(#[from] InvalidUrl),
    /// A text that has to be there.
    #[error("'{0}' must not be empty")]
    Empty(&'static str),
    /// Not the name of a cookie.
    #[error(
        "The session cookie name '{0}' is not valid; use 1 to 256 letters, digits and characters of !#$%&'*+-.^_`|~"
    )]
    CookieName(String),
    /// Out of range.
    #[error("'Session timeout' value '{seconds}' must be between 1 and 604800 inclusive")]
    SessionTimeout {
        /// What was given.
        seconds: u64,
    },
    /// More than 10.
    #[error("There are {0} authentication request extra parameters; at most 10 may be specified")]
    ExtraParams(usize),
    /// The flow sets this one.
    #[error(
        "The authentication request extra parameter '{0}' is set by the load balancer and cannot be specified"
    )]
    FlowParam(String),
}

/// A checked action.
#[derive(Debug)]
pub struct Oidc {
    pub(super) settings: OidcSettings,
    pub(super) token: Endpoint,
    pub(super) user_info: Endpoint,
    /// The authorization endpoint with the parameters that are the same for every login, up to and
    /// including `state=`.
    pub(super) authorization: String,
    /// Equal for actions that can end each other's logins.
    pub(super) identity: [u8; 32],
}

impl Oidc {
    /// Checks an action.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn new(settings: OidcSettings, schemes: Schemes) -> Result<Self, Vec<OidcError>> {
        let mut errors = Vec::new();
        let mut endpoint = |text: &str| match Endpoint::parse(text, schemes) {
            Ok(endpoint) => Some(endpoint),
            Err(error) => {
                errors.push(OidcError::Url(error));
                None
            }
        };
        let issuer = endpoint(&settings.issuer);
        let authorization = endpoint(&settings.authorization_endpoint);
        let token = endpoint(&settings.token_endpoint);
        let user_info = endpoint(&settings.user_info_endpoint);
        errors.extend(check(&settings));
        match (issuer, authorization, token, user_info) {
            (Some(_), Some(authorization), Some(token), Some(user_info)) if errors.is_empty() => {
                Ok(Self {
                    token,
                    user_info,
                    authorization: authorization_request(&authorization, &settings),
                    identity: identity(&settings),
                    settings,
                })
            }
            _ => Err(errors),
        }
    }

    /// What it was made from.
    #[must_use]
    pub fn settings(&self) -> &OidcSettings {
        &self.settings
    }
}

fn check(settings: &OidcSettings) -> Vec<OidcError> {
    let mut errors = Vec::new();
    for (name, value) in [
        ("Client ID", &settings.client_id),
        ("Client secret", &settings.client_secret),
        ("Scope", &settings.scope),
    ] {
        if value.trim().is_empty() {
            errors.push(OidcError::Empty(name));
        }
    }
    let name = &settings.session_cookie_name;
    if name.is_empty() || name.len() > COOKIE_NAME_MAX || !name.bytes().all(is_token_byte) {
        errors.push(OidcError::CookieName(name.clone()));
    }
    let timeout = settings.session_timeout;
    if timeout < Duration::from_secs(1) || timeout > SESSION_TIMEOUT_MAX {
        let seconds = timeout.as_secs();
        errors.push(OidcError::SessionTimeout { seconds });
    }
    if settings.extra_params.len() > EXTRA_PARAMS_MAX {
        errors.push(OidcError::ExtraParams(settings.extra_params.len()));
    }
    for (name, _) in &settings.extra_params {
        match name.as_str() {
            "" => errors.push(OidcError::Empty("Authentication request extra parameter")),
            name if FLOW_PARAMS.contains(&name) => {
                errors.push(OidcError::FlowParam(name.to_owned()));
            }
            _ => {}
        }
    }
    errors
}

/// RFC 9110 section 5.6.2, which RFC 6265 section 4.1.1 takes for cookie names.
fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

/// Source: OpenID Connect Core 1.0 section 3.1.2.1.
fn authorization_request(endpoint: &Endpoint, settings: &OidcSettings) -> String {
    let mut request = endpoint.as_str().to_owned();
    request.push(if endpoint.has_query() { '&' } else { '?' });
    let fixed = [
        ("client_id", settings.client_id.as_str()),
        ("response_type", "code"),
        ("scope", &settings.scope),
    ];
    let extra = settings.extra_params.iter();
    let all = fixed
        .into_iter()
        .chain(extra.map(|(name, value)| (name.as_str(), value.as_str())));
    for (name, value) in all {
        query::push(&mut request, name, value);
        request.push('&');
    }
    request.push_str("state=");
    request
}

/// A login that one action began may be ended by another one only if that asks the same provider in the
/// same name and keeps the session under the same cookie.
fn identity(settings: &OidcSettings) -> [u8; 32] {
    let parts = [
        &settings.signer,
        &settings.issuer,
        &settings.authorization_endpoint,
        &settings.token_endpoint,
        &settings.user_info_endpoint,
        &settings.client_id,
        &settings.scope,
        &settings.session_cookie_name,
    ];
    let mut context = digest::Context::new(&SHA256);
    for part in parts {
        // The lengths keep two lists of parts from being one text.
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let digest = context.finish();
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}
