//! What targets speak, what their checks speak, and which listeners reach them.

use control::elb::create_listener::CreateListener;
use control::elb::create_target_group::CreateTargetGroup;
use control::elb::input::{HealthCheckSettings, Matcher};
use control::elb::modify_listener::ModifyListener;
use control::elb::modify_rule::ModifyRule;
use control::elb::modify_target_group::ModifyTargetGroup;
use engine::{HttpVersion, PoolSettings, TargetProtocol};
use model::health_check;
use model::protocol::Protocol;

use crate::authentication::{jwt, ordered};
use crate::support::{Fixture, error, fixed, fixture, forward, listener_input, rule_input};

impl Fixture {
    /// The ARN of a new target group that speaks this.
    async fn speaking(&self, name: &str, protocol: Protocol, version: &str) -> String {
        let input = CreateTargetGroup {
            protocol: Some(protocol),
            protocol_version: Some(version.to_owned()),
            ..self.target_group_input(name)
        };
        let created = self.control.create_target_group(input).await.unwrap();
        created.target_group.arn.to_string()
    }

    /// The settings of the only pool in the snapshot that is served.
    fn pool_settings(&self) -> PoolSettings {
        self.plane.live().pools[0].settings.clone()
    }
}

#[tokio::test]
async fn every_protocol_and_version_reaches_the_data_plane() {
    for (protocol, is_tls) in [(Protocol::Http, false), (Protocol::Https, true)] {
        for (name, version) in [
            ("HTTP1", HttpVersion::Http1),
            ("HTTP2", HttpVersion::Http2),
            ("GRPC", HttpVersion::Grpc),
        ] {
            let fixture = fixture().await;
            let shop = fixture.load_balancer("shop").await;
            let certificate = fixture.certificate("shop").await;
            let group = fixture.speaking("web", protocol, name).await;
            let listener = CreateListener {
                default_actions: vec![forward(&group)],
                ..crate::tls_listeners::secure(&shop, 443, crate::tls_listeners::tls(&certificate))
            };
            fixture.control.create_listener(listener).await.unwrap();
            let settings = fixture.pool_settings();
            assert_eq!(settings.protocol, TargetProtocol { is_tls, version });
            assert!(!settings.health_check_is_tls, "checks are in clear text");
        }
    }
}

#[tokio::test]
async fn checks_speak_what_they_are_told() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let group = fixture.speaking("web", Protocol::Http, "HTTP1").await;
    fixture.listener(&shop, 80, forward(&group)).await;
    let modify = |health_check| ModifyTargetGroup {
        target_group_arn: group.clone(),
        health_check,
    };
    let over_tls = HealthCheckSettings {
        protocol: Some(Protocol::Https),
        ..HealthCheckSettings::default()
    };
    let modified = fixture.control.modify_target_group(modify(over_tls)).await;
    let group_now = modified.unwrap().target_group;
    assert_eq!(group_now.health_check_protocol, Protocol::Https);
    assert!(fixture.pool_settings().health_check_is_tls);
    let other = HealthCheckSettings {
        path: Some("/ok".to_owned()),
        ..HealthCheckSettings::default()
    };
    let modified = fixture.control.modify_target_group(modify(other)).await;
    let group_now = modified.unwrap().target_group;
    assert_eq!(
        group_now.health_check_protocol,
        Protocol::Https,
        "what is absent stays"
    );
}

#[tokio::test]
async fn groups_of_grpc_are_checked_by_its_codes() {
    let fixture = fixture().await;
    let group = fixture.speaking("web", Protocol::Http, "GRPC").await;
    let modify = |grpc_code: &str| ModifyTargetGroup {
        target_group_arn: group.clone(),
        health_check: HealthCheckSettings {
            matcher: Some(Matcher {
                grpc_code: Some(grpc_code.to_owned()),
                http_code: None,
            }),
            ..HealthCheckSettings::default()
        },
    };
    let unchanged = ModifyTargetGroup {
        target_group_arn: group.clone(),
        ..ModifyTargetGroup::default()
    };
    let present = fixture.control.modify_target_group(unchanged).await;
    let check = present.unwrap().target_group.health_check.clone();
    assert_eq!(check, health_check::HealthCheck::grpc());
    assert_eq!(check.path, "/AWS.ALB/healthcheck");
    let modified = fixture.control.modify_target_group(modify("0-5")).await;
    let check = modified.unwrap().target_group.health_check.clone();
    assert!(check.matcher.matches_grpc(5) && !check.matcher.matches_grpc(12));
    let again = fixture.restart().await;
    assert_eq!(again.stored(), fixture.stored());
}

/// Whichever way the two would come together.
#[tokio::test]
async fn http_2_and_grpc_need_a_listener_with_tls() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let certificate = fixture.certificate("shop").await;
    let (h2, grpc) = (
        fixture.speaking("h2", Protocol::Https, "HTTP2").await,
        fixture.speaking("grpc", Protocol::Http, "GRPC").await,
    );
    let refused = |arn: &str| {
        format!(
            "IncompatibleProtocols: The listener and the following target groups have incompatible protocols: {arn}"
        )
    };
    let control = &fixture.control;
    let input = listener_input(&shop, 80, forward(&h2));
    assert_eq!(error(control.create_listener(input).await), refused(&h2));
    let clear = fixture.listener(&shop, 80, fixed("200")).await;
    let mut rule = rule_input(&clear, 1, "/a");
    rule.actions = vec![forward(&grpc)];
    assert_eq!(error(control.create_rule(rule).await), refused(&grpc));
    let rule = fixture.rule(&clear, 1, "/a").await;
    let modify = ModifyRule {
        rule_arn: rule.arn.to_string(),
        actions: vec![forward(&grpc)],
        ..ModifyRule::default()
    };
    assert_eq!(error(control.modify_rule(modify).await), refused(&grpc));
    let modify = ModifyListener {
        listener_arn: clear.arn.to_string(),
        default_actions: vec![forward(&h2)],
        ..ModifyListener::default()
    };
    assert_eq!(error(control.modify_listener(modify).await), refused(&h2));
    let input = CreateListener {
        default_actions: vec![forward(&h2)],
        ..crate::tls_listeners::secure(&shop, 443, crate::tls_listeners::tls(&certificate))
    };
    let secure = control.create_listener(input).await.unwrap();
    let to_clear = ModifyListener {
        listener_arn: secure.arn.to_string(),
        protocol: Some(Protocol::Http),
        ..ModifyListener::default()
    };
    assert_eq!(error(control.modify_listener(to_clear).await), refused(&h2));
}

#[tokio::test]
async fn rules_that_forward_to_http_2_and_grpc_do_nothing_else() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.https_listener(&shop, 443).await;
    let actions = |arn: &str| vec![jwt(), ordered(forward(arn), 2)];
    let control = &fixture.control;
    for version in ["HTTP2", "GRPC"] {
        let group = fixture.speaking(version, Protocol::Https, version).await;
        let mut rule = rule_input(&listener, 1, "/a");
        rule.actions = actions(&group);
        let refused = format!(
            "InvalidLoadBalancerAction: Actions of type 'jwt-validation' cannot be specified with the following \
             target groups, whose protocol version supports only actions of type 'forward': {group}"
        );
        assert_eq!(error(control.create_rule(rule).await), refused);
        let modify = ModifyListener {
            listener_arn: listener.arn.to_string(),
            default_actions: actions(&group),
            ..ModifyListener::default()
        };
        assert_eq!(error(control.modify_listener(modify).await), refused);
    }
    let group = fixture.speaking("web", Protocol::Https, "HTTP1").await;
    let mut rule = rule_input(&listener, 1, "/a");
    rule.actions = actions(&group);
    control.create_rule(rule).await.unwrap();
}
