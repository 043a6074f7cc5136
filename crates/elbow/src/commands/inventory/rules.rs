//! Rules as `DescribeRules` tells them: conditions in words, and actions as far as commands look at them.

use std::fmt;

use serde::Serialize;

use crate::client::xml::Element;

/// A rule of a listener.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Rule {
    /// Its ARN.
    pub(crate) arn: String,
    /// A number, or `default`.
    pub(crate) priority: String,
    /// All of them must match.
    pub(crate) conditions: Vec<Condition>,
    /// In the order in which they are carried out.
    pub(crate) actions: Vec<Action>,
}

/// A condition; any of its values is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Condition {
    /// `Field`, such as `path-pattern`.
    pub(crate) field: String,
    /// The name of the field of a condition of type `http-header`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) header: Option<String>,
    /// Values, or regular expressions after `regex:`.
    pub(crate) values: Vec<String>,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Action {
    /// To one or several target groups.
    Forward {
        /// With their weights.
        target_groups: Vec<Weighted>,
    },
    /// To another URL.
    Redirect {
        /// 301 or 302.
        status: u16,
        /// With placeholders such as `#{host}`.
        location: String,
    },
    /// An answer from here.
    FixedResponse {
        /// Its status.
        status: u16,
    },
    /// A login or a token, by the type of the action.
    Authenticate {
        /// `authenticate-oidc`, `authenticate-cognito` or `jwt-validation`.
        method: String,
        /// The URLs that elbow itself asks, as far as the rule has them.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        endpoints: Vec<String>,
    },
}

/// A target group of a forward action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Weighted {
    /// Its ARN.
    pub(crate) target_group: String,
    /// 0 to 999.
    pub(crate) weight: u32,
}

/// The name in an ARN of a load balancer or a target group.
pub(crate) fn name_in(arn: &str) -> &str {
    arn.split(['/']).rev().nth(1).unwrap_or(arn)
}

impl Rule {
    /// From a member of `Rules`.
    pub(super) fn read(rule: &Element) -> Self {
        Self {
            arn: rule.text_at("RuleArn").to_owned(),
            priority: rule.text_at("Priority").to_owned(),
            conditions: rule
                .list("Conditions")
                .iter()
                .map(Condition::read)
                .collect(),
            actions: rule.list("Actions").iter().map(Action::read).collect(),
        }
    }
}

impl Condition {
    fn read(condition: &Element) -> Self {
        // Each type has a structure of its own; older answers had the values beside the field.
        let of_type = condition
            .children
            .iter()
            .find(|it| it.name.ends_with("Config"));
        let config = of_type.unwrap_or(condition);
        let value = |value: &Element| match (value.text_at("Key"), value.find("Value")) {
            (_, None) => value.text.clone(),
            ("", Some(value)) => value.text.clone(),
            (key, Some(value)) => format!("{key}={}", value.text),
        };
        let values = config.list("Values").iter().map(value);
        let regex = |value: &Element| format!("regex:{}", value.text);
        let regexes = config.list("RegexValues").iter().map(regex);
        let header = config.find("HttpHeaderName");
        Self {
            field: condition.text_at("Field").to_owned(),
            header: header.map(|name| name.text.clone()),
            values: values.chain(regexes).collect(),
        }
    }
}

impl From<&model::condition::Condition> for Condition {
    fn from(condition: &model::condition::Condition) -> Self {
        use model::condition::{Condition, Patterns};
        let texts = |patterns: &Patterns| match patterns {
            Patterns::Wildcards(values) => values.clone(),
            Patterns::Regexes(values) => values.iter().map(|it| format!("regex:{it}")).collect(),
        };
        let pair = |pair: &model::condition::QueryPair| match &pair.key {
            Some(key) => format!("{key}={}", pair.value),
            None => pair.value.clone(),
        };
        let (field, values) = match condition {
            Condition::HostHeader(patterns) => ("host-header", texts(patterns)),
            Condition::PathPattern(patterns) => ("path-pattern", texts(patterns)),
            Condition::HttpHeader { patterns, .. } => ("http-header", texts(patterns)),
            Condition::HttpRequestMethod(methods) => ("http-request-method", methods.clone()),
            Condition::QueryString(pairs) => ("query-string", pairs.iter().map(pair).collect()),
            Condition::SourceIp(blocks) => (
                "source-ip",
                blocks.iter().map(ToString::to_string).collect(),
            ),
        };
        let header = match condition {
            Condition::HttpHeader { name, .. } => Some(name.clone()),
            _ => None,
        };
        Self {
            field: field.to_owned(),
            header,
            values,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.field)?;
        if let Some(header) = &self.header {
            write!(f, " {header}:")?;
        }
        write!(f, " {}", self.values.join(" or "))
    }
}

impl Action {
    fn read(action: &Element) -> Self {
        match action.text_at("Type") {
            "forward" => Self::Forward {
                target_groups: forwarded(action),
            },
            "redirect" => Self::Redirect {
                status: status(action.text_at("RedirectConfig/StatusCode")),
                location: location(action),
            },
            "fixed-response" => Self::FixedResponse {
                status: status(action.text_at("FixedResponseConfig/StatusCode")),
            },
            method => Self::Authenticate {
                method: method.to_owned(),
                endpoints: endpoints(action),
            },
        }
    }
}

fn forwarded(action: &Element) -> Vec<Weighted> {
    let weighted = |group: &Element| Weighted {
        target_group: group.text_at("TargetGroupArn").to_owned(),
        weight: group.text_at("Weight").parse().unwrap_or(1),
    };
    let groups = action.list("ForwardConfig/TargetGroups");
    match action.text_at("TargetGroupArn") {
        arn if groups.is_empty() && !arn.is_empty() => vec![Weighted {
            target_group: arn.to_owned(),
            weight: 1,
        }],
        _ => groups.iter().map(weighted).collect(),
    }
}

fn endpoints(action: &Element) -> Vec<String> {
    let texts = [
        "AuthenticateOidcConfig/TokenEndpoint",
        "AuthenticateOidcConfig/UserInfoEndpoint",
        "JwtValidationConfig/JwksEndpoint",
    ];
    let texts = texts.map(|path| action.text_at(path)).into_iter();
    let texts = texts.filter(|text| !text.is_empty());
    texts.map(str::to_owned).collect()
}

/// `HTTP_301` and `301`.
fn status(text: &str) -> u16 {
    text.trim_start_matches("HTTP_").parse().unwrap_or(0)
}

fn location(action: &Element) -> String {
    let part = |name, default| match action.text_at(name) {
        "" => default,
        given => given,
    };
    let query = part("RedirectConfig/Query", "");
    format!(
        "{}://{}:{}{}{}{query}",
        part("RedirectConfig/Protocol", "#{protocol}").to_ascii_lowercase(),
        part("RedirectConfig/Host", "#{host}"),
        part("RedirectConfig/Port", "#{port}"),
        part("RedirectConfig/Path", "/#{path}"),
        if query.is_empty() { "" } else { "?" },
    )
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forward { target_groups } => {
                let total: u32 = target_groups.iter().map(|group| group.weight).sum();
                let share = |group: &Weighted| match target_groups.len() {
                    1 => name_in(&group.target_group).to_owned(),
                    _ => format!("{} {}/{total}", name_in(&group.target_group), group.weight),
                };
                let shares: Vec<_> = target_groups.iter().map(share).collect();
                write!(f, "forward {}", shares.join(", "))
            }
            Self::Redirect { status, location } => write!(f, "redirect {status} {location}"),
            Self::FixedResponse { status } => write!(f, "fixed-response {status}"),
            Self::Authenticate { method, .. } => write!(f, "{method}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(conditions: &str, actions: &str) -> Rule {
        let text = format!(
            "<m><Priority>10</Priority><Conditions>{conditions}</Conditions><Actions>{actions}</Actions></m>"
        );
        Rule::read(&Element::parse(&text).unwrap())
    }

    #[test]
    fn conditions_are_told_in_one_line() {
        for (given, expected) in [
            (
                "<Field>path-pattern</Field><PathPatternConfig><Values><m>/a/*</m><m>/b</m></Values></PathPatternConfig>",
                "path-pattern /a/* or /b",
            ),
            (
                "<Field>host-header</Field><Values/><HostHeaderConfig><RegexValues><m>^a</m></RegexValues></HostHeaderConfig>",
                "host-header regex:^a",
            ),
            (
                "<Field>http-header</Field><HttpHeaderConfig><HttpHeaderName>X-Flag</HttpHeaderName><Values><m>on</m></Values></HttpHeaderConfig>",
                "http-header X-Flag: on",
            ),
            (
                "<Field>query-string</Field><QueryStringConfig><Values><m><Key>v</Key><Value>1</Value></m><m><Value>x</Value></m></Values></QueryStringConfig>",
                "query-string v=1 or x",
            ),
            (
                "<Field>source-ip</Field><SourceIpConfig><Values><m>10.0.0.0/8</m></Values></SourceIpConfig>",
                "source-ip 10.0.0.0/8",
            ),
        ] {
            let rule = rule(&format!("<member>{given}</member>"), "");
            assert_eq!(rule.conditions[0].to_string(), expected);
        }
    }

    #[test]
    fn actions_are_told_in_one_line() {
        let group = |name, weight| {
            format!(
                "<m><TargetGroupArn>arn:x:targetgroup/{name}/1</TargetGroupArn><Weight>{weight}</Weight></m>"
            )
        };
        let forward = |groups: String| {
            format!(
                "<Type>forward</Type><ForwardConfig><TargetGroups>{groups}</TargetGroups></ForwardConfig>"
            )
        };
        for (given, expected) in [
            (forward(group("web", 1)), "forward web"),
            (forward(group("web", 3) + &group("new", 1)), "forward web 3/4, new 1/4"),
            (
                "<Type>redirect</Type><RedirectConfig><Protocol>HTTPS</Protocol><Port>443</Port><Host>#{host}</Host><Path>/#{path}</Path><Query>#{query}</Query><StatusCode>HTTP_301</StatusCode></RedirectConfig>".to_owned(),
                "redirect 301 https://#{host}:443/#{path}?#{query}",
            ),
            (
                "<Type>fixed-response</Type><FixedResponseConfig><StatusCode>404</StatusCode></FixedResponseConfig>".to_owned(),
                "fixed-response 404",
            ),
            ("<Type>authenticate-oidc</Type>".to_owned(), "authenticate-oidc"),
        ] {
            let rule = rule("", &format!("<member>{given}</member>"));
            assert_eq!(rule.actions[0].to_string(), expected);
        }
    }
}
