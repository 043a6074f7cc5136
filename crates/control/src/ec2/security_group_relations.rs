//! GetSecurityGroupsForVpc, DescribeSecurityGroupReferences, DescribeStaleSecurityGroups: which groups concern
//! a VPC. None crosses the border of its VPC, because VPCs of elbow are neither peered nor shared.

use std::ops::RangeInclusive;
use std::sync::Arc;

use model::ec2::SecurityGroup;

use crate::ec2::filter::{Column, Filters};
use crate::ec2::{Ec2, Ec2Error, Filter, Page, PageRequest, security_groups, vpcs};
use crate::settings::Settings;
use crate::state::State;

/// How many stale groups a page may have.
///
/// Source: EC2 API, `DescribeStaleSecurityGroups`, `MaxResults`.
const STALE_PAGE: RangeInclusive<i64> = 5..=255;

/// Which groups of which VPC to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetSecurityGroupsForVpc {
    /// The VPC.
    pub vpc_id: String,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer.
    pub page: PageRequest,
}

impl Ec2<'_> {
    /// The groups that can be used in a VPC.
    ///
    /// # Errors
    /// `VpcNotFound`, and those of filters and pages.
    pub fn security_groups_for_vpc(
        &self,
        request: &GetSecurityGroupsForVpc,
    ) -> Result<Page<Arc<SecurityGroup>>, Ec2Error> {
        self.show(|it| for_vpc(it.state, it.settings, request))
    }

    /// The VPCs on the other side of a peering that refer to these groups. There are none.
    ///
    /// # Errors
    /// `MissingParameter`, `MalformedId`, `SecurityGroupNotFound`.
    pub fn describe_security_group_references(&self, group_ids: &[String]) -> Result<(), Ec2Error> {
        self.show(|it| {
            if group_ids.is_empty() {
                return Err(Ec2Error::MissingParameter("groupId"));
            }
            for id in group_ids {
                security_groups::find(&it.state.ec2, id)?;
            }
            Ok(())
        })
    }

    /// The groups of a VPC with rules that refer to groups of a peering that is gone. There are none.
    ///
    /// # Errors
    /// `VpcNotFound`, and those of pages.
    pub fn describe_stale_security_groups(
        &self,
        vpc_id: &str,
        page: &PageRequest,
    ) -> Result<(), Ec2Error> {
        self.show(|it| {
            vpcs::find(&it.state.ec2, vpc_id)?;
            page.require_valid(STALE_PAGE)
        })
    }
}

const FILTERS: Filters<(Arc<SecurityGroup>, String)> = Filters {
    columns: &[
        Column {
            name: "group-id",
            texts: |(group, _)| vec![group.id.to_string()],
        },
        Column {
            name: "description",
            texts: |(group, _)| vec![group.description.clone()],
        },
        Column {
            name: "group-name",
            texts: |(group, _)| vec![group.name.clone()],
        },
        Column {
            name: "owner-id",
            texts: |(_, account)| vec![account.clone()],
        },
        Column {
            name: "primary-vpc-id",
            texts: |(group, _)| vec![group.vpc_id.to_string()],
        },
    ],
    absent: &[],
    tags: Some(|(group, _)| &group.tags),
};

fn for_vpc(
    state: &State,
    settings: &Settings,
    request: &GetSecurityGroupsForVpc,
) -> Result<Page<Arc<SecurityGroup>>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    let vpc_id = &vpcs::find(&state.ec2, &request.vpc_id)?.id;
    let account = &settings.place.account;
    let groups = state.ec2.security_groups.values();
    let wanted = groups
        .filter(|group| group.vpc_id == *vpc_id)
        .filter(|group| is_wanted(&(Arc::clone(group), account.clone())))
        .cloned();
    request
        .page
        .cut("security-groups-for-vpc", wanted, |group| {
            group.id.to_string()
        })
}
