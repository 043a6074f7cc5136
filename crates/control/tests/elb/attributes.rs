//! Attributes of load balancers, target groups and listeners.

use control::elb::listener_attributes::{DescribeListenerAttributes, ModifyListenerAttributes};
use control::elb::load_balancer_attributes::{
    DescribeLoadBalancerAttributes, ModifyLoadBalancerAttributes,
};
use control::elb::target_group_attributes::{
    DescribeTargetGroupAttributes, ModifyTargetGroupAttributes,
};

use crate::support::{error, fixed, fixture, pairs};

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
            &[("routing.http.drop_invalid_header_fields.enabled", "true")],
            "InvalidConfigurationRequest: Load balancer attribute key 'routing.http.drop_invalid_header_fields.enabled' is not supported with the value 'true' by elbow yet; leave it at 'false'",
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
            "load_balancing.algorithm.type",
            "weighted_random",
            "InvalidConfigurationRequest: Target group attribute key 'load_balancing.algorithm.type' is not supported with the value 'weighted_random' by elbow yet; leave it at 'round_robin'",
        ),
        (
            "stickiness.enabled",
            "true",
            "InvalidConfigurationRequest: Target group attribute key 'stickiness.enabled' is not supported with the value 'true' by elbow yet; leave it at 'false'",
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

#[tokio::test]
async fn listeners_have_every_attribute_of_http() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let arn = fixture
        .listener(&shop, 80, fixed("200"))
        .await
        .arn
        .to_string();
    let describe = DescribeListenerAttributes {
        listener_arn: arn.clone(),
    };
    let described = fixture
        .control
        .describe_listener_attributes(describe)
        .await
        .unwrap();
    assert!(described.contains(&("routing.http.response.server.enabled", "true".to_owned())));
    let modify = |key: &str, value: &str| {
        fixture
            .control
            .modify_listener_attributes(ModifyListenerAttributes {
                listener_arn: arn.clone(),
                attributes: pairs(&[(key, value)]),
            })
    };
    assert_eq!(
        error(modify("tcp.idle_timeout.seconds", "60").await),
        "InvalidConfigurationRequest: The provided listener attribute is not supported"
    );
    assert_eq!(
        error(modify("routing.http.response.server.enabled", "false").await),
        "InvalidConfigurationRequest: Listener attribute key 'routing.http.response.server.enabled' is not supported with the value 'false' by elbow yet; leave it at 'true'"
    );
    let after = modify("routing.http.response.x_frame_options.header_value", "")
        .await
        .unwrap();
    assert_eq!(after, described, "an empty value is the default");
}
