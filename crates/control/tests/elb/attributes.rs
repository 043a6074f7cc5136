//! Attributes of load balancers, target groups and listeners.

use control::elb::listener_attributes::{DescribeListenerAttributes, ModifyListenerAttributes};
use control::elb::load_balancer_attributes::{
    DescribeLoadBalancerAttributes, ModifyLoadBalancerAttributes,
};
use control::elb::target_group_attributes::{
    DescribeTargetGroupAttributes, ModifyTargetGroupAttributes,
};

use control::elb::ElbError;
use engine::HttpOptions;
use engine::http::{DesyncMitigation, ForwardedFor, TlsFields};

use crate::support::{Fixture, error, fixed, fixture, pairs};

#[tokio::test]
async fn load_balancers_have_every_attribute_of_their_type() {
    let fixture = fixture().await;
    let arn = fixture.load_balancer("shop").await.arn.to_string();
    let describe = DescribeLoadBalancerAttributes {
        load_balancer_arn: arn.clone(),
    };
    let described = fixture
        .control
        .describe_load_balancer_attributes(describe)
        .await
        .unwrap();
    assert_eq!(described.len(), 23);
    assert!(described.contains(&("idle_timeout.timeout_seconds", "60".to_owned())));
    let modify = |attributes: &[(&str, &str)]| {
        fixture
            .control
            .modify_load_balancer_attributes(ModifyLoadBalancerAttributes {
                load_balancer_arn: arn.clone(),
                attributes: pairs(attributes),
            })
    };
    for (attributes, expected) in [
        (
            &[("no.such", "1")][..],
            "Validation: Load balancer attribute key 'no.such' is not recognized",
        ),
        (
            &[("dns_record.client_routing_policy", "any_availability_zone")],
            "InvalidConfigurationRequest: Load balancer attribute key 'dns_record.client_routing_policy' is not supported on load balancers with type 'application'",
        ),
        (
            &[("waf.fail_open.enabled", "true")],
            "InvalidConfigurationRequest: The value 'true' of the load balancer attribute 'waf.fail_open.enabled' is not supported by elbow yet; leave it at 'false'",
        ),
        (
            &[("load_balancing.cross_zone.enabled", "false")],
            "InvalidConfigurationRequest: The value for 'load_balancing.cross_zone.enabled' must always be 'true' for an Application Load Balancer",
        ),
        (
            &[("idle_timeout.timeout_seconds", "4001")],
            "Validation: The value of 'idle_timeout.timeout_seconds' must be an integer between 1 and 4000",
        ),
        (
            &[("deletion_protection.enabled", "yes")],
            "Validation: The value of 'deletion_protection.enabled' must be 'true' or 'false', but was 'yes'",
        ),
        (
            &[("routing.http.desync_mitigation_mode", "lax")],
            "Validation: 'lax' must be one of [monitor, defensive, strictest]",
        ),
        (
            &[
                ("idle_timeout.timeout_seconds", "30"),
                ("idle_timeout.timeout_seconds", "31"),
            ],
            "Validation: Attribute key 'idle_timeout.timeout_seconds' has been specified more than once",
        ),
        (
            &[("idle_timeout.timeout_seconds", "30"), ("no.such", "1")],
            "Validation: Load balancer attribute key 'no.such' is not recognized",
        ),
    ] {
        assert_eq!(error(modify(attributes).await), expected);
    }
    let after = modify(&[("routing.http2.enabled", "true")]).await.unwrap();
    assert_eq!(
        after, described,
        "refusals change nothing, and a default can always be set"
    );
}

#[tokio::test]
async fn target_groups_have_every_attribute_of_their_family() {
    let fixture = fixture().await;
    let arn = fixture.group("web").await;
    let describe = DescribeTargetGroupAttributes {
        target_group_arn: arn.clone(),
    };
    let described = fixture
        .control
        .describe_target_group_attributes(describe)
        .await
        .unwrap();
    assert_eq!(described.len(), 14);
    let modify = |key: &str, value: &str| {
        fixture
            .control
            .modify_target_group_attributes(ModifyTargetGroupAttributes {
                target_group_arn: arn.clone(),
                attributes: pairs(&[(key, value)]),
            })
    };
    for (key, value, expected) in [
        (
            "deregistration_delay.timeout_seconds",
            "3601",
            "Validation: 'deregistration_delay.timeout_seconds' value '3601' must be between '0-3600' inclusive",
        ),
        (
            "stickiness.type",
            "source_ip",
            "InvalidConfigurationRequest: Stickiness type 'source_ip' is not supported for target groups with the HTTP protocol",
        ),
        (
            "stickiness.lb_cookie.duration_seconds",
            "0",
            "Validation: 'stickiness.lb_cookie.duration_seconds' value '0' must be between '1-604800' inclusive",
        ),
        (
            "slow_start.duration_seconds",
            "29",
            "Validation: 'slow_start.duration_seconds' value '29' must be between '30-900' inclusive",
        ),
        (
            "proxy_protocol_v2.enabled",
            "true",
            "InvalidConfigurationRequest: Target group attribute key 'proxy_protocol_v2.enabled' is not supported on target groups with the HTTP protocol",
        ),
        (
            "no.such",
            "1",
            "Validation: Target group attribute key 'no.such' is not recognized",
        ),
    ] {
        assert_eq!(error(modify(key, value).await), expected);
    }
    let after = modify(
        "load_balancing.algorithm.type",
        "least_outstanding_requests",
    )
    .await
    .unwrap();
    let algorithm = (
        "load_balancing.algorithm.type",
        "least_outstanding_requests".to_owned(),
    );
    assert!(
        after.contains(&algorithm),
        "the answer has the new value: {after:?}"
    );
}

/// The keys and values of a listener.
async fn described(fixture: &Fixture, listener: &str) -> Vec<(&'static str, String)> {
    let describe = DescribeListenerAttributes {
        listener_arn: listener.to_owned(),
    };
    let described = fixture.control.describe_listener_attributes(describe);
    described.await.unwrap()
}

async fn modified(
    fixture: &Fixture,
    listener: &str,
    attributes: &[(&str, &str)],
) -> Result<Vec<(&'static str, String)>, ElbError> {
    let modify = ModifyListenerAttributes {
        listener_arn: listener.to_owned(),
        attributes: pairs(attributes),
    };
    fixture.control.modify_listener_attributes(modify).await
}

#[tokio::test]
async fn listeners_have_every_attribute_of_their_protocol() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let plain = fixture.listener(&shop, 80, fixed("200")).await;
    let secure = fixture.https_listener(&shop, 443).await;
    let plain = described(&fixture, &plain.arn.to_string()).await;
    let secure = described(&fixture, &secure.arn.to_string()).await;
    assert_eq!(plain.len(), 11);
    assert!(plain.contains(&("routing.http.response.server.enabled", "true".to_owned())));
    assert_eq!(secure.len(), 19);
    let version = "routing.http.request.x_amzn_tls_version.header_name";
    assert!(secure.contains(&(version, "X-Amzn-Tls-Version".to_owned())));
    assert!(plain.iter().all(|attribute| secure.contains(attribute)));
}

#[tokio::test]
async fn values_of_listener_attributes_are_checked() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let plain = fixture
        .listener(&shop, 80, fixed("200"))
        .await
        .arn
        .to_string();
    let secure = fixture.https_listener(&shop, 443).await.arn.to_string();
    let version = "routing.http.request.x_amzn_tls_version.header_name";
    let policy = "routing.http.response.content_security_policy.header_value";
    let unsupported =
        "InvalidConfigurationRequest: The provided listener attribute is not supported";
    let long = "a".repeat(1025);
    let too_long = format!(
        "Validation: 1 validation error detected: Value '{long}' at 'attributes.member.value' failed to \
         satisfy constraint: Member must have length less than or equal to 1024"
    );
    for (listener, attributes, expected) in [
        (
            &plain,
            &[("tcp.idle_timeout.seconds", "60")][..],
            unsupported,
        ),
        (&plain, &[(version, "X-Version")], unsupported),
        (
            &plain,
            &[("routing.http.response.server.enabled", "no")],
            "Validation: The value of 'routing.http.response.server.enabled' must be 'true' or 'false', but was 'no'",
        ),
        (
            &plain,
            &[(
                "routing.http.response.x_frame_options.header_value",
                "ALLOW",
            )],
            "Validation: The value of 'routing.http.response.x_frame_options.header_value' must be from the following: [DENY, SAMEORIGIN], but was 'ALLOW'",
        ),
        (
            &plain,
            &[(
                "routing.http.response.x_content_type_options.header_value",
                "sniff",
            )],
            "Validation: The value of 'routing.http.response.x_content_type_options.header_value' must be from the following: [nosniff], but was 'sniff'",
        ),
        (
            &plain,
            &[(policy, "a\"b")],
            "Validation: The value of 'routing.http.response.content_security_policy.header_value' contains invalid characters",
        ),
        (&plain, &[(policy, &long)], &too_long),
        (
            &plain,
            &[(policy, "a"), (policy, "b")],
            "Validation: Attribute key 'routing.http.response.content_security_policy.header_value' has been specified more than once",
        ),
        (
            &secure,
            &[(version, "X Version")],
            "Validation: The value of 'routing.http.request.x_amzn_tls_version.header_name' contains invalid characters",
        ),
        (
            &secure,
            &[(version, "Host")],
            "Validation: The value of 'routing.http.request.x_amzn_tls_version.header_name' cannot be 'Host', because the load balancer writes that header itself",
        ),
        (
            &secure,
            &[(version, "x-amzn-tls-cipher-suite")],
            "Validation: The values of 'routing.http.request.x_amzn_tls_cipher_suite.header_name' and 'routing.http.request.x_amzn_tls_version.header_name' must be different, but both are 'x-amzn-tls-cipher-suite'",
        ),
    ] {
        let before = described(&fixture, listener).await;
        assert_eq!(
            error(modified(&fixture, listener, attributes).await),
            expected
        );
        assert_eq!(
            described(&fixture, listener).await,
            before,
            "{attributes:?}"
        );
    }
    let before = described(&fixture, &secure).await;
    let changes = [(version, "X-Version"), (policy, "a")];
    let after = modified(&fixture, &secure, &changes).await.unwrap();
    assert!(
        after.contains(&(version, "X-Version".to_owned())),
        "{after:?}"
    );
    assert!(after.contains(&(policy, "a".to_owned())), "{after:?}");
    let empty = [(version, ""), (policy, "")];
    let reset = modified(&fixture, &secure, &empty).await.unwrap();
    assert_eq!(reset, before, "an empty value is the default");
}

#[tokio::test]
async fn attributes_reach_the_data_plane() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.https_listener(&shop, 443).await.arn.to_string();
    let live = || fixture.plane.live().frontends[0].http.clone();
    assert_eq!(
        live(),
        HttpOptions::default(),
        "both have the defaults of AWS"
    );
    let modify = async |attributes: &[(&str, &str)]| {
        let input = ModifyLoadBalancerAttributes {
            load_balancer_arn: shop.arn.to_string(),
            attributes: pairs(attributes),
        };
        let modified = fixture.control.modify_load_balancer_attributes(input);
        modified.await.unwrap();
        fixture.plane.live().frontends[0].http.clone()
    };
    let changed = modify(&[
        ("routing.http.desync_mitigation_mode", "strictest"),
        ("routing.http.drop_invalid_header_fields.enabled", "true"),
        ("routing.http.preserve_host_header.enabled", "true"),
        (
            "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
            "true",
        ),
        ("routing.http.xff_client_port.enabled", "true"),
        ("routing.http2.enabled", "false"),
    ])
    .await;
    let expected = HttpOptions {
        offers_http2: false,
        desync_mitigation: DesyncMitigation::Strictest,
        drops_invalid_fields: true,
        preserves_host: true,
        forwarded_for: ForwardedFor::Append { client_port: true },
        sends_tls_version_and_cipher: true,
        ..HttpOptions::default()
    };
    assert_eq!(changed, expected);
    let mode = "routing.http.xff_header_processing.mode";
    for (value, expected) in [
        ("preserve", ForwardedFor::Preserve),
        ("remove", ForwardedFor::Remove),
    ] {
        assert_eq!(modify(&[(mode, value)]).await.forwarded_for, expected);
    }
    let monitor = [("routing.http.desync_mitigation_mode", "monitor")];
    assert_eq!(
        modify(&monitor).await.desync_mitigation,
        DesyncMitigation::Monitor
    );
    let of_listener = [
        (
            "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name",
            "X-Leaf",
        ),
        (
            "routing.http.request.x_amzn_tls_version.header_name",
            "X-Version",
        ),
        ("routing.http.response.server.enabled", "false"),
        ("routing.http.response.x_frame_options.header_value", "DENY"),
        (
            "routing.http.response.access_control_max_age.header_value",
            "600",
        ),
    ];
    modified(&fixture, &listener, &of_listener).await.unwrap();
    let changed = live();
    let fields = TlsFields {
        client_certificate_leaf: "X-Leaf".into(),
        version: "X-Version".into(),
        ..TlsFields::default()
    };
    assert_eq!(changed.tls_fields, fields);
    assert!(!changed.sends_server);
    let response_fields = [
        ("Access-Control-Max-Age", "600"),
        ("X-Frame-Options", "DENY"),
    ];
    assert_eq!(
        changed.response_fields,
        response_fields.map(|(name, value)| (name.into(), value.into()))
    );
}

const ALGORITHM: &str = "load_balancing.algorithm.type";
const MITIGATION: &str = "load_balancing.algorithm.anomaly_mitigation";
const CROSS_ZONE: &str = "load_balancing.cross_zone.enabled";
const STICKINESS: &str = "stickiness.enabled";
const STICKINESS_TYPE: &str = "stickiness.type";
const SLOW_START: &str = "slow_start.duration_seconds";
const COOKIE_NAME: &str = "stickiness.app_cookie.cookie_name";
const DNS: &str = "target_group_health.dns_failover.minimum_healthy_targets";
const ROUTING: &str = "target_group_health.unhealthy_state_routing.minimum_healthy_targets";

/// What modifying the attributes of a new target group says: nothing, or the error without its code, which
/// is always `InvalidConfigurationRequest`.
async fn modify_new_group(attributes: &[(&str, &str)]) -> String {
    let fixture = fixture().await;
    let input = ModifyTargetGroupAttributes {
        target_group_arn: fixture.group("web").await,
        attributes: pairs(attributes),
    };
    match fixture.control.modify_target_group_attributes(input).await {
        Ok(_) => String::new(),
        Err(error) => {
            let text = crate::support::error(Err::<(), _>(error));
            let code = "InvalidConfigurationRequest: ";
            text.strip_prefix(code).expect("the code").to_owned()
        }
    }
}

#[tokio::test]
async fn attributes_of_a_target_group_that_exclude_each_other_are_refused() {
    let (count, percentage) = (
        |prefix: &str| format!("{prefix}.count"),
        |prefix: &str| format!("{prefix}.percentage"),
    );
    let (dns_count, routing_count) = (count(DNS), count(ROUTING));
    let (dns_percentage, routing_percentage) = (percentage(DNS), percentage(ROUTING));
    for (attributes, expected) in [
        (
            &[(MITIGATION, "on")][..],
            "You cannot enable both anomaly mitigation and round robin algorithm on a target group",
        ),
        (
            &[
                (MITIGATION, "on"),
                (ALGORITHM, "least_outstanding_requests"),
            ],
            "You cannot enable both anomaly mitigation and least outstanding requests algorithm on a target group",
        ),
        (&[(MITIGATION, "on"), (ALGORITHM, "weighted_random")], ""),
        (&[(SLOW_START, "30")], ""),
        (
            &[(SLOW_START, "30"), (ALGORITHM, "weighted_random")],
            "You cannot enable both slow start and weighted random algorithm on a target group",
        ),
        (
            &[
                (SLOW_START, "30"),
                (ALGORITHM, "least_outstanding_requests"),
            ],
            "You cannot enable both slow start and least outstanding requests algorithm on a target group",
        ),
        (&[(SLOW_START, "0"), (ALGORITHM, "weighted_random")], ""),
        (&[(CROSS_ZONE, "false")], ""),
        (&[(STICKINESS, "true")], ""),
        (
            &[
                (STICKINESS, "true"),
                (ALGORITHM, "least_outstanding_requests"),
            ],
            "",
        ),
        (
            &[(STICKINESS, "true"), (ALGORITHM, "weighted_random")],
            "You cannot have both stickiness and weighted random algorithm enabled on the same target group.",
        ),
        (
            &[(STICKINESS, "true"), (CROSS_ZONE, "false")],
            "You cannot enable stickiness on a target group while cross-zone load balancing is off for it",
        ),
        (&[(STICKINESS_TYPE, "app_cookie")], ""),
        (
            &[(STICKINESS, "true"), (STICKINESS_TYPE, "app_cookie")],
            "You must set an application cookie name to enable stickiness of type 'app_cookie'",
        ),
        (
            &[
                (STICKINESS, "true"),
                (STICKINESS_TYPE, "app_cookie"),
                (COOKIE_NAME, "session"),
            ],
            "",
        ),
        (
            &[(COOKIE_NAME, "AWSALBAPP-0")],
            "The application cookie name 'AWSALBAPP-0' is not allowed: names that start with 'AWSALB' are reserved for the load balancer",
        ),
        (&[(COOKIE_NAME, "session")], ""),
        (
            &[(&*routing_count, "2")],
            "The value of 'target_group_health.dns_failover.minimum_healthy_targets.count' must be greater than or equal to the value of 'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count'",
        ),
        (&[(&*routing_count, "2"), (&*dns_count, "2")], ""),
        (&[(&*routing_count, "2"), (&*dns_count, "off")], ""),
        (
            &[(&*routing_percentage, "51"), (&*dns_percentage, "50")],
            "The value of 'target_group_health.dns_failover.minimum_healthy_targets.percentage' must be greater than or equal to the value of 'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage'",
        ),
        (
            &[(&*routing_percentage, "50"), (&*dns_percentage, "50")],
            "",
        ),
    ] {
        assert_eq!(
            modify_new_group(attributes).await,
            expected,
            "{attributes:?}"
        );
    }
}
