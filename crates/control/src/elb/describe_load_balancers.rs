//! `DescribeLoadBalancers`: all of them by pages, or those that are named.

use std::sync::Arc;

use model::load_balancer::LoadBalancer;

use super::page::{Page, Paging};
use super::{ElbError, LoadBalancerDescription, LoadBalancerStateCode, find, hosted_zones};
use crate::{Control, State};

/// Most load balancers that can be named in one request.
const NAMED_MAX: usize = 20;

/// Source: ELB API, `DescribeLoadBalancers`.
#[derive(Clone, Debug, Default)]
pub struct DescribeLoadBalancers {
    /// `LoadBalancerArns`.
    pub load_balancer_arns: Vec<String>,
    /// `Names`.
    pub names: Vec<String>,
    /// `Marker` and `PageSize`.
    pub paging: Paging,
}

impl Control {
    /// Describes load balancers, by name.
    ///
    /// # Errors
    /// `LoadBalancerNotFound` if one that is named does not exist, `Validation`.
    pub async fn describe_load_balancers(
        &self,
        input: DescribeLoadBalancers,
    ) -> Result<Page<LoadBalancerDescription>, ElbError> {
        let page = self.read(|state| select(state, &input))?;
        let describe = |it| self.describe_load_balancer(it, LoadBalancerStateCode::Active);
        Ok(Page {
            items: page.items.into_iter().map(describe).collect(),
            next_marker: page.next_marker,
        })
    }

    pub(super) fn describe_load_balancer(
        &self,
        load_balancer: Arc<LoadBalancer>,
        state: LoadBalancerStateCode,
    ) -> LoadBalancerDescription {
        LoadBalancerDescription {
            load_balancer,
            state,
            canonical_hosted_zone_id: hosted_zones::application(&self.settings().place.region),
        }
    }
}

fn select(
    state: &State,
    input: &DescribeLoadBalancers,
) -> Result<Page<Arc<LoadBalancer>>, ElbError> {
    let (arns, names) = (&input.load_balancer_arns, &input.names);
    if arns.is_empty() && names.is_empty() {
        let mut all: Vec<_> = state.elb.load_balancers.values().cloned().collect();
        all.sort_by(|a, b| a.name().cmp(b.name()));
        let name = |it: &Arc<LoadBalancer>| it.name().to_owned();
        return input.paging.page("load-balancers", all, name, |marker| {
            Some(marker.to_owned())
        });
    }
    if !arns.is_empty() && !names.is_empty() {
        let message =
            "Load balancer names and load balancer ARNs cannot be specified at the same time";
        return Err(ElbError::Validation(message.to_owned()));
    }
    if arns.len() + names.len() > NAMED_MAX {
        return Err(ElbError::Validation(format!(
            "At most {NAMED_MAX} load balancers can be named in one request"
        )));
    }
    let by_arn = arns
        .iter()
        .map(|arn| find::load_balancer(state, arn).cloned());
    let items = match names.as_slice() {
        [] => by_arn.collect::<Result<_, _>>()?,
        names => named(state, names)?,
    };
    Ok(Page {
        items,
        next_marker: None,
    })
}

fn named(state: &State, names: &[String]) -> Result<Vec<Arc<LoadBalancer>>, ElbError> {
    let mut missing = Vec::new();
    let mut found = Vec::new();
    for name in names {
        let mut all = state.elb.load_balancers.values();
        match all.find(|it| it.name() == name) {
            Some(load_balancer) => found.push(Arc::clone(load_balancer)),
            None => missing.push(name.as_str()),
        }
    }
    match missing.is_empty() {
        true => Ok(found),
        false => Err(ElbError::LoadBalancerNotFound(format!(
            "Load balancers '[{}]' not found",
            missing.join(", ")
        ))),
    }
}
