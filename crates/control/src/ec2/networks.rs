//! DescribeVpcs, DescribeAvailabilityZones, DescribeRegions.

use std::sync::Arc;

use model::ec2::{Vpc, VpcIpv6Block, Zone};

use crate::ec2::filter::{Column, Filters};
use crate::ec2::{Ec2Error, Filter, Page, PageRequest, lookups};
use crate::settings::Settings;
use crate::state::State;

/// Which VPCs to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeVpcs {
    /// These alone; all for an empty list.
    pub vpc_ids: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer.
    pub page: PageRequest,
}

const VPC_FILTERS: Filters<(Arc<Vpc>, String)> = Filters {
    columns: &[
        Column {
            name: "vpc-id",
            texts: |(vpc, _)| vec![vpc.id.to_string()],
        },
        Column {
            name: "cidr",
            texts: |(vpc, _)| vec![vpc.cidr.to_string()],
        },
        Column {
            name: "cidr-block",
            texts: |(vpc, _)| vec![vpc.cidr.to_string()],
        },
        Column {
            name: "cidr-block-association.cidr-block",
            texts: |(vpc, _)| vec![vpc.cidr.to_string()],
        },
        Column {
            name: "cidr-block-association.association-id",
            texts: |(vpc, _)| vec![cidr_association_id(vpc)],
        },
        Column {
            name: "cidr-block-association.state",
            texts: |_| vec!["associated".into()],
        },
        Column {
            name: "ipv6-cidr-block-association.association-id",
            texts: |(vpc, _)| ipv6_blocks(vpc, |block| block.id.to_string()),
        },
        Column {
            name: "ipv6-cidr-block-association.ipv6-cidr-block",
            texts: |(vpc, _)| ipv6_blocks(vpc, |block| block.cidr.to_string()),
        },
        Column {
            name: "ipv6-cidr-block-association.ipv6-pool",
            texts: |(vpc, _)| {
                let pools = vpc.ipv6_blocks.iter().filter_map(ipv6_pool);
                pools.map(str::to_owned).collect()
            },
        },
        Column {
            name: "ipv6-cidr-block-association.state",
            texts: |(vpc, _)| ipv6_blocks(vpc, |_| "associated".into()),
        },
        Column {
            name: "dhcp-options-id",
            texts: |_| vec!["default".into()],
        },
        Column {
            name: "is-default",
            texts: |(vpc, _)| vec![vpc.is_default.to_string()],
        },
        Column {
            name: "isDefault",
            texts: |(vpc, _)| vec![vpc.is_default.to_string()],
        },
        Column {
            name: "owner-id",
            texts: |(_, account)| vec![account.clone()],
        },
        Column {
            name: "state",
            texts: |_| vec!["available".into()],
        },
    ],
    absent: &[],
    tags: Some(|(vpc, _)| &vpc.tags),
};

fn ipv6_blocks(vpc: &Vpc, text: fn(&VpcIpv6Block) -> String) -> Vec<String> {
    vpc.ipv6_blocks.iter().map(text).collect()
}

/// The pool that a block is from. One that its owner chose is from none.
#[must_use]
pub fn ipv6_pool(block: &VpcIpv6Block) -> Option<&'static str> {
    block.is_provided.then_some("Amazon")
}

/// Names the hold of a VPC on its IPv4 block; made from the id of the VPC, because there is one for each.
#[must_use]
pub fn cidr_association_id(vpc: &Vpc) -> String {
    vpc.id.as_str().replacen("vpc-", "vpc-cidr-assoc-", 1)
}

/// # Errors
/// `VpcNotFound`, and those of filters and pages.
pub(crate) fn describe_vpcs(
    state: &State,
    settings: &Settings,
    request: &DescribeVpcs,
) -> Result<Page<Arc<Vpc>>, Ec2Error> {
    let is_wanted = VPC_FILTERS.parse(&request.filters)?;
    if let Some(id) = request
        .vpc_ids
        .iter()
        .find(|id| lookups::vpc(&state.ec2, id).is_none())
    {
        return Err(Ec2Error::VpcNotFound(id.clone()));
    }
    let account = &settings.place.account;
    let vpcs = state
        .ec2
        .vpcs
        .values()
        .filter(|vpc| is_named(&request.vpc_ids, vpc.id.as_str()))
        .filter(|vpc| is_wanted(&(Arc::clone(vpc), account.clone())))
        .cloned();
    request.page.cut("vpcs", vpcs, |vpc| vpc.id.to_string())
}

/// Whether a list of ids, which means everything if it is empty, has this id.
pub(crate) fn is_named(ids: &[String], id: &str) -> bool {
    ids.is_empty() || ids.iter().any(|named| named == id)
}

/// Which zones to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeAvailabilityZones {
    /// These alone; all for an empty list.
    pub zone_names: Vec<String>,
    /// These alone; all for an empty list.
    pub zone_ids: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
}

const ZONE_FILTERS: Filters<(Zone, String)> = Filters {
    columns: &[
        Column {
            name: "zone-name",
            texts: |(zone, _)| vec![zone.name.clone()],
        },
        Column {
            name: "zone-id",
            texts: |(zone, _)| vec![zone.id.clone()],
        },
        Column {
            name: "zone-type",
            texts: |_| vec!["availability-zone".into()],
        },
        Column {
            name: "region-name",
            texts: |(_, region)| vec![region.clone()],
        },
        Column {
            name: "group-name",
            texts: |(_, region)| vec![zone_group(region)],
        },
        Column {
            name: "opt-in-status",
            texts: |_| vec!["opt-in-not-required".into()],
        },
        Column {
            name: "state",
            texts: |_| vec!["available".into()],
        },
    ],
    absent: &[
        "group-long-name",
        "message",
        "parent-zone-id",
        "parent-zone-name",
    ],
    tags: None,
};

/// The group that the zones of a region form.
#[must_use]
pub fn zone_group(region: &str) -> String {
    format!("{region}-zg-1")
}

/// # Errors
/// `ZoneNotFound`, and those of filters.
pub(crate) fn describe_zones(
    settings: &Settings,
    request: &DescribeAvailabilityZones,
) -> Result<Vec<Zone>, Ec2Error> {
    let is_wanted = ZONE_FILTERS.parse(&request.filters)?;
    let region = &settings.place.region;
    let zones: Vec<Zone> = settings.topology.ec2_zones(region).collect();
    let is_name = |name: &String| zones.iter().any(|zone| zone.name == *name);
    let is_id = |id: &String| zones.iter().any(|zone| zone.id == *id);
    let unknown_name = request.zone_names.iter().find(|name| !is_name(name));
    let unknown_id = request.zone_ids.iter().find(|id| !is_id(id));
    if let Some(unknown) = unknown_name.or(unknown_id) {
        return Err(Ec2Error::ZoneNotFound(unknown.clone()));
    }
    let found = zones
        .into_iter()
        .filter(|zone| is_named(&request.zone_names, &zone.name))
        .filter(|zone| is_named(&request.zone_ids, &zone.id))
        .filter(|zone| is_wanted(&(zone.clone(), region.clone())));
    Ok(found.collect())
}

/// Which regions to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeRegions {
    /// These alone; all for an empty list.
    pub region_names: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
}

const REGION_FILTERS: Filters<String> = Filters {
    columns: &[
        Column {
            name: "region-name",
            texts: |region| vec![region.clone()],
        },
        Column {
            name: "endpoint",
            texts: |region| vec![region_endpoint(region)],
        },
        Column {
            name: "opt-in-status",
            texts: |_| vec!["opt-in-not-required".into()],
        },
    ],
    absent: &[],
    tags: None,
};

/// The name under which EC2 of a region is reached on AWS.
#[must_use]
pub fn region_endpoint(region: &str) -> String {
    format!("ec2.{region}.amazonaws.com")
}

/// The names of the regions: the one of the configuration, or none.
///
/// # Errors
/// `RegionNotFound`, and those of filters.
pub(crate) fn describe_regions(
    settings: &Settings,
    request: &DescribeRegions,
) -> Result<Vec<String>, Ec2Error> {
    let is_wanted = REGION_FILTERS.parse(&request.filters)?;
    let region = &settings.place.region;
    if let Some(unknown) = request.region_names.iter().find(|name| *name != region) {
        return Err(Ec2Error::RegionNotFound {
            named: unknown.clone(),
            own: region.clone(),
        });
    }
    Ok(Some(region.clone()).filter(is_wanted).into_iter().collect())
}
