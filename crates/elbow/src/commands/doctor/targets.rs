//! Findings about target groups and their targets.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::super::inventory::{Inventory, LoadBalancer, Target, TargetGroup, Usage};
use super::finding::Finding;
use super::probe::{Checked, Seen};
use super::surroundings::Surroundings;

/// The ports of targets that fail their checks, with what the checks speak.
pub(crate) fn failing_ports(
    inventory: &Inventory,
    surroundings: &Surroundings,
) -> Vec<(SocketAddr, Checked)> {
    let mut ports = Vec::new();
    for group in &inventory.target_groups {
        let unhealthy = group
            .targets
            .iter()
            .filter(|target| target.state == "unhealthy");
        let checked = checked(group);
        ports.extend(unhealthy.filter_map(|it| Some((check_address(it, surroundings)?, checked))));
    }
    ports.sort();
    ports.dedup_by_key(|(address, _)| *address);
    ports
}

/// Everything that is wrong with target groups and targets.
pub(crate) fn findings(
    inventory: &Inventory,
    surroundings: &Surroundings,
    seen: &BTreeMap<SocketAddr, Seen>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let usages = inventory.usages();
    for group in &inventory.target_groups {
        found.extend(of_group(group, usages[&*group.arn]));
        for target in group
            .targets
            .iter()
            .filter(|target| target.state == "unhealthy")
        {
            let look = check_address(target, surroundings).and_then(|it| seen.get(&it));
            let balancers = inventory.load_balancers.iter();
            let user = balancers
                .clone()
                .find(|it| group.load_balancers.contains(&it.arn));
            let closed = user.filter(|it| !is_admitted(it, target, surroundings));
            found.push(of_target(group, target, look.copied(), closed));
        }
    }
    found
}

fn checked(group: &TargetGroup) -> Checked {
    match &*group.health_check.protocol {
        "HTTPS" => Checked::Tls,
        _ => Checked::Plain,
    }
}

fn check_address(target: &Target, surroundings: &Surroundings) -> Option<SocketAddr> {
    let instance = surroundings.instances.get(&target.id).map(|it| it.address);
    let address: IpAddr = instance.or_else(|| target.id.parse().ok())?;
    Some(SocketAddr::new(address, target.health_check_port))
}

fn of_group(group: &TargetGroup, usage: Usage) -> Option<Finding> {
    let subject = format!("target group {}", group.name);
    let (arn, count) = (&group.arn, group.targets.len());
    if usage == Usage::Unused {
        let idle = || {
            Finding::warning(
                subject,
                arn,
                format!("No rule forwards to it, and it has targets: {count}."),
                format!(
                    "Forward to it with aws elbv2 create-rule, or delete it: aws elbv2 delete-target-group --target-group-arn {arn}"
                ),
            )
        };
        return (count > 0).then(idle);
    }
    // The text is all that tells this reason from a group that is not in use.
    let is_outside = |target: &Target| {
        target.state == "unused" && target.description.contains("Zone that is not enabled")
    };
    let (lack, remedy) = match count {
        0 => (
            "it has no targets",
            format!(
                "Register targets: aws elbv2 register-targets --target-group-arn {arn} --targets Id=ID"
            ),
        ),
        _ if group.targets.iter().all(is_outside) => (
            "all of its targets are in zones that are not enabled for the load balancer",
            "Enable the zones: aws elbv2 set-subnets --load-balancer-arn ARN --subnets SUBNETS"
                .to_owned(),
        ),
        _ => return None,
    };
    match usage {
        Usage::Forwarded => {
            let wrong = format!("Rules forward to it and {lack}: what they send to it gets 503.");
            Some(Finding::error(subject, arn, wrong, remedy))
        }
        Usage::Mirrored => {
            let wrong =
                format!("Rules send copies of requests to it and {lack}: nobody gets the copies.");
            Some(Finding::warning(subject, arn, wrong, remedy))
        }
        Usage::Standby | Usage::Unused => None,
    }
}

/// Whether the machine's security groups let the load balancer through, as far as the inventory knows the machine.
fn is_admitted(balancer: &LoadBalancer, target: &Target, surroundings: &Surroundings) -> bool {
    let Some(instance) = surroundings.instance_of(&target.id) else {
        return true;
    };
    let groups = &instance.security_groups;
    let addresses = balancer
        .addresses
        .iter()
        .filter_map(|it| it.address.parse::<IpAddr>().ok());
    let admits = |address: IpAddr, port: u16| {
        surroundings.permissions(groups, port).any(|permission| {
            permission
                .blocks
                .iter()
                .any(|block| block.contains(address))
                || permission
                    .groups
                    .iter()
                    .any(|it| balancer.security_groups.contains(it))
        })
    };
    // A target and a node of different families never speak with each other.
    addresses
        .filter(|address| address.is_ipv4() == instance.address.is_ipv4())
        .all(|it| admits(it, target.port) && admits(it, target.health_check_port))
}

fn of_target(
    group: &TargetGroup,
    target: &Target,
    seen: Option<Seen>,
    closed: Option<&LoadBalancer>,
) -> Finding {
    let subject = format!("target {}:{} of {}", target.id, target.port, group.name);
    let (port, check) = (target.health_check_port, &group.health_check);
    let modify = format!(
        "aws elbv2 modify-target-group --target-group-arn {}",
        group.arn
    );
    let (wrong, remedy) = match (checked(group), seen, &*target.reason) {
        (Checked::Plain, Some(Seen::SpeaksTls), _) => (
            format!("Its health checks speak HTTP, and port {port} speaks TLS."),
            format!("Check through TLS: {modify} --health-check-protocol HTTPS; requests need a target group of protocol HTTPS."),
        ),
        (Checked::Tls, Some(Seen::SpeaksPlainHttp), _) => (
            format!("Its health checks speak TLS, and port {port} speaks plain HTTP."),
            format!("Check in clear text: {modify} --health-check-protocol HTTP; requests need a target group of protocol HTTP."),
        ),
        (_, Some(Seen::Closed), _) => (
            format!("Port {port} is closed: the connection is refused."),
            format!("Start the application on port {port}, or check another one: {modify} --health-check-port PORT"),
        ),
        _ if closed.is_some() => (
            format!(
                "Its security groups do not admit the load balancer {} on ports {} and {port}.",
                closed.map_or("", |it| it.name.as_str()),
                target.port
            ),
            "Admit it: aws ec2 authorize-security-group-ingress --group-id SG-OF-TARGET --protocol tcp --port PORT \
             --source-group SG-OF-LOAD-BALANCER"
                .to_owned(),
        ),
        (_, Some(Seen::Unreachable), _) => (
            format!("There is no connection to port {port}."),
            "Check that the machine runs and that no firewall between drops the packets.".to_owned(),
        ),
        (_, _, "Target.ResponseCodeMismatch") => (
            format!(
                "{} The path is {}, the matcher {}.",
                sentence(&target.description), check.path, check.matcher
            ),
            format!("Answer with such a status, or change either: {modify} --health-check-path PATH --matcher HttpCode=200-399"),
        ),
        (_, _, "Target.Timeout") => (
            format!("It does not answer {} on port {port} within {} s.", check.path, check.timeout_seconds),
            format!("Make the answer faster, or allow more time: {modify} --health-check-timeout-seconds SECONDS"),
        ),
        _ => (
            sentence(&format!("{} {}", target.reason, target.description)),
            format!("Look what port {port} answers: curl -v {}://ADDRESS:{port}{}", check.protocol.to_ascii_lowercase(), check.path),
        ),
    };
    Finding::error(subject, &group.arn, wrong, remedy)
}

fn sentence(text: &str) -> String {
    format!("{}.", text.trim().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::super::super::inventory::HealthCheck;
    use super::*;

    fn target(state: &str, reason: &str, description: &str) -> Target {
        Target {
            id: "10.0.0.1".to_owned(),
            port: 80,
            health_check_port: 81,
            state: state.to_owned(),
            reason: reason.to_owned(),
            description: description.to_owned(),
            is_shifted: false,
        }
    }

    fn group(protocol: &str, targets: Vec<Target>) -> TargetGroup {
        TargetGroup {
            name: "web".to_owned(),
            arn: "arn:web".to_owned(),
            health_check: HealthCheck {
                protocol: protocol.to_owned(),
                path: "/health".to_owned(),
                timeout_seconds: "5".to_owned(),
                matcher: "200".to_owned(),
            },
            targets,
            ..TargetGroup::default()
        }
    }

    #[test]
    fn a_failing_target_is_told_its_reason() {
        let mismatch = (
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [500]",
        );
        let failed = ("Target.FailedHealthChecks", "Health checks failed");
        let timeout = ("Target.Timeout", "Request timed out");
        for (protocol, seen, (reason, description), expected) in [
            (
                "HTTP",
                Some(Seen::SpeaksTls),
                mismatch,
                "Its health checks speak HTTP, and port 81 speaks TLS.",
            ),
            (
                "HTTPS",
                Some(Seen::SpeaksPlainHttp),
                failed,
                "Its health checks speak TLS, and port 81 speaks plain HTTP.",
            ),
            (
                "HTTPS",
                Some(Seen::Open),
                failed,
                "Target.FailedHealthChecks Health checks failed.",
            ),
            (
                "HTTP",
                Some(Seen::Closed),
                failed,
                "Port 81 is closed: the connection is refused.",
            ),
            (
                "HTTP",
                Some(Seen::Unreachable),
                timeout,
                "There is no connection to port 81.",
            ),
            (
                "HTTP",
                Some(Seen::Open),
                timeout,
                "It does not answer /health on port 81 within 5 s.",
            ),
            (
                "HTTP",
                Some(Seen::Open),
                mismatch,
                "Health checks failed with these codes: [500]. The path is /health, the matcher 200.",
            ),
            (
                "HTTP",
                None,
                mismatch,
                "Health checks failed with these codes: [500]. The path is /health, the matcher 200.",
            ),
        ] {
            let group = group(protocol, Vec::new());
            let found = of_target(
                &group,
                &target("unhealthy", reason, description),
                seen,
                None,
            );
            assert_eq!(found.wrong, expected, "{protocol} {seen:?}");
        }
    }

    #[test]
    fn a_group_is_told_what_it_lacks() {
        let outside = "Target is in an Availability Zone that is not enabled for the load balancer";
        let outside = || target("unused", "Target.NotInUse", outside);
        let healthy = || target("healthy", "", "");
        let lacking = "Rules forward to it and it has no targets: what they send to it gets 503.";
        let outside_all = "Rules forward to it and all of its targets are in zones that are not enabled for the \
                           load balancer: what they send to it gets 503.";
        let copies =
            "Rules send copies of requests to it and it has no targets: nobody gets the copies.";
        let idle = "No rule forwards to it, and it has targets: 1.";
        for (usage, targets, expected) in [
            (Usage::Forwarded, vec![healthy()], None),
            (Usage::Forwarded, Vec::new(), Some(lacking)),
            (Usage::Forwarded, vec![outside(), healthy()], None),
            (Usage::Forwarded, vec![outside()], Some(outside_all)),
            (Usage::Standby, Vec::new(), None),
            (Usage::Standby, vec![outside()], None),
            (Usage::Mirrored, vec![healthy()], None),
            (Usage::Mirrored, Vec::new(), Some(copies)),
            (Usage::Unused, Vec::new(), None),
            (Usage::Unused, vec![healthy()], Some(idle)),
        ] {
            let found = of_group(&group("HTTP", targets), usage);
            assert_eq!(found.map(|it| it.wrong).as_deref(), expected, "{usage:?}");
        }
    }
}
