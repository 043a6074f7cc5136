//! AllocateAddress, ReleaseAddress, DescribeAddresses, DescribeAddressesAttribute.
//!
//! An address is the account's until it is released. It cannot be associated with an instance, because elbow
//! would have to carry the instance's traffic.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use model::Cidr;
use model::ec2::{AllocationId, ElasticAddress};

use crate::ec2::filter::{Column, Filters};
use crate::ec2::{
    Ec2, Ec2Error, Ec2State, Filter, Page, PageRequest, TagSpecification, names, tags,
};
use crate::settings::Settings;
use crate::state::{Draft, State};

/// The pool of all addresses.
///
/// Source: EC2 API, `Address`, `PublicIpv4Pool`: what nobody has brought along is of Amazon's pool.
pub const POOL: &str = "amazon";

/// A new Elastic IP address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllocateAddress {
    /// This one, if it is free; any one for `None`.
    pub address: Option<String>,
    /// The pool it is to come from: `POOL`; for `None` as well.
    pub pool: Option<String>,
    /// The region, the only group that elbow has; for `None` as well.
    pub network_border_group: Option<String>,
    /// Tags for it.
    pub tag_specifications: Vec<TagSpecification>,
}

/// An address to give back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseAddress {
    /// Names it.
    pub allocation_id: String,
    /// The group that it is in, if the request says so.
    pub network_border_group: Option<String>,
}

/// Which Elastic IP addresses to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeAddresses {
    /// These alone; all for an empty list.
    pub allocation_ids: Vec<String>,
    /// These alone; all for an empty list.
    pub public_ips: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
}

impl Ec2<'_> {
    /// Allocates an address.
    ///
    /// # Errors
    /// `TooManyAddresses`, `NoAddressLeft`, `AddressNotFound` for a given one that cannot be had,
    /// `PoolNotFound`, `InvalidValue`, and those of tags.
    pub async fn allocate_address(
        &self,
        request: AllocateAddress,
    ) -> Result<Arc<ElasticAddress>, Ec2Error> {
        self.change(move |draft| allocate(draft, &request)).await
    }

    /// Gives back an address.
    ///
    /// # Errors
    /// `MalformedId`, `AllocationNotFound`, `NotInBorderGroup`.
    pub async fn release_address(&self, request: ReleaseAddress) -> Result<(), Ec2Error> {
        self.change(move |draft| release(draft, &request)).await
    }

    /// The addresses.
    ///
    /// # Errors
    /// `MalformedId`, `AllocationNotFound`, `AddressNotFound`, and those of filters.
    pub fn describe_addresses(
        &self,
        request: &DescribeAddresses,
    ) -> Result<Vec<Arc<ElasticAddress>>, Ec2Error> {
        self.show(|it| describe(it.state, it.settings, request))
    }

    /// The addresses whose names are asked for; none of them has one.
    ///
    /// # Errors
    /// `MalformedId`, `AllocationNotFound`, and those of pages.
    pub fn describe_addresses_attribute(
        &self,
        allocation_ids: &[String],
        page: &PageRequest,
    ) -> Result<Page<Arc<ElasticAddress>>, Ec2Error> {
        self.show(|it| {
            let request = DescribeAddresses {
                allocation_ids: allocation_ids.to_vec(),
                ..DescribeAddresses::default()
            };
            let addresses = describe(it.state, it.settings, &request)?;
            page.cut_within("addresses-attribute", 1..=1000, addresses, |address| {
                address.id.to_string()
            })
        })
    }
}

const FILTERS: Filters<(Arc<ElasticAddress>, String)> = Filters {
    columns: &[
        Column {
            name: "allocation-id",
            texts: |(address, _)| vec![address.id.to_string()],
        },
        Column {
            name: "public-ip",
            texts: |(address, _)| vec![address.address.to_string()],
        },
        Column {
            name: "domain",
            texts: |_| vec!["vpc".into()],
        },
        Column {
            name: "network-border-group",
            texts: |(_, region)| vec![region.clone()],
        },
    ],
    // What an address has that is associated with something.
    absent: &[
        "association-id",
        "instance-id",
        "network-interface-id",
        "network-interface-owner-id",
        "private-ip-address",
    ],
    tags: Some(|(address, _)| &address.tags),
};

fn describe(
    state: &State,
    settings: &Settings,
    request: &DescribeAddresses,
) -> Result<Vec<Arc<ElasticAddress>>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    let mut named: Vec<&AllocationId> = Vec::new();
    for id in &request.allocation_ids {
        named.push(&find(&state.ec2, id)?.id);
    }
    for text in &request.public_ips {
        let mut addresses = state.ec2.elastic_addresses.values();
        let found = addresses.find(|it| it.address.to_string() == *text);
        named.push(
            &found
                .ok_or_else(|| Ec2Error::AddressNotFound(text.clone()))?
                .id,
        );
    }
    let region = &settings.place.region;
    let addresses = state.ec2.elastic_addresses.values();
    let wanted = addresses
        .filter(|address| named.is_empty() || named.contains(&&address.id))
        .filter(|address| is_wanted(&(Arc::clone(address), region.clone())));
    Ok(wanted.cloned().collect())
}

fn find<'a>(ec2: &'a Ec2State, id: &str) -> Result<&'a Arc<ElasticAddress>, Ec2Error> {
    let id: AllocationId = id.parse()?;
    let address = ec2.elastic_addresses.get(&id);
    address.ok_or_else(|| Ec2Error::AllocationNotFound(id.to_string()))
}

fn allocate(draft: &mut Draft, request: &AllocateAddress) -> Result<Arc<ElasticAddress>, Ec2Error> {
    let region = &draft.settings().place.region;
    if let Some(group) = request
        .network_border_group
        .as_ref()
        .filter(|group| *group != region)
    {
        return Err(Ec2Error::InvalidValue {
            parameter: "NetworkBorderGroup",
            value: group.clone(),
            expectation: format!("elbow has one, {region}."),
        });
    }
    if let Some(pool) = request.pool.as_ref().filter(|pool| *pool != POOL) {
        return Err(Ec2Error::PoolNotFound(pool.clone()));
    }
    let taken = &draft.state().ec2.elastic_addresses;
    let max = draft.settings().limits.ec2.elastic_addresses;
    if taken.len() >= max {
        return Err(Ec2Error::TooManyAddresses(max));
    }
    let is_free = |address: &Ipv4Addr| !taken.values().any(|it| it.address == *address);
    let block = draft.settings().topology.elastic;
    let mut usable = block.into_iter().flat_map(usable_addresses).filter(is_free);
    let address = match &request.address {
        Some(text) => usable
            .find(|address| address.to_string() == *text)
            .ok_or_else(|| Ec2Error::AddressNotFound(text.clone()))?,
        None => usable.next().ok_or(Ec2Error::NoAddressLeft)?,
    };
    let address = ElasticAddress {
        id: names::fresh(draft, AllocationId::from_bits, taken),
        address,
        tags: tags::specified(&request.tag_specifications, "elastic-ip")?,
    };
    Ok(draft.put(address))
}

fn release(draft: &mut Draft, request: &ReleaseAddress) -> Result<(), Ec2Error> {
    let address = find(&draft.state().ec2, &request.allocation_id)?;
    let region = &draft.settings().place.region;
    let mut group = request.network_border_group.iter();
    if let Some(other) = group.find(|group| *group != region) {
        return Err(Ec2Error::NotInBorderGroup {
            address: address.address,
            group: other.clone(),
            own: region.clone(),
        });
    }
    let id = address.id.clone();
    draft.remove::<ElasticAddress>(&id);
    Ok(())
}

/// The addresses of a block between its first, which names it, and its last, the broadcast.
fn usable_addresses(block: Cidr) -> impl Iterator<Item = Ipv4Addr> {
    let first = match block.network() {
        IpAddr::V4(network) => u32::from(network),
        IpAddr::V6(_) => unreachable!("the configuration has an IPv4 block"),
    };
    let host_bits = 32 - u32::from(block.prefix_length());
    let last = first + ((1_u32 << host_bits) - 1);
    (first + 1..last).map(Ipv4Addr::from)
}
