//! What of a change reaches the data plane, and what stays as it was.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use control::elb::create_rule::CreateRule;
use control::elb::deregister_targets::DeregisterTargets;
use control::elb::input::{
    Action as ActionInput, ActionType, FixedResponseConfig, ForwardConfig,
    TargetGroupStickinessConfig, TargetGroupTuple,
};
use control::elb::load_balancer_attributes::ModifyLoadBalancerAttributes;
use control::elb::modify_listener::ModifyListener;
use control::elb::set_rule_priorities::SetRulePriorities;
use control::elb::tags::AddTags;
use control::elb::target_group_attributes::ModifyTargetGroupAttributes;
use engine::health::Health;
use engine::router::RequestFacts;
use engine::{Admission, Algorithm, HealthThreshold, PoolSettings, Routing, Stickiness};
use model::arn::RuleArn;
use model::health_check::HealthCheck;

use crate::support::{
    Fixture, error, fixed, fixture, forward, listener_input, pairs, path_condition, permission,
    rule_input, target,
};

/// A GET of a path.
pub(crate) struct Get<'a>(pub(crate) &'a str);

impl RequestFacts for Get<'_> {
    fn method(&self) -> &[u8] {
        b"GET"
    }

    fn host(&self) -> &[u8] {
        b""
    }

    fn path(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn query(&self) -> &[u8] {
        b""
    }

    fn any_field(&self, _name: &[u8], _visit: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        false
    }

    fn source_ip(&self) -> IpAddr {
        IpAddr::from([127, 0, 0, 1])
    }
}

/// What a GET of `path` gets: a status, or `-> ` and how many targets there are.
fn outcome(fixture: &Fixture, path: &str) -> String {
    let snapshot = fixture.plane.live();
    match &snapshot.frontends[0].router.route(&Get(path)).1.routing {
        Routing::FixedResponse(fixed) => fixed.status.to_string(),
        Routing::Redirect(redirect) => redirect.status.to_string(),
        Routing::Forward(forward) => {
            let pool = forward.pools().next().expect("a forward has a pool");
            format!("-> {}", pool.endpoints.len())
        }
    }
}

#[tokio::test]
async fn rules_follow_their_priorities_and_their_targets() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let web = fixture.group("web").await;
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let rule = |priority, path: &str, action| CreateRule {
        conditions: vec![path_condition(&[path])],
        actions: vec![action],
        ..rule_input(&listener, priority, path)
    };
    let to_web = fixture
        .control
        .create_rule(rule(20, "/a*", forward(&web)))
        .await
        .unwrap();
    let gone = fixture
        .control
        .create_rule(rule(10, "/ab", fixed("410")))
        .await
        .unwrap();
    let check = |expected: [&str; 3]| {
        assert_eq!(
            ["/", "/a", "/ab"].map(|path| outcome(&fixture, path)),
            expected
        );
    };
    check(["200", "-> 0", "410"]);
    let instance = fixture.instance("127.65.1.20").await;
    fixture.register(&web, &[&instance]).await.unwrap();
    check(["200", "-> 1", "410"]);
    let rule_priorities = vec![(to_web.arn.to_string(), 10), (gone.arn.to_string(), 20)];
    let swap = SetRulePriorities { rule_priorities };
    fixture.control.set_rule_priorities(swap).await.unwrap();
    check(["200", "-> 1", "-> 1"]);
}

#[tokio::test]
async fn a_fixed_body_has_a_charset_if_it_is_text() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    for (port, given, body, expected) in [
        (80, None, Some("x"), Some("text/plain; charset=utf-8")),
        (
            81,
            Some("text/html"),
            Some("x"),
            Some("text/html; charset=utf-8"),
        ),
        (
            82,
            Some("application/json"),
            Some("{}"),
            Some("application/json"),
        ),
        (83, Some("text/css"), None, None),
        (84, None, None, None),
    ] {
        let config = FixedResponseConfig {
            message_body: body.map(str::to_owned),
            status_code: "200".to_owned(),
            content_type: given.map(str::to_owned),
        };
        let action = ActionInput {
            fixed_response_config: Some(config),
            ..ActionInput::new(ActionType::FixedResponse)
        };
        let input = listener_input(&shop, port, action);
        let listener = fixture.control.create_listener(input).await.unwrap();
        let snapshot = fixture.plane.live();
        let frontend = snapshot
            .frontends
            .iter()
            .find(|it| it.id.0 == listener.arn.id.0)
            .unwrap();
        let Routing::FixedResponse(fixed) = &frontend.router.route(&Get("/")).1.routing else {
            panic!("the default action of port {port} is a fixed response");
        };
        assert_eq!(fixed.content_type.as_deref(), expected, "port {port}");
    }
}

#[tokio::test]
async fn the_security_groups_decide_who_may_connect() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    fixture.listener(&shop, 80, fixed("200")).await;
    let snapshot = fixture.plane.live();
    let Admission::Only(blocks) = &snapshot.frontends[0].admission else {
        panic!("the default group of a VPC on loopback admits this machine only");
    };
    assert!(!blocks.is_empty());
    assert!(
        snapshot.frontends[0]
            .admission
            .admits(IpAddr::from([127, 0, 0, 1]))
    );
    assert!(
        !snapshot.frontends[0]
            .admission
            .admits(IpAddr::from([8, 8, 8, 8]))
    );
}

#[tokio::test]
async fn a_listener_is_a_frontend_on_every_address() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    assert!(fixture.plane.live().frontends.is_empty());
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let snapshot = fixture.plane.live();
    let frontend = &snapshot.frontends[0];
    assert_eq!(frontend.id.0, listener.arn.id.0);
    let addresses: Vec<_> = frontend.addresses.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["127.65.1.10:80", "127.65.2.10:80"]);
    let zones: Vec<_> = frontend.zones.iter().map(|zone| &**zone).collect();
    assert_eq!(zones, ["us-east-1a", "us-east-1b"]);
    assert_eq!(frontend.idle_timeout, Duration::from_secs(60));
    assert_eq!(&*frontend.dns_name, shop.dns_name);
    assert!(snapshot.pools.is_empty());
    let input = ModifyLoadBalancerAttributes {
        load_balancer_arn: shop.arn.to_string(),
        attributes: pairs(&[("idle_timeout.timeout_seconds", "5")]),
    };
    fixture
        .control
        .modify_load_balancer_attributes(input)
        .await
        .unwrap();
    assert_eq!(
        fixture.plane.live().frontends[0].idle_timeout,
        Duration::from_secs(5)
    );
}

#[tokio::test]
async fn a_new_target_leaves_the_others_and_what_is_known_of_them() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let (web, api) = (fixture.group("web").await, fixture.group("api").await);
    let (one, two) = (
        fixture.instance("127.65.1.20").await,
        fixture.instance("127.65.2.20").await,
    );
    fixture.register(&web, &[&one]).await.unwrap();
    fixture.listener(&shop, 80, forward(&web)).await;
    fixture.listener(&shop, 81, forward(&api)).await;
    let before = fixture.plane.live();
    let pool = |snapshot: &engine::Snapshot, arn: &str| {
        let pools = snapshot.pools.iter();
        let named = |pool: &&Arc<engine::Pool>| arn.ends_with(&format!("{:016x}", pool.id.0));
        Arc::clone(pools.into_iter().find(named).unwrap())
    };
    let known = Arc::clone(&pool(&before, &web).endpoints[0]);
    known
        .state
        .set_health(Health::Healthy { failures: 0 }, None);
    fixture.register(&web, &[&two]).await.unwrap();
    let after = fixture.plane.live();
    assert!(after.generation > before.generation);
    assert_eq!(pool(&after, &web).endpoints.len(), 2);
    assert!(
        pool(&after, &web)
            .endpoints
            .iter()
            .any(|it| Arc::ptr_eq(it, &known))
    );
    assert!(Arc::ptr_eq(&pool(&after, &api), &pool(&before, &api)));
    let unchanged = after
        .frontends
        .iter()
        .filter(|it| before.frontends.iter().any(|b| Arc::ptr_eq(it, b)));
    assert_eq!(unchanged.count(), 1, "the listener of the other group");
    assert_eq!(pool(&after, &web).settings.algorithm, Algorithm::default());
}

#[tokio::test]
async fn a_target_has_its_zone_and_a_key_that_a_new_registration_keeps() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let web = fixture.group("web").await;
    fixture.listener(&shop, 80, forward(&web)).await;
    let one = fixture.instance("127.65.1.20").await;
    let two = fixture.instance("127.65.2.20").await;
    fixture.register(&web, &[&one, &two]).await.unwrap();
    let endpoints = || {
        let mut endpoints = fixture.plane.live().pools[0].endpoints.clone();
        endpoints.sort_by_key(|endpoint| endpoint.address);
        endpoints
    };
    let before = endpoints();
    let zones: Vec<_> = before.iter().map(|it| it.zone.as_deref()).collect();
    assert_eq!(zones, [Some("us-east-1a"), Some("us-east-1b")]);
    assert_ne!(before[0].key, before[1].key);
    let input = DeregisterTargets {
        target_group_arn: web.clone(),
        targets: vec![target(&one)],
    };
    fixture.control.deregister_targets(input).await.unwrap();
    fixture.register(&web, &[&one]).await.unwrap();
    let after = endpoints();
    assert_ne!(after[0].state.id(), before[0].state.id());
    assert_eq!(after[0].key, before[0].key);
}

#[tokio::test]
async fn a_tag_of_a_group_changes_nothing_that_is_served() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let web = fixture.group("web").await;
    fixture.listener(&shop, 80, forward(&web)).await;
    let before = fixture.plane.live();
    let input = AddTags {
        resource_arns: vec![web],
        tags: pairs(&[("a", "b")]),
    };
    fixture.control.add_tags(input).await.unwrap();
    let after = fixture.plane.live();
    assert!(Arc::ptr_eq(&after.frontends[0], &before.frontends[0]));
    assert!(Arc::ptr_eq(&after.pools[0], &before.pools[0]));
}

#[tokio::test]
async fn a_listener_can_move_to_another_port() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let group = shop.security_groups[0].to_string();
    fixture
        .authorize(&group, permission(80, "10.0.0.0/8"))
        .await;
    fixture
        .authorize(&group, permission(8080, "192.0.2.0/24"))
        .await;
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let admits = || {
        let snapshot = fixture.plane.live();
        let admits = |source| snapshot.frontends[0].admission.admits(IpAddr::from(source));
        (admits([10, 0, 0, 1]), admits([192, 0, 2, 1]))
    };
    assert_eq!(admits(), (true, false));
    let input = ModifyListener {
        listener_arn: listener.arn.to_string(),
        port: Some(8080),
        ..ModifyListener::default()
    };
    fixture.control.modify_listener(input).await.unwrap();
    let snapshot = fixture.plane.live();
    let moved: Vec<_> = snapshot.frontends.iter().map(|it| it.port()).collect();
    assert_eq!(moved, [8080]);
    assert_eq!(
        admits(),
        (false, true),
        "what the groups say of the new port"
    );
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_leave_half_a_change() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let create = fixture
        .control
        .create_listener(listener_input(&shop, 80, fixed("200")));
    tokio::select! {
        biased;
        _ = create => panic!("the change needs more than one step"),
        () = std::future::ready(()) => {}
    }
    // Changes are made one after the other, so that the one left alone is complete when this one is.
    fixture.load_balancer("blog").await;
    assert_eq!(
        fixture.plane.live().frontends.len(),
        1,
        "the listener listens"
    );
    let stored = fixture.stored();
    assert_eq!(
        stored
            .keys()
            .filter(|key| key.starts_with("elb/listener/"))
            .count(),
        1
    );
}

#[tokio::test]
async fn the_attributes_of_a_group_are_the_settings_of_its_pool() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let web = fixture.group("web").await;
    fixture.listener(&shop, 80, forward(&web)).await;
    let settings = async |attributes: &[(&str, &str)]| {
        let input = ModifyTargetGroupAttributes {
            target_group_arn: web.clone(),
            attributes: pairs(attributes),
        };
        let modified = fixture.control.modify_target_group_attributes(input).await;
        modified.unwrap();
        fixture.plane.live().pools[0].settings.clone()
    };
    let default = PoolSettings::new(HealthCheck::default());
    assert_eq!(settings(&[]).await, default);
    let slow = settings(&[("slow_start.duration_seconds", "30")]).await;
    let slow_start = Duration::from_secs(30);
    assert_eq!(slow.algorithm, Algorithm::RoundRobin { slow_start });
    let weighted = settings(&[
        ("slow_start.duration_seconds", "0"),
        ("load_balancing.algorithm.type", "weighted_random"),
    ]);
    let mitigates = |mitigates_anomalies| Algorithm::WeightedRandom {
        mitigates_anomalies,
    };
    assert_eq!(weighted.await.algorithm, mitigates(false));
    let mitigation = settings(&[("load_balancing.algorithm.anomaly_mitigation", "on")]);
    assert_eq!(mitigation.await.algorithm, mitigates(true));
    let zonal = settings(&[("load_balancing.cross_zone.enabled", "false")]);
    assert!(!zonal.await.is_cross_zone);
    let dns = "target_group_health.dns_failover.minimum_healthy_targets";
    let routing = "target_group_health.unhealthy_state_routing.minimum_healthy_targets";
    let thresholds = settings(&[
        (&format!("{dns}.count"), "off"),
        (&format!("{dns}.percentage"), "60"),
        (&format!("{routing}.count"), "3"),
        (&format!("{routing}.percentage"), "50"),
    ])
    .await;
    let threshold = |count, percentage| HealthThreshold { count, percentage };
    assert_eq!(thresholds.dns_threshold, threshold(None, Some(60)));
    assert_eq!(thresholds.routing_threshold, threshold(Some(3), Some(50)));
    let sticky = settings(&[
        ("load_balancing.algorithm.anomaly_mitigation", "off"),
        ("load_balancing.algorithm.type", "round_robin"),
        ("load_balancing.cross_zone.enabled", "true"),
        ("stickiness.enabled", "true"),
    ]);
    let duration = Duration::from_secs(86_400);
    let by_load_balancer = Stickiness::LoadBalancerCookie { duration };
    assert_eq!(sticky.await.stickiness, by_load_balancer);
    let by_application = settings(&[
        ("stickiness.type", "app_cookie"),
        ("stickiness.app_cookie.cookie_name", "session"),
        ("stickiness.app_cookie.duration_seconds", "60"),
    ]);
    let expected = Stickiness::ApplicationCookie {
        name: "session".into(),
        duration: Duration::from_secs(60),
    };
    assert_eq!(by_application.await.stickiness, expected);
}

/// An action that forwards to these groups alike, with group stickiness for so many seconds.
fn forward_to_groups(groups: &[&str], stickiness_seconds: Option<i32>) -> ActionInput {
    let tuple = |arn: &&str| TargetGroupTuple {
        target_group_arn: Some((*arn).to_owned()),
        weight: Some(1),
    };
    let stickiness = TargetGroupStickinessConfig {
        enabled: Some(stickiness_seconds.is_some()),
        duration_seconds: stickiness_seconds,
    };
    let config = ForwardConfig {
        target_groups: groups.iter().map(tuple).collect(),
        stickiness: Some(stickiness),
    };
    ActionInput {
        forward_config: Some(config),
        ..ActionInput::new(ActionType::Forward)
    }
}

#[tokio::test]
async fn clients_can_stay_with_a_group_and_must_where_they_stay_with_a_target() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let (web, api) = (fixture.group("web").await, fixture.group("api").await);
    let both = |seconds| forward_to_groups(&[&web, &api], seconds);
    let sticky = async |value: &str| {
        let input = ModifyTargetGroupAttributes {
            target_group_arn: api.clone(),
            attributes: pairs(&[("stickiness.enabled", value)]),
        };
        fixture.control.modify_target_group_attributes(input).await
    };
    sticky("true").await.unwrap();
    assert_eq!(
        error(
            fixture
                .control
                .create_listener(listener_input(&shop, 80, both(None)))
                .await
        ),
        "InvalidConfigurationRequest: You must enable group stickiness on a rule if you enabled target stickiness on \
         one of its target groups"
    );
    fixture.listener(&shop, 81, forward(&api)).await;
    fixture.listener(&shop, 82, both(Some(60))).await;
    let forwards = || {
        let snapshot = fixture.plane.live();
        let mut found: Vec<_> = snapshot
            .frontends
            .iter()
            .map(
                |frontend| match &frontend.router.route(&Get("/")).1.routing {
                    Routing::Forward(forward) => (frontend.port(), forward.stickiness),
                    other => panic!("a forward, not {other:?}"),
                },
            )
            .collect();
        found.sort_unstable();
        found
    };
    assert_eq!(
        forwards(),
        [(81, None), (82, Some(Duration::from_secs(60)))]
    );
    sticky("false").await.unwrap();
    let loose = fixture.listener(&shop, 83, both(None)).await;
    let rule = RuleArn {
        listener: loose.arn.clone(),
        id: loose.default_rule_id,
    };
    assert_eq!(
        error(sticky("true").await),
        format!(
            "InvalidConfigurationRequest: This target group appears behind a rule with group stickiness disabled ({rule}). You must enable group stickiness before enabling target stickiness"
        )
    );
}
