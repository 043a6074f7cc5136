//! From the actions of a rule to what the data plane does with a request.

use std::sync::Arc;
use std::time::Duration;

use engine::action::Template;
use engine::router::CompileError;
use engine::transform::Rewrite;
use engine::{Action, Authentication, FixedResponse, Forward, Redirect, Routing, Transforms};
use model::action::{Actions, FixedResponseAction, RedirectAction, RoutingAction};
use model::expression::PROGRAM_BYTES_MAX;
use regex::bytes::RegexBuilder;

use super::http::with_charset;
use super::pools::Pools;
use crate::elb::authentication::open;
use crate::secrets::{SealedError, SecretKey};

/// What the actions of a rule do; `pools` has those that they forward to.
///
/// # Errors
/// `SealedError` if the client secret of a login does not open.
pub(super) fn lower(
    pools: &Pools,
    secret_key: &SecretKey,
    actions: &Actions,
) -> Result<Action, SealedError> {
    let authentication = actions.authentication.as_ref();
    let authentication =
        authentication.map(|action| lower_authentication(secret_key, &action.method));
    let routing = match &actions.routing {
        RoutingAction::Forward(forward) => {
            let groups = forward.target_groups.iter();
            let weighted = groups.map(|group| (Arc::clone(pools.of(group.arn.id)), group.weight));
            let mut lowered = Forward::new(weighted.collect());
            let seconds = forward.stickiness_duration_seconds;
            let seconds = seconds.filter(|_| forward.is_sticky);
            lowered.stickiness = seconds.map(|seconds| Duration::from_secs(seconds.into()));
            Routing::Forward(lowered)
        }
        RoutingAction::Redirect(redirect) => Routing::Redirect(lower_redirect(redirect)),
        RoutingAction::FixedResponse(fixed) => Routing::FixedResponse(lower_fixed_response(fixed)),
    };
    Ok(Action {
        authentication: authentication.transpose()?,
        ..routing.into()
    })
}

fn lower_authentication(
    secret_key: &SecretKey,
    method: &model::authentication::Authentication,
) -> Result<Authentication, SealedError> {
    use model::authentication::Authentication as Method;
    let login = |oidc| Ok(Authentication::Oidc(Arc::new(open(secret_key, oidc)?)));
    match method {
        Method::Oidc(oidc) => login(oidc),
        Method::Cognito(cognito) => login(&cognito.oidc),
        Method::Jwt(jwt) => Ok(Authentication::Jwt(Arc::new(jwt.clone()))),
    }
}

fn lower_redirect(redirect: &RedirectAction) -> Redirect {
    Redirect {
        protocol: Template::parse(&redirect.protocol),
        port: Template::parse(&redirect.port),
        host: Template::parse(&redirect.host),
        path: Template::parse(&redirect.path),
        query: Template::parse(&redirect.query),
        status: redirect.status.code(),
    }
}

fn lower_fixed_response(fixed: &FixedResponseAction) -> FixedResponse {
    let body = fixed.body.as_deref().unwrap_or_default();
    let content_type = fixed.content_type.filter(|_| !body.is_empty());
    FixedResponse {
        status: fixed.status,
        content_type: content_type.map(|it| with_charset(it.as_str())),
        body: body.as_bytes().into(),
    }
}

/// How the requests of a rule are rewritten. The case of a host does not matter, that of a URL does.
pub(super) fn lower_transforms(
    transforms: &model::transform::Transforms,
) -> Result<Transforms, CompileError> {
    let rewrite = |rewrite: &model::transform::Rewrite, is_folded: bool| {
        let pattern = RegexBuilder::new(rewrite.regex())
            .unicode(false)
            .case_insensitive(is_folded)
            .size_limit(PROGRAM_BYTES_MAX)
            .build();
        let pattern = pattern.map_err(|source| CompileError {
            pattern: rewrite.regex().to_owned(),
            source,
        })?;
        Ok(Rewrite {
            pattern,
            replacement: rewrite.replace().into(),
        })
    };
    let host = transforms.host.as_ref().map(|host| rewrite(host, true));
    let url = transforms.url.as_ref().map(|url| rewrite(url, false));
    Ok(Transforms {
        host: host.transpose()?,
        url: url.transpose()?,
    })
}
