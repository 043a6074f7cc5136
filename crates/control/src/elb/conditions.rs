//! From the conditions of a request to those of a rule.
//!
//! Source: ELB API, `RuleCondition`; ALB guide, "Condition types for listener rules".

use model::condition::{Condition, InvalidCondition, Patterns, QueryPair};

use super::ElbError;
use super::input::{PatternConfig, RuleCondition};
use crate::settings::Limits;

/// What the conditions of a request mean.
pub(super) fn parse(
    limits: &Limits,
    conditions: &[RuleCondition],
) -> Result<Vec<Condition>, ElbError> {
    if conditions.is_empty() {
        return Err(invalid("A condition must be specified"));
    }
    let parsed = conditions
        .iter()
        .map(parse_one)
        .collect::<Result<Vec<_>, _>>()?;
    for field in [
        "host-header",
        "path-pattern",
        "http-request-method",
        "source-ip",
    ] {
        if parsed
            .iter()
            .filter(|condition| condition.field() == field)
            .count()
            > 1
        {
            return Err(invalid(&format!(
                "A rule can only have one '{field}' condition"
            )));
        }
    }
    let values: usize = parsed.iter().map(Condition::value_count).sum();
    if values > limits.condition_values_per_rule {
        return Err(invalid(&format!(
            "A rule can only have '{}' condition values and regex values",
            limits.condition_values_per_rule
        )));
    }
    let wildcards: usize = parsed.iter().map(Condition::wildcard_count).sum();
    if wildcards > limits.condition_wildcards_per_rule {
        return Err(invalid(&format!(
            "A rule can only have '{}' condition wildcards",
            limits.condition_wildcards_per_rule
        )));
    }
    Ok(parsed)
}

/// `Field`, in the order of AWS's error.
const FIELDS: [&str; 6] = [
    "http-header",
    "http-request-method",
    "host-header",
    "query-string",
    "source-ip",
    "path-pattern",
];

fn parse_one(condition: &RuleCondition) -> Result<Condition, ElbError> {
    let Some(field) = condition.field.as_deref() else {
        return Err(invalid("A condition field must be specified"));
    };
    if !FIELDS.contains(&field) {
        return Err(invalid(&format!(
            "Condition field '{field}' must be one of '{}'",
            FIELDS.join(",")
        )));
    }
    check_members(condition, field)?;
    match field {
        "host-header" => {
            let config = pattern_config(
                condition,
                &condition.host_header_config,
                field,
                "HostHeaderConfig",
            )?;
            match regexes("host-header", &config)? {
                Some(regexes) => Ok(Condition::HostHeader(regexes)),
                None => checked(Condition::host_header(config.values)),
            }
        }
        "path-pattern" => {
            let config = pattern_config(
                condition,
                &condition.path_pattern_config,
                field,
                "PathPatternConfig",
            )?;
            match regexes("path-pattern", &config)? {
                Some(regexes) => Ok(Condition::PathPattern(regexes)),
                None => checked(Condition::path_pattern(config.values)),
            }
        }
        "http-header" => http_header(condition),
        "http-request-method" => {
            let config = condition.http_request_method_config.as_ref();
            let config = config.ok_or_else(|| missing(field, "HttpRequestMethodConfig"))?;
            checked(Condition::http_request_method(some(field, &config.values)?))
        }
        "query-string" => query_string(condition),
        // The one of `FIELDS` that is left.
        _ => source_ip(condition),
    }
}

/// Refuses members of other types of conditions.
fn check_members(condition: &RuleCondition, field: &str) -> Result<(), ElbError> {
    let takes_plain = matches!(field, "host-header" | "path-pattern");
    let takes_regexes = takes_plain || field == "http-header";
    if !takes_regexes && !condition.regex_values.is_empty() {
        return Err(invalid(&format!(
            "'RegexValues' is not supported for a condition of type '{field}'"
        )));
    }
    let members = [
        ("", "Values", !takes_plain && !condition.values.is_empty()),
        (
            "host-header",
            "HostHeaderConfig",
            condition.host_header_config.is_some(),
        ),
        (
            "path-pattern",
            "PathPatternConfig",
            condition.path_pattern_config.is_some(),
        ),
        (
            "http-header",
            "HttpHeaderConfig",
            condition.http_header_config.is_some(),
        ),
        (
            "http-request-method",
            "HttpRequestMethodConfig",
            condition.http_request_method_config.is_some(),
        ),
        (
            "query-string",
            "QueryStringConfig",
            condition.query_string_config.is_some(),
        ),
        (
            "source-ip",
            "SourceIpConfig",
            condition.source_ip_config.is_some(),
        ),
    ];
    match members
        .iter()
        .find(|(owner, _, is_there)| *is_there && *owner != field)
    {
        Some((_, member, _)) => Err(invalid(&format!(
            "'{member}' is not supported for a condition of type '{field}'"
        ))),
        None => Ok(()),
    }
}

/// The values of a condition that can be given in two forms.
fn pattern_config(
    condition: &RuleCondition,
    config: &Option<PatternConfig>,
    field: &str,
    member: &str,
) -> Result<PatternConfig, ElbError> {
    let has_plain = !condition.values.is_empty() || !condition.regex_values.is_empty();
    let config = match (has_plain, config) {
        (false, None) => {
            return Err(missing(
                field,
                &format!("Values or RegexValues or {member}"),
            ));
        }
        (true, Some(_)) => {
            return Err(invalid(&format!(
                "You cannot provide both Values and '{member}' for a condition of type '{field}'"
            )));
        }
        (true, None) => PatternConfig {
            values: condition.values.clone(),
            regex_values: condition.regex_values.clone(),
        },
        (false, Some(config)) => config.clone(),
    };
    exactly_one(field, &config.values, &config.regex_values)?;
    Ok(config)
}

fn exactly_one(field: &str, values: &[String], regexes: &[String]) -> Result<(), ElbError> {
    match values.is_empty() == regexes.is_empty() {
        true => Err(exactly_one_error(field)),
        false => Ok(()),
    }
}

fn exactly_one_error(field: &str) -> ElbError {
    invalid(&format!(
        "You must provide exactly one of the following: ['Values' 'RegexValues'] for config of type '{field}'"
    ))
}

fn regexes(field: &'static str, config: &PatternConfig) -> Result<Option<Patterns>, ElbError> {
    match config.regex_values.as_slice() {
        [] => Ok(None),
        regexes => checked(Patterns::regexes(field, regexes.to_vec())).map(Some),
    }
}

fn http_header(condition: &RuleCondition) -> Result<Condition, ElbError> {
    let field = "http-header";
    let config = condition.http_header_config.as_ref();
    let config = config.ok_or_else(|| missing(field, "HttpHeaderConfig"))?;
    let Some(name) = config.http_header_name.clone() else {
        return Err(missing(field, "HttpHeaderName"));
    };
    // The expressions stand in the configuration or beside it.
    let all = [&*config.regex_values, &*condition.regex_values];
    if all.iter().all(|regexes| !regexes.is_empty()) {
        return Err(exactly_one_error(field));
    }
    let regexes = all.concat();
    exactly_one(field, &config.values, &regexes)?;
    let patterns = match regexes.as_slice() {
        [] => Patterns::Wildcards(config.values.clone()),
        regexes => checked(Patterns::regexes(field, regexes.to_vec()))?,
    };
    checked(Condition::http_header(name, patterns))
}

fn query_string(condition: &RuleCondition) -> Result<Condition, ElbError> {
    let field = "query-string";
    let config = condition.query_string_config.as_ref();
    let config = config.ok_or_else(|| missing(field, "QueryStringConfig"))?;
    let pair = |(key, value): &(Option<String>, Option<String>)| match value {
        Some(value) => Ok(QueryPair {
            // An empty key is how some clients write an absent one.
            key: key.clone().filter(|key| !key.is_empty()),
            value: value.clone(),
        }),
        None => Err(missing(field, "Value")),
    };
    let pairs = config
        .values
        .iter()
        .map(pair)
        .collect::<Result<Vec<_>, _>>()?;
    if pairs.is_empty() {
        return Err(missing(field, "Values"));
    }
    checked(Condition::query_string(pairs))
}

fn source_ip(condition: &RuleCondition) -> Result<Condition, ElbError> {
    let field = "source-ip";
    let config = condition.source_ip_config.as_ref();
    let config = config.ok_or_else(|| missing(field, "SourceIpConfig"))?;
    if config.ip_address_type.is_some() {
        return Err(invalid(
            "'IpAddressType' of a condition of type 'source-ip' is supported only on Network Load Balancers",
        ));
    }
    checked(Condition::source_ip(&some(field, &config.values)?))
}

/// The values, if there are any.
fn some(field: &str, values: &[String]) -> Result<Vec<String>, ElbError> {
    match values {
        [] => Err(missing(field, "Values")),
        values => Ok(values.to_vec()),
    }
}

fn checked<T>(outcome: Result<T, InvalidCondition>) -> Result<T, ElbError> {
    outcome.map_err(|error| ElbError::Validation(error.to_string()))
}

fn missing(field: &str, members: &str) -> ElbError {
    invalid(&format!(
        "For conditions of type '{field}', you must specify the following fields: '{members}'"
    ))
}

fn invalid(message: &str) -> ElbError {
    ElbError::Validation(message.to_owned())
}
