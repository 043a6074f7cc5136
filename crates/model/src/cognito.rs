//! User pools of Amazon Cognito: identity providers whose endpoints follow from their names.
//!
//! Source: Amazon Cognito developer guide, "User pool endpoints and managed login reference" and
//! "Verifying JSON web tokens".

use std::fmt;
use std::str::FromStr;

use crate::authentication::InvalidAuthentication;

/// `arn:{partition}:cognito-idp:{region}:{account}:userpool/{region}_{id}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPoolArn {
    text: String,
    region: String,
    pool: String,
}

/// The issuer of a user pool and where its clients log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPoolEndpoints {
    /// Who issues the tokens.
    pub issuer: String,
    /// Where browsers are sent.
    pub authorization: String,
    /// Where codes are exchanged.
    pub token: String,
    /// Where the claims come from.
    pub user_info: String,
}

impl UserPoolArn {
    /// The endpoints of the user pool at `domain`, the prefix of a Cognito domain or the whole name of
    /// another one.
    ///
    /// # Errors
    /// `InvalidAuthentication::UserPoolDomain` if `domain` is neither.
    pub fn endpoints(&self, domain: &str) -> Result<UserPoolEndpoints, InvalidAuthentication> {
        check_domain(domain)?;
        let base = match domain.contains('.') {
            true => format!("https://{domain}"),
            false => format!("https://{domain}.auth.{}.amazoncognito.com", self.region),
        };
        let issuer = format!("https://cognito-idp.{}.amazonaws.com", self.region);
        Ok(self.endpoints_below(&issuer, &base))
    }

    /// The endpoints of a provider at `base`, a URL without a `/` at its end, that stands in for Cognito.
    #[must_use]
    pub fn endpoints_at(&self, base: &str) -> UserPoolEndpoints {
        self.endpoints_below(base, base)
    }

    fn endpoints_below(&self, issuer: &str, base: &str) -> UserPoolEndpoints {
        UserPoolEndpoints {
            issuer: format!("{issuer}/{}", self.pool),
            authorization: format!("{base}/oauth2/authorize"),
            token: format!("{base}/oauth2/token"),
            user_info: format!("{base}/oauth2/userInfo"),
        }
    }
}

/// Whether `domain` can be a prefix or a name of a user pool's domain: labels of letters, digits and
/// hyphens.
///
/// # Errors
/// `InvalidAuthentication::UserPoolDomain` if it cannot.
pub fn check_domain(domain: &str) -> Result<(), InvalidAuthentication> {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(is_allowed)
    };
    match domain.split('.').all(is_label) {
        true => Ok(()),
        false => Err(InvalidAuthentication::UserPoolDomain(domain.to_owned())),
    }
}

impl FromStr for UserPoolArn {
    type Err = InvalidAuthentication;

    fn from_str(text: &str) -> Result<Self, InvalidAuthentication> {
        let parse = || {
            let (_, rest) = text.strip_prefix("arn:aws")?.split_once(":cognito-idp:")?;
            let (region, rest) = rest.split_once(':')?;
            let (account, resource) = rest.split_once(':')?;
            let pool = resource.strip_prefix("userpool/")?;
            let (of, id) = pool.split_once('_')?;
            let is_in_region = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            let is_valid = of == region
                && !region.is_empty()
                && region.bytes().all(is_in_region)
                && account.len() == 12
                && account.bytes().all(|b| b.is_ascii_digit())
                && !id.is_empty()
                && id.bytes().all(|b| b.is_ascii_alphanumeric());
            is_valid.then(|| Self {
                text: text.to_owned(),
                region: region.to_owned(),
                pool: pool.to_owned(),
            })
        };
        parse().ok_or_else(|| InvalidAuthentication::UserPoolArn(text.to_owned()))
    }
}

impl fmt::Display for UserPoolArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_aBc123";

    #[test]
    fn endpoints_follow_from_the_names() {
        let arn: UserPoolArn = ARN.parse().unwrap();
        let endpoints = arn.endpoints("shop").unwrap();
        let host = "https://shop.auth.us-west-2.amazoncognito.com/oauth2";
        assert_eq!(
            endpoints,
            UserPoolEndpoints {
                issuer: "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_aBc123".to_owned(),
                authorization: format!("{host}/authorize"),
                token: format!("{host}/token"),
                user_info: format!("{host}/userInfo"),
            }
        );
        let own = arn.endpoints("login.example.com").unwrap();
        assert_eq!(own.token, "https://login.example.com/oauth2/token");
        assert_eq!(own.issuer, endpoints.issuer);
        let local = arn.endpoints_at("http://127.0.0.1:9229");
        assert_eq!(local.issuer, "http://127.0.0.1:9229/us-west-2_aBc123");
        assert_eq!(local.token, "http://127.0.0.1:9229/oauth2/token");
    }

    #[test]
    fn malformed_names_are_refused() {
        for arn in [
            "",
            "us-west-2_aBc123",
            "arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-east-1_aBc123",
            "arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_",
            "arn:aws:cognito-idp:us-west-2:12345:userpool/us-west-2_aBc123",
            "arn:aws:cognito-idp:us-west-2:123456789012:pool/us-west-2_aBc123",
            "arn:aws:cognito-idp::123456789012:userpool/_aBc123",
        ] {
            let error = arn.parse::<UserPoolArn>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("'{arn}' is not a valid user pool ARN")
            );
        }
        let arn: UserPoolArn = ARN.parse().unwrap();
        for domain in ["", "a b", "a/b", "https://a", ".a", "a..b", "-a", "a:1"] {
            let error = arn.endpoints(domain).unwrap_err();
            assert_eq!(
                error,
                InvalidAuthentication::UserPoolDomain(domain.to_owned())
            );
        }
    }
}
