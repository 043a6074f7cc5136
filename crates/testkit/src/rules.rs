//! A listener's rules as a table of text, so that a test states facts and nothing else.

use engine::router::Rule;
use engine::{Action, FixedResponse, Router, Routing};
use model::condition::{Condition, Patterns, QueryPair};

/// A rule with a name in place of its action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSpec {
    /// The lowest that matches wins.
    pub priority: u32,
    /// All of them must match.
    pub conditions: Vec<Condition>,
    /// What the rule is called.
    pub name: String,
}

/// The rules of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The rules in any order.
    pub rules: Vec<RuleSpec>,
    /// What the default rule is called.
    pub default: String,
}

impl Table {
    /// Reads one rule a line, in any order:
    ///
    /// ```text
    /// 10   host=api.example.com,*.example.org  method=GET  -> api
    /// 20   path=/static/*  header:X-Flag=on  query=v=1,any  source=10.0.0.0/8  -> assets
    /// 30   path~^/v[0-9]+/  -> versioned
    /// default                -> web
    /// ```
    ///
    /// `=` is followed by values, `~` by one regular expression. A query value without `=` is for every key.
    ///
    /// # Panics
    /// If `text` is not written like that.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut table = Self {
            rules: Vec::new(),
            default: "default".to_owned(),
        };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (left, name) = line
                .split_once("->")
                .expect("a rule with its name after ->");
            let mut words = left.split_whitespace();
            let first = words.next().expect("a priority or 'default'");
            if first == "default" {
                table.default = name.trim().to_owned();
                continue;
            }
            table.rules.push(RuleSpec {
                priority: first.parse().expect("a priority"),
                conditions: words.map(condition).collect(),
                name: name.trim().to_owned(),
            });
        }
        table
    }

    /// The rules as the engine takes them: each answers with its name as the body.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        let rule = |spec: &RuleSpec| Rule {
            priority: spec.priority,
            conditions: spec.conditions.clone(),
            action: answer(&spec.name),
        };
        self.rules.iter().map(rule).collect()
    }

    /// The compiled rules.
    ///
    /// # Panics
    /// If a regular expression cannot be compiled.
    #[must_use]
    pub fn router(&self) -> Router {
        let router = Router::compile(self.rules(), answer(&self.default));
        router.expect("regular expressions that compile")
    }
}

/// An action that can be told from others by `name_of`.
#[must_use]
pub fn answer(name: &str) -> Action {
    let response = FixedResponse {
        status: 200,
        content_type: None,
        body: name.as_bytes().into(),
    };
    Routing::FixedResponse(response).into()
}

/// The name that `answer` was given.
///
/// # Panics
/// If the action was not made by `answer`.
#[must_use]
pub fn name_of(action: &Action) -> String {
    match &action.routing {
        Routing::FixedResponse(response) => {
            String::from_utf8(response.body.to_vec()).expect("a name")
        }
        Routing::Forward(_) | Routing::Redirect(_) => panic!("{action:?} has no name"),
    }
}

fn condition(word: &str) -> Condition {
    let at = word
        .find(['=', '~'])
        .expect("a condition: field=values or field~regex");
    let (field, values) = (&word[..at], &word[at + 1..]);
    let list = || values.split(',').map(str::to_owned);
    let patterns = || match word.as_bytes()[at] {
        b'~' => Patterns::Regexes(vec![values.to_owned()]),
        _ => Patterns::Wildcards(list().collect()),
    };
    let pair = |text: String| match text.split_once('=') {
        Some((key, value)) => QueryPair {
            key: Some(key.to_owned()),
            value: value.to_owned(),
        },
        None => QueryPair {
            key: None,
            value: text,
        },
    };
    match field.split_once(':').unwrap_or((field, "")) {
        ("host", "") => Condition::HostHeader(patterns()),
        ("path", "") => Condition::PathPattern(patterns()),
        ("header", name) => Condition::HttpHeader {
            name: name.to_owned(),
            patterns: patterns(),
        },
        ("method", "") => Condition::HttpRequestMethod(list().collect()),
        ("query", "") => Condition::QueryString(list().map(pair).collect()),
        ("source", "") => Condition::SourceIp(
            list()
                .map(|block| block.parse().expect("a block"))
                .collect(),
        ),
        _ => panic!("{field:?} is no condition field"),
    }
}
