//! `TargetGroup` and the settings of its health checks.

use control::elb::TargetGroupDescription;
use control::elb::input::{HealthCheckSettings, Matcher};
use model::health_check::{self, HealthCheckPort};
use model::protocol::Protocol;

use crate::input::{BOOLEAN, Fields, INTEGER, OneOf, TEXT};
use crate::xml::Xml;

pub(crate) fn read_health_check(fields: &Fields<'_>) -> HealthCheckSettings {
    HealthCheckSettings {
        protocol: fields.optional("HealthCheckProtocol", OneOf(Protocol::ALL)),
        port: fields.optional("HealthCheckPort", TEXT),
        enabled: fields.optional("HealthCheckEnabled", BOOLEAN),
        path: fields.optional("HealthCheckPath", TEXT.between(1, 1024)),
        interval_seconds: fields.optional("HealthCheckIntervalSeconds", INTEGER.within(5, 300)),
        timeout_seconds: fields.optional("HealthCheckTimeoutSeconds", INTEGER.within(2, 120)),
        healthy_threshold_count: fields.optional("HealthyThresholdCount", INTEGER.within(2, 10)),
        unhealthy_threshold_count: fields
            .optional("UnhealthyThresholdCount", INTEGER.within(2, 10)),
        matcher: fields.structure("Matcher", |matcher| Matcher {
            http_code: matcher.optional("HttpCode", TEXT),
            grpc_code: matcher.optional("GrpcCode", TEXT),
        }),
    }
}

pub(crate) fn print_all(xml: &mut Xml, descriptions: &[TargetGroupDescription]) {
    xml.list("TargetGroups", descriptions, print);
}

fn print(xml: &mut Xml, description: &TargetGroupDescription) {
    let group = &description.target_group;
    let check = &group.health_check;
    xml.text("TargetGroupArn", &group.arn);
    xml.text("TargetGroupName", group.name());
    xml.text("Protocol", group.protocol);
    xml.text("Port", group.port);
    xml.text("VpcId", &group.vpc_id);
    xml.text("HealthCheckProtocol", group.health_check_protocol);
    match check.port {
        HealthCheckPort::TrafficPort => xml.text("HealthCheckPort", "traffic-port"),
        HealthCheckPort::Port(port) => xml.text("HealthCheckPort", port),
    }
    xml.text("HealthCheckEnabled", true);
    xml.text("HealthCheckIntervalSeconds", check.interval.as_secs());
    xml.text("HealthCheckTimeoutSeconds", check.timeout.as_secs());
    xml.text("HealthyThresholdCount", check.healthy_threshold);
    xml.text("UnhealthyThresholdCount", check.unhealthy_threshold);
    xml.text("HealthCheckPath", &check.path);
    xml.element("Matcher", |xml| match &check.matcher {
        health_check::Matcher::Http(codes) => xml.text("HttpCode", codes),
        health_check::Matcher::Grpc { grpc_code } => xml.text("GrpcCode", grpc_code),
    });
    xml.texts("LoadBalancerArns", &description.load_balancer_arns);
    xml.text("TargetType", group.target_type);
    xml.text("ProtocolVersion", group.protocol_version);
    xml.text("IpAddressType", group.ip_address_type);
}
