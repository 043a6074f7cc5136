//! The attributes of Application Load Balancers.
//!
//! Source: ELB API, `LoadBalancerAttribute`.

use crate::attributes::{Attribute, Support, Values};

/// How long a connection may go without a byte in either direction.
pub const IDLE_TIMEOUT: Attribute = Attribute {
    key: "idle_timeout.timeout_seconds",
    values: Values::Integer(1, 4000),
    default: "60",
    support: Support::Honoured,
    help: "Seconds a connection may go without a byte in either direction.",
};

/// How long a client connection is kept.
pub const CLIENT_KEEP_ALIVE: Attribute = Attribute {
    key: "client_keep_alive.seconds",
    values: Values::Integer(60, 604_800),
    default: "3600",
    support: Support::Honoured,
    help: "Seconds after which a client is told to open a new connection.",
};

/// Whether the load balancer can be deleted.
pub const DELETION_PROTECTION: Attribute = Attribute {
    key: "deletion_protection.enabled",
    values: Values::Boolean,
    default: "false",
    support: Support::Honoured,
    help: "Whether the load balancer refuses to be deleted.",
};

/// What becomes of requests that two peers may read differently.
pub const DESYNC_MITIGATION_MODE: Attribute = Attribute {
    key: "routing.http.desync_mitigation_mode",
    values: Values::OneOf(&["monitor", "defensive", "strictest"]),
    default: "defensive",
    support: Support::Honoured,
    help: "How requests are treated that peers may read differently.",
};

/// Whether fields with unusual names are dropped.
pub const DROP_INVALID_HEADER_FIELDS: Attribute = honoured(
    "routing.http.drop_invalid_header_fields.enabled",
    "false",
    "Whether header fields are dropped whose names have other characters than letters, digits and hyphens.",
);

/// Whether `Host` stays as it came.
pub const PRESERVE_HOST_HEADER: Attribute = honoured(
    "routing.http.preserve_host_header.enabled",
    "false",
    "Whether the Host field reaches the target as the client sent it.",
);

/// Whether targets are told how the client speaks TLS.
pub const TLS_VERSION_AND_CIPHER_SUITE: Attribute = honoured(
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    "false",
    "Whether the target is told the TLS version and cipher suite.",
);

/// Whether `X-Forwarded-For` has ports.
pub const XFF_CLIENT_PORT: Attribute = honoured(
    "routing.http.xff_client_port.enabled",
    "false",
    "Whether X-Forwarded-For has the port of the client too.",
);

/// What becomes of `X-Forwarded-For`.
pub const XFF_HEADER_PROCESSING_MODE: Attribute = Attribute {
    key: "routing.http.xff_header_processing.mode",
    values: Values::OneOf(&["append", "preserve", "remove"]),
    default: "append",
    support: Support::Honoured,
    help: "What happens to the X-Forwarded-For field of a request.",
};

/// Whether HTTPS listeners offer HTTP/2.
pub const HTTP2: Attribute = honoured(
    "routing.http2.enabled",
    "true",
    "Whether HTTPS listeners offer HTTP/2.",
);

/// Whether ARC may shift traffic away from a zone.
pub const ZONAL_SHIFT: Attribute = honoured(
    "zonal_shift.config.enabled",
    "false",
    "Whether traffic can be shifted away from a zone.",
);

/// The attributes of a load balancer of type application, sorted by key.
///
/// `ipv6.deny_all_igw_traffic` has another default on internal load balancers: see `ipv6_default`.
pub const APPLICATION: &[Attribute] = &[
    boolean(
        "access_logs.s3.enabled",
        "Whether every request is logged to a bucket.",
    ),
    text("access_logs.s3.bucket", "The bucket of the access log."),
    text(
        "access_logs.s3.prefix",
        "What the names of access log objects begin with.",
    ),
    CLIENT_KEEP_ALIVE,
    boolean(
        "connection_logs.s3.enabled",
        "Whether every connection is logged to a bucket.",
    ),
    text(
        "connection_logs.s3.bucket",
        "The bucket of the connection log.",
    ),
    text(
        "connection_logs.s3.prefix",
        "What the names of connection log objects begin with.",
    ),
    DELETION_PROTECTION,
    boolean(
        "health_check_logs.s3.enabled",
        "Whether every health check is logged to a bucket.",
    ),
    text(
        "health_check_logs.s3.bucket",
        "The bucket of the health check log.",
    ),
    text(
        "health_check_logs.s3.prefix",
        "What the names of health check log objects begin with.",
    ),
    IDLE_TIMEOUT,
    boolean(
        "ipv6.deny_all_igw_traffic",
        "Whether traffic of an internet gateway is refused, although the addresses could be reached.",
    ),
    Attribute {
        key: "load_balancing.cross_zone.enabled",
        values: Values::Boolean,
        default: "true",
        support: Support::Fixed,
        help: "Whether a node sends requests to the targets of every zone; it always does.",
    },
    DESYNC_MITIGATION_MODE,
    DROP_INVALID_HEADER_FIELDS,
    PRESERVE_HOST_HEADER,
    TLS_VERSION_AND_CIPHER_SUITE,
    XFF_CLIENT_PORT,
    XFF_HEADER_PROCESSING_MODE,
    HTTP2,
    boolean(
        "waf.fail_open.enabled",
        "Whether requests pass when the web ACL cannot be asked.",
    ),
    ZONAL_SHIFT,
];

/// Keys that other types of load balancers have.
pub const OTHER_TYPES: &[&str] = &[
    "dns_record.client_routing_policy",
    "secondary_ips.auto_assigned.per_subnet",
];

/// The key whose default depends on the scheme.
pub const IPV6_DENY_ALL_IGW_TRAFFIC: &str = "ipv6.deny_all_igw_traffic";

const fn honoured(key: &'static str, default: &'static str, help: &'static str) -> Attribute {
    Attribute {
        key,
        values: Values::Boolean,
        default,
        support: Support::Honoured,
        help,
    }
}

const fn boolean(key: &'static str, help: &'static str) -> Attribute {
    Attribute {
        key,
        values: Values::Boolean,
        default: "false",
        support: Support::DefaultOnly,
        help,
    }
}

const fn text(key: &'static str, help: &'static str) -> Attribute {
    Attribute {
        key,
        values: Values::Text,
        default: "",
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
