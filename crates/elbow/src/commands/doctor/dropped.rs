//! Findings about targets that security groups keep connections from, and the commands that let these through.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use control::elb::dropped_connections::DroppedConnections;
use model::ec2::{Direction, SecurityGroupId};

use super::super::inventory::{Target, TargetGroup};
use super::finding::Finding;

/// What is dropped, by the ARN of the target group, and the id and the port of the target.
#[derive(Clone, Debug, Default)]
pub(crate) struct DroppedByTarget(HashMap<(String, String, u16), Vec<Dropped>>);

/// The connections to one target that are dropped for one reason.
#[derive(Clone, Debug)]
pub(super) struct Dropped {
    address: IpAddr,
    /// Whether health checks need them.
    pub(super) is_for_checks: bool,
    /// What they have in common with those to other targets.
    shared: Arc<DroppedConnections>,
}

impl DroppedByTarget {
    pub(super) fn of(all: Vec<DroppedConnections>) -> Self {
        let mut by_target: HashMap<_, Vec<_>> = HashMap::new();
        for mut shared in all {
            let targets = std::mem::take(&mut shared.targets);
            let (arn, shared) = (shared.target_group.to_string(), Arc::new(shared));
            for (id, port, address) in targets {
                let dropped = by_target.entry((arn.clone(), id, port)).or_default();
                dropped.push(Dropped {
                    address,
                    is_for_checks: shared.is_for_checks,
                    shared: Arc::clone(&shared),
                });
            }
        }
        Self(by_target)
    }
}

/// The connections to this target that are dropped, of those to all targets.
pub(super) fn to<'d>(
    group: &TargetGroup,
    target: &Target,
    all: &'d DroppedByTarget,
) -> &'d [Dropped] {
    let key = (group.arn.clone(), target.id.clone(), target.port);
    all.0.get(&key).map_or(&[], Vec::as_slice)
}

/// What is wrong with `subject` of a target group, if connections to it are dropped.
pub(super) fn finding(
    subject: String,
    group: &TargetGroup,
    dropped: &[Dropped],
) -> Option<Finding> {
    let sentence = |it: &Dropped| {
        let lost = match (it.shared.is_for_requests, it.is_for_checks) {
            (true, true) => "requests and health checks",
            (true, false) => "requests",
            (false, _) => "health checks",
        };
        format!("For {lost}, {}.", it.shared.reason(it.address))
    };
    let sentences: Vec<_> = dropped.iter().map(sentence).collect();
    let commands: Vec<_> = dropped.iter().map(command).collect();
    let finding = || {
        Finding::error(
            subject,
            &group.arn,
            sentences.join(" "),
            format!("Allow it: {}", commands.join("; ")),
        )
    };
    (!dropped.is_empty()).then(finding)
}

/// The command that adds the missing rule.
fn command(
    Dropped {
        address,
        shared: dropped,
        ..
    }: &Dropped,
) -> String {
    let port = dropped.port;
    let (of_load_balancer, of_instance) = (&dropped.load_balancer_groups, &dropped.instance_groups);
    let (direction, group, peer) = match dropped.denied_by {
        Direction::Egress => ("egress", of_load_balancer, of_instance),
        Direction::Ingress => ("ingress", of_instance, of_load_balancer),
    };
    let group = group.first().map_or("", SecurityGroupId::as_str);
    let permission = match (peer.first(), address) {
        (Some(peer), _) => format!("--protocol tcp --port {port} --source-group {peer}"),
        (None, IpAddr::V4(address)) => {
            format!("--protocol tcp --port {port} --cidr {address}/32")
        }
        // `--cidr` is for IPv4 alone.
        (None, IpAddr::V6(address)) => format!(
            "--ip-permissions 'IpProtocol=tcp,FromPort={port},ToPort={port},Ipv6Ranges=[{{CidrIpv6={address}/128}}]'"
        ),
    };
    format!("aws ec2 authorize-security-group-{direction} --group-id {group} {permission}")
}

#[cfg(test)]
mod tests {
    use model::arn::{LoadBalancerArn, Place, TargetGroupArn};
    use model::id::{LoadBalancerId, TargetGroupId};
    use model::load_balancer::LoadBalancerType;

    use super::*;

    fn dropped(denied_by: Direction, address: &str, is_instance: bool) -> DroppedConnections {
        let place = || Place {
            partition: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
        };
        DroppedConnections {
            target_group: TargetGroupArn {
                place: place(),
                name: "web".to_owned(),
                id: TargetGroupId(1),
            },
            port: 80,
            is_for_requests: true,
            is_for_checks: false,
            denied_by,
            load_balancer: LoadBalancerArn {
                place: place(),
                kind: LoadBalancerType::Application,
                name: "shop".to_owned(),
                id: LoadBalancerId(1),
            },
            load_balancer_groups: vec![1, 2]
                .into_iter()
                .map(SecurityGroupId::from_bits)
                .collect(),
            instance_groups: match is_instance {
                true => vec![SecurityGroupId::from_bits(3)],
                false => vec![],
            },
            targets: vec![
                ("i-0".to_owned(), 80, "192.0.2.1".parse().unwrap()),
                ("i-1".to_owned(), 80, address.parse().expect(address)),
            ],
        }
    }

    #[test]
    fn the_missing_rule_is_told_with_its_command() {
        use Direction::{Egress, Ingress};
        let (first, second) = ("sg-00000000000000001", "sg-00000000000000002");
        let third = "sg-00000000000000003";
        for (direction, address, is_instance, wrong, options) in [
            (
                Ingress,
                "10.0.0.1",
                true,
                format!("For requests, no ingress rule of {third} lets shop in on port 80."),
                format!(
                    "ingress --group-id {third} --protocol tcp --port 80 --source-group {first}"
                ),
            ),
            (
                Egress,
                "10.0.0.1",
                true,
                format!(
                    "For requests, no egress rule of {first}, {second} lets shop connect to 10.0.0.1:80."
                ),
                format!(
                    "egress --group-id {first} --protocol tcp --port 80 --source-group {third}"
                ),
            ),
            (
                Egress,
                "10.0.0.1",
                false,
                format!(
                    "For requests, no egress rule of {first}, {second} lets shop connect to 10.0.0.1:80."
                ),
                format!("egress --group-id {first} --protocol tcp --port 80 --cidr 10.0.0.1/32"),
            ),
            (
                Egress,
                "2001:db8::1",
                false,
                format!(
                    "For requests, no egress rule of {first}, {second} lets shop connect to [2001:db8::1]:80."
                ),
                format!(
                    "egress --group-id {first} --ip-permissions \
                     'IpProtocol=tcp,FromPort=80,ToPort=80,Ipv6Ranges=[{{CidrIpv6=2001:db8::1/128}}]'"
                ),
            ),
        ] {
            let dropped = dropped(direction, address, is_instance);
            let group = TargetGroup {
                arn: dropped.target_group.to_string(),
                ..TargetGroup::default()
            };
            let all = DroppedByTarget::of(vec![dropped]);
            let target = |id: &str, port| Target {
                id: id.to_owned(),
                port,
                ..Target::default()
            };
            assert!(to(&group, &target("i-1", 81), &all).is_empty());
            let found = finding(String::new(), &group, to(&group, &target("i-1", 80), &all));
            let found = found.expect("something is wrong");
            assert_eq!(found.wrong, wrong);
            let remedy = format!("Allow it: aws ec2 authorize-security-group-{options}");
            assert_eq!(found.remedy, remedy);
        }
    }
}
