//! What security groups keep from targets, for operators to be told.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};

use model::arn::{LoadBalancerArn, TargetGroupArn};
use model::ec2::{Direction, SecurityGroupId};
use model::id::TargetGroupId;
use model::load_balancer::LoadBalancer;
use model::target_group::TargetGroup;
use serde::{Deserialize, Serialize};

use super::reachability::{Destination, Distinctions, Origin, denied_by};
use super::standing::{Standing, Surroundings};
use crate::Control;
use crate::control::Live;

/// Connections from a load balancer to one port of targets of one group that security groups drop for one reason.
/// There are few of these, however many targets there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedConnections {
    /// The target group.
    pub target_group: TargetGroupArn,
    /// Where the connections go.
    pub port: u16,
    /// Whether requests need them.
    pub is_for_requests: bool,
    /// Whether health checks need them.
    pub is_for_checks: bool,
    /// `Egress`: no group of the load balancer lets them out. `Ingress`: no group of the instances lets them in.
    pub denied_by: Direction,
    /// Whose connections they are.
    pub load_balancer: LoadBalancerArn,
    /// The security groups it carries.
    pub load_balancer_groups: Vec<SecurityGroupId>,
    /// Those of the instances that have the addresses; none if they are no instances.
    pub instance_groups: Vec<SecurityGroupId>,
    /// The targets: the id and the port that each is registered with, and its address. Without names, as there may
    /// be very many of them in one answer.
    pub targets: Vec<(String, u16, IpAddr)>,
}

impl DroppedConnections {
    /// What keeps connections from the target at `address`, as part of a sentence.
    #[must_use]
    pub fn reason(&self, address: IpAddr) -> String {
        let groups = |groups: &[SecurityGroupId]| {
            let groups: Vec<_> = groups.iter().map(SecurityGroupId::as_str).collect();
            groups.join(", ")
        };
        let (name, port) = (&self.load_balancer.name, self.port);
        match self.denied_by {
            Direction::Egress => {
                let its = groups(&self.load_balancer_groups);
                let address = SocketAddr::new(address, port);
                format!("no egress rule of {its} lets {name} connect to {address}")
            }
            Direction::Ingress => {
                let its = groups(&self.instance_groups);
                format!("no ingress rule of {its} lets {name} in on port {port}")
            }
        }
    }
}

impl Control {
    /// The connections to targets in use that security groups drop; of all target groups, or of one.
    #[must_use]
    pub fn dropped_connections(&self, only: Option<TargetGroupId>) -> Vec<DroppedConnections> {
        let live = self.live();
        let surroundings = Surroundings::of(&live.state);
        let elb = &live.state.elb;
        let users = live.lowered.users().iter();
        let users = users.filter(|(id, _)| only.is_none_or(|only| only == **id));
        let mut dropped = Vec::new();
        for (id, user) in users {
            let group = elb.target_groups.get(id);
            if let (Some(group), Some(user)) = (group, elb.load_balancers.get(user)) {
                dropped.extend(to_group(&live, &surroundings, user, group));
            }
        }
        dropped
    }
}

fn to_group(
    live: &Live,
    surroundings: &Surroundings<'_>,
    user: &LoadBalancer,
    group: &TargetGroup,
) -> Vec<DroppedConnections> {
    let ec2 = &live.state.ec2;
    let from = Origin::of(user);
    let distinctions = Distinctions::of(ec2, &from);
    let mut known = HashMap::new();
    let mut dropped = BTreeMap::new();
    for target in live.state.elb.targets_of(group.arn.id) {
        let standing = surroundings.standing(target, group, Some(user));
        let Standing::InUse(address) = standing else {
            continue;
        };
        let instance = live.lowered.instance_at(address.ip());
        let groups = instance.map(|instance| &*instance.security_groups);
        let block = distinctions.block_of(address.ip());
        let check_port = group.health_check.port.beside(address.port());
        let mut ports = vec![address.port(), check_port];
        ports.dedup();
        for port in ports {
            let judge = || denied_by(ec2, &from, &Destination { block, groups }, port);
            let verdict = known.entry((block, groups, port)).or_insert_with(judge);
            let Some(denied_by) = *verdict else {
                continue;
            };
            let uses = (port == address.port(), port == check_port);
            let is_egress = denied_by == Direction::Egress;
            let key = (port, uses, is_egress, groups);
            let record = dropped.entry(key).or_insert_with(|| DroppedConnections {
                target_group: group.arn.clone(),
                port,
                is_for_requests: uses.0,
                is_for_checks: uses.1,
                denied_by,
                load_balancer: user.arn.clone(),
                load_balancer_groups: user.security_groups.clone(),
                instance_groups: groups.unwrap_or_default().to_vec(),
                targets: Vec::new(),
            });
            let target = (target.key.id.clone(), target.key.port, address.ip());
            record.targets.push(target);
        }
    }
    dropped.into_values().collect()
}
