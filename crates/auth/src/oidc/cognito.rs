//! `authenticate-cognito` is `authenticate-oidc` with endpoints that follow from a user pool.

/// Issuer and endpoints of an Amazon Cognito user pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CognitoEndpoints {
    /// See [`OidcSettings`](super::OidcSettings).
    pub issuer: String,
    /// See [`OidcSettings`](super::OidcSettings).
    pub authorization_endpoint: String,
    /// See [`OidcSettings`](super::OidcSettings).
    pub token_endpoint: String,
    /// See [`OidcSettings`](super::OidcSettings).
    pub user_info_endpoint: String,
}

/// What is wrong with a user pool or its domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CognitoError {
    /// Not the ARN of a user pool in the partition `aws`.
    #[error("'{0}' is not a valid user pool ARN")]
    UserPoolArn(String),
    /// Neither a prefix nor a domain.
    #[error("'{0}' is not a valid user pool domain; give its prefix or its full name")]
    Domain(String),
}

impl CognitoEndpoints {
    /// The endpoints of the user pool `arn` at `domain`, the prefix of a Cognito domain or the full name of
    /// a domain of your own.
    ///
    /// Source: Amazon Cognito developer guide, "User pool endpoints and managed login reference" and "Using
    /// tokens", issuer.
    ///
    /// # Errors
    /// If one of them is malformed.
    pub fn new(arn: &str, domain: &str) -> Result<Self, CognitoError> {
        let (region, pool) = parse(arn).ok_or_else(|| CognitoError::UserPoolArn(arn.to_owned()))?;
        let is_domain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
        let is_label = |label: &str| !label.is_empty() && !label.starts_with('-');
        if !domain.bytes().all(is_domain) || !domain.split('.').all(is_label) {
            return Err(CognitoError::Domain(domain.to_owned()));
        }
        let host = match domain.contains('.') {
            true => domain.to_owned(),
            false => format!("{domain}.auth.{region}.amazoncognito.com"),
        };
        Ok(Self {
            issuer: format!("https://cognito-idp.{region}.amazonaws.com/{pool}"),
            authorization_endpoint: format!("https://{host}/oauth2/authorize"),
            token_endpoint: format!("https://{host}/oauth2/token"),
            user_info_endpoint: format!("https://{host}/oauth2/userInfo"),
        })
    }
}

/// Region and pool of `arn:aws:cognito-idp:{region}:{account}:userpool/{region}_{id}`.
fn parse(arn: &str) -> Option<(&str, &str)> {
    let rest = arn.strip_prefix("arn:aws:cognito-idp:")?;
    let (region, rest) = rest.split_once(':')?;
    let (account, resource) = rest.split_once(':')?;
    let pool = resource.strip_prefix("userpool/")?;
    let (of, id) = pool.split_once('_')?;
    let is_region = |it: &str| {
        let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !it.is_empty() && it.bytes().all(is_allowed)
    };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_region(region) && of == region && is_account && is_id).then_some((region, pool))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_aBc123";

    #[test]
    fn a_prefix_and_a_full_domain_make_endpoints() {
        let of_prefix = CognitoEndpoints::new(ARN, "my-app").expect("valid");
        assert_eq!(
            of_prefix,
            CognitoEndpoints {
                issuer: "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_aBc123".to_owned(),
                authorization_endpoint:
                    "https://my-app.auth.us-west-2.amazoncognito.com/oauth2/authorize".to_owned(),
                token_endpoint: "https://my-app.auth.us-west-2.amazoncognito.com/oauth2/token"
                    .to_owned(),
                user_info_endpoint:
                    "https://my-app.auth.us-west-2.amazoncognito.com/oauth2/userInfo".to_owned(),
            }
        );
        let of_domain = CognitoEndpoints::new(ARN, "login.example.com").expect("valid");
        assert_eq!(
            of_domain.token_endpoint,
            "https://login.example.com/oauth2/token"
        );
    }

    #[test]
    fn malformed_pools_and_domains_are_refused_by_name() {
        for arn in [
            "",
            "us-west-2_aBc123",
            "arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-east-1_aBc123",
            "arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_",
            "arn:aws:cognito-idp:us-west-2:12345:userpool/us-west-2_aBc123",
            "arn:aws:cognito-idp:us-west-2:123456789012:pool/us-west-2_aBc123",
            "arn:aws:cognito-idp::123456789012:userpool/_aBc123",
            "arn:aws:iam::123456789012:user/someone",
        ] {
            let error = CognitoEndpoints::new(arn, "my-app").expect_err(arn);
            assert_eq!(
                error.to_string(),
                format!("'{arn}' is not a valid user pool ARN")
            );
        }
        for domain in ["", "a b", "a/b", "https://a", ".a", "a..b", "-a", "a:1"] {
            let error = CognitoEndpoints::new(ARN, domain).expect_err(domain);
            assert_eq!(error, CognitoError::Domain(domain.to_owned()));
        }
    }
}
