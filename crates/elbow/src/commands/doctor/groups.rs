//! Findings about target groups as a whole, and about targets in them that get no requests whatever their health.

use std::collections::BTreeMap;

use super::super::inventory::{Target, TargetGroup, Usage};
use super::finding::Finding;

/// What is wrong with a target group, and with those of its targets that are not in use.
pub(super) fn findings(group: &TargetGroup, usage: Usage) -> Vec<Finding> {
    let mut found: Vec<_> = of_group(group, usage).into_iter().collect();
    // That all of them are outside is said of the group.
    let is_outside = group.targets.iter().all(is_outside);
    if usage != Usage::Unused && !is_outside {
        let targets = group.targets.iter();
        found.extend(targets.filter_map(|target| of_unused(group, target)));
    }
    found
}

/// The text is all that tells this reason from a group that is not in use.
fn is_outside(target: &Target) -> bool {
    target.state == "unused" && target.description.contains("Zone that is not enabled")
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
    let (lack, remedy) = lack(group)?;
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

/// Why none of its targets gets requests, and what to do about it; `None`: some of them may.
fn lack(group: &TargetGroup) -> Option<(String, String)> {
    let arn = &group.arn;
    let register = |targets| {
        format!("{targets}: aws elbv2 register-targets --target-group-arn {arn} --targets Id=ID")
    };
    if group.targets.is_empty() {
        return Some(("it has no targets".to_owned(), register("Register targets")));
    }
    if group.targets.iter().all(is_outside) {
        let lack = "all of its targets are in zones that are not enabled for the load balancer";
        let remedy = format!("Enable the zones: {}", enable_zones(group));
        return Some((lack.to_owned(), remedy));
    }
    let mut counts = BTreeMap::<_, usize>::new();
    for target in &group.targets {
        // Unhealthy targets get requests where no healthy one is left.
        if !matches!(&*target.state, "draining" | "unused") {
            return None;
        }
        *counts.entry(&*target.state).or_default() += 1;
    }
    let counts: Vec<_> = counts
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    let lack = format!("none of its targets gets requests ({})", counts.join(", "));
    Some((lack, register("Register others, or the same ones again")))
}

/// The command that enables zones for the load balancer of a target group.
fn enable_zones(group: &TargetGroup) -> String {
    format!(
        "aws elbv2 set-subnets --load-balancer-arn {} --subnets SUBNETS",
        group.load_balancers.first().map_or("ARN", String::as_str)
    )
}

/// A target that is registered, and gets no requests before somebody does something about it.
fn of_unused(group: &TargetGroup, target: &Target) -> Option<Finding> {
    let deregister = format!(
        "aws elbv2 deregister-targets --target-group-arn {} --targets Id={},Port={}",
        group.arn, target.id, target.port
    );
    // An instance that starts or stops will be in another state soon.
    let is_passing = ["pending", "stopping", "shutting-down"];
    let is_passing = is_passing
        .iter()
        .any(|state| target.description.contains(state));
    let remedy = match &*target.reason {
        _ if target.state != "unused" => return None,
        "Target.InvalidState" if is_passing => return None,
        "Target.InvalidState" if target.description.contains("stopped") => format!(
            "Start it: aws ec2 start-instances --instance-ids {}; or deregister it: {deregister}",
            target.id
        ),
        "Target.InvalidState" | "Target.IpUnusable" => format!("Deregister it: {deregister}"),
        _ if is_outside(target) => format!(
            "Enable its zone: {}; or deregister it: {deregister}",
            enable_zones(group)
        ),
        _ => return None,
    };
    Some(Finding::warning(
        format!("target {}:{} of {}", target.id, target.port, group.name),
        &group.arn,
        format!("{}: it gets no requests.", target.description),
        remedy,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(state: &str, reason: &str, description: &str) -> Target {
        Target {
            id: "i-1".to_owned(),
            port: 80,
            state: state.to_owned(),
            reason: reason.to_owned(),
            description: description.to_owned(),
            ..Target::default()
        }
    }

    fn outside() -> Target {
        let outside = "Target is in an Availability Zone that is not enabled for the load balancer";
        target("unused", "Target.NotInUse", outside)
    }

    fn stopped(state: &str) -> Target {
        let text = format!("Target is in the {state} state");
        target("unused", "Target.InvalidState", &text)
    }

    fn healthy() -> Target {
        target("healthy", "", "")
    }

    fn group(targets: Vec<Target>) -> TargetGroup {
        TargetGroup {
            name: "web".to_owned(),
            arn: "arn:web".to_owned(),
            load_balancers: vec!["arn:lb".to_owned()],
            targets,
            ..TargetGroup::default()
        }
    }

    fn wrong(targets: Vec<Target>, usage: Usage) -> Vec<String> {
        let found = findings(&group(targets), usage).into_iter();
        found.map(|it| it.wrong).collect()
    }

    #[test]
    fn a_group_is_told_what_it_lacks() {
        let draining = || target("draining", "Target.DeregistrationInProgress", "");
        let lacking = "Rules forward to it and it has no targets: what they send to it gets 503.";
        let outside_all = "Rules forward to it and all of its targets are in zones that are not enabled for the \
                           load balancer: what they send to it gets 503.";
        let leaving = "Rules forward to it and none of its targets gets requests (2 draining): what they send to it \
                       gets 503.";
        let copies =
            "Rules send copies of requests to it and it has no targets: nobody gets the copies.";
        let idle = "No rule forwards to it, and it has targets: 1.";
        for (usage, targets, expected) in [
            (Usage::Forwarded, vec![healthy()], None),
            (Usage::Forwarded, Vec::new(), Some(lacking)),
            (Usage::Forwarded, vec![outside()], Some(outside_all)),
            (
                Usage::Forwarded,
                vec![draining(), draining()],
                Some(leaving),
            ),
            (Usage::Forwarded, vec![draining(), healthy()], None),
            // It fails open.
            (
                Usage::Forwarded,
                vec![draining(), target("unhealthy", "", "")],
                None,
            ),
            (Usage::Standby, Vec::new(), None),
            (Usage::Standby, vec![outside()], None),
            (Usage::Mirrored, vec![healthy()], None),
            (Usage::Mirrored, Vec::new(), Some(copies)),
            (Usage::Unused, Vec::new(), None),
            (Usage::Unused, vec![healthy()], Some(idle)),
        ] {
            assert_eq!(
                wrong(targets, usage).first().map(String::as_str),
                expected,
                "{usage:?}"
            );
        }
    }

    #[test]
    fn the_command_that_enables_zones_names_the_load_balancer() {
        let command = "aws elbv2 set-subnets --load-balancer-arn arn:lb --subnets SUBNETS";
        for targets in [vec![outside()], vec![outside(), healthy()]] {
            let found = findings(&group(targets), Usage::Forwarded);
            assert!(found[0].remedy.contains(command), "{}", found[0].remedy);
        }
    }

    #[test]
    fn a_target_that_gets_no_requests_is_found_unless_that_passes() {
        let in_use = target(
            "unused",
            "Target.IpUnusable",
            "The IP address cannot be used",
        );
        for (unused, expected) in [
            (
                stopped("stopped"),
                Some("Target is in the stopped state: it gets no requests."),
            ),
            (
                stopped("terminated"),
                Some("Target is in the terminated state: it gets no requests."),
            ),
            (stopped("pending"), None),
            (
                in_use,
                Some("The IP address cannot be used: it gets no requests."),
            ),
            (
                outside(),
                Some(
                    "Target is in an Availability Zone that is not enabled for the load balancer: it gets no requests.",
                ),
            ),
        ] {
            let found = wrong(vec![unused.clone(), healthy()], Usage::Forwarded);
            assert_eq!(found, Vec::from_iter(expected), "{unused:?}");
        }
        let found = wrong(vec![stopped("stopped")], Usage::Forwarded);
        assert_eq!(
            found.len(),
            2,
            "of the group, which is without targets, and of the target"
        );
    }
}
