//! The clients of Cognito user pools, with the secrets that AWS would ask Cognito for.

use control::CognitoUserPool;
use model::authentication::{InvalidAuthentication, Oidc, Schemes, parse_url};
use model::cognito::UserPoolArn;

use super::file::CognitoUserPoolSection;

/// A `[[cognito_user_pool]]` that cannot be honoured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UserPoolError {
    #[error("a [[cognito_user_pool]] of the configuration file cannot be used")]
    Invalid(#[from] InvalidAuthentication),
    #[error(
        "the client '{client_id}' of user pool '{arn}' has two [[cognito_user_pool]]; keep one"
    )]
    Twice { arn: String, client_id: String },
}

/// The sections, checked.
///
/// # Errors
/// One of them has a value that no user pool or client can have, or says again what another one says.
pub(crate) fn resolve(
    sections: Vec<CognitoUserPoolSection>,
) -> Result<Vec<CognitoUserPool>, UserPoolError> {
    let mut pools: Vec<CognitoUserPool> = Vec::new();
    for section in sections {
        let pool = check(section)?;
        let is_same =
            |other: &CognitoUserPool| other.arn == pool.arn && other.client_id == pool.client_id;
        if pools.iter().any(is_same) {
            let (arn, client_id) = (pool.arn, pool.client_id);
            return Err(UserPoolError::Twice { arn, client_id });
        }
        pools.push(pool);
    }
    Ok(pools)
}

fn check(section: CognitoUserPoolSection) -> Result<CognitoUserPool, InvalidAuthentication> {
    section.arn.parse::<UserPoolArn>()?;
    Oidc::check_client(&section.client_id, &section.client_secret)?;
    let base = |endpoint: String| endpoint.trim_end_matches('/').to_owned();
    let endpoint = section.endpoint.map(base);
    if let Some(endpoint) = &endpoint {
        parse_url(endpoint, Schemes::HttpsAndHttp)?;
    }
    Ok(CognitoUserPool {
        arn: section.arn,
        client_id: section.client_id,
        client_secret: section.client_secret,
        endpoint,
    })
}
