//! What security groups keep from targets, for operators to be told.

use std::fmt;
use std::net::SocketAddr;

use model::Cidr;
use model::arn::{LoadBalancerArn, TargetGroupArn};
use model::ec2::{Direction, SecurityGroupId};
use model::id::TargetGroupId;
use model::load_balancer::LoadBalancer;
use model::target::{Target, TargetKey};
use model::target_group::TargetGroup;
use serde::{Deserialize, Serialize};

use super::reachability::{Destination, Origin, denied_by};
use super::standing::{Standing, Surroundings};
use crate::Control;
use crate::control::Live;

/// Connections from a load balancer to one port of a target of its that security groups drop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedConnection {
    /// The target.
    pub target: TargetKey,
    /// Its target group.
    pub target_group: TargetGroupArn,
    /// Where the connections go.
    pub address: SocketAddr,
    /// Whether requests need them.
    pub is_for_requests: bool,
    /// Whether health checks need them.
    pub is_for_checks: bool,
    /// `Egress`: no group of the load balancer lets them out. `Ingress`: no group of the instance lets them in.
    pub denied_by: Direction,
    /// Whose connections they are.
    pub load_balancer: LoadBalancerArn,
    /// The security groups it carries.
    pub load_balancer_groups: Vec<SecurityGroupId>,
    /// Those of the instance that has the address; none if it is no instance.
    pub instance_groups: Vec<SecurityGroupId>,
}

impl fmt::Display for DroppedConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = |groups: &[SecurityGroupId]| {
            let groups: Vec<_> = groups.iter().map(SecurityGroupId::as_str).collect();
            groups.join(", ")
        };
        let name = &self.load_balancer.name;
        match self.denied_by {
            Direction::Egress => {
                let its = groups(&self.load_balancer_groups);
                write!(
                    f,
                    "no egress rule of {its} lets {name} connect to {}",
                    self.address
                )
            }
            Direction::Ingress => {
                let its = groups(&self.instance_groups);
                write!(
                    f,
                    "no ingress rule of {its} lets {name} in on port {}",
                    self.address.port()
                )
            }
        }
    }
}

impl Control {
    /// The connections to targets in use that security groups drop; of all target groups, or of one.
    #[must_use]
    pub fn dropped_connections(&self, only: Option<TargetGroupId>) -> Vec<DroppedConnection> {
        let live = self.live();
        let surroundings = Surroundings::of(&live.state);
        let elb = &live.state.elb;
        let mut dropped = Vec::new();
        for (id, user) in elb.users() {
            let group = elb.target_groups.get(&id);
            let (Some(group), Some(user)) = (group, elb.load_balancers.get(&user)) else {
                continue;
            };
            if only.is_some_and(|only| only != id) {
                continue;
            }
            for target in elb.targets_of(id) {
                if let Standing::InUse(address) = surroundings.standing(target, group, Some(user)) {
                    dropped.extend(to_target(&live, user, group, target, address));
                }
            }
        }
        dropped
    }
}

fn to_target(
    live: &Live,
    user: &LoadBalancer,
    group: &TargetGroup,
    target: &Target,
    address: SocketAddr,
) -> Vec<DroppedConnection> {
    let instance = live.lowered.instance_at(address.ip());
    let to = Destination {
        block: Cidr::host(address.ip()),
        groups: instance.map(|instance| &*instance.security_groups),
    };
    let check_port = group.health_check.port.beside(address.port());
    let mut ports = vec![address.port(), check_port];
    ports.dedup();
    let to_port = |port| {
        let denied_by = denied_by(&live.state.ec2, &Origin::of(user), &to, port)?;
        Some(DroppedConnection {
            target: target.key.clone(),
            target_group: group.arn.clone(),
            address: SocketAddr::new(address.ip(), port),
            is_for_requests: port == address.port(),
            is_for_checks: port == check_port,
            denied_by,
            load_balancer: user.arn.clone(),
            load_balancer_groups: user.security_groups.clone(),
            instance_groups: to.groups.unwrap_or_default().to_vec(),
        })
    };
    ports.into_iter().filter_map(to_port).collect()
}
