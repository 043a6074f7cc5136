//! A `jwt-validation` action, checked.

use model::authentication::{InvalidAuthentication, JwtValidation, Schemes};

use crate::endpoint::Endpoint;

/// A checked action.
#[derive(Clone, Debug)]
pub struct Jwt {
    settings: JwtValidation,
    endpoint: Endpoint,
}

impl Jwt {
    /// Checks an action.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn new(settings: JwtValidation, schemes: Schemes) -> Result<Self, InvalidAuthentication> {
        settings.check(schemes)?;
        let endpoint = Endpoint::parse(&settings.jwks_endpoint, schemes)?;
        Ok(Self { settings, endpoint })
    }

    /// What it was made from.
    #[must_use]
    pub fn settings(&self) -> &JwtValidation {
        &self.settings
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}
