//! An authenticate action as the data plane uses it: everything checked and put together beforehand.

use aws_lc_rs::digest::{self, SHA256};
use model::authentication::{self, InvalidAuthentication, Schemes};

use super::query;
use crate::endpoint::Endpoint;

/// A checked action.
#[derive(Debug)]
pub struct Oidc {
    pub(super) settings: authentication::Oidc,
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
    /// The first thing that is wrong with it.
    pub fn new(
        settings: authentication::Oidc,
        schemes: Schemes,
    ) -> Result<Self, InvalidAuthentication> {
        settings.check(schemes)?;
        let authorization = Endpoint::parse(&settings.authorization_endpoint, schemes)?;
        Ok(Self {
            token: Endpoint::parse(&settings.token_endpoint, schemes)?,
            user_info: Endpoint::parse(&settings.user_info_endpoint, schemes)?,
            authorization: authorization_request(&authorization, &settings),
            identity: identity(&settings),
            settings,
        })
    }

    /// What it was made from.
    #[must_use]
    pub fn settings(&self) -> &authentication::Oidc {
        &self.settings
    }
}

/// Source: OpenID Connect Core 1.0 section 3.1.2.1.
fn authorization_request(endpoint: &Endpoint, settings: &authentication::Oidc) -> String {
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
fn identity(settings: &authentication::Oidc) -> [u8; 32] {
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
