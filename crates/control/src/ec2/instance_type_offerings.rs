//! DescribeInstanceTypeOfferings: where instances of a type can be registered, which is everywhere.

use std::collections::BTreeSet;

use crate::ec2::filter::{Column, Filters};
use crate::ec2::instance_types::known;
use crate::ec2::{Ec2, Ec2Error, Filter, Page, PageRequest};
use crate::settings::Settings;
use crate::state::State;

/// Which offerings to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeInstanceTypeOfferings {
    /// `region`, which is the default, `availability-zone`, `availability-zone-id` or `outpost`.
    pub location_type: Option<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer.
    pub page: PageRequest,
}

/// A type and a place for instances of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstanceTypeOffering {
    /// Such as `t3.micro`.
    pub instance_type: String,
    /// What `location` is: the name of the region, or the name or the id of a zone.
    pub location_type: &'static str,
    /// Such as `us-east-1a`.
    pub location: String,
}

impl Ec2<'_> {
    /// The types, each with every place of one kind.
    ///
    /// # Errors
    /// `InvalidValue` for a location type that EC2 does not have, and those of filters and pages.
    pub fn describe_instance_type_offerings(
        &self,
        request: &DescribeInstanceTypeOfferings,
    ) -> Result<Page<InstanceTypeOffering>, Ec2Error> {
        self.show(|it| describe(it.state, it.settings, request))
    }
}

const FILTERS: Filters<InstanceTypeOffering> = Filters {
    columns: &[
        Column::new("instance-type", |it| vec![it.instance_type.clone()]),
        Column::new("location", |it| vec![it.location.clone()]),
    ],
    absent: &[],
    tags: None,
};

fn describe(
    state: &State,
    settings: &Settings,
    request: &DescribeInstanceTypeOfferings,
) -> Result<Page<InstanceTypeOffering>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    let (location_type, locations) = locations(settings, request.location_type.as_deref())?;
    let types = known(state, &request.filters);
    let offerings = types.iter().flat_map(|instance_type| {
        locations.iter().map(move |location| InstanceTypeOffering {
            instance_type: instance_type.clone(),
            location_type,
            location: location.clone(),
        })
    });
    let wanted: BTreeSet<_> = offerings.filter(is_wanted).collect();
    let key = |it: &InstanceTypeOffering| format!("{} {}", it.instance_type, it.location);
    request.page.cut("instance-type-offerings", wanted, key)
}

/// A type of locations as the answer names it, and those there are.
fn locations(
    settings: &Settings,
    location_type: Option<&str>,
) -> Result<(&'static str, Vec<String>), Ec2Error> {
    let region = &settings.place.region;
    let zones = settings.topology.ec2_zones(region);
    match location_type {
        None | Some("region") => Ok(("region", vec![region.clone()])),
        Some("availability-zone") => {
            Ok(("availability-zone", zones.map(|zone| zone.name).collect()))
        }
        Some("availability-zone-id") => {
            Ok(("availability-zone-id", zones.map(|zone| zone.id).collect()))
        }
        Some("outpost") => Ok(("outpost", Vec::new())),
        Some(other) => Err(Ec2Error::InvalidValue {
            parameter: "locationType",
            value: other.to_owned(),
            expectation: "It is region, availability-zone, availability-zone-id or outpost."
                .to_owned(),
        }),
    }
}
