//! The actions `authenticate-oidc` and `authenticate-cognito`: OpenID Connect logins on behalf of targets.
//!
//! [`authenticate`] decides about one request. Whoever has a valid session is let through at once; whoever
//! comes back from a login, or has an access token that has expired, makes an [`Exchange`] with the identity
//! provider, which takes time.

mod authenticate;
mod exchange;
mod query;
mod session;
mod settings;
mod state;
mod tokens;
mod user_fields;

pub use authenticate::{Callback, Request, Verdict, action_of_callback, authenticate};
pub use exchange::Exchange;
pub use session::{CLAIMS_AND_TOKEN_MAX, Grant, InvalidCookie, Scope, Session, TooLarge};
pub use settings::Oidc;
pub use state::LOGIN_TIMEOUT;
pub use tokens::RESPONSE_MAX;
pub use user_fields::CLAIMS_LIFE;

/// The path that identity providers send browsers back to. It is reserved: on a listener with an
/// authenticate action, no target sees it. Source: ALB guide, "Authenticate users".
pub const CALLBACK_PATH: &str = "/oauth2/idpresponse";
