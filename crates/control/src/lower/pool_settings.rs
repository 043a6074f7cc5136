//! From the attributes of a target group to the settings of its pool.

use std::sync::Arc;
use std::time::Duration;

use engine::{Algorithm, HealthThreshold, HttpVersion, PoolSettings, Stickiness, TargetProtocol};
use model::attributes::{Attribute, Attributes};
use model::protocol::Protocol;
use model::target_group::{ProtocolVersion, TargetGroup};
use model::target_group_attributes as keys;

/// How the targets of `group` are chosen, spoken to and checked while traffic is shifted away from a zone.
pub(super) fn of(group: &TargetGroup, shifted_zone: Option<&str>) -> PoolSettings {
    let attributes = &group.attributes;
    PoolSettings {
        algorithm: algorithm(attributes),
        // What the load balancer says is that it is on: that cannot be changed on an Application Load Balancer.
        is_cross_zone: attributes.value(&keys::CROSS_ZONE) != "false",
        routing_threshold: threshold(attributes, &keys::ROUTING_COUNT, &keys::ROUTING_PERCENTAGE),
        dns_threshold: threshold(attributes, &keys::DNS_COUNT, &keys::DNS_PERCENTAGE),
        stickiness: stickiness(attributes),
        shifted_zone: shifted_zone.map(Arc::from),
        protocol: protocol(group),
        // Targets may be checked in another way than they are spoken to.
        health_check_is_tls: group.health_check_protocol == Protocol::Https,
        ..PoolSettings::new(group.health_check.clone())
    }
}

fn protocol(group: &TargetGroup) -> TargetProtocol {
    TargetProtocol {
        is_tls: group.protocol == Protocol::Https,
        version: match group.protocol_version {
            ProtocolVersion::Http1 => HttpVersion::Http1,
            ProtocolVersion::Http2 => HttpVersion::Http2,
            ProtocolVersion::Grpc => HttpVersion::Grpc,
        },
    }
}

fn algorithm(attributes: &Attributes) -> Algorithm {
    match attributes.value(&keys::ALGORITHM) {
        keys::LEAST_OUTSTANDING_REQUESTS => Algorithm::LeastOutstandingRequests,
        keys::WEIGHTED_RANDOM => Algorithm::WeightedRandom {
            mitigates_anomalies: attributes.value(&keys::ANOMALY_MITIGATION) == keys::ON,
        },
        _ => Algorithm::RoundRobin {
            slow_start: seconds(attributes, &keys::SLOW_START),
        },
    }
}

fn threshold(
    attributes: &Attributes,
    count: &Attribute,
    percentage: &Attribute,
) -> HealthThreshold {
    // The only value that is no number is `off`.
    let number = |attribute| attributes.value(attribute).parse().ok();
    HealthThreshold {
        count: number(count),
        percentage: number(percentage),
    }
}

fn stickiness(attributes: &Attributes) -> Stickiness {
    let is_on = attributes.value(&keys::STICKINESS) == "true";
    match attributes.value(&keys::STICKINESS_TYPE) {
        _ if !is_on => Stickiness::Off,
        keys::APP_COOKIE => Stickiness::ApplicationCookie {
            name: attributes.value(&keys::APP_COOKIE_NAME).into(),
            duration: seconds(attributes, &keys::APP_COOKIE_DURATION),
        },
        _ => Stickiness::LoadBalancerCookie {
            duration: seconds(attributes, &keys::LB_COOKIE_DURATION),
        },
    }
}

fn seconds(attributes: &Attributes, attribute: &Attribute) -> Duration {
    Duration::from_secs(attributes.number(attribute))
}
