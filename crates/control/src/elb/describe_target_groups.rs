//! `DescribeTargetGroups`: all of them by pages, those of a load balancer, or those that are named.

use std::sync::Arc;

use model::target_group::TargetGroup;

use super::page::{Page, Paging};
use super::{ElbError, TargetGroupDescription, find};
use crate::{Control, State};

/// Source: ELB API, `DescribeTargetGroups`.
#[derive(Clone, Debug, Default)]
pub struct DescribeTargetGroups {
    /// `LoadBalancerArn`.
    pub load_balancer_arn: Option<String>,
    /// `TargetGroupArns`.
    pub target_group_arns: Vec<String>,
    /// `Names`.
    pub names: Vec<String>,
    /// `Marker` and `PageSize`.
    pub paging: Paging,
}

impl Control {
    /// Describes target groups, by name.
    ///
    /// # Errors
    /// `LoadBalancerNotFound` or `TargetGroupNotFound` if one that is named does not exist, `Validation`.
    pub async fn describe_target_groups(
        &self,
        input: DescribeTargetGroups,
    ) -> Result<Page<TargetGroupDescription>, ElbError> {
        self.read(|state| {
            let page = select(state, &input)?;
            let users = state.elb.users();
            let describe = |target_group: Arc<TargetGroup>| {
                let user = users.get(&target_group.arn.id);
                let user = user.and_then(|user| state.elb.load_balancers.get(user));
                TargetGroupDescription {
                    load_balancer_arns: user.map(|user| user.arn.clone()).into_iter().collect(),
                    target_group,
                }
            };
            Ok(Page {
                items: page.items.into_iter().map(describe).collect(),
                next_marker: page.next_marker,
            })
        })
    }
}

fn select(state: &State, input: &DescribeTargetGroups) -> Result<Page<Arc<TargetGroup>>, ElbError> {
    let (arns, names) = (input.target_group_arns.as_slice(), input.names.as_slice());
    let groups = &state.elb.target_groups;
    let named = |items| {
        Ok(Page {
            items,
            next_marker: None,
        })
    };
    match (&input.load_balancer_arn, arns, names) {
        (None, [], []) => page(input, groups.values().cloned().collect()),
        (Some(arn), [], []) => {
            let owner = find::load_balancer(state, arn)?.arn.id;
            let used = state.elb.target_groups_of(owner);
            page(input, used.iter().filter_map(|id| groups.get(id)).cloned().collect())
        }
        (None, arns, []) => {
            let found = arns.iter().map(|arn| find::target_group(state, arn).cloned());
            named(found.collect::<Result<_, _>>()?)
        }
        (None, [], names) => {
            let by_name = |name: &String| {
                let group = groups.values().find(|group| group.name() == name);
                group.cloned().ok_or_else(find::target_group_not_found)
            };
            named(names.iter().map(by_name).collect::<Result<_, _>>()?)
        }
        _ => Err(ElbError::Validation(
            "Target group names, target group ARNs, and a load balancer ARN cannot be specified at the same time"
                .to_owned(),
        )),
    }
}

fn page(
    input: &DescribeTargetGroups,
    mut groups: Vec<Arc<TargetGroup>>,
) -> Result<Page<Arc<TargetGroup>>, ElbError> {
    groups.sort_by(|a, b| a.name().cmp(b.name()));
    let name = |group: &Arc<TargetGroup>| group.name().to_owned();
    input.paging.page("target-groups", groups, name, |marker| {
        Some(marker.to_owned())
    })
}
