//! Targets: who can be one, and what is said about their health.

use control::ec2::Run;
use control::elb::create_target_group::CreateTargetGroup;
use control::elb::delete_listener::DeleteListener;
use control::elb::describe_target_health::DescribeTargetHealth;
use control::elb::input::TargetDescription;
use control::elb::register_targets::RegisterTargets;
use engine::health::{Failure, Health};
use model::target_group::TargetType;

use crate::support::{Fixture, error, fixture, fixture_with, forward, target};

async fn ip_group(fixture: &Fixture) -> String {
    let input = CreateTargetGroup {
        target_type: Some(TargetType::Ip),
        ..fixture.target_group_input("addresses")
    };
    let group = fixture.control.create_target_group(input).await.unwrap();
    group.target_group.arn.to_string()
}

#[tokio::test]
async fn refused_targets_leave_nothing() {
    let fixture = fixture().await;
    let (web, addresses) = (fixture.group("web").await, ip_group(&fixture).await);
    let gone = fixture.instance("127.65.1.20").await;
    fixture
        .control
        .ec2(Run::Wet)
        .terminate_instances(vec![gone.clone()])
        .await
        .unwrap();
    let before = fixture.stored();
    let zoned = |id: &str, zone: &str| TargetDescription {
        availability_zone: Some(zone.to_owned()),
        ..target(id)
    };
    for (group, target, expected) in [
        (&web, target("i-x"), "InvalidTarget: The instance ID 'i-x' is not valid".to_owned()),
        (
            &web,
            target(&gone),
            format!(
                "InvalidTarget: The following targets are not in a running state and cannot be registered: '{gone}'"
            ),
        ),
        (
            &addresses,
            target("x"),
            "Validation: The IP address 'x' is not a valid IPv4 address".to_owned(),
        ),
        (
            &addresses,
            zoned("8.8.8.8", "all"),
            "Validation: The IP address '8.8.8.8' is not allowed, as it must be an address from a VPC subnet, RFC1918, or RFC6598".to_owned(),
        ),
        (
            &addresses,
            target("10.0.0.1"),
            "Validation: The IP address '10.0.0.1' is outside of the VPC, so its Availability Zone must be 'all'".to_owned(),
        ),
        (
            &addresses,
            TargetDescription { port: Some(0), ..target("127.65.1.20") },
            "Validation: 1 validation error detected: Value '0' at 'targets.port' failed to satisfy constraint: Member must have value greater than or equal to 1".to_owned(),
        ),
    ] {
        let input = RegisterTargets { target_group_arn: group.clone(), targets: vec![target] };
        assert_eq!(error(fixture.control.register_targets(input).await), expected);
    }
    assert_eq!(fixture.stored(), before);
}

#[tokio::test]
async fn addresses_outside_belong_to_all_zones() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let group = ip_group(&fixture).await;
    fixture.listener(&shop, 80, forward(&group)).await;
    let zone = |id: &str| TargetDescription {
        availability_zone: Some("all".to_owned()),
        ..target(id)
    };
    let input = RegisterTargets {
        target_group_arn: group.clone(),
        targets: vec![
            zone("10.0.0.1"),
            zone("100.64.0.1"),
            target("127.65.2.20"),
            target("127.65.1.10"),
        ],
    };
    fixture.control.register_targets(input).await.unwrap();
    let endpoints = &fixture.plane.live().pools[0].endpoints;
    let addresses: Vec<_> = endpoints.iter().map(|it| it.address.to_string()).collect();
    assert_eq!(
        addresses,
        ["10.0.0.1:8080", "100.64.0.1:8080", "127.65.2.20:8080"]
    );
    let unusable = "unused Target.IpUnusable".to_owned();
    assert!(
        fixture.health(&group).await.contains(&unusable),
        "the load balancer's own address"
    );
}

#[tokio::test]
async fn health_follows_the_configuration_and_the_checks() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let web = fixture.group("web").await;
    let instance = fixture.instance("127.65.1.20").await;
    fixture.register(&web, &[&instance]).await.unwrap();
    assert_eq!(fixture.health(&web).await, ["unused Target.NotInUse"]);
    let listener = fixture.listener(&shop, 80, forward(&web)).await;
    assert_eq!(
        fixture.health(&web).await,
        ["initial Elb.RegistrationInProgress"]
    );
    let state = fixture.plane.live().pools[0].endpoints[0].state.clone();
    for (health, failure, expected) in [
        (
            Health::Initial { failures: 1 },
            Some(Failure::Timeout),
            "initial Elb.InitialHealthChecking",
        ),
        (Health::Healthy { failures: 0 }, None, "healthy"),
        (
            Health::Healthy { failures: 1 },
            Some(Failure::Timeout),
            "healthy",
        ),
        (
            Health::Unhealthy { passes: 0 },
            Some(Failure::ResponseCodeMismatch(503)),
            "unhealthy Target.ResponseCodeMismatch",
        ),
        (
            Health::Unhealthy { passes: 0 },
            Some(Failure::Timeout),
            "unhealthy Target.Timeout",
        ),
    ] {
        state.set_health(health, failure);
        assert_eq!(fixture.health(&web).await, [expected]);
    }
    let delete = DeleteListener {
        listener_arn: listener.arn.to_string(),
    };
    fixture.control.delete_listener(delete).await.unwrap();
    assert_eq!(fixture.health(&web).await, ["unused Target.NotInUse"]);
    fixture.listener(&shop, 80, forward(&web)).await;
    assert_eq!(
        fixture.health(&web).await,
        ["initial Elb.RegistrationInProgress"],
        "what was known before the interruption does not count"
    );
    let terminate = fixture
        .control
        .ec2(Run::Wet)
        .terminate_instances(vec![instance])
        .await;
    terminate.unwrap();
    assert_eq!(fixture.health(&web).await, ["unused Target.InvalidState"]);
    assert!(fixture.plane.live().pools[0].endpoints.is_empty());
}

#[tokio::test]
async fn named_targets_need_not_be_registered_but_instances_have_to_exist() {
    let fixture = fixture().await;
    let web = fixture.group("web").await;
    let instance = fixture.instance("127.65.1.20").await;
    let describe = |id: &str| DescribeTargetHealth {
        target_group_arn: web.clone(),
        targets: vec![target(id)],
        ..DescribeTargetHealth::default()
    };
    let described = fixture
        .control
        .describe_target_health(describe(&instance))
        .await
        .unwrap();
    assert_eq!(
        described[0].health.reason.unwrap().as_str(),
        "Target.NotRegistered"
    );
    assert_eq!(described[0].health_check_port, "8080");
    assert_eq!(
        error(
            fixture
                .control
                .describe_target_health(describe("i-x"))
                .await
        ),
        "InvalidTarget: The instance ID 'i-x' is not valid"
    );
}

#[tokio::test]
async fn there_are_limits() {
    let fixture = fixture_with(|settings| settings.limits.targets_per_target_group = 1).await;
    let web = fixture.group("web").await;
    let (one, two) = (
        fixture.instance("127.65.1.20").await,
        fixture.instance("127.65.1.21").await,
    );
    fixture.register(&web, &[&one]).await.unwrap();
    fixture.register(&web, &[&one]).await.unwrap();
    assert_eq!(
        error(fixture.register(&web, &[&two]).await),
        "TooManyTargets: A target group can have at most 1 targets"
    );
}
