//! What the proxy is told: go on, redirect or refuse, and what the access log and the metrics say about it.

/// The end of an authenticate action for one request. It prints what it holds, tokens and cookies too: not for
/// logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What happens to the request.
    pub step: Step,
    /// Values of `Set-Cookie` fields for the response to the client, whoever makes that response.
    pub set_cookies: Vec<String>,
    /// The `error_reason` of the access log. Also a request that is let through or redirected may have one:
    /// its cookie was not valid.
    pub reason: Option<Reason>,
    /// The metric that counts this, if any.
    pub metric: Option<Metric>,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It goes to the routing action with these header fields added. Empty for a user who is not logged in
    /// and need not be. Values have no control characters, but may have UTF-8. Fields of the client with the names in [`USER_FIELDS`] are to be removed either way.
    Forward(Vec<(&'static str, String)>),
    /// It is answered with 302 and this `Location`, at most [`LOCATION_MAX`] bytes of visible ASCII.
    Redirect(String),
    /// It is answered with this status: 401, 500, 507 or 561.
    Refuse(u16),
}

/// The header fields that tell the target who asks. What a client sends under these names is a lie.
pub const USER_FIELDS: [&str; 3] = [
    "x-amzn-oidc-accesstoken",
    "x-amzn-oidc-identity",
    "x-amzn-oidc-data",
];

/// Longest `Location`, in bytes. Beyond it the answer is 507, as it is for redirect actions.
/// Source: ALB guide, "Redirect actions".
pub const LOCATION_MAX: usize = 8 * 1024;

impl Outcome {
    pub(crate) fn new(step: Step) -> Self {
        Self {
            step,
            set_cookies: Vec::new(),
            reason: None,
            metric: None,
        }
    }

    /// The refusal that `reason` stands for.
    pub(crate) fn refuse(reason: Reason) -> Self {
        Self::new(Step::Refuse(reason.status())).because(reason)
    }

    /// Says why, unless there is a reason that came later and weighs more.
    pub(crate) fn because(self, reason: Reason) -> Self {
        match self.reason {
            Some(_) => self,
            None => Self {
                reason: Some(reason),
                ..self.counted(reason.metric())
            },
        }
    }

    pub(crate) fn counted(mut self, metric: Metric) -> Self {
        self.metric = Some(metric);
        self
    }

    pub(crate) fn with_cookies(mut self, set_cookies: Vec<String>) -> Self {
        self.set_cookies = set_cookies;
        self
    }
}

/// A CloudWatch metric of the load balancer. Source: ALB guide, "Authentication metrics".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// `ELBAuthSuccess`: a login ended well.
    AuthSuccess,
    /// `ELBAuthRefreshTokenSuccess`: a session got new tokens.
    AuthRefreshTokenSuccess,
    /// `ELBAuthFailure`: the identity provider denied access, or what was presented was not valid.
    AuthFailure,
    /// `ELBAuthError`: the identity provider could not be asked, or something here went wrong.
    AuthError,
    /// `ELBAuthUserClaimsSizeExceeded`: claims and access token are over 11 KiB.
    AuthUserClaimsSizeExceeded,
    /// `JWTValidationFailureCount`.
    JwtValidationFailure,
}

impl Metric {
    /// The name in CloudWatch.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthSuccess => "ELBAuthSuccess",
            Self::AuthRefreshTokenSuccess => "ELBAuthRefreshTokenSuccess",
            Self::AuthFailure => "ELBAuthFailure",
            Self::AuthError => "ELBAuthError",
            Self::AuthUserClaimsSizeExceeded => "ELBAuthUserClaimsSizeExceeded",
            Self::JwtValidationFailure => "JWTValidationFailureCount",
        }
    }
}

/// Why a user or a token was not accepted.
///
/// Source: ALB guide, "Error reason codes" of the access logs, "Authenticate users", "JWT verification".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The nonce of the browser's cookie is not the one in the login's state.
    AuthInvalidNonce,
    /// The session cookie was not made here, or was changed.
    AuthInvalidCookie,
    /// The token endpoint does not accept the authorization code.
    AuthInvalidGrant,
    /// The ID token is malformed, or meant for someone else, or expired.
    AuthInvalidIdToken,
    /// The login's state was not made for this login.
    AuthInvalidState,
    /// The token endpoint's answer lacks something, such as the ID token, or is malformed.
    AuthInvalidTokenResponse,
    /// The user info is malformed, or that of someone else.
    AuthInvalidUserInfoResponse,
    /// The browser did not send the nonce cookie.
    AuthMissingNonce,
    /// A callback without authorization code.
    AuthMissingCode,
    /// No `Host` to lead the browser back to.
    AuthMissingHost,
    /// A callback without state.
    AuthMissingState,
    /// The token endpoint answered other than 2xx.
    AuthTokenRequestFailed,
    /// The token endpoint could not be reached in time.
    AuthTokenRequestTimeout,
    /// The user info endpoint answered other than 2xx.
    AuthUserInfoRequestFailed,
    /// The user info endpoint could not be reached in time.
    AuthUserInfoRequestTimeout,
    /// Claims and access token are over 11 KiB, or the session over what its cookies hold.
    AuthUserInfoSizeExceeded,
    /// Anything else went wrong. This crate has no such failure; it is for the proxy, should the work of an
    /// exchange be lost.
    AuthUnhandled,
    /// No `Authorization` field.
    JwtHeaderNotPresent,
    /// Not exactly one well-formed bearer token.
    JwtRequestFormatInvalid,
    /// Wrong signature or algorithm, unknown or unusable key.
    JwtSignatureInvalid,
    /// A claim that is required is missing.
    JwtClaimNotPresent,
    /// A claim has another type.
    JwtClaimFormatInvalid,
    /// A claim has another value, or the token is not valid at this time.
    JwtClaimValueInvalid,
    /// The JWKS endpoint could not be reached in time.
    JwksRequestTimeout,
    /// Over 150 KiB or 10 keys.
    JwksSizeExceeded,
    /// The JWKS endpoint answered other than 2xx.
    JwksRequestFailed,
    /// Not a JSON Web Key Set, or none of its keys is for RS256.
    JwksResponseInvalid,
    /// Like [`Reason::AuthUnhandled`], for tokens.
    JwtInternal,
}

impl Reason {
    /// The `error_reason` in the access log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The status of a request that is refused for this reason.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().1
    }

    /// The metric that counts it.
    #[must_use]
    pub const fn metric(self) -> Metric {
        self.row().2
    }

    /// Every reason, once.
    pub const ALL: [Self; 28] = [
        Self::AuthInvalidNonce,
        Self::AuthInvalidCookie,
        Self::AuthInvalidGrant,
        Self::AuthInvalidIdToken,
        Self::AuthInvalidState,
        Self::AuthInvalidTokenResponse,
        Self::AuthInvalidUserInfoResponse,
        Self::AuthMissingNonce,
        Self::AuthMissingCode,
        Self::AuthMissingHost,
        Self::AuthMissingState,
        Self::AuthTokenRequestFailed,
        Self::AuthTokenRequestTimeout,
        Self::AuthUserInfoRequestFailed,
        Self::AuthUserInfoRequestTimeout,
        Self::AuthUserInfoSizeExceeded,
        Self::AuthUnhandled,
        Self::JwtHeaderNotPresent,
        Self::JwtRequestFormatInvalid,
        Self::JwtSignatureInvalid,
        Self::JwtClaimNotPresent,
        Self::JwtClaimFormatInvalid,
        Self::JwtClaimValueInvalid,
        Self::JwksRequestTimeout,
        Self::JwksSizeExceeded,
        Self::JwksRequestFailed,
        Self::JwksResponseInvalid,
        Self::JwtInternal,
    ];

    #[rustfmt::skip]
    const fn row(self) -> (&'static str, u16, Metric) {
        use Metric::{AuthError, AuthFailure, AuthUserClaimsSizeExceeded, JwtValidationFailure};
        match self {
            Self::AuthInvalidNonce => ("AuthInvalidAWSALBAuthNonce", 401, AuthFailure),
            Self::AuthInvalidCookie => ("AuthInvalidCookie", 401, AuthFailure),
            Self::AuthInvalidGrant => ("AuthInvalidGrantError", 401, AuthFailure),
            Self::AuthInvalidIdToken => ("AuthInvalidIdToken", 401, AuthFailure),
            Self::AuthInvalidState => ("AuthInvalidStateParam", 401, AuthFailure),
            Self::AuthInvalidTokenResponse => ("AuthInvalidTokenResponse", 401, AuthFailure),
            Self::AuthInvalidUserInfoResponse => ("AuthInvalidUserinfoResponse", 401, AuthFailure),
            Self::AuthMissingNonce => ("AuthMissingAWSALBAuthNonce", 401, AuthFailure),
            Self::AuthMissingCode => ("AuthMissingCodeParam", 401, AuthFailure),
            Self::AuthMissingHost => ("AuthMissingHostHeader", 401, AuthError),
            Self::AuthMissingState => ("AuthMissingStateParam", 401, AuthFailure),
            Self::AuthTokenRequestFailed => ("AuthTokenEpRequestFailed", 500, AuthError),
            Self::AuthTokenRequestTimeout => ("AuthTokenEpRequestTimeout", 500, AuthError),
            Self::AuthUserInfoRequestFailed => ("AuthUserinfoEpRequestFailed", 500, AuthError),
            Self::AuthUserInfoRequestTimeout => ("AuthUserinfoEpRequestTimeout", 500, AuthError),
            Self::AuthUserInfoSizeExceeded =>
                ("AuthUserinfoResponseSizeExceeded", 500, AuthUserClaimsSizeExceeded),
            Self::AuthUnhandled => ("AuthUnhandledException", 500, AuthError),
            Self::JwtHeaderNotPresent => ("JWTHeaderNotPresent", 401, JwtValidationFailure),
            Self::JwtRequestFormatInvalid => ("JWTRequestFormatInvalid", 401, JwtValidationFailure),
            Self::JwtSignatureInvalid => ("JWTSignatureValidationError", 401, JwtValidationFailure),
            Self::JwtClaimNotPresent => ("JWTClaimNotPresent", 401, JwtValidationFailure),
            Self::JwtClaimFormatInvalid => ("JWTClaimFormatInvalid", 401, JwtValidationFailure),
            Self::JwtClaimValueInvalid => ("JWTClaimValueInvalid", 401, JwtValidationFailure),
            Self::JwksRequestTimeout => ("JWKSRequestTimeout", 500, JwtValidationFailure),
            Self::JwksSizeExceeded => ("JWKSResponseSizeExceeded", 500, JwtValidationFailure),
            Self::JwksRequestFailed => ("JWKSRequestFailed", 562, JwtValidationFailure),
            Self::JwksResponseInvalid => ("JWKSResponseInvalid", 562, JwtValidationFailure),
            Self::JwtInternal => ("JWTValidationInternalError", 500, JwtValidationFailure),
        }
    }
}
