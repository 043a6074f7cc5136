//! Whether a registered target can get requests, and where.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use model::load_balancer::LoadBalancer;
use model::protocol::TargetGroupIpAddressType;
use model::target::Target;
use model::target_group::{TargetGroup, TargetType};

use crate::ec2::lookups;
use crate::state::State;

/// What the configuration makes of a target; its health comes on top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is checked, and gets requests at this address if it is healthy.
    InUse(SocketAddr),
    /// It has been deregistered.
    Draining,
    /// No rule forwards to its group.
    GroupNotInUse,
    /// Its zone is not one of the load balancer's.
    ZoneNotEnabled,
    /// Its instance is in this state, which is not `running`.
    NotRunning(&'static str),
    /// Its address is that of a load balancer.
    AddressOfLoadBalancer,
}

/// What targets are looked at with: computed once for many of them.
pub(crate) struct Surroundings<'a> {
    state: &'a State,
    load_balancer_addresses: BTreeSet<IpAddr>,
}

impl<'a> Surroundings<'a> {
    /// The surroundings of all targets of `state`.
    pub(crate) fn of(state: &'a State) -> Self {
        Self {
            state,
            load_balancer_addresses: state.elb.addresses(),
        }
    }

    /// What becomes of `target` of `group`, to which `user` forwards.
    pub(crate) fn standing(
        &self,
        target: &Target,
        group: &TargetGroup,
        user: Option<&LoadBalancer>,
    ) -> Standing {
        if target.is_draining() {
            return Standing::Draining;
        }
        let Some(user) = user else {
            return Standing::GroupNotInUse;
        };
        let (address, zone) = match self.locate(target, group) {
            Ok(located) => located,
            Err(standing) => return standing,
        };
        let is_enabled = |zone: &str| user.zones.iter().any(|enabled| enabled.zone == zone);
        match zone {
            Some(zone) if !is_enabled(&zone) => Standing::ZoneNotEnabled,
            _ => Standing::InUse(SocketAddr::new(address, target.key.port)),
        }
    }

    /// The zone of `target` of `group`; `None` if it belongs to all of them, or nothing is known of it.
    pub(crate) fn zone(&self, target: &Target, group: &TargetGroup) -> Option<String> {
        self.locate(target, group).ok()?.1
    }

    /// The address of a target, and its zone unless it belongs to all of them.
    fn locate(
        &self,
        target: &Target,
        group: &TargetGroup,
    ) -> Result<(IpAddr, Option<String>), Standing> {
        match group.target_type {
            TargetType::Instance => match lookups::instance(&self.state.ec2, &target.key.id) {
                Some(instance) if instance.is_running() => {
                    let address = match group.ip_address_type {
                        TargetGroupIpAddressType::Ipv4 => instance.private_address.into(),
                        TargetGroupIpAddressType::Ipv6 => {
                            let ipv6 = instance.primary_ipv6_address();
                            ipv6.expect("it is checked at registration and stays for life")
                                .into()
                        }
                    };
                    Ok((address, Some(instance.zone.name.clone())))
                }
                Some(instance) => Err(Standing::NotRunning(instance.state.name())),
                None => Err(Standing::NotRunning("terminated")),
            },
            TargetType::Ip | TargetType::Lambda | TargetType::Alb => self.locate_address(target),
        }
    }

    fn locate_address(&self, target: &Target) -> Result<(IpAddr, Option<String>), Standing> {
        let address: IpAddr = target
            .key
            .id
            .parse()
            .expect("the id of a target of type ip is checked at its registration");
        if self.load_balancer_addresses.contains(&address) {
            return Err(Standing::AddressOfLoadBalancer);
        }
        let zone = zone_of_address(self.state, target).filter(|zone| *zone != ALL_ZONES);
        Ok((address, zone.map(str::to_owned)))
    }
}

/// The zone that a target which is an address was registered with, given or detected: a zone's name, or `all`.
pub(crate) fn zone_of_address<'a>(state: &'a State, target: &'a Target) -> Option<&'a str> {
    // What an elbow registered that did not keep detected zones.
    let detected = || {
        let address: IpAddr = target.key.id.parse().ok()?;
        let subnet = lookups::subnet_of(&state.ec2, address)?;
        Some(subnet.zone.name.as_str())
    };
    target.availability_zone.as_deref().or_else(detected)
}

/// The zone of targets outside the VPC.
pub(crate) const ALL_ZONES: &str = "all";
