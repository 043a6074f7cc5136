//! From the health check settings of a request to those of a target group.
//!
//! Source: ELB API, `CreateTargetGroup` and `ModifyTargetGroup`; ALB guide, "Health check settings".

use std::time::Duration;

use model::health_check::{HealthCheck, HealthCheckPort, Matcher};
use model::protocol::Protocol;
use model::target_group::{ProtocolVersion, TargetType};

use super::ElbError;
use super::check::{between, length};
use super::input::{self, HealthCheckSettings};

/// What the checks of a group speak: `present` if the request gives nothing else.
pub(super) fn protocol(
    present: Protocol,
    settings: &HealthCheckSettings,
) -> Result<Protocol, ElbError> {
    match settings.protocol.unwrap_or(present) {
        known @ (Protocol::Http | Protocol::Https) => Ok(known),
        other => Err(invalid(format!(
            "Health check protocol '{other}' must be one of 'HTTP, HTTPS'"
        ))),
    }
}

/// The checks of a group that speaks this version: `present` with what the request gives.
pub(super) fn change(
    present: HealthCheck,
    settings: &HealthCheckSettings,
    target_type: TargetType,
    version: ProtocolVersion,
) -> Result<HealthCheck, ElbError> {
    if settings.enabled == Some(false) {
        return Err(invalid(format!(
            "Health check enabled must be true for target groups with target type '{target_type}'"
        )));
    }
    let seconds = |member, value, min, max, present: Duration| {
        let value = between(member, value, min, max)?;
        let given = value.map(|value| Duration::from_secs(value.unsigned_abs().into()));
        Ok::<_, ElbError>(given.unwrap_or(present))
    };
    let count = |member, value, present: u32| {
        let value = between(member, value, 2, 10)?;
        Ok::<_, ElbError>(value.map_or(present, i32::unsigned_abs))
    };
    let interval = seconds(
        "healthCheckIntervalSeconds",
        settings.interval_seconds,
        5,
        300,
        present.interval,
    )?;
    let timeout = seconds(
        "healthCheckTimeoutSeconds",
        settings.timeout_seconds,
        2,
        120,
        present.timeout,
    )?;
    if timeout >= interval {
        return Err(invalid(format!(
            "Health check timeout '{}' must be smaller than the interval '{}'",
            timeout.as_secs(),
            interval.as_secs()
        )));
    }
    Ok(HealthCheck {
        port: settings.port.as_deref().map_or(Ok(present.port), port)?,
        path: settings.path.as_deref().map_or(Ok(present.path), path)?,
        interval,
        timeout,
        healthy_threshold: count(
            "healthyThresholdCount",
            settings.healthy_threshold_count,
            present.healthy_threshold,
        )?,
        unhealthy_threshold: count(
            "unhealthyThresholdCount",
            settings.unhealthy_threshold_count,
            present.unhealthy_threshold,
        )?,
        matcher: match &settings.matcher {
            None => present.matcher,
            Some(codes) => matcher(codes, version)?,
        },
    })
}

/// Exactly the codes of the version that the targets speak.
fn matcher(codes: &input::Matcher, version: ProtocolVersion) -> Result<Matcher, ElbError> {
    let codes = (codes.http_code.as_deref(), codes.grpc_code.as_deref());
    match (version, codes) {
        (ProtocolVersion::Http1 | ProtocolVersion::Http2, (Some(codes), None)) => {
            let codes = codes.parse();
            Ok(Matcher::Http(
                codes.map_err(|error| invalid(format!("{error}")))?,
            ))
        }
        (ProtocolVersion::Grpc, (None, Some(codes))) => {
            let codes = codes.parse();
            Ok(Matcher::Grpc {
                grpc_code: codes.map_err(|error| invalid(format!("{error}")))?,
            })
        }
        (ProtocolVersion::Http1 | ProtocolVersion::Http2, _) => Err(invalid(
            "Health check matcher HTTP code cannot be empty".to_owned(),
        )),
        (ProtocolVersion::Grpc, _) => Err(invalid(
            "Health check matcher GRPC code cannot be empty".to_owned(),
        )),
    }
}

fn port(text: &str) -> Result<HealthCheckPort, ElbError> {
    let number = text
        .parse()
        .ok()
        .filter(|port| *port > 0 && !text.starts_with('+'));
    match (text, number) {
        ("traffic-port", _) => Ok(HealthCheckPort::TrafficPort),
        (_, Some(port)) => Ok(HealthCheckPort::Port(port)),
        (_, None) => Err(invalid(format!(
            "Health check port '{text}' must be 'traffic-port' or an integer between 1 and 65535"
        ))),
    }
}

fn path(text: &str) -> Result<String, ElbError> {
    length("healthCheckPath", text, 1, 1024)?;
    if !text.starts_with('/') {
        return Err(invalid(format!(
            "Health check path '{text}' must begin with a '/' character"
        )));
    }
    // It goes into a request line as it is, where a space or a line end would be another request.
    if !text.bytes().all(|b| matches!(b, b'!'..=b'~')) || text.contains('#') {
        return Err(invalid(format!(
            "Health check path '{text}' contains a character that is not valid; encode it with %"
        )));
    }
    Ok(text.to_owned())
}

fn invalid(message: String) -> ElbError {
    ElbError::Validation(message)
}
