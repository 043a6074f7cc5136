//! `DescribeTargetGroupAttributes` and `ModifyTargetGroupAttributes`.

use model::target_group::TargetGroup;
use model::target_group_attributes::{APPLICATION, OTHER_TYPES};

use super::attributes::{Table, change};
use super::input::Pairs;
use super::{AttributeList, ElbError, find};
use crate::Control;

const TABLE: Table = Table {
    resource: "Target group",
    attributes: APPLICATION,
    other_types: OTHER_TYPES,
    type_text: "on target groups with the HTTP protocol",
};

/// Source: ELB API, `DescribeTargetGroupAttributes`.
#[derive(Clone, Debug, Default)]
pub struct DescribeTargetGroupAttributes {
    /// `TargetGroupArn`.
    pub target_group_arn: String,
}

/// Source: ELB API, `ModifyTargetGroupAttributes`.
#[derive(Clone, Debug, Default)]
pub struct ModifyTargetGroupAttributes {
    /// `TargetGroupArn`.
    pub target_group_arn: String,
    /// `Attributes`.
    pub attributes: Pairs,
}

impl Control {
    /// Every attribute of a target group.
    ///
    /// # Errors
    /// `TargetGroupNotFound`, `Validation`.
    pub async fn describe_target_group_attributes(
        &self,
        input: DescribeTargetGroupAttributes,
    ) -> Result<AttributeList, ElbError> {
        self.read(|state| {
            let group = find::target_group(state, &input.target_group_arn)?;
            Ok(group.attributes.describe(APPLICATION))
        })
    }

    /// Changes all of the attributes, or none; the answer has every attribute.
    ///
    /// # Errors
    /// `TargetGroupNotFound`, `InvalidConfigurationRequest`, `Validation`.
    pub async fn modify_target_group_attributes(
        &self,
        input: ModifyTargetGroupAttributes,
    ) -> Result<AttributeList, ElbError> {
        self.transact(move |draft| {
            let group = find::target_group(draft.state(), &input.target_group_arn)?;
            let mut group = TargetGroup::clone(group);
            let changed = change(&TABLE, &group.attributes, &input.attributes, |it| *it)?;
            let described = changed.describe(APPLICATION);
            if changed != group.attributes {
                group.attributes = changed;
                draft.put(group);
            }
            Ok(described)
        })
        .await
    }
}
