//! A `jwt-validation` action, checked.

use crate::endpoint::{Endpoint, InvalidUrl, Schemes};

/// What a `jwt-validation` action says. Source: ELB API, `JwtValidationActionConfig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtSettings {
    /// Where the issuer publishes its keys: an https URL of at most 256 characters.
    pub jwks_endpoint: String,
    /// What the claim `iss` has to be: 1 to 256 characters, compared letter by letter.
    pub issuer: String,
    /// What else has to hold: up to 10 claims.
    pub additional_claims: Vec<AdditionalClaim>,
}

/// A claim that a token needs. Source: ELB API, `JwtValidationActionAdditionalClaim`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdditionalClaim {
    /// Its name; not `exp`, `iss`, `nbf` or `iat`, which are checked anyway.
    pub name: String,
    /// Its type.
    pub format: ClaimFormat,
    /// 1 to 10 values of 1 to 256 characters.
    pub values: Vec<String>,
}

/// The type of a claim and what it has to have of the configured values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimFormat {
    /// A text that equals one of the values.
    SingleString,
    /// An array of texts, one of which equals one of the values.
    StringArray,
    /// A text whose words include all of the values, as scopes do. The guide can also be read as asking for
    /// any one; who lists two scopes is better served by the reading that lets fewer in.
    SpaceSeparatedValues,
}

/// Longest URL, issuer, claim name and claim value, in characters.
pub const TEXT_MAX: usize = 256;
/// Most additional claims.
pub const CLAIMS_MAX: usize = 10;
/// Most values of one claim.
pub const CLAIM_VALUES_MAX: usize = 10;

/// What is wrong with [`JwtSettings`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// The JWKS endpoint.
    #[error(transparent)]
    Url(#[from] InvalidUrl),
    /// Empty or too long.
    #[error("{what} must have 1 to 256 characters")]
    Length {
        /// Which text.
        what: &'static str,
    },
    /// More than 10.
    #[error("There are {0} additional claims; at most 10 may be specified")]
    Claims(usize),
    /// One that is checked anyway.
    #[error("The claim '{0}' is always validated and cannot be specified as an additional claim")]
    Reserved(String),
    /// None, or more than 10.
    #[error("The claim '{name}' has {count} values; specify 1 to 10")]
    Values {
        /// The claim.
        name: String,
        /// How many there are.
        count: usize,
    },
    /// A word with a space in it.
    #[error(
        "The value '{value}' of the claim '{name}' contains a space, which values of the format \
         space-separated-values cannot; specify its words as values of their own"
    )]
    Space {
        /// The claim.
        name: String,
        /// The value.
        value: String,
    },
}

/// A checked action.
#[derive(Clone, Debug)]
pub struct Jwt {
    settings: JwtSettings,
    endpoint: Endpoint,
}

impl Jwt {
    /// Checks an action.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn new(settings: JwtSettings, schemes: Schemes) -> Result<Self, Vec<JwtError>> {
        let mut errors = Vec::new();
        let is_long = |text: &str| text.is_empty() || text.chars().count() > TEXT_MAX;
        for (what, text) in [
            ("The JWKS endpoint", &settings.jwks_endpoint),
            ("The issuer", &settings.issuer),
        ] {
            if is_long(text) {
                errors.push(JwtError::Length { what });
            }
        }
        if settings.additional_claims.len() > CLAIMS_MAX {
            errors.push(JwtError::Claims(settings.additional_claims.len()));
        }
        for claim in &settings.additional_claims {
            errors.extend(check(claim, is_long));
        }
        match Endpoint::parse(&settings.jwks_endpoint, schemes) {
            Ok(endpoint) if errors.is_empty() => return Ok(Self { settings, endpoint }),
            Ok(_) => {}
            Err(error) => errors.push(JwtError::Url(error)),
        }
        Err(errors)
    }

    /// What it was made from.
    #[must_use]
    pub fn settings(&self) -> &JwtSettings {
        &self.settings
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

fn check(claim: &AdditionalClaim, is_long: impl Fn(&str) -> bool) -> Vec<JwtError> {
    let mut errors = Vec::new();
    let name = &claim.name;
    if is_long(name) {
        let what = "The name of an additional claim";
        errors.push(JwtError::Length { what });
    }
    if matches!(name.as_str(), "exp" | "iss" | "nbf" | "iat") {
        errors.push(JwtError::Reserved(name.clone()));
    }
    let count = claim.values.len();
    if !(1..=CLAIM_VALUES_MAX).contains(&count) {
        let name = name.clone();
        errors.push(JwtError::Values { name, count });
    }
    for value in &claim.values {
        if is_long(value) {
            let what = "The value of an additional claim";
            errors.push(JwtError::Length { what });
        }
        if claim.format == ClaimFormat::SpaceSeparatedValues && value.contains(' ') {
            let (name, value) = (name.clone(), value.clone());
            errors.push(JwtError::Space { name, value });
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> JwtSettings {
        JwtSettings {
            jwks_endpoint: "https://idp.example.com/jwks".to_owned(),
            issuer: "https://idp.example.com".to_owned(),
            additional_claims: vec![AdditionalClaim {
                name: "scope".to_owned(),
                format: ClaimFormat::SpaceSeparatedValues,
                values: vec!["read".to_owned(), "write".to_owned()],
            }],
        }
    }

    fn check(change: impl FnOnce(&mut JwtSettings), expected: &[&str]) {
        let mut settings = settings();
        change(&mut settings);
        let errors = Jwt::new(settings, Schemes::Https).err().unwrap_or_default();
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn settings_are_checked() {
        check(|_| {}, &[]);
        check(|it| it.issuer = "x".repeat(256), &[]);
        check(
            |it| it.issuer = "x".repeat(257),
            &["The issuer must have 1 to 256 characters"],
        );
        check(
            |it| it.jwks_endpoint = "http://idp.example.com/jwks".to_owned(),
            &["The 'http://idp.example.com/jwks' URL is not valid"],
        );
        check(
            |it| it.additional_claims = vec![it.additional_claims[0].clone(); 11],
            &["There are 11 additional claims; at most 10 may be specified"],
        );
        check(
            |it| it.additional_claims[0].name = "exp".to_owned(),
            &["The claim 'exp' is always validated and cannot be specified as an additional claim"],
        );
        check(
            |it| it.additional_claims[0].values.clear(),
            &["The claim 'scope' has 0 values; specify 1 to 10"],
        );
        check(
            |it| it.additional_claims[0].values = vec![String::new()],
            &["The value of an additional claim must have 1 to 256 characters"],
        );
        check(
            |it| it.additional_claims[0].values = vec!["a b".to_owned()],
            &[
                "The value 'a b' of the claim 'scope' contains a space, which values of the format \
                 space-separated-values cannot; specify its words as values of their own",
            ],
        );
        check(
            |it| {
                it.additional_claims[0].format = ClaimFormat::SingleString;
                it.additional_claims[0].values = vec!["a b".to_owned()];
            },
            &[],
        );
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        check(
            |it| {
                it.jwks_endpoint = String::new();
                it.issuer = String::new();
            },
            &[
                "The JWKS endpoint must have 1 to 256 characters",
                "The issuer must have 1 to 256 characters",
                "The '' URL is not valid",
            ],
        );
    }
}
