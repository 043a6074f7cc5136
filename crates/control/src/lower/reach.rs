//! From security groups to which targets a load balancer can connect to.
//!
//! What is judged alike is judged once: most targets of a pool have the same groups and the same ports and lie in a few
//! blocks that rules name, so that a rule that changes costs what there are of those, and not what there are of targets.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use engine::Reach;
use imbl::OrdMap;
use model::Cidr;
use model::ec2::{Instance, SecurityGroupId};
use model::load_balancer::LoadBalancer;

use crate::ec2::Ec2State;
use crate::elb::reachability::{Destination, Distinctions, Origin, denied_by};
use crate::record::changed;

/// The instances that hold addresses, by these.
pub(super) type InstanceAddresses = OrdMap<IpAddr, Arc<Instance>>;

/// Brings the addresses of instances from those of `old` to those of `new`.
pub(super) fn follow_instances(addresses: &mut InstanceAddresses, old: &Ec2State, new: &Ec2State) {
    let ids: Vec<_> = changed(&old.instances, &new.instances).collect();
    let holders = |ec2: &Ec2State| {
        let instances = ids.iter().filter_map(|id| ec2.instances.get(*id));
        let holders: Vec<_> = instances.filter(|it| it.holds_address()).cloned().collect();
        holders
    };
    // First what is given back: another one may have taken it in the same change.
    for instance in holders(old) {
        for address in instance.addresses() {
            addresses.remove(&address);
        }
    }
    for instance in holders(new) {
        for address in instance.addresses() {
            addresses.insert(address, Arc::clone(&instance));
        }
    }
}

/// What targets of one pool are judged by, each kind of them once.
pub(super) struct Judgements {
    distinctions: Distinctions,
    kinds: Vec<(Kind, Reach)>,
}

/// Targets that no rule tells from each other.
struct Kind {
    block: Cidr,
    port: u16,
    check_port: u16,
    /// One that stands for all with the same groups.
    instance: Option<Arc<Instance>>,
}

impl Kind {
    fn judge(&self, ec2: &Ec2State, from: &Origin<'_>) -> Reach {
        let to = Destination {
            block: self.block,
            groups: self.instance.as_ref().map(|it| &*it.security_groups),
        };
        let admits = |port| denied_by(ec2, from, &to, port).is_none();
        let admits_requests = admits(self.port);
        Reach {
            admits_requests,
            admits_checks: match self.check_port == self.port {
                true => admits_requests,
                false => admits(self.check_port),
            },
        }
    }
}

impl Judgements {
    /// Whether they would be the same today, seen from the load balancer whose view this is.
    pub(super) fn hold(&self, ec2: &Ec2State, view: &View<'_>) -> bool {
        let mut kinds = self.kinds.iter();
        self.distinctions == view.distinctions
            && kinds.all(|(kind, reach)| kind.judge(ec2, &view.from) == *reach)
    }
}

/// What depends on the load balancer alone, and so is the same for all of its pools.
pub(super) struct View<'a> {
    from: Origin<'a>,
    distinctions: Distinctions,
}

impl<'a> View<'a> {
    pub(super) fn of(ec2: &Ec2State, load_balancer: &'a LoadBalancer) -> Self {
        let from = Origin::of(load_balancer);
        Self {
            distinctions: Distinctions::of(ec2, &from),
            from,
        }
    }
}

/// What `Kind`s are told apart by.
type Features<'a> = (Cidr, u16, u16, Option<&'a [SecurityGroupId]>);

/// Judges the targets of one pool.
pub(super) struct Judge<'a> {
    ec2: &'a Ec2State,
    view: View<'a>,
    instances: &'a InstanceAddresses,
    known: HashMap<Features<'a>, Reach>,
    kinds: Vec<(Kind, Reach)>,
}

impl<'a> Judge<'a> {
    /// Judges what goes from `from` to the targets of one pool.
    pub(super) fn new(
        ec2: &'a Ec2State,
        from: &'a LoadBalancer,
        instances: &'a InstanceAddresses,
    ) -> Self {
        Self {
            ec2,
            view: View::of(ec2, from),
            instances,
            known: HashMap::new(),
            kinds: Vec::new(),
        }
    }

    /// Which connections get through to the target at `address`, whose checks go to `check_port`.
    pub(super) fn reach(&mut self, address: SocketAddr, check_port: u16) -> Reach {
        let block = self.view.distinctions.block_of(address.ip());
        let instance = self.instances.get(&address.ip());
        let groups = instance.map(|it| &*it.security_groups);
        let features = (block, address.port(), check_port, groups);
        if let Some(known) = self.known.get(&features) {
            return *known;
        }
        let kind = Kind {
            block,
            port: address.port(),
            check_port,
            instance: instance.cloned(),
        };
        let reach = kind.judge(self.ec2, &self.view.from);
        self.known.insert(features, reach);
        self.kinds.push((kind, reach));
        reach
    }

    /// What has been judged.
    pub(super) fn into_judgements(self) -> Judgements {
        Judgements {
            distinctions: self.view.distinctions,
            kinds: self.kinds,
        }
    }
}
