//! From the actions of a request to the one that routes.
//!
//! Source: ELB API, `Action`; ALB guide, "Action types for listener rules".

use std::collections::BTreeSet;

use model::action::{
    Actions, AuthenticationAction, FixedContentType, FixedResponseAction, ForwardAction,
    RedirectAction, RedirectStatus, RoutingAction, WeightedTargetGroup,
};
use model::arn::{LoadBalancerArn, TargetGroupArn};
use model::authentication::Authentication;
use model::listener::Listener;
use model::protocol::Protocol;
use model::target_group_attributes;

use super::check::{between, length, violation};
use super::input::{
    Action, ActionType, FixedResponseConfig, ForwardConfig, RedirectConfig,
    TargetGroupStickinessConfig, TargetGroupTuple,
};
use super::{ElbError, authentication, find};
use crate::settings::Limits;
use crate::{Draft, State};

/// Most actions of a rule: one that authenticates, one that routes.
const ACTIONS_MAX: usize = 2;
/// The longest time a client can stay with a target group, in seconds.
const STICKINESS_SECONDS_MAX: i32 = 604_800;
/// Most characters of the parts of a redirect.
const REDIRECT_CHARACTERS_MAX: usize = 128;
/// Most characters of a fixed body.
const BODY_CHARACTERS_MAX: usize = 1024;

/// What the actions of a request are for.
pub(super) struct Scope<'a> {
    /// The state, and what the operator decided.
    pub(super) draft: &'a Draft,
    /// Whose listener it is.
    pub(super) load_balancer: &'a LoadBalancerArn,
    /// What the listener speaks.
    pub(super) protocol: Protocol,
    /// Where it listens.
    pub(super) port: u16,
    /// The actions that these replace, or have to be equal to.
    pub(super) present: Option<&'a Actions>,
}

impl Scope<'_> {
    /// How the actions that are there already authenticate.
    pub(super) fn present_authentication(&self) -> Option<&Authentication> {
        let action = self.present?.authentication.as_ref()?;
        Some(&action.method)
    }
}

/// What the actions of a request mean.
pub(super) fn parse(scope: &Scope<'_>, actions: &[Action]) -> Result<Actions, ElbError> {
    let (authenticating, routing) = arrange(scope.protocol, actions)?;
    actions.iter().try_for_each(check_configs)?;
    let authentication = match authenticating {
        Some(action) => {
            // `arrange` has seen that there is one.
            let order = order(action)?.unwrap_or_default();
            let method = authentication::parse(scope, action)?;
            method.map(|method| AuthenticationAction { order, method })
        }
        None => None,
    };
    let actions = Actions {
        authentication,
        order: order(routing)?,
        routing: parse_routing(scope, routing)?,
    };
    check_fit(scope.protocol, scope.port, &actions)?;
    Ok(actions)
}

/// The action that authenticates, if there is one, and the one that routes.
fn arrange(protocol: Protocol, actions: &[Action]) -> Result<(Option<&Action>, &Action), ElbError> {
    if actions.len() > ACTIONS_MAX {
        return Err(ElbError::TooManyActions(format!(
            "A rule can have at most {ACTIONS_MAX} actions"
        )));
    }
    let mut authenticating = actions.iter().filter(|action| !is_routing(action));
    authenticating.try_for_each(|action| check_secure(protocol, action.action_type))?;
    match actions {
        [] => Err(invalid("At least one action must be specified")),
        [only] if is_routing(only) => Ok((None, only)),
        [only] => Err(invalid(&format!(
            "An action of type '{}' must be followed by an action of type 'forward', 'redirect' or \
             'fixed-response'",
            only.action_type
        ))),
        _ if actions.iter().any(|action| action.order.is_none()) => Err(invalid(
            "When you specify multiple actions, you must specify an order for each action",
        )),
        [first, second] if is_routing(first) != is_routing(second) => {
            let (authenticating, routing) = match is_routing(first) {
                true => (second, first),
                false => (first, second),
            };
            if routing.order <= authenticating.order {
                return Err(invalid(&format!(
                    "An action of type '{}' must have a higher order than all other actions",
                    routing.action_type
                )));
            }
            Ok((Some(authenticating), routing))
        }
        _ => {
            let types = actions.iter().map(|action| action.action_type.as_str());
            Err(invalid(&format!(
                "Action types '{}' cannot be specified together",
                types.collect::<Vec<_>>().join(",")
            )))
        }
    }
}

fn is_routing(action: &Action) -> bool {
    matches!(
        action.action_type,
        ActionType::Forward | ActionType::Redirect | ActionType::FixedResponse
    )
}

fn check_secure(protocol: Protocol, action_type: ActionType) -> Result<(), ElbError> {
    match protocol {
        Protocol::Https => Ok(()),
        _ => Err(ElbError::InvalidLoadBalancerAction(format!(
            "Actions of type '{action_type}' are supported only on HTTPS listeners"
        ))),
    }
}

/// Whether a listener with this protocol and port can have these actions.
fn check_fit(protocol: Protocol, port: u16, actions: &Actions) -> Result<(), ElbError> {
    if let Some(action) = &actions.authentication {
        check_secure(protocol, authentication::type_of(&action.method))?;
    }
    match &actions.routing {
        RoutingAction::Redirect(redirect) => check_direction(protocol, port, redirect),
        RoutingAction::Forward(_) | RoutingAction::FixedResponse(_) => Ok(()),
    }
}

/// Whether the protocol and the port of a listener fit the actions of all its rules.
pub(super) fn check_listener(state: &State, listener: &Listener) -> Result<(), ElbError> {
    let by_rules = state.elb.rules_of(listener.arn.id).into_iter();
    let by_rules = by_rules.map(|rule| &rule.actions);
    let mut all = by_rules.chain([&listener.default_actions]);
    all.try_for_each(|actions| check_fit(listener.protocol, listener.port, actions))
}

fn order(action: &Action) -> Result<Option<u32>, ElbError> {
    let order = between("actions.order", action.order, 1, 50_000)?;
    Ok(order.map(i32::unsigned_abs))
}

fn parse_routing(scope: &Scope<'_>, action: &Action) -> Result<RoutingAction, ElbError> {
    let (state, limits) = (scope.draft.state(), &scope.draft.settings().limits);
    Ok(match action.action_type {
        ActionType::Redirect => match &action.redirect_config {
            Some(config) => RoutingAction::Redirect(redirect(config)?),
            None => return Err(missing(action.action_type, "RedirectConfig")),
        },
        ActionType::FixedResponse => match &action.fixed_response_config {
            Some(config) => RoutingAction::FixedResponse(fixed_response(config)?),
            None => return Err(missing(action.action_type, "FixedResponseConfig")),
        },
        // `arrange` gives no action that authenticates.
        ActionType::Forward
        | ActionType::AuthenticateOidc
        | ActionType::AuthenticateCognito
        | ActionType::JwtValidation => RoutingAction::Forward(forward(state, limits, action)?),
    })
}

/// Refuses configurations of other types than the action has.
fn check_configs(action: &Action) -> Result<(), ElbError> {
    let action_type = action.action_type;
    let members = [
        (
            ActionType::Forward,
            "TargetGroupArn",
            action.target_group_arn.is_some(),
        ),
        (
            ActionType::Forward,
            "ForwardConfig",
            action.forward_config.is_some(),
        ),
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
        (
            ActionType::AuthenticateOidc,
            "AuthenticateOidcConfig",
            action.authenticate_oidc_config.is_some(),
        ),
        (
            ActionType::AuthenticateCognito,
            "AuthenticateCognitoConfig",
            action.authenticate_cognito_config.is_some(),
        ),
        (
            ActionType::JwtValidation,
            "JwtValidationConfig",
            action.jwt_validation_config.is_some(),
        ),
    ];
    let mut members = members.into_iter();
    match members.find(|(owner, _, is_there)| *is_there && *owner != action_type) {
        Some((_, member, _)) => Err(invalid(&format!(
            "'{member}' cannot be specified for actions of type '{action_type}'"
        ))),
        None => Ok(()),
    }
}

fn forward(state: &State, limits: &Limits, action: &Action) -> Result<ForwardAction, ElbError> {
    let top_level = action.target_group_arn.as_deref();
    let config = action.forward_config.as_ref();
    let stickiness = config.and_then(|config| config.stickiness.as_ref());
    let groups = match config.filter(|config| !config.target_groups.is_empty()) {
        Some(config) => {
            let groups = weighted_groups(state, limits, config)?;
            let is_same = |arn: &str| matches!(&*groups, [only] if only.arn.to_string() == arn);
            if top_level.is_some_and(|arn| !is_same(arn)) {
                return Err(invalid(
                    "You can specify both a target group list and a top-level target group ARN only if the \
                     ARNs match",
                ));
            }
            groups
        }
        None => {
            let arn = top_level.ok_or_else(|| missing(ActionType::Forward, "TargetGroupArn"))?;
            let arn = find::target_group(state, arn)?.arn.clone();
            vec![WeightedTargetGroup { arn, weight: 1 }]
        }
    };
    let forward = ForwardAction {
        target_groups: groups,
        stickiness_duration_seconds: stickiness_duration(stickiness)?,
        is_sticky: stickiness.is_some_and(|it| it.enabled == Some(true)),
    };
    check_stickiness(state, &forward)?;
    Ok(forward)
}

/// A client that stays with a target must first stay with its group.
///
/// Source: ELB API, `TargetGroupStickinessConfig`; ALB guide, "Sticky sessions for your Application Load
/// Balancer".
fn check_stickiness(state: &State, forward: &ForwardAction) -> Result<(), ElbError> {
    let is_sticky = |group: &&WeightedTargetGroup| {
        let attributes = &state.elb.target_groups[&group.arn.id].attributes;
        attributes.value(&target_group_attributes::STICKINESS) == "true"
    };
    let mut groups = forward.target_groups.iter();
    match groups.find(is_sticky) {
        Some(_) if forward.target_groups.len() > 1 && !forward.is_sticky => {
            let message = "You must enable group stickiness on a rule if you enabled target stickiness on one of its \
                           target groups";
            Err(ElbError::InvalidConfigurationRequest(message.to_owned()))
        }
        _ => Ok(()),
    }
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
        (_, is_only) => {
            let least = u32::from(is_only);
            let message = format!(
                "The weight for each target group must be between {least} and 999, inclusive"
            );
            return Err(invalid(&message));
        }
    };
    Ok(WeightedTargetGroup { arn, weight })
}

fn stickiness_duration(
    stickiness: Option<&TargetGroupStickinessConfig>,
) -> Result<Option<u32>, ElbError> {
    let Some(stickiness) = stickiness else {
        return Ok(None);
    };
    match (stickiness.enabled, stickiness.duration_seconds) {
        (_, Some(seconds @ 1..=STICKINESS_SECONDS_MAX)) => Ok(Some(seconds.unsigned_abs())),
        (_, Some(_)) => Err(invalid(&format!(
            "Target group stickiness duration must be between 1 and {STICKINESS_SECONDS_MAX} seconds"
        ))),
        (Some(true), None) => Err(invalid(
            "You must provide a duration when enabling target group stickiness",
        )),
        (_, None) => Ok(None),
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
        return Err(wrong(
            "The Port parameter must be either an integer between 1 and 65535 or '#{port}'.",
        ));
    }
    length("redirectConfig.host", host, 1, REDIRECT_CHARACTERS_MAX)?;
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if !literal(host, &["#{host}"]).is_some_and(|rest| rest.chars().all(is_host)) {
        return Err(wrong(
            "The Host parameter must be a valid host name, and may contain one '#{host}' placeholder.",
        ));
    }
    length("redirectConfig.path", path, 1, REDIRECT_CHARACTERS_MAX)?;
    let path_rest = literal(path, &["#{path}", "#{host}", "#{port}"]);
    if !path.starts_with('/') || !path_rest.is_some_and(|rest| rest.chars().all(is_uri)) {
        return Err(wrong(
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
        return Err(wrong(
            "The Query parameter must be a valid query without the leading '?', and may contain up to one \
             of each of these placeholders: '#{query}', '#{path}', '#{host}', '#{port}', '#{protocol}'.",
        ));
    }
    Ok(())
}

/// Whether a redirect of a listener leads elsewhere, and nowhere less secure.
fn check_direction(
    protocol: Protocol,
    port: u16,
    redirect: &RedirectAction,
) -> Result<(), ElbError> {
    let is_secure = protocol == Protocol::Https;
    if is_secure && redirect.protocol == "HTTP" {
        return Err(wrong("You cannot redirect HTTPS to HTTP."));
    }
    let keeps_protocol = match redirect.protocol.as_str() {
        "HTTP" => !is_secure,
        "HTTPS" => is_secure,
        _ => true,
    };
    let keeps_port = redirect.port == "#{port}" || redirect.port.parse() == Ok(port);
    let keeps_place = keeps_port && redirect.host == "#{host}";
    let keeps_url = redirect.path == "/#{path}" && redirect.query == "#{query}";
    if keeps_protocol && keeps_place && keeps_url {
        return Err(wrong(
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

/// What is wrong with the configuration of an action has this code on AWS.
fn wrong(message: &str) -> ElbError {
    ElbError::InvalidLoadBalancerAction(message.to_owned())
}

/// The error for an action without the configuration of its type.
pub(super) fn missing(action_type: ActionType, member: &str) -> ElbError {
    wrong(&format!(
        "For actions of type '{action_type}', you must specify the following fields: '{member}'"
    ))
}
