//! From an action of a request that authenticates to what it means.
//!
//! Source: ELB API, `AuthenticateOidcActionConfig`, `AuthenticateCognitoActionConfig` and
//! `JwtValidationActionConfig`; ALB guide, "Authenticate users" and "Verify JWTs".

use model::authentication::{
    Authentication, Cognito, InvalidAuthentication, JwtValidation, Oidc, OnUnauthenticatedRequest,
    Schemes,
};
use model::cognito::{UserPoolArn, UserPoolEndpoints};
use model::secret::{SealedSecret, Secret};
use serde::Deserialize;
use serde_json::Value;

use super::ElbError;
use super::actions::{Scope, missing};
use super::input::{Action, ActionType, AuthenticateCognitoConfig, AuthenticateOidcConfig, Login};
use crate::CommitError;
use crate::secrets::{SealedError, SecretKey};

/// What `action` means; `None` if it does not authenticate.
pub(super) fn parse(
    scope: &Scope<'_>,
    action: &Action,
) -> Result<Option<Authentication>, ElbError> {
    let method = match action.action_type {
        ActionType::AuthenticateOidc => match &action.authenticate_oidc_config {
            Some(config) => Authentication::Oidc(oidc(scope, config)?),
            None => return Err(missing(action.action_type, "AuthenticateOidcConfig")),
        },
        ActionType::AuthenticateCognito => match &action.authenticate_cognito_config {
            Some(config) => Authentication::Cognito(cognito(scope, config)?),
            None => return Err(missing(action.action_type, "AuthenticateCognitoConfig")),
        },
        ActionType::JwtValidation => match &action.jwt_validation_config {
            Some(config) => Authentication::Jwt(jwt(config)?),
            None => return Err(missing(action.action_type, "JwtValidationConfig")),
        },
        ActionType::Forward | ActionType::Redirect | ActionType::FixedResponse => return Ok(None),
    };
    Ok(Some(method))
}

/// The type of the action that has this meaning.
pub(super) fn type_of(authentication: &Authentication) -> ActionType {
    match authentication {
        Authentication::Oidc(_) => ActionType::AuthenticateOidc,
        Authentication::Cognito(_) => ActionType::AuthenticateCognito,
        Authentication::Jwt(_) => ActionType::JwtValidation,
    }
}

/// The login as the data plane has it, with its client secret in the clear.
///
/// # Errors
/// `SealedError` if the secret does not open.
pub(crate) fn open(key: &SecretKey, oidc: &Oidc<SealedSecret>) -> Result<Oidc, SealedError> {
    let secret = key.open(&owner(oidc), &oidc.client_secret)?;
    Ok(oidc.clone().with_client_secret(secret.into()))
}

/// The login as it is stored. One that has the client secret that is there already keeps its sealed text, so
/// that equal logins are stored equally, although what is sealed anew always looks different.
fn seal(scope: &Scope<'_>, oidc: Oidc) -> Oidc<SealedSecret> {
    let (key, owner) = (scope.draft.secret_key(), owner(&oidc));
    let secret = oidc.client_secret.reveal();
    let is_same = |present: &&SealedSecret| {
        let opened = key.open(&owner, present);
        opened.is_ok_and(|opened| opened == secret)
    };
    let present = match scope.present_authentication() {
        Some(Authentication::Oidc(present)) => Some(&present.client_secret),
        Some(Authentication::Cognito(present)) => Some(&present.oidc.client_secret),
        Some(Authentication::Jwt(_)) | None => None,
    };
    let sealed = match present.filter(is_same) {
        Some(present) => present.clone(),
        None => key.seal(&owner, secret),
    };
    oidc.with_client_secret(sealed)
}

/// Seals the client secret of the login in the part `actions` of a record, if it was stored in the clear. Whether it
/// was.
pub(super) fn seal_stored(key: &SecretKey, record: &mut Value, actions: &str) -> bool {
    let Some(actions) = record.get_mut(actions) else {
        return false;
    };
    let places = [
        "/authentication/method/Oidc",
        "/authentication/method/Cognito/oidc",
    ];
    places.iter().any(|place| {
        let login = actions.pointer_mut(place).and_then(Value::as_object_mut);
        let Some(login) = login else {
            return false;
        };
        let Some(clear) = login.remove("client_secret") else {
            return false;
        };
        login.insert("sealed_client_secret".to_owned(), clear);
        // What cannot be read as a login cannot be read as a part of its record either.
        if let Ok(oidc) = Oidc::<Secret>::deserialize(&Value::Object(login.clone())) {
            let sealed = key.seal(&owner(&oidc), oidc.client_secret.reveal());
            let sealed = sealed.as_str().into();
            login.insert("sealed_client_secret".to_owned(), sealed);
        }
        true
    })
}

/// What a client secret is sealed for: the load balancer, and the endpoint and name it is sent with. In the
/// record of another one, or beside another endpoint, it does not open.
fn owner<S>(oidc: &Oidc<S>) -> String {
    format!(
        "{} at {} as the client '{}'",
        oidc.signer, oidc.token_endpoint, oidc.client_id
    )
}

fn oidc(
    scope: &Scope<'_>,
    config: &AuthenticateOidcConfig,
) -> Result<Oidc<SealedSecret>, ElbError> {
    let endpoints = UserPoolEndpoints {
        issuer: config.issuer.clone(),
        authorization: config.authorization_endpoint.clone(),
        token: config.token_endpoint.clone(),
        user_info: config.user_info_endpoint.clone(),
    };
    let secret = client_secret(scope, config)?;
    let oidc = login(scope, &config.login, endpoints, &config.client_id, secret)?;
    checked(oidc.check(Schemes::Https))?;
    Ok(seal(scope, oidc))
}

/// The secret that is given, or the one that the present action has.
fn client_secret(scope: &Scope<'_>, config: &AuthenticateOidcConfig) -> Result<Secret, ElbError> {
    let keeps = config.use_existing_client_secret == Some(true);
    match (&config.client_secret, keeps, scope.present_authentication()) {
        (Some(_), true, _) => Err(invalid(
            "You cannot both specify a client secret and set UseExistingClientSecret to true",
        )),
        (Some(secret), false, _) => Ok(secret.clone()),
        (None, true, Some(Authentication::Oidc(present))) => {
            let opened = open(scope.draft.secret_key(), present).map_err(CommitError::Secret)?;
            Ok(opened.client_secret)
        }
        (None, true, _) => Err(invalid(
            "You cannot set UseExistingClientSecret to true, because there is no action of type \
             'authenticate-oidc' yet; specify a client secret",
        )),
        (None, false, _) => Err(invalid(
            "You must specify a client secret; when you modify an action of type 'authenticate-oidc', you can \
             set UseExistingClientSecret to true instead",
        )),
    }
}

/// AWS asks Cognito for the secret of the client; elbow has it from its configuration.
fn cognito(scope: &Scope<'_>, config: &AuthenticateCognitoConfig) -> Result<Cognito, ElbError> {
    let arn: UserPoolArn = checked(config.user_pool_arn.parse())?;
    let client_id = &config.user_pool_client_id;
    let endpoints = checked(arn.endpoints(&config.user_pool_domain))?;
    let pools = &scope.draft.settings().cognito_user_pools;
    let known = pools
        .iter()
        .find(|pool| pool.arn == config.user_pool_arn && pool.client_id == *client_id);
    let Some(known) = known else {
        return Err(invalid(&format!(
            "The user pool client must have a client secret, and elbow knows none of client '{client_id}' of \
             user pool '{arn}'; give it in a [[cognito_user_pool]] of elbow's configuration file, with arn, \
             client_id and client_secret, and restart elbow"
        )));
    };
    let endpoints = match &known.endpoint {
        Some(base) => arn.endpoints_at(base),
        None => endpoints,
    };
    let secret = known.client_secret.clone();
    let oidc = login(scope, &config.login, endpoints, client_id, secret)?;
    // Only a user pool whose endpoint the configuration names can be spoken to in clear text.
    checked(oidc.check(Schemes::HttpsAndHttp))?;
    Ok(Cognito {
        user_pool_arn: config.user_pool_arn.clone(),
        user_pool_domain: config.user_pool_domain.clone(),
        oidc: seal(scope, oidc),
    })
}

/// A login with its defaults filled in.
fn login(
    scope: &Scope<'_>,
    login: &Login,
    endpoints: UserPoolEndpoints,
    client_id: &str,
    client_secret: Secret,
) -> Result<Oidc, ElbError> {
    let max = Oidc::SESSION_TIMEOUT_SECONDS_MAX;
    let session_timeout = login.session_timeout.unwrap_or(i64::from(max));
    let seconds = u32::try_from(session_timeout).map_err(|_| {
        invalid(&InvalidAuthentication::SessionTimeout(session_timeout).to_string())
    })?;
    let text =
        |given: &Option<String>, default: &str| given.clone().unwrap_or_else(|| default.to_owned());
    let mut extra_params = login.extra_params.clone();
    extra_params.sort();
    if let Some(twice) = extra_params.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(invalid(&format!(
            "The authentication request extra parameter '{}' is specified more than once",
            twice[0].0
        )));
    }
    Ok(Oidc {
        issuer: endpoints.issuer,
        authorization_endpoint: endpoints.authorization,
        token_endpoint: endpoints.token,
        user_info_endpoint: endpoints.user_info,
        client_id: client_id.to_owned(),
        client_secret,
        session_cookie_name: text(&login.session_cookie_name, Oidc::SESSION_COOKIE_NAME),
        scope: text(&login.scope, Oidc::SCOPE),
        session_timeout_seconds: seconds,
        extra_params,
        on_unauthenticated_request: login
            .on_unauthenticated_request
            .unwrap_or(OnUnauthenticatedRequest::Authenticate),
        signer: scope.load_balancer.to_string(),
    })
}

fn jwt(config: &JwtValidation) -> Result<JwtValidation, ElbError> {
    checked(config.check(Schemes::Https))?;
    Ok(config.clone())
}

fn checked<T>(outcome: Result<T, InvalidAuthentication>) -> Result<T, ElbError> {
    outcome.map_err(|error| invalid(&error.to_string()))
}

/// What is wrong with the configuration of an action has this code on AWS.
fn invalid(message: &str) -> ElbError {
    ElbError::InvalidLoadBalancerAction(message.to_owned())
}
