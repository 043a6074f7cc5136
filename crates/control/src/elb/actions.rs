//! From the actions of a request to the one that routes.
//!
//! Source: ELB API, `Action`; ALB guide, "Action types for listener rules".

use std::collections::BTreeSet;

use model::action::{
    Actions, FixedContentType, FixedResponseAction, ForwardAction, RedirectAction, RedirectStatus,
    RoutingAction, WeightedTargetGroup,
};
use model::arn::TargetGroupArn;

use super::check::{between, length, unsupported, violation};
use super::input::{
    Action, ActionType, FixedResponseConfig, ForwardConfig, RedirectConfig,
    TargetGroupStickinessConfig, TargetGroupTuple,
};
use super::{ElbError, find};
use crate::State;
use crate::settings::Limits;

/// Most actions of a rule: one that authenticates, one that routes.
const ACTIONS_MAX: usize = 2;
/// The longest time a client can stay with a target group, in seconds.
const STICKINESS_SECONDS_MAX: i32 = 604_800;
/// Most characters of the parts of a redirect.
const REDIRECT_CHARACTERS_MAX: usize = 128;
/// Most characters of a fixed body.
const BODY_CHARACTERS_MAX: usize = 1024;

/// What the actions of a request on an HTTP listener mean.
pub(super) fn parse(
    state: &State,
    limits: &Limits,
    actions: &[Action],
) -> Result<Actions, ElbError> {
    check_together(actions)?;
    let Some(action) = actions.first() else {
        return Err(invalid("At least one action must be specified"));
    };
    check_configs(action)?;
    let order = between("actions.order", action.order, 1, 50_000)?;
    let routing = match action.action_type {
        ActionType::Forward => RoutingAction::Forward(forward(state, limits, action)?),
        ActionType::Redirect => match &action.redirect_config {
            Some(config) => RoutingAction::Redirect(redirect(config)?),
            None => return Err(missing(action.action_type, "RedirectConfig")),
        },
        ActionType::FixedResponse => match &action.fixed_response_config {
            Some(config) => RoutingAction::FixedResponse(fixed_response(config)?),
            None => return Err(missing(action.action_type, "FixedResponseConfig")),
        },
        secure @ (ActionType::AuthenticateOidc
        | ActionType::AuthenticateCognito
        | ActionType::JwtValidation) => {
            return Err(ElbError::InvalidLoadBalancerAction(format!(
                "Actions of type '{secure}' are supported only on HTTPS listeners"
            )));
        }
    };
    Ok(Actions {
        order: order.map(i32::unsigned_abs),
        routing,
    })
}

/// The rules for several actions. One that authenticates needs an HTTPS listener, so on an HTTP listener
/// more than one action always breaks one of them.
fn check_together(actions: &[Action]) -> Result<(), ElbError> {
    if actions.len() > ACTIONS_MAX {
        return Err(ElbError::TooManyActions(format!(
            "A rule can have at most {ACTIONS_MAX} actions"
        )));
    }
    if actions.len() < 2 {
        return Ok(());
    }
    let is_secure = |action: &&Action| {
        !matches!(
            action.action_type,
            ActionType::Forward | ActionType::Redirect | ActionType::FixedResponse
        )
    };
    if let Some(secure) = actions.iter().find(is_secure) {
        return Err(ElbError::InvalidLoadBalancerAction(format!(
            "Actions of type '{}' are supported only on HTTPS listeners",
            secure.action_type
        )));
    }
    if actions.iter().any(|action| action.order.is_none()) {
        return Err(invalid(
            "When you specify multiple actions, you must specify an order for each action",
        ));
    }
    let types: Vec<_> = actions
        .iter()
        .map(|action| action.action_type.as_str())
        .collect();
    Err(invalid(&format!(
        "Action types '{}' cannot be specified together",
        types.join(",")
    )))
}

/// Refuses configurations of other types than the action has.
fn check_configs(action: &Action) -> Result<(), ElbError> {
    let action_type = action.action_type;
    let forward_only = [
        ("TargetGroupArn", action.target_group_arn.is_some()),
        ("ForwardConfig", action.forward_config.is_some()),
    ];
    let others = [
        (
            ActionType::Redirect,
            "RedirectConfig",
            action.redirect_config.is_some(),
        ),
        (
            ActionType::FixedResponse,
            "FixedResponseConfig",
            action.fixed_response_config.is_some(),
        ),
    ];
    let of_forward = forward_only.map(|(member, is_there)| (ActionType::Forward, member, is_there));
    let wrong = of_forward
        .into_iter()
        .chain(others)
        .find(|(owner, _, is_there)| *is_there && *owner != action_type);
    let wrong = wrong.map(|(_, member, _)| member);
    // What authenticates has a configuration of its own, and is refused for itself.
    let own = match action_type {
        ActionType::AuthenticateOidc => Some("AuthenticateOidcConfig"),
        ActionType::AuthenticateCognito => Some("AuthenticateCognitoConfig"),
        ActionType::JwtValidation => Some("JwtValidationConfig"),
        ActionType::Forward | ActionType::Redirect | ActionType::FixedResponse => None,
    };
    let foreign = || {
        action
            .other_configs
            .iter()
            .copied()
            .find(|member| Some(*member) != own)
    };
    match wrong.or_else(foreign) {
        Some(member) => Err(invalid(&format!(
            "'{member}' cannot be specified for actions of type '{action_type}'"
        ))),
        None => Ok(()),
    }
}

fn forward(state: &State, limits: &Limits, action: &Action) -> Result<ForwardAction, ElbError> {
    let top_level = action.target_group_arn.as_deref();
    let Some(config) = action
        .forward_config
        .as_ref()
        .filter(|it| !it.target_groups.is_empty())
    else {
        let stickiness = action
            .forward_config
            .as_ref()
            .and_then(|it| it.stickiness.as_ref());
        let arn = top_level.ok_or_else(|| missing(ActionType::Forward, "TargetGroupArn"))?;
        let arn = find::target_group(state, arn)?.arn.clone();
        return Ok(ForwardAction {
            target_groups: vec![WeightedTargetGroup { arn, weight: 1 }],
            stickiness_duration_seconds: stickiness_duration(stickiness)?,
        });
    };
    let groups = weighted_groups(state, limits, config)?;
    let is_same = |arn: &str| matches!(&*groups, [only] if only.arn.to_string() == arn);
    if top_level.is_some_and(|arn| !is_same(arn)) {
        return Err(invalid(
            "You can specify both a target group list and a top-level target group ARN only if the ARNs \
             match",
        ));
    }
    Ok(ForwardAction {
        target_groups: groups,
        stickiness_duration_seconds: stickiness_duration(config.stickiness.as_ref())?,
    })
}

fn weighted_groups(
    state: &State,
    limits: &Limits,
    config: &ForwardConfig,
) -> Result<Vec<WeightedTargetGroup>, ElbError> {
    let limit = limits.target_groups_per_action;
    if config.target_groups.len() > limit {
        let message = format!("You cannot specify more than {limit} target groups per action");
        return Err(invalid(&message));
    }
    let is_only = config.target_groups.len() == 1;
    let mut seen = BTreeSet::new();
    let mut groups = Vec::new();
    for tuple in &config.target_groups {
        let group = weighted_group(state, tuple, is_only)?;
        if !seen.insert(group.arn.clone()) {
            let message = format!("Target group '{}' is specified more than once", group.arn);
            return Err(invalid(&message));
        }
        groups.push(group);
    }
    Ok(groups)
}

fn weighted_group(
    state: &State,
    tuple: &TargetGroupTuple,
    is_only: bool,
) -> Result<WeightedTargetGroup, ElbError> {
    let Some(arn) = &tuple.target_group_arn else {
        return Err(invalid("A target group ARN must be specified"));
    };
    let arn: TargetGroupArn = find::target_group(state, arn)?.arn.clone();
    let weight = match (tuple.weight, is_only) {
        (None, true) => 1,
        (Some(weight @ 1..=999), true) | (Some(weight @ 0..=999), false) => weight.unsigned_abs(),
        (_, true) => return Err(invalid("Target group weight must be between 1 and 999")),
        (_, false) => return Err(invalid("Target group weight must be between 0 and 999")),
    };
    Ok(WeightedTargetGroup { arn, weight })
}

fn stickiness_duration(
    stickiness: Option<&TargetGroupStickinessConfig>,
) -> Result<Option<u32>, ElbError> {
    let Some(stickiness) = stickiness else {
        return Ok(None);
    };
    let member = "targetGroupStickinessConfig.durationSeconds";
    let duration = between(
        member,
        stickiness.duration_seconds,
        1,
        STICKINESS_SECONDS_MAX,
    )?;
    match (stickiness.enabled, duration) {
        (Some(true), None) => Err(invalid(
            "You must provide a duration when enabling target group stickiness",
        )),
        (Some(true), Some(_)) => Err(unsupported("Target group stickiness of a forward action")),
        (_, duration) => Ok(duration.map(i32::unsigned_abs)),
    }
}

fn redirect(config: &RedirectConfig) -> Result<RedirectAction, ElbError> {
    let part =
        |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
    let Ok(status) = config.status_code.parse::<RedirectStatus>() else {
        let constraint = "satisfy enum value set: [HTTP_301, HTTP_302]";
        return Err(violation(
            "redirectConfig.statusCode",
            &config.status_code,
            constraint,
        ));
    };
    let redirect = RedirectAction {
        protocol: part(&config.protocol, "#{protocol}"),
        port: part(&config.port, "#{port}"),
        host: part(&config.host, "#{host}"),
        path: part(&config.path, "/#{path}"),
        query: part(&config.query, "#{query}"),
        status,
    };
    check_redirect(&redirect)?;
    Ok(redirect)
}

fn check_redirect(redirect: &RedirectAction) -> Result<(), ElbError> {
    let RedirectAction {
        protocol,
        port,
        host,
        path,
        query,
        ..
    } = redirect;
    if !matches!(protocol.as_str(), "HTTP" | "HTTPS" | "#{protocol}") {
        let constraint = r"satisfy regular expression pattern: ^(HTTPS?|#\{protocol\})$";
        return Err(violation("redirectConfig.protocol", protocol, constraint));
    }
    let is_number = !port.starts_with('+') && port.parse::<u16>().is_ok_and(|port| port > 0);
    if port != "#{port}" && !is_number {
        return Err(invalid(
            "The Port parameter must be either an integer between 1 and 65535 or '#{port}'.",
        ));
    }
    length("redirectConfig.host", host, 1, REDIRECT_CHARACTERS_MAX)?;
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if !literal(host, &["#{host}"]).is_some_and(|rest| rest.chars().all(is_host)) {
        return Err(invalid(
            "The Host parameter must be a valid host name, and may contain one '#{host}' placeholder.",
        ));
    }
    length("redirectConfig.path", path, 1, REDIRECT_CHARACTERS_MAX)?;
    let path_rest = literal(path, &["#{path}", "#{host}", "#{port}"]);
    if !path.starts_with('/') || !path_rest.is_some_and(|rest| rest.chars().all(is_uri)) {
        return Err(invalid(
            "The Path parameter must be a valid path, should start with a '/', and may contain up to one of \
             each of these placeholders: '#{path}', '#{host}', '#{port}'.",
        ));
    }
    length("redirectConfig.query", query, 0, REDIRECT_CHARACTERS_MAX)?;
    let query_rest = literal(
        query,
        &["#{query}", "#{path}", "#{host}", "#{port}", "#{protocol}"],
    );
    if query.starts_with('?') || !query_rest.is_some_and(|rest| rest.chars().all(is_uri)) {
        return Err(invalid(
            "The Query parameter must be a valid query without the leading '?', and may contain up to one \
             of each of these placeholders: '#{query}', '#{path}', '#{host}', '#{port}', '#{protocol}'.",
        ));
    }
    // The listener speaks HTTP, so this protocol is the one the request came with.
    let keeps_protocol = matches!(protocol.as_str(), "HTTP" | "#{protocol}");
    let keeps_place = port == "#{port}" && host == "#{host}";
    if keeps_protocol && keeps_place && path == "/#{path}" && query == "#{query}" {
        return Err(invalid(
            "The redirect configuration is not valid because it creates a loop.",
        ));
    }
    Ok(())
}

/// `text` without the placeholders; `None` if one of them is there twice.
fn literal(text: &str, placeholders: &[&str]) -> Option<String> {
    let mut rest = text.to_owned();
    for placeholder in placeholders {
        rest = rest.replacen(placeholder, "", 1);
        if rest.contains(placeholder) {
            return None;
        }
    }
    Some(rest)
}

/// Whether the character can stand in a path or a query of a `Location`: RFC 3986 section 3.3 and 3.4.
/// Line ends and spaces, which could change the response head, cannot.
fn is_uri(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?%".contains(c)
}

fn fixed_response(config: &FixedResponseConfig) -> Result<FixedResponseAction, ElbError> {
    let code = config.status_code.as_str();
    let is_code = code.len() == 3
        && code.starts_with(['2', '4', '5'])
        && code.bytes().all(|b| b.is_ascii_digit());
    let Some(status) = code.parse().ok().filter(|_| is_code) else {
        let constraint = r"satisfy regular expression pattern: ^(2|4|5)\d\d$";
        return Err(violation(
            "fixedResponseConfig.statusCode",
            code,
            constraint,
        ));
    };
    if let Some(body) = &config.message_body {
        length(
            "fixedResponseConfig.messageBody",
            body,
            0,
            BODY_CHARACTERS_MAX,
        )?;
    }
    let given = config.content_type.as_deref().filter(|it| !it.is_empty());
    let content_type = given.map(content_type).transpose()?;
    let default = config
        .message_body
        .as_ref()
        .map(|_| FixedContentType::Plain);
    Ok(FixedResponseAction {
        status,
        content_type: content_type.or(default),
        body: config.message_body.clone(),
    })
}

fn content_type(text: &str) -> Result<FixedContentType, ElbError> {
    let known: Vec<_> = FixedContentType::ALL.iter().map(|it| it.as_str()).collect();
    text.parse().map_err(|_| {
        invalid(&format!(
            "The content type '{text}' must be one of '{}'",
            known.join(", ")
        ))
    })
}

fn invalid(message: &str) -> ElbError {
    ElbError::Validation(message.to_owned())
}

fn missing(action_type: ActionType, member: &str) -> ElbError {
    invalid(&format!(
        "For actions of type '{action_type}', you must specify the following fields: '{member}'"
    ))
}
