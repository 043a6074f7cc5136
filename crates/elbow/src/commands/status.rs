//! `elbow status`: what there is and whether it is well, as a tree.

use std::process::ExitCode;

use serde::Serialize;

use super::CommandError;
use super::columns;
use super::inventory::{Inventory, Listener, LoadBalancer, Target, TargetGroup, Usage};
use crate::cli::StatusArgs;

/// Prints all load balancers, or one. The status is 1 if something is not well.
///
/// # Errors
/// Elbow is not there, or has no load balancer of that name.
pub(crate) async fn run(args: StatusArgs) -> Result<ExitCode, CommandError> {
    let client = super::client(args.client)?;
    let inventory = Inventory::ask(&client, args.load_balancer.as_deref()).await?;
    let is_well = is_well(&inventory);
    if args.json {
        super::print_json(&Report {
            is_well,
            inventory: &inventory,
        })?;
    } else {
        super::print(&text(&inventory))?;
    }
    Ok(super::status(is_well))
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    is_well: bool,
    #[serde(flatten)]
    inventory: &'a Inventory,
}

/// Whether every load balancer serves, no target in use fails its checks, and no target group in use is without
/// targets that get requests. Targets that have just been registered, or are leaving, are well. A target group is in
/// use if a rule sends requests to it; with the weight 0, or for copies alone, no client depends on it.
fn is_well(inventory: &Inventory) -> bool {
    let serves = |balancer: &LoadBalancer| matches!(&*balancer.state, "active" | "provisioning");
    let usages = inventory.usages();
    let is_group_well = |group: &TargetGroup| {
        let gets_requests = |target: &Target| matches!(&*target.state, "healthy" | "initial");
        usages[&*group.arn] != Usage::Forwarded
            || (group
                .targets
                .iter()
                .all(|target| target.state != "unhealthy")
                && group.targets.iter().any(gets_requests))
    };
    inventory.load_balancers.iter().all(serves) && inventory.target_groups.iter().all(is_group_well)
}

fn text(inventory: &Inventory) -> String {
    let balancers = inventory.load_balancers.iter();
    let mut blocks: Vec<_> = balancers.map(|it| balancer(inventory, it)).collect();
    let is_unused = |group: &&TargetGroup| group.load_balancers.is_empty();
    let unused: String = inventory
        .target_groups
        .iter()
        .filter(is_unused)
        .map(group)
        .collect();
    if !unused.is_empty() {
        blocks.push(format!("used by no load balancer\n{unused}"));
    }
    if blocks.is_empty() {
        return "no load balancers\n".to_owned();
    }
    blocks.join("\n")
}

fn balancer(inventory: &Inventory, balancer: &LoadBalancer) -> String {
    let mut out = format!(
        "{}  {}  {}\n",
        balancer.name, balancer.state, balancer.dns_name
    );
    let mut by_zone: Vec<Vec<String>> = Vec::new();
    for address in &balancer.addresses {
        match by_zone.last_mut() {
            Some(last) if last[0] == address.zone => last.push(address.address.clone()),
            _ => by_zone.push(vec![address.zone.clone(), address.address.clone()]),
        }
    }
    out += &columns::lines("  ", &by_zone);
    for it in &balancer.listeners {
        out += &listener(it);
    }
    if balancer.listeners.is_empty() {
        out += "  no listeners\n";
    }
    let mut groups = String::new();
    for it in inventory.target_groups_of(&balancer.arn) {
        groups += &group(it);
    }
    out + &groups
}

fn listener(listener: &Listener) -> String {
    let mut out = format!("  {}:{}", listener.protocol, listener.port);
    if let Some(policy) = &listener.ssl_policy {
        out += &format!("  {policy}");
    }
    out.push('\n');
    let rule = |rule: &super::inventory::rules::Rule| {
        let conditions: Vec<_> = rule.conditions.iter().map(ToString::to_string).collect();
        let actions: Vec<_> = rule.actions.iter().map(ToString::to_string).collect();
        let conditions = conditions.join(" and ");
        vec![rule.priority.clone(), conditions, actions.join(", then ")]
    };
    let rows: Vec<_> = listener.rules.iter().map(rule).collect();
    out + &columns::lines("    ", &rows)
}

fn group(group: &TargetGroup) -> String {
    let healthy = group
        .targets
        .iter()
        .filter(|target| target.state == "healthy")
        .count();
    let count = match group.targets.len() {
        0 => "no targets".to_owned(),
        all => format!("{healthy} of {all} healthy"),
    };
    let head = format!(
        "  target group {}  {}:{}  {count}\n",
        group.name, group.protocol, group.port
    );
    let row = |target: &Target| {
        let shifted = target
            .is_shifted
            .then_some("zonal shift away from its zone");
        let (reason, description) = (&*target.reason, &*target.description);
        let notes = [reason, description]
            .into_iter()
            .filter(|note| !note.is_empty());
        let mut notes: Vec<_> = notes.chain(shifted).collect();
        // For some states AWS's description is the reason once more.
        notes.dedup();
        let (id, port) = (&target.id, target.port);
        vec![
            format!("{id}:{port}"),
            target.state.clone(),
            notes.join("; "),
        ]
    };
    let rows: Vec<_> = group.targets.iter().map(row).collect();
    head + &columns::lines("    ", &rows)
}

#[cfg(test)]
mod tests {
    use super::super::inventory::Address;
    use super::super::inventory::rules::{Action, Condition, Rule, Weighted};
    use super::*;

    const BALANCER: &str = "arn:x:loadbalancer/app/shop/1";
    const GROUP: &str = "arn:x:targetgroup/web/2";

    fn target(id: &str, state: &str, reason: &str) -> Target {
        Target {
            id: id.to_owned(),
            port: 8080,
            state: state.to_owned(),
            reason: reason.to_owned(),
            ..Target::default()
        }
    }

    fn forward(weight: u32) -> Action {
        Action::Forward {
            target_groups: vec![Weighted {
                target_group: GROUP.to_owned(),
                weight,
            }],
        }
    }

    fn shop(targets: Vec<Target>) -> Inventory {
        let redirect = Rule {
            priority: "10".to_owned(),
            conditions: vec![Condition {
                field: "path-pattern".to_owned(),
                values: vec!["/old/*".to_owned()],
                ..Condition::default()
            }],
            actions: vec![Action::Redirect {
                status: 301,
                location: "https://#{host}:443/".to_owned(),
            }],
            ..Rule::default()
        };
        let default = Rule {
            priority: "default".to_owned(),
            actions: vec![forward(1)],
            ..Rule::default()
        };
        let address = |zone: &str, address: &str| Address {
            zone: zone.to_owned(),
            address: address.to_owned(),
        };
        Inventory {
            load_balancers: vec![LoadBalancer {
                name: "shop".to_owned(),
                arn: BALANCER.to_owned(),
                dns_name: "shop-1.elb.internal".to_owned(),
                state: "active".to_owned(),
                addresses: vec![address("a", "127.65.1.10"), address("bb", "127.65.2.10")],
                listeners: vec![Listener {
                    protocol: "HTTP".to_owned(),
                    port: 80,
                    rules: vec![redirect, default],
                    ..Listener::default()
                }],
                ..LoadBalancer::default()
            }],
            target_groups: vec![TargetGroup {
                name: "web".to_owned(),
                arn: GROUP.to_owned(),
                protocol: "HTTP".to_owned(),
                port: 8080,
                load_balancers: vec![BALANCER.to_owned()],
                targets,
                ..TargetGroup::default()
            }],
        }
    }

    #[test]
    fn a_load_balancer_is_a_tree_of_aligned_lines() {
        let mut failing = target("127.65.2.100", "unhealthy", "Target.Timeout");
        failing.description = "Request timed out".to_owned();
        let mut new = target("10.0.0.2", "initial", "Elb.InitialHealthChecking");
        new.description = "Initial health checks in progress".to_owned();
        let inventory = shop(vec![target("10.0.0.1", "healthy", ""), failing, new]);
        let expected = "\
shop  active  shop-1.elb.internal
  a   127.65.1.10
  bb  127.65.2.10
  HTTP:80
    10       path-pattern /old/*  redirect 301 https://#{host}:443/
    default                       forward web
  target group web  HTTP:8080  1 of 3 healthy
    10.0.0.1:8080      healthy
    127.65.2.100:8080  unhealthy  Target.Timeout; Request timed out
    10.0.0.2:8080      initial    Elb.InitialHealthChecking; Initial health checks in progress
";
        assert_eq!(text(&inventory), expected);
    }

    #[test]
    fn what_is_missing_is_said() {
        let mut inventory = shop(Vec::new());
        inventory.load_balancers[0].listeners.clear();
        inventory.load_balancers[0].addresses.clear();
        inventory.target_groups[0].load_balancers.clear();
        let expected = "\
shop  active  shop-1.elb.internal
  no listeners

used by no load balancer
  target group web  HTTP:8080  no targets
";
        assert_eq!(text(&inventory), expected);
        assert_eq!(text(&Inventory::default()), "no load balancers\n");
    }

    #[test]
    fn the_status_tells_whether_all_is_well() {
        let with = |states: &[&str]| {
            let targets = states
                .iter()
                .map(|state| target("10.0.0.1", state, ""))
                .collect();
            shop(targets)
        };
        for (states, expected) in [
            (&["healthy"][..], true),
            (&["healthy", "draining"], true),
            (&["initial"], true),
            (&["healthy", "unhealthy"], false),
            (&["draining"], false),
            (&["unused"], false),
            (&[], false),
        ] {
            assert_eq!(is_well(&with(states)), expected, "{states:?}");
        }
        let with_rules = |change: fn(&mut Vec<Rule>)| {
            let mut inventory = with(&["unhealthy"]);
            change(&mut inventory.load_balancers[0].listeners[0].rules);
            inventory
        };
        let mirrored = with_rules(|rules| rules.truncate(1));
        assert!(is_well(&mirrored), "nobody waits for an answer to a copy");
        let standby = with_rules(|rules| {
            rules[1].actions = vec![forward(0)];
        });
        assert!(is_well(&standby), "it gets no requests");
        let elsewhere = with_rules(|rules| rules[0].actions = vec![forward(0)]);
        assert!(!is_well(&elsewhere), "the default rule has another weight");
        let mut unused = mirrored;
        unused.target_groups[0].load_balancers.clear();
        assert!(
            is_well(&unused),
            "a target group without a load balancer needs no target"
        );
        let mut failed = with(&["healthy"]);
        failed.load_balancers[0].state = "failed".to_owned();
        assert!(!is_well(&failed));
    }
}
