//! DescribeSubnets, CreateSubnet; CreateDefaultSubnet, which never has to do anything.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use model::Cidr;
use model::ec2::{Subnet, SubnetId, SubnetIpv6Block, Tags, Zone};

use crate::ec2::filter::{Column, Filters};
use crate::ec2::networks::is_named;
use crate::ec2::{
    Ec2, Ec2Error, Filter, Page, PageRequest, TagSpecification, ipv6_blocks, lookups, names, tags,
};
use crate::settings::Settings;
use crate::state::{Draft, State};

/// What names of instances are made from: their addresses. elbow makes none.
///
/// Source: EC2 API, `PrivateDnsNameOptionsOnLaunch`, `HostnameType`.
pub const HOSTNAME_TYPE: &str = "ip-name";

/// Which subnets to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeSubnets {
    /// These alone; all for an empty list.
    pub subnet_ids: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer.
    pub page: PageRequest,
}

/// A subnet, and what follows from everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetDescription {
    /// The subnet.
    pub subnet: Arc<Subnet>,
    /// How many of its addresses nobody has.
    pub available_addresses: u32,
    /// The account it belongs to.
    pub owner_id: String,
    /// Its ARN.
    pub arn: String,
}

/// A new subnet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateSubnet {
    /// The VPC it is cut from.
    pub vpc_id: Option<String>,
    /// Its block; host bits are cleared, as EC2 does.
    pub cidr_block: Option<String>,
    /// Its IPv6 block, inside one of the VPC.
    pub ipv6_cidr_block: Option<String>,
    /// The name of its zone. Without name and id: the first zone.
    pub availability_zone: Option<String>,
    /// The id of its zone.
    pub availability_zone_id: Option<String>,
    /// Tags for it.
    pub tag_specifications: Vec<TagSpecification>,
}

impl Ec2<'_> {
    /// Makes the default subnet of a zone, which is only missing in an account that is older than the zone.
    ///
    /// # Errors
    /// `DefaultSubnetExists`, `InvalidValue` for a zone that there is not, and if the default VPC has no room for it.
    pub async fn create_default_subnet(
        &self,
        availability_zone: Option<String>,
        availability_zone_id: Option<String>,
    ) -> Result<SubnetDescription, Ec2Error> {
        let request = CreateSubnet {
            availability_zone,
            availability_zone_id,
            ..CreateSubnet::default()
        };
        self.change(move |draft| create_default(draft, &request))
            .await
    }
}

/// The length of a default subnet in a VPC with this block: a 256th of it, or a /28 if that is larger.
pub(crate) fn default_subnet_length(vpc: Cidr) -> u8 {
    (vpc.prefix_length() + 8).min(28)
}

/// Whether no subnet of any account, and nothing that is set aside for Elastic IP addresses, has an address of `block`.
pub(crate) fn is_free_for_subnets(draft: &Draft, block: &Cidr) -> bool {
    let mut subnets = draft.state().ec2.subnets.values();
    let elastic = draft.settings().topology.elastic;
    !subnets.any(|subnet| subnet.cidr.overlaps(block))
        && elastic.is_none_or(|elastic| !elastic.overlaps(block))
        && !draft.is_block_of_another_account(block)
}

/// Makes the subnet; what there is to say of it.
fn put(draft: &mut Draft, subnet: Subnet) -> SubnetDescription {
    let subnet = draft.put(subnet);
    let state = draft.state();
    description(&subnet, state, &state.elb.addresses(), draft.settings())
}

fn create_default(
    draft: &mut Draft,
    request: &CreateSubnet,
) -> Result<SubnetDescription, Ec2Error> {
    let zone = zone(request, draft.settings())?;
    let ec2 = &draft.state().ec2;
    let mut subnets = ec2.subnets.values();
    if let Some(default) = subnets.find(|it| it.is_default_for_zone && it.zone == zone) {
        return Err(Ec2Error::DefaultSubnetExists {
            subnet_id: default.id.clone(),
            zone: zone.name,
        });
    }
    let vpc = lookups::default_vpc(ec2).expect("each start makes the default VPC");
    // The first part is left free, as in the blocks of the first subnets.
    let mut parts = vpc.cidr.parts(default_subnet_length(vpc.cidr)).skip(1);
    let Some(cidr) = parts.find(|block| is_free_for_subnets(draft, block)) else {
        return Err(Ec2Error::InvalidValue {
            parameter: "availabilityZone",
            value: zone.name,
            expectation: "The default VPC has no block left for another default subnet.".to_owned(),
        });
    };
    let subnet = Subnet {
        id: names::fresh(draft, SubnetId::from_bits, &ec2.subnets),
        vpc_id: vpc.id.clone(),
        cidr,
        ipv6_block: None,
        zone,
        is_default_for_zone: true,
        maps_public_address: true,
        tags: Tags::new(),
    };
    Ok(put(draft, subnet))
}

const FILTERS: Filters<SubnetDescription> = Filters {
    columns: &[
        Column {
            name: "subnet-id",
            texts: |it| vec![it.subnet.id.to_string()],
        },
        Column {
            name: "vpc-id",
            texts: |it| vec![it.subnet.vpc_id.to_string()],
        },
        Column {
            name: "availability-zone",
            texts: |it| vec![it.subnet.zone.name.clone()],
        },
        Column {
            name: "availabilityZone",
            texts: |it| vec![it.subnet.zone.name.clone()],
        },
        Column {
            name: "availability-zone-id",
            texts: |it| vec![it.subnet.zone.id.clone()],
        },
        Column {
            name: "availabilityZoneId",
            texts: |it| vec![it.subnet.zone.id.clone()],
        },
        Column {
            name: "available-ip-address-count",
            texts: |it| vec![it.available_addresses.to_string()],
        },
        Column {
            name: "cidr-block",
            texts: |it| vec![it.subnet.cidr.to_string()],
        },
        Column {
            name: "cidrBlock",
            texts: |it| vec![it.subnet.cidr.to_string()],
        },
        Column {
            name: "cidr",
            texts: |it| vec![it.subnet.cidr.to_string()],
        },
        Column {
            name: "ipv6-cidr-block-association.association-id",
            texts: |it| ipv6_block(it, |block| block.id.to_string()),
        },
        Column {
            name: "ipv6-cidr-block-association.ipv6-cidr-block",
            texts: |it| ipv6_block(it, |block| block.cidr.to_string()),
        },
        Column {
            name: "ipv6-cidr-block-association.state",
            texts: |it| ipv6_block(it, |_| "associated".into()),
        },
        Column {
            name: "default-for-az",
            texts: |it| vec![it.subnet.is_default_for_zone.to_string()],
        },
        Column {
            name: "defaultForAz",
            texts: |it| vec![it.subnet.is_default_for_zone.to_string()],
        },
        Column {
            name: "map-public-ip-on-launch",
            texts: |it| vec![it.subnet.maps_public_address.to_string()],
        },
        Column {
            name: "ipv6-native",
            texts: |_| vec!["false".into()],
        },
        Column {
            name: "enable-dns64",
            texts: |_| vec!["false".into()],
        },
        Column {
            name: "map-customer-owned-ip-on-launch",
            texts: |_| vec!["false".into()],
        },
        Column {
            name: "private-dns-name-options-on-launch.hostname-type",
            texts: |_| vec![HOSTNAME_TYPE.into()],
        },
        Column {
            name: "private-dns-name-options-on-launch.enable-resource-name-dns-a-record",
            texts: |_| vec!["false".into()],
        },
        Column {
            name: "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record",
            texts: |_| vec!["false".into()],
        },
        Column {
            name: "owner-id",
            texts: |it| vec![it.owner_id.clone()],
        },
        Column {
            name: "state",
            texts: |_| vec!["available".into()],
        },
        Column {
            name: "subnet-arn",
            texts: |it| vec![it.arn.clone()],
        },
    ],
    absent: &[
        "customer-owned-ipv4-pool",
        "enable-lni-at-device-index",
        "outpost-arn",
    ],
    tags: Some(|it| &it.subnet.tags),
};

fn ipv6_block(it: &SubnetDescription, text: fn(&SubnetIpv6Block) -> String) -> Vec<String> {
    it.subnet.ipv6_block.iter().map(text).collect()
}

/// # Errors
/// `SubnetNotFound`, and those of filters and pages.
pub(crate) fn describe(
    state: &State,
    settings: &Settings,
    request: &DescribeSubnets,
) -> Result<Page<SubnetDescription>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    let exists = |id: &str| lookups::subnet(&state.ec2, id).is_some();
    if let Some(id) = request.subnet_ids.iter().find(|id| !exists(id)) {
        return Err(Ec2Error::SubnetNotFound(id.clone()));
    }
    let taken = state.elb.addresses();
    let subnets = state
        .ec2
        .subnets
        .values()
        .filter(|subnet| is_named(&request.subnet_ids, subnet.id.as_str()))
        .map(|subnet| description(subnet, state, &taken, settings))
        .filter(is_wanted);
    request
        .page
        .cut("subnets", subnets, |it| it.subnet.id.to_string())
}

fn description(
    subnet: &Arc<Subnet>,
    state: &State,
    taken: &BTreeSet<IpAddr>,
    settings: &Settings,
) -> SubnetDescription {
    let place = &settings.place;
    SubnetDescription {
        subnet: Arc::clone(subnet),
        available_addresses: lookups::free_address_count(&state.ec2, subnet, taken),
        owner_id: place.account.clone(),
        arn: names::arn(place, &format!("subnet/{}", subnet.id)),
    }
}

/// Whether a VPC or a subnet may have a block of this family and length.
///
/// Source: Amazon VPC User Guide, "Subnet CIDR blocks": IPv4, /16 to /28.
pub(crate) fn has_usable_size(block: Cidr) -> bool {
    block.network().is_ipv4() && (16..=28).contains(&block.prefix_length())
}

/// The block that a parameter of this name gives.
///
/// # Errors
/// `InvalidValue`.
pub(crate) fn parse_block(parameter: &'static str, text: &str) -> Result<Cidr, Ec2Error> {
    text.parse().map_err(|_| Ec2Error::InvalidValue {
        parameter,
        value: text.to_owned(),
        expectation: "This is not a valid CIDR block.".to_owned(),
    })
}

/// # Errors
/// `MissingParameter`, `VpcNotFound`, `InvalidValue` for what is not a block and for a zone that there is not,
/// `SubnetRange`, `TooManySubnets`, `SubnetConflict`, `SubnetIpv6Range`, `SubnetIpv6Conflict`, and those of tags.
pub(crate) fn create(
    draft: &mut Draft,
    request: &CreateSubnet,
) -> Result<SubnetDescription, Ec2Error> {
    let vpc_id = request
        .vpc_id
        .as_ref()
        .ok_or(Ec2Error::MissingParameter("vpcId"))?;
    let text = request
        .cidr_block
        .as_ref()
        .ok_or(Ec2Error::MissingParameter("cidrBlock"))?;
    let ec2 = &draft.state().ec2;
    let vpc = lookups::vpc(ec2, vpc_id).ok_or_else(|| Ec2Error::VpcNotFound(vpc_id.clone()))?;
    let cidr = parse_block("cidrBlock", text)?;
    if !has_usable_size(cidr) || !vpc.cidr.covers(&cidr) {
        return Err(Ec2Error::SubnetRange(cidr));
    }
    let max = draft.settings().limits.ec2.subnets_per_vpc;
    let of_vpc = ec2.subnets.values().filter(|it| it.vpc_id == vpc.id);
    if of_vpc.count() >= max {
        return Err(Ec2Error::TooManySubnets(max));
    }
    let elastic = draft.settings().topology.elastic;
    if elastic.is_some_and(|block| block.overlaps(&cidr)) {
        return Err(Ec2Error::InvalidValue {
            parameter: "cidrBlock",
            value: text.clone(),
            expectation: "It overlaps the block that is set aside for Elastic IP addresses."
                .to_owned(),
        });
    }
    let mut others = ec2.subnets.values();
    if let Some(other) = others.find(|other| other.cidr.overlaps(&cidr)) {
        return Err(Ec2Error::SubnetConflict {
            block: cidr,
            other: other.id.clone(),
            vpc_id: other.vpc_id.clone(),
        });
    }
    if draft.is_block_of_another_account(&cidr) {
        return Err(Ec2Error::SubnetOfAnotherAccount(cidr));
    }
    let ipv6_block = request.ipv6_cidr_block.as_deref();
    let ipv6_block = ipv6_block
        .map(|text| ipv6_blocks::of_subnet(draft, vpc, ipv6_blocks::parse(text)?))
        .transpose()?;
    let subnet = Subnet {
        id: names::fresh(draft, SubnetId::from_bits, &ec2.subnets),
        vpc_id: vpc.id.clone(),
        cidr,
        ipv6_block,
        zone: zone(request, draft.settings())?,
        is_default_for_zone: false,
        maps_public_address: false,
        tags: tags::specified(&request.tag_specifications, "subnet")?,
    };
    Ok(put(draft, subnet))
}

fn zone(request: &CreateSubnet, settings: &Settings) -> Result<Zone, Ec2Error> {
    let (name, id) = (&request.availability_zone, &request.availability_zone_id);
    if name.is_some() && id.is_some() {
        return Err(Ec2Error::InvalidCombination(
            "The parameters AvailabilityZone and AvailabilityZoneId cannot be used together",
        ));
    }
    let mut zones = settings.topology.ec2_zones(&settings.place.region);
    let is_meant = |zone: &Zone| {
        name.as_ref().is_none_or(|name| *name == zone.name)
            && id.as_ref().is_none_or(|id| *id == zone.id)
    };
    zones
        .find(is_meant)
        .ok_or_else(|| other_zone(request, settings))
}

/// The refusal of a zone that there is not.
fn other_zone(request: &CreateSubnet, settings: &Settings) -> Ec2Error {
    let (name, id) = (&request.availability_zone, &request.availability_zone_id);
    let zones = settings.topology.ec2_zones(&settings.place.region);
    let (parameter, given, zones): (_, _, Vec<String>) = match id {
        Some(_) => ("availabilityZoneId", id, zones.map(|it| it.id).collect()),
        None => ("availabilityZone", name, zones.map(|it| it.name).collect()),
    };
    Ec2Error::InvalidValue {
        parameter,
        value: given.clone().unwrap_or_default(),
        expectation: format!(
            "Subnets can currently only be created in the following availability zones: {}.",
            zones.join(", ")
        ),
    }
}
