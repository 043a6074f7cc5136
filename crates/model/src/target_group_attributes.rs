//! The attributes of target groups for Application Load Balancers, with targets of type instance or ip.
//!
//! Source: ELB API, `TargetGroupAttribute`.

use crate::attributes::{Attribute, Support, Values};

/// How long a deregistering target may finish the requests it already has.
pub const DEREGISTRATION_DELAY: Attribute = Attribute {
    key: "deregistration_delay.timeout_seconds",
    values: Values::Integer(0, 3600),
    default: "300",
    support: Support::Honoured,
    help: "Seconds a deregistering target may finish the requests it already has.",
};

/// How a target is chosen.
pub const ALGORITHM: Attribute = Attribute {
    key: "load_balancing.algorithm.type",
    values: Values::OneOf(&[ROUND_ROBIN, LEAST_OUTSTANDING_REQUESTS, "weighted_random"]),
    default: ROUND_ROBIN,
    support: Support::Only(&[ROUND_ROBIN, LEAST_OUTSTANDING_REQUESTS]),
    help: "How a target is chosen for a request.",
};

/// In turn.
pub const ROUND_ROBIN: &str = "round_robin";
/// The one with the fewest requests in progress.
pub const LEAST_OUTSTANDING_REQUESTS: &str = "least_outstanding_requests";

/// The attributes of a target group of the application family, sorted by key.
pub const APPLICATION: &[Attribute] = &[
    DEREGISTRATION_DELAY,
    default_only(
        "load_balancing.algorithm.anomaly_mitigation",
        Values::OneOf(&["on", "off"]),
        "off",
        "Whether targets that answer worse than the others get fewer requests.",
    ),
    ALGORITHM,
    default_only(
        "load_balancing.cross_zone.enabled",
        Values::OneOf(&["true", "false", "use_load_balancer_configuration"]),
        "use_load_balancer_configuration",
        "Whether a node sends requests to the targets of every zone.",
    ),
    default_only(
        "slow_start.duration_seconds",
        Values::ZeroOrInteger(30, 900),
        "0",
        "Seconds over which the share of a new target grows.",
    ),
    default_only(
        "stickiness.app_cookie.cookie_name",
        Values::Text,
        "",
        "The cookie of the application that keeps a client with a target.",
    ),
    default_only(
        "stickiness.app_cookie.duration_seconds",
        Values::Integer(1, 604_800),
        "86400",
        "Seconds a client stays with a target by its application cookie.",
    ),
    default_only(
        "stickiness.enabled",
        Values::Boolean,
        "false",
        "Whether a client stays with the target of its first request.",
    ),
    default_only(
        "stickiness.lb_cookie.duration_seconds",
        Values::Integer(1, 604_800),
        "86400",
        "Seconds a client stays with a target by the load balancer's cookie.",
    ),
    default_only(
        "stickiness.type",
        Values::OneOf(&["lb_cookie", "app_cookie"]),
        "lb_cookie",
        "Whose cookie keeps a client with a target.",
    ),
    default_only(
        "target_group_health.dns_failover.minimum_healthy_targets.count",
        Values::OffOrInteger(1, 1000),
        "1",
        "Healthy targets below which a zone leaves the DNS answer.",
    ),
    default_only(
        "target_group_health.dns_failover.minimum_healthy_targets.percentage",
        Values::OffOrInteger(1, 100),
        "off",
        "Percentage of healthy targets below which a zone leaves the DNS answer.",
    ),
    default_only(
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
        Values::Integer(1, 1000),
        "1",
        "Healthy targets below which requests go to unhealthy targets too.",
    ),
    default_only(
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
        Values::OffOrInteger(1, 100),
        "off",
        "Percentage of healthy targets below which requests go to unhealthy targets too.",
    ),
];

/// Keys that target groups of other families or types have.
pub const OTHER_TYPES: &[&str] = &[
    "deregistration_delay.connection_termination.enabled",
    "lambda.multi_value_headers.enabled",
    "preserve_client_ip.enabled",
    "proxy_protocol_v2.enabled",
    "send_tcp_reset.on_deregistration.enabled",
    "send_tcp_reset.on_unhealthy.enabled",
    "target_failover.on_deregistration",
    "target_failover.on_unhealthy",
    "target_health_state.unhealthy.connection_termination.enabled",
    "target_health_state.unhealthy.draining_interval_seconds",
    "waf.http2.traffic_inspection_behavior",
];

const fn default_only(
    key: &'static str,
    values: Values,
    default: &'static str,
    help: &'static str,
) -> Attribute {
    Attribute {
        key,
        values,
        default,
        support: Support::DefaultOnly,
        help,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_consistent() {
        crate::attributes::tests::check_table(super::APPLICATION);
    }
}
