//! Rules: their conditions, their priorities, and the default rule.

use control::elb::create_rule::CreateRule;
use control::elb::delete_rule::DeleteRule;
use control::elb::describe_rules::DescribeRules;
use control::elb::input::{
    HttpHeaderConfig, HttpRequestMethodConfig, PatternConfig, QueryStringConfig, RuleCondition,
    SourceIpConfig,
};
use control::elb::modify_rule::ModifyRule;
use control::elb::set_rule_priorities::SetRulePriorities;
use model::arn::RuleArn;
use model::condition::{Condition, Patterns};

use crate::support::{Fixture, error, fixed, fixture, fixture_with, path_condition, rule_input};

async fn priorities(fixture: &Fixture, listener: &str) -> Vec<String> {
    let input = DescribeRules {
        listener_arn: Some(listener.to_owned()),
        ..DescribeRules::default()
    };
    let rules = fixture.control.describe_rules(input).await.unwrap();
    rules
        .items
        .iter()
        .map(|rule| rule.priority.to_string())
        .collect()
}

fn field(field: &str) -> RuleCondition {
    RuleCondition {
        field: Some(field.to_owned()),
        ..RuleCondition::default()
    }
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[tokio::test]
async fn refused_conditions_say_why() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let hosts = |values: &[&str], regexes: &[&str]| RuleCondition {
        host_header_config: Some(PatternConfig {
            values: texts(values),
            regex_values: texts(regexes),
        }),
        ..field("host-header")
    };
    let header = |name: Option<&str>, value: &str| RuleCondition {
        http_header_config: Some(HttpHeaderConfig {
            http_header_name: name.map(str::to_owned),
            values: texts(&[value]),
            regex_values: Vec::new(),
        }),
        ..field("http-header")
    };
    let method = |value: &str| RuleCondition {
        http_request_method_config: Some(HttpRequestMethodConfig {
            values: texts(&[value]),
        }),
        ..field("http-request-method")
    };
    let source = |value: &str| RuleCondition {
        source_ip_config: Some(SourceIpConfig {
            values: texts(&[value]),
            ip_address_type: None,
        }),
        ..field("source-ip")
    };
    for (conditions, expected) in [
        (vec![], "A condition must be specified"),
        (
            vec![RuleCondition {
                values: texts(&["x"]),
                ..RuleCondition::default()
            }],
            "A condition field must be specified",
        ),
        // Also if both say the same, as the answer of DescribeRules does.
        (
            vec![RuleCondition {
                values: texts(&["a.com"]),
                ..hosts(&["a.com"], &[])
            }],
            "You cannot provide both Values and 'HostHeaderConfig' for a condition of type 'host-header'",
        ),
        (
            vec![RuleCondition {
                values: texts(&["/a"]),
                ..path_condition(&["/b"])
            }],
            "You cannot provide both Values and 'PathPatternConfig' for a condition of type 'path-pattern'",
        ),
        (
            vec![RuleCondition {
                values: texts(&["/1", "/2", "/3", "/4", "/5", "/6"]),
                ..field("path-pattern")
            }],
            "A rule can only have '5' condition values and regex values",
        ),
        (
            vec![RuleCondition {
                regex_values: texts(&["a"]),
                ..header(Some("X"), "a")
            }],
            "You must provide exactly one of the following: ['Values' 'RegexValues'] for config of type 'http-header'",
        ),
        (
            vec![RuleCondition {
                values: texts(&["x"]),
                ..field("cookie")
            }],
            "Condition field 'cookie' must be one of 'http-header,http-request-method,host-header,query-string,source-ip,path-pattern'",
        ),
        (
            vec![field("host-header")],
            "For conditions of type 'host-header', you must specify the following fields: 'Values or RegexValues or HostHeaderConfig'",
        ),
        (
            vec![hosts(&[], &[])],
            "You must provide exactly one of the following: ['Values' 'RegexValues'] for config of type 'host-header'",
        ),
        (
            vec![hosts(&["a.com"], &["a"])],
            "You must provide exactly one of the following: ['Values' 'RegexValues'] for config of type 'host-header'",
        ),
        (
            vec![hosts(&["a.com"], &[]), hosts(&["b.com"], &[])],
            "A rule can only have one 'host-header' condition",
        ),
        (
            vec![RuleCondition {
                regex_values: texts(&["a"]),
                ..source("10.0.0.0/8")
            }],
            "'RegexValues' is not supported for a condition of type 'source-ip'",
        ),
        (
            vec![hosts(&["example"], &[])],
            "Condition value 'example' contains a character that is not valid",
        ),
        (
            vec![method("get")],
            "Condition value 'get' contains a character that is not valid",
        ),
        (
            vec![header(Some(&"x".repeat(41)), "1")],
            "Condition value for 'http-header' cannot contain more than 40 characters",
        ),
        (
            vec![header(Some("X"), &"x".repeat(129))],
            "Condition value for 'http-header' cannot contain more than 128 characters",
        ),
        (
            vec![source("10.0.0.1")],
            "The specified value '10.0.0.1' is not a valid CIDR block",
        ),
        (
            vec![path_condition(&["/1", "/2", "/3", "/4", "/5", "/6"])],
            "A rule can only have '5' condition values and regex values",
        ),
        (
            vec![path_condition(&["/******"])],
            "A rule can only have '5' condition wildcards",
        ),
        (
            vec![hosts(&[], &["("])],
            "The regular expression '(' is not valid: unclosed group",
        ),
    ] {
        let input = CreateRule {
            conditions,
            ..rule_input(&listener, 1, "/")
        };
        let expected = format!("Validation: {expected}");
        assert_eq!(error(fixture.control.create_rule(input).await), expected);
    }
}

#[tokio::test]
async fn every_condition_can_be_used() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let query = QueryStringConfig {
        values: vec![
            (Some("a".to_owned()), Some("b*".to_owned())),
            (None, Some("c".to_owned())),
        ],
    };
    let conditions = vec![
        RuleCondition {
            values: texts(&["*.example.com"]),
            ..field("host-header")
        },
        RuleCondition {
            regex_values: texts(&["^/v[12]/"]),
            ..field("path-pattern")
        },
        RuleCondition {
            query_string_config: Some(query),
            ..field("query-string")
        },
        RuleCondition {
            source_ip_config: Some(SourceIpConfig {
                values: texts(&["127.0.0.1/8"]),
                ip_address_type: None,
            }),
            ..field("source-ip")
        },
    ];
    let input = CreateRule {
        conditions,
        ..rule_input(&listener, 1, "/")
    };
    let rule = fixture.control.create_rule(input).await.unwrap();
    let [_, _, _, Condition::SourceIp(blocks)] = &*rule.conditions else {
        panic!("each condition is kept: {:?}", rule.conditions);
    };
    assert_eq!(
        blocks[0].to_string(),
        "127.0.0.1/8",
        "it is told as it was given"
    );
}

#[tokio::test]
async fn several_values_and_expressions_can_stand_outside_of_configurations() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let hosts = ["*.example.com", "my_shop.example.com"];
    let conditions = vec![
        RuleCondition {
            values: texts(&hosts),
            ..field("host-header")
        },
        RuleCondition {
            values: texts(&["/a", "/b"]),
            ..field("path-pattern")
        },
        RuleCondition {
            http_header_config: Some(HttpHeaderConfig {
                http_header_name: Some("X-Kind".to_owned()),
                ..HttpHeaderConfig::default()
            }),
            regex_values: texts(&["^a"]),
            ..field("http-header")
        },
    ];
    let input = CreateRule {
        conditions,
        ..rule_input(&listener, 1, "/")
    };
    let rule = fixture.control.create_rule(input).await.unwrap();
    let expected = [
        Condition::HostHeader(Patterns::Wildcards(texts(&hosts))),
        Condition::PathPattern(Patterns::Wildcards(texts(&["/a", "/b"]))),
        Condition::HttpHeader {
            name: "X-Kind".to_owned(),
            patterns: Patterns::Regexes(texts(&["^a"])),
        },
    ];
    assert_eq!(rule.conditions, expected);
}

#[tokio::test]
async fn priorities_are_unique_and_the_default_comes_last() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let arn = listener.arn.to_string();
    let ten = fixture.rule(&listener, 10, "/ten").await.arn.to_string();
    let five = fixture.rule(&listener, 5, "/five").await.arn.to_string();
    assert_eq!(priorities(&fixture, &arn).await, ["5", "10", "default"]);
    let again = rule_input(&listener, 10, "/again");
    assert_eq!(
        error(fixture.control.create_rule(again).await),
        "PriorityInUse: Priority '10' is currently in use"
    );
    let set = |pairs: &[(&str, i32)]| SetRulePriorities {
        rule_priorities: pairs
            .iter()
            .map(|(arn, n)| ((*arn).to_owned(), *n))
            .collect(),
    };
    let swap = set(&[(&ten, 5), (&five, 10)]);
    let swapped = fixture.control.set_rule_priorities(swap).await.unwrap();
    assert_eq!(swapped.len(), 2);
    for (input, expected) in [
        (
            set(&[(&ten, 10)]),
            "PriorityInUse: Priority '10' is currently in use",
        ),
        (
            set(&[(&ten, 7), (&five, 7)]),
            "Validation: Priority '7' was provided multiple times",
        ),
    ] {
        assert_eq!(
            error(fixture.control.set_rule_priorities(input).await),
            expected
        );
    }
    let rules = fixture.plane.live();
    assert_eq!(rules.frontends.len(), 1);
}

#[tokio::test]
async fn the_default_rule_changes_with_its_listener_only() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let default = RuleArn {
        listener: listener.arn.clone(),
        id: listener.default_rule_id,
    };
    let default = default.to_string();
    let modify = ModifyRule {
        rule_arn: default.clone(),
        actions: vec![fixed("404")],
        ..ModifyRule::default()
    };
    assert_eq!(
        error(fixture.control.modify_rule(modify).await),
        format!("OperationNotPermitted: Default rule '{default}' cannot be modified")
    );
    let delete = DeleteRule {
        rule_arn: default.clone(),
    };
    assert_eq!(
        error(fixture.control.delete_rule(delete).await),
        format!("OperationNotPermitted: Default rule '{default}' cannot be deleted")
    );
}

#[tokio::test]
async fn a_change_has_to_change_something() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let rule = fixture.rule(&listener, 1, "/a").await.arn.to_string();
    let nothing = ModifyRule {
        rule_arn: rule.clone(),
        ..ModifyRule::default()
    };
    assert_eq!(
        error(fixture.control.modify_rule(nothing).await),
        "Validation: Either conditions or actions must be specified"
    );
    let delete = || DeleteRule {
        rule_arn: rule.clone(),
    };
    fixture.control.delete_rule(delete()).await.unwrap();
    assert_eq!(
        error(fixture.control.delete_rule(delete()).await),
        "RuleNotFound: One or more rules not found"
    );
}

#[tokio::test]
async fn the_limit_counts_the_rules_of_all_listeners() {
    let fixture = fixture_with(|settings| settings.limits.rules_per_load_balancer = 1).await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let other = fixture.listener(&shop, 81, fixed("200")).await;
    fixture.rule(&listener, 1, "/a").await;
    let input = rule_input(&other, 1, "/a");
    assert_eq!(
        error(fixture.control.create_rule(input).await),
        format!(
            "TooManyRules: The maximum number of rules on load balancer {} has been reached",
            other.arn.load_balancer
        )
    );
}
