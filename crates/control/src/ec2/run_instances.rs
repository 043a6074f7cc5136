//! RunInstances: registers machines by their private addresses.
//!
//! elbow starts no machines. What EC2 would need to start one, the image and the type, are kept as notes
//! of the caller and shown again; everything else that would have to be obeyed is refused by `api`.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use model::ec2::{
    CpuCredits, Instance, InstanceId, InstanceProtection, InstanceState, NetworkInterfaceTags,
    ReservationId, Tags, Zone,
};
use serde::Serialize;

use crate::ec2::client_tokens::{RequestNote, TokenForm};
use crate::ec2::cpu_credits::is_burstable;
use crate::ec2::describe_instances::{InstanceDescription, describe_instance};
use crate::ec2::instance_sites::Site;
use crate::ec2::instance_states::forget_terminated;
use crate::ec2::instance_type_names::require_type;
use crate::ec2::{Ec2Error, TagSpecification, names, security_groups, tags};
use crate::state::{Draft, State};

/// How many instances a request may register. EC2 has a quota in its place.
pub const RUN_COUNT_MAX: usize = 1000;

/// Machines to register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunInstances {
    /// How many at least, 1 to `RUN_COUNT_MAX`; it has to be said.
    pub min_count: Option<i64>,
    /// How many if the subnet has room for them, at least as many; it has to be said.
    pub max_count: Option<i64>,
    /// Where the one machine is reached: an address of a subnet that nobody has. Such addresses are drawn for `None`.
    pub private_address: Option<String>,
    /// Where it is reached over IPv6: none, or one address of the same subnet that nobody has.
    pub ipv6_addresses: Vec<String>,
    /// Whether that one is the primary IPv6 address, without which targets cannot name the instance.
    pub has_primary_ipv6: bool,
    /// The subnet that holds the addresses. For `None` it is found by an address that is given, or else a default one.
    pub subnet_id: Option<String>,
    /// The security groups it carries, by id.
    pub security_group_ids: Vec<String>,
    /// More of them, by name, not together with a subnet. The default group of the VPC if neither list has one.
    pub security_group_names: Vec<String>,
    /// A note.
    pub image_id: Option<String>,
    /// A note, by a name that a type can have.
    pub instance_type: Option<String>,
    /// A note, of instances of burstable types alone.
    pub cpu_credits: Option<CpuCredits>,
    /// Which operations it is to refuse.
    pub protection: InstanceProtection,
    /// The zone it is meant to be in, if the request says so.
    pub zone: RequestedZone,
    /// A repetition with the same token registers nothing and shows the same instances.
    pub client_token: Option<String>,
    /// Tags for each, and for its network interface. Those for volumes are checked, and there are none that get them.
    pub tag_specifications: Vec<TagSpecification>,
}

/// A zone by its name, its id, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RequestedZone {
    /// `AvailabilityZone`.
    pub name: Option<String>,
    /// `AvailabilityZoneId`.
    pub id: Option<String>,
}

impl RequestedZone {
    pub(crate) fn is(&self, zone: &Zone) -> bool {
        self.name.as_ref().is_none_or(|name| *name == zone.name)
            && self.id.as_ref().is_none_or(|id| *id == zone.id)
    }
}

/// What a request says about addresses, as its digest has it.
#[derive(Serialize)]
#[serde(untagged)]
enum AskedAddress<'a> {
    Given(Ipv4Addr),
    Drawn(&'a RangeInclusive<usize>, &'a RequestedZone),
}

/// The tags of a request, as its digest has them. Those of interfaces and of volumes are not in it where there are none,
/// as in the digests from before they could be given.
#[derive(Serialize)]
#[serde(untagged)]
enum AskedTags<'a> {
    Alone(&'a Tags),
    InARow(Vec<&'a Tags>),
}

/// What the tags of a request are for.
struct SpecifiedTags {
    instance: Tags,
    interface: Tags,
    /// Instances have no volumes.
    volume: Tags,
}

impl SpecifiedTags {
    fn asked(&self) -> AskedTags<'_> {
        let mut tags = vec![&self.instance, &self.interface, &self.volume];
        while tags.len() > 1 && tags.last().is_some_and(|last| last.is_empty()) {
            tags.pop();
        }
        match tags[..] {
            [of_instance] => AskedTags::Alone(of_instance),
            _ => AskedTags::InARow(tags),
        }
    }
}

/// The new instances, in the order in which they were launched.
///
/// # Errors
/// `MissingParameter`, `InvalidValue` and `InvalidCombination` for the counts, `InvalidValue` for what no type can be
/// called, `InvalidCombination` for names of groups beside a subnet and for CPU credits of a type without them,
/// `InstanceLimit`, those of `Site`, `MalformedId`, `SecurityGroupNotFound`, `GroupNameNotFound`, `GroupOfOtherVpc`,
/// `TooManyGroupsOnInstance`, `TokenMismatch`, and those of tags.
pub(crate) fn run(
    draft: &mut Draft,
    request: &RunInstances,
) -> Result<Vec<InstanceDescription>, Ec2Error> {
    let instances = register(draft, request)?;
    let (state, settings) = (draft.state(), draft.settings());
    let instances = instances.iter();
    Ok(instances
        .map(|instance| describe_instance(state, settings, instance))
        .collect())
}

fn register(draft: &mut Draft, request: &RunInstances) -> Result<Vec<Arc<Instance>>, Ec2Error> {
    let count = count(request)?;
    if !request.security_group_names.is_empty() && request.subnet_id.is_some() {
        return Err(Ec2Error::InvalidCombination(
            "The parameter groupName cannot be used with the parameter subnet",
        ));
    }
    let instance_type = request.instance_type.as_deref();
    instance_type.map_or(Ok(()), require_type)?;
    if request.cpu_credits.is_some() && !instance_type.is_some_and(is_burstable) {
        return Err(Ec2Error::InvalidCombination(
            "The parameter CreditSpecification can be used with an InstanceType of the families t2, t3, t3a and t4g \
             only",
        ));
    }
    let site = Site::of(draft, request)?;
    let security_groups = security_groups::of_instance(
        draft,
        &request.security_group_ids,
        &request.security_group_names,
        (&site.subnet.id, &site.subnet.vpc_id),
    )?;
    let tags = specified_tags(&request.tag_specifications)?;
    // Of addresses that are drawn, not what came of it but what was said.
    let (address, subnet_id) = match site.private_address {
        Some(address) => (AskedAddress::Given(address), Some(site.subnet.id.as_str())),
        None => (
            AskedAddress::Drawn(&count, &request.zone),
            request.subnet_id.as_deref(),
        ),
    };
    let asked = (
        (address, site.ipv6_address, subnet_id),
        (&security_groups, tags.asked(), request.protection),
        asked_notes(request),
    );
    let note = RequestNote::new(request.client_token.as_ref(), TokenForm::USUAL, &asked)?;
    let is_same = |made: &Instance| {
        Some(made.private_address) == site.private_address
            && made.ipv6_address == site.ipv6_address
            && made.security_groups == security_groups
            && made.image_id == request.image_id
            && made.instance_type == request.instance_type
    };
    if let Some(instance) = note.made(&draft.state().ec2.instances, is_same)? {
        return Ok(reservation(draft.state(), &instance.reservation_id));
    }
    forget_terminated(draft);
    let addresses = site.take_addresses(draft, &count)?;
    let reservation_id = ReservationId::from_bits(draft.draw());
    let instances = (0..).zip(addresses).map(|(launch_index, private_address)| {
        let instance = draft.put(Instance {
            id: names::fresh(draft, InstanceId::from_bits, &draft.state().ec2.instances),
            reservation_id: reservation_id.clone(),
            launch_index,
            private_address,
            ipv6_address: site.ipv6_address,
            subnet_id: site.subnet.id.clone(),
            vpc_id: site.subnet.vpc_id.clone(),
            zone: site.subnet.zone.clone(),
            state: InstanceState::Running,
            image_id: request.image_id.clone(),
            instance_type: request.instance_type.clone(),
            cpu_credits: request.cpu_credits,
            security_groups: security_groups.clone(),
            launched_at_millis: draft.now_millis(),
            started_at_millis: None,
            protection: request.protection,
            client_token: note.token.clone(),
            request_digest: note.digest.clone(),
            tags: tags.instance.clone(),
        });
        if !tags.interface.is_empty() {
            draft.put(NetworkInterfaceTags {
                id: instance.network_interface_id(),
                tags: tags.interface.clone(),
            });
        }
        instance
    });
    Ok(instances.collect())
}

/// The notes of a request, as its digest has them: those about CPU credits only where there are some, as in the digests
/// from before they could be given.
fn asked_notes(request: &RunInstances) -> Vec<Option<&str>> {
    let mut notes = vec![
        request.image_id.as_deref(),
        request.instance_type.as_deref(),
    ];
    notes.extend(request.cpu_credits.map(|credits| Some(credits.name())));
    notes
}

fn specified_tags(specifications: &[TagSpecification]) -> Result<SpecifiedTags, Ec2Error> {
    let is_for = |resource_type| move |it: &&TagSpecification| it.resource_type == resource_type;
    // Terraform gives the tags that all resources are to have to the volumes as well, whether there are any or not.
    let known = ["instance", "network-interface", "volume"];
    let mut types = specifications.iter().map(|it| &it.resource_type);
    if let Some(other) = types.find(|it| !known.contains(&it.as_str())) {
        return Err(Ec2Error::InvalidValue {
            parameter: "TagSpecification.ResourceType",
            value: other.clone(),
            expectation: format!(
                "elbow makes no such thing with an instance, so that there is nothing to tag; give tags for {}.",
                known.join(", ")
            ),
        });
    }
    let [instance, interface, volume] = known.map(|resource_type| {
        let specifications = specifications.iter().filter(is_for(resource_type));
        let specifications: Vec<_> = specifications.cloned().collect();
        tags::specified(&specifications, resource_type)
    });
    Ok(SpecifiedTags {
        instance: instance?,
        interface: interface?,
        volume: volume?,
    })
}

/// How many instances a request wants: at least, and if there is room.
fn count(request: &RunInstances) -> Result<RangeInclusive<usize>, Ec2Error> {
    let read = |name, parameter, count: Option<i64>| {
        let count = count.ok_or(Ec2Error::MissingParameter(name))?;
        usize::try_from(count)
            .ok()
            .filter(|it| *it > 0)
            .ok_or_else(|| Ec2Error::InvalidValue {
                parameter,
                value: count.to_string(),
                expectation: "It must be at least 1.".to_owned(),
            })
    };
    let min = read("MinCount", "minCount", request.min_count)?;
    let max = read("MaxCount", "maxCount", request.max_count)?;
    let has_address = request.private_address.is_some() || !request.ipv6_addresses.is_empty();
    if max < min {
        Err(Ec2Error::InvalidCombination(
            "MaxCount must not be less than MinCount",
        ))
    } else if max > 1 && has_address {
        Err(Ec2Error::InvalidCombination(
            "An address can be given to one instance only: leave out PrivateIpAddress and Ipv6Address, or ask for \
             one instance",
        ))
    } else if min > RUN_COUNT_MAX {
        Err(Ec2Error::InstanceLimit {
            requested: min,
            max: RUN_COUNT_MAX,
        })
    } else {
        Ok(min..=max.min(RUN_COUNT_MAX))
    }
}

/// The instances of a reservation that are not forgotten, in the order in which they were launched.
fn reservation(state: &State, id: &ReservationId) -> Vec<Arc<Instance>> {
    let instances = state.ec2.instances.values();
    let of_it = instances.filter(|instance| instance.reservation_id == *id);
    let mut of_it: Vec<_> = of_it.cloned().collect();
    of_it.sort_by_key(|instance| instance.launch_index);
    of_it
}
