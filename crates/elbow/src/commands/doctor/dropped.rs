//! Findings about targets that security groups keep connections from, and the commands that let these through.

use std::net::IpAddr;

use control::elb::dropped_connections::DroppedConnection;
use model::ec2::{Direction, SecurityGroupId};

use super::super::inventory::{Target, TargetGroup};
use super::finding::Finding;

/// The connections to this target that are dropped, of those to all targets.
pub(super) fn to<'d>(
    group: &TargetGroup,
    target: &Target,
    all: &'d [DroppedConnection],
) -> Vec<&'d DroppedConnection> {
    let is_to_it = |it: &&DroppedConnection| {
        let key = &it.target;
        (&key.id, key.port) == (&target.id, target.port) && it.target_group.to_string() == group.arn
    };
    all.iter().filter(is_to_it).collect()
}

/// What is wrong with `subject` of a target group, if connections to it are dropped.
pub(super) fn finding(
    subject: String,
    group: &TargetGroup,
    dropped: &[&DroppedConnection],
) -> Option<Finding> {
    let sentence = |it: &&DroppedConnection| {
        let lost = match (it.is_for_requests, it.is_for_checks) {
            (true, true) => "requests and health checks",
            (true, false) => "requests",
            (false, _) => "health checks",
        };
        format!("For {lost}, {it}.")
    };
    let sentences: Vec<_> = dropped.iter().map(sentence).collect();
    let commands: Vec<_> = dropped.iter().map(|it| command(it)).collect();
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
fn command(dropped: &DroppedConnection) -> String {
    let port = dropped.address.port();
    let (of_load_balancer, of_instance) = (&dropped.load_balancer_groups, &dropped.instance_groups);
    let (direction, group, peer) = match dropped.denied_by {
        Direction::Egress => ("egress", of_load_balancer, of_instance),
        Direction::Ingress => ("ingress", of_instance, of_load_balancer),
    };
    let group = group.first().map_or("", SecurityGroupId::as_str);
    let permission = match (peer.first(), dropped.address.ip()) {
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
    use model::target::TargetKey;

    use super::*;

    fn dropped(denied_by: Direction, address: &str, is_instance: bool) -> DroppedConnection {
        let place = || Place {
            partition: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
        };
        DroppedConnection {
            target: TargetKey {
                target_group: TargetGroupId(1),
                id: "i-1".to_owned(),
                port: 80,
            },
            target_group: TargetGroupArn {
                place: place(),
                name: "web".to_owned(),
                id: TargetGroupId(1),
            },
            address: address.parse().expect(address),
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
                "10.0.0.1:80",
                true,
                format!("For requests, no ingress rule of {third} lets shop in on port 80."),
                format!(
                    "ingress --group-id {third} --protocol tcp --port 80 --source-group {first}"
                ),
            ),
            (
                Egress,
                "10.0.0.1:80",
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
                "10.0.0.1:80",
                false,
                format!(
                    "For requests, no egress rule of {first}, {second} lets shop connect to 10.0.0.1:80."
                ),
                format!("egress --group-id {first} --protocol tcp --port 80 --cidr 10.0.0.1/32"),
            ),
            (
                Egress,
                "[2001:db8::1]:80",
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
            let found = finding(String::new(), &TargetGroup::default(), &[&dropped]);
            let found = found.expect("something is wrong");
            assert_eq!(found.wrong, wrong);
            let remedy = format!("Allow it: aws ec2 authorize-security-group-{options}");
            assert_eq!(found.remedy, remedy);
        }
    }
}
