//! DescribeInstanceCreditSpecifications: what instances of burstable types do when they have no CPU credits left.
//!
//! Nobody limits the processor of a machine by credits here, so that this is a note of its owner, kept and shown again.
//! Terraform gives one to every instance whose type begins with t3.

use std::sync::Arc;

use model::ec2::{CpuCredits, Instance};

use crate::ec2::describe_instances::{require_few, require_ids, shown};
use crate::ec2::filter::{Column, Filters};
use crate::ec2::{Ec2, Ec2Error, Filter, Page, PageRequest};
use crate::state::State;

/// How many instances a request may name.
///
/// Source: EC2 API, `DescribeInstanceCreditSpecifications`, `InstanceIds`.
pub const IDS_MAX: usize = 1000;

/// Whose credits to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeInstanceCreditSpecifications {
    /// These alone, up to `IDS_MAX`, all of burstable types; those with unlimited credits for an empty list.
    pub instance_ids: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer; not together with ids.
    pub page: PageRequest,
}

impl Ec2<'_> {
    /// The instances, each with what it does.
    ///
    /// # Errors
    /// `TooManyInstanceIds`, `IdsWithMaxResults`, `MalformedId`, `InstancesNotFound`, `NotBurstable`, and those of
    /// filters and pages.
    pub fn describe_instance_credit_specifications(
        &self,
        request: &DescribeInstanceCreditSpecifications,
    ) -> Result<Page<(Arc<Instance>, CpuCredits)>, Ec2Error> {
        self.show(|it| describe(it.state, it.now_millis, request))
    }
}

const FILTERS: Filters<Instance> = Filters {
    columns: &[Column::new("instance-id", |it| vec![it.id.to_string()])],
    absent: &[],
    tags: None,
};

fn describe(
    state: &State,
    now_millis: u64,
    request: &DescribeInstanceCreditSpecifications,
) -> Result<Page<(Arc<Instance>, CpuCredits)>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    let ids = &request.instance_ids;
    require_few(ids, IDS_MAX)?;
    request.page.refuse_with("instancesSet", ids)?;
    require_ids(state, ids, now_millis)?;
    let mut specified = Vec::new();
    for instance in shown(state, ids, now_millis) {
        match of_instance(instance) {
            Some(credits) => specified.push((Arc::clone(instance), credits)),
            None if ids.is_empty() => {}
            None => return Err(Ec2Error::NotBurstable(instance.id.clone())),
        }
    }
    let is_shown = |credits| !ids.is_empty() || credits == CpuCredits::Unlimited;
    specified.retain(|(instance, credits)| is_shown(*credits) && is_wanted(instance));
    let key = |(instance, _): &(Arc<Instance>, _)| instance.id.to_string();
    request
        .page
        .cut("instance-credit-specifications", specified, key)
}

/// What an instance does, if its type is a burstable one.
fn of_instance(instance: &Instance) -> Option<CpuCredits> {
    let usual = usual_credits(instance.instance_type.as_deref()?)?;
    Some(instance.cpu_credits.unwrap_or(usual))
}

/// What instances of a burstable type do unless they are told otherwise; `None` for other types.
///
/// Source: EC2 API, `CreditSpecificationRequest`, `CpuCredits`.
fn usual_credits(instance_type: &str) -> Option<CpuCredits> {
    let (family, _) = instance_type.split_once('.')?;
    match family {
        "t2" => Some(CpuCredits::Standard),
        "t3" | "t3a" | "t4g" => Some(CpuCredits::Unlimited),
        _ => None,
    }
}

/// Whether instances of this type have CPU credits.
pub(crate) fn is_burstable(instance_type: &str) -> bool {
    usual_credits(instance_type).is_some()
}
