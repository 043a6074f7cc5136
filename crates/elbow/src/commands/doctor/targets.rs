//! Findings about targets: why they fail their checks, and why they fail requests although they pass them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::super::inventory::{Inventory, Target, TargetGroup};
use super::finding::Finding;
use super::probe::{Port, Seen, Version};
use super::surroundings::Surroundings;
use super::{dropped, groups};

/// The ports that say more about targets than their health does: where checks fail, and where requests go that checks
/// say nothing about.
pub(crate) fn ports(inventory: &Inventory, surroundings: &Surroundings) -> Vec<Port> {
    let mut ports = Vec::new();
    for group in &inventory.target_groups {
        for target in &group.targets {
            let number = match &*target.state {
                "unhealthy" => target.health_check_port,
                "healthy" if is_checked_apart(group, target) => target.port,
                _ => continue,
            };
            ports.extend(port(group, target, number, surroundings));
        }
    }
    ports.sort();
    ports.dedup();
    ports
}

/// Everything that is wrong with target groups and targets.
pub(crate) fn findings(
    inventory: &Inventory,
    surroundings: &Surroundings,
    seen: &BTreeMap<Port, Seen>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let usages = inventory.usages();
    for group in &inventory.target_groups {
        found.extend(groups::findings(group, usages[&*group.arn]));
        for target in &group.targets {
            let dropped = dropped::to(group, target, &surroundings.dropped);
            found.extend(dropped::finding(subject(group, target), group, dropped));
            let look = |number| seen.get(&port(group, target, number, surroundings)?);
            match &*target.state {
                // What is at a port does not matter while nothing comes there.
                "unhealthy" if dropped.iter().any(|it| it.is_for_checks) => {}
                "unhealthy" => {
                    let address = port(group, target, target.health_check_port, surroundings);
                    found.push(of_failing(&Failing {
                        group,
                        target,
                        address: address.map(|(address, _)| address),
                        seen: look(target.health_check_port),
                    }));
                }
                "healthy" => {
                    let apart = is_checked_apart(group, target) && dropped.is_empty();
                    let seen = apart.then(|| look(target.port)).flatten();
                    found.extend(seen.and_then(|seen| of_traffic(group, target, seen)));
                    found.extend(
                        target
                            .is_anomalous
                            .then(|| of_anomaly(group, target, surroundings)),
                    );
                }
                _ => {}
            }
        }
    }
    found
}

/// Whether the health checks of a target say little about what becomes of requests to it.
fn is_checked_apart(group: &TargetGroup, target: &Target) -> bool {
    group.protocol != group.health_check.protocol || target.port != target.health_check_port
}

/// Requests and health checks are of the same version.
fn version(group: &TargetGroup) -> Version {
    match &*group.protocol_version {
        "HTTP2" | "GRPC" => Version::Http2,
        _ => Version::Http1,
    }
}

/// A port of a target; `None`: nobody knows its address any more.
fn port(
    group: &TargetGroup,
    target: &Target,
    number: u16,
    surroundings: &Surroundings,
) -> Option<Port> {
    let address: IpAddr = match surroundings.instances.get(&target.id) {
        Some(instance) => instance.address_for(group)?,
        None => target.id.parse().ok()?,
    };
    Some((SocketAddr::new(address, number), version(group)))
}

fn subject(group: &TargetGroup, target: &Target) -> String {
    format!("target {}:{} of {}", target.id, target.port, group.name)
}

/// A target that passes its checks, and fails requests all the same.
fn of_traffic(group: &TargetGroup, target: &Target, seen: &Seen) -> Option<Finding> {
    let (port, arn) = (target.port, &group.arn);
    let passes = match target.health_check_port {
        check_port if check_port != port => {
            format!("its health checks pass on port {check_port}")
        }
        _ => format!(
            "its health checks pass because they speak {}",
            group.health_check.protocol
        ),
    };
    let other_group = |what: &str| {
        format!(
            "Forward to a target group of {what}, because that of a target group never changes: aws elbv2 create-target-group"
        )
    };
    let is_tls = group.protocol == "HTTPS";
    let (wrong, remedy) = match (is_tls, version(group), seen) {
        (_, _, Seen::Closed) => (
            format!("Port {port}, where requests go, is closed: they get 502, and {passes}."),
            format!(
                "Start the application on port {port}, or register the port it has: aws elbv2 register-targets \
                 --target-group-arn {arn} --targets Id={},Port=PORT",
                target.id
            ),
        ),
        (_, _, Seen::Unreachable) => (
            format!(
                "There is no connection to port {port}, where requests go: they get 504, and {passes}."
            ),
            "Check that no firewall between drops the packets to this port.".to_owned(),
        ),
        (_, _, Seen::Other(text)) => (
            format!(
                "Port {port}, where requests go, answers '{text}', which is not HTTP: they get 502, and {passes}."
            ),
            format!(
                "Register the port of the application: aws elbv2 register-targets --target-group-arn {arn} --targets \
                 Id={},Port=PORT",
                target.id
            ),
        ),
        (true, _, Seen::Http1 | Seen::Http2) => (
            format!(
                "Requests to it speak TLS, and port {port} speaks plain HTTP: they get 502, and {passes}."
            ),
            other_group("protocol HTTP"),
        ),
        (false, _, Seen::Tls) => (
            format!(
                "Requests to it speak plain HTTP, and port {port} speaks TLS: they fail, and {passes}."
            ),
            other_group("protocol HTTPS"),
        ),
        (false, Version::Http2, Seen::Http1) => (
            format!(
                "Requests to it speak HTTP/2, and port {port} speaks HTTP/1.1: they get 502, and {passes}."
            ),
            other_group("version HTTP1"),
        ),
        (false, Version::Http1, Seen::Http2) => (
            format!(
                "Requests to it speak HTTP/1.1, and port {port} speaks HTTP/2: they get 502, and {passes}."
            ),
            other_group("version HTTP2"),
        ),
        // Many servers hang up on whoever asks for no site of theirs.
        (_, _, Seen::HangsUp | Seen::Silent | Seen::Unclear)
        | (true, _, Seen::Tls)
        | (false, Version::Http1, Seen::Http1)
        | (false, Version::Http2, Seen::Http2) => return None,
    };
    Some(Finding::error(subject(group, target), arn, wrong, remedy))
}

/// A target that passes its checks, and whose requests fail more often than those of its peers.
fn of_anomaly(group: &TargetGroup, target: &Target, surroundings: &Surroundings) -> Finding {
    const ALGORITHM: &str = "load_balancing.algorithm";
    let mitigation = format!("{ALGORITHM}.anomaly_mitigation");
    let has = |key: &str, value: &str| surroundings.attribute(&group.arn, key) == Some(value);
    // Neither goes together with the algorithm that mitigation needs.
    let is_excluded = has("stickiness.enabled", "true") || !has("slow_start.duration_seconds", "0");
    let less = match (has(&mitigation, "on"), is_excluded) {
        (true, _) => "; it gets less meanwhile: anomaly mitigation is on.".to_owned(),
        (false, true) => ".".to_owned(),
        (false, false) => format!(
            ". To send it less meanwhile: aws elbv2 modify-target-group-attributes --target-group-arn {} --attributes \
             Key={ALGORITHM}.type,Value=weighted_random Key={mitigation},Value=on",
            group.arn
        ),
    };
    Finding::warning(
        subject(group, target),
        &group.arn,
        "Far more of its requests than of the others' fail: 5xx, or no connection.".to_owned(),
        format!("Look into the application's log there{less}"),
    )
}

/// A target that fails its checks, and what is known of that.
struct Failing<'a> {
    group: &'a TargetGroup,
    target: &'a Target,
    /// Where checks go.
    address: Option<SocketAddr>,
    /// What is there.
    seen: Option<&'a Seen>,
}

fn of_failing(failing: &Failing<'_>) -> Finding {
    let Failing { group, target, .. } = failing;
    let (port, check) = (target.health_check_port, &group.health_check);
    let is_tls = check.protocol == "HTTPS";
    let modify = format!(
        "aws elbv2 modify-target-group --target-group-arn {}",
        group.arn
    );
    let (wrong, remedy) = match (failing.seen, &*target.reason) {
        (Some(Seen::Tls), _) if !is_tls => (
            format!("Its health checks speak HTTP, and port {port} speaks TLS."),
            format!("Check through TLS: {modify} --health-check-protocol HTTPS; requests need a target group of protocol HTTPS."),
        ),
        (Some(Seen::Http1 | Seen::Http2), _) if is_tls => (
            format!("Its health checks speak TLS, and port {port} speaks plain HTTP."),
            format!("Check in clear text: {modify} --health-check-protocol HTTP; requests need a target group of protocol HTTP."),
        ),
        (Some(Seen::Http1), _) if version(group) == Version::Http2 => (
            format!("Port {port} speaks HTTP/1.1, and the target group wants HTTP/2 (version {}).", group.protocol_version),
            format!(
                "Forward to a target group of version HTTP1: aws elbv2 create-target-group --protocol-version HTTP1; or have \
                 the application speak HTTP/2 without an upgrade, until this succeeds: {}",
                curl(failing)
            ),
        ),
        (Some(Seen::Http2), _) if version(group) == Version::Http1 => (
            format!("Port {port} speaks HTTP/2 alone, and the target group wants HTTP/1.1."),
            "Forward to a target group of version HTTP2 or GRPC: aws elbv2 create-target-group --protocol-version HTTP2"
                .to_owned(),
        ),
        (Some(Seen::Closed), _) => (
            format!("Port {port} is closed: the connection is refused."),
            format!(
                "Start the application, and have it listen on {}{}; or check another port: {modify} --health-check-port PORT",
                place(failing),
                match failing.address {
                    Some(address) if address.ip().is_loopback() => "",
                    _ => " rather than on 127.0.0.1",
                }
            ),
        ),
        (_, "Target.ResponseCodeMismatch") => (
            format!(
                "{} The path is {}, the matcher {}.",
                sentence(&target.description), check.path, check.matcher
            ),
            another_status(failing, &modify),
        ),
        (Some(Seen::Unreachable), _) => (
            format!("There is no connection to port {port}."),
            "Check that the machine runs and that no firewall between drops the packets.".to_owned(),
        ),
        (Some(Seen::Other(text)), _) => (
            format!("Port {port} answers '{text}', which is not HTTP."),
            format!("Check the port of the application: {modify} --health-check-port PORT"),
        ),
        (_, "Target.Timeout") => (
            format!("It does not answer {} on port {port} within {} s.", check.path, check.timeout_seconds),
            format!("Make the answer faster, or allow more time: {modify} --health-check-timeout-seconds SECONDS"),
        ),
        (Some(Seen::HangsUp), _) => (
            format!("Port {port} closes the connection without an answer."),
            format!("Look what it answers: {}", curl(failing)),
        ),
        (seen, "Target.FailedHealthChecks") => (
            match seen {
                Some(Seen::Tls) => format!("The TLS handshake on port {port} fails, or what follows is no answer to {}.", check.path),
                _ => format!("Port {port} breaks off the connection, or gives no valid answer to {}.", check.path),
            },
            format!("Look what it answers: {}", curl(failing)),
        ),
        _ => (
            sentence(&format!("{} {}", target.reason, target.description)),
            format!("Look what it answers: {}", curl(failing)),
        ),
    };
    Finding::error(subject(group, target), &group.arn, wrong, remedy)
}

/// What to do about a status that the matcher does not have.
fn another_status(failing: &Failing<'_>, modify: &str) -> String {
    let Failing { group, target, .. } = failing;
    let check = &group.health_check;
    let code = target.description.rsplit_once('[');
    let code = code.and_then(|(_, rest)| rest.trim_end_matches(['.', ']']).parse::<u16>().ok());
    let (name, may_be_well) = match &*group.protocol_version {
        // Unknown, internal, unavailable, data loss: `google.rpc.Code`.
        "GRPC" => ("GrpcCode", !matches!(code, Some(2 | 13 | 14 | 15))),
        // Source: ELB API, `Matcher`: a matcher has statuses from 200 to 499.
        _ => ("HttpCode", matches!(code, Some(200..=499))),
    };
    match code {
        // Frameworks refuse hosts that they were not told of.
        Some(400) if name == "HttpCode" => format!(
            "Let the application serve the host that checks ask for, {}; or accept 400: {modify} --matcher '{name}=\"{},400\"'",
            host(failing),
            check.matcher
        ),
        Some(code) if may_be_well => format!(
            "Check a path that answers with {}: {modify} --health-check-path PATH; or accept {code}: {modify} --matcher \
             '{name}=\"{},{code}\"'",
            check.matcher, check.matcher
        ),
        _ => format!(
            "Look into the application's log why it answers {} so, or check another path: {modify} --health-check-path PATH",
            check.path
        ),
    }
}

/// A command that makes the request of a check.
fn curl(failing: &Failing<'_>) -> String {
    let (group, check) = (failing.group, &failing.group.health_check);
    let options = match (&*check.protocol, version(group)) {
        ("HTTPS", Version::Http1) => "-vk",
        ("HTTPS", Version::Http2) => "-vk --http2",
        (_, Version::Http1) => "-v",
        (_, Version::Http2) => "-v --http2-prior-knowledge",
    };
    // What a check of gRPC is; a server need not answer anything else there.
    let method = match &*group.protocol_version {
        "GRPC" => " -X POST -H 'content-type: application/grpc' -H 'te: trailers'",
        _ => "",
    };
    format!(
        "curl {options}{method} {}://{}{}",
        check.protocol.to_ascii_lowercase(),
        place(failing),
        check.path
    )
}

/// The host that checks ask for: without the port if that is the one of the scheme.
fn host(failing: &Failing<'_>) -> String {
    let place = place(failing);
    let port = match &*failing.group.health_check.protocol {
        "HTTPS" => ":443",
        _ => ":80",
    };
    place.strip_suffix(port).unwrap_or(&place).to_owned()
}

/// Where checks go.
fn place(failing: &Failing<'_>) -> String {
    let Target {
        id,
        health_check_port: port,
        ..
    } = failing.target;
    let address = failing.address.map(|it| it.to_string());
    address.unwrap_or_else(|| format!("{id}:{port}"))
}

fn sentence(text: &str) -> String {
    format!("{}.", text.trim().trim_end_matches('.'))
}

#[cfg(test)]
#[path = "targets_tests.rs"]
mod tests;
