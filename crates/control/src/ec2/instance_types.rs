//! DescribeInstanceTypes: the types that a request names, or else those that machines were registered with.
//!
//! elbow starts no machines and thus has no list of types. Tools that manage an instance ask about its type all the
//! same, some before they register it; what can be said is that it can be had, and what its name says.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::ec2::cpu_credits::is_burstable;
use crate::ec2::filter::{Column, Filters};
use crate::ec2::instance_type_names::TypeName;
use crate::ec2::paging::require_at_most;
use crate::ec2::{Ec2, Ec2Error, Filter, Page, PageRequest};
use crate::state::State;

/// How many types a request may name.
///
/// Source: EC2 API, `DescribeInstanceTypes`, `InstanceTypes`.
pub const NAMES_MAX: usize = 100;
/// How many types a page may have.
///
/// Source: EC2 API, `DescribeInstanceTypes`, `MaxResults`.
const PAGE: RangeInclusive<i64> = 5..=100;

/// Which types to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeInstanceTypes {
    /// These alone, up to `NAMES_MAX`; those of instances and those that a filter names for an empty list.
    pub names: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer; not together with names.
    pub page: PageRequest,
}

/// What is known of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceTypeDescription {
    /// Such as `t3.micro`.
    pub name: String,
    /// Whether its instances have CPU credits.
    pub is_burstable: bool,
    /// What its processors run, such as `arm64`; none for the note of an older elbow that is no name of a type.
    pub architectures: &'static [&'static str],
    /// Whether its instances are whole machines.
    pub is_bare_metal: bool,
}

impl InstanceTypeDescription {
    fn of(name: String) -> Self {
        let parsed = TypeName::parse(&name);
        Self {
            is_burstable: is_burstable(&name),
            architectures: parsed.map_or(&[], |it| it.architectures()),
            is_bare_metal: parsed.is_some_and(|it| it.is_bare_metal()),
            name,
        }
    }
}

impl Ec2<'_> {
    /// The types.
    ///
    /// # Errors
    /// `TooManyValues`, `InstanceTypesNotFound`, `IdsWithMaxResults`, and those of filters and pages.
    pub fn describe_instance_types(
        &self,
        request: &DescribeInstanceTypes,
    ) -> Result<Page<InstanceTypeDescription>, Ec2Error> {
        self.show(|it| describe(it.state, request))
    }
}

const FILTERS: Filters<InstanceTypeDescription> = Filters {
    columns: &[
        Column::new("instance-type", |it| vec![it.name.clone()]),
        Column::new("bare-metal", |it| vec![it.is_bare_metal.to_string()]),
        Column::new("burstable-performance-supported", |it| {
            vec![it.is_burstable.to_string()]
        }),
        Column::new("processor-info.supported-architecture", |it| {
            let architectures = it.architectures.iter();
            architectures.map(|it| (*it).to_owned()).collect()
        }),
    ],
    // What is known of machines that EC2 starts.
    absent: &[
        "auto-recovery-supported",
        "current-generation",
        "dedicated-hosts-supported",
        "ebs-info.attachment-limit-type",
        "ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps",
        "ebs-info.ebs-optimized-info.baseline-iops",
        "ebs-info.ebs-optimized-info.baseline-throughput-in-mbps",
        "ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps",
        "ebs-info.ebs-optimized-info.maximum-iops",
        "ebs-info.ebs-optimized-info.maximum-throughput-in-mbps",
        "ebs-info.ebs-optimized-support",
        "ebs-info.encryption-support",
        "ebs-info.maximum-ebs-attachments",
        "ebs-info.nvme-support",
        "free-tier-eligible",
        "hibernation-supported",
        "hypervisor",
        "instance-storage-info.disk.count",
        "instance-storage-info.disk.size-in-gb",
        "instance-storage-info.disk.type",
        "instance-storage-info.encryption-support",
        "instance-storage-info.nvme-support",
        "instance-storage-info.total-size-in-gb",
        "instance-storage-supported",
        "memory-info.size-in-mib",
        "network-info.bandwidth-weightings",
        "network-info.efa-info.maximum-efa-interfaces",
        "network-info.efa-supported",
        "network-info.ena-support",
        "network-info.encryption-in-transit-supported",
        "network-info.flexible-ena-queues-support",
        "network-info.ipv4-addresses-per-interface",
        "network-info.ipv6-addresses-per-interface",
        "network-info.ipv6-supported",
        "network-info.maximum-network-cards",
        "network-info.maximum-network-interfaces",
        "network-info.network-performance",
        "nitro-enclaves-support",
        "nitro-tpm-info.supported-versions",
        "nitro-tpm-support",
        "processor-info.supported-features",
        "processor-info.sustained-clock-speed-in-ghz",
        "reboot-migration-support",
        "supported-boot-mode",
        "supported-root-device-type",
        "supported-usage-class",
        "supported-virtualization-type",
        "vcpu-info.default-cores",
        "vcpu-info.default-threads-per-core",
        "vcpu-info.default-vcpus",
        "vcpu-info.valid-cores",
        "vcpu-info.valid-threads-per-core",
    ],
    tags: None,
};

fn describe(
    state: &State,
    request: &DescribeInstanceTypes,
) -> Result<Page<InstanceTypeDescription>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    require_at_most(NAMES_MAX, "InstanceTypes", request.names.len())?;
    request.page.refuse_with("InstanceTypes", &request.names)?;
    let known = known(state, &request.filters);
    let is_known = |name: &String| known.contains(name) || TypeName::parse(name).is_some();
    let missing = request.names.iter().filter(|name| !is_known(name));
    let missing: Vec<String> = missing.cloned().collect();
    if !missing.is_empty() {
        return Err(Ec2Error::InstanceTypesNotFound(missing));
    }
    let shown = match request.names.as_slice() {
        [] => known,
        names => names.iter().cloned().collect(),
    };
    let described = shown
        .into_iter()
        .map(InstanceTypeDescription::of)
        .filter(is_wanted);
    let key = |it: &InstanceTypeDescription| it.name.clone();
    request
        .page
        .cut_within("instance-types", PAGE, described, key)
}

/// The types that instances have, and those that a filter by type names whole, so that it finds what can be had.
pub(crate) fn known(state: &State, filters: &[Filter]) -> BTreeSet<String> {
    let instances = state.ec2.instances.values();
    let registered = instances.filter_map(|instance| instance.instance_type.clone());
    let by_type = filters.iter().filter(|it| it.name == "instance-type");
    let named = by_type.flat_map(|filter| filter.values.iter().cloned());
    registered
        .chain(named.filter(|name| TypeName::parse(name).is_some()))
        .collect()
}
