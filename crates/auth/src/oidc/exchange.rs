//! The conversation with an identity provider at the end of a login, and when an access token has expired.

use std::sync::Arc;
use std::time::SystemTime;

use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};

use super::authenticate::{OwnedRequest, Request, session_end};
use super::session::{CLAIMS_AND_TOKEN_MAX, Grant, Session};
use super::settings::Oidc;
use super::state::LoginState;
use super::tokens::{RESPONSE_MAX, Tokens, check_id_token, is_invalid_grant, read_user_info};
use super::{query, user_fields};
use crate::client::{Call, CallError, Client};
use crate::keys::Keys;
use crate::outcome::{Metric, Outcome, Reason, Step};
use crate::refreshes;

/// What remains to be done for a request: two calls, to the token endpoint and to the user info endpoint.
///
/// How long [`Exchange::run`] takes is the metric `ELBAuthLatency`.
pub struct Exchange {
    oidc: Arc<Oidc>,
    keys: Arc<Keys>,
    request: OwnedRequest,
    now: SystemTime,
    kind: Kind,
}

pub(super) enum Kind {
    /// A browser has come back with a code.
    Login { code: String, state: LoginState },
    /// The access token of a session has expired.
    Refresh(Session),
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Codes, tokens and cookies belong in no log.
        f.write_str(match self.kind {
            Kind::Login { .. } => "Exchange(Login)",
            Kind::Refresh(_) => "Exchange(Refresh)",
        })
    }
}

impl Exchange {
    pub(super) fn new(
        oidc: &Arc<Oidc>,
        keys: &Arc<Keys>,
        request: &Request<'_>,
        now: SystemTime,
        kind: Kind,
    ) -> Self {
        Self {
            oidc: Arc::clone(oidc),
            keys: Arc::clone(keys),
            request: OwnedRequest::new(request),
            now,
            kind,
        }
    }

    /// Asks the identity provider. Takes at most two timeouts of `client`.
    pub async fn run(self, client: &Client) -> Outcome {
        match &self.kind {
            Kind::Login { code, state } => match self.log_in(client, code, state).await {
                Ok(outcome) => outcome,
                Err(reason) => Outcome::refuse(reason),
            },
            Kind::Refresh(session) => match self.refresh(client, session).await {
                Ok(outcome) => outcome,
                // Whatever went wrong, a new login either mends it or shows it.
                Err(reason) => self
                    .request
                    .log_in_again(&self.oidc, &self.keys, self.now)
                    .because(reason),
            },
        }
    }

    async fn log_in(
        &self,
        client: &Client,
        code: &str,
        state: &LoginState,
    ) -> Result<Outcome, Reason> {
        let settings = &self.oidc.settings;
        let form = query::form(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &state.redirect_uri()),
            ("client_id", &settings.client_id),
            ("client_secret", settings.client_secret.reveal()),
        ]);
        let tokens = self.ask_tokens(client, form).await?;
        let id_token = tokens
            .id_token
            .as_deref()
            .ok_or(Reason::AuthInvalidTokenResponse)?;
        let subject = check_id_token(id_token, settings, self.now)?;
        let session = Session {
            expires: session_end(&self.oidc, self.now),
            issuer: settings.issuer.clone(),
            client_id: settings.client_id.clone(),
            grant: self.ask_user_info(client, tokens, subject).await?,
        };
        let set_cookies = self.keep(&session)?;
        Ok(Outcome::new(Step::Redirect(state.original_url()))
            .with_cookies(set_cookies)
            .counted(Metric::AuthSuccess))
    }

    async fn refresh(&self, client: &Client, session: &Session) -> Result<Outcome, Reason> {
        let refresh_token = session.grant.refresh_token.as_deref().unwrap_or_default();
        let key = refreshes::key(&self.oidc.identity, refresh_token);
        let asking = self.ask_refresh(client, session, refresh_token);
        let refreshed = client.refreshes.share(key, self.now, asking).await;
        let session = Session {
            grant: refreshed.result?,
            ..session.clone()
        };
        let set_cookies = self.keep(&session)?;
        let fields = user_fields::write(&session, &self.oidc, &self.keys, self.now);
        let outcome = Outcome::new(Step::Forward(fields)).with_cookies(set_cookies);
        Ok(match refreshed.is_first {
            true => outcome.counted(Metric::AuthRefreshTokenSuccess),
            false => outcome,
        })
    }

    /// Source: RFC 6749 section 6, OpenID Connect Core 1.0 section 12.2.
    async fn ask_refresh(
        &self,
        client: &Client,
        session: &Session,
        refresh_token: &str,
    ) -> Result<Grant, Reason> {
        let settings = &self.oidc.settings;
        let form = query::form(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("client_id", &settings.client_id),
            ("client_secret", settings.client_secret.reveal()),
        ]);
        let mut tokens = self.ask_tokens(client, form).await?;
        let subject = session.grant.subject.clone();
        if let Some(id_token) = &tokens.id_token
            && check_id_token(id_token, settings, self.now)? != subject
        {
            return Err(Reason::AuthInvalidIdToken);
        }
        // A provider that gives no new refresh token means the old one to go on.
        tokens
            .refresh_token
            .get_or_insert_with(|| refresh_token.to_owned());
        self.ask_user_info(client, tokens, subject).await
    }

    async fn ask_tokens(&self, client: &Client, form: String) -> Result<Tokens, Reason> {
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        let call = Call {
            endpoint: &self.oidc.token,
            method: Method::POST,
            headers: vec![(CONTENT_TYPE, form_type)],
            body: form,
            response_max: RESPONSE_MAX,
        };
        let reply = client.call(call).await.map_err(|error| match error {
            CallError::Timeout | CallError::Unreachable => Reason::AuthTokenRequestTimeout,
            CallError::TooLarge => Reason::AuthUserInfoSizeExceeded,
        })?;
        match reply.status.as_u16() {
            200..300 => Tokens::read(&reply.body, self.now),
            400 if is_invalid_grant(&reply.body) => Err(Reason::AuthInvalidGrant),
            _ => Err(Reason::AuthTokenRequestFailed),
        }
    }

    async fn ask_user_info(
        &self,
        client: &Client,
        tokens: Tokens,
        subject: String,
    ) -> Result<Grant, Reason> {
        let bearer = format!("Bearer {}", tokens.access_token);
        let mut bearer =
            HeaderValue::try_from(bearer).map_err(|_| Reason::AuthInvalidTokenResponse)?;
        bearer.set_sensitive(true);
        let call = Call {
            endpoint: &self.oidc.user_info,
            method: Method::GET,
            headers: vec![(AUTHORIZATION, bearer)],
            body: String::new(),
            response_max: RESPONSE_MAX,
        };
        let reply = client.call(call).await.map_err(|error| match error {
            CallError::Timeout | CallError::Unreachable => Reason::AuthUserInfoRequestTimeout,
            CallError::TooLarge => Reason::AuthUserInfoSizeExceeded,
        })?;
        if !reply.status.is_success() {
            return Err(Reason::AuthUserInfoRequestFailed);
        }
        let claims = read_user_info(&reply.body, &subject)?;
        if claims.len() + tokens.access_token.len() > CLAIMS_AND_TOKEN_MAX {
            return Err(Reason::AuthUserInfoSizeExceeded);
        }
        Ok(Grant {
            subject,
            claims,
            access_token: tokens.access_token,
            token_expires: tokens.expires,
            refresh_token: tokens.refresh_token,
        })
    }

    fn keep(&self, session: &Session) -> Result<Vec<String>, Reason> {
        self.request
            .keep(session, &self.oidc, &self.keys, self.now)
            .ok_or(Reason::AuthUserInfoSizeExceeded)
    }
}
