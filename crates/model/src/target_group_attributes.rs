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
    values: Values::OneOf(&[ROUND_ROBIN, LEAST_OUTSTANDING_REQUESTS, WEIGHTED_RANDOM]),
    default: ROUND_ROBIN,
    support: Support::Honoured,
    help: "How a target is chosen for a request.",
};

/// In turn.
pub const ROUND_ROBIN: &str = "round_robin";
/// The one with the fewest requests in progress.
pub const LEAST_OUTSTANDING_REQUESTS: &str = "least_outstanding_requests";
/// At random, with weights that follow from what becomes of requests.
pub const WEIGHTED_RANDOM: &str = "weighted_random";

/// Whether anomalous targets get fewer requests; only with `WEIGHTED_RANDOM`.
pub const ANOMALY_MITIGATION: Attribute = Attribute {
    key: "load_balancing.algorithm.anomaly_mitigation",
    values: Values::OneOf(&[ON, OFF]),
    default: OFF,
    support: Support::Honoured,
    help: "Whether targets that answer worse than the others get fewer requests.",
};

/// On.
pub const ON: &str = "on";
/// Off; of a threshold: it does not count.
pub const OFF: &str = "off";

/// Whether a node sends requests to the targets of every zone.
pub const CROSS_ZONE: Attribute = Attribute {
    key: "load_balancing.cross_zone.enabled",
    values: Values::OneOf(&["true", "false", "use_load_balancer_configuration"]),
    default: "use_load_balancer_configuration",
    support: Support::Honoured,
    help: "Whether a node sends requests to the targets of every zone.",
};

/// How long the share of a new target grows; only with `ROUND_ROBIN`.
pub const SLOW_START: Attribute = Attribute {
    key: "slow_start.duration_seconds",
    values: Values::ZeroOrInteger(30, 900),
    default: "0",
    support: Support::Honoured,
    help: "Seconds over which the share of a new target grows.",
};

/// The name of the cookie of the application, for stickiness by it.
pub const APP_COOKIE_NAME: Attribute = Attribute {
    key: "stickiness.app_cookie.cookie_name",
    values: Values::FieldName,
    default: "",
    support: Support::Honoured,
    help: "The cookie of the application that keeps a client with a target.",
};

/// How long stickiness by the cookie of the application lasts.
pub const APP_COOKIE_DURATION: Attribute = Attribute {
    key: "stickiness.app_cookie.duration_seconds",
    values: Values::Integer(1, 604_800),
    default: "86400",
    support: Support::Honoured,
    help: "Seconds a client stays with a target by its application cookie.",
};

/// Whether clients stay with a target.
pub const STICKINESS: Attribute = Attribute {
    key: "stickiness.enabled",
    values: Values::Boolean,
    default: "false",
    support: Support::Honoured,
    help: "Whether a client stays with the target of its first request.",
};

/// How long stickiness by the load balancer's cookie lasts.
pub const LB_COOKIE_DURATION: Attribute = Attribute {
    key: "stickiness.lb_cookie.duration_seconds",
    values: Values::Integer(1, 604_800),
    default: "86400",
    support: Support::Honoured,
    help: "Seconds a client stays with a target by the load balancer's cookie.",
};

/// Whose cookie keeps clients with a target.
pub const STICKINESS_TYPE: Attribute = Attribute {
    key: "stickiness.type",
    values: Values::OneOf(&[LB_COOKIE, APP_COOKIE]),
    default: LB_COOKIE,
    support: Support::Honoured,
    help: "Whose cookie keeps a client with a target.",
};

/// The cookie of the load balancer.
pub const LB_COOKIE: &str = "lb_cookie";
/// The cookie of the application.
pub const APP_COOKIE: &str = "app_cookie";

/// Healthy targets below which a zone leaves the DNS answer.
pub const DNS_COUNT: Attribute = Attribute {
    key: "target_group_health.dns_failover.minimum_healthy_targets.count",
    values: Values::OffOrInteger(1, 1000),
    default: "1",
    support: Support::Honoured,
    help: "Healthy targets below which a zone leaves the DNS answer.",
};

/// The same as a part of the registered targets.
pub const DNS_PERCENTAGE: Attribute = Attribute {
    key: "target_group_health.dns_failover.minimum_healthy_targets.percentage",
    values: Values::OffOrInteger(1, 100),
    default: OFF,
    support: Support::Honoured,
    help: "Percentage of healthy targets below which a zone leaves the DNS answer.",
};

/// Healthy targets below which requests go to unhealthy targets too.
pub const ROUTING_COUNT: Attribute = Attribute {
    key: "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
    values: Values::Integer(1, 1000),
    default: "1",
    support: Support::Honoured,
    help: "Healthy targets below which requests go to unhealthy targets too.",
};

/// The same as a part of the registered targets.
pub const ROUTING_PERCENTAGE: Attribute = Attribute {
    key: "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
    values: Values::OffOrInteger(1, 100),
    default: OFF,
    support: Support::Honoured,
    help: "Percentage of healthy targets below which requests go to unhealthy targets too.",
};

/// The attributes of a target group of the application family, sorted by key.
pub const APPLICATION: &[Attribute] = &[
    DEREGISTRATION_DELAY,
    ANOMALY_MITIGATION,
    ALGORITHM,
    CROSS_ZONE,
    SLOW_START,
    APP_COOKIE_NAME,
    APP_COOKIE_DURATION,
    STICKINESS,
    LB_COOKIE_DURATION,
    STICKINESS_TYPE,
    DNS_COUNT,
    DNS_PERCENTAGE,
    ROUTING_COUNT,
    ROUTING_PERCENTAGE,
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

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_consistent() {
        crate::attributes::tests::check_table(super::APPLICATION);
    }
}
