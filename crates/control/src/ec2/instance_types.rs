//! DescribeInstanceTypes: the types that machines were registered with.
//!
//! elbow starts no machines and thus offers no types. Tools that manage an instance ask about its type all the
//! same; what can be said is that it exists, and that nobody limits its processor by credits.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::ec2::filter::{Column, Filters};
use crate::ec2::networks::is_named;
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
    /// These alone, up to `NAMES_MAX`; all for an empty list.
    pub names: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer; not together with names.
    pub page: PageRequest,
}

impl Ec2<'_> {
    /// The names of the types.
    ///
    /// # Errors
    /// `TooManyValues`, `InstanceTypesNotFound`, `IdsWithMaxResults`, and those of filters and pages.
    pub fn describe_instance_types(
        &self,
        request: &DescribeInstanceTypes,
    ) -> Result<Page<String>, Ec2Error> {
        self.show(|it| describe(it.state, request))
    }
}

const FILTERS: Filters<String> = Filters {
    columns: &[
        Column {
            name: "instance-type",
            texts: |name| vec![name.clone()],
        },
        Column {
            name: "burstable-performance-supported",
            texts: |_| vec!["false".into()],
        },
    ],
    // What is known of machines that EC2 starts.
    absent: &[
        "bare-metal",
        "current-generation",
        "free-tier-eligible",
        "hypervisor",
        "instance-storage-supported",
        "memory-info.size-in-mib",
        "processor-info.supported-architecture",
        "supported-boot-mode",
        "supported-root-device-type",
        "supported-usage-class",
        "supported-virtualization-type",
        "vcpu-info.default-cores",
        "vcpu-info.default-vcpus",
    ],
    tags: None,
};

fn describe(state: &State, request: &DescribeInstanceTypes) -> Result<Page<String>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    require_at_most(NAMES_MAX, "InstanceTypes", request.names.len())?;
    request.page.refuse_with("InstanceTypes", &request.names)?;
    let instances = state.ec2.instances.values();
    let known: BTreeSet<String> = instances
        .filter_map(|instance| instance.instance_type.clone())
        .collect();
    let missing = request.names.iter().filter(|name| !known.contains(*name));
    let missing: Vec<String> = missing.cloned().collect();
    if !missing.is_empty() {
        return Err(Ec2Error::InstanceTypesNotFound(missing));
    }
    let wanted = known
        .into_iter()
        .filter(|name| is_named(&request.names, name))
        .filter(is_wanted);
    request.page.cut_within(PAGE, wanted, String::clone)
}
