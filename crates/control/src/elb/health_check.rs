//! From the health check settings of a request to those of a target group.
//!
//! Source: ELB API, `CreateTargetGroup` and `ModifyTargetGroup`; ALB guide, "Health check settings".

use std::time::Duration;

use model::health_check::{HealthCheck, HealthCheckPort};
use model::protocol::Protocol;
use model::target_group::TargetType;

use super::ElbError;
use super::check::{between, length, unsupported};
use super::input::{HealthCheckSettings, Matcher};

/// The checks of an HTTP target group: `present` with what the request gives.
pub(super) fn change(
    present: HealthCheck,
    settings: &HealthCheckSettings,
    target_type: TargetType,
) -> Result<HealthCheck, ElbError> {
    check_protocol(settings.protocol)?;
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
            Some(Matcher {
                http_code: Some(codes),
                grpc_code: None,
            }) => codes.parse().map_err(|error| invalid(format!("{error}")))?,
            Some(_) => {
                return Err(invalid(
                    "Health check matcher HTTP code cannot be empty".to_owned(),
                ));
            }
        },
    })
}

fn check_protocol(protocol: Option<Protocol>) -> Result<(), ElbError> {
    match protocol {
        None | Some(Protocol::Http) => Ok(()),
        Some(Protocol::Https) => Err(unsupported("Health check protocol 'HTTPS'")),
        Some(other) => Err(invalid(format!(
            "Health check protocol '{other}' must be one of 'HTTP, HTTPS'"
        ))),
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
