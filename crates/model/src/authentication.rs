//! How clients show who they are: a login at an OpenID Connect provider, or a token in the request.
//!
//! Source: ELB API, `AuthenticateOidcActionConfig`, `AuthenticateCognitoActionConfig` and
//! `JwtValidationActionConfig`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text_enum;

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
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oidc {
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
    pub client_secret: String,
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

impl fmt::Debug for Oidc {
    // The client secret stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oidc")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
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
        /// Words with blanks between.
        SpaceSeparatedValues = "space-separated-values",
    }
}
