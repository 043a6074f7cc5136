//! DescribeNetworkInterfaces: which addresses are in use, and by what.
//!
//! Network interfaces are derived from instances and from load balancers. Their tags are stored, and forgotten
//! with them.

use std::collections::BTreeSet;

use model::ec2::{
    Instance, InstanceIpv6Address, InterfaceKind, NetworkInterface, NetworkInterfaceId,
    NetworkInterfaceTags, SecurityGroupId, Tags,
};
use model::load_balancer::LoadBalancer;

use crate::ec2::filter::{Column, Filters};
use crate::ec2::networks::is_named;
use crate::ec2::{Ec2Error, Filter, Holding, Page, PageRequest, lookups, names};
use crate::record::changed;
use crate::settings::Settings;
use crate::state::{Draft, State};

/// Who asks for the network interfaces of load balancers.
pub const LOAD_BALANCER_REQUESTER: &str = "amazon-elb";

/// Which network interfaces to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeNetworkInterfaces {
    /// These alone; all for an empty list.
    pub network_interface_ids: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer; not together with ids.
    pub page: PageRequest,
}

/// A network interface, and what is known about it elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkInterfaceDescription {
    /// The network interface.
    pub interface: NetworkInterface,
    /// Its groups, with their names.
    pub groups: Vec<(SecurityGroupId, String)>,
    /// The account it belongs to.
    pub owner_id: String,
    /// The name of its private address inside the VPC.
    pub private_dns_name: String,
}

impl NetworkInterfaceDescription {
    /// Who made it: nobody but its owner for `None`.
    #[must_use]
    pub fn requester_id(&self) -> Option<&'static str> {
        match self.interface.kind {
            InterfaceKind::Instance { .. } => None,
            InterfaceKind::LoadBalancer { .. } => Some(LOAD_BALANCER_REQUESTER),
        }
    }

    /// Names the hold of its owner on it.
    #[must_use]
    pub fn attachment_id(&self) -> String {
        attachment_id(&self.interface)
    }

    /// When it was attached; known for instances only.
    #[must_use]
    pub fn attached_at_millis(&self) -> Option<u64> {
        match self.interface.kind {
            InterfaceKind::Instance {
                attached_at_millis, ..
            } => Some(attached_at_millis),
            InterfaceKind::LoadBalancer { .. } => None,
        }
    }

    /// Its place among the interfaces of its owner, as EC2 numbers them: 1 for load balancers.
    #[must_use]
    pub fn device_index(&self) -> u8 {
        match self.interface.kind {
            InterfaceKind::Instance { .. } => 0,
            InterfaceKind::LoadBalancer { .. } => 1,
        }
    }

    /// Whether it goes together with the instance it is attached to.
    #[must_use]
    pub fn is_deleted_on_termination(&self) -> bool {
        matches!(self.interface.kind, InterfaceKind::Instance { .. })
    }

    /// The account of what it is attached to.
    #[must_use]
    pub fn instance_owner_id(&self) -> &str {
        self.requester_id().unwrap_or(&self.owner_id)
    }
}

const FILTERS: Filters<NetworkInterfaceDescription> = Filters {
    columns: &[
        Column {
            name: "network-interface-id",
            texts: |it| vec![it.interface.id.to_string()],
        },
        Column {
            name: "description",
            texts: |it| vec![it.interface.description()],
        },
        Column {
            name: "private-ip-address",
            texts: address,
        },
        Column {
            name: "addresses.private-ip-address",
            texts: address,
        },
        Column {
            name: "addresses.primary",
            texts: |_| vec!["true".into()],
        },
        Column {
            name: "ipv6-addresses.ipv6-address",
            texts: |it| {
                let ipv6 = it.interface.ipv6_address.iter();
                ipv6.map(|ipv6| ipv6.address.to_string()).collect()
            },
        },
        Column {
            name: "private-dns-name",
            texts: |it| vec![it.private_dns_name.clone()],
        },
        Column {
            name: "mac-address",
            texts: |it| vec![NetworkInterface::mac_address(&it.interface.id)],
        },
        Column {
            name: "subnet-id",
            texts: |it| vec![it.interface.subnet_id.to_string()],
        },
        Column {
            name: "vpc-id",
            texts: |it| vec![it.interface.vpc_id.to_string()],
        },
        Column {
            name: "availability-zone",
            texts: |it| vec![it.interface.zone.name.clone()],
        },
        Column {
            name: "availability-zone-id",
            texts: |it| vec![it.interface.zone.id.clone()],
        },
        Column {
            name: "group-id",
            texts: |it| it.groups.iter().map(|(id, _)| id.to_string()).collect(),
        },
        Column {
            name: "group-name",
            texts: |it| it.groups.iter().map(|(_, name)| name.clone()).collect(),
        },
        Column {
            name: "attachment.attachment-id",
            texts: |it| vec![it.attachment_id()],
        },
        Column {
            name: "attachment.instance-id",
            texts: instance,
        },
        Column {
            name: "attachment.instance-owner-id",
            texts: |it| vec![it.instance_owner_id().to_owned()],
        },
        Column {
            name: "attachment.attach-time",
            texts: |it| {
                it.attached_at_millis()
                    .map(names::timestamp)
                    .into_iter()
                    .collect()
            },
        },
        Column {
            name: "attachment.delete-on-termination",
            texts: |it| vec![it.is_deleted_on_termination().to_string()],
        },
        Column {
            name: "attachment.device-index",
            texts: |it| vec![it.device_index().to_string()],
        },
        Column {
            name: "attachment.status",
            texts: |_| vec!["attached".into()],
        },
        Column {
            name: "interface-type",
            texts: |_| vec!["interface".into()],
        },
        Column {
            name: "owner-id",
            texts: |it| vec![it.owner_id.clone()],
        },
        Column {
            name: "requester-id",
            texts: |it| it.requester_id().into_iter().map(str::to_owned).collect(),
        },
        Column {
            name: "requester-managed",
            texts: |it| vec![it.requester_id().is_some().to_string()],
        },
        Column {
            name: "source-dest-check",
            texts: |_| vec!["true".into()],
        },
        Column {
            name: "status",
            texts: |_| vec!["in-use".into()],
        },
    ],
    // What belongs to addresses outside the VPC and to machines that EC2 starts.
    absent: &[
        "addresses.association.owner-id",
        "addresses.association.public-ip",
        "association.allocation-id",
        "association.association-id",
        "association.ip-owner-id",
        "association.public-dns-name",
        "association.public-ip",
        "operator.managed",
        "operator.principal",
    ],
    tags: Some(|it| &it.interface.tags),
};

fn address(it: &NetworkInterfaceDescription) -> Vec<String> {
    vec![it.interface.private_address.to_string()]
}

fn instance(it: &NetworkInterfaceDescription) -> Vec<String> {
    match &it.interface.kind {
        InterfaceKind::Instance { id, .. } => vec![id.to_string()],
        InterfaceKind::LoadBalancer { .. } => Vec::new(),
    }
}

/// # Errors
/// `MalformedId`, `NetworkInterfaceNotFound`, `IdsWithMaxResults`, and those of filters and pages.
pub(crate) fn describe(
    state: &State,
    settings: &Settings,
    request: &DescribeNetworkInterfaces,
) -> Result<Page<NetworkInterfaceDescription>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    request
        .page
        .refuse_with("networkInterfaceIdSet", &request.network_interface_ids)?;
    let mut interfaces = network_interfaces(state);
    for id in &request.network_interface_ids {
        let id: NetworkInterfaceId = id.parse()?;
        if !interfaces.iter().any(|interface| interface.id == id) {
            return Err(Ec2Error::NetworkInterfaceNotFound(id.to_string()));
        }
    }
    interfaces.sort_by(|a, b| a.id.cmp(&b.id));
    let wanted = interfaces
        .into_iter()
        .filter(|interface| is_named(&request.network_interface_ids, interface.id.as_str()))
        .map(|interface| describe_interface(state, settings, interface))
        .filter(is_wanted);
    request.page.cut("network-interfaces", wanted, |it| {
        it.interface.id.to_string()
    })
}

fn describe_interface(
    state: &State,
    settings: &Settings,
    interface: NetworkInterface,
) -> NetworkInterfaceDescription {
    let groups = interface
        .security_groups
        .iter()
        .filter_map(|id| state.ec2.security_groups.get(id));
    NetworkInterfaceDescription {
        groups: groups
            .map(|group| (group.id.clone(), group.name.clone()))
            .collect(),
        owner_id: settings.place.account.clone(),
        private_dns_name: names::private_dns_name(
            interface.private_address,
            &settings.place.region,
        ),
        interface,
    }
}

/// Names the hold of its owner on an interface; derived from the interface's own id.
pub(crate) fn attachment_id(interface: &NetworkInterface) -> String {
    let prefix = match interface.kind {
        InterfaceKind::Instance { .. } => "eni-attach-",
        InterfaceKind::LoadBalancer { .. } => "ela-attach-",
    };
    let id = interface.id.as_str();
    id.replacen(NetworkInterfaceId::PREFIX, prefix, 1)
}

/// Every address that is in use.
pub(crate) fn network_interfaces(state: &State) -> Vec<NetworkInterface> {
    let holding = state
        .ec2
        .instances
        .values()
        .filter(|instance| instance.holds_address());
    let instances = holding.map(|instance| of_instance(state, instance));
    let holdings = state.elb.holdings();
    let load_balancers = holdings
        .iter()
        .filter_map(|holding| of_load_balancer(state, holding));
    instances.chain(load_balancers).collect()
}

/// Removes the tags of the interfaces that the change from `before` to the draft takes away. Every change of the state
/// ends with it, because interfaces go together with what has them, in whatever way that goes.
pub(crate) fn forget_tags(draft: &mut Draft, before: &State) {
    let after = draft.state();
    if after.ec2.network_interface_tags.is_empty() {
        return;
    }
    let instances: Vec<_> = changed(&before.ec2.instances, &after.ec2.instances).collect();
    let load_balancers = changed(&before.elb.load_balancers, &after.elb.load_balancers);
    let load_balancers: Vec<_> = load_balancers.collect();
    let present = |state: &State| -> BTreeSet<NetworkInterfaceId> {
        let instances = instances.iter();
        let instances = instances.filter_map(|id| state.ec2.instances.get(*id));
        let instances = instances.filter(|instance| instance.holds_address());
        let load_balancers = load_balancers.iter();
        let load_balancers = load_balancers.filter_map(|id| state.elb.load_balancers.get(*id));
        instances
            .map(|instance| instance.network_interface_id())
            .chain(load_balancers.flat_map(|load_balancer| ids_of(load_balancer)))
            .collect()
    };
    let (before, after) = (present(before), present(after));
    for id in before.difference(&after) {
        draft.remove::<NetworkInterfaceTags>(id);
    }
}

/// The interfaces of a load balancer.
fn ids_of(load_balancer: &LoadBalancer) -> Vec<NetworkInterfaceId> {
    let owner = load_balancer.arn.full_name();
    let zones = load_balancer.zones.iter();
    zones
        .map(|zone| NetworkInterface::derived_id(&owner, &zone.subnet_id))
        .collect()
}

/// The tags of an interface; none if it has none, or is gone.
pub(crate) fn tags_of(state: &State, id: &NetworkInterfaceId) -> Tags {
    let stored = state.ec2.network_interface_tags.get(id);
    stored.map(|stored| stored.tags.clone()).unwrap_or_default()
}

fn of_instance(state: &State, instance: &Instance) -> NetworkInterface {
    let id = instance.network_interface_id();
    NetworkInterface {
        tags: tags_of(state, &id),
        id,
        kind: InterfaceKind::Instance {
            id: instance.id.clone(),
            attached_at_millis: instance.launched_at_millis,
        },
        private_address: instance.private_address,
        ipv6_address: instance.ipv6_address,
        subnet_id: instance.subnet_id.clone(),
        vpc_id: instance.vpc_id.clone(),
        zone: instance.zone.clone(),
        security_groups: instance.security_groups.clone(),
    }
}

/// `None` for a holding in a subnet that does not exist, which no operation leaves behind.
fn of_load_balancer(state: &State, holding: &Holding) -> Option<NetworkInterface> {
    let subnet = lookups::subnet(&state.ec2, holding.subnet_id.as_str())?;
    let id = NetworkInterface::derived_id(&holding.full_name, &subnet.id);
    Some(NetworkInterface {
        tags: tags_of(state, &id),
        id,
        kind: InterfaceKind::LoadBalancer {
            full_name: holding.full_name.clone(),
        },
        private_address: holding.address,
        ipv6_address: holding.ipv6_address.map(|address| InstanceIpv6Address {
            address,
            is_primary: false,
        }),
        subnet_id: subnet.id.clone(),
        vpc_id: subnet.vpc_id.clone(),
        zone: subnet.zone.clone(),
        security_groups: holding.security_groups.clone(),
    })
}
