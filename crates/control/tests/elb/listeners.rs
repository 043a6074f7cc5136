//! Listeners and the actions they can have.

use std::io::ErrorKind;

use control::elb::create_listener::CreateListener;
use control::elb::delete_listener::DeleteListener;
use control::elb::describe_listeners::DescribeListeners;
use control::elb::input::{
    Action, ActionType, FixedResponseConfig, ForwardConfig, RedirectConfig,
    TargetGroupStickinessConfig, TargetGroupTuple, TlsSettings,
};
use control::elb::modify_listener::ModifyListener;
use model::protocol::Protocol;

use crate::support::{error, fixed, fixture, fixture_with, forward, listener_input};

fn redirect(config: RedirectConfig) -> Action {
    Action {
        redirect_config: Some(config),
        ..Action::new(ActionType::Redirect)
    }
}

fn to(port: &str) -> RedirectConfig {
    RedirectConfig {
        port: Some(port.to_owned()),
        status_code: "HTTP_301".to_owned(),
        ..RedirectConfig::default()
    }
}

fn groups(groups: &[(&str, Option<i32>)]) -> Action {
    let tuple = |(arn, weight): &(&str, Option<i32>)| TargetGroupTuple {
        target_group_arn: Some((*arn).to_owned()),
        weight: *weight,
    };
    let config = ForwardConfig {
        target_groups: groups.iter().map(tuple).collect(),
        stickiness: None,
    };
    Action {
        forward_config: Some(config),
        ..Action::new(ActionType::Forward)
    }
}

#[tokio::test]
async fn refused_listeners_leave_nothing() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let before = fixture.stored();
    let valid = || listener_input(&shop, 80, fixed("200"));
    for (input, expected) in [
        (
            CreateListener {
                protocol: None,
                ..valid()
            },
            "Validation: A listener protocol must be specified",
        ),
        (
            CreateListener {
                port: None,
                ..valid()
            },
            "Validation: A listener port must be specified",
        ),
        (
            CreateListener {
                port: Some(65_536),
                ..valid()
            },
            "Validation: 1 validation error detected: Value '65536' at 'port' failed to satisfy constraint: Member must have value less than or equal to 65535",
        ),
        (
            CreateListener {
                protocol: Some(Protocol::Tcp),
                ..valid()
            },
            "Validation: Listener protocol 'TCP' must be one of 'HTTP, HTTPS'",
        ),
        (
            CreateListener {
                protocol: Some(Protocol::Https),
                ..valid()
            },
            "Validation: A certificate must be specified for HTTPS listeners",
        ),
        (
            CreateListener {
                tls: TlsSettings {
                    alpn_policy: vec!["None".to_owned()],
                    ..TlsSettings::default()
                },
                ..valid()
            },
            "Validation: You cannot set ALPN policy on load balancers of type 'application'",
        ),
    ] {
        assert_eq!(
            error(fixture.control.create_listener(input).await),
            expected
        );
    }
    assert_eq!(fixture.stored(), before);
}

#[tokio::test]
async fn refused_actions_say_why() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let web = fixture.group("web").await;
    let api = fixture.group("api").await;
    let gone = web.replace("/web/", "/wob/");
    let ordered = |action: Action, order| Action {
        order: Some(order),
        ..action
    };
    let body = |status: &str, body: String, content_type: Option<&str>| Action {
        fixed_response_config: Some(FixedResponseConfig {
            message_body: Some(body),
            status_code: status.to_owned(),
            content_type: content_type.map(str::to_owned),
        }),
        ..Action::new(ActionType::FixedResponse)
    };
    let sticky = |enabled, duration_seconds| Action {
        forward_config: Some(ForwardConfig {
            target_groups: Vec::new(),
            stickiness: Some(TargetGroupStickinessConfig {
                enabled: Some(enabled),
                duration_seconds,
            }),
        }),
        ..forward(&web)
    };
    let path = |path: &str| RedirectConfig {
        path: Some(path.to_owned()),
        ..to("443")
    };
    let bad_path = "InvalidLoadBalancerAction: The Path parameter must be a valid path, should start with a '/', and may contain up to one of each of these placeholders: '#{path}', '#{host}', '#{port}'.";
    for (actions, expected) in [
        (vec![], "Validation: At least one action must be specified"),
        (
            vec![Action::new(ActionType::FixedResponse)],
            "InvalidLoadBalancerAction: For actions of type 'fixed-response', you must specify the following fields: 'FixedResponseConfig'",
        ),
        (
            vec![Action::new(ActionType::Redirect)],
            "InvalidLoadBalancerAction: For actions of type 'redirect', you must specify the following fields: 'RedirectConfig'",
        ),
        (
            vec![Action::new(ActionType::Forward)],
            "InvalidLoadBalancerAction: For actions of type 'forward', you must specify the following fields: 'TargetGroupArn'",
        ),
        (
            vec![fixed("200"), forward(&web)],
            "Validation: When you specify multiple actions, you must specify an order for each action",
        ),
        (
            vec![ordered(redirect(to("443")), 1), ordered(fixed("200"), 2)],
            "Validation: Action types 'redirect,fixed-response' cannot be specified together",
        ),
        (
            vec![Action::new(ActionType::AuthenticateOidc)],
            "InvalidLoadBalancerAction: Actions of type 'authenticate-oidc' are supported only on HTTPS listeners",
        ),
        (
            vec![fixed("200"), fixed("200"), fixed("200")],
            "TooManyActions: A rule can have at most 2 actions",
        ),
        (
            vec![forward(&gone)],
            "TargetGroupNotFound: One or more target groups not found",
        ),
        (
            vec![groups(&[(&web, None), (&api, Some(1))])],
            "Validation: The weight for each target group must be between 0 and 999, inclusive",
        ),
        (
            vec![groups(&[(&web, Some(1)), (&web, Some(1))])],
            &format!("Validation: Target group '{web}' is specified more than once"),
        ),
        (
            vec![groups(&[(web.as_str(), Some(1)); 6])],
            "Validation: You cannot specify more than 5 target groups per action",
        ),
        (
            vec![Action {
                target_group_arn: Some(web.clone()),
                ..groups(&[(&api, None)])
            }],
            "Validation: You can specify both a target group list and a top-level target group ARN only if the ARNs match",
        ),
        (
            vec![sticky(true, None)],
            "Validation: You must provide a duration when enabling target group stickiness",
        ),
        (
            vec![sticky(true, Some(604_801))],
            "Validation: Target group stickiness duration must be between 1 and 604800 seconds",
        ),
        (
            vec![sticky(false, Some(0))],
            "Validation: Target group stickiness duration must be between 1 and 604800 seconds",
        ),
        (
            vec![redirect(to("#{port}"))],
            "InvalidLoadBalancerAction: The redirect configuration is not valid because it creates a loop.",
        ),
        (
            vec![redirect(to("0"))],
            "InvalidLoadBalancerAction: The Port parameter must be either an integer between 1 and 65535 or '#{port}'.",
        ),
        (vec![redirect(path("a"))], bad_path),
        (vec![redirect(path("/#{path}#{path}"))], bad_path),
        (vec![redirect(path("/a\r\nb: c"))], bad_path),
        (
            vec![fixed("302")],
            r"Validation: 1 validation error detected: Value '302' at 'fixedResponseConfig.statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: ^(2|4|5)\d\d$",
        ),
        (
            vec![body("200", "x".to_owned(), Some("image/png"))],
            "Validation: The content type 'image/png' must be one of 'text/plain, text/css, text/html, application/javascript, application/json'",
        ),
        (
            vec![Action {
                redirect_config: Some(to("443")),
                ..fixed("200")
            }],
            "Validation: 'RedirectConfig' cannot be specified for actions of type 'fixed-response'",
        ),
    ] {
        let input = CreateListener {
            default_actions: actions,
            ..listener_input(&shop, 80, fixed("200"))
        };
        assert_eq!(
            error(fixture.control.create_listener(input).await),
            expected
        );
    }
}

#[tokio::test]
async fn a_port_is_taken_once() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let first = fixture.listener(&shop, 80, fixed("200")).await;
    assert_eq!(
        fixture.listener(&shop, 80, fixed("200")).await.arn,
        first.arn,
        "the same settings"
    );
    let duplicate = format!(
        "DuplicateListener: A listener already exists on this port for this load balancer '{}'",
        shop.arn
    );
    let other = listener_input(&shop, 80, fixed("404"));
    assert_eq!(
        error(fixture.control.create_listener(other).await),
        duplicate
    );
    let second = fixture.listener(&shop, 81, fixed("200")).await;
    let to_80 = ModifyListener {
        listener_arn: second.arn.to_string(),
        port: Some(80),
        ..ModifyListener::default()
    };
    assert_eq!(
        error(fixture.control.modify_listener(to_80).await),
        "Validation: Listener port '80' is already in use"
    );
    let elsewhere = fixture.load_balancer("blog").await;
    fixture.listener(&elsewhere, 80, fixed("404")).await;
}

/// Whether the port is named or is that of the request, and also when the listener comes to it later.
#[tokio::test]
async fn a_redirect_leads_elsewhere() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let create = |port, action| {
        let input = listener_input(&shop, port, redirect(action));
        fixture.control.create_listener(input)
    };
    let refused = "InvalidLoadBalancerAction: The redirect configuration is not valid because it creates a loop.";
    assert_eq!(error(create(80, to("80")).await), refused);
    let to_secure = RedirectConfig {
        protocol: Some("HTTPS".to_owned()),
        ..to("80")
    };
    create(80, to_secure).await.unwrap();
    let to_82 = create(81, to("82")).await.unwrap();
    let modify = ModifyListener {
        listener_arn: to_82.arn.to_string(),
        port: Some(82),
        ..ModifyListener::default()
    };
    assert_eq!(
        error(fixture.control.modify_listener(modify).await),
        refused
    );
}

#[tokio::test]
async fn a_target_group_belongs_to_one_load_balancer() {
    let fixture = fixture().await;
    let (shop, blog) = (
        fixture.load_balancer("shop").await,
        fixture.load_balancer("blog").await,
    );
    let web = fixture.group("web").await;
    fixture.listener(&shop, 80, forward(&web)).await;
    fixture.listener(&shop, 81, forward(&web)).await;
    let input = listener_input(&blog, 80, forward(&web));
    assert_eq!(
        error(fixture.control.create_listener(input).await),
        format!(
            "TargetGroupAssociationLimit: The following target groups cannot be associated with more than one load balancer: {web}"
        )
    );
}

#[tokio::test]
async fn a_listener_that_cannot_listen_does_not_exist() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let before = fixture.stored();
    for (kind, expected) in [
        (
            ErrorKind::PermissionDenied,
            "elbow may not listen on 127.65.1.10:80: permission denied",
        ),
        (
            ErrorKind::AddrInUse,
            "elbow cannot listen on 127.65.1.10:80: another process has it",
        ),
        (
            ErrorKind::AddrNotAvailable,
            "elbow cannot listen on 127.65.1.10:80: this machine does not have",
        ),
    ] {
        fixture.plane.refuse(Some(kind));
        let input = listener_input(&shop, 80, fixed("200"));
        let error = error(fixture.control.create_listener(input).await);
        let expected = format!("InvalidConfigurationRequest: {expected}");
        assert!(error.starts_with(&expected), "{error}");
        assert_eq!(fixture.stored(), before);
    }
    fixture.plane.refuse(None);
    let input = DescribeListeners {
        load_balancer_arn: Some(shop.arn.to_string()),
        ..DescribeListeners::default()
    };
    assert!(
        fixture
            .control
            .describe_listeners(input)
            .await
            .unwrap()
            .items
            .is_empty()
    );
    fixture.listener(&shop, 80, fixed("200")).await;
}

#[tokio::test]
async fn there_are_limits() {
    let fixture = fixture_with(|settings| {
        settings.limits.listeners_per_load_balancer = 2;
        settings.limits.target_groups_per_load_balancer = 1;
    })
    .await;
    let shop = fixture.load_balancer("shop").await;
    let (web, api) = (fixture.group("web").await, fixture.group("api").await);
    fixture.listener(&shop, 80, forward(&web)).await;
    let input = listener_input(&shop, 81, forward(&api));
    assert_eq!(
        error(fixture.control.create_listener(input).await),
        "TooManyUniqueTargetGroupsPerLoadBalancer: You have reached the maximum number of unique target groups that \
         you can associate with a load balancer of type 'application': [1]"
    );
    fixture.listener(&shop, 81, forward(&web)).await;
    let input = listener_input(&shop, 82, forward(&web));
    assert_eq!(
        error(fixture.control.create_listener(input).await),
        "TooManyListeners: A load balancer can have at most 2 listeners"
    );
}

#[tokio::test]
async fn unknown_listeners_are_not_found() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let arn = fixture
        .listener(&shop, 80, fixed("200"))
        .await
        .arn
        .to_string();
    let delete = || DeleteListener {
        listener_arn: arn.clone(),
    };
    fixture.control.delete_listener(delete()).await.unwrap();
    let not_found = "ListenerNotFound: One or more listeners not found";
    assert_eq!(
        error(fixture.control.delete_listener(delete()).await),
        not_found
    );
    assert_eq!(
        error(
            fixture
                .control
                .describe_listeners(DescribeListeners::default())
                .await
        ),
        "Validation: You must specify either listener ARNs or a load balancer ARN"
    );
}
