//! Targets: who can be one, and what is said about their health.

use control::ec2::Run;
use control::elb::create_target_group::CreateTargetGroup;
use control::elb::delete_listener::DeleteListener;
use control::elb::deregister_targets::DeregisterTargets;
use control::elb::describe_target_health::DescribeTargetHealth;
use control::elb::input::TargetDescription;
use control::elb::register_targets::RegisterTargets;
use control::elb::target_group_attributes::ModifyTargetGroupAttributes;
use engine::Outcome;
use engine::health::{Failure, Health};
use model::target_group::TargetType;

use crate::support::{Fixture, error, fixture, fixture_with, forward, pairs, target};

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
    let running = fixture.instance("127.65.1.21").await;
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
        (&web, target(""), "Validation: An instance ID must be specified".to_owned()),
        (&addresses, target(""), "Validation: An IP address must be specified".to_owned()),
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
            "Validation: You must specify a valid Availability Zone or select 'all' for all enabled Availability zones, since the IP address '10.0.0.1' is outside the VPC".to_owned(),
        ),
        (
            &addresses,
            zoned("10.0.0.1", "us-east-1a"),
            "Validation: You must specify a valid Availability Zone or select 'all' for all enabled Availability zones, since the IP address '10.0.0.1' is outside the VPC".to_owned(),
        ),
        (
            &addresses,
            zoned("127.65.1.20", "us-east-1b"),
            "Validation: The IP address '127.65.1.20' is within the VPC, and cannot have its Availability Zone overridden to 'us-east-1b' from 'us-east-1a'".to_owned(),
        ),
        (
            &addresses,
            zoned("127.65.1.20", "all"),
            "Validation: The IP address '127.65.1.20' is within the VPC, and cannot have its Availability Zone overridden to 'all' from 'us-east-1a'".to_owned(),
        ),
        (
            &web,
            zoned(&running, "us-east-1a"),
            format!("Validation: An Availability Zone cannot be specified for the target '{running}', because the target type of the target group is 'instance'"),
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

/// Source: ELB API, `DeregisterTargets`: "If the specified target does not exist, the action returns successfully."
#[tokio::test]
async fn what_is_not_registered_does_not_keep_others_from_being_deregistered() {
    let fixture = fixture().await;
    let web = fixture.group("web").await;
    let (here, elsewhere) = (
        fixture.instance("127.65.1.20").await,
        fixture.instance("127.65.1.21").await,
    );
    let register = RegisterTargets {
        target_group_arn: web.clone(),
        targets: vec![target(&here)],
    };
    fixture.control.register_targets(register).await.unwrap();
    let deregister = |ids: &[&str]| DeregisterTargets {
        target_group_arn: web.clone(),
        targets: ids.iter().map(|id| target(id)).collect(),
    };
    let refused = fixture
        .control
        .deregister_targets(deregister(&[&here, "i-x"]));
    assert_eq!(
        error(refused.await),
        "InvalidTarget: The instance ID 'i-x' is not valid"
    );
    assert_eq!(
        fixture.health(&web).await.len(),
        1,
        "a refusal changes nothing"
    );
    let ids = [&*elsewhere, "i-0123456789abcdef0", &here];
    let done = fixture.control.deregister_targets(deregister(&ids));
    done.await.unwrap();
    assert!(fixture.health(&web).await.is_empty());
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
async fn an_address_is_described_with_its_zone_and_can_be_named_with_it() {
    let fixture = fixture().await;
    let group = ip_group(&fixture).await;
    let zoned = |id: &str, zone: Option<&str>| TargetDescription {
        availability_zone: zone.map(str::to_owned),
        ..target(id)
    };
    let inside = [
        zoned("127.65.1.20", None),
        zoned("127.65.2.20", Some("us-east-1b")),
    ];
    let input = RegisterTargets {
        target_group_arn: group.clone(),
        targets: inside
            .into_iter()
            .chain([zoned("10.0.0.1", Some("all"))])
            .collect(),
    };
    fixture.control.register_targets(input).await.unwrap();
    let describe = async |targets: Vec<TargetDescription>| {
        let input = DescribeTargetHealth {
            target_group_arn: group.clone(),
            targets,
            ..DescribeTargetHealth::default()
        };
        let described = fixture.control.describe_target_health(input).await.unwrap();
        let facts = described.into_iter().map(|it| {
            let zone = it.target.availability_zone.unwrap_or_default();
            let reason = it.health.reason.map_or("", |reason| reason.as_str());
            format!("{} {zone} {reason}", it.target.id)
        });
        facts.collect::<Vec<_>>()
    };
    let all = [
        "10.0.0.1 all Target.NotInUse",
        "127.65.1.20 us-east-1a Target.NotInUse",
        "127.65.2.20 us-east-1b Target.NotInUse",
    ];
    assert_eq!(describe(Vec::new()).await, all);
    for (id, zone, expected) in [
        ("127.65.1.20", None, all[1]),
        ("127.65.1.20", Some("us-east-1a"), all[1]),
        ("10.0.0.1", None, all[0]),
        ("10.0.0.1", Some("all"), all[0]),
        (
            "10.0.0.1",
            Some("us-east-1a"),
            "10.0.0.1 us-east-1a Target.NotRegistered",
        ),
        (
            "127.65.1.20",
            Some("all"),
            "127.65.1.20 all Target.NotRegistered",
        ),
        ("127.65.1.21", None, "127.65.1.21  Target.NotRegistered"),
    ] {
        assert_eq!(describe(vec![zoned(id, zone)]).await, [expected]);
    }
    let deregister = async |zone: Option<&str>| {
        let input = DeregisterTargets {
            target_group_arn: group.clone(),
            targets: vec![zoned("127.65.1.20", zone)],
        };
        fixture.control.deregister_targets(input).await.unwrap();
    };
    deregister(Some("us-east-1b")).await;
    assert_eq!(
        describe(Vec::new()).await,
        all,
        "that is none of the group's"
    );
    deregister(Some("us-east-1a")).await;
    assert_eq!(describe(Vec::new()).await, [all[0], all[2]]);
}

#[tokio::test]
async fn with_cross_zone_off_every_target_has_a_zone() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let group = ip_group(&fixture).await;
    fixture.listener(&shop, 80, forward(&group)).await;
    let register = |zone: &str| {
        fixture.control.register_targets(RegisterTargets {
            target_group_arn: group.clone(),
            targets: vec![TargetDescription {
                availability_zone: Some(zone.to_owned()),
                ..target("10.0.0.1")
            }],
        })
    };
    let turn = |value: &str| {
        let attribute = ("load_balancing.cross_zone.enabled", value);
        fixture
            .control
            .modify_target_group_attributes(ModifyTargetGroupAttributes {
                target_group_arn: group.clone(),
                attributes: pairs(&[attribute]),
            })
    };
    register("all").await.unwrap();
    assert_eq!(
        error(turn("false").await),
        "InvalidConfigurationRequest: You cannot turn off cross-zone load balancing for a target group while a target is registered with the Availability Zone 'all': '10.0.0.1'"
    );
    let input = DeregisterTargets {
        target_group_arn: group.clone(),
        targets: vec![target("10.0.0.1")],
    };
    fixture.control.deregister_targets(input).await.unwrap();
    turn("false").await.unwrap();
    let expected = "Validation: The IP address '10.0.0.1' is outside of the VPC and cross-zone load balancing is off for the target group, so its Availability Zone must be one of [us-east-1a, us-east-1b]";
    assert_eq!(error(register("all").await), expected);
    assert_eq!(error(register("us-east-1z").await), expected);
    for zone in ["us-east-1b", "us-east-1a"] {
        register(zone).await.unwrap();
        let pool = fixture.plane.live().pools[0].clone();
        assert_eq!(pool.endpoints.len(), 1, "it is the same target");
        assert_eq!(pool.endpoints[0].zone.as_deref(), Some(zone));
    }
}

#[tokio::test]
async fn anomalies_and_their_mitigation_are_described_when_asked_for() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let web = fixture.group("web").await;
    fixture.listener(&shop, 80, forward(&web)).await;
    for address in ["127.65.1.20", "127.65.1.21", "127.65.1.22"] {
        let instance = fixture.instance(address).await;
        fixture.register(&web, &[&instance]).await.unwrap();
    }
    let describe = async |include: &[&str]| {
        let input = DescribeTargetHealth {
            target_group_arn: web.clone(),
            include: include.iter().map(|word| (*word).to_owned()).collect(),
            ..DescribeTargetHealth::default()
        };
        let described = fixture.control.describe_target_health(input).await.unwrap();
        let found = described.iter().map(|it| it.anomaly_detection);
        let mut found: Vec<_> = found
            .map(|it| it.map(|it| (it.is_anomalous, it.is_mitigating)))
            .collect();
        found.sort_unstable();
        found
    };
    assert_eq!(describe(&[]).await, [None; 3]);
    assert_eq!(describe(&["All"]).await, [Some((false, false)); 3]);
    let evaluate = || {
        let pool = fixture.plane.live().pools[0].clone();
        for (at, endpoint) in pool.endpoints.iter().enumerate() {
            let healthy = Health::Healthy { failures: 0 };
            endpoint.state.set_health(healthy, None);
            let status = if at == 0 { 500 } else { 200 };
            for _ in 0..20 {
                endpoint.state.record_outcome(Outcome::of_status(status));
            }
        }
        pool.evaluate_outcomes();
    };
    evaluate();
    let normal = Some((false, false));
    let described = describe(&["AnomalyDetection"]).await;
    assert_eq!(described, [normal, normal, Some((true, false))]);
    let input = ModifyTargetGroupAttributes {
        target_group_arn: web.clone(),
        attributes: pairs(&[
            ("load_balancing.algorithm.type", "weighted_random"),
            ("load_balancing.algorithm.anomaly_mitigation", "on"),
        ]),
    };
    let modified = fixture.control.modify_target_group_attributes(input).await;
    modified.unwrap();
    evaluate();
    let described = describe(&["AnomalyDetection"]).await;
    assert_eq!(described, [normal, normal, Some((true, true))]);
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
    assert_eq!(described[0].health_check_port, None);
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
