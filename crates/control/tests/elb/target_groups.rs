//! Target groups and their health checks.

use control::elb::create_rule::CreateRule;
use control::elb::create_target_group::CreateTargetGroup;
use control::elb::delete_target_group::DeleteTargetGroup;
use control::elb::describe_target_groups::DescribeTargetGroups;
use control::elb::input::{HealthCheckSettings, Matcher};
use control::elb::modify_target_group::ModifyTargetGroup;
use model::protocol::Protocol;
use model::target_group::TargetType;

use crate::support::{error, fixture, forward, rule_input};

#[tokio::test]
async fn refused_groups_leave_nothing() {
    let fixture = fixture().await;
    let before = fixture.stored();
    let valid = || fixture.target_group_input("web");
    let checks = |health_check: HealthCheckSettings| CreateTargetGroup {
        health_check,
        ..valid()
    };
    let none = HealthCheckSettings::default;
    let matcher = |http: Option<&str>, grpc: Option<&str>| Matcher {
        http_code: http.map(str::to_owned),
        grpc_code: grpc.map(str::to_owned),
    };
    for (input, expected) in [
        (
            CreateTargetGroup {
                protocol: None,
                ..valid()
            },
            "Validation: A protocol must be specified",
        ),
        (
            CreateTargetGroup {
                port: None,
                ..valid()
            },
            "Validation: A port must be specified",
        ),
        (
            CreateTargetGroup {
                vpc_id: None,
                ..valid()
            },
            "Validation: A VPC ID must be specified",
        ),
        (
            CreateTargetGroup {
                vpc_id: Some("vpc-x".to_owned()),
                ..valid()
            },
            "Validation: The VPC ID 'vpc-x' is not found",
        ),
        (
            CreateTargetGroup {
                protocol: Some(Protocol::Tcp),
                ..valid()
            },
            "InvalidConfigurationRequest: Target group protocol 'TCP' is not supported by elbow yet",
        ),
        (
            CreateTargetGroup {
                target_type: Some(TargetType::Lambda),
                ..valid()
            },
            "InvalidConfigurationRequest: Target type 'lambda' is not supported by elbow yet",
        ),
        (
            CreateTargetGroup {
                protocol_version: Some("HTTP3".to_owned()),
                ..valid()
            },
            "Validation: Protocol version 'HTTP3' must be one of 'HTTP1, HTTP2, GRPC'",
        ),
        (
            CreateTargetGroup {
                protocol_version: Some("GRPC".to_owned()),
                ..checks(HealthCheckSettings {
                    matcher: Some(matcher(Some("200"), None)),
                    ..none()
                })
            },
            "Validation: Health check matcher GRPC code cannot be empty",
        ),
        (
            CreateTargetGroup {
                protocol_version: Some("GRPC".to_owned()),
                ..checks(HealthCheckSettings {
                    matcher: Some(matcher(None, Some("200"))),
                    ..none()
                })
            },
            "Validation: Health check matcher GRPC code '200' must be within '0-99' inclusive",
        ),
        (
            CreateTargetGroup {
                protocol_version: Some("HTTP2".to_owned()),
                ..checks(HealthCheckSettings {
                    matcher: Some(matcher(Some("200"), Some("0"))),
                    ..none()
                })
            },
            "Validation: Health check matcher HTTP code cannot be empty",
        ),
        (
            CreateTargetGroup {
                target_control_port: Some(3000),
                ..valid()
            },
            "InvalidConfigurationRequest: TargetControlPort is not supported by elbow yet",
        ),
        (
            checks(HealthCheckSettings {
                interval_seconds: Some(5),
                ..none()
            }),
            "Validation: Health check timeout '5' must be smaller than the interval '5'",
        ),
        (
            checks(HealthCheckSettings {
                enabled: Some(false),
                ..none()
            }),
            "Validation: Health check enabled must be true for target groups with target type 'instance'",
        ),
        (
            checks(HealthCheckSettings {
                protocol: Some(Protocol::Udp),
                ..none()
            }),
            "Validation: Health check protocol 'UDP' must be one of 'HTTP, HTTPS'",
        ),
        (
            checks(HealthCheckSettings {
                matcher: Some(matcher(None, Some("12"))),
                ..none()
            }),
            "Validation: Health check matcher HTTP code cannot be empty",
        ),
        (
            checks(HealthCheckSettings {
                path: Some("x".to_owned()),
                ..none()
            }),
            "Validation: Health check path 'x' must begin with a '/' character",
        ),
        (
            checks(HealthCheckSettings {
                path: Some("/a b".to_owned()),
                ..none()
            }),
            "Validation: Health check path '/a b' contains a character that is not valid; encode it with %",
        ),
        (
            checks(HealthCheckSettings {
                healthy_threshold_count: Some(11),
                ..none()
            }),
            "Validation: 1 validation error detected: Value '11' at 'healthyThresholdCount' failed to satisfy constraint: Member must have value less than or equal to 10",
        ),
        (
            checks(HealthCheckSettings {
                port: Some("0".to_owned()),
                ..none()
            }),
            "Validation: Health check port '0' must be 'traffic-port' or an integer between 1 and 65535",
        ),
    ] {
        assert_eq!(
            error(fixture.control.create_target_group(input).await),
            expected
        );
    }
    assert_eq!(fixture.stored(), before);
}

#[tokio::test]
async fn the_same_request_finds_the_same_group_and_another_is_a_duplicate() {
    let fixture = fixture().await;
    let web = fixture.group("web").await;
    assert_eq!(fixture.group("web").await, web);
    let input = CreateTargetGroup {
        port: Some(9090),
        ..fixture.target_group_input("web")
    };
    assert_eq!(
        error(fixture.control.create_target_group(input).await),
        "DuplicateTargetGroupName: A target group with the same name 'web' exists, but with different settings"
    );
}

#[tokio::test]
async fn only_what_is_given_changes() {
    let fixture = fixture().await;
    let arn = fixture.group("web").await;
    let modify = |health_check| ModifyTargetGroup {
        target_group_arn: arn.clone(),
        health_check,
    };
    let path = HealthCheckSettings {
        path: Some("/health".to_owned()),
        ..Default::default()
    };
    fixture
        .control
        .modify_target_group(modify(path))
        .await
        .unwrap();
    let interval = HealthCheckSettings {
        interval_seconds: Some(10),
        ..Default::default()
    };
    let changed = fixture
        .control
        .modify_target_group(modify(interval))
        .await
        .unwrap();
    let check = &changed.target_group.health_check;
    assert_eq!(
        (check.path.as_str(), check.interval.as_secs()),
        ("/health", 10)
    );
    let timeout = HealthCheckSettings {
        timeout_seconds: Some(10),
        ..Default::default()
    };
    assert_eq!(
        error(fixture.control.modify_target_group(modify(timeout)).await),
        "Validation: Health check timeout '10' must be smaller than the interval '10'"
    );
}

#[tokio::test]
async fn a_group_in_use_is_described_with_its_load_balancer_and_cannot_be_deleted() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let (web, spare) = (fixture.group("web").await, fixture.group("spare").await);
    let listener = fixture.listener(&shop, 80, forward(&web)).await;
    let input = CreateRule {
        actions: vec![forward(&web)],
        ..rule_input(&listener, 10, "/a")
    };
    let rule = fixture.control.create_rule(input).await.unwrap();
    let of_shop = DescribeTargetGroups {
        load_balancer_arn: Some(shop.arn.to_string()),
        ..DescribeTargetGroups::default()
    };
    let described = fixture
        .control
        .describe_target_groups(of_shop)
        .await
        .unwrap()
        .items;
    assert_eq!(described.len(), 1);
    assert_eq!(
        described[0].load_balancer_arns,
        std::slice::from_ref(&shop.arn)
    );
    let delete = |arn: &str| DeleteTargetGroup {
        target_group_arn: arn.to_owned(),
    };
    assert_eq!(
        error(fixture.control.delete_target_group(delete(&web)).await),
        format!(
            "ResourceInUse: Target group '{web}' is currently in use by a listener or a rule: {}, {}",
            listener.arn, rule.arn
        )
    );
    fixture
        .control
        .delete_target_group(delete(&spare))
        .await
        .unwrap();
    fixture
        .control
        .delete_target_group(delete(&spare))
        .await
        .unwrap();
    let named = DescribeTargetGroups {
        names: vec!["spare".to_owned()],
        ..Default::default()
    };
    assert_eq!(
        error(fixture.control.describe_target_groups(named).await),
        "TargetGroupNotFound: One or more target groups not found"
    );
}
